//! The batch of stream records.
//!
//! Each of them stands by itself: one that can never be fanned out is set aside, one that cannot be fanned out now is left in a
//! queue of its own (`unfinished`), and what is too much for the stream's turn in another one, from where it stands. The stream
//! goes on to the others. Only where even that cannot be done does the batch fail, and comes again. So every step is harmless when
//! repeated: rows are put only where there are none, and a message for a row that has gone on is stale. Rows are put before their
//! messages are sent, so a message never comes before its row.

use std::collections::VecDeque;
use std::time::Duration;

use aws_lambda_events::dynamodb::EventRecord;
use futures::future::{join, join4};
use futures::stream::{self, StreamExt as _};
use lambda_runtime::Error;
use postrider_aws::bus::Bus;
use postrider_aws::catalogue::Catalogue;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::events_table::EventsTable;
use postrider_aws::put_once::Put;
use postrider_aws::queue::Queue;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::set_aside::SetAsideQueue;
use postrider_aws::{Failure, rows};
use postrider_domain::announcement::Announcement;
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::event::Event;
use postrider_domain::message::Message;
use postrider_domain::note::Note;
use postrider_domain::slow::SlowByTenant;
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::metrics::{self, Metric};
use postrider_host::traces::Traces;
use postrider_host::{clock, deadline};
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use crate::announced::Announced;
use crate::catalogued::{self, By};
use crate::chunks::{Chunk, Chunks};
use crate::first_pages::FirstPages;
use crate::producers::Producers;
use crate::record::{self, NoEvent};
use crate::spans::Spans;
use crate::stretch::{Left, Outcome, Place, Work};
use crate::to_do::ToDo;
use crate::turn::{self, Turn};
use crate::walk::Walk;

#[cfg(test)]
mod filtered;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod told;
#[cfg(test)]
mod turns;

const CHUNKS_AT_ONCE: usize = 16;
/// Rows that are put or announced at a time, by all that this process does.
const ROWS_AT_ONCE: usize = 320;
const QUERIES_AT_ONCE: usize = 16;

/// Time kept back from a batch's work to leave what it did not get done where it comes again.
pub(crate) const TO_LEAVE: Duration = Duration::from_secs(10);
/// How much later it comes for the first time.
const SOON: Duration = Duration::from_secs(2);

/// How long the rows wait for the hint who is slow.
const FOR_A_HINT: Duration = Duration::from_secs(1);

/// How long the stream's lane may take to judge what producers have put: what is not judged by then comes again by itself.
const FOR_JUDGING: Duration = Duration::from_secs(10);

/// A record, where what came is one.
type Record<'r> = Option<&'r EventRecord>;
/// Events, what is none, and what nobody could judge; each with its record.
type Judged<'r> = (Vec<(Record<'r>, Event)>, Vec<(Record<'r>, NoEvent)>, Vec<(Record<'r>, Failure)>);

/// How much later a row is announced again of which nobody here knows whether it was announced.
const AGAIN: Duration = Duration::from_secs(15);

/// What the fan-out needs.
pub(crate) struct Fanout {
    config: ConfigTable,
    events: EventsTable,
    pub(crate) deliveries: DeliveriesTable,
    deliver_queue: Queue,
    slow_queue: Queue,
    quarantine: SetAsideQueue,
    unfinished: SetAsideQueue,
    continuation: SetAsideQueue,
    bus: Bus,
    retention: Retention,
    announced: Announced,
    at_work: Semaphore,
    producers: Producers,
    pub(crate) catalogue: Catalogue,
    traces: Traces,
}

impl Fanout {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let config = ConfigTable::from_env(sdk)?;
        Ok(Self {
            producers: Producers::new(config.clone()),
            catalogue: Catalogue::from_env(config.clone())?,
            config,
            events: EventsTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            deliver_queue: Queue::deliver(sdk)?,
            slow_queue: Queue::slow(sdk)?,
            quarantine: SetAsideQueue::quarantine(sdk)?,
            unfinished: SetAsideQueue::unfinished(sdk)?,
            continuation: SetAsideQueue::continuation(sdk)?,
            bus: Bus::from_env(sdk)?,
            retention: env::retention()?,
            announced: Announced::default(),
            at_work: Semaphore::new(ROWS_AT_ONCE),
            traces: Traces::from_env()?,
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
        let (good, refused, unjudged) = self.judge_all(good).await;
        poison.extend(refused);
        let works = good.iter().map(|(record, event)| Work::whole(event).written(record.and_then(record::written)));
        let works: Vec<Work<'_>> = works.collect();
        let events: Vec<&Event> = good.iter().map(|(_, event)| event).collect();
        let fanned_out = self.fan_out(&works, Turn::of_stream());
        let work = join4(fanned_out, self.set_aside_all(&poison), self.producers.count(&events), self.list(&events));
        let (left, mut unfinished, (), unlisted) = deadline::but_for(TO_LEAVE, work).await;
        unfinished.extend(unjudged.iter().map(|(record, error)| record::note(*record, &error.to_string())));
        let mut going_on = Vec::new();
        for (((record, _), Left { failed, rest }), unlisted) in good.iter().zip(left).zip(unlisted) {
            let note = |to_do: ToDo, why: &str| to_do.named_in(record::note(*record, why));
            unfinished.extend(unlisted.map(|error| note(ToDo::List, &error.to_string())));
            unfinished.extend(failed.map(|(part, error)| part.named_in(note(ToDo::FanOut, &error.to_string()))));
            going_on.extend(rest.map(|part| {
                let note = note(ToDo::FanOut, record::GOES_ON);
                part.named_in(record::going_on_since(note, clock::now()))
            }));
        }
        if !unfinished.is_empty() {
            tracing::warn!(records = unfinished.len(), of = batch.len(), "fanout.unfinished");
        }
        self.leave(&unfinished, &going_on).await?;
        metrics::count(Metric::TakenEvents, batch.len());
        Ok(())
    }

    /// Leaves what failed to be tried again, and what was not begun to go on. The latter only once the former is taken: what comes
    /// again as a whole must not have set another walk going, or each time makes one more.
    ///
    /// # Errors
    /// When something was not taken; leaving it again is harmless.
    pub(crate) async fn leave(&self, unfinished: &[Note], going_on: &[Note]) -> Result<(), Failure> {
        self.unfinished.put_for_later(unfinished, SOON).await?;
        self.continuation.put_for_later(going_on, Duration::ZERO).await
    }

    /// Holds producers' rows to the catalogue: what it takes, what it does not, and what nobody could judge now.
    async fn judge_all<'r>(&self, events: Vec<(Record<'r>, Event)>) -> Judged<'r> {
        let each = events.into_iter().map(|(record, event)| async move {
            let by = By::ItsTime(record.and_then(record::written));
            (record, catalogued::judged(&self.catalogue, event, by).await)
        });
        let all = stream::iter(each.collect::<Vec<_>>()).buffered(QUERIES_AT_ONCE).collect::<Vec<_>>();
        let (mut good, mut refused, mut unjudged) = (Vec::new(), Vec::new(), Vec::new());
        for (record, judged) in deadline::at_most(FOR_JUDGING, all).await {
            match judged {
                Ok(Ok(event)) => good.push((record, event)),
                Ok(Err(no_event)) => refused.push((record, no_event)),
                Err(failure) => unjudged.push((record, failure)),
            }
        }
        (good, refused, unjudged)
    }

    /// Sets aside what is no event; notes about those records of which even that failed.
    async fn set_aside_all(&self, poison: &[(Option<&EventRecord>, NoEvent)]) -> Vec<Note> {
        let each = poison.iter().map(|(record, no_event)| async move {
            let (reason, event_id) = (no_event.reason(), record.map(|record| record.event_id.as_str()));
            tracing::error!(reason = no_event.logged(), event_id, "fanout.quarantined");
            self.note_refusal(no_event).await;
            let set_aside = self.quarantine.put(&record::note(*record, &reason).amiss(no_event.faults())).await;
            set_aside.err().map(|error| record::note(*record, &error.to_string()))
        });
        stream::iter(each).buffer_unordered(CHUNKS_AT_ONCE).filter_map(std::future::ready).collect().await
    }

    /// Notes in a row what it is refused for where it does not tell itself, so that whoever asks for the event is told. Should this fail,
    /// what is set aside says it all the same, and a row that takes no more attributes must not hold up the others.
    pub(crate) async fn note_refusal(&self, no_event: &NoEvent) {
        let Some(event) = no_event.untold() else { return };
        let why = no_event.reason();
        if let Err(error) = self.events.note_refusal(&event.tenant_id, &event.id, Some(&why)).await {
            tracing::warn!(event_id = event.id.as_str(), error = %error, "fanout.refusal_not_noted");
        }
    }

    /// Does these works as far as the turn goes; what is left of each. What fails or hangs holds up nothing else, and what was
    /// announced in a run that failed is remembered for the next.
    pub(crate) async fn fan_out(&self, works: &[Work<'_>], turn: Turn) -> Vec<Left> {
        let spans = Spans::of(&self.traces, works);
        let (told, (mut done, mut outcomes, [deliveries, slow])) =
            join(self.tell_all(works), self.put_all(works, turn, &spans)).await;
        for (number, event, result) in told {
            match result {
                Ok(()) => done.push(name_of(event)),
                Err(error) => outcomes[number].fail(None, error),
            }
        }
        let failed = outcomes.iter().filter(|outcome| outcome.has_failed()).count();
        let going_on = outcomes.iter().filter(|outcome| outcome.is_to_go_on()).count();
        if failed > 0 {
            self.announced.remember(done);
        }
        spans.end(&self.traces, works, &outcomes);
        tracing::info!(events = works.len(), deliveries, slow, failed, going_on, "fanout.done");
        works.iter().zip(outcomes).map(|(work, outcome)| outcome.left(&work.stretch)).collect()
    }

    /// Puts and announces the deliveries of these works; which are announced, how far each work has come, how many rows
    /// were made and how many of them for slow webhooks.
    async fn put_all(&self, works: &[Work<'_>], turn: Turn, spans: &Spans) -> (Vec<String>, Vec<Outcome>, [usize; 2]) {
        let outcomes = vec![Outcome::default(); works.len()];
        let sent: Vec<&Work<'_>> = works.iter().filter(|work| work.event.announce.is_none()).collect();
        let pages = FirstPages::read(&self.config, &sent).await;
        let walks: Vec<(usize, Walk<'_>)> = (works.iter().enumerate())
            .filter(|(_, work)| work.event.announce.is_none())
            .map(|(number, work)| (number, Walk::new(&self.config, work, &pages)))
            .collect();
        // Walks hold what they need of them.
        drop(pages);
        let slow = self.slow(&walks).await;
        let mut chunks = Chunks::new(in_order(walks), slow, turn, self.retention.seconds, outcomes);
        let (mut done, mut failures) = (Vec::new(), Vec::new());
        {
            let chunks = stream::unfold(&mut chunks, async |chunks| chunks.next().await.map(|chunk| (chunk, chunks)));
            let announced = chunks.map(|chunk| self.announce(chunk, spans)).buffer_unordered(CHUNKS_AT_ONCE);
            let mut announced = std::pin::pin!(announced);
            while let Some(chunk) = announced.next().await {
                for (row, from, result) in chunk {
                    match result {
                        Ok(()) => done.push(row.id.to_string()),
                        Err(error) => failures.push((from, error)),
                    }
                }
            }
        }
        let (deliveries, slow, mut outcomes) = chunks.end();
        for ((work, before), error) in failures {
            outcomes[work].fail(before, error);
        }
        (done, outcomes, [deliveries, slow])
    }

    /// Puts on the bus what belongs there: new jobs for workers, notices for the provider's services. What became of each, with its
    /// number among the works. What goes on behind some webhook was told of when it began; what a run before this one has told is told
    /// already.
    async fn tell_all<'a>(&self, works: &[Work<'a>]) -> Vec<(usize, &'a Event, Result<(), Failure>)> {
        let begun = works.iter().enumerate().filter(|(_, work)| work.stretch.after.is_none());
        let (mut told, mut new, mut announcements) = (Vec::new(), Vec::new(), Vec::new());
        for (number, work) in begun {
            let Some(announcement) = Announcement::of(work.event) else { continue };
            if self.announced.has(&name_of(work.event)) {
                told.push((number, work.event, Ok(())));
            } else {
                new.push((number, work.event));
                announcements.push(announcement);
            }
        }
        let results = self.bus.put_all(&announcements).await;
        told.extend(new.into_iter().zip(results).map(|((number, event), result)| (number, event, result)));
        told
    }

    /// Who is slow: what keeps a connection waiting shall not stand among first attempts. It is a hint: where it cannot be read
    /// at once, nobody is.
    async fn slow(&self, walks: &[(usize, Walk<'_>)]) -> SlowByTenant {
        let found = walks.iter().filter(|(_, walk)| walk.may_find());
        let tenants = found.map(|(_, walk)| &walk.work.event.tenant_id);
        let hint = deadline::at_most(FOR_A_HINT, self.config.slow_endpoints(tenants)).await;
        hint.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "fanout.slow_unknown");
            SlowByTenant::default()
        })
    }

    /// Puts the rows, or looks for them, then sends their messages; what became of each. A row that was there before is announced again while it is
    /// pending, since the run that put it may have died before it sent the message: later than a fresh one, so that a message
    /// that was sent after all has been worked on by then and makes the second one stale.
    async fn announce(&self, chunk: Chunk, spans: &Spans) -> Vec<(Delivery, (usize, Place), Result<(), Failure>)> {
        let Chunk { is_slow, only_if_there, rows, from } = chunk;
        let queue = if is_slow { &self.slow_queue } else { &self.deliver_queue };
        let permits = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        // Nobody closes it.
        let _at_work = self.at_work.acquire_many(permits).await.ok();
        let mut results = Vec::with_capacity(rows.len());
        let (mut fresh, mut again, mut parked) = (Vec::new(), Vec::new(), 0_u32);
        let puts = if only_if_there {
            self.deliveries.find_pending(&rows).await
        } else {
            self.deliveries.put_pending(&rows).await.into_iter().map(|put| put.map(Some)).collect()
        };
        for (place, put) in puts.into_iter().enumerate() {
            results.push(Ok(()));
            let put = match put {
                Ok(Some(put)) => Ok(put),
                // No earlier run has put one.
                Ok(None) => continue,
                Err(error) => Err(error),
            };
            match put {
                // Whoever drains what is parked sends its message.
                Ok(Put::New) if rows[place].is_parked() => parked += 1,
                Ok(Put::New) => fresh.push(place),
                Ok(Put::Existing(existing)) if existing.status != Status::Pending || existing.is_parked() => {}
                Ok(Put::Existing(_)) if self.announced.has(rows[place].id.as_str()) => {}
                Ok(Put::Existing(_)) => again.push(place),
                Ok(Put::Unreadable) => rows::unreadable(rows[place].id.as_str(), &"a delivery of before"),
                Err(error) => results[place] = Err(error),
            }
        }
        if parked > 0 {
            metrics::emit(Metric::ParkedDeliveries, &[], &[f64::from(parked)]);
        }
        let message = |place: &usize| Message::first(&rows[*place]).following(spans.of_work(from[*place].0));
        for (places, delay) in [(fresh, Duration::ZERO), (again, AGAIN)] {
            let messages: Vec<Message> = places.iter().map(message).collect();
            if let Err(error) = queue.send_all_later(&messages, delay).await {
                places.into_iter().for_each(|place| results[place] = Err(error.clone()));
            }
        }
        rows.into_iter().zip(from).zip(results).map(|((row, from), result)| (row, from, result)).collect()
    }
}

/// What is walked first stands first.
fn in_order<'a>(walks: Vec<(usize, Walk<'a>)>) -> VecDeque<(usize, Walk<'a>)> {
    let sizes: Vec<_> = walks.iter().map(|(_, walk)| (&walk.work.event.tenant_id, walk.asking)).collect();
    let order = turn::order(&sizes);
    let mut walks: Vec<_> = walks.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| walks[place].take()).collect()
}

/// What an event is remembered by.
fn name_of(event: &Event) -> String {
    format!("{} {}", event.tenant_id, event.id)
}
