//! A recovery's pages of events of which its webhook has no delivery: each gets one, put where there is none under the id that fan-out
//! would give it. So fan-out, whoever sends an event by hand, another recovery and another look at the page all come upon the same row.
//!
//! A row remembers which recovery has made it, as one does that is sent again: a page that is seen twice counts it once. Rows come before
//! their messages. Whoever dies in between has not noted the page, so it is seen again, and what is still pending is announced once more.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event_list::{Asked, Kind, Listed, Place};
use postrider_domain::id::{DeliveryId, EventId};
use postrider_domain::message::Message;
use postrider_domain::recovery::{Progress, Recovery};
use postrider_host::{clock, deadline};
use tokio::time::Instant;

use super::{FOR_A_PAGE, PAGES_PAST, PASSING, Recoverer};
use crate::deliveries_table::Made;
use crate::error::Failure;
use crate::put_once::Put;
use crate::recoverer::Count;
use crate::{Page, Recorded, event_row, rows};

/// Events of a page. Each may have to be read, with 256 KiB of data, within the time of a page.
const PAGE: usize = 50;
/// Events that are read side by side.
const READS_AT_ONCE: usize = 16;
/// Pages that a call counts from.
const PAGES_COUNTED: usize = 200;
/// Events that a call reads for it: those of which the webhook has no delivery, although their types are asked for.
const EVENTS_COUNTED: usize = 2_000;
/// How much later a row is announced again of which nobody here knows whether it was announced: a message that was sent after all has
/// been worked on by then, whatever time its receiver took, and makes the second one stale.
const AGAIN: Duration = Duration::from_secs(45);

/// What a page of the list comes to.
struct Seen {
    /// Deliveries that this recovery has made before, in an earlier look at this page.
    mine: Vec<DeliveryId>,
    /// Deliveries that there are to be.
    new: Vec<Delivery>,
    /// How many events were read for it.
    read: usize,
}

impl Recoverer {
    /// Goes on with one by a page, or by several in which nothing is found, as [`Recoverer::page`] does.
    pub(super) async fn unmatched_page(
        &self,
        mut recovery: Recovery,
        endpoint: &Endpoint,
    ) -> Result<Option<Recovery>, Failure> {
        let (before, begun) = (recovery.clone(), Instant::now());
        for _ in 0..PAGES_PAST {
            let page = self.listed(&recovery).await?;
            let seen = self.see(&recovery, endpoint, &page.rows).await?;
            let found = (seen.mine.len() + seen.new.len()) as u64;
            recovery.found += found;
            recovery.requeued += self.make(&recovery, seen).await?;
            match page.next {
                Some(place) => recovery.listed_after = Some(place.to_string()),
                None => recovery.status = Progress::Done,
            }
            if found > 0 || recovery.status == Progress::Done || begun.elapsed() >= PASSING {
                break;
            }
        }
        // Overtaken, somebody else has counted this page and carries it on.
        let noted = self.config.note_recovery(&before, &recovery).await?;
        Ok(Some(recovery).filter(|it| it.status == Progress::Running && noted == Recorded::Yes))
    }

    /// Counts what would be sent at this moment, as [`Recoverer::count`] does.
    pub(super) async fn count_unmatched(&self, recovery: &Recovery, endpoint: &Endpoint) -> Result<Count, Failure> {
        let (mut left, mut read) = (recovery.clone(), 0);
        for _ in 0..PAGES_COUNTED {
            if deadline::left() <= FOR_A_PAGE || read >= EVENTS_COUNTED {
                break;
            }
            let page = self.listed(&left).await?;
            let seen = self.see(&left, endpoint, &page.rows).await?;
            left.found += seen.new.len() as u64;
            read += seen.read;
            match page.next {
                Some(place) => left.listed_after = Some(place.to_string()),
                None => return Ok(Count { found: left.found, complete: true }),
            }
        }
        Ok(Count { found: left.found, complete: false })
    }

    /// A page of the list of events, from where the recovery stands.
    async fn listed(&self, recovery: &Recovery) -> Result<Page<Listed, Place>, Failure> {
        let asked = Asked { since: Some(recovery.since), until: Some(recovery.until), ..Asked::default() };
        let after = recovery.listed_after.as_ref().map(|place| place.parse::<Place>()).transpose();
        let after = after.map_err(|error| Failure::unreadable("a recovery's place", error))?;
        self.deliveries.events(&recovery.tenant_id, &asked, PAGE, after.as_ref()).await
    }

    /// Which of a page's events the webhook is to be sent. Nothing is written.
    async fn see(&self, recovery: &Recovery, endpoint: &Endpoint, page: &[Listed]) -> Result<Seen, Failure> {
        let made = self.made_of(recovery, page).await?;
        let mine = mine(recovery, page, &made);
        let is_missing = |listed: &&Listed| !made.contains_key(&id_of(recovery, listed));
        let asked = page.iter().filter(|listed| recovery.chosen.may_take(endpoint, listed));
        let missing: Vec<&EventId> = asked.filter(is_missing).map(|listed| &listed.id).collect();
        let (read, now) = (missing.len(), clock::now());
        let each = missing.into_iter().map(|id| self.delivery_of(recovery, endpoint, id, now));
        let all: Vec<_> = stream::iter(each.collect::<Vec<_>>()).buffered(READS_AT_ONCE).collect().await;
        let new = all.into_iter().collect::<Result<Vec<_>, Failure>>()?.into_iter().flatten().collect();
        Ok(Seen { mine, new, read })
    }

    /// The webhook's deliveries of a page's events, also of those that it does not ask for any more: whoever looked at the page before may have
    /// made some.
    async fn made_of(&self, recovery: &Recovery, page: &[Listed]) -> Result<Made, Failure> {
        let for_who_asks = || page.iter().filter(|listed| listed.kind == Kind::ForWhoAsks);
        let times = for_who_asks().map(|listed| listed.timestamp);
        let (Some(oldest), Some(newest)) = (times.clone().min(), times.max()) else { return Ok(Made::new()) };
        let ids: Vec<DeliveryId> = for_who_asks().map(|listed| id_of(recovery, listed)).collect();
        self.deliveries.made(&recovery.endpoint_id, (oldest, newest), &ids).await
    }

    /// Announces what a recovery that ends here has made of its page: its webhook is gone or off by now, so it is called off there. Without
    /// that it would be pending for good. How many those are.
    pub(super) async fn announce_the_last(&self, recovery: &Recovery) -> Result<u64, Failure> {
        let page = self.listed(recovery).await?;
        let made = self.made_of(recovery, &page.rows).await?;
        let seen = Seen { mine: mine(recovery, &page.rows, &made), new: Vec::new(), read: 0 };
        self.make(recovery, seen).await
    }

    /// The delivery that an event is to have at the webhook, if it is to have one. An event that is gone, or that is none, has none.
    async fn delivery_of(
        &self,
        recovery: &Recovery,
        endpoint: &Endpoint,
        event: &EventId,
        now: Timestamp,
    ) -> Result<Option<Delivery>, Failure> {
        let Some(row) = self.events.get_item(&recovery.tenant_id, event).await? else { return Ok(None) };
        let row = row.into();
        if event_row::refusal(&row).is_some() {
            return Ok(None);
        }
        let Ok(event) = event_row::read(row) else { return Ok(None) };
        let takes = recovery.chosen.takes_event(endpoint, &event, now);
        let takes = takes.map_err(|error| Failure::unreadable("a webhook's filter", error))?;
        Ok(takes.then(|| Delivery {
            recovered_by: Some(recovery.id.clone()),
            // It lasts as long as one that fan-out made when the recovery began, and so longer than its event.
            ..Delivery::pending(&event, endpoint.id.clone(), now, recovery.expires_at)
        }))
    }

    /// Puts these deliveries where there are none, and sends their messages; how many of the page this recovery has made. What failed
    /// holds up none of the others.
    ///
    /// # Errors
    /// When one was not put, or its message not taken: the page is to be seen again.
    async fn make(&self, recovery: &Recovery, seen: Seen) -> Result<u64, Failure> {
        let Seen { mine, new, read: _ } = seen;
        if mine.is_empty() && new.is_empty() {
            return Ok(0);
        }
        let (mut made, mut failure) = (mine.len(), None);
        // Whoever looked at this page before may have died before he sent their messages.
        let mut again = if mine.is_empty() { Vec::new() } else { self.deliveries.get_many(mine).await? };
        let mut fresh = Vec::new();
        for (row, put) in new.iter().zip(self.deliveries.put_pending(&new).await) {
            match put {
                Ok(Put::New) => fresh.push(Message::first(row)),
                Ok(Put::Existing(there)) if there.recovered_by.as_ref() == Some(&recovery.id) => again.push(*there),
                // Fan-out has come to it meanwhile, or somebody has sent it.
                Ok(Put::Existing(_)) => continue,
                Ok(Put::Unreadable) => {
                    rows::unreadable(row.id.as_str(), &"a delivery of before");
                    continue;
                }
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            }
            made += 1;
        }
        let untried = |row: &&Delivery| row.status == Status::Pending && row.attempts_made == 0 && !row.is_parked();
        let again: Vec<Message> = again.iter().filter(untried).map(Message::first).collect();
        let lanes = self.lanes.queue(self.is_slow(recovery).await);
        for (messages, delay) in [(fresh, Duration::ZERO), (again, AGAIN)] {
            if let Err(error) = lanes.send_all_later(&messages, delay).await {
                failure = Some(error);
            }
        }
        failure.map_or(Ok(made as u64), Err)
    }
}

fn id_of(recovery: &Recovery, listed: &Listed) -> DeliveryId {
    DeliveryId::new(listed.timestamp, &recovery.endpoint_id, &listed.id)
}

/// Those of a page's events that this recovery has made.
fn mine(recovery: &Recovery, page: &[Listed], made: &Made) -> Vec<DeliveryId> {
    let is_mine = |id: &DeliveryId| made.get(id).is_some_and(|by| by.as_ref() == Some(&recovery.id));
    page.iter().map(|listed| id_of(recovery, listed)).filter(is_mine).collect()
}

#[cfg(test)]
mod tests;
