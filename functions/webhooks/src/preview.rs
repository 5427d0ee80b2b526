//! Previews: the request that an event would make, to the byte, by what composes those that are sent. Nothing of it is sent or kept.

use std::collections::BTreeMap;

use postrider_api::{ApiError, Caller, EventFields, Fields, Request, Response};
use postrider_aws::Failure;
use postrider_domain::catalogue::BuiltIn;
use postrider_domain::event::{Event, EventType};
use postrider_domain::invalid::Invalid;
use postrider_domain::test_event::test_event;
use postrider_domain::withheld::Reason;
use postrider_host::{clock, entropy};

use crate::handler::Webhooks;
use crate::previewed::Preview;

/// An event that never happens.
pub(crate) struct Supposed {
    event_type: EventType,
    data: String,
    tags: BTreeMap<String, String>,
}

impl Supposed {
    pub(crate) fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let said = EventFields::take(&mut fields)?;
        fields.finish()?;
        let event_type = said.any_type()?;
        if event_type.is_operational() && BuiltIn::named(&event_type).is_none() {
            return Err(Invalid::new("event", "one of Postrider's own events, or a type outside `webhook.*`").into());
        }
        let (data, tags) = said.data_and_tags()?;
        Ok(Self { event_type, data, tags })
    }
}

impl Webhooks {
    /// Shows what a webhook would be sent. The answer holds a signature, so nothing of it may be logged.
    pub(crate) async fn preview(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let endpoint = self.find(caller, id).await?;
        let Supposed { event_type, data, tags } = Supposed::read(request.fields()?)?;
        // What nobody could publish nobody is sent.
        self.catalogue.judge(&event_type, &data).await?;
        let now = clock::now();
        // It is put nowhere, so it may be for this webhook alone.
        let event = test_event(&endpoint, (event_type, data), entropy::bits128(), now, now.as_second());
        let event = Event { tags, ..event };
        let composed = self.composer.compose_masked((caller.tenant()?.0, &endpoint), &event, now).await?;
        let reason = Reason::of(&endpoint, &event).map_err(|invalid| Failure::unreadable("a filter", invalid))?;
        Ok(Response::json(200, &Preview::of(&endpoint, &composed, reason)))
    }
}
