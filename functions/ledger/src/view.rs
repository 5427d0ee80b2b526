//! Deliveries as the API shows them.

use postrider_domain::attempt::Attempt;
use postrider_domain::delivery::Delivery;
use postrider_domain::recovery::Recovery;
use postrider_domain::time;
use serde_json::{Value, json};

use crate::places::Place;

/// A delivery with its attempts, late ones too, numbered by when they began.
pub(crate) fn delivery(delivery: &Delivery, place: &Place) -> Value {
    let attempts = (1..).zip(delivery.history()).map(|(number, attempt)| self::attempt(number, attempt, place));
    let mut body = json!({
        "id": delivery.id,
        "event_id": delivery.event_id,
        "event": delivery.event_type,
        "webhook_id": delivery.webhook_id(),
        "url": place.url,
        "status": delivery.status,
        "created_at": time::wire(delivery.created_at),
        "next_attempt_at": delivery.next_attempt_at.map(time::wire),
        "attempts": attempts.collect::<Vec<_>>(),
    });
    if let Some(job) = &delivery.job_id {
        body["job_id"] = json!(job);
    }
    if let Some(reason) = delivery.reason {
        body["reason"] = json!(reason);
    }
    if let Some(at) = delivery.delivered_at() {
        body["delivered_at"] = json!(time::wire(at));
    }
    body
}

fn attempt(number: u32, attempt: &Attempt, place: &Place) -> Value {
    let mut body = json!({
        "number": number,
        "at": time::wire(attempt.at),
        "duration_ms": attempt.duration_ms,
        "url": place.of(attempt),
        "outcome": attempt.outcome,
    });
    let rest = [
        ("status_code", json!(attempt.status_code)),
        ("error", json!(attempt.error)),
        ("response_excerpt", json!(attempt.response_excerpt)),
        ("redirect_to", json!(attempt.redirect_to)),
    ];
    for (name, value) in rest.into_iter().filter(|(_, value)| !value.is_null()) {
        body[name] = value;
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
