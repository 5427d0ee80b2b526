//! Rows whose time has come without their attempt: a schedule was never made, or was lost, or its message was.

use std::time::Duration;

use jiff::Timestamp;
use postrider_aws::deliveries_table::{DeliveriesTable, SHARDS};
use postrider_aws::env::BadSetting;
use postrider_aws::queue::Queue;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{AwsError, chance};
use postrider_domain::delivery::Delivery;
use postrider_domain::message::Message;

use crate::done::{Failures, Swept};

/// How late a retry may be before the sweep brings it: Scheduler's precision of a minute, and a queue's in-flight time.
const GRACE: Duration = Duration::from_secs(120);
/// More messages than this waiting when a sweep begins, and what is overdue is most likely among them.
const BEHIND: u64 = 50;
/// More waiting messages than this, and the queue is what is late: sending them again would only multiply the backlog.
const BACKLOG: u64 = 1_000;
const PAGE: i32 = 100;
/// So late, a row is brought even while the queue is behind, a page of each shard at a time: the queue may be full of others'
/// messages, such as a slow endpoint's, and this row's was lost long ago.
const LOST: Duration = Duration::from_secs(30 * 60);

/// Rescues overdue rows.
pub(crate) struct Overdue {
    deliveries: DeliveriesTable,
    queue: Queue,
}

/// What a rescue did.
#[derive(Default)]
pub(crate) struct Rescued {
    /// Rows that went back to the queue.
    pub(crate) rows: usize,
    /// By how much the longest overdue of them is late.
    pub(crate) oldest_seconds: i64,
    /// Whether it kept still because the queue is behind.
    pub(crate) held_back: bool,
}

/// Whether a rescue goes on.
#[derive(PartialEq, Eq)]
enum Pace {
    GoOn,
    /// The queue is behind, or the time is over.
    Stop,
}

impl Overdue {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { deliveries: DeliveriesTable::from_env(sdk)?, queue: Queue::retry(sdk)? })
    }

    /// Sends the overdue rows of every shard back, the longest overdue first; while the queue is behind, only those that
    /// cannot be in it any more. It begins at another shard each time and goes past one that fails, so that no shard starves.
    pub(crate) async fn rescue(&self, now: Timestamp, until: Timestamp) -> Swept<Rescued> {
        let (mut rescued, mut failures) = (Rescued::default(), Failures::default());
        // A queue that does not tell how long it is may be long.
        let waiting = self.queue.waiting().await.unwrap_or_else(|error| {
            failures.add(error);
            u64::MAX
        });
        rescued.held_back = waiting > BEHIND;
        for shard in shards_from(chance::bits64()) {
            let result = match rescued.held_back {
                true => self.rescue_lost(shard, now, until, &mut rescued).await,
                false => self.rescue_shard(shard, now, until, &mut rescued).await,
            };
            match result {
                Ok(Pace::GoOn) => {}
                Ok(Pace::Stop) => break,
                Err(error) => {
                    tracing::error!(shard, error = %error, "sweep.shard_failed");
                    failures.add(error);
                }
            }
        }
        failures.beside(rescued)
    }

    async fn rescue_lost(
        &self,
        shard: u8,
        now: Timestamp,
        until: Timestamp,
        rescued: &mut Rescued,
    ) -> Result<Pace, AwsError> {
        if chance::now() >= until {
            return Ok(Pace::Stop);
        }
        let (lost, _) = self.deliveries.overdue(shard, now - LOST, PAGE, None).await?;
        self.bring(&lost, now, rescued).await?;
        Ok(Pace::GoOn)
    }

    async fn rescue_shard(
        &self,
        shard: u8,
        now: Timestamp,
        until: Timestamp,
        rescued: &mut Rescued,
    ) -> Result<Pace, AwsError> {
        let mut after = None;
        loop {
            if self.queue.waiting().await? > BACKLOG {
                rescued.held_back = true;
                return Ok(Pace::Stop);
            }
            if chance::now() >= until {
                return Ok(Pace::Stop);
            }
            let (overdue, next) = self.deliveries.overdue(shard, now - GRACE, PAGE, after).await?;
            self.bring(&overdue, now, rescued).await?;
            after = next;
            if after.is_none() {
                return Ok(Pace::GoOn);
            }
        }
    }

    async fn bring(&self, overdue: &[Delivery], now: Timestamp, rescued: &mut Rescued) -> Result<(), AwsError> {
        let messages: Vec<Message> = overdue.iter().map(Message::next).collect();
        if !messages.is_empty() {
            self.queue.send_all(&messages).await?;
        }
        for row in overdue {
            tracing::warn!(delivery_id = row.id.as_str(), attempt = row.attempts_made + 1, "delivery.rescued");
        }
        let late = |row: &Delivery| row.next_attempt_at.map(|due| now.as_second() - due.as_second());
        rescued.oldest_seconds = overdue.iter().filter_map(late).fold(rescued.oldest_seconds, i64::max);
        rescued.rows += overdue.len();
        Ok(())
    }
}

/// Every shard once, beginning with any.
fn shards_from(random: u64) -> impl Iterator<Item = u8> {
    let first = u8::try_from(random % u64::from(SHARDS)).unwrap_or_default();
    (0..SHARDS).map(move |n| (first + n) % SHARDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_comes_once_and_any_may_come_first() {
        let mut firsts = std::collections::BTreeSet::new();
        for random in 0..u64::from(SHARDS) {
            let mut shards: Vec<u8> = shards_from(u64::MAX - random).collect();
            firsts.insert(shards[0]);
            shards.sort_unstable();
            assert!(shards.into_iter().eq(0..SHARDS));
        }
        assert!(firsts.into_iter().eq(0..SHARDS));
    }
}
