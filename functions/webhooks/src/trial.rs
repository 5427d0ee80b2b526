//! Tests of a webhook: an event of its owner's making that goes to this webhook alone.
//!
//! The event's row is all that is written here, by one conditional put, and from there on it goes the way of any other: fan-out makes
//! its one delivery, whose id follows from event and webhook and so is known before.

use postrider_api::{ApiError, Caller, Fields, Request, Response, event_data, event_type};
use postrider_aws::catalogue::NotTaken;
use postrider_domain::catalogue::Refusal;
use postrider_domain::endpoint::{Endpoint, EndpointStatus};
use postrider_domain::event::EventType;
use postrider_domain::id::DeliveryId;
use postrider_domain::invalid::Invalid;
use postrider_domain::test_event::{USUAL_DATA, test_event, usual_type};
use postrider_host::metrics::{self, Metric};
use postrider_host::{clock, entropy};
use serde_json::value::RawValue;

use crate::handler::Webhooks;
use crate::operations::disabled_webhook;
use crate::view::BegunTest;

/// What was asked for, as far as it was said.
pub(crate) struct Asked {
    event_type: Option<EventType>,
    data: Option<String>,
}

impl Asked {
    pub(crate) fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let event: Option<String> = fields.take_value("event", "an event type such as `invoice.paid`")?;
        let data: Option<Box<RawValue>> = fields.take_value("data", "a JSON object")?;
        fields.finish()?;
        Ok(Self {
            event_type: event.map(|event| event_type(&event, None)).transpose()?,
            data: data.map(|data| event_data(&data)).transpose()?,
        })
    }

    /// The event's type for this webhook.
    fn type_for(&self, endpoint: &Endpoint) -> Result<EventType, ApiError> {
        match &self.event_type {
            Some(event_type) if endpoint.dialect.catalogue.has(event_type) => Ok(event_type.clone()),
            Some(_) => Err(ApiError::unprocessable(Invalid::new("event", endpoint.dialect.catalogue.types()))),
            None => Ok(usual_type(endpoint)),
        }
    }
}

impl Webhooks {
    /// One conditional put is the whole of accepting a test. It takes from what the webhook's retries by hand take from.
    pub(crate) async fn test(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let asked = Asked::read(request.optional_fields()?)?;
        let (tenant, webhook) = caller.webhook(id)?;
        self.used_up.check(tenant, &webhook, clock::now())?;
        let endpoint = self.find(caller, id).await?;
        if endpoint.status == EndpointStatus::Disabled {
            return Err(disabled_webhook());
        }
        let what = self.what(asked, &endpoint).await?;
        self.used_up.take(&self.config, &endpoint.tenant_id, &endpoint.id).await??;
        let now = clock::now();
        let event = test_event(&endpoint, what, entropy::bits128(), now, now.as_second() + self.retention.seconds);
        // Nobody else knows its id: a row that is there is this very one, whose answer was lost.
        self.events.put(&event).await?;
        metrics::count(Metric::AcceptedEvents, 1);
        let delivery_id = DeliveryId::new(event.timestamp, &endpoint.id, &event.id);
        Ok(Response::json(202, &BegunTest { event_id: &event.id, delivery_id }))
    }

    /// The event's type and data: those that were asked for, or the type's example; held to the catalogue as a publication is.
    async fn what(&self, asked: Asked, endpoint: &Endpoint) -> Result<(EventType, String), ApiError> {
        let event_type = asked.type_for(endpoint)?;
        // A type of our own making, such as `invoice.test`, need not be in a closed catalogue.
        let is_made_up = asked.event_type.is_none() && !self.catalogue.knows(&event_type).await?;
        let given = match asked.data {
            Some(data) => Some(data),
            None => self.catalogue.example(&event_type).await?,
        };
        let is_usual = given.is_none();
        let data = given.unwrap_or_else(|| USUAL_DATA.to_owned());
        if is_made_up {
            return Ok((event_type, data));
        }
        match self.catalogue.judge(&event_type, &data).await {
            Err(NotTaken::Refused(Refusal::UnfitData(..))) if is_usual => {
                let expected = format!("data to test with: `{event_type}` has a schema, and no example");
                Err(ApiError::unprocessable(Invalid::new("data", expected)))
            }
            judged => Ok(judged.map(|()| (event_type, data))?),
        }
    }
}
