//! Lists of deliveries: a webhook's, a job's, and what a tenant's were not delivered.

use futures::future::try_join_all;
use postrider_api::{ApiError, Caller, Paging, Request, Response, ShownPage};
use postrider_aws::deliveries_table::{Filter, Standing};
use postrider_aws::{Failure, Page};
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::event::EventType;
use postrider_domain::id::{DeliveryId, EndpointId, EventId, JobId};
use postrider_domain::invalid::Invalid;
use postrider_domain::time;

use super::Ledger;
use crate::operations::{ONE_OF_THEM, UNDELIVERED};
use crate::{outcome, view};

/// Moved attempts that are read for a page of deliveries: more would take this function's memory, and no answer holds them.
const EARLIER_OF_A_PAGE: usize = 4000;
/// Deliveries whose moved attempts are read side by side.
const LOOKS_AT_ONCE: usize = 8;

impl Ledger {
    /// A webhook's deliveries by its path.
    pub(super) async fn list(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&["status", "event", "since", "until", "outcome", "limit", "cursor"])?;
        self.of_webhook(request, caller, id).await
    }

    /// Those of a job, those of a webhook, or those of the tenant that are undelivered.
    pub(super) async fn find_many(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        if request.query("job_id")?.is_some() {
            return self.of_job(request, caller).await;
        }
        request.only_query(&["status", "event", "webhook_id", "since", "until", "outcome", "limit", "cursor"])?;
        match request.query("webhook_id")? {
            Some(id) => self.of_webhook(request, caller, id).await,
            None => self.undelivered(request, caller).await,
        }
    }

    async fn of_webhook(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let webhook = self.known(caller, id).await?;
        let filter = filter(request)?;
        let paging: Paging<DeliveryId> = Paging::of(request)?;
        let paging = paging.within(|after| after.endpoint() == webhook && filter.holds(after))?;
        let page = self.deliveries.list(&webhook, &filter, paging.limit, paging.after.as_ref()).await?;
        self.page(page).await
    }

    async fn undelivered(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        let filter = filter(request)?;
        match filter.standing {
            Some(Standing::Undelivered | Standing::As(Status::Retrying | Status::Failed | Status::Cancelled)) => {}
            // No index has what was not tried yet, nor what was taken, since a first-try success touches none.
            None | Some(Standing::As(Status::Pending | Status::Succeeded)) => {
                return Err(ApiError::unprocessable(Invalid::new("status", UNDELIVERED)));
            }
        }
        let (tenant, reach) = caller.tenant()?;
        if reach.only().is_some() {
            // A page of all of them would lead to the next one by the id of another webhook's delivery.
            return Err(ApiError::unprocessable(Invalid::new("webhook_id", ONE_OF_THEM)));
        }
        let paging: Paging<DeliveryId> = Paging::of(request)?;
        let paging = paging.within(|after| filter.holds(after))?;
        let page = self.deliveries.undelivered(&tenant.id, &filter, paging.limit, paging.after.as_ref());
        self.page(page.await?).await
    }

    async fn page(&self, page: Page<Delivery, DeliveryId>) -> Result<Response, ApiError> {
        let page = self.with_earlier(page).await?;
        let places = self.places.of(&page.rows).await?;
        let shown = ShownPage::of(&page, |row| &row.id, |row| Some(view::delivery(row, places.of(row))));
        let pagination = shown.pagination();
        Ok(Response::json(200, &view::Page { deliveries: shown.rows, pagination }))
    }

    /// A job's delivery: there is one once the job has ended, if it has a URL.
    async fn of_job(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        request.only_query(&["job_id", "limit", "cursor"])?;
        let paging: Paging<DeliveryId> = Paging::of(request)?;
        let not_found = || ApiError::not_found("job");
        let (tenant, reach) = caller.tenant()?;
        let (tenant, webhook) = (&tenant.id, EndpointId::of_jobs(&tenant.id));
        let id: JobId = request.query("job_id")?.unwrap_or_default().parse().map_err(|_| not_found())?;
        if !reach.has(&webhook) {
            return Err(not_found());
        }
        let job = self.jobs.get(&id).await?.filter(|job| job.tenant_id == *tenant).ok_or_else(not_found)?;
        let mut rows = Vec::new();
        // There is one at the most, so what follows a cursor is nothing.
        if let Some(ended) = job.completed_at.filter(|_| paging.after.is_none()) {
            let event = job.closing_event_id.unwrap_or_else(|| EventId::of_job(tenant, &job.id));
            let delivery = DeliveryId::new(ended, &webhook, &event);
            rows.extend(self.deliveries.get(&delivery).await?);
        }
        self.page(Page { rows, next: None }).await
    }

    /// A page's rows with those of their attempts that have moved. Of deliveries that were tried for very long it holds fewer rows.
    async fn with_earlier(&self, page: Page<Delivery, DeliveryId>) -> Result<Page<Delivery, DeliveryId>, Failure> {
        let (mut left, mut rows, mut read) = (page.rows, Vec::new(), 0);
        while !left.is_empty() && read < EARLIER_OF_A_PAGE {
            let some = left.drain(..LOOKS_AT_ONCE.min(left.len()));
            for row in try_join_all(some.map(|row| self.deliveries.with_earlier(row))).await? {
                read += row.earlier.len();
                rows.push(row);
            }
        }
        let next = if left.is_empty() { page.next } else { rows.last().map(|row: &Delivery| row.id.clone()) };
        Ok(Page { rows, next })
    }
}

/// What a list is asked for.
///
/// # Errors
/// 400 for what makes no sense, 422 where nothing can lie between `since` and `until`.
fn filter(request: &Request) -> Result<Filter, ApiError> {
    let standing = request.query("status")?.map(|name| {
        let expected = "`pending`, `retrying`, `succeeded`, `failed`, `cancelled` or `undelivered`";
        Standing::named(name).ok_or_else(|| Invalid::new("status", expected))
    });
    let filter = Filter {
        standing: standing.transpose()?,
        // Also of a dialect that has left the deployment.
        event: request.query("event")?.map(EventType::kept).transpose()?,
        outcome: request.query("outcome")?.map(outcome::named).transpose()?,
        since: request.query("since")?.map(|text| time::parse("since", text)).transpose()?,
        until: request.query("until")?.map(|text| time::parse("until", text)).transpose()?,
    };
    match (filter.since, filter.until) {
        (Some(since), Some(until)) if since > until => {
            Err(ApiError::unprocessable(Invalid::new("since", "a time not after `until`")))
        }
        _ => Ok(filter),
    }
}
