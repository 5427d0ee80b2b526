//! The briefing for a batch of attempts: delivery, event, endpoint and tenant rows, each read once, all in one call.

use std::collections::{HashMap, HashSet};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::Event;
use postrider_domain::id::{DeliveryId, EndpointId, EventId, JobId, TenantId};
use postrider_domain::job::Job;
use postrider_domain::message::Message;
use postrider_domain::tenant::Tenant;

use crate::config_table::{ENDPOINT_PREFIX, TENANT_SORT, tenant_partition};
use crate::env::{self, BadSetting};
use crate::error::{AwsError, failed};
use crate::events_table::EventsTable;
use crate::item::{Item, from_item, text, text_of};
use crate::pause::pause;

const ROUNDS: u32 = 6;

/// Reads briefings.
#[derive(Clone)]
pub struct Desk {
    client: Client,
    config: String,
    events: String,
    deliveries: String,
    jobs: String,
    events_table: EventsTable,
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
            events_table: EventsTable::from_env(sdk)?,
        })
    }

    /// Reads everything that these messages (25 at the most) speak of.
    ///
    /// Delivery, endpoint and tenant are read consistently: a webhook that was disabled a moment ago gets nothing. Events
    /// never change, so a plain read at half the price will do, and only one that it misses is asked for again.
    ///
    /// # Errors
    /// When a read failed; no POST was made.
    pub async fn brief(&self, messages: &[Message]) -> Result<Briefing, AwsError> {
        let mut wanted = self.keys(messages)?;
        let mut briefing = Briefing::default();
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
                    self.file(&table, item, &mut briefing);
                }
            }
            wanted = answer.unprocessed_keys.unwrap_or_default();
        }
        if !wanted.is_empty() {
            return Err(AwsError::new("BatchGetItem briefing", "throttled"));
        }
        self.look_again(messages, &mut briefing).await?;
        Ok(briefing)
    }

    fn keys(&self, messages: &[Message]) -> Result<HashMap<String, KeysAndAttributes>, AwsError> {
        let pair = |hash: &str, h: String, range: &str, r: &str| -> Item {
            [(hash.to_owned(), text(h)), (range.to_owned(), text(r))].into()
        };
        let (mut config, mut events, mut deliveries) = (HashSet::new(), HashSet::new(), HashSet::new());
        let jobs: HashSet<&str> =
            messages.iter().filter_map(|message| Some(message.job_id.as_ref()?.as_str())).collect();
        for message in messages {
            let partition = tenant_partition(&message.tenant_id);
            config.insert((partition.clone(), TENANT_SORT.to_owned()));
            if message.job_id.is_none() {
                config.insert((partition, format!("{ENDPOINT_PREFIX}{}", message.endpoint_id)));
            }
            events.insert((message.tenant_id.to_string(), message.event_id.as_str()));
            deliveries.insert((message.endpoint_id.to_string(), message.delivery_id.as_str()));
        }
        let config = config.into_iter().map(|(h, r)| pair("pk", h, "sk", &r)).collect();
        let events = events.into_iter().map(|(h, r)| pair("tenant_id", h, "id", r)).collect();
        let deliveries = deliveries.into_iter().map(|(h, r)| pair("endpoint_id", h, "id", r)).collect();
        let jobs = jobs.into_iter().map(|id| [("id".to_owned(), text(id))].into()).collect();
        let tables = [
            (&self.config, config, true),
            (&self.events, events, false),
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
            tracing::error!(table, key, error = %error, "briefing.unreadable_row");
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
        } else if text_of(&item, "sk") == Some(TENANT_SORT) {
            let row: Tenant = from_item(item)?;
            briefing.tenants.insert(row.id.clone(), row);
        } else {
            let row: Endpoint = from_item(item)?;
            briefing.endpoints.insert(row.id.clone(), row);
        }
        Ok(())
    }

    async fn look_again(&self, messages: &[Message], briefing: &mut Briefing) -> Result<(), AwsError> {
        for message in messages {
            if !briefing.events.contains_key(&message.event_id)
                && !briefing.is_broken_for(message)
                && let Some(event) = self.events_table.get(&message.tenant_id, &message.event_id).await?
            {
                briefing.events.insert(event.id.clone(), event);
            }
        }
        Ok(())
    }
}
