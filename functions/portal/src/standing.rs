//! How a delivery stands, as a badge.

use maud::Markup;
use postrider_domain::delivery::Status;

use crate::parts;
use crate::visit::Guest;

/// The colour of a status.
pub(crate) fn kind(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "good",
        Status::Retrying => "warn",
        Status::Failed => "bad",
        Status::Pending | Status::Cancelled => "idle",
    }
}

/// A status in its language.
pub(crate) fn badge(guest: &Guest<'_>, status: Status) -> Markup {
    parts::badge(kind(status), (guest.texts.ledger.status_name)(status))
}

/// So many deliveries of a status.
pub(crate) fn count(guest: &Guest<'_>, status: Status, count: usize) -> Markup {
    parts::badge(kind(status), &(guest.texts.events.count)(status, count))
}
