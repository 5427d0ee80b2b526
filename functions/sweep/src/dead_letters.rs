//! The dead-letter queue's consumer: what SQS or Scheduler gave up on becomes a recorded internal failure, which costs the
//! endpoint no attempt, and the delivery goes on by its calendar. What nobody can read goes to quarantine. What AWS refuses
//! us now stays where it is, for fourteen days: how often it was received says nothing, since a letter brings its count
//! along from the queue that gave it up.

use std::collections::HashSet;

use jiff::Timestamp;
use postrider_aws::batch_reader::BatchReader;
use postrider_aws::deliveries_table::{DeliveriesTable, Recorded};
use postrider_aws::env::BadSetting;
use postrider_aws::letters::{Letter, Letters, Note};
use postrider_aws::retries::Retries;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{AwsError, chance};
use postrider_domain::attempt::{Attempt, Outcome};
use postrider_domain::delivery::{Delivery, Gate, Transition};
use postrider_domain::message::Message;
use postrider_domain::snapshot::{Snapshot, Verdict};

use crate::done::{Failures, Swept};

/// Records dead letters.
pub(crate) struct DeadLetters {
    queue: Letters,
    reader: BatchReader,
    deliveries: DeliveriesTable,
    retries: Retries,
    quarantine: Letters,
}

impl DeadLetters {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            queue: Letters::dead(sdk)?,
            reader: BatchReader::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            retries: Retries::from_env(sdk)?,
            quarantine: Letters::quarantine(sdk)?,
        })
    }

    /// Sees to every letter once, as far as the time goes; how many left the queue. One that fails holds up no other.
    pub(crate) async fn record(&self, until: Timestamp) -> Swept<usize> {
        let (mut seen, mut met, mut failures) = (0, HashSet::new(), Failures::default());
        let mut left = Vec::new();
        while chance::now() < until {
            let letters = match self.queue.receive().await {
                Ok(letters) => letters,
                Err(error) => {
                    failures.add(error);
                    break;
                }
            };
            let letters: Vec<Letter> = letters.into_iter().filter(|letter| met.insert(letter.id.clone())).collect();
            // None, or only such as have come around again.
            if letters.is_empty() {
                break;
            }
            seen += self.see_to_all(letters, &mut left, &mut failures).await;
        }
        // Only now, or they would come around in this sweep, before others.
        if let Err(error) = self.queue.release(&left).await {
            failures.add(error);
        }
        failures.beside(seen)
    }

    async fn see_to_all(&self, letters: Vec<Letter>, left: &mut Vec<Letter>, failures: &mut Failures) -> usize {
        let mut seen = 0;
        for letter in letters {
            let done = match self.see_to(&letter).await {
                // Only now, so that a crash leaves it there: recording it twice is ruled out by the row's counter.
                Ok(()) => self.queue.delete(&letter).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(()) => seen += 1,
                Err(error) => {
                    tracing::error!(message_id = letter.id, error = %error, "dead_letter.not_recorded");
                    failures.add(error);
                    left.push(letter);
                }
            }
        }
        seen
    }

    async fn see_to(&self, letter: &Letter) -> Result<(), AwsError> {
        let message = match Message::parse(&letter.body) {
            Ok(message) => message,
            Err(reason) => return self.set_aside(letter, &reason).await,
        };
        let snapshot = self.reader.read(std::slice::from_ref(&message)).await?;
        if snapshot.is_broken_for(&message) {
            return self.set_aside(letter, "a row of it cannot be read").await;
        }
        match snapshot.delivery(&message) {
            Some(row) => self.go_on(row, &message, &snapshot).await,
            // A row that is gone has nothing to record.
            None => Ok(()),
        }
    }

    async fn go_on(&self, row: &Delivery, message: &Message, snapshot: &Snapshot) -> Result<(), AwsError> {
        let now = chance::now();
        match row.gate(message.attempt, message.round, now) {
            Gate::Stale => Ok(()),
            Gate::Reschedule { attempt, at } => self.retries.bring_back(&Message::new(row, attempt), at, now).await,
            Gate::Attempt => {
                if snapshot.verdict(message, row) == Verdict::Missing {
                    // It would fail again; here it waits until the row is put back.
                    return Err(AwsError::new("reading a row", "the delivery's webhook, tenant or job is missing"));
                }
                let policy = snapshot.endpoint_of(row).map(|endpoint| endpoint.retry_policy());
                let policy = policy.unwrap_or_else(|| postrider_domain::dialect::STANDARD.retry.clone());
                let transition = row.after(&policy, &Outcome::Internal, now, chance::jitter());
                self.record_internal(row, &transition, now).await
            }
        }
    }

    async fn set_aside(&self, letter: &Letter, reason: &str) -> Result<(), AwsError> {
        tracing::error!(reason, "dead_letter.quarantined");
        let note = Note::new("dead letters").because(reason).holding("body", &letter.body);
        self.quarantine.set_aside(&note).await
    }

    async fn record_internal(&self, row: &Delivery, transition: &Transition, now: Timestamp) -> Result<(), AwsError> {
        let why = "Postrider failed to make this attempt; it costs the endpoint none of its own";
        let attempt = Attempt::internal(row.attempts_made + 1, chance::mark(), now, why);
        let recorded = self.deliveries.record(row, &attempt, transition).await?;
        tracing::error!(
            delivery_id = row.id.as_str(),
            attempt = attempt.number,
            ?recorded,
            "delivery.failed_internally"
        );
        // Overtaken, the row has gone on: its own next attempt has this one's name, and must not find it taken.
        match transition.next_attempt_at.filter(|_| recorded == Recorded::Yes) {
            Some(at) => self.retries.bring_back(&Message::new(row, attempt.number + 1), at, now).await,
            None => Ok(()),
        }
    }
}
