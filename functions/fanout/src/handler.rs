//! The batch of stream records.
//!
//! Each of them stands by itself: one that can never be fanned out is set aside, one that cannot be fanned out now is left in a
//! queue of its own (`unfinished`), and the stream goes on to the others. Only where even that cannot be done does the batch
//! fail, and comes again. So every step is harmless when repeated: rows are put only where there are none, and a message for a
//! row that has gone on is stale. Rows are put before their messages are sent, so a message never comes before its row.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_lambda_events::dynamodb::EventRecord;
use futures::future::join3;
use futures::stream::{self, StreamExt as _};
use lambda_runtime::Error;
use postrider_aws::bus::Bus;
use postrider_aws::config_table::{ConfigTable, Subscription};
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::events_table::EventsTable;
use postrider_aws::put_once::Put;
use postrider_aws::queue::Queue;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::set_aside::SetAsideQueue;
use postrider_aws::{Failure, rows};
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::detail_type::DetailType;
use postrider_domain::event::{Event, EventPattern};
use postrider_domain::id::{EndpointId, EventKey, TenantId};
use postrider_domain::message::Message;
use postrider_domain::note::Note;
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::{clock, deadline};
use serde_json::value::RawValue;

use crate::announced::Announced;
use crate::producers::Producers;
use crate::record::{self, NoEvent};

#[cfg(test)]
pub(crate) mod tests;

/// Rows that are put, and then announced, together.
const CHUNK: usize = 10;
const CHUNKS_AT_ONCE: usize = 16;
const QUERIES_AT_ONCE: usize = 16;

/// Time kept back from a batch's work to leave what it did not get done where it comes again.
pub(crate) const TO_LEAVE: Duration = Duration::from_secs(10);
/// How much later it comes for the first time.
const SOON: Duration = Duration::from_secs(2);

/// How much later a row is announced again of which nobody here knows whether it was announced.
const AGAIN: Duration = Duration::from_secs(15);

type Subscribers = HashMap<(TenantId, EventPattern), Result<Vec<Subscription>, Failure>>;

/// Events that were not done with, and why.
type Failed = HashMap<EventKey, Failure>;

/// What the fan-out needs.
pub(crate) struct Fanout {
    config: ConfigTable,
    events: EventsTable,
    deliveries: DeliveriesTable,
    deliver_queue: Queue,
    slow_queue: Queue,
    quarantine: SetAsideQueue,
    unfinished: SetAsideQueue,
    bus: Bus,
    retention: Retention,
    announced: Announced,
    producers: Producers,
}

impl Fanout {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let config = ConfigTable::from_env(sdk)?;
        Ok(Self {
            producers: Producers::new(config.clone()),
            config,
            events: EventsTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            deliver_queue: Queue::deliver(sdk)?,
            slow_queue: Queue::slow(sdk)?,
            quarantine: SetAsideQueue::quarantine(sdk)?,
            unfinished: SetAsideQueue::unfinished(sdk)?,
            bus: Bus::from_env(sdk)?,
            retention: env::retention()?,
            announced: Announced::default(),
        })
    }

    /// Fans a batch out.
    ///
    /// # Errors
    /// When something of it could neither be done nor left for later; the stream brings the whole batch again.
    pub(crate) async fn handle(&self, batch: &[Box<RawValue>]) -> Result<(), Error> {
        let records: Vec<Option<EventRecord>> = batch.iter().map(|raw| serde_json::from_str(raw.get()).ok()).collect();
        let (mut good, mut poison) = (Vec::new(), Vec::new());
        for record in &records {
            let event = record.as_ref().map_or(Err(NoEvent::NoRecord), |record| {
                record::event_of(record.change.new_image.clone(), record::written(record), self.retention.seconds)
            });
            match event {
                Ok(event) => good.push((record.as_ref(), event)),
                Err(no_event) => poison.push((record.as_ref(), no_event)),
            }
        }
        let events: Vec<&Event> = good.iter().map(|(_, event)| event).collect();
        let work = join3(self.fan_out_each(&events), self.set_aside_all(&poison), self.producers.count(&events));
        let (failed, mut left, ()) = deadline::but_for(TO_LEAVE, work).await;
        let unfinished = good.iter().filter_map(|(record, event)| Some((*record, failed.get(&key_of(event))?)));
        left.extend(unfinished.map(|(record, error)| record::note(record, &error.to_string())));
        if !left.is_empty() {
            tracing::warn!(records = left.len(), of = batch.len(), "fanout.unfinished");
        }
        Ok(self.unfinished.put_for_later(&left, SOON).await?)
    }

    /// Sets aside what is no event; notes about those records of which even that failed.
    async fn set_aside_all(&self, poison: &[(Option<&EventRecord>, NoEvent)]) -> Vec<Note> {
        let each = poison.iter().map(|(record, no_event)| async move {
            let (reason, event_id) = (no_event.reason(), record.map(|record| record.event_id.as_str()));
            tracing::error!(reason, event_id, "fanout.quarantined");
            self.note_refusal(no_event).await;
            let set_aside = self.quarantine.put(&record::note(*record, &reason)).await;
            set_aside.err().map(|error| record::note(*record, &error.to_string()))
        });
        stream::iter(each).buffer_unordered(CHUNKS_AT_ONCE).filter_map(std::future::ready).collect().await
    }

    /// Notes in a row what its times are refused for, so that whoever asks for the event is told. Should this fail, what is set aside
    /// says it all the same, and a row that takes no more attributes must not hold up the others.
    pub(crate) async fn note_refusal(&self, no_event: &NoEvent) {
        let NoEvent::AsItWasWritten(event, invalid) = no_event else { return };
        let why = invalid.to_string();
        if let Err(error) = self.events.note_refusal(&event.tenant_id, &event.id, Some(&why)).await {
            tracing::warn!(event_id = event.id.as_str(), error = %error, "fanout.refusal_not_noted");
        }
    }

    /// Puts and announces the deliveries of these events.
    ///
    /// # Errors
    /// When we failed at one of them; doing it again is harmless.
    pub(crate) async fn fan_out(&self, events: &[Event]) -> Result<(), Failure> {
        let failed = self.fan_out_each(&events.iter().collect::<Vec<_>>()).await;
        failed.into_values().next().map_or(Ok(()), Err)
    }

    /// The same; those that were not done with. What fails holds up nothing else, and what was announced in a run that failed is
    /// remembered for the next.
    async fn fan_out_each(&self, events: &[&Event]) -> Failed {
        let (announced, sent): (Vec<&Event>, Vec<&Event>) = events.iter().partition(|event| event.announce.is_some());
        let (mut failed, mut done) = (Failed::new(), Vec::new());
        let announcements = announced.into_iter().map(|event| async move { (event, self.tell(event).await) });
        let mut told = stream::iter(announcements).buffer_unordered(QUERIES_AT_ONCE);
        while let Some((event, result)) = told.next().await {
            match result {
                Ok(()) => done.push(name_of(event)),
                Err(error) => _ = failed.insert(key_of(event), error),
            }
        }
        let subscribers = self.subscribers(&sent).await;
        let (mut rows, mut deliveries) = (Vec::new(), 0_usize);
        for event in sent {
            // Those that were found are sent to: the rerun finds their rows.
            let (found, error) = self.matches(event, &subscribers);
            failed.extend(error.map(|error| (key_of(event), error)));
            deliveries += found.len();
            rows.extend(found);
        }
        let (slow, prompt) = self.apart(rows).await;
        let chunks = stream::iter(prompt.chunks(CHUNK).map(|rows| (rows, &self.deliver_queue)));
        let mut sent = chunks
            .chain(stream::iter(slow.chunks(CHUNK).map(|rows| (rows, &self.slow_queue))))
            .map(|(rows, queue)| self.announce(rows, queue))
            .buffer_unordered(CHUNKS_AT_ONCE);
        while let Some(chunk) = sent.next().await {
            for (row, result) in chunk {
                match result {
                    Ok(()) => done.push(row.id.to_string()),
                    Err(error) => _ = failed.insert(event_of(row), error),
                }
            }
        }
        if !failed.is_empty() {
            self.announced.remember(done);
        }
        tracing::info!(events = events.len(), deliveries, slow = slow.len(), failed = failed.len(), "fanout.done");
        failed
    }

    /// The rows of endpoints that count as slow, and the others: what keeps a connection waiting shall not stand among
    /// others' attempts. Who is slow is a hint: where it cannot be read, nobody is.
    async fn apart(&self, rows: Vec<Delivery>) -> (Vec<Delivery>, Vec<Delivery>) {
        let tenants: BTreeSet<&TenantId> = rows.iter().map(|row| &row.tenant_id).collect();
        let tenants: Vec<&TenantId> = tenants.into_iter().collect();
        let slow = self.config.slow_endpoints(&tenants).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "fanout.slow_unknown");
            HashMap::new()
        });
        let now = clock::now();
        let is_slow = |row: &Delivery| slow.get(&row.tenant_id).is_some_and(|slow| slow.has(&row.endpoint_id, now));
        rows.into_iter().partition(is_slow)
    }

    /// Who asks for these events: each pattern is looked up once a batch.
    async fn subscribers(&self, events: &[&Event]) -> Subscribers {
        let patterns = |event: &&Event| {
            let tenant = event.tenant_id.clone();
            event.event_type.patterns().into_iter().map(move |pattern| (tenant.clone(), pattern))
        };
        let mut wanted: Vec<_> = events.iter().filter(|event| event.job_id.is_none()).flat_map(patterns).collect();
        wanted.sort();
        wanted.dedup();
        stream::iter(wanted)
            .map(|(tenant, pattern)| async move {
                let found = self.config.subscriptions(&tenant, &pattern).await;
                ((tenant, pattern), found)
            })
            .buffer_unordered(QUERIES_AT_ONCE)
            .collect()
            .await
    }

    /// A fresh row for every endpoint that asked for the event, once however many of its patterns match; and why those are not
    /// all, if so. A job's event goes to the job's own URL and to nobody else.
    fn matches(&self, event: &Event, subscribers: &Subscribers) -> (Vec<Delivery>, Option<Failure>) {
        let now = clock::now();
        let expires_at = now.as_second() + self.retention.seconds;
        if event.job_id.is_some() {
            let endpoint = EndpointId::of_jobs(&event.tenant_id);
            return (vec![Delivery::pending(event, endpoint, now, expires_at)], None);
        }
        let (mut endpoints, mut unknown) = (BTreeSet::new(), None);
        for pattern in event.event_type.patterns() {
            match subscribers.get(&(event.tenant_id.clone(), pattern)) {
                Some(Ok(found)) => {
                    endpoints.extend(found.iter().filter(|one| one.takes(event)).map(|one| &one.endpoint_id));
                }
                Some(Err(error)) => unknown = Some(error.clone()),
                None => {}
            }
        }
        let row = |endpoint: &EndpointId| Delivery::pending(event, endpoint.clone(), now, expires_at);
        (endpoints.into_iter().map(row).collect(), unknown)
    }

    /// Tells workers of a new job, unless a run before this one has.
    async fn tell(&self, event: &Event) -> Result<(), Failure> {
        if self.announced.has(&name_of(event)) {
            Ok(())
        } else {
            self.bus.put(DetailType::JobCreated, &event.data).await
        }
    }

    /// Puts the rows, then sends their messages; what became of each. A row that was there before is announced again while it is
    /// pending, since the run that put it may have died before it sent the message: later than a fresh one, so that a message
    /// that was sent after all has been worked on by then and makes the second one stale.
    async fn announce<'a>(&self, rows: &'a [Delivery], queue: &Queue) -> Vec<(&'a Delivery, Result<(), Failure>)> {
        let (mut fresh, mut again, mut done) = (Vec::new(), Vec::new(), Vec::new());
        for (row, put) in rows.iter().zip(self.deliveries.put_pending(rows).await) {
            match put {
                Ok(Put::New) => fresh.push(row),
                Ok(Put::Existing(existing)) if existing.status != Status::Pending => done.push((row, Ok(()))),
                Ok(Put::Existing(_)) if self.announced.has(row.id.as_str()) => done.push((row, Ok(()))),
                Ok(Put::Existing(_)) => again.push(row),
                Ok(Put::Unreadable) => {
                    rows::unreadable(row.id.as_str(), &"a delivery of before");
                    done.push((row, Ok(())));
                }
                Err(error) => done.push((row, Err(error))),
            }
        }
        for (rows, delay) in [(fresh, Duration::ZERO), (again, AGAIN)] {
            let messages: Vec<Message> = rows.iter().map(|row| Message::new(row, 1)).collect();
            let sent = queue.send_all_later(&messages, delay).await;
            done.extend(rows.into_iter().map(|row| (row, sent.clone())));
        }
        done
    }
}

fn key_of(event: &Event) -> EventKey {
    EventKey { tenant_id: event.tenant_id.clone(), id: event.id.clone() }
}

/// The event that a row delivers.
fn event_of(row: &Delivery) -> EventKey {
    EventKey { tenant_id: row.tenant_id.clone(), id: row.event_id.clone() }
}

/// What an event is remembered by.
fn name_of(event: &Event) -> String {
    format!("{} {}", event.tenant_id, event.id)
}
