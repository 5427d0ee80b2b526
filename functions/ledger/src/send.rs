//! Sends one event to one webhook that did not get it, whatever that asks for; also to one that was made after the event.

use std::time::Duration;

use postrider_api::{ApiError, Caller, Request, Response, kept_event};
use postrider_aws::{Recorded, event_row};
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::EndpointStatus;
use postrider_domain::event::Event;
use postrider_domain::id::{DeliveryId, EventId};
use postrider_domain::invalid::Invalid;
use postrider_domain::message::Message;
use postrider_host::{clock, entropy};

use crate::handler::Ledger;
use crate::view::Sent;

impl Ledger {
    /// One conditional put is the whole of it: the delivery's id follows from event and webhook, as fan-out's does, so there is one however
    /// often it is asked for, and whoever else puts it. It is due from then on.
    pub(crate) async fn send(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let mut fields = request.fields()?;
        let webhook: String = fields.require("webhook_id", "a webhook's id")?;
        fields.finish()?;
        let event = self.event_to_send(caller, id).await?;
        let endpoint = self.endpoint(caller, &webhook).await?;
        self.used_up.check(&endpoint.tenant_id, &endpoint.id, clock::now())?;
        if event.only_for().is_some() {
            return Err(ApiError::unprocessable(Invalid::new("id", "an event that is not for one place alone")));
        }
        if !endpoint.dialect.catalogue.has(&event.event_type) {
            let expected = format!("a webhook whose dialect sends {}", event.event_type);
            return Err(ApiError::unprocessable(Invalid::new("webhook_id", expected)));
        }
        if endpoint.status == EndpointStatus::Disabled {
            return Err(ApiError::conflict("this webhook is disabled; enable it first"));
        }
        let delivery_id = DeliveryId::new(event.timestamp, &endpoint.id, &event.id);
        if self.deliveries.get(&delivery_id).await?.is_some() {
            return Err(has_it(&delivery_id));
        }
        self.used_up.take(&self.config, &endpoint.tenant_id, &endpoint.id).await??;
        let now = clock::now();
        let row = Delivery::asked_for(&event, endpoint.id, now, now.as_second() + self.retention.seconds);
        if self.deliveries.put_asked(&row, &entropy::mark()).await? == Recorded::Overtaken {
            return Err(has_it(&row.id));
        }
        // Should this be lost, the row is due, and the sweep brings it.
        if let Err(error) = self.retry_queue.send(&Message::next(&row).probing(), Duration::ZERO).await {
            tracing::warn!(delivery_id = %row.id, error = %error, "send.left_to_the_sweep");
        }
        Ok(Response::json(202, &Sent { delivery_id: row.id }))
    }

    /// An event that there is something of to send.
    async fn event_to_send(&self, caller: &Caller, id: &str) -> Result<Event, ApiError> {
        let not_found = || ApiError::not_found("event");
        let (tenant, reach) = caller.tenant()?;
        let id: EventId = id.parse().map_err(|_| not_found())?;
        let row: event_row::Row = self.events.get_item(&tenant.id, &id).await?.ok_or_else(not_found)?.into();
        if event_row::expunged_at(&row).is_some() {
            return Err(ApiError::event_expunged());
        }
        let event = kept_event(row)?;
        if reach.sees(&event) { Ok(event) } else { Err(not_found()) }
    }
}

fn has_it(id: &DeliveryId) -> ApiError {
    ApiError::conflict(format!("this webhook has this event already: {id}; retry that delivery to send it again"))
}

#[cfg(test)]
mod tests;
