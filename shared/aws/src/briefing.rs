//! The briefing for a batch of attempts: delivery, event, endpoint and tenant rows, each read once, all in one call.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use aws_types::SdkConfig;
use jiff::Timestamp;
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::{Endpoint, obstacle};
use postrider_domain::event::Event;
use postrider_domain::id::{DeliveryId, EndpointId, EventId, JobId, TenantId};
use postrider_domain::job::Job;
use postrider_domain::message::Message;
use postrider_domain::slow::SlowEndpoints;
use postrider_domain::tenant::Tenant;

use crate::config_table::{ENDPOINT_PREFIX, SLOW_SORT, TENANT_SORT, read_slow, tenant_partition};
use crate::env::{self, BadSetting};
use crate::error::{AwsError, failed};
use crate::item::{Item, from_item, text, text_of};
use crate::pause::pause;
use crate::rows;

const ROUNDS: u32 = 6;

/// Reads briefings.
#[derive(Clone)]
pub struct Desk {
    client: Client,
    config: String,
    events: String,
    deliveries: String,
    jobs: String,
}

/// Which tables are read consistently, beside deliveries and jobs, which always are.
struct Consistent {
    config: bool,
    events: bool,
}

/// What the rows say about a batch of messages.
#[derive(Debug, Default)]
pub struct Briefing {
    /// Deliveries by id.
    pub deliveries: HashMap<DeliveryId, Delivery>,
    /// Events by id.
    pub events: HashMap<EventId, Event>,
    /// Endpoints by id, tombstones included.
    pub endpoints: HashMap<EndpointId, Endpoint>,
    /// Tenants by id.
    pub tenants: HashMap<TenantId, Tenant>,
    /// Jobs by id, for deliveries that go to no webhook.
    pub jobs: HashMap<JobId, Job>,
    /// Tenants' slow endpoints, where there are any.
    pub slow: HashMap<TenantId, SlowEndpoints>,
    /// Rows that could not be read, by the key that a message names: a producer may have put anything.
    broken: HashSet<String>,
}

impl Briefing {
    /// Whether a row that this message speaks of could not be read. Such a message fails by itself; its batch mates do not.
    pub fn is_broken_for(&self, message: &Message) -> bool {
        let endpoint = format!("{ENDPOINT_PREFIX}{}", message.endpoint_id);
        let tenant = tenant_partition(&message.tenant_id);
        let job = message.job_id.as_ref().map_or("", JobId::as_str);
        let keys = [message.delivery_id.as_str(), message.event_id.as_str(), &endpoint, &tenant, job];
        keys.iter().any(|key| self.broken.contains(*key))
    }

    /// Whether its endpoint counts as slow.
    pub fn is_slow(&self, message: &Message, now: Timestamp) -> bool {
        self.slow.get(&message.tenant_id).is_some_and(|slow| slow.has(&message.endpoint_id, now))
    }

    /// Whether what was read would deny this message its attempt.
    fn is_doubtful_for(&self, message: &Message) -> bool {
        let Some(row) = self.deliveries.get(&message.delivery_id) else { return false };
        let endpoint = self.endpoint_of(row);
        let denied = obstacle(self.tenants.get(&row.tenant_id), endpoint.as_ref()) != Ok(None);
        !self.is_broken_for(message) && (denied || !self.events.contains_key(&message.event_id))
    }

    /// Where a delivery goes: its webhook, or its job's own URL, which is an endpoint without a registration.
    pub fn endpoint_of(&self, row: &Delivery) -> Option<Endpoint> {
        match &row.job_id {
            None => self.endpoints.get(&row.endpoint_id).cloned(),
            Some(id) => self.jobs.get(id).filter(|job| job.tenant_id == row.tenant_id).and_then(Endpoint::of_job),
        }
    }
}

impl Desk {
    /// From `CONFIG_TABLE`, `EVENTS_TABLE`, `DELIVERIES_TABLE` and `JOBS_TABLE`.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            client: Client::new(sdk),
            config: env::var("CONFIG_TABLE")?,
            events: env::var("EVENTS_TABLE")?,
            deliveries: env::var("DELIVERIES_TABLE")?,
            jobs: env::var("JOBS_TABLE")?,
        })
    }

    /// Reads everything that these messages (20 at the most) speak of.
    ///
    /// Deliveries are read consistently, since their counter must be today's. For first attempts the rest is read plainly,
    /// at half the price: events never change, and a webhook that was read a moment late was good a moment ago. But a plain
    /// read must not deny anybody his delivery: where it misses a row, or finds an obstacle, all is read again consistently.
    /// For later attempts tenants and endpoints are read consistently at once: minutes have passed since they were good.
    ///
    /// # Errors
    /// When a read failed; no POST was made.
    pub async fn brief(&self, messages: &[Message]) -> Result<Briefing, AwsError> {
        let mut briefing = Briefing::default();
        let later = messages.iter().any(|message| message.attempt > 1);
        self.read_all(self.keys(messages, &Consistent { config: later, events: false })?, &mut briefing).await?;
        let doubtful: Vec<&Message> = messages.iter().filter(|message| briefing.is_doubtful_for(message)).collect();
        if !doubtful.is_empty() {
            let keys = self.keys(doubtful, &Consistent { config: true, events: true })?;
            self.read_all(keys, &mut briefing).await?;
        }
        Ok(briefing)
    }

    async fn read_all(
        &self,
        mut wanted: HashMap<String, KeysAndAttributes>,
        briefing: &mut Briefing,
    ) -> Result<(), AwsError> {
        for round in 0..ROUNDS {
            if wanted.is_empty() {
                break;
            }
            pause(round).await;
            let answer = self
                .client
                .batch_get_item()
                .set_request_items(Some(wanted))
                .send()
                .await
                .map_err(failed("BatchGetItem briefing"))?;
            for (table, items) in answer.responses.unwrap_or_default() {
                for item in items {
                    self.file(&table, item, briefing);
                }
            }
            wanted = answer.unprocessed_keys.unwrap_or_default();
        }
        if !wanted.is_empty() {
            return Err(AwsError::busy("BatchGetItem briefing", "throttled"));
        }
        Ok(())
    }

    fn keys<'a>(
        &self,
        messages: impl IntoIterator<Item = &'a Message>,
        consistent: &Consistent,
    ) -> Result<HashMap<String, KeysAndAttributes>, AwsError> {
        let pair = |hash: &str, h: String, range: &str, r: &str| -> Item {
            [(hash.to_owned(), text(h)), (range.to_owned(), text(r))].into()
        };
        let (mut config, mut events, mut deliveries) = (HashSet::new(), HashSet::new(), HashSet::new());
        let mut jobs = HashSet::new();
        for message in messages {
            let partition = tenant_partition(&message.tenant_id);
            config.insert((partition.clone(), TENANT_SORT.to_owned()));
            config.insert((partition.clone(), SLOW_SORT.to_owned()));
            match &message.job_id {
                Some(job) => jobs.insert(job.as_str()),
                None => config.insert((partition, format!("{ENDPOINT_PREFIX}{}", message.endpoint_id))),
            };
            events.insert((message.tenant_id.to_string(), message.event_id.as_str()));
            deliveries.insert((message.endpoint_id.to_string(), message.delivery_id.as_str()));
        }
        let config = config.into_iter().map(|(h, r)| pair("pk", h, "sk", &r)).collect();
        let events = events.into_iter().map(|(h, r)| pair("tenant_id", h, "id", r)).collect();
        let deliveries = deliveries.into_iter().map(|(h, r)| pair("endpoint_id", h, "id", r)).collect();
        let jobs = jobs.into_iter().map(|id| [("id".to_owned(), text(id))].into()).collect();
        let tables = [
            (&self.config, config, consistent.config),
            (&self.events, events, consistent.events),
            (&self.deliveries, deliveries, true),
            (&self.jobs, jobs, true),
        ];
        // BatchGetItem refuses a table without keys.
        tables
            .into_iter()
            .filter(|(_, keys, _): &(_, Vec<Item>, _)| !keys.is_empty())
            .map(|(table, keys, consistent): (&String, Vec<Item>, bool)| {
                let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(consistent).build();
                let keys = keys.map_err(|error| AwsError::new("BatchGetItem briefing", error.to_string()))?;
                Ok((table.clone(), keys))
            })
            .collect()
    }

    fn file(&self, table: &str, item: Item, briefing: &mut Briefing) {
        let last = text_of(&item, "sk").or_else(|| text_of(&item, "id"));
        let key = if last == Some(TENANT_SORT) { text_of(&item, "pk") } else { last };
        let key = key.unwrap_or_default().to_owned();
        if let Err(error) = self.read(table, item, briefing) {
            rows::unreadable(&format!("{table} {key}"), &error);
            briefing.broken.insert(key);
        }
    }

    fn read(&self, table: &str, item: Item, briefing: &mut Briefing) -> Result<(), AwsError> {
        if table == self.deliveries {
            let row: Delivery = from_item(item)?;
            briefing.deliveries.insert(row.id.clone(), row);
        } else if table == self.events {
            let row: Event = from_item(item)?;
            briefing.events.insert(row.id.clone(), row);
        } else if table == self.jobs {
            let row: Job = from_item(item)?;
            briefing.jobs.insert(row.id.clone(), row);
        } else if text_of(&item, "sk") == Some(SLOW_SORT) {
            briefing.slow.extend(read_slow(&item));
        } else if text_of(&item, "sk") == Some(TENANT_SORT) {
            let row: Tenant = from_item(item)?;
            briefing.tenants.insert(row.id.clone(), row);
        } else {
            let row: Endpoint = from_item(item)?;
            briefing.endpoints.insert(row.id.clone(), row);
        }
        Ok(())
    }
}
