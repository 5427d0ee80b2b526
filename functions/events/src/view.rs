//! Events and their deliveries as the API shows them.

use postrider_domain::delivery::Delivery;
use postrider_domain::event::Event;
use postrider_domain::time;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// What a producer gets for an accepted event, the same for a replay.
pub(crate) fn accepted(event: &Event) -> Value {
    json!({"id": event.id, "event": event.event_type, "timestamp": time::wire(event.timestamp)})
}

/// An event with a page of its deliveries; `data` as the producer wrote it.
#[derive(serde::Serialize)]
pub(crate) struct Shown<'a> {
    id: &'a str,
    event: &'a str,
    data: &'a RawValue,
    timestamp: String,
    deliveries: Vec<Value>,
    pagination: Value,
}

impl<'a> Shown<'a> {
    pub(crate) fn new(event: &'a Event, data: &'a RawValue, deliveries: &[Delivery], pagination: Value) -> Self {
        Self {
            id: event.id.as_str(),
            event: event.event_type.as_str(),
            data,
            timestamp: time::wire(event.timestamp),
            deliveries: deliveries.iter().map(delivery).collect(),
            pagination,
        }
    }
}

fn delivery(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id,
        "webhook_id": delivery.webhook_id(),
        "status": delivery.status,
        "attempts": delivery.attempts_on_record(),
        "next_attempt_at": delivery.next_attempt_at.map(time::wire),
    })
}
