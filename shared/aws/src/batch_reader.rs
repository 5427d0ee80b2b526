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
use postrider_host::env::{self, BadSetting};
use postrider_host::pause::pause;

use crate::config_table::{
    ENDPOINT_PREFIX, SLOW_SORT, TENANT_SORT, read_endpoint, read_slow, read_tenant, tenant_in, tenant_partition,
};
use crate::deliveries_table::read_delivery;
use crate::error::{AwsError, Failure, failed, unwritable};
use crate::item::{Item, from_item, text, text_of};
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

/// What is asked for, by table.
type Keys = HashMap<String, KeysAndAttributes>;

/// That a read failed, and what of it is known to be left.
struct Unread {
    keys: Keys,
    error: Failure,
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
        let [config, events, deliveries, jobs] = ["CONFIG_TABLE", "EVENTS_TABLE", "DELIVERIES_TABLE", "JOBS_TABLE"];
        Ok(Self::of(sdk, [env::var(config)?, env::var(events)?, env::var(deliveries)?, env::var(jobs)?]))
    }

    /// Over the tables of these names: config, events, deliveries and jobs.
    pub fn of(sdk: &SdkConfig, [config, events, deliveries, jobs]: [String; 4]) -> Self {
        Self { client: Client::new(sdk), config, events, deliveries, jobs }
    }

    /// Reads everything that these messages (20 at the most) speak of.
    ///
    /// Deliveries are read consistently, since their counter must be today's. For first attempts the rest is read eventually
    /// consistent, at half the price: events never change, and a webhook that was read a moment late was good a moment ago. But
    /// such a read must not deny anybody his delivery: where it misses a row, or finds an obstacle, all is read again consistently.
    /// For later attempts tenants and endpoints are read consistently at once: minutes have passed since they were good.
    ///
    /// What is throttled of some rows, such as those of one tenant, fails the messages that speak of them, and no other: such a row
    /// is filed as one that cannot be read.
    ///
    /// # Errors
    /// When a read failed as a whole, or that of a single message; no POST was made.
    pub async fn read(&self, messages: &[Message]) -> Result<Snapshot, Failure> {
        let mut snapshot = Snapshot::default();
        let later = messages.iter().any(|message| message.attempt > 1 || message.round.is_some_and(|round| round > 1));
        let keys = self.keys(messages, &Consistent { config: later, events: false })?;
        self.read_for(messages, keys, &mut snapshot).await?;
        let doubtful: Vec<&Message> = messages.iter().filter(|message| snapshot.is_doubtful_for(message)).collect();
        if !doubtful.is_empty() {
            let keys = self.keys(doubtful, &Consistent { config: true, events: true })?;
            self.read_for(messages, keys, &mut snapshot).await?;
        }
        Ok(snapshot)
    }

    async fn read_for(&self, messages: &[Message], keys: Keys, snapshot: &mut Snapshot) -> Result<(), Failure> {
        let Err(Unread { keys, error }) = self.read_all(keys, snapshot).await else { return Ok(()) };
        if messages.len() == 1 || keys.is_empty() {
            return Err(error);
        }
        tracing::warn!(error = %error, "batch.read_in_part");
        for (table, keys) in keys {
            for key in keys.keys {
                self.miss(&table, &key, snapshot);
            }
        }
        Ok(())
    }

    /// Reads everything that a message speaks of, all of it consistently: a moment ago it was read once already.
    ///
    /// # Errors
    /// When a read failed; no POST was made.
    pub async fn read_anew(&self, message: &Message) -> Result<Snapshot, Failure> {
        let mut snapshot = Snapshot::default();
        let read = self.keys([message], &Consistent { config: true, events: false })?;
        self.read_all(read, &mut snapshot).await.map_err(|unread| unread.error)?;
        if snapshot.is_doubtful_for(message) {
            let read = self.keys([message], &Consistent { config: true, events: true })?;
            self.read_all(read, &mut snapshot).await.map_err(|unread| unread.error)?;
        }
        Ok(snapshot)
    }

    async fn read_all(&self, mut wanted: Keys, snapshot: &mut Snapshot) -> Result<(), Unread> {
        for round in 0..ROUNDS {
            if wanted.is_empty() {
                break;
            }
            pause(round).await;
            // Where none of what is left can be read, DynamoDB refuses the whole call.
            let left = if round > 0 { wanted.clone() } else { Keys::new() };
            let call = self.client.batch_get_item().set_request_items(Some(wanted));
            let answer = call.send().await.map_err(failed("BatchGetItem batch"));
            let answer = answer.map_err(|error| Unread { keys: left, error })?;
            for (table, items) in answer.responses.unwrap_or_default() {
                for item in items {
                    self.file(&table, item, snapshot);
                }
            }
            wanted = answer.unprocessed_keys.unwrap_or_default();
        }
        if !wanted.is_empty() {
            return Err(Unread { keys: wanted, error: AwsError::busy("BatchGetItem batch", "throttled") });
        }
        Ok(())
    }

    fn keys<'a>(
        &self,
        messages: impl IntoIterator<Item = &'a Message>,
        consistent: &Consistent,
    ) -> Result<Keys, Failure> {
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
                let keys = keys.map_err(unwritable("a batch's keys"))?;
                Ok((table.clone(), keys))
            })
            .collect()
    }

    /// Files that a row could not be read. Who is slow is a hint: it may be missing.
    fn miss(&self, table: &str, key: &Item, snapshot: &mut Snapshot) {
        if table == self.deliveries {
            miss(id_in(key, "id", ""), &mut snapshot.deliveries);
        } else if table == self.events {
            miss(event_key(key), &mut snapshot.events);
        } else if table == self.jobs {
            miss(id_in(key, "id", ""), &mut snapshot.jobs);
        } else if text_of(key, "sk") == Some(TENANT_SORT) {
            miss(tenant_in(key), &mut snapshot.tenants);
        } else {
            miss(tenant_in(key).zip(id_in(key, "sk", ENDPOINT_PREFIX)), &mut snapshot.endpoints);
        }
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
        Some(TENANT_SORT) => file(tenant, item, read_tenant, &mut snapshot.tenants),
        _ => {
            let place = tenant.zip(id_in(&item, "sk", ENDPOINT_PREFIX));
            file(place, item, read_endpoint, &mut snapshot.endpoints);
        }
    }
}

fn miss<K: Eq + Hash, V>(key: Option<K>, filed: &mut Filed<K, V>) {
    if let Some(key) = key {
        filed.file(key, None);
    }
}

/// Files the row, or that it cannot be read: a producer may have put anything.
fn file<K: Eq + Hash + Debug, V>(
    key: Option<K>,
    item: Item,
    read: impl FnOnce(Item) -> Result<V, Failure>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample, sdk};
    use jiff::Timestamp;
    use postrider_domain::delivery::Delivery;
    use postrider_domain::event::Event;
    use postrider_domain::id::{EndpointId, EventId, TenantId};
    use replay::{Said, Script};
    use serde_json::{Value, json};

    fn message(tenant: u64) -> Message {
        let at = Timestamp::UNIX_EPOCH;
        let event =
            Event { tenant_id: TenantId::new(at, tenant), id: EventId::fresh(u128::from(tenant)), ..sample::event() };
        Message::new(&Delivery::pending(&event, EndpointId::new(at, tenant), at, 0), 1)
    }

    fn key(message: &Message, sort: &str) -> Value {
        json!({"pk": {"S": tenant_partition(&message.tenant_id)}, "sk": {"S": sort}})
    }

    /// Leaves these keys of the config table.
    fn left(keys: &[Value]) -> Said {
        Said::body(json!({"Responses": {}, "UnprocessedKeys": {"config": {"Keys": keys}}}))
    }

    fn reader(script: &Script) -> BatchReader {
        BatchReader::of(&script.sdk(sdk::over), ["config", "events", "deliveries", "jobs"].map(str::to_owned))
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_throttled_fails_the_messages_that_speak_of_it_alone() {
        let (good, bad, other) = (message(1), message(2), message(3));
        let all = [good.clone(), bad.clone(), other.clone()];
        let webhook = key(&bad, &format!("{ENDPOINT_PREFIX}{}", bad.endpoint_id));
        let some = || left(&[webhook.clone(), key(&other, TENANT_SORT), key(&good, SLOW_SORT)]);
        // Left again and again, or refused as a whole as soon as nothing else is asked for.
        let patient: Vec<Said> = (0..ROUNDS).map(|_| some()).collect();
        for answers in [patient, vec![some(), Said::throttled(), Said::throttled(), Said::throttled()]] {
            let snapshot = reader(&Script::new(answers)).read(&all).await.unwrap();
            assert_eq!(all.each_ref().map(|message| snapshot.is_broken_for(message)), [false, true, true]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_message_and_a_call_that_is_refused_at_once_fail() {
        let throttled = || [Said::throttled(), Said::throttled(), Said::throttled()];
        let refused = reader(&Script::new(throttled())).read(&[message(1), message(2)]).await;
        assert!(refused.unwrap_err().is_busy(), "nothing is known of any of them");
        let alone = Script::new((0..ROUNDS).map(|_| left(&[key(&message(1), TENANT_SORT)])));
        assert!(reader(&alone).read(&[message(1)]).await.unwrap_err().is_busy(), "busy is not unreadable");
    }
}
