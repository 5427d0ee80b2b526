//! What unit tests make rows of.

use jiff::Timestamp;
use postrider_domain::delivery::{Reason, Status, Transition};
use postrider_domain::event::Event;
use postrider_domain::id::TenantId;

/// An event of the first tenant.
pub(crate) fn event() -> Event {
    replay::sample::event(TenantId::new(Timestamp::UNIX_EPOCH, 1))
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
