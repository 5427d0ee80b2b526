//! Carries recoveries and cancellations forward, a page at a time: the API begins one, the sweep continues what is not done.
//!
//! A sweep serves them in turn, a page each, until its time is over, and the next one begins behind the last that had its turn. So
//! however much somebody recovers, nobody waits for more than a page of each of the others'.
//!
//! A function that messaged itself would trip Lambda's loop detection; the sweep's timer does not. Every step is harmless
//! when repeated: a row that was sent again remembers which recovery did it, so the next look counts it and passes it by.

use std::collections::VecDeque;
use std::time::Duration;

use aws_types::SdkConfig;
use futures::stream::{self, StreamExt as _};
use postrider_domain::cancellation::Cancellation;
use postrider_domain::endpoint::parking::State;
use postrider_domain::endpoint::{Endpoint, EndpointStatus};
use postrider_domain::message::Message;
use postrider_domain::recovery::{Look, Progress, Recovery};
use postrider_domain::tenant::TenantStatus;
use postrider_host::env::BadSetting;
use postrider_host::{clock, deadline, entropy};
use tokio::time::Instant;

use crate::config_table::{ConfigTable, Standing};
use crate::deliveries_table::DeliveriesTable;
use crate::error::Failure;
use crate::events_table::EventsTable;
use crate::lanes::Lanes;
use crate::{Recorded, rows};

mod cancelling;
mod counting;
mod unmatched;

pub use counting::{Count, MOST_COUNTED};

const PAGE: i32 = 200;
const ROUNDS_AT_ONCE: usize = 32;

/// What a page takes at the most. With less left, none is begun, and what takes longer is cut off.
pub const FOR_A_PAGE: Duration = Duration::from_secs(5);

/// Pages of a turn in which nothing is found: most of what a webhook has been sent may have ended, or not be asked for.
const PAGES_PAST: usize = 10;
/// How long a turn goes past such pages. What has been read then is noted, or a table that is slow would have each turn cut off and begin
/// where it did.
const PASSING: Duration = Duration::from_secs(1);

/// Where a recovery sends.
enum Aim {
    /// To this webhook.
    Webhook(Box<Endpoint>),
    /// To one whose row is missing, or cannot be read: what is sent again waits for the row as all else does.
    Unknown,
    /// To jobs' own URLs.
    Jobs,
}

impl Aim {
    /// Whether only probes are sent there.
    fn is_down(&self) -> bool {
        match self {
            Self::Webhook(endpoint) => endpoint.parking.as_ref().is_some_and(|parking| parking.state == State::Down),
            Self::Unknown | Self::Jobs => false,
        }
    }
}

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
    events: EventsTable,
    lanes: Lanes,
}

impl Recoverer {
    /// From `CONFIG_TABLE`, `DELIVERIES_TABLE`, `EVENTS_TABLE`, `RETRY_QUEUE_URL` and `SLOW_QUEUE_URL`.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let (config, deliveries) = (ConfigTable::from_env(sdk)?, DeliveriesTable::from_env(sdk)?);
        Ok(Self::new(config, deliveries, EventsTable::from_env(sdk)?, Lanes::from_env(sdk)?))
    }

    /// Over these tables, sending to these queues.
    pub fn new(config: ConfigTable, deliveries: DeliveriesTable, events: EventsTable, lanes: Lanes) -> Self {
        Self { config, deliveries, events, lanes }
    }

    /// Goes on with every running recovery and cancellation, a page of each in turn, as long as there is time for one; how many there
    /// are. It begins with the one that has waited longest. One that fails has no further turn.
    ///
    /// # Errors
    /// When one failed, after the others have had their turns; what was noted stands.
    pub async fn continue_all(&self) -> Result<usize, Failure> {
        let mut running: Vec<Work> = self.config.running_recoveries().await?.into_iter().map(Work::Recovery).collect();
        running.extend(self.config.running_cancellations().await?.into_iter().map(Work::Cancellation));
        let (number, mut failure) = (running.len(), None);
        if number > 1 {
            // By their ids, which begin with their kind and time: of a kind, new ones come last.
            running.sort_by(|one, other| one.id().cmp(other.id()));
            let last = self.config.last_served().await.unwrap_or_else(|error| {
                tracing::warn!(error = %error, "recovery.turn_unknown");
                None
            });
            let served = running.partition_point(|one| last.as_deref().is_some_and(|last| one.id() <= last));
            running.rotate_left(served % number);
        }
        let (mut turns, mut last) = (VecDeque::from_iter(running.into_iter().map(Turn::First)), None);
        while deadline::left() > FOR_A_PAGE
            && let Some(turn) = turns.pop_front()
        {
            let id = turn.id().to_owned();
            match deadline::at_most(FOR_A_PAGE, self.take(turn)).await {
                Ok(Some(next)) => turns.push_back(Turn::Next(next)),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(recovery_id = id, error = %error, "recovery.failed_for_now");
                    failure.get_or_insert(error);
                }
            }
            last = Some(id);
        }
        // Should this be lost, the next sweep begins where this one did.
        if let Some(last) = last.filter(|_| number > 1 && !turns.is_empty())
            && let Err(error) = self.config.note_served(&last).await
        {
            tracing::warn!(error = %error, "recovery.turn_not_noted");
        }
        failure.map_or(Ok(number), Err)
    }

    /// A turn of one; what is left of it if it goes on after it.
    async fn take(&self, turn: Turn) -> Result<Option<Work>, Failure> {
        match turn {
            Turn::Next(work) => self.page_of(work).await,
            Turn::First(begun) => match self.as_it_stands(&begun).await {
                Ok(Some(work)) if work.is_running() => self.page_of(work).await,
                Ok(Some(_)) => Ok(None),
                Ok(None) => {
                    rows::missing(begun.id());
                    Ok(None)
                }
                // Nothing that a sweep does will mend it, so no sweep fails for it.
                Err(error) if error.is_unreadable() => {
                    rows::unreadable(begun.id(), &error);
                    Ok(None)
                }
                Err(error) => Err(error),
            },
        }
    }

    async fn as_it_stands(&self, begun: &Work) -> Result<Option<Work>, Failure> {
        Ok(match begun {
            Work::Recovery(begun) => self.config.recovery(&begun.tenant_id, &begun.id).await?.map(Work::Recovery),
            Work::Cancellation(begun) => {
                self.config.cancellation(&begun.tenant_id, &begun.id).await?.map(Work::Cancellation)
            }
        })
    }

    async fn page_of(&self, work: Work) -> Result<Option<Work>, Failure> {
        Ok(match work {
            Work::Recovery(recovery) => self.page(recovery).await?.map(Work::Recovery),
            Work::Cancellation(all) => self.cancel_page(all).await?.map(Work::Cancellation),
        })
    }

    /// Goes on with one while a caller waits, for so long and a page at the most.
    ///
    /// # Errors
    /// As [`Recoverer::continue_all`].
    pub async fn advance_for(&self, recovery: Recovery, time: Duration) -> Result<(), Failure> {
        self.advance(Work::Recovery(recovery), time).await
    }

    /// The same with a cancellation.
    ///
    /// # Errors
    /// As [`Recoverer::continue_all`].
    pub async fn cancel_for(&self, all: Cancellation, time: Duration) -> Result<(), Failure> {
        self.advance(Work::Cancellation(all), time).await
    }

    async fn advance(&self, work: Work, time: Duration) -> Result<(), Failure> {
        let pages = async {
            let mut left = Some(work);
            while deadline::left() > FOR_A_PAGE
                && let Some(work) = left.take()
            {
                left = self.page_of(work).await?;
            }
            Ok(())
        };
        deadline::at_most(time + FOR_A_PAGE, pages).await
    }

    /// Goes on with one by a page, or by several in which nothing is found; the recovery as it is then, unless it is done or somebody
    /// else carries it on.
    async fn page(&self, mut recovery: Recovery) -> Result<Option<Recovery>, Failure> {
        let (before, begun) = (recovery.clone(), Instant::now());
        let Some(aim) = self.aim(&recovery).await? else {
            if recovery.chosen.never_matched {
                let made = self.announce_the_last(&recovery).await?;
                recovery.found += made;
                recovery.requeued += made;
            }
            recovery.status = Progress::Done;
            self.config.note_recovery(&before, &recovery).await?;
            return Ok(None);
        };
        if recovery.chosen.never_matched {
            // Without its row nobody knows what the webhook asks for: the recovery waits for it.
            let Aim::Webhook(endpoint) = aim else { return Ok(None) };
            return self.unmatched_page(recovery, &endpoint).await;
        }
        let mut failure = None;
        for _ in 0..PAGES_PAST {
            let page = self.deliveries.list_range(&recovery, PAGE).await?;
            let look = recovery.look(&page.rows, clock::now(), aim.is_down());
            let sent = self.send_again(&recovery, &look).await?;
            recovery.found += look.requeued_before + look.found();
            recovery.requeued += look.requeued_before + sent.requeued;
            recovery.probed |= look.probe.is_some();
            match page.next {
                Some(last) => recovery.after = Some(last),
                None => recovery.status = Progress::Done,
            }
            failure = sent.failure;
            let is_found = look.requeued_before + look.found() > 0;
            if is_found || recovery.status == Progress::Done || begun.elapsed() >= PASSING {
                break;
            }
        }
        // Overtaken, somebody else has counted this page and carries it on.
        let noted = self.config.note_recovery(&before, &recovery).await?;
        if let Some(error) = failure {
            return Err(error);
        }
        Ok(Some(recovery).filter(|it| it.status == Progress::Running && noted == Recorded::Yes))
    }

    /// Where it sends, if anything is taken there: what is sent again to a webhook that is disabled or deleted, or for a tenant that is
    /// suspended or being deleted, would only be cancelled.
    async fn aim(&self, recovery: &Recovery) -> Result<Option<Aim>, Failure> {
        match self.config.tenant_if_readable(&recovery.tenant_id).await? {
            Some(Some(tenant)) if tenant.status != TenantStatus::Active => return Ok(None),
            // One that is being deleted is none here. One whose row is lost is not deleted.
            None if self.config.standing(&recovery.tenant_id).await? == Some(Standing::IsDeleted) => return Ok(None),
            _ => {}
        }
        if recovery.chosen.jobs.is_some() {
            return Ok(Some(Aim::Jobs));
        }
        match self.config.endpoint_or_tombstone(&recovery.tenant_id, &recovery.endpoint_id).await {
            Ok(Some(endpoint)) => {
                let is_sent_to = endpoint.deleted_at.is_none() && endpoint.status == EndpointStatus::Active;
                Ok(is_sent_to.then(|| Aim::Webhook(Box::new(endpoint))))
            }
            // Missing is not deleted.
            Ok(None) => {
                rows::missing(recovery.endpoint_id.as_str());
                Ok(Some(Aim::Unknown))
            }
            Err(error) if error.is_unreadable() => {
                rows::unreadable(recovery.endpoint_id.as_str(), &error);
                Ok(Some(Aim::Unknown))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the webhook counts as slow: one read a page, for what would else be moved aside message by message. It is a hint,
    /// so where it cannot be read, it is not.
    async fn is_slow(&self, recovery: &Recovery) -> bool {
        match self.config.slow_endpoints([&recovery.tenant_id]).await {
            Ok(slow) => slow.has(&recovery.tenant_id, &recovery.endpoint_id, clock::now()),
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
    async fn send_again(&self, recovery: &Recovery, look: &Look<'_>) -> Result<Sent, Failure> {
        let now = clock::now();
        let begun = look.missed.iter().copied().chain(look.probe).map(|row| async move {
            let after = row.recovered(&recovery.id, now);
            let recorded = self.deliveries.begin_round(row, &after, &entropy::mark()).await?;
            Ok::<_, Failure>((recorded, after))
        });
        let begun: Vec<_> = stream::iter(begun).buffer_unordered(ROUNDS_AT_ONCE).collect().await;
        let (mut messages, mut overtaken, mut refused) = (Vec::new(), Vec::new(), None);
        for one in begun {
            match one {
                // What would wait for its endpoint is tried all the same: whoever answers ends the outage for all of it.
                Ok((Recorded::Yes, after)) if look.probe.is_some_and(|probe| probe.id == after.id) => {
                    messages.push(Message::next(&after).probing());
                }
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

/// What goes on page by page.
enum Work {
    Recovery(Recovery),
    Cancellation(Cancellation),
}

impl Work {
    fn id(&self) -> &str {
        match self {
            Self::Recovery(recovery) => recovery.id.as_str(),
            Self::Cancellation(all) => all.id.as_str(),
        }
    }

    fn is_running(&self) -> bool {
        let (Self::Recovery(Recovery { status, .. }) | Self::Cancellation(Cancellation { status, .. })) = self;
        *status == Progress::Running
    }
}

/// What has a turn to come.
enum Turn {
    /// As it was when it began: how far it has come is still to be read.
    First(Work),
    /// As this sweep left it at its last turn.
    Next(Work),
}

impl Turn {
    fn id(&self) -> &str {
        let (Self::First(work) | Self::Next(work)) = self;
        work.id()
    }
}

#[cfg(test)]
mod tests;
