//! What each function serves over HTTP.

use postrider_api::{Access as _, Routed, Sessions};
use postrider_domain::portal::Capability;
use serde_json::{Value, json};

pub(crate) fn by_function() -> Value {
    json!({
        "webhooks": of::<webhooks::Webhooks>(),
        "tenants": of::<tenants::Operator>(),
        "events": of::<events::Events>(),
        "jobs": of::<jobs::Jobs>(),
        "ledger": of::<ledger::Ledger>(),
        "catalogue": of::<catalogue::EventTypes>(),
        "reference": of::<reference::Reference>(),
    })
}

fn of<F: Routed>() -> Vec<Value> {
    let told = F::ROUTES.iter().map(|route| {
        json!({
            "method": route.method,
            "path": route.path,
            "scope": route.access.scope(),
            "capability": route.access.sessions().capability().map(Capability::as_str),
            "whole": matches!(route.access.sessions(), Sessions::ForAllWith(_)),
            "instead_of_repeating": route.instead_of_repeating,
        })
    });
    told.collect()
}
