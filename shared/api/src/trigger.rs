//! What invokes a function: the HTTP API, the stack's bus, an event source with a batch, or somebody directly. Every function
//! takes its payload as it came and has it told apart here, since what the runtime itself cannot read it answers in words of
//! its own, and quotes in the log.

use std::collections::HashMap;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage};
use postrider_domain::invalid::{Invalid, excerpt};
use postrider_domain::note::Note;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::ApiError;

/// A payload told apart by its shape, its parts kept text for text.
#[derive(Debug)]
pub enum Trigger {
    /// An HTTP request through API Gateway.
    Http,
    /// An event from a bus.
    Bus(BusEvent),
    /// A batch of an event source, each record as it came: one that cannot be read says nothing about the others.
    Records(Vec<Box<RawValue>>),
    /// What has `Records` that are no list. No event source sends it; taken for an answer, it would be lost.
    NoBatch,
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
    pub fn refused(&self, error: &ApiError) -> Note {
        // The reason lies in the queue: it can repeat what the sender wrote, which is no log's business.
        tracing::warn!(bus_event_id = excerpt(&self.id), code = error.code(), "trigger.refused");
        let note = Note::new("bus")
            .with("id", excerpt(&self.id))
            .with("detail_type", excerpt(&self.detail_type))
            .because(error.message())
            .amiss(error.faults())
            .about("tenant_id", &self.names("tenant_id"))
            .about("event_id", &self.names("id"));
        // What was removed on request is kept nowhere else either.
        if error.code() == ApiError::EVENT_EXPUNGED { note } else { note.holding("detail", self.detail.get()) }
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
    #[serde(rename = "Records")]
    records: Option<Box<RawValue>>,
}

/// Whether a record of a batch is a queue's message, as it says itself.
pub fn is_message(record: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Source<'a> {
        #[serde(rename = "eventSource")]
        event_source: &'a str,
    }
    serde_json::from_str(record.get()).is_ok_and(|source: Source<'_>| source.event_source == "aws:sqs")
}

/// A queue's message.
///
/// # Errors
/// The id of one that is misshapen, so that it alone comes again. Without an id SQS takes the answer for the whole batch's, and
/// none is lost then either.
pub fn message(record: &RawValue) -> Result<SqsMessage, String> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "messageId")]
        message_id: String,
    }
    serde_json::from_str(record.get())
        .map_err(|_| serde_json::from_str(record.get()).map(|named: Named| named.message_id).unwrap_or_default())
}

/// The answer to a batch of messages of which these, by their ids, are to come again.
pub fn handing_back(ids: impl IntoIterator<Item = String>) -> SqsBatchResponse {
    let failure = |id| {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        failure
    };
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = ids.into_iter().map(failure).collect();
    response
}

/// What a function fails with when it was handed [`Trigger::NoBatch`]: its invoker hands it over again.
pub const NO_BATCH: &str = "the payload has `Records` that are no list";

/// The answer to a payload that is none of a function's, in words that do not depend on it.
pub fn refusal(expected: &str) -> Value {
    let error = ApiError::from(Invalid::new("payload", expected));
    tracing::warn!(code = error.code(), "trigger.refused");
    json!(error.body())
}

impl Trigger {
    /// Tells what invoked us. Whatever looks like neither a request nor a bus event is somebody's own call.
    pub fn of(payload: &RawValue) -> Self {
        // Of a list, too, a struct would be made.
        if !payload.get().starts_with('{') {
            return Self::Direct;
        }
        let Ok(shape) = serde_json::from_str::<Shape>(payload.get()) else { return Self::Direct };
        match (shape.request_context, shape.detail_type, shape.records) {
            (Some(_), _, _) => Self::Http,
            (None, Some(_), _) => serde_json::from_str(payload.get()).map_or(Self::Direct, Self::Bus),
            (None, None, Some(records)) => serde_json::from_str(records.get()).map_or(Self::NoBatch, Self::Records),
            (None, None, None) => Self::Direct,
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
        for direct in [r#"{"tenant_id":"ten_x"}"#, "[]", "[1,2]", "7", "null", "\"text\"", r#"{"detail-type":7}"#] {
            assert!(matches!(of(direct), Trigger::Direct), "{direct}");
        }
        let Trigger::Bus(event) = of(r#"{"id":"1","detail-type":"Postrider Event","detail":{"data":{"z":1.0}}}"#)
        else {
            panic!("not from a bus");
        };
        assert_eq!(event.detail.get(), r#"{"data":{"z":1.0}}"#);
    }

    #[test]
    fn a_batch_is_told_by_its_shape_and_each_record_is_its_own() {
        for (batch, records) in [
            (r#"{"Records":[]}"#, vec![]),
            (r#"{"Records":[{"messageId":"1"},5,"x",null]}"#, vec![r#"{"messageId":"1"}"#, "5", "\"x\"", "null"]),
        ] {
            let Trigger::Records(found) = of(batch) else { panic!("{batch}") };
            assert_eq!(found.iter().map(|record| record.get()).collect::<Vec<_>>(), records);
        }
        for no_batch in [r#"{"Records":5}"#, r#"{"Records":{}}"#, r#"{"Records":"x"}"#, r#"{"Records":true}"#] {
            assert!(matches!(of(no_batch), Trigger::NoBatch), "{no_batch}");
        }
        for direct in [r#"["Records"]"#, r#""Records""#, r#"{"a":{"Records":[]}}"#, r#"{"text":"\"Records\""}"#, "{}"] {
            assert!(matches!(of(direct), Trigger::Direct), "{direct}");
        }
    }

    #[test]
    fn a_misshapen_message_is_known_by_its_id() {
        let read = |text: &str| {
            let raw = RawValue::from_string(text.to_owned()).unwrap();
            (is_message(&raw), message(&raw).map(|message| message.message_id.unwrap_or_default()))
        };
        let (good, bad) = (|id: &str| Ok(id.to_owned()), |id: &str| Err(id.to_owned()));
        assert_eq!(read(r#"{"messageId":"1","eventSource":"aws:sqs","body":"{}"}"#), (true, good("1")));
        assert_eq!(read(r#"{"messageId":"1","eventSource":"aws:sqs","body":7}"#), (true, bad("1")));
        assert_eq!(read(r#"{"messageId":"1","eventSource":"aws:dynamodb","body":[]}"#), (false, bad("1")));
        for nameless in ["7", "null", "\"aws:sqs\"", r#"{"messageId":7}"#, r#"{"eventSource":7}"#] {
            assert_eq!(read(nameless), (false, bad("")), "{nameless}");
        }
    }

    #[test]
    fn a_note_is_bounded_whatever_an_envelope_is_called() {
        let detail = RawValue::from_string("{}".to_owned()).unwrap();
        let event = BusEvent { id: "i".repeat(2_000_000), detail_type: "é".repeat(2_000_000), detail };
        let note = event.refused(&ApiError::not_found("tenant")).text();
        assert!(note.len() < 1000, "{}", note.len());
        let note: Value = serde_json::from_str(&note).unwrap();
        for name in ["id", "detail_type"] {
            assert!(note[name].as_str().is_some_and(|text| (1..=64).contains(&text.chars().count())), "{note}");
        }
    }

    #[test]
    fn what_a_queue_does_not_hold_is_set_aside_without_its_data() {
        let event_of = |data: &str| {
            let detail = format!(r#"{{"tenant_id":"ten_x","id":"invoice 7","data":{data}}}"#);
            let detail = RawValue::from_string(detail).unwrap();
            BusEvent { id: "1".to_owned(), detail_type: "Postrider Event".to_owned(), detail }
        };
        let refused = |data: &str| {
            let note = event_of(data).refused(&ApiError::too_large("data", 7)).text();
            serde_json::from_str::<serde_json::Value>(&note).unwrap()
        };
        let expunged = event_of("{}").refused(&ApiError::event_expunged()).text();
        assert!(!expunged.contains("detail\"") && expunged.contains("invoice 7"), "{expunged}");
        assert_eq!(refused("{}")["detail"], r#"{"tenant_id":"ten_x","id":"invoice 7","data":{}}"#);
        let note = refused(&format!(r#"{{"a":"{}"}}"#, "\\\"".repeat(300_000)));
        assert_eq!((&note["tenant_id"], &note["event_id"]), (&"ten_x".into(), &"invoice 7".into()));
        assert_eq!((note.get("detail"), note["detail_bytes"].as_u64()), (None, Some(600_054)));
        assert_eq!(note["detail_sha256"].as_str().map(str::len), Some(64));
        assert!(note["reason"].as_str().unwrap().contains("`data`"), "{note}");
    }
}
