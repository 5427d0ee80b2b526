//! Removes what an event says, for good.
//!
//! Its row goes first: from then on nobody reads it, and whoever publishes its key again is told. First attempts read events eventually
//! consistent, so the call waits until every replica has it; then it calls off what waits, and removes what receivers have answered,
//! which may repeat what they were sent. Who dies in between has removed the event; asked again, the rest follows. A delivery that
//! is put later is called off at its attempt.

use std::time::Duration;

use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use postrider_api::{ApiError, Caller, Request, Response};
use postrider_aws::{Failure, event_row};
use postrider_domain::event::Event;
use postrider_domain::id::{DeliveryId, EndpointId, EventId};
use postrider_host::{clock, entropy};
use tokio::time::{Instant, sleep_until};

use crate::handler::Ledger;

/// How far an eventually consistent read may be behind, at the most.
const A_REPLICA_IS_BEHIND: Duration = Duration::from_secs(1);
/// Webhooks whose deliveries are looked for together.
const PAGE: i32 = 100;
/// Deliveries that are changed side by side.
const AT_ONCE: usize = 16;

impl Ledger {
    /// Once this has answered, no POST starts from what is read after it.
    pub(crate) async fn expunge(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&["tenant_id"])?;
        let (tenant, _) = self.credentials.tenant_asked_for(request, caller).await?;
        let not_found = || ApiError::not_found("event");
        let id: EventId = id.parse().map_err(|_| not_found())?;
        let row = self.events.expunge(&tenant, &id, clock::now()).await?.ok_or_else(not_found)?;
        let everywhere = Instant::now() + A_REPLICA_IS_BEHIND;
        // What was no event had no deliveries.
        if let Some(event) = event_row::expunged(&row.into()) {
            sleep_until(everywhere).await;
            self.expunge_deliveries(&event).await?;
        }
        Ok(Response::no_content())
    }

    async fn expunge_deliveries(&self, event: &Event) -> Result<(), Failure> {
        if let Some(only) = event.only_for() {
            return self.expunge_at(event, &[only]).await;
        }
        let mut after: Option<EndpointId> = None;
        loop {
            let page = self.config.endpoint_ids(&event.tenant_id, PAGE, after.as_ref().map(EndpointId::as_str)).await?;
            self.expunge_at(event, &page.rows).await?;
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn expunge_at(&self, event: &Event, endpoints: &[EndpointId]) -> Result<(), Failure> {
        let id = |endpoint| DeliveryId::new(event.timestamp, endpoint, &event.id);
        let found = self.deliveries.get_many(endpoints.iter().map(id).collect()).await?;
        let each = found.into_iter().filter(|row| row.tenant_id == event.tenant_id).map(|row| async move {
            let mark = entropy::mark();
            self.deliveries.expunge(row, &mark).await
        });
        stream::iter(each.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).try_collect().await
    }
}

#[cfg(test)]
mod tests;
