//! Reads what a batch of attempts needs: delivery, event, endpoint and tenant rows, each once, all in one call.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::hash::Hash;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use aws_types::SdkConfig;
use postrider_domain::id::EventKey;
use postrider_domain::message::Message;
use postrider_domain::snapshot::{Filed, Snapshot};

use crate::config_table::{
    ENDPOINT_PREFIX, SLOW_SORT, TENANT_SORT, read_endpoint, read_slow, tenant_in, tenant_partition,
};
use crate::deliveries_table::read_delivery;
use crate::env::{self, BadSetting};
use crate::error::{AwsError, failed};
use crate::item::{Item, from_item, text, text_of};
use crate::pause::pause;
use crate::rows::{self, id_in};

const ROUNDS: u32 = 6;

/// Reads snapshots.
#[derive(Clone)]
pub struct BatchReader {
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

impl BatchReader {
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
    pub async fn read(&self, messages: &[Message]) -> Result<Snapshot, AwsError> {
        let mut snapshot = Snapshot::default();
        let later = messages.iter().any(|message| message.attempt > 1 || message.round.is_some_and(|round| round > 1));
        self.read_all(self.keys(messages, &Consistent { config: later, events: false })?, &mut snapshot).await?;
        let doubtful: Vec<&Message> = messages.iter().filter(|message| snapshot.is_doubtful_for(message)).collect();
        if !doubtful.is_empty() {
            let keys = self.keys(doubtful, &Consistent { config: true, events: true })?;
            self.read_all(keys, &mut snapshot).await?;
        }
        Ok(snapshot)
    }

    /// Reads everything that a message speaks of, all of it consistently: a moment ago it was read once already.
    ///
    /// # Errors
    /// When a read failed; no POST was made.
    pub async fn read_anew(&self, message: &Message) -> Result<Snapshot, AwsError> {
        let mut snapshot = Snapshot::default();
        self.read_all(self.keys([message], &Consistent { config: true, events: false })?, &mut snapshot).await?;
        if snapshot.is_doubtful_for(message) {
            self.read_all(self.keys([message], &Consistent { config: true, events: true })?, &mut snapshot).await?;
        }
        Ok(snapshot)
    }

    async fn read_all(
        &self,
        mut wanted: HashMap<String, KeysAndAttributes>,
        snapshot: &mut Snapshot,
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
                .map_err(failed("BatchGetItem batch"))?;
            for (table, items) in answer.responses.unwrap_or_default() {
                for item in items {
                    self.file(&table, item, snapshot);
                }
            }
            wanted = answer.unprocessed_keys.unwrap_or_default();
        }
        if !wanted.is_empty() {
            return Err(AwsError::busy("BatchGetItem batch", "throttled"));
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
        let (mut config, mut events, mut deliveries) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut jobs = BTreeSet::new();
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
                let keys = keys.map_err(|error| AwsError::new("BatchGetItem batch", error.to_string()))?;
                Ok((table.clone(), keys))
            })
            .collect()
    }

    /// Files a row under the key that it lies under.
    fn file(&self, table: &str, item: Item, snapshot: &mut Snapshot) {
        if table == self.deliveries {
            file(id_in(&item, "id", ""), item, read_delivery, &mut snapshot.deliveries);
        } else if table == self.events {
            file(event_key(&item), item, from_item, &mut snapshot.events);
        } else if table == self.jobs {
            file(id_in(&item, "id", ""), item, from_item, &mut snapshot.jobs);
        } else {
            file_config(item, snapshot);
        }
    }
}

fn file_config(item: Item, snapshot: &mut Snapshot) {
    let tenant = tenant_in(&item);
    match text_of(&item, "sk") {
        Some(SLOW_SORT) => snapshot.slow.extend(read_slow(&item)),
        Some(TENANT_SORT) => file(tenant, item, from_item, &mut snapshot.tenants),
        _ => {
            let place = tenant.zip(id_in(&item, "sk", ENDPOINT_PREFIX));
            file(place, item, read_endpoint, &mut snapshot.endpoints);
        }
    }
}

/// Files the row, or that it cannot be read: a producer may have put anything.
fn file<K: Eq + Hash + Debug, V>(
    key: Option<K>,
    item: Item,
    read: impl FnOnce(Item) -> Result<V, AwsError>,
    filed: &mut Filed<K, V>,
) {
    // Ids made every key that was asked for.
    let Some(key) = key else { return rows::unreadable(&rows::key_of(&item), &"its key holds no id") };
    let row = read(item).inspect_err(|error| rows::unreadable(&format!("{key:?}"), error)).ok();
    filed.file(key, row);
}

fn event_key(item: &Item) -> Option<EventKey> {
    Some(EventKey { tenant_id: id_in(item, "tenant_id", "")?, id: id_in(item, "id", "")? })
}
