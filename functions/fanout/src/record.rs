//! Stream records: which event a record announces, checked like an event that comes by HTTP, since a producer may have
//! put the row itself.

use aws_lambda_events::dynamodb::EventRecord;
use postrider_domain::event::{Event, MAX_DATA_BYTES, check_data};
use postrider_domain::json;
use serde_dynamo::{AttributeValue, Item};
use serde_json::{Map, Value, json};

/// What a note in quarantine names as its source when a stream record is meant.
pub(crate) const SOURCE: &str = "events stream";

/// The event of a new row.
///
/// # Errors
/// Why the row is no event; nothing will make it one by itself, so it is set aside.
pub(crate) fn event_of(record: &EventRecord) -> Result<Event, String> {
    check(record.change.new_image.clone())
}

/// The event in a row.
///
/// # Errors
/// Why it is none.
pub(crate) fn check(row: Item) -> Result<Event, String> {
    // What a parser says may quote the row, so it is not repeated.
    let shape = "expected the strings tenant_id, id, event, data, timestamp (RFC 3339) and the number expires_at";
    let event: Event = serde_dynamo::from_item(row).map_err(|_| shape.to_owned())?;
    if event.data.len() > MAX_DATA_BYTES {
        return Err(format!("`data`: expected at most {MAX_DATA_BYTES} bytes"));
    }
    json::check(event.data.as_bytes()).map_err(|_| "`data`: expected JSON that every parser reads alike".to_owned())?;
    check_data(&event.data).map_err(|invalid| invalid.to_string())?;
    // A producer's role may put rows, but not with these (its policy bounds the attributes): they are ours to write.
    if !event.ours && (event.event_type.is_operational() || event.job_id.is_some() || event.announce.is_some()) {
        return Err("expected no event of a `webhook.*` type, nor a job's: those are Postrider's own".to_owned());
    }
    Ok(event)
}

/// What is set aside for a record that is no event: its key and the reason, never its data.
pub(crate) fn note(record: &EventRecord, reason: &str) -> Value {
    let text = |(name, value): (&String, &AttributeValue)| match value {
        AttributeValue::S(text) => Some((name.clone(), json!(text))),
        _ => None,
    };
    let keys: Map<String, Value> = record.change.keys.inner().iter().filter_map(text).collect();
    json!({
        "v": 1,
        "source": SOURCE,
        "keys": keys,
        "sequence_number": record.change.sequence_number,
        "reason": reason,
    })
}
