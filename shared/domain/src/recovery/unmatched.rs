//! Events that a webhook was never sent, since it did not ask for them when they were published: which of them it is sent now.

use jiff::Timestamp;

use super::Chosen;
use crate::endpoint::Endpoint;
use crate::event::{Event, EventType};
use crate::event_list::{Kind, Listed};
use crate::invalid::Invalid;
use crate::withheld::{Reason, Withheld};

impl Chosen {
    /// Whether a listed event may be for this webhook, by its type alone: what else there is to know stands in the event's row.
    pub fn may_take(&self, endpoint: &Endpoint, listed: &Listed) -> bool {
        listed.kind == Kind::ForWhoAsks && self.takes_type(&listed.event_type) && asks_for(endpoint, &listed.event_type)
    }

    /// Whether this webhook, as it is now, is sent this event at `now`. Whether it is disabled is asked elsewhere. A test and a job's
    /// event are for one endpoint alone, and an announcement is for workers; one whose time is over may be gone at any moment.
    ///
    /// # Errors
    /// [`Invalid`] when the webhook's filter, or the event's `data`, cannot be read.
    pub fn takes_event(&self, endpoint: &Endpoint, event: &Event, now: Timestamp) -> Result<bool, Invalid> {
        let is_for_who_asks = event.only_for().is_none() && event.announce.is_none();
        if !is_for_who_asks || event.expires_at <= now.as_second() || !self.takes_type(&event.event_type) {
            return Ok(false);
        }
        let withheld = Reason::of(endpoint, event)?.map(|reason| reason.why);
        Ok(matches!(withheld, None | Some(Withheld::Disabled)))
    }
}

fn asks_for(endpoint: &Endpoint, event: &EventType) -> bool {
    endpoint.dialect.catalogue.has(event) && endpoint.events.iter().any(|pattern| pattern.takes(event))
}
