//! Deliveries as the API shows them.

use postrider_domain::delivery::Delivery;
use postrider_domain::time;
use serde_json::{Value, json};

/// A delivery with its attempts; `url` is the endpoint's, where that is still known.
pub(crate) fn delivery(delivery: &Delivery, url: Option<&str>) -> Value {
    let mut body = json!({
        "id": delivery.id,
        "event_id": delivery.event_id,
        "event": delivery.event_type,
        "webhook_id": delivery.endpoint_id,
        "url": url,
        "status": delivery.status,
        "created_at": time::wire(delivery.created_at),
        "next_attempt_at": delivery.next_attempt_at.map(time::wire),
        "attempts": delivery.attempts,
    });
    if let Some(reason) = delivery.reason {
        body["reason"] = json!(reason);
    }
    body
}
