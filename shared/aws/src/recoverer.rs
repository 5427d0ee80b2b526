//! Carries recoveries forward, a page at a time: the API begins one, the sweep continues what is not done.
//!
//! A function that messaged itself would trip Lambda's loop detection; the sweep's timer does not. Every step is harmless
//! when repeated: a row that was sent again remembers which recovery did it, so the next look counts it and passes it by.

use std::time::Duration;

use aws_types::SdkConfig;
use futures::stream::{self, StreamExt as _};
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::EndpointStatus;
use postrider_domain::message::Message;
use postrider_domain::recovery::{Progress, Recovery};
use postrider_host::env::BadSetting;
use postrider_host::{clock, deadline, entropy};

use crate::config_table::ConfigTable;
use crate::deliveries_table::DeliveriesTable;
use crate::error::Failure;
use crate::lanes::Lanes;
use crate::{Recorded, rows};

const PAGE: i32 = 200;
const ROUNDS_AT_ONCE: usize = 32;

/// What a page takes at the most. With less left, none is begun.
pub const FOR_A_PAGE: Duration = Duration::from_secs(5);
/// The least that a recovery gets, a page and a moment: of very many, some wait for the next sweep.
const LEAST_SHARE: Duration = Duration::from_secs(6);

/// What was sent again of a page.
struct Sent {
    /// Rounds that have begun, by whoever carries this recovery on.
    requeued: u64,
    /// Why messages were not taken.
    failure: Option<Failure>,
}

/// Carries recoveries forward.
pub struct Recoverer {
    config: ConfigTable,
    deliveries: DeliveriesTable,
    lanes: Lanes,
}

impl Recoverer {
    /// From `CONFIG_TABLE`, `DELIVERIES_TABLE`, `RETRY_QUEUE_URL` and `SLOW_QUEUE_URL`.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::new(ConfigTable::from_env(sdk)?, DeliveriesTable::from_env(sdk)?, Lanes::from_env(sdk)?))
    }

    /// Over these tables, sending to these queues.
    pub fn new(config: ConfigTable, deliveries: DeliveriesTable, lanes: Lanes) -> Self {
        Self { config, deliveries, lanes }
    }

    /// Goes on with every running recovery, each for its share of the time, beginning with any; how many there are.
    ///
    /// # Errors
    /// When one failed, after the others have had their turn; what was noted stands.
    pub async fn continue_all(&self) -> Result<usize, Failure> {
        let mut running = self.config.running_recoveries().await?;
        let (number, mut failure) = (running.len(), None);
        running.rotate_left(begin_at(entropy::bits64(), number));
        for (seen, begun) in running.iter().enumerate() {
            if deadline::left() <= FOR_A_PAGE {
                break;
            }
            let left = u32::try_from(number - seen).unwrap_or(u32::MAX);
            let share = (deadline::left() / left).max(LEAST_SHARE);
            if let Err(error) = deadline::at_most(share, self.resume(begun)).await {
                tracing::error!(recovery_id = begun.id.as_str(), error = %error, "recovery.failed_for_now");
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(number), Err)
    }

    async fn resume(&self, begun: &Recovery) -> Result<(), Failure> {
        match self.config.recovery(&begun.tenant_id, &begun.id).await {
            Ok(Some(recovery)) => self.advance(recovery).await,
            Ok(None) => {
                rows::missing(begun.id.as_str());
                Ok(())
            }
            // Nothing that a sweep does will mend it, so no sweep fails for it.
            Err(error) if error.is_unreadable() => {
                rows::unreadable(begun.id.as_str(), &error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Goes on with one while a caller waits, for so long and a page at the most.
    ///
    /// # Errors
    /// As [`Recoverer::continue_all`].
    pub async fn advance_for(&self, recovery: Recovery, time: Duration) -> Result<(), Failure> {
        deadline::at_most(time + FOR_A_PAGE, self.advance(recovery)).await
    }

    /// Goes on with one, page by page, as long as there is time for one.
    async fn advance(&self, mut recovery: Recovery) -> Result<(), Failure> {
        while recovery.status == Progress::Running && deadline::left() > FOR_A_PAGE {
            let before = recovery.clone();
            if !self.is_wanted(&recovery).await? {
                recovery.status = Progress::Done;
                self.config.note_recovery(&before, &recovery).await?;
                break;
            }
            let page = self.deliveries.list_range(&recovery, PAGE).await?;
            let look = recovery.look(&page.rows, clock::now());
            let sent = self.send_again(&recovery, &look.missed).await?;
            let (found, requeued) = (look.missed.len() as u64, sent.requeued);
            recovery.found += look.requeued_before + found;
            recovery.requeued += look.requeued_before + requeued;
            match page.next {
                Some(last) => recovery.after = Some(last),
                None => recovery.status = Progress::Done,
            }
            // Overtaken, somebody else has counted this page and carries it on.
            let noted = self.config.note_recovery(&before, &recovery).await?;
            if let Some(error) = sent.failure {
                return Err(error);
            }
            if noted == Recorded::Overtaken {
                break;
            }
        }
        Ok(())
    }

    /// Whether the webhook still takes anything: what is sent again to one that is disabled or deleted would only be cancelled,
    /// and could not be recovered after that.
    async fn is_wanted(&self, recovery: &Recovery) -> Result<bool, Failure> {
        match self.config.endpoint_or_tombstone(&recovery.tenant_id, &recovery.endpoint_id).await {
            Ok(Some(endpoint)) => Ok(endpoint.deleted_at.is_none() && endpoint.status == EndpointStatus::Active),
            // Missing is not deleted, and unreadable neither: what is sent again waits for the row as all else does.
            Ok(None) => {
                rows::missing(recovery.endpoint_id.as_str());
                Ok(true)
            }
            Err(error) if error.is_unreadable() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether the webhook counts as slow: one read a page, for what would else be moved aside message by message. It is a hint,
    /// so where it cannot be read, it is not.
    async fn is_slow(&self, recovery: &Recovery) -> bool {
        match self.config.slow_endpoints(&[&recovery.tenant_id]).await {
            Ok(slow) => slow.values().any(|slow| slow.has(&recovery.endpoint_id, clock::now())),
            Err(error) => {
                tracing::warn!(recovery_id = recovery.id.as_str(), error = %error, "recovery.slow_unknown");
                false
            }
        }
    }

    /// Begins a new round of each, and sends the messages. A row that is refused holds up none of the others. Once its round has
    /// begun a row is due, so the sweep brings whatever no message was taken for: it counts as sent again.
    ///
    /// # Errors
    /// When a round could not be begun: the page is to be seen again.
    async fn send_again(&self, recovery: &Recovery, missed: &[&Delivery]) -> Result<Sent, Failure> {
        let now = clock::now();
        let begun = missed.iter().map(|row| async move {
            let after = row.in_new_round(now).recovered_by(&recovery.id);
            let recorded = self.deliveries.begin_round(row, &after, &entropy::mark()).await?;
            Ok::<_, Failure>((recorded, after))
        });
        let begun: Vec<_> = stream::iter(begun).buffer_unordered(ROUNDS_AT_ONCE).collect().await;
        let (mut messages, mut overtaken, mut refused) = (Vec::new(), Vec::new(), None);
        for one in begun {
            match one {
                Ok((Recorded::Yes, after)) => messages.push(Message::next(&after)),
                Ok((Recorded::Overtaken, after)) => overtaken.push(after.id),
                Err(error) => refused = Some(error),
            }
        }
        let (taken, failure) = self.lanes.queue(self.is_slow(recovery).await).send_each(&messages).await;
        if taken < messages.len() {
            let unsent = messages.len() - taken;
            tracing::warn!(recovery_id = recovery.id.as_str(), unsent, "recovery.left_to_the_sweep");
        }
        if let Some(error) = refused {
            return Err(error);
        }
        let by_another = self.deliveries.get_many(overtaken).await?;
        let by_another = by_another.iter().filter(|row| row.recovered_by.as_ref() == Some(&recovery.id)).count();
        Ok(Sent { requeued: (messages.len() + by_another) as u64, failure })
    }
}

/// Which of so many recoveries has the first turn.
fn begin_at(random: u64, number: usize) -> usize {
    usize::try_from(random % number.max(1) as u64).unwrap_or_default()
}
