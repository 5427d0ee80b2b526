//! Which deliveries of a list are asked for.

use jiff::Timestamp;
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::event::EventType;
use postrider_domain::id::DeliveryId;

/// How deliveries stand that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// So.
    As(Status),
    /// Retrying, failed or cancelled, and never taken by their receiver.
    Undelivered,
}

impl Standing {
    /// What [`Standing::Undelivered`] is called.
    pub const UNDELIVERED: &str = "undelivered";

    /// The standing of this name.
    pub fn named(name: &str) -> Option<Self> {
        if name == Self::UNDELIVERED { Some(Self::Undelivered) } else { Status::named(name).map(Self::As) }
    }

    fn takes(self, row: &Delivery) -> bool {
        match self {
            Self::As(status) => row.status == status,
            Self::Undelivered => row.counts_as_undelivered(row.status),
        }
    }
}

/// Which deliveries are asked for. What is said combines.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those that stand so.
    pub standing: Option<Standing>,
    /// Those of this event type.
    pub event: Option<EventType>,
    /// Those whose last attempt had this outcome ([`postrider_domain::attempt::Outcome::code`]).
    pub outcome: Option<String>,
    /// Those of events at this time or later.
    pub since: Option<Timestamp>,
    /// Those of events before this time.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Whether a delivery's id lies within the times that are asked for; a cursor must.
    pub fn holds(&self, id: &DeliveryId) -> bool {
        let (lower, upper) = self.bounds();
        (lower.as_str()..upper.as_str()).contains(&id.as_str())
    }

    /// Whether this delivery is asked for, as far as its row tells; the times are its id's.
    pub(super) fn takes(&self, row: &Delivery) -> bool {
        let of_this_outcome = |outcome: &String| row.history().last().is_some_and(|last| last.outcome == *outcome);
        self.standing.is_none_or(|standing| standing.takes(row))
            && self.event.as_ref().is_none_or(|event| row.event_type == *event)
            && self.outcome.as_ref().is_none_or(of_this_outcome)
    }

    /// Between which texts the ids lie: from the first on, and before the second.
    pub(super) fn bounds(&self) -> (String, String) {
        let lower = self.since.map_or_else(|| "dlv_".to_owned(), DeliveryId::lower_bound);
        // `~` sorts after every character of an id.
        let upper = self.until.map_or_else(|| "dlv_~".to_owned(), DeliveryId::lower_bound);
        (lower, upper)
    }
}
