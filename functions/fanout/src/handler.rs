//! The batch of stream records.
//!
//! It is run again from the beginning whenever it fails, so every step is harmless when repeated: rows are put only where
//! there are none, and a message for a row that has gone on is stale. Rows are put before their messages are sent, so a
//! message never comes before its row. A record that can never be fanned out is set aside and holds up nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_lambda_events::dynamodb::{Event as StreamEvent, EventRecord};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use lambda_runtime::Error;
use postrider_aws::bus::Bus;
use postrider_aws::config_table::{ConfigTable, Subscription};
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::env::{self, BadSetting, Retention};
use postrider_aws::letters::Letters;
use postrider_aws::put_once::Put;
use postrider_aws::queue::Queue;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{AwsError, chance, rows};
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::dialect::DialectRef;
use postrider_domain::event::{Event, EventPattern};
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::message::Message;

use crate::record;

/// Rows that are put, and then announced, together.
const CHUNK: usize = 10;
const CHUNKS_AT_ONCE: usize = 16;
const QUERIES_AT_ONCE: usize = 16;

/// What workers hear of a new job.
const JOB_CREATED: &str = "Postrider Job Created";

type Subscribers = HashMap<(TenantId, EventPattern), Vec<Subscription>>;

/// What the fan-out needs.
pub(crate) struct Fanout {
    config: ConfigTable,
    deliveries: DeliveriesTable,
    deliver_queue: Queue,
    retry_queue: Queue,
    quarantine: Letters,
    bus: Bus,
    retention: Retention,
}

impl Fanout {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            config: ConfigTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            deliver_queue: Queue::deliver(sdk)?,
            retry_queue: Queue::retry(sdk)?,
            quarantine: Letters::quarantine(sdk)?,
            bus: Bus::from_env(sdk)?,
            retention: env::retention()?,
        })
    }

    /// Fans a batch out.
    ///
    /// # Errors
    /// When we failed; the stream brings the whole batch again.
    pub(crate) async fn handle(&self, batch: StreamEvent) -> Result<(), Error> {
        let mut events = Vec::new();
        for record in &batch.records {
            match record::event_of(record) {
                Ok(event) => events.push(event),
                Err(reason) => self.set_aside(record, &reason).await?,
            }
        }
        Ok(self.fan_out(&events).await?)
    }

    /// Puts and announces the deliveries of these events.
    ///
    /// # Errors
    /// When we failed; doing it again is harmless.
    pub(crate) async fn fan_out(&self, events: &[Event]) -> Result<(), AwsError> {
        let (announced, sent): (Vec<&Event>, Vec<&Event>) = events.iter().partition(|event| event.announce.is_some());
        let announcements = announced.into_iter().map(|event| self.bus.put(JOB_CREATED, &event.data));
        stream::iter(announcements).buffer_unordered(QUERIES_AT_ONCE).try_collect::<()>().await?;
        let subscribers = self.subscribers(&sent).await?;
        let rows: Vec<Delivery> = sent.into_iter().flat_map(|event| self.matches(event, &subscribers)).collect();
        let deliveries = rows.len();
        let (slow, prompt) = self.apart(rows).await;
        stream::iter(prompt.chunks(CHUNK).map(|rows| (rows, &self.deliver_queue)))
            .chain(stream::iter(slow.chunks(CHUNK).map(|rows| (rows, &self.retry_queue))))
            .map(|(rows, queue)| self.announce(rows, queue))
            .buffer_unordered(CHUNKS_AT_ONCE)
            .try_collect::<()>()
            .await?;
        tracing::info!(events = events.len(), deliveries, slow = slow.len(), "fanout.done");
        Ok(())
    }

    /// The rows of endpoints that count as slow, and the others: what keeps a connection waiting shall not stand among
    /// first attempts. Who is slow is a hint: where it cannot be read, nobody is.
    async fn apart(&self, rows: Vec<Delivery>) -> (Vec<Delivery>, Vec<Delivery>) {
        let tenants: BTreeSet<&TenantId> = rows.iter().map(|row| &row.tenant_id).collect();
        let tenants: Vec<&TenantId> = tenants.into_iter().collect();
        let slow = self.config.slow_endpoints(&tenants).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "fanout.slow_unknown");
            HashMap::new()
        });
        let now = chance::now();
        let is_slow = |row: &Delivery| slow.get(&row.tenant_id).is_some_and(|slow| slow.has(&row.endpoint_id, now));
        rows.into_iter().partition(is_slow)
    }

    /// Who asks for these events: each pattern is looked up once a batch.
    async fn subscribers(&self, events: &[&Event]) -> Result<Subscribers, AwsError> {
        let patterns = |event: &&Event| {
            let tenant = event.tenant_id.clone();
            event.event_type.patterns().into_iter().map(move |pattern| (tenant.clone(), pattern))
        };
        let mut wanted: Vec<_> = events.iter().filter(|event| event.job_id.is_none()).flat_map(patterns).collect();
        wanted.sort();
        wanted.dedup();
        stream::iter(wanted)
            .map(|(tenant, pattern)| async move {
                let found = self.config.subscriptions(&tenant, &pattern).await?;
                Ok(((tenant, pattern), found))
            })
            .buffer_unordered(QUERIES_AT_ONCE)
            .try_collect()
            .await
    }

    /// A fresh row for every endpoint that asked for the event, once however many of its patterns match. A job's event
    /// goes to the job's own URL and to nobody else.
    fn matches(&self, event: &Event, subscribers: &Subscribers) -> Vec<Delivery> {
        let now = chance::now();
        let expires_at = now.as_second() + self.retention.seconds;
        if event.job_id.is_some() {
            return vec![Delivery::pending(event, EndpointId::of_jobs(&event.tenant_id), now, expires_at)];
        }
        let patterns = event.event_type.patterns().into_iter().map(|pattern| (event.tenant_id.clone(), pattern));
        let endpoints: BTreeMap<EndpointId, DialectRef> = patterns
            .filter_map(|key| subscribers.get(&key))
            .flatten()
            .filter(|subscription| subscription.takes(event.timestamp))
            .map(|subscription| (subscription.endpoint_id.clone(), subscription.dialect))
            .collect();
        endpoints
            .into_iter()
            .filter(|(_, dialect)| dialect.catalogue.has(&event.event_type))
            .map(|(endpoint, _)| Delivery::pending(event, endpoint, now, expires_at))
            .collect()
    }

    /// Puts the rows, then sends their messages. A row that was there before is announced again while it is pending, since
    /// the run that put it may have died before it sent the message.
    async fn announce(&self, rows: &[Delivery], queue: &Queue) -> Result<(), AwsError> {
        let puts = self.deliveries.put_pending(rows).await?;
        let messages = rows.iter().zip(puts).filter_map(|(row, put)| match put {
            Put::Existing(existing) if existing.status != Status::Pending => None,
            Put::Unreadable => {
                rows::unreadable(row.id.as_str(), &"a delivery of before");
                None
            }
            Put::New | Put::Existing(_) => Some(Message::new(row, 1)),
        });
        let messages: Vec<Message> = messages.collect();
        if messages.is_empty() { Ok(()) } else { queue.send_all(&messages).await }
    }

    async fn set_aside(&self, record: &EventRecord, reason: &str) -> Result<(), AwsError> {
        tracing::error!(reason, event_id = record.event_id, "fanout.quarantined");
        self.quarantine.set_aside(&record::note(record, reason)).await
    }
}
