//! Recovery: everything that an endpoint missed, sent again. It may be thousands of deliveries, so it goes page by page,
//! and whoever dies in between leaves it where the next one finds it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivery::Delivery;
use crate::id::{DeliveryId, EndpointId, RecoveryId, TenantId};
use crate::named;
use crate::named::stored_by_name;

mod chosen;
#[cfg(test)]
mod tests;
mod unmatched;

pub use chosen::Chosen;

named! {
    /// Whether a recovery goes on, by its name in the API and the tables.
    pub enum Progress {
        /// It goes on.
        Running = "running",
        /// It has seen everything.
        Done = "done",
    }
}

stored_by_name!(Progress);

/// A recovery as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Its id.
    pub id: RecoveryId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What is recovered.
    pub endpoint_id: EndpointId,
    /// From events of this time on.
    #[serde(with = "crate::time::as_wire")]
    pub since: Timestamp,
    /// Up to events before this time.
    #[serde(with = "crate::time::as_wire")]
    pub until: Timestamp,
    /// What of it.
    #[serde(default, skip_serializing_if = "Chosen::is_usual")]
    pub chosen: Chosen,
    /// Whether it goes on.
    pub status: Progress,
    /// Deliveries that wanted recovering so far.
    pub found: u64,
    /// Those of them that were sent again; the others were on their way before it came to them.
    pub requeued: u64,
    /// The last delivery that it has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<DeliveryId>,
    /// The same of one that goes through the list of events, which begins with the newest: a place in that list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_after: Option<String>,
    /// Whether it has asked an endpoint that is down whether it is back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probed: bool,
    /// When the row may be removed, in seconds since 1970.
    pub expires_at: i64,
}

/// What a recovery finds in a page of its deliveries.
#[derive(Debug, Default)]
pub struct Look<'a> {
    /// Those that it has to send again.
    pub missed: Vec<&'a Delivery>,
    /// One that is parked, to be tried all the same: if anybody answers, all that is parked is sent by itself.
    pub probe: Option<&'a Delivery>,
    /// The others that are parked. To try each of them would cost a dead endpoint a POST each.
    pub parked: u64,
    /// How many it has sent again before, in an earlier look at this page: whoever looked died, or was not heard.
    pub requeued_before: u64,
}

impl Look<'_> {
    /// How many want recovering, without those that it has sent again before.
    pub fn found(&self) -> u64 {
        self.missed.len() as u64 + u64::from(self.probe.is_some()) + self.parked
    }
}

impl Recovery {
    /// Looks at a page. A row remembers which recovery sent it again last, so a page that is seen twice counts what was done at
    /// the first look, and does it no second time. `is_down` says whether the endpoint is, so that only probes go there.
    pub fn look<'a>(&self, page: &'a [Delivery], now: Timestamp, is_down: bool) -> Look<'a> {
        let mut look = Look::default();
        for row in page {
            match row.recovered_by.as_ref() {
                Some(recovery) if *recovery == self.id => look.requeued_before += 1,
                _ if !self.chosen.takes(row, now) => {}
                _ if !row.is_parked() => look.missed.push(row),
                _ if is_down && !self.probed && look.probe.is_none() => look.probe = Some(row),
                _ => look.parked += 1,
            }
        }
        // Where nothing is parked yet, all of it would be, and nothing tried.
        if is_down && !self.probed && look.probe.is_none() && !look.missed.is_empty() {
            look.probe = Some(look.missed.remove(0));
        }
        look
    }
}
