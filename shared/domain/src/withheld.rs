//! Why a webhook is not sent an event that is published now.

use crate::endpoint::{Endpoint, EndpointStatus};
use crate::event::Event;
use crate::named;
use crate::named::stored_by_name;

named! {
    /// Why, by its name in the API; in the order in which Postrider comes upon them.
    pub enum Withheld {
        /// Its dialect sends no events of this type.
        Dialect = "dialect",
        /// Its `events` do not take this type.
        NotSubscribed = "not_subscribed",
        /// It is disabled: a delivery would be on record as cancelled.
        Disabled = "disabled",
    }
}

stored_by_name!(Withheld);

impl Withheld {
    /// The first reason that holds for an active or disabled webhook, if any does.
    pub fn of(endpoint: &Endpoint, event: &Event) -> Option<Self> {
        let is_asked_for = || event.event_type.patterns().iter().any(|pattern| endpoint.events.contains(pattern));
        if !endpoint.dialect.catalogue.has(&event.event_type) {
            Some(Self::Dialect)
        } else if !is_asked_for() {
            Some(Self::NotSubscribed)
        } else if endpoint.status == EndpointStatus::Disabled {
            Some(Self::Disabled)
        } else {
            None
        }
    }

    /// The same in words for its owner.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Dialect => "this webhook's dialect sends no events of this type, whatever its `events` say",
            Self::NotSubscribed => "none of the patterns in this webhook's `events` takes this type",
            Self::Disabled => "this webhook is disabled: its delivery would be cancelled at once",
        }
    }
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
            assert_eq!(Withheld::of(&endpoint, &event), expected, "{pattern} {event:?}");
        }
    }
}
