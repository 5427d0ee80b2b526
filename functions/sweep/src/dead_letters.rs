//! The dead-letter queue's consumer: what SQS or Scheduler gave up on becomes a recorded internal failure, which costs the
//! endpoint no attempt, and the delivery goes on by its calendar. What is no message of ours goes to quarantine.

use jiff::Timestamp;
use postrider_aws::batch_reader::BatchReader;
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::env::BadSetting;
use postrider_aws::letters::{Letter, Letters, Note};
use postrider_aws::retries::Retries;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{AwsError, chance};
use postrider_domain::attempt::{Attempt, Outcome};
use postrider_domain::delivery::{Delivery, Gate, Transition};
use postrider_domain::message::Message;

/// Sweeps that may fail at one letter before it is set aside; the others go on meanwhile.
const MAX_RECEIVES: u32 = 3;

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

    /// Empties the queue, as far as the time goes; how many letters it saw to.
    pub(crate) async fn record(&self, until: Timestamp) -> Result<usize, AwsError> {
        let mut seen = 0;
        while chance::now() < until {
            let letters = self.queue.receive().await?;
            if letters.is_empty() {
                break;
            }
            for letter in letters {
                if let Err(error) = self.see_to(&letter).await {
                    let (message_id, receives) = (letter.id.as_str(), letter.receives);
                    tracing::error!(message_id, receives, error = %error, "dead_letter.not_recorded");
                    if receives < MAX_RECEIVES {
                        continue;
                    }
                    self.set_aside(&letter, &error.to_string()).await?;
                }
                // Only now, so that a crash leaves it there: recording it twice is ruled out by the row's counter.
                self.queue.delete(&letter).await?;
                seen += 1;
            }
        }
        Ok(seen)
    }

    async fn see_to(&self, letter: &Letter) -> Result<(), AwsError> {
        let message = match Message::parse(&letter.body) {
            Ok(message) => message,
            Err(reason) => {
                return self.set_aside(letter, &reason).await;
            }
        };
        let snapshot = self.reader.read(std::slice::from_ref(&message)).await?;
        let Some(row) = snapshot.delivery(&message) else {
            // A row that is gone has nothing to record; one that cannot be read is not gone.
            return match snapshot.is_broken_for(&message) {
                true => Err(AwsError::new("reading a row", "the delivery's row cannot be read")),
                false => Ok(()),
            };
        };
        let now = chance::now();
        match row.gate(message.attempt, message.round, now) {
            Gate::Stale => Ok(()),
            Gate::Reschedule { attempt, at } => self.retries.bring_back(&Message::new(row, attempt), at, now).await,
            Gate::Attempt => {
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
        match transition.next_attempt_at {
            Some(at) => self.retries.bring_back(&Message::new(row, attempt.number + 1), at, now).await,
            None => Ok(()),
        }
    }
}
