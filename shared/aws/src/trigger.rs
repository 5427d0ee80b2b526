//! What invokes a function that answers to more than one caller: the HTTP API, the stack's bus, or somebody directly.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::http::Fault;

/// A payload told apart by its shape, its parts kept text for text.
#[derive(Debug)]
pub enum Trigger {
    /// An HTTP request through API Gateway.
    Http,
    /// An event from a bus.
    Bus(BusEvent),
    /// Anything else: a direct invocation.
    Direct,
}

/// An event from a bus.
#[derive(Debug, Deserialize)]
pub struct BusEvent {
    /// The envelope's id, the same when the bus delivers it again.
    pub id: String,
    /// What it is.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// What it says.
    pub detail: Box<RawValue>,
}

impl BusEvent {
    /// What is set aside when it is refused: the event as it came, and why.
    pub fn refused(&self, fault: &Fault) -> Value {
        // The reason lies in the queue: it can repeat what the sender wrote, which is no log's business.
        tracing::warn!(bus_event_id = self.id, code = fault.code(), "trigger.refused");
        json!({
            "v": 1,
            "source": "bus",
            "id": self.id,
            "detail_type": self.detail_type,
            "reason": fault.message(),
            "detail": self.detail.get(),
        })
    }
}

#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "requestContext")]
    request_context: Option<serde::de::IgnoredAny>,
    #[serde(rename = "detail-type")]
    detail_type: Option<serde::de::IgnoredAny>,
}

impl Trigger {
    /// Tells what invoked us.
    ///
    /// # Errors
    /// When the payload is no JSON object.
    pub fn of(payload: &RawValue) -> serde_json::Result<Self> {
        let shape: Shape = serde_json::from_str(payload.get())?;
        match (shape.request_context, shape.detail_type) {
            (Some(_), _) => Ok(Self::Http),
            (None, Some(_)) => serde_json::from_str(payload.get()).map(Self::Bus),
            (None, None) => Ok(Self::Direct),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Trigger {
        Trigger::of(&RawValue::from_string(text.to_owned()).unwrap()).unwrap()
    }

    #[test]
    fn payloads_are_told_apart_and_a_detail_keeps_its_text() {
        assert!(matches!(of(r#"{"requestContext":{},"body":"x"}"#), Trigger::Http));
        assert!(matches!(of(r#"{"tenant_id":"ten_x"}"#), Trigger::Direct));
        let Trigger::Bus(event) = of(r#"{"id":"1","detail-type":"Postrider Event","detail":{"data":{"z":1.0}}}"#)
        else {
            panic!("not from a bus");
        };
        assert_eq!(event.detail.get(), r#"{"data":{"z":1.0}}"#);
    }
}
