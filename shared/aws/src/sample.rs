//! What unit tests make rows of.

use jiff::Timestamp;
use postrider_domain::event::Event;
use postrider_domain::id::{EventId, TenantId};

/// An event of 1970 whose row may go at once.
pub(crate) fn event() -> Event {
    let at = Timestamp::UNIX_EPOCH;
    Event {
        tenant_id: TenantId::new(at, 1),
        id: EventId::fresh(1),
        event_type: "invoice.paid".parse().expect("the type is one"),
        data: "{}".to_owned(),
        timestamp: at,
        expires_at: 0,
        ours: false,
        job_id: None,
        announce: None,
    }
}
