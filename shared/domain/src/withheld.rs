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

named! {
    /// Why a webhook did not get an event that was published, judged by the webhook as it is now, by its name in the API; the first that
    /// holds, in this order.
    pub enum NotDelivered {
        /// It was deleted.
        Deleted = "deleted",
        /// Its dialect sends no events of this type.
        Dialect = "dialect",
        /// It was made after the event.
        CreatedLater = "created_later",
        /// It asks for the event now, and did not when the event was published: its `events` or its filter have changed since.
        ChangedSince = "changed_since",
        /// Its `events` do not take this type.
        NotSubscribed = "not_subscribed",
        /// Its filter lets no such event through.
        Filtered = "filtered",
    }
}

stored_by_name!(NotDelivered);

impl NotDelivered {
    /// The first that holds for a webhook without a delivery of this event. Nothing where there is none: then its delivery is on its way.
    /// `passes` says whether a filter lets the event through, and `asked_then` whether the webhook asked for it when it was published, as
    /// its subscriptions tell.
    ///
    /// # Errors
    /// What `passes` says.
    pub fn of<E>(
        endpoint: &Endpoint,
        event: &Event,
        passes: impl FnOnce(&str) -> Result<bool, E>,
        asked_then: bool,
    ) -> Result<Option<Self>, E> {
        let asks = || event.event_type.patterns().iter().any(|pattern| endpoint.events.contains(pattern));
        Ok(Some(match endpoint {
            _ if endpoint.deleted_at.is_some() => Self::Deleted,
            _ if !endpoint.dialect.catalogue.has(&event.event_type) => Self::Dialect,
            _ if endpoint.created_at > event.timestamp => Self::CreatedLater,
            _ if !asks() => Self::NotSubscribed,
            Endpoint { filter: Some(filter), .. } if !passes(filter)? => Self::Filtered,
            // As it is now it would take the event. A disabled one would, too, and get a delivery that is cancelled.
            _ if !asked_then => Self::ChangedSince,
            _ => return Ok(None),
        }))
    }
}

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
    fn the_first_reason_why_it_was_not_delivered_is_told() {
        let (at, later) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(9).unwrap());
        let url = "https://hooks.example/".to_owned();
        let bare = Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, DialectRef(&STANDARD), at);
        let asking = Endpoint { events: vec!["*".parse().unwrap()], ..bare.clone() };
        let filter = |text: &str| Some(text.to_owned());
        let event = crate::delivery::an_event(at);
        let of = |endpoint: &Endpoint, event: &Event, asked_then| {
            NotDelivered::of(endpoint, event, |filter| Ok::<_, Invalid>(filter == "passes"), asked_then).unwrap()
        };
        let deleted =
            Endpoint { deleted_at: Some(later), dialect: DialectRef(&NUR), created_at: later, ..bare.clone() };
        assert_eq!(of(&deleted, &event, true), Some(NotDelivered::Deleted));
        let other_type = Event { event_type: "invoice.paid".parse().unwrap(), ..event.clone() };
        let nur = Endpoint { dialect: DialectRef(&NUR), created_at: later, ..asking.clone() };
        assert_eq!(of(&nur, &other_type, true), Some(NotDelivered::Dialect));
        assert_eq!(of(&nur, &event, true), Some(NotDelivered::CreatedLater));
        assert_eq!(of(&asking, &event, false), Some(NotDelivered::ChangedSince));
        assert_eq!(of(&asking, &event, true), None, "it is on its way");
        let disabled = Endpoint { status: EndpointStatus::Disabled, ..asking.clone() };
        assert_eq!(
            (of(&disabled, &event, true), of(&disabled, &event, false)),
            (None, Some(NotDelivered::ChangedSince))
        );
        assert_eq!(of(&bare, &event, false), Some(NotDelivered::NotSubscribed));
        let filtered = |text: &str| Endpoint { filter: filter(text), ..asking.clone() };
        assert_eq!(of(&filtered("does not"), &event, true), Some(NotDelivered::Filtered));
        assert_eq!(of(&filtered("passes"), &event, false), Some(NotDelivered::ChangedSince));
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
