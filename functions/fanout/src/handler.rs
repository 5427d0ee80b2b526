//! The batch of stream records.
//!
//! It is run again from the beginning whenever it fails, so every step is harmless when repeated: rows are put only where
//! there are none, and a message for a row that has gone on is stale. Rows are put before their messages are sent, so a
//! message never comes before its row. A record that can never be fanned out is set aside and holds up nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_lambda_events::dynamodb::EventRecord;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use lambda_runtime::Error;
use postrider_aws::bus::Bus;
use postrider_aws::config_table::{ConfigTable, Subscription};
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::env::{self, BadSetting, Retention};
use postrider_aws::events_table::EventsTable;
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
use serde_json::value::RawValue;

use crate::announced::Announced;
use crate::record::{self, NoEvent};

/// Rows that are put, and then announced, together.
const CHUNK: usize = 10;
const CHUNKS_AT_ONCE: usize = 16;
const QUERIES_AT_ONCE: usize = 16;

/// How much later a row is announced again of which nobody here knows whether it was announced.
const AGAIN: Duration = Duration::from_secs(15);

/// What workers hear of a new job.
const JOB_CREATED: &str = "Postrider Job Created";

type Subscribers = HashMap<(TenantId, EventPattern), Vec<Subscription>>;

/// What the fan-out needs.
pub(crate) struct Fanout {
    config: ConfigTable,
    events: EventsTable,
    deliveries: DeliveriesTable,
    deliver_queue: Queue,
    retry_queue: Queue,
    quarantine: Letters,
    bus: Bus,
    retention: Retention,
    announced: Announced,
}

impl Fanout {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            config: ConfigTable::from_env(sdk)?,
            events: EventsTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            deliver_queue: Queue::deliver(sdk)?,
            retry_queue: Queue::retry(sdk)?,
            quarantine: Letters::quarantine(sdk)?,
            bus: Bus::from_env(sdk)?,
            retention: env::retention()?,
            announced: Announced::default(),
        })
    }

    /// Fans a batch out.
    ///
    /// # Errors
    /// When we failed; the stream brings the whole batch again.
    pub(crate) async fn handle(&self, batch: &[Box<RawValue>]) -> Result<(), Error> {
        let mut events = Vec::new();
        for record in batch {
            let Ok(record) = serde_json::from_str::<EventRecord>(record.get()) else {
                tracing::error!("fanout.no_record");
                self.quarantine.set_aside(&record::note_of_none()).await?;
                continue;
            };
            let (row, written) = (record.change.new_image.clone(), record::written(&record));
            match record::event_of(row, written, self.retention.seconds) {
                Ok(event) => events.push(event),
                Err(no_event) => self.set_aside(&record, &no_event).await?,
            }
        }
        Ok(self.fan_out(&events).await?)
    }

    /// Puts and announces the deliveries of these events. What fails holds up nothing else; all of it comes again, and what was
    /// announced until then is remembered.
    ///
    /// # Errors
    /// When we failed; doing it again is harmless.
    pub(crate) async fn fan_out(&self, events: &[Event]) -> Result<(), AwsError> {
        let (announced, sent): (Vec<&Event>, Vec<&Event>) = events.iter().partition(|event| event.announce.is_some());
        let announcements = announced.into_iter().map(|event| async { (vec![name_of(event)], self.tell(event).await) });
        let told: Vec<_> = stream::iter(announcements).buffer_unordered(QUERIES_AT_ONCE).collect().await;
        let subscribers = self.subscribers(&sent).await?;
        let rows: Vec<Delivery> = sent.into_iter().flat_map(|event| self.matches(event, &subscribers)).collect();
        let deliveries = rows.len();
        let (slow, prompt) = self.apart(rows).await;
        let chunks = stream::iter(prompt.chunks(CHUNK).map(|rows| (rows, &self.deliver_queue)));
        let sent: Vec<_> = chunks
            .chain(stream::iter(slow.chunks(CHUNK).map(|rows| (rows, &self.retry_queue))))
            .map(|(rows, queue)| async move { (rows, self.announce(rows, queue).await) })
            .buffer_unordered(CHUNKS_AT_ONCE)
            .collect()
            .await;
        let sent = sent.into_iter().map(|(rows, result)| (rows.iter().map(|row| row.id.to_string()).collect(), result));
        self.end(told.into_iter().chain(sent).collect())?;
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

    /// What comes of a run: where a part of it failed, the names of the other parts are remembered.
    fn end(&self, parts: Vec<(Vec<String>, Result<(), AwsError>)>) -> Result<(), AwsError> {
        let (done, failed): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(_, result)| result.is_ok());
        match failed.into_iter().find_map(|(_, result)| result.err()) {
            None => Ok(()),
            Some(error) => {
                self.announced.remember(done.into_iter().flat_map(|(names, _)| names));
                Err(error)
            }
        }
    }

    /// Tells workers of a new job, unless a run before this one has.
    async fn tell(&self, event: &Event) -> Result<(), AwsError> {
        if self.announced.has(&name_of(event)) { Ok(()) } else { self.bus.put(JOB_CREATED, &event.data).await }
    }

    /// Puts the rows, then sends their messages. A row that was there before is announced again while it is pending, since
    /// the run that put it may have died before it sent the message: later than a fresh one, so that a message that was sent
    /// after all has been worked on by then and makes the second one stale.
    async fn announce(&self, rows: &[Delivery], queue: &Queue) -> Result<(), AwsError> {
        let puts = self.deliveries.put_pending(rows).await?;
        let (mut fresh, mut again) = (Vec::new(), Vec::new());
        for (row, put) in rows.iter().zip(puts) {
            match put {
                Put::New => fresh.push(Message::new(row, 1)),
                Put::Existing(existing) if existing.status != Status::Pending => {}
                Put::Existing(_) if self.announced.has(row.id.as_str()) => {}
                Put::Existing(_) => again.push(Message::new(row, 1)),
                Put::Unreadable => rows::unreadable(row.id.as_str(), &"a delivery of before"),
            }
        }
        queue.send_all(&fresh).await?;
        queue.send_all_later(&again, AGAIN).await
    }

    async fn set_aside(&self, record: &EventRecord, no_event: &NoEvent) -> Result<(), AwsError> {
        let reason = no_event.reason();
        tracing::error!(reason, event_id = record.event_id, "fanout.quarantined");
        // Whoever asks for the event is told by the row. Should this fail, the note says it all the same, and a row that takes no
        // more attributes must not hold up the others.
        if let NoEvent::AsItWasWritten(event, _) = no_event
            && let Err(error) = self.events.note_refusal(&event.tenant_id, &event.id, Some(&reason)).await
        {
            tracing::warn!(event_id = record.event_id, error = %error, "fanout.refusal_not_noted");
        }
        self.quarantine.set_aside(&record::note(record, &reason)).await
    }
}

/// What an event is remembered by.
fn name_of(event: &Event) -> String {
    format!("{} {}", event.tenant_id, event.id)
}
