//! Webhooks as the API shows them. A secret is never among what is shown.

use jiff::Timestamp;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::endpoint::parking::{Parking, State};
use postrider_domain::stored_secret::previous_secret_until;
use postrider_domain::time;
use serde_json::{Value, json};

/// The five fields that a create and a list show.
pub(crate) fn five_fields(endpoint: &Endpoint) -> Value {
    json!(endpoint.listed())
}

/// The five fields, and the others where they are set.
pub(crate) fn whole(endpoint: &Endpoint, now: Timestamp) -> Value {
    let mut body = five_fields(endpoint);
    let disabled_at = endpoint.disabled_at.map(time::wire);
    let headers = Some(&endpoint.headers).filter(|headers| !headers.is_empty());
    let rest = [
        ("description", json!(endpoint.description)),
        ("headers", json!(headers)),
        ("timeout_seconds", json!(endpoint.timeout_seconds)),
        ("retry_schedule", json!(endpoint.retry_schedule)),
        ("parking", json!(endpoint.parking.as_ref().and_then(parking))),
        ("rate_limit", json!(endpoint.rate_limit)),
        ("disabled_reason", json!(endpoint.disabled_reason)),
        ("disabled_at", json!(disabled_at)),
        ("previous_secret_until", json!(previous_secret_until(&endpoint.secrets, now).map(time::wire))),
    ];
    for (name, value) in rest {
        if !value.is_null() {
            body[name] = value;
        }
    }
    body
}

/// Why deliveries wait for the webhook as a whole, since when, and when it is asked next whether it is back; nothing once they no
/// longer do.
fn parking(parking: &Parking) -> Option<Value> {
    if !parking.parks_what_is_new() {
        return None;
    }
    let mut shown = json!({
        "state": parking.state,
        "cause": parking.cause,
        "since": time::wire(parking.since),
    });
    if parking.state == State::Down {
        shown["next_probe_at"] = json!(time::wire(parking.next_at));
    }
    Some(shown)
}
