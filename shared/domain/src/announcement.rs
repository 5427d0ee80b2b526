//! What Postrider puts on the stack's bus, for the provider's own services.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::detail_type::DetailType;
use crate::event::{Announce, Event};
use crate::time;

/// An entry of the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement<'a> {
    /// By which rules tell it from others.
    pub detail_type: DetailType,
    /// A JSON object.
    pub detail: Cow<'a, str>,
}

#[derive(Serialize)]
struct Notice<'a> {
    tenant_id: &'a str,
    id: &'a str,
    event: &'a str,
    timestamp: String,
    data: &'a RawValue,
}

impl<'a> Announcement<'a> {
    /// As what an event is put on the bus, if it is: a new job, or what we tell of a tenant's webhooks. The latter is told by its type's
    /// namespace, in which nobody else publishes, so a new type of ours is on the bus without a word here. A test that says the same is
    /// none: nothing of the kind has happened.
    pub fn of(event: &'a Event) -> Option<Self> {
        match event.announce {
            // Of what was expunged there is nothing left to tell.
            Some(_) if event.is_expunged() => None,
            Some(Announce::JobCreated) => {
                Some(Self { detail_type: DetailType::JobCreated, detail: Cow::Borrowed(&event.data) })
            }
            None if event.ours && event.test_of.is_none() && event.event_type.is_operational() => {
                Self::of_notice(event)
            }
            None => None,
        }
    }

    fn of_notice(event: &Event) -> Option<Self> {
        let notice = Notice {
            tenant_id: event.tenant_id.as_str(),
            id: event.id.as_str(),
            event: event.event_type.as_str(),
            timestamp: time::wire(event.timestamp),
            // What is no JSON is no notice of ours.
            data: serde_json::from_str(&event.data).ok()?,
        };
        let detail = serde_json::to_string(&notice).ok()?;
        Some(Self { detail_type: DetailType::Notice, detail: Cow::Owned(detail) })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::delivery::an_event;
    use crate::event::{EventType, OwnType};
    use crate::id::EndpointId;

    fn of_ours(own: OwnType) -> Event {
        let data = r#"{"webhook_id": "wh_1", "count": 1.50}"#.to_owned();
        Event { event_type: EventType::from(own), ours: true, data, ..an_event(Timestamp::UNIX_EPOCH) }
    }

    #[test]
    fn a_notice_says_whose_it_is_and_what_its_webhooks_are_told_to_the_letter() {
        let event = of_ours(OwnType::WebhookDisabled);
        let told = Announcement::of(&event).unwrap();
        let expected = format!(
            r#"{{"tenant_id":"{}","id":"{}","event":"webhook.disabled","timestamp":"1970-01-01T00:00:00.000Z","data":{}}}"#,
            event.tenant_id, event.id, event.data
        );
        assert_eq!((told.detail_type.as_str(), told.detail.as_ref()), ("Postrider Notice", expected.as_str()));
    }

    #[test]
    fn whatever_we_tell_of_webhooks_is_on_the_bus_and_no_jobs_end_and_nobody_elses_event() {
        for &own in OwnType::ALL {
            let event = of_ours(own);
            let expected = event.event_type.is_operational().then_some(DetailType::Notice);
            assert_eq!(Announcement::of(&event).map(|told| told.detail_type), expected, "{own:?}");
            let test = Event { test_of: Some(EndpointId::new(Timestamp::UNIX_EPOCH, 1)), ..event.clone() };
            assert_eq!(Announcement::of(&test), None, "a test tells of nothing that happened");
            assert_eq!(Announcement::of(&Event { ours: false, ..event }), None, "a producer's row is no notice");
        }
        let job = Event { announce: Some(Announce::JobCreated), ..of_ours(OwnType::JobCreated) };
        let told = Announcement::of(&job).unwrap();
        assert_eq!((told.detail_type, told.detail.as_ref()), (DetailType::JobCreated, job.data.as_str()));
    }
}
