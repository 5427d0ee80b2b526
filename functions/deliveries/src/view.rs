//! Deliveries as the API shows them.

use postrider_domain::delivery::Delivery;
use postrider_domain::recovery::Recovery;
use postrider_domain::time;
use serde_json::{Value, json};

/// A delivery with its attempts; `url` is the endpoint's, where that is still known.
pub(crate) fn delivery(delivery: &Delivery, url: Option<&str>) -> Value {
    let mut body = json!({
        "id": delivery.id,
        "event_id": delivery.event_id,
        "event": delivery.event_type,
        "webhook_id": if delivery.job_id.is_none() { json!(delivery.endpoint_id) } else { Value::Null },
        "url": url,
        "status": delivery.status,
        "created_at": time::wire(delivery.created_at),
        "next_attempt_at": delivery.next_attempt_at.map(time::wire),
        "attempts": delivery.attempts,
    });
    if let Some(job) = &delivery.job_id {
        body["job_id"] = json!(job);
    }
    if let Some(reason) = delivery.reason {
        body["reason"] = json!(reason);
    }
    body
}

/// How far a recovery has come.
pub(crate) fn recovery(recovery: &Recovery) -> Value {
    json!({
        "recovery_id": recovery.id,
        "status": recovery.status,
        "since": time::wire(recovery.since),
        "until": time::wire(recovery.until),
        "found": recovery.found,
        "requeued": recovery.requeued,
    })
}
