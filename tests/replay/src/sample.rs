//! What unit tests make rows of: things of 1970, whose rows may go at once.

use jiff::Timestamp;
use postrider_domain::dialect::{DialectRef, STANDARD};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::Event;
use postrider_domain::id::{EndpointId, EventId, TenantId};

/// An event of a tenant's.
pub fn event(tenant_id: TenantId) -> Event {
    Event {
        tenant_id,
        id: EventId::fresh(1),
        event_type: "invoice.paid".parse().expect("the type is one"),
        data: "{}".to_owned(),
        timestamp: Timestamp::UNIX_EPOCH,
        expires_at: 0,
        ours: false,
        counted: false,
        job_id: None,
        test_of: None,
        announce: None,
        tags: std::collections::BTreeMap::new(),
        traceparent: None,
    }
}

/// An active endpoint of a tenant's, of the standard dialect.
pub fn endpoint(tenant_id: TenantId) -> Endpoint {
    let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
    Endpoint::bare(EndpointId::new(at, 1), tenant_id, url, DialectRef(&STANDARD), at)
}
