//! The routes.

use std::time::Duration;

use postrider_api::KeyAccess::{Bearer, Header};
use postrider_api::Sessions::{ForAllWith, Never, With};
use postrider_api::{ApiError, Caller, Credentials, KeyAccess, Paging, Request, Response, Route, Routed};
use postrider_aws::config_table::ConfigTable;
use postrider_aws::deliveries_table::{DeliveriesTable, Filter};
use postrider_aws::event_row;
use postrider_aws::events_table::EventsTable;
use postrider_aws::jobs_table::JobsTable;
use postrider_aws::queue::Queue;
use postrider_aws::recoverer::Recoverer;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::used_up::UsedUp;
use postrider_aws::{Failure, Recorded, rows};
use postrider_domain::attempt::Place as Order;
use postrider_domain::delivery::{Delivery, Reason};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::id::{DeliveryId, EndpointId, TenantId};
use postrider_domain::key::Scope;
use postrider_domain::message::Message;
use postrider_domain::obstacle::{Missing, obstacle};
use postrider_domain::portal::Capability;
use postrider_domain::tenant::Tenant;
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::{clock, entropy};

use crate::places::Places;
use crate::rebuilt::Rebuilder;
use crate::requests::Include;
use crate::{operations, stats, view};

mod cancellations;
mod job_recoveries;
mod lists;
mod recoveries;
#[cfg(test)]
pub(crate) mod tests;

/// How long a caller is kept waiting while a recovery or a cancellation begins.
const WHILE_THE_CALLER_WAITS: Duration = Duration::from_secs(4);

/// What whoever asked for a recovery does where nobody answered.
const AGAIN: &str = "a second recovery sends nothing twice: repeat it";

/// What the routes need.
pub struct Ledger {
    pub(crate) credentials: Credentials,
    pub(crate) config: ConfigTable,
    pub(crate) deliveries: DeliveriesTable,
    pub(crate) retry_queue: Queue,
    recoverer: Recoverer,
    jobs: JobsTable,
    pub(crate) events: EventsTable,
    places: Places,
    rebuilder: Rebuilder,
    pub(crate) used_up: UsedUp,
    pub(crate) retention: Retention,
}

impl Routed for Ledger {
    type Access = KeyAccess;
    type Caller = Caller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::get(
            "/v1/webhooks/{id}/deliveries",
            Header(Scope::DeliveriesRead, With(Capability::View)),
            operations::list,
            |it, request, caller, [id, _]| Box::pin(it.list(request, caller, id)),
        ),
        Route::post(
            "/v1/webhooks/{id}/recover",
            Header(Scope::DeliveriesWrite, With(Capability::Send)),
            operations::recover,
            |it, request, caller, [id, _]| Box::pin(it.recover(request, caller, id)),
            AGAIN,
        ),
        Route::get(
            "/v1/webhooks/{id}/recover/{recovery_id}",
            Header(Scope::DeliveriesRead, With(Capability::View)),
            operations::recovery,
            |it, request, caller, [id, recovery]| Box::pin(it.recovery(request, caller, id, recovery)),
        ),
        Route::post(
            "/v1/jobs/recover",
            Header(Scope::DeliveriesWrite, ForAllWith(Capability::Send)),
            operations::recover_tasks,
            |it, request, caller, _| Box::pin(it.recover_tasks(request, caller)),
            AGAIN,
        ),
        Route::get(
            "/v1/jobs/recover/{recovery_id}",
            Header(Scope::DeliveriesRead, ForAllWith(Capability::View)),
            operations::tasks_recovery,
            |it, request, caller, [recovery, _]| Box::pin(it.tasks_recovery(request, caller, recovery)),
        ),
        Route::post(
            "/api/v1/jobs/recover",
            Bearer(Scope::DeliveriesWrite, ForAllWith(Capability::Send)),
            operations::recover_generations,
            |it, request, caller, _| Box::pin(it.recover_generations(request, caller)),
            AGAIN,
        ),
        Route::get(
            "/api/v1/jobs/recover/{recovery_id}",
            Bearer(Scope::DeliveriesRead, ForAllWith(Capability::View)),
            operations::generations_recovery,
            |it, request, caller, [recovery, _]| Box::pin(it.generations_recovery(request, caller, recovery)),
        ),
        Route::get(
            "/v1/webhooks/{id}/stats",
            Header(Scope::WebhooksRead, With(Capability::View)),
            operations::stats,
            |it, request, caller, [id, _]| Box::pin(it.stats(request, caller, id)),
        ),
        Route::post(
            "/v1/webhooks/{id}/cancel-pending",
            Header(Scope::DeliveriesWrite, With(Capability::Send)),
            operations::cancel_pending,
            |it, request, caller, [id, _]| Box::pin(it.cancel_pending(request, caller, id)),
            "a second call calls nothing off twice: repeat it",
        ),
        Route::get(
            "/v1/webhooks/{id}/cancel-pending/{cancellation_id}",
            Header(Scope::DeliveriesRead, With(Capability::View)),
            operations::cancellation,
            |it, request, caller, [id, cancellation]| Box::pin(it.cancellation(request, caller, id, cancellation)),
        ),
        Route::get(
            "/v1/deliveries",
            Header(Scope::DeliveriesRead, With(Capability::View)),
            operations::find_many,
            |it, request, caller, _| Box::pin(it.find_many(request, caller)),
        ),
        Route::get(
            "/v1/deliveries/{id}",
            Header(Scope::DeliveriesRead, With(Capability::View)),
            operations::get,
            |it, request, caller, [id, _]| Box::pin(it.get(request, caller, id)),
        ),
        Route::post(
            "/v1/deliveries/{id}/retry",
            Header(Scope::DeliveriesWrite, With(Capability::Send)),
            operations::retry,
            |it, request, caller, [id, _]| Box::pin(it.retry(request, caller, id)),
            "look at the delivery before you repeat it",
        ),
        Route::post(
            "/v1/deliveries/{id}/cancel",
            Header(Scope::DeliveriesWrite, With(Capability::Send)),
            operations::cancel,
            |it, request, caller, [id, _]| Box::pin(it.cancel(request, caller, id)),
            "look at the delivery before you repeat it",
        ),
        Route::post(
            "/v1/events/{id}/send",
            Bearer(Scope::DeliveriesWrite, With(Capability::Send)),
            operations::send,
            |it, request, caller, [id, _]| Box::pin(it.send(request, caller, id)),
            "a second call sends nothing twice: repeat it",
        ),
        Route::delete(
            "/v1/events/{id}/data",
            Bearer(Scope::EventsWrite, Never),
            operations::expunge,
            |it, request, caller, [id, _]| Box::pin(it.expunge(request, caller, id)),
        ),
    ];

    async fn admit(&self, request: &Request, access: &KeyAccess) -> Result<Caller, ApiError> {
        self.credentials.caller(request, access).await
    }
}

impl Ledger {
    /// From the settings that the template gives it.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let (config, jobs, events) =
            (ConfigTable::from_env(sdk)?, JobsTable::from_env(sdk)?, EventsTable::from_env(sdk)?);
        Ok(Self {
            credentials: Credentials::new(config.clone()),
            places: Places::new(config.clone(), jobs.clone()),
            rebuilder: Rebuilder::new(config.clone(), jobs.clone(), events.clone(), env::user_agent()?),
            config,
            deliveries: DeliveriesTable::from_env(sdk)?,
            retry_queue: Queue::retry(sdk)?,
            recoverer: Recoverer::from_env(sdk)?,
            jobs,
            events,
            used_up: UsedUp::default(),
            retention: env::retention()?,
        })
    }

    async fn get(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&["limit", "cursor", "include"])?;
        let paging: Paging<Order> = Paging::of(request)?;
        let is_with_request = request.query("include")?.map(Include::named).transpose()?.is_some();
        let limit = match request.query("limit")? {
            Some(_) => Some(usize::try_from(paging.limit).unwrap_or(view::ATTEMPTS)),
            None => paging.after.as_ref().map(|_| view::ATTEMPTS),
        };
        let delivery = self.deliveries.with_earlier(self.find(caller, id).await?).await?;
        let places = self.places.of(std::slice::from_ref(&delivery)).await?;
        let place = places.of(&delivery);
        let request = if is_with_request { Some(self.rebuilder.of(caller.tenant()?, &delivery).await?) } else { None };
        let shown = match limit {
            Some(limit) => view::delivery_from(&delivery, place, limit, paging.after.as_ref()),
            None => view::delivery(&delivery, place),
        };
        Ok(Response::json(200, &shown.with(request)))
    }

    /// A full new round of attempts under the same event id. What waits for a later time is brought forward.
    async fn retry(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.optional_fields()?.finish()?;
        let (tenant, reach) = caller.tenant()?;
        if let Some(webhook) = id.parse().ok().map(|id: DeliveryId| id.endpoint()).filter(|webhook| reach.has(webhook))
        {
            self.used_up.check(&tenant.id, &webhook, clock::now())?;
        }
        let before = self.find(caller, id).await?;
        let after = before.asked_again(clock::now()).map_err(|why| ApiError::conflict(why.to_string()))?;
        self.check_deliverable(tenant, &before).await?;
        self.used_up.take(&self.config, &before.tenant_id, &before.endpoint_id).await??;
        if self.deliveries.begin_round(&before, &after, &entropy::mark()).await? == Recorded::Overtaken {
            return Err(overtaken());
        }
        // Should this be lost, the row is due, and the sweep brings it.
        if let Err(error) = self.retry_queue.send(&Message::next(&after).probing(), Duration::ZERO).await {
            tracing::warn!(delivery_id = %after.id, error = %error, "retry.left_to_the_sweep");
        }
        self.show(202, after).await
    }

    /// Refuses a round that could only be cancelled: the delivery would look worse than before.
    async fn check_deliverable(&self, tenant: &Tenant, row: &Delivery) -> Result<(), ApiError> {
        let endpoint = match &row.job_id {
            Some(job) => {
                let job = self.jobs.get(job).await?.filter(|job| job.tenant_id == row.tenant_id);
                job.as_ref().and_then(Endpoint::of_job)
            }
            None => self.config.endpoint_or_tombstone(&row.tenant_id, &row.endpoint_id).await?,
        };
        let why = match obstacle(Some(tenant), endpoint.as_ref()) {
            Ok(Some(Reason::WebhookDisabled)) => "its webhook is disabled; enable it first",
            Ok(Some(_)) => "its webhook is deleted",
            Err(Missing) if row.job_id.is_some() => "its job is no longer kept",
            Err(Missing) => {
                rows::missing_for(row);
                return Err(Failure::Missing("a delivery's webhook").into());
            }
            Ok(None) => match self.events.get_item(&row.tenant_id, &row.event_id).await?.map(event_row::Row::from) {
                Some(event) if event_row::expunged_at(&event).is_some() => return Err(ApiError::event_expunged()),
                Some(_) => return Ok(()),
                None => "its event is no longer kept",
            },
        };
        Err(ApiError::conflict(why))
    }

    /// Once this has answered, no further POST starts. One that is under way is still put on record, and if its receiver takes
    /// it, the delivery has succeeded.
    async fn cancel(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.optional_fields()?.finish()?;
        let before = self.find(caller, id).await?;
        let is_final = || ApiError::conflict("this delivery has come to its end already");
        if before.status.is_final() {
            return Err(is_final());
        }
        let recorded = self.deliveries.cancel(&before, Reason::CancelledByRequest, &entropy::mark()).await?;
        if recorded == Recorded::Overtaken {
            return Err(overtaken());
        }
        let now = self.deliveries.get(&before.id).await?.ok_or_else(is_final)?;
        self.show(202, now).await
    }

    /// What became of the webhook's deliveries of a span. Those of a deleted one are counted for as long as they are kept.
    async fn stats(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&["since", "until"])?;
        let webhook = self.known(caller, id).await?;
        let span = stats::span(request, clock::now())?;
        Ok(Response::json(200, &stats::count(&self.deliveries, &webhook, &span).await?))
    }

    /// The id of a webhook that there is, or was: what a deleted one was sent is kept, and shown, for as long as any other's. One
    /// whose row cannot be read, or is missing, hides none of its deliveries.
    async fn known(&self, caller: &Caller, id: &str) -> Result<EndpointId, ApiError> {
        let not_found = || ApiError::not_found("webhook");
        let (tenant, id) = caller.webhook(id)?;
        match self.config.endpoint_or_tombstone(tenant, &id).await {
            Err(error) if error.is_unreadable() => Ok(id),
            Ok(None) if self.is_missing(tenant, &id).await? => Ok(id),
            found => Ok(found?.ok_or_else(not_found)?.id),
        }
    }

    /// Whether a webhook without a row is one of this tenant's whose row is lost: its deliveries tell.
    async fn is_missing(&self, tenant: &TenantId, id: &EndpointId) -> Result<bool, Failure> {
        let page = self.deliveries.list(id, &Filter::default(), 1, None).await?;
        let is_missing = page.rows.iter().any(|row| row.tenant_id == *tenant);
        if is_missing {
            rows::missing(id.as_str());
        }
        Ok(is_missing)
    }

    pub(crate) async fn endpoint(&self, caller: &Caller, id: &str) -> Result<Endpoint, ApiError> {
        let not_found = || ApiError::not_found("webhook");
        let (tenant, id) = caller.webhook(id)?;
        match self.config.endpoint_or_tombstone(tenant, &id).await? {
            Some(endpoint) if endpoint.deleted_at.is_none() => Ok(endpoint),
            // Missing is not deleted: its owner must not be told that he has no such webhook.
            None if self.is_missing(tenant, &id).await? => Err(Failure::Missing("a webhook").into()),
            _ => Err(not_found()),
        }
    }

    async fn find(&self, caller: &Caller, id: &str) -> Result<Delivery, ApiError> {
        let not_found = || ApiError::not_found("delivery");
        let id: DeliveryId = id.parse().map_err(|_| not_found())?;
        let (tenant, reach) = caller.tenant()?;
        // What goes to a job's own URL goes to no webhook.
        let is_theirs = |row: &Delivery| row.tenant_id == tenant.id && reach.has(&row.endpoint_id);
        self.deliveries.get(&id).await?.filter(is_theirs).ok_or_else(not_found)
    }

    async fn show(&self, status: u16, delivery: Delivery) -> Result<Response, ApiError> {
        let delivery = self.deliveries.with_earlier(delivery).await?;
        let places = self.places.of(std::slice::from_ref(&delivery)).await?;
        Ok(Response::json(status, &view::delivery(&delivery, places.of(&delivery))))
    }
}

fn overtaken() -> ApiError {
    ApiError::conflict("this delivery changed meanwhile; look at it again")
}
