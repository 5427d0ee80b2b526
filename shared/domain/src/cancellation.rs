//! Cancellation: all that waits for an endpoint when somebody asks, called off. It may be hundreds of thousands of deliveries, so it
//! goes page by page, as a recovery does, and whoever dies in between leaves it where the next one finds it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivery::Delivery;
use crate::id::{CancellationId, DeliveryId, EndpointId, TenantId};
use crate::recovery::Progress;

/// A cancellation as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Its id.
    pub id: CancellationId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Whose deliveries are called off.
    pub endpoint_id: EndpointId,
    /// When somebody asked for it: what waits since later is not meant.
    #[serde(with = "crate::time::as_wire")]
    pub at: Timestamp,
    /// Whether it goes on.
    pub status: Progress,
    /// Deliveries that waited so far.
    pub found: u64,
    /// Those of them that were called off; the others came to their end, or were asked for again, before it came to them.
    pub cancelled: u64,
    /// The last delivery that it has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<DeliveryId>,
    /// When the row may be removed, in seconds since 1970.
    pub expires_at: i64,
}

/// What a cancellation finds in a page of its deliveries.
#[derive(Debug)]
pub struct Look<'a> {
    /// Those that it has to call off.
    pub waiting: Vec<&'a Delivery>,
    /// How many it has called off before, in an earlier look at this page: whoever looked died, or was not heard.
    pub called_off_before: u64,
}

impl Cancellation {
    /// Whether it calls this delivery off: one that has not come to its end, whose row was there when somebody asked for all this, and
    /// which nobody has asked for since then. A retry by hand and a recovery's round that begin later are meant, and so they win.
    pub fn is_for(&self, row: &Delivery) -> bool {
        !row.status.is_final() && row.waits_since() <= self.at
    }

    /// Whether it has called this delivery off, whatever has become of it since.
    pub fn has_called_off(&self, row: &Delivery) -> bool {
        row.called_off_by.as_ref() == Some(&self.id)
    }

    /// Looks at a page. A row remembers who called it off, so a page that is seen twice counts what was done at the first look, and
    /// does it no second time.
    pub fn look<'a>(&self, page: &'a [Delivery]) -> Look<'a> {
        let (mine, others): (Vec<_>, Vec<_>) = page.iter().partition(|row| self.has_called_off(row));
        let waiting = others.into_iter().filter(|row| self.is_for(row)).collect();
        Look { waiting, called_off_before: mine.len() as u64 }
    }
}

#[cfg(test)]
#[path = "cancellation/tests.rs"]
mod tests;
