//! What invokes a function that answers to more than one caller: the HTTP API, the stack's bus, or somebody directly.

use std::collections::HashMap;

use postrider_domain::invalid::excerpt;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::http::Fault;
use crate::letters::Note;

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
    pub fn refused(&self, fault: &Fault) -> Note {
        // The reason lies in the queue: it can repeat what the sender wrote, which is no log's business.
        tracing::warn!(bus_event_id = excerpt(&self.id), code = fault.code(), "trigger.refused");
        Note::new("bus")
            .with("id", self.id.as_str())
            .with("detail_type", self.detail_type.as_str())
            .because(fault.message())
            .about("tenant_id", &self.names("tenant_id"))
            .about("event_id", &self.names("id"))
            .holding("detail", self.detail.get())
    }

    /// A text of the detail's, if it has it.
    fn names(&self, field: &str) -> Option<String> {
        let mut fields: HashMap<String, Box<RawValue>> = serde_json::from_str(self.detail.get()).ok()?;
        serde_json::from_str(fields.remove(field)?.get()).ok()
    }
}

#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "requestContext")]
    request_context: Option<IgnoredAny>,
    #[serde(rename = "detail-type")]
    detail_type: Option<IgnoredAny>,
}

impl Trigger {
    /// Tells what invoked us. Whatever looks like neither a request nor a bus event is somebody's own call.
    pub fn of(payload: &RawValue) -> Self {
        let Ok(shape) = serde_json::from_str::<Shape>(payload.get()) else { return Self::Direct };
        match (shape.request_context, shape.detail_type) {
            (Some(_), _) => Self::Http,
            (None, Some(_)) => serde_json::from_str(payload.get()).map_or(Self::Direct, Self::Bus),
            (None, None) => Self::Direct,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Trigger {
        Trigger::of(&RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn payloads_are_told_apart_and_a_detail_keeps_its_text() {
        assert!(matches!(of(r#"{"requestContext":{},"body":"x"}"#), Trigger::Http));
        for direct in [r#"{"tenant_id":"ten_x"}"#, "[]", "[[]]", "7", "null", "\"text\"", r#"{"detail-type":7}"#] {
            assert!(matches!(of(direct), Trigger::Direct), "{direct}");
        }
        let Trigger::Bus(event) = of(r#"{"id":"1","detail-type":"Postrider Event","detail":{"data":{"z":1.0}}}"#)
        else {
            panic!("not from a bus");
        };
        assert_eq!(event.detail.get(), r#"{"data":{"z":1.0}}"#);
    }

    #[test]
    fn what_a_queue_does_not_hold_is_set_aside_without_its_data() {
        let refused = |data: &str| {
            let detail = format!(r#"{{"tenant_id":"ten_x","id":"invoice 7","data":{data}}}"#);
            let detail = RawValue::from_string(detail).unwrap();
            let event = BusEvent { id: "1".to_owned(), detail_type: "Postrider Event".to_owned(), detail };
            let note = event.refused(&Fault::too_large("data", 7)).text();
            serde_json::from_str::<serde_json::Value>(&note).unwrap()
        };
        assert_eq!(refused("{}")["detail"], r#"{"tenant_id":"ten_x","id":"invoice 7","data":{}}"#);
        let note = refused(&format!(r#"{{"a":"{}"}}"#, "\\\"".repeat(300_000)));
        assert_eq!((&note["tenant_id"], &note["event_id"]), (&"ten_x".into(), &"invoice 7".into()));
        assert_eq!((note.get("detail"), note["detail_bytes"].as_u64()), (None, Some(600_056)));
        assert_eq!(note["detail_sha256"].as_str().map(str::len), Some(64));
        assert!(note["reason"].as_str().unwrap().contains("`data`"), "{note}");
    }
}
