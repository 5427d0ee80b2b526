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
pub(crate) struct Rescued {
    /// Rows that went back to the queue.
    pub(crate) rows: usize,
    /// By how much the longest overdue of them is late.
    pub(crate) oldest_seconds: i64,
    /// Whether it kept still because the queue is behind.
    pub(crate) held_back: bool,
}

impl Overdue {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { deliveries: DeliveriesTable::from_env(sdk)?, queue: Queue::retry(sdk)? })
    }

    /// Sends the overdue rows of every shard back, the longest overdue first; while the queue is behind, only those that
    /// cannot be in it any more.
    pub(crate) async fn rescue(&self, now: Timestamp, until: Timestamp) -> Result<Rescued, AwsError> {
        let cutoff = now - GRACE;
        let mut rescued = Rescued { rows: 0, oldest_seconds: 0, held_back: false };
        if self.queue.waiting().await? > BEHIND {
            rescued.held_back = true;
            for shard in 0..SHARDS {
                let (lost, _) = self.deliveries.overdue(shard, now - LOST, PAGE, None).await?;
                self.bring(&lost, now, &mut rescued).await?;
            }
            return Ok(rescued);
        }
        for shard in 0..SHARDS {
            let mut after = None;
            loop {
                if self.queue.waiting().await? > BACKLOG {
                    return Ok(Rescued { held_back: true, ..rescued });
                }
                if chance::now() >= until {
                    return Ok(rescued);
                }
                let (overdue, next) = self.deliveries.overdue(shard, cutoff, PAGE, after).await?;
                self.bring(&overdue, now, &mut rescued).await?;
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(rescued)
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
