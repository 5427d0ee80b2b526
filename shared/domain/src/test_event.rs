//! Tests of a webhook: an event of Postrider's making that goes to that webhook alone, whatever it has asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::dialect::Catalogue;
use crate::endpoint::Endpoint;
use crate::event::{Event, EventPattern, EventType};
use crate::id::EventId;

/// The event of a test. Its id is random: each test is one of its own.
pub fn test_event(
    endpoint: &Endpoint,
    (event_type, data): (EventType, String),
    random: u128,
    timestamp: Timestamp,
    expires_at: i64,
) -> Event {
    Event {
        tenant_id: endpoint.tenant_id.clone(),
        id: EventId::fresh(random),
        event_type,
        data,
        timestamp,
        expires_at,
        ours: true,
        counted: false,
        job_id: None,
        test_of: Some(endpoint.id.clone()),
        announce: None,
        tags: BTreeMap::new(),
        traceparent: None,
    }
}

/// The type of a test where nobody says which: the first that the webhook asks for by its whole name; else one that its widest pattern
/// takes. What its dialect does not send it is not, nor an operational one, whatever it asks for.
pub fn usual_type(endpoint: &Endpoint) -> EventType {
    let (patterns, catalogue) = (&endpoint.events, endpoint.dialect.catalogue);
    let is_sent = |event: &EventType| !event.is_operational() && catalogue.has(event);
    let named =
        patterns.iter().filter(|pattern| !pattern.is_wildcard()).filter_map(EventPattern::any_type).find(is_sent);
    let otherwise = || match catalogue {
        Catalogue::Only(types) => {
            let asked = types.iter().filter(|name| patterns.iter().any(|pattern| pattern.matches_text(name)));
            asked.chain(types).find_map(|name| catalogue.read_type(name).ok())
        }
        Catalogue::Open(_) => {
            let mut widest_first: Vec<_> = patterns.iter().collect();
            widest_first.sort_by_key(|pattern| pattern.segments());
            widest_first.into_iter().filter_map(EventPattern::any_type).find(is_sent)
        }
    };
    named.or_else(otherwise).unwrap_or_else(EventType::of_a_test)
}

/// What a test says where nobody says what.
pub const USUAL_DATA: &str = r#"{"test":true}"#;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dialect::{DialectRef, NUR, STANDARD};
    use crate::id::{EndpointId, TenantId};

    fn asking_for(dialect: DialectRef, events: &[&str]) -> Endpoint {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let events = events.iter().map(|event| event.parse().unwrap()).collect();
        Endpoint { events, ..Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, dialect, at) }
    }

    #[test]
    fn a_test_is_of_a_type_that_the_webhook_asks_for() {
        let usual = |events: &[&str]| String::from(usual_type(&asking_for(DialectRef(&STANDARD), events)));
        let long = format!("{}.*", "a".repeat(126));
        for (events, expected) in [
            (&["invoice.*", "order.paid", "order.sent"][..], "order.paid"),
            (&["invoice.paid.*", "order.*"], "order.test"),
            (&["invoice.*", "*"], "test"),
            (&["webhook.disabled", "invoice.paid"], "invoice.paid"),
            (&["webhook.disabled", "webhook.*"], "test"),
            (&[long.as_str()], "test"),
            (&[], "test"),
        ] {
            assert_eq!(usual(events), expected, "{events:?}");
        }
    }

    #[test]
    fn a_closed_catalogues_test_is_the_first_of_it_that_is_asked_for() {
        let usual = |events: &[&str]| String::from(usual_type(&asking_for(DialectRef(&NUR), events)));
        for (events, expected) in [
            (&["*"][..], "dubbing.completed"),
            (&["voice.clone.*", "agent.*"], "voice.clone.completed"),
            (&["*", "agent.session.ended"], "agent.session.ended"),
            // Asked for before the catalogue was closed.
            (&["invoice.paid"], "dubbing.completed"),
        ] {
            assert_eq!(usual(events), expected, "{events:?}");
        }
    }

    #[test]
    fn a_test_goes_to_its_webhook_and_is_ours_and_uncounted() {
        let endpoint = asking_for(DialectRef(&STANDARD), &["a"]);
        let what = (usual_type(&endpoint), USUAL_DATA.to_owned());
        let event = test_event(&endpoint, what, 7, Timestamp::UNIX_EPOCH, 60);
        assert_eq!(event.only_for(), Some(endpoint.id));
        assert_eq!((event.tenant_id, event.ours, event.counted), (endpoint.tenant_id, true, false));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_asked_for_a_test_is_of_a_type_that_is_sent_and_asked_for_if_any_is(
            events in prop::collection::vec("(webhook|a|dubbing|voice)(\\.(completed|clone|disabled)){0,2}(\\.\\*)?|\\*", 0..6)
        ) {
            let events: Vec<&str> = events.iter().map(String::as_str).collect();
            for dialect in [&STANDARD, &NUR] {
                let endpoint = asking_for(DialectRef(dialect), &events);
                let usual = usual_type(&endpoint);
                prop_assert!(!usual.is_operational() && dialect.catalogue.has(&usual));
                let asks = |pattern: &EventPattern| {
                    pattern.any_type().is_some_and(|event| !event.is_operational()) && dialect.catalogue.accepts(pattern)
                };
                let is_asked_for = usual.patterns().iter().any(|pattern| endpoint.events.contains(pattern));
                prop_assert_eq!(is_asked_for, endpoint.events.iter().any(asks), "{:?} {}", events, usual);
            }
        }
    }
}
