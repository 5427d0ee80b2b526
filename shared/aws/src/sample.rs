//! What unit tests make rows of.

use jiff::Timestamp;
use postrider_domain::event::Event;
use postrider_domain::id::TenantId;

/// An event of the first tenant.
pub(crate) fn event() -> Event {
    replay::sample::event(TenantId::new(Timestamp::UNIX_EPOCH, 1))
}
