//! An endpoint as the plain list of webhooks shows it, and how much of that list it takes.

use jiff::Timestamp;
use serde::Serialize;

use super::{Endpoint, EndpointStatus};
use crate::event::EventPattern;
use crate::id::EndpointId;
use crate::time;

/// The five fields that a list shows.
#[derive(Debug, Serialize)]
pub struct Listed<'a> {
    id: &'a EndpointId,
    url: &'a str,
    events: &'a [EventPattern],
    created_at: String,
    status: EndpointStatus,
}

impl Endpoint {
    /// As a list shows it.
    pub fn listed(&self) -> Listed<'_> {
        let (id, url, events) = (&self.id, self.url.as_str(), self.events.as_slice());
        Listed { id, url, events, created_at: time::wire(self.created_at), status: self.status }
    }

    /// The bytes of the plain list for which it counts: those that it was counted with, or that it would be by what it shows.
    pub fn counted(&self) -> u64 {
        self.counted_bytes.unwrap_or_else(|| bytes(&self.id, &self.url, &self.events, self.created_at))
    }

    /// It with the bytes of the plain list that it takes by what it shows now, and how many they are.
    #[must_use]
    pub fn counted_anew(self) -> (Self, u64) {
        let bytes = bytes(&self.id, &self.url, &self.events, self.created_at);
        (Self { counted_bytes: Some(bytes), ..self }, bytes)
    }
}

/// What an endpoint takes in a list, with the comma behind it. As if it were disabled, which is the longer word: others than its
/// owner disable it, and that must not change what was counted.
pub fn bytes(id: &EndpointId, url: &str, events: &[EventPattern], created_at: Timestamp) -> u64 {
    let listed = Listed { id, url, events, created_at: time::wire(created_at), status: EndpointStatus::Disabled };
    // Nothing of it can fail to be JSON.
    serde_json::to_vec(&listed).map_or(0, |json| json.len() as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{DialectRef, NUR};
    use crate::id::TenantId;

    fn endpoint(events: &[&str]) -> Endpoint {
        let at = Timestamp::UNIX_EPOCH;
        let events = events.iter().map(|name| name.parse().unwrap()).collect();
        let url = "https://hooks.example/\u{e9}".to_owned();
        Endpoint { events, ..Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, DialectRef(&NUR), at) }
    }

    #[test]
    fn it_takes_what_the_list_shows_of_it_and_a_comma() {
        let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint(&["a.b", "*"]) };
        let shown = serde_json::to_string(&disabled.listed()).unwrap();
        assert!(shown.starts_with(r#"{"id":"wh_"#) && shown.contains("\u{e9}"), "{shown}");
        assert_eq!(disabled.counted(), shown.len() as u64 + 1);
    }

    #[test]
    fn who_disables_it_changes_nothing_that_was_counted() {
        let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint(&["a.b"]) };
        assert_eq!(disabled.counted(), endpoint(&["a.b"]).counted());
    }

    #[test]
    fn what_it_was_counted_with_stays_until_it_is_counted_anew() {
        let (counted, bytes) = endpoint(&["a.b"]).counted_anew();
        let longer = Endpoint { url: format!("{}123", counted.url), ..counted };
        assert_eq!((longer.counted(), longer.counted_anew().1), (bytes, bytes + 3));
    }
}
