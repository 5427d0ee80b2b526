//! What unit tests make rows of.

use jiff::Timestamp;
use postrider_domain::delivery::{Reason, Status, Transition};
use postrider_domain::event::Event;
use postrider_domain::id::TenantId;
use replay::Script;

use crate::events_table::EventsTable;
use crate::sdk;
use crate::told::Told;

/// An event of the first tenant.
pub(crate) fn event() -> Event {
    replay::sample::event(TenantId::new(Timestamp::UNIX_EPOCH, 1))
}

/// A change that nobody is told of.
pub(crate) fn nothing_told(script: &Script) -> Told {
    Told::of(&EventsTable::of(&script.sdk(sdk::over), "events"), Vec::new())
}

/// What the last attempt of a schedule makes of a delivery.
pub(crate) const FAILED: Transition = Transition {
    status: Status::Failed,
    reason: Some(Reason::AttemptsExhausted),
    next_attempt_at: None,
    waits_until: None,
    internal: 0,
    probes: 0,
    disable_endpoint: false,
};
