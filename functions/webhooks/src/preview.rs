//! Previews: the request that an event would make, to the byte, by what composes those that are sent. Nothing of it is sent or kept.

use postrider_api::{ApiError, Caller, Fields, Request, Response, event_data, event_type};
use postrider_domain::event::EventType;
use postrider_domain::invalid::Invalid;
use postrider_domain::test_event::test_event;
use postrider_domain::withheld::Withheld;
use postrider_host::{clock, entropy};

use crate::handler::Webhooks;
use crate::previewed::Preview;

pub(crate) fn read(mut fields: Fields) -> Result<(EventType, String), ApiError> {
    let event: String = fields.require("event", "an event type such as `invoice.paid`")?;
    let data = fields.raw("data").ok_or_else(|| Invalid::new("data", "a JSON object"))?;
    fields.finish()?;
    Ok((event_type(&event)?, event_data(&data)?))
}

impl Webhooks {
    /// Shows what a webhook would be sent. The answer holds a signature, so nothing of it may be logged.
    pub(crate) async fn preview(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let endpoint = self.find(caller, id).await?;
        let what = read(request.fields()?)?;
        let now = clock::now();
        // It is put nowhere, so it may be for this webhook alone.
        let event = test_event(&endpoint, what, entropy::bits128(), now, now.as_second());
        let composed = self.composer.compose((caller.tenant()?, &endpoint), &event, now).await?;
        let why = Withheld::of(&endpoint, &event);
        Ok(Response::json(200, &Preview::of(&endpoint, &composed, why)))
    }
}
