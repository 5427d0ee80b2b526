//! Stream records: which event a record announces, checked like an event that comes by HTTP, since a producer may have
//! put the row itself.

use aws_lambda_events::dynamodb::EventRecord;
use postrider_domain::event::{Event, MAX_DATA_BYTES, check_data};
use postrider_domain::json;
use serde_json::{Value, json};

/// The event of a new row.
///
/// # Errors
/// Why the row is no event; nothing will make it one, so it is set aside.
pub(crate) fn event_of(record: &EventRecord) -> Result<Event, String> {
    let event: Event = serde_dynamo::from_item(record.change.new_image.clone()).map_err(|error| error.to_string())?;
    if event.data.len() > MAX_DATA_BYTES {
        return Err(format!("`data`: expected at most {MAX_DATA_BYTES} bytes"));
    }
    json::check(event.data.as_bytes()).map_err(|why| format!("`data`: expected valid JSON; {why}"))?;
    check_data(&event.data).map_err(|invalid| invalid.to_string())?;
    Ok(event)
}

/// What is set aside for a record that is no event: its key and the reason, never its data.
pub(crate) fn note(record: &EventRecord, reason: &str) -> Value {
    let keys: Value = serde_json::to_value(&record.change.keys).unwrap_or_default();
    json!({
        "v": 1,
        "source": "events stream",
        "keys": keys,
        "sequence_number": record.change.sequence_number,
        "reason": reason,
    })
}
