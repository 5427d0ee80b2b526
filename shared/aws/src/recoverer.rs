//! Carries recoveries forward, a page at a time: the API begins one, the sweep continues what is not done.
//!
//! A function that messaged itself would trip Lambda's loop detection; the sweep's timer does not. Every step is harmless
//! when repeated: a row that was sent again is no longer final, so the next look passes it by.

use aws_types::SdkConfig;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::EndpointStatus;
use postrider_domain::message::Message;
use postrider_domain::recovery::{Again, Progress, Recovery, again};

use crate::config_table::ConfigTable;
use crate::deliveries_table::{DeliveriesTable, Recorded};
use crate::env::BadSetting;
use crate::queue::Queue;
use crate::{AwsError, chance, rows};

const PAGE: i32 = 200;
const ROUNDS_AT_ONCE: usize = 32;

/// Carries recoveries forward.
pub struct Recoverer {
    config: ConfigTable,
    deliveries: DeliveriesTable,
    queue: Queue,
}

impl Recoverer {
    /// From `CONFIG_TABLE`, `DELIVERIES_TABLE` and `RETRY_QUEUE_URL`.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            config: ConfigTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            queue: Queue::retry(sdk)?,
        })
    }

    /// Goes on with every running recovery until then; how many there are.
    ///
    /// # Errors
    /// When one failed, after the others have had their turn; what was noted stands.
    pub async fn continue_all(&self, until: Timestamp) -> Result<usize, AwsError> {
        let running = self.config.running_recoveries().await?;
        let mut failure = None;
        for begun in &running {
            if let Err(error) = self.resume(begun, until).await {
                tracing::error!(recovery_id = begun.id.as_str(), error = %error, "recovery.failed_for_now");
                failure = Some(error);
            }
        }
        failure.map_or(Ok(running.len()), Err)
    }

    async fn resume(&self, begun: &Recovery, until: Timestamp) -> Result<(), AwsError> {
        match self.config.recovery(&begun.tenant_id, &begun.id).await {
            Ok(Some(recovery)) => self.advance(recovery, until).await.map(|_| ()),
            Ok(None) => Ok(()),
            // Nothing that a sweep does will mend it, so no sweep fails for it.
            Err(error) if error.is_unreadable() => {
                rows::unreadable(begun.id.as_str(), &error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Goes on with one, page by page, until then; how far it came.
    ///
    /// # Errors
    /// As [`Recoverer::continue_all`].
    pub async fn advance(&self, mut recovery: Recovery, until: Timestamp) -> Result<Recovery, AwsError> {
        while recovery.status == Progress::Running && chance::now() < until {
            let before = recovery.clone();
            if !self.is_wanted(&recovery).await? {
                recovery.status = Progress::Done;
                self.config.note_recovery(&before, &recovery).await?;
                break;
            }
            let page = self.deliveries.list_range(&recovery, PAGE).await?;
            let (requeued, failure) = self.send_again(&page.rows, &mut recovery.found).await?;
            if let Some(error) = failure {
                // The page is seen again, and passes by what was sent again here.
                self.config.count_requeued(&recovery, requeued).await?;
                return Err(error);
            }
            recovery.requeued += requeued;
            match page.next {
                Some(last) => recovery.after = Some(last),
                None => recovery.status = Progress::Done,
            }
            if self.config.note_recovery(&before, &recovery).await? == Recorded::Overtaken {
                // Somebody else carries it on, and passes by what was sent again here.
                if requeued > 0 {
                    self.config.count_requeued(&recovery, requeued).await?;
                }
                break;
            }
        }
        Ok(recovery)
    }

    /// Whether the webhook still takes anything: what is sent again to one that is disabled or deleted would only be cancelled,
    /// and could not be recovered after that.
    async fn is_wanted(&self, recovery: &Recovery) -> Result<bool, AwsError> {
        match self.config.endpoint_or_tombstone(&recovery.tenant_id, &recovery.endpoint_id).await {
            Ok(Some(endpoint)) => Ok(endpoint.deleted_at.is_none() && endpoint.status == EndpointStatus::Active),
            // Missing is not deleted, and unreadable neither: what is sent again waits for the row as all else does.
            Ok(None) => Ok(true),
            Err(error) if error.is_unreadable() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// How many were sent again, and what failed meanwhile: a row that is refused holds up none of the others.
    async fn send_again(&self, rows: &[Delivery], found: &mut u64) -> Result<(u64, Option<AwsError>), AwsError> {
        let now = chance::now();
        let wanted: Vec<(&Delivery, Again)> = rows.iter().filter_map(|row| Some((row, again(row, now)?))).collect();
        *found += wanted.len() as u64;
        let begun = wanted.into_iter().map(|(row, how)| async move {
            let mark = chance::mark();
            let (begun, message) = match how {
                Again::FirstMessage => (self.deliveries.renew(row, now, &mark).await?, Message::next(row)),
                Again::NewRound => {
                    let after = row.in_new_round(now);
                    (self.deliveries.begin_round(row, &after, &mark).await?, Message::next(&after))
                }
            };
            Ok::<_, AwsError>((begun == Recorded::Yes).then_some(message))
        });
        let begun: Vec<Result<Option<Message>, AwsError>> =
            stream::iter(begun).buffer_unordered(ROUNDS_AT_ONCE).collect().await;
        let (mut messages, mut failure) = (Vec::new(), None);
        for one in begun {
            match one {
                Ok(message) => messages.extend(message),
                Err(error) => failure = Some(error),
            }
        }
        self.queue.send_all(&messages).await?;
        Ok((messages.len() as u64, failure))
    }
}
