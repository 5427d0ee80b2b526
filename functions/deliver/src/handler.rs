//! The batch: every message is on its own, and only those that we failed go back to the queue.

use std::collections::HashSet;
use std::slice::from_ref;
use std::time::Instant;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use futures::future::{join, join_all, join3};
use lambda_runtime::Error;
use postrider_api::invocation::Invocation;
use postrider_api::trigger::{self, NO_BATCH, Trigger, refusal};
use postrider_aws::sdk::SdkConfig;
use postrider_domain::message::Message;
use postrider_domain::rate_limit::LONGEST_DELAY;
use postrider_domain::snapshot::Snapshot;
use postrider_domain::ticket::Ticket;
use postrider_domain::time_share::{Came, Held};
use postrider_host::clock;
use postrider_host::deadline::{self, Waiting};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::attempt::{Attempts, Made};
use crate::batch::Batch;
use crate::limits::{self, Place, Restrained, Sorted};
use crate::records::{Received, parse, read, those_at};
use crate::tally;
use crate::waiting::waited;

/// Takes batches.
pub struct Deliver {
    attempts: Attempts,
}

impl Deliver {
    /// From the settings that the template gives it.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, Error> {
        Ok(Self { attempts: Attempts::from_env(sdk)? })
    }

    /// Answers a queue's batch with those of its messages that are to come again.
    ///
    /// # Errors
    /// When it is handed what looks like a batch and is none.
    pub async fn answer(&self, event: Invocation) -> Result<Value, Error> {
        match Trigger::of(&event.payload) {
            Trigger::Records(batch) => {
                let handled = deadline::within(event.context.deadline, Waiting::Nobody, self.handle(&batch)).await;
                Ok(serde_json::to_value(handled)?)
            }
            Trigger::NoBatch => Err(NO_BATCH.into()),
            Trigger::Http | Trigger::Bus(_) | Trigger::Direct => Ok(refusal("a batch of the queue's messages")),
        }
    }

    async fn handle(&self, batch: &[Box<RawValue>]) -> SqsBatchResponse {
        let mut handed_back = Vec::new();
        let (mut understood, mut scheduled) = (Vec::new(), Vec::new());
        let (mut seen, mut tickets) = (HashSet::new(), Vec::new());
        for record in batch.iter().map(|record| read(record)) {
            if let Some(ticket) = record.body.as_deref().and_then(Ticket::parse) {
                tickets.push((record, ticket));
                continue;
            }
            match parse(&record) {
                // SQS may deliver twice in one batch: once is enough.
                Ok(message) if seen.insert((message.delivery_id.clone(), message.round, message.attempt)) => {
                    let side = if message.scheduled { &mut scheduled } else { &mut understood };
                    side.push((record, message));
                }
                Ok(_) => {}
                Err(why) => {
                    tracing::error!(message_id = record.message_id, why, "deliver.not_understood");
                    handed_back.push(record);
                }
            }
        }
        let work = join3(self.send_on(scheduled), self.attempt_all(understood), self.take_all(tickets));
        let (sent_on, attempts, steps) = work.await;
        handed_back.extend(sent_on.into_iter().chain(attempts).chain(steps));
        trigger::handing_back(handed_back.into_iter().map(|record| record.message_id.unwrap_or_default()))
    }

    /// Sends on what schedules sent; gives back what was not taken. Who dies between that and the acknowledgement leaves a double,
    /// which comes when the visibility ends and is sent on as the first was. Most often that has been attempted by then, and the
    /// double is stale; where the queue is further behind, both wait there, and if two functions have them at once there are two POSTs.
    async fn send_on(&self, records: Vec<Received>) -> Vec<SqsMessage> {
        let (records, messages): (Vec<SqsMessage>, Vec<Message>) = records.into_iter().unzip();
        let left = self.attempts.slow.send_on(&messages).await;
        if let Some(error) = &left.why {
            tracing::error!(error = %error, messages = left.places.len(), "deliver.not_sent_on");
        }
        those_at(&left.places, records)
    }

    /// Attempts them side by side and gives back the records whose messages are to come again.
    async fn attempt_all(&self, records: Vec<Received>) -> Vec<SqsMessage> {
        if records.is_empty() {
            return Vec::new();
        }
        let messages: Vec<Message> = records.iter().map(|(_, message)| message.clone()).collect();
        let seen = match self.attempts.look(&messages).await {
            Ok(seen) => seen,
            Err(error) => {
                tracing::error!(error = %error, messages = messages.len(), "deliver.not_read");
                return records.into_iter().map(|(record, _)| record).collect();
            }
        };
        // A batch is one queue's.
        let from = records.iter().find_map(|(record, _)| record.event_source_arn.clone()).unwrap_or_default();
        let in_the_way = |message: &Message| self.attempts.slow.stands_in_the_way(message, &from, &seen.snapshot);
        let (mut aside, records): (Vec<_>, Vec<_>) = records.into_iter().partition(|(_, message)| in_the_way(message));
        let (batch, slow) = (Batch::new(seen), &self.attempts.slow);
        slow.forget(aside.iter().map(|(_, message)| message.clone()), &from, &batch);
        // What goes back to wait for its turn waited for nobody else, nor holds anybody up.
        let (restrained, mut records) = limits::part(records, &batch.seen.snapshot);
        let came: Vec<Came> = records.iter().map(|(record, message)| came(record, message, &batch)).collect();
        if let Some(holder) = slow.count_waiting(&from, &came, &batch).await {
            aside.extend(records.extract_if(.., |(_, to)| holder.has(&to.tenant_id, &to.endpoint_id)));
        }
        let restrained = self.hold_back(restrained, &from, &batch);
        let (aside, held_back, attempts) =
            join3(self.move_aside(aside), restrained, self.make_all(records, &batch)).await;
        let done = held_back.beside(attempts);
        tally::emit(&done.made);
        slow.count_held(&from, &done.held, &batch).await;
        aside.into_iter().chain(done.handed_back).collect()
    }

    /// Makes the steps that tickets ask for; gives back those that failed.
    async fn take_all(&self, records: Vec<(SqsMessage, Ticket)>) -> Vec<SqsMessage> {
        let each = records.into_iter().map(|(record, ticket)| async move {
            let error = self.take(&ticket).await.err()?;
            let (webhook_id, step) = (ticket.endpoint_id.as_str(), ticket.step);
            tracing::error!(webhook_id, step, error = %error, "deliver.step_failed");
            Some(record)
        });
        join_all(each).await.into_iter().flatten().collect()
    }

    /// Makes a step, and the probe that it asks for. One that is not made for want of time, or since we failed, is not made again: the
    /// next one comes by its own ticket.
    async fn take(&self, ticket: &Ticket) -> Result<(), Error> {
        let Some(message) = self.attempts.parked.take(ticket).await? else { return Ok(()) };
        let made = async {
            let batch = Batch::new(self.attempts.look(from_ref(&message)).await?);
            self.attempts.make(&message, &batch).await
        };
        match made.await {
            Ok(attempt) => tally::emit(&attempt.into_iter().collect::<Vec<_>>()),
            Err(error) => {
                let (delivery_id, attempt) = (message.delivery_id.as_str(), message.attempt);
                tracing::error!(delivery_id, attempt, error = %error, "deliver.not_probed");
            }
        }
        Ok(())
    }

    async fn move_aside(&self, records: Vec<Received>) -> Vec<SqsMessage> {
        let (records, messages): (Vec<SqsMessage>, Vec<Message>) = records.into_iter().unzip();
        let left = self.attempts.slow.move_aside(&messages).await;
        if let Some(error) = &left.why {
            tracing::error!(error = %error, messages = left.places.len(), "deliver.not_moved_aside");
        }
        those_at(&left.places, records)
    }

    /// Attempts those whose turn it is, and sends the others back to wait for theirs.
    async fn hold_back(&self, restrained: Vec<Restrained>, from: &str, batch: &Batch) -> Done {
        let (limits, place) = (&self.attempts.limits, Place { from, snapshot: &batch.seen.snapshot });
        let mut sorted = limits.sort(restrained, place).await;
        self.park_all(&mut sorted, &batch.seen.snapshot).await;
        let (left, mut done) = join(limits.send_back(sorted.later, place), self.make_all(sorted.now, batch)).await;
        done.handed_back.extend(left.into_iter().chain(sorted.handed_back));
        done
    }

    /// Parks those whose turn is further ahead than a queue can hold them back; where another parks them just now, they ask again later.
    async fn park_all(&self, sorted: &mut Sorted, snapshot: &Snapshot) {
        for (record, message) in std::mem::take(&mut sorted.too_far_ahead) {
            let found = snapshot.delivery(&message).and_then(|row| Some((row, snapshot.endpoint_of(row)?)));
            let Some((row, endpoint)) = found else { continue };
            match self.attempts.parked.park_for_limit(row, &endpoint).await {
                Ok(true) => {}
                Ok(false) => sorted.later.push((record, message.with_slot(None), LONGEST_DELAY)),
                Err(error) => {
                    tracing::error!(delivery_id = row.id.as_str(), error = %error, "deliver.not_parked");
                    sorted.handed_back.push(record);
                }
            }
        }
    }

    async fn make_all(&self, records: Vec<Received>, batch: &Batch) -> Done {
        let each = records.into_iter().map(|(record, message)| async move {
            limits::wait_for(message.slot).await;
            let begun = Instant::now();
            let made = self.attempts.make(&message, batch).await;
            let time = begun.elapsed();
            let result = made.map_err(|error| {
                let (delivery_id, attempt) = (message.delivery_id.as_str(), message.attempt);
                tracing::error!(delivery_id, attempt, error = %error, "deliver.handed_back");
                record
            });
            (Held { tenant: message.tenant_id, endpoint: message.endpoint_id, time }, result)
        });
        let mut done = Done::default();
        for (one, result) in join_all(each).await {
            done.held.push(one);
            match result {
                Ok(attempt) => done.made.extend(attempt),
                Err(record) => done.handed_back.push(record),
            }
        }
        done
    }
}

/// What became of a part of a batch.
#[derive(Default)]
struct Done {
    made: Vec<Made>,
    held: Vec<Held>,
    handed_back: Vec<SqsMessage>,
}

impl Done {
    fn beside(mut self, other: Self) -> Self {
        self.made.extend(other.made);
        self.held.extend(other.held);
        self.handed_back.extend(other.handed_back);
        self
    }
}

fn came(record: &SqsMessage, message: &Message, batch: &Batch) -> Came {
    let (tenant, endpoint) = (message.tenant_id.clone(), message.endpoint_id.clone());
    Came { tenant, endpoint, waited: waited(record, message, &batch.seen.snapshot, clock::now()) }
}
