//! Bodies: laid out once per attempt, and what is laid out is what is signed and sent, byte for byte.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::event::Event;
use crate::id::EndpointId;
use crate::time;

/// How a dialect lays out a body; fields in this order, `data` as the producer wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyShape {
    /// `{id, event, data, timestamp, webhook_id}`
    IdEventDataTimestampWebhook,
    /// `{type, timestamp, data}`; the id travels in a header.
    TypeTimestampData,
    /// `data` by itself, without an envelope.
    DataAlone,
}

#[derive(Serialize)]
struct IdEventDataTimestampWebhook<'a> {
    id: &'a str,
    event: &'a str,
    data: &'a RawValue,
    timestamp: String,
    webhook_id: &'a str,
}

#[derive(Serialize)]
struct TypeTimestampData<'a> {
    r#type: &'a str,
    timestamp: String,
    data: &'a RawValue,
}

/// The body of this event for this endpoint.
///
/// # Errors
/// When the row's `data` is no JSON; nothing that came in through the API is.
pub fn body(shape: BodyShape, event: &Event, endpoint: &EndpointId) -> serde_json::Result<Vec<u8>> {
    let data: &RawValue = serde_json::from_str(&event.data)?;
    let timestamp = time::wire(event.timestamp);
    match shape {
        BodyShape::IdEventDataTimestampWebhook => serde_json::to_vec(&IdEventDataTimestampWebhook {
            id: event.id.as_str(),
            event: event.event_type.as_str(),
            data,
            timestamp,
            webhook_id: endpoint.as_str(),
        }),
        BodyShape::DataAlone => Ok(event.data.clone().into_bytes()),
        BodyShape::TypeTimestampData => {
            serde_json::to_vec(&TypeTimestampData { r#type: event.event_type.as_str(), timestamp, data })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EventId, TenantId};
    use jiff::Timestamp;

    fn event(data: &str) -> Event {
        Event {
            tenant_id: TenantId::new(Timestamp::UNIX_EPOCH, 1),
            id: EventId::fresh(7),
            event_type: "dubbing.completed".parse().unwrap(),
            data: data.to_owned(),
            timestamp: time::parse("t", "2026-01-15T14:30:00Z").unwrap(),
            expires_at: 0,
            ours: false,
            counted: false,
            job_id: None,
            test_of: None,
            announce: None,
            tags: std::collections::BTreeMap::new(),
            traceparent: None,
        }
    }

    #[test]
    fn data_keeps_its_key_order_and_the_spelling_of_its_numbers() {
        let data = r#"{"z":1.0,"a":12345678901234567890123,"e":1e5,"s":"\u00e9é"}"#;
        let endpoint = EndpointId::new(Timestamp::UNIX_EPOCH, 3);
        let body = body(BodyShape::IdEventDataTimestampWebhook, &event(data), &endpoint).unwrap();
        let expected = format!(
            r#"{{"id":"evt_00000000000000000007","event":"dubbing.completed","data":{data},"timestamp":"2026-01-15T14:30:00.000Z","webhook_id":"{endpoint}"}}"#
        );
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn the_id_can_travel_outside_the_body() {
        let endpoint = EndpointId::new(Timestamp::UNIX_EPOCH, 3);
        let body = body(BodyShape::TypeTimestampData, &event("{}"), &endpoint).unwrap();
        let expected = r#"{"type":"dubbing.completed","timestamp":"2026-01-15T14:30:00.000Z","data":{}}"#;
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
