//! Why a webhook is not sent an event that is published now.

use crate::endpoint::{Endpoint, EndpointStatus};
use crate::event::Event;
use crate::filter::{Filter, Seen, Verdict};
use crate::invalid::Invalid;
use crate::named;
use crate::named::stored_by_name;

named! {
    /// Why, by its name in the API; in the order in which Postrider comes upon them.
    pub enum Withheld {
        /// Its dialect sends no events of this type.
        Dialect = "dialect",
        /// Its `events` do not take this type.
        NotSubscribed = "not_subscribed",
        /// Its filter lets no such event through.
        Filtered = "filtered",
        /// It is disabled: a delivery would be on record as cancelled.
        Disabled = "disabled",
    }
}

stored_by_name!(Withheld);

/// A reason, and the same in words for the webhook's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The reason.
    pub why: Withheld,
    /// In words; what a filter says is at most [`MAX_REASON_CHARS`](crate::filter::MAX_REASON_CHARS).
    pub explanation: String,
}

impl Reason {
    /// The first that holds for an active or disabled webhook, if any does.
    ///
    /// # Errors
    /// [`Invalid`] when the webhook's filter, or the event's `data`, cannot be read.
    pub fn of(endpoint: &Endpoint, event: &Event) -> Result<Option<Self>, Invalid> {
        let is_asked_for = || event.event_type.patterns().iter().any(|pattern| endpoint.events.contains(pattern));
        if !endpoint.dialect.catalogue.has(&event.event_type) {
            return Ok(Some(Self::that(Withheld::Dialect)));
        }
        if !is_asked_for() {
            return Ok(Some(Self::that(Withheld::NotSubscribed)));
        }
        if let Some(filter) = &endpoint.filter
            && let Verdict::Not(explanation) = said(filter, event)?
        {
            return Ok(Some(Self { why: Withheld::Filtered, explanation }));
        }
        Ok((endpoint.status == EndpointStatus::Disabled).then(|| Self::that(Withheld::Disabled)))
    }

    fn that(why: Withheld) -> Self {
        let explanation = match why {
            Withheld::Dialect => "this webhook's dialect sends no events of this type, whatever its `events` say",
            Withheld::NotSubscribed => "none of the patterns in this webhook's `events` takes this type",
            Withheld::Filtered => "this webhook's `filter` does not let this event through",
            Withheld::Disabled => "this webhook is disabled: its delivery would be cancelled at once",
        };
        Self { why, explanation: explanation.to_owned() }
    }
}

/// What a filter says of an event.
fn said(filter: &str, event: &Event) -> Result<Verdict, Invalid> {
    let seen = Seen::read(event.event_type.as_str(), &event.data, &event.tags)
        .map_err(|_| Invalid::new("data", "a JSON object"))?;
    Ok(Filter::parse(filter)?.judge(&seen))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::dialect::{DialectRef, NUR, STANDARD};
    use crate::id::{EndpointId, TenantId};

    #[test]
    fn the_first_reason_that_holds_is_told() {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let (active, disabled) = (EndpointStatus::Active, EndpointStatus::Disabled);
        for (dialect, pattern, status, event, expected) in [
            (&STANDARD, "invoice.*", active, "invoice.paid", None),
            (&STANDARD, "*", active, "invoice.paid", None),
            (&STANDARD, "invoice.*", disabled, "invoice.paid", Some(Withheld::Disabled)),
            (&STANDARD, "invoice.*", active, "invoice", Some(Withheld::NotSubscribed)),
            (&STANDARD, "invoice.*", disabled, "order.paid", Some(Withheld::NotSubscribed)),
            (&STANDARD, "*", active, "webhook.disabled", Some(Withheld::NotSubscribed)),
            (&NUR, "*", active, "dubbing.completed", None),
            (&NUR, "*", disabled, "invoice.paid", Some(Withheld::Dialect)),
            (&NUR, "voice.*", active, "invoice.paid", Some(Withheld::Dialect)),
        ] {
            let bare =
                Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url.clone(), DialectRef(dialect), at);
            let endpoint = Endpoint { events: vec![pattern.parse().unwrap()], status, ..bare };
            let event = Event { event_type: event.parse().unwrap(), ..crate::delivery::an_event(at) };
            assert_eq!(
                Reason::of(&endpoint, &event).unwrap().map(|reason| reason.why),
                expected,
                "{pattern} {event:?}"
            );
        }
    }

    #[test]
    fn a_filter_says_in_its_own_words_why() {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let bare = Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, DialectRef(&STANDARD), at);
        let filter = Some(r#"{"data":{"amount":[{"numeric":[">",10]}]}}"#.to_owned());
        let endpoint = Endpoint { events: vec!["*".parse().unwrap()], filter, ..bare };
        let of = |endpoint: &Endpoint, data: &str| {
            let event = Event { data: data.to_owned(), ..crate::delivery::an_event(at) };
            Reason::of(endpoint, &event)
        };
        assert_eq!(of(&endpoint, r#"{"amount":11}"#), Ok(None));
        let reason = of(&endpoint, r#"{"amount":9}"#).unwrap().unwrap();
        assert_eq!(reason.why, Withheld::Filtered);
        assert!(reason.explanation.contains("data.amount"), "{}", reason.explanation);
        let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint.clone() };
        assert_eq!(of(&disabled, r#"{"amount":9}"#).unwrap().unwrap().why, Withheld::Filtered, "in their order");
        assert_eq!(of(&disabled, r#"{"amount":11}"#).unwrap().unwrap().why, Withheld::Disabled);
        let unreadable = Endpoint { filter: Some(r#"{"data":{"a":[{"cidr":"x"}]}}"#.to_owned()), ..endpoint };
        assert!(of(&unreadable, "{}").is_err(), "of another version");
    }
}
