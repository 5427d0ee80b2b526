//! Stream records: which event a record announces, and what is written down about one that is none.

use aws_lambda_events::dynamodb::EventRecord;
use jiff::Timestamp;
use postrider_aws::event_row;
use postrider_aws::letters::Note;
use postrider_domain::event::Event;
use postrider_domain::time;
use serde_dynamo::AttributeValue;
use serde_json::{Map, Value, json};

/// What a note in quarantine names as its source when a stream record is meant.
pub(crate) const SOURCE: &str = "events stream";

/// The event of a new row.
///
/// # Errors
/// Why the row is no event; nothing will make it one by itself, so it is set aside.
pub(crate) fn event_of(record: &EventRecord) -> Result<Event, String> {
    event_row::read(record.change.new_image.clone(), written(record)).map_err(|invalid| invalid.to_string())
}

/// When the row was written, as the stream says; the epoch is what the library makes of a record that does not say.
fn written(record: &EventRecord) -> Option<Timestamp> {
    let at = Timestamp::from_millisecond(record.change.approximate_creation_date_time.timestamp_millis()).ok()?;
    (at > Timestamp::UNIX_EPOCH).then_some(at)
}

/// What is set aside for a record that is no event: its key, when it was written and the reason, never its data.
pub(crate) fn note(record: &EventRecord, reason: &str) -> Note {
    let text = |(name, value): (&String, &AttributeValue)| match value {
        AttributeValue::S(text) => Some((name.clone(), json!(text))),
        _ => None,
    };
    let keys: Map<String, Value> = record.change.keys.inner().iter().filter_map(text).collect();
    Note::new(SOURCE)
        .with("keys", keys)
        .with("sequence_number", json!(record.change.sequence_number))
        .with("written_at", json!(written(record).map(time::wire)))
        .because(reason)
}
