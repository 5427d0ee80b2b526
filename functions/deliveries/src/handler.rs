//! The routes.

use std::collections::HashMap;
use std::time::Duration;

use postrider_aws::auth::{Auth, Caller};
use postrider_aws::chance;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::deliveries_table::{DeliveriesTable, Filter, Recorded};
use postrider_aws::env::{self, BadSetting, Retention};
use postrider_aws::http::{Answer, Cursor, Fault, Paging, Request};
use postrider_aws::jobs_table::JobsTable;
use postrider_aws::queue::Queue;
use postrider_aws::recoverer::Recoverer;
use postrider_aws::sdk::SdkConfig;
use postrider_domain::delivery::{Delivery, Reason, Status};
use postrider_domain::endpoint::{Endpoint, EndpointStatus};
use postrider_domain::id::{DeliveryId, EndpointId, EventId, JobId, RecoveryId};
use postrider_domain::invalid::Invalid;
use postrider_domain::key::Scope;
use postrider_domain::message::Message;
use postrider_domain::recovery::{Progress, Recovery};
use postrider_domain::time;
use serde_json::json;

use crate::view;

/// How long a caller is kept waiting while a recovery begins.
const WHILE_THE_CALLER_WAITS: Duration = Duration::from_secs(4);

/// What the routes need.
pub(crate) struct Ledger {
    auth: Auth,
    config: ConfigTable,
    deliveries: DeliveriesTable,
    retry_queue: Queue,
    recoverer: Recoverer,
    jobs: JobsTable,
    retention: Retention,
}

impl Ledger {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let config = ConfigTable::from_env(sdk)?;
        Ok(Self {
            auth: Auth::new(config.clone()),
            config,
            deliveries: DeliveriesTable::from_env(sdk)?,
            retry_queue: Queue::retry(sdk)?,
            recoverer: Recoverer::from_env(sdk)?,
            jobs: JobsTable::from_env(sdk)?,
            retention: env::retention()?,
        })
    }

    pub(crate) async fn handle(&self, request: Request) -> Result<Answer, Fault> {
        match (request.method.as_str(), request.path().as_slice()) {
            ("GET", ["v1", "webhooks", id, "deliveries"]) => self.list(&request, id).await,
            (_, ["v1", "webhooks", _, "deliveries"]) => Err(Fault::method_not_allowed(&["GET"])),
            ("POST", ["v1", "webhooks", id, "recover"]) => self.recover(&request, id).await,
            (_, ["v1", "webhooks", _, "recover"]) => Err(Fault::method_not_allowed(&["POST"])),
            ("GET", ["v1", "webhooks", id, "recover", recovery]) => self.recovery(&request, id, recovery).await,
            (_, ["v1", "webhooks", _, "recover", _]) => Err(Fault::method_not_allowed(&["GET"])),
            ("GET", ["v1", "deliveries"]) if request.query("job_id")?.is_some() => self.of_job(&request).await,
            ("GET", ["v1", "deliveries"]) => self.undelivered(&request).await,
            (_, ["v1", "deliveries"]) => Err(Fault::method_not_allowed(&["GET"])),
            ("GET", ["v1", "deliveries", id]) => self.get(&request, id).await,
            (_, ["v1", "deliveries", _]) => Err(Fault::method_not_allowed(&["GET"])),
            ("POST", ["v1", "deliveries", id, "retry"]) => self.retry(&request, id).await,
            ("POST", ["v1", "deliveries", id, "cancel"]) => self.cancel(&request, id).await,
            (_, ["v1", "deliveries", _, "retry" | "cancel"]) => Err(Fault::method_not_allowed(&["POST"])),
            _ => Err(Fault::not_found("path")),
        }
    }

    async fn list(&self, request: &Request, id: &str) -> Result<Answer, Fault> {
        let caller = self.auth.caller_by_header(request, Scope::DeliveriesRead).await?;
        request.only_query(&["status", "event", "since", "until", "limit", "cursor"])?;
        let (webhook, url) = self.place(&caller, id).await?;
        let filter = filter(request)?;
        let paging: Paging<DeliveryId> = Paging::of(request)?;
        if paging.after.as_ref().is_some_and(|after| after.endpoint() != webhook || !filter.holds(after)) {
            return Err(Invalid::new("cursor", "a `next_cursor` of this list").into());
        }
        let page = self.deliveries.list(&webhook, &filter, paging.limit, paging.after.as_ref()).await?;
        let rows: Vec<_> = page.rows.iter().map(|row| view::delivery(row, url.as_deref())).collect();
        let pagination = Cursor::pagination(page.next.as_ref().map(DeliveryId::as_str));
        Ok(Answer::json(200, &json!({"deliveries": rows, "pagination": pagination})))
    }

    async fn undelivered(&self, request: &Request) -> Result<Answer, Fault> {
        let caller = self.auth.caller_by_header(request, Scope::DeliveriesRead).await?;
        request.only_query(&["status", "limit", "cursor"])?;
        let expected = "`undelivered`, `retrying`, `failed` or `cancelled`; list the others by webhook or event";
        let status = match request.query("status")?.ok_or_else(|| Invalid::new("status", expected))? {
            "undelivered" => None,
            name => match Status::named(name) {
                Some(status @ (Status::Retrying | Status::Failed | Status::Cancelled)) => Some(status),
                _ => return Err(Invalid::new("status", expected).into()),
            },
        };
        let paging: Paging<DeliveryId> = Paging::of(request)?;
        let tenant = caller.tenant_id()?;
        let page = self.deliveries.undelivered(tenant, status, paging.limit, paging.after.as_ref()).await?;
        let urls = self.urls(&page.rows).await?;
        let row = |row: &Delivery| view::delivery(row, urls.get(&place_of(row)).map(String::as_str));
        let rows: Vec<_> = page.rows.iter().map(row).collect();
        let pagination = Cursor::pagination(page.next.as_ref().map(DeliveryId::as_str));
        Ok(Answer::json(200, &json!({"deliveries": rows, "pagination": pagination})))
    }

    /// A job's delivery: there is one once the job has ended, if it has a URL.
    async fn of_job(&self, request: &Request) -> Result<Answer, Fault> {
        let caller = self.auth.caller_by_header(request, Scope::DeliveriesRead).await?;
        request.only_query(&["job_id", "limit", "cursor"])?;
        let paging: Paging<DeliveryId> = Paging::of(request)?;
        let tenant = caller.tenant_id()?;
        let id: JobId = request.query("job_id")?.unwrap_or_default().parse().map_err(|_| Fault::not_found("job"))?;
        let job = self.jobs.get(&id).await?.filter(|job| job.tenant_id == *tenant);
        let job = job.ok_or_else(|| Fault::not_found("job"))?;
        let mut rows = Vec::new();
        // There is one at the most, so what follows a cursor is nothing.
        if let Some(ended) = job.completed_at.filter(|_| paging.after.is_none()) {
            let event = EventId::of_job(tenant, &job.id);
            let delivery = DeliveryId::new(ended, &EndpointId::of_jobs(tenant), &event);
            rows.extend(
                self.deliveries.get(&delivery).await?.map(|row| view::delivery(&row, job.webhook_url.as_deref())),
            );
        }
        Ok(Answer::json(200, &json!({"deliveries": rows, "pagination": Cursor::pagination(None)})))
    }

    async fn get(&self, request: &Request, id: &str) -> Result<Answer, Fault> {
        let caller = self.auth.caller_by_header(request, Scope::DeliveriesRead).await?;
        let delivery = self.find(&caller, id).await?;
        self.show(200, &delivery).await
    }

    /// A full new round of attempts under the same event id. What is still on its way is brought forward instead.
    async fn retry(&self, request: &Request, id: &str) -> Result<Answer, Fault> {
        let caller = self.auth.caller_by_header(request, Scope::DeliveriesWrite).await?;
        request.optional_fields()?.finish()?;
        let before = self.find(&caller, id).await?;
        if before.status == Status::Pending {
            return Err(Fault::conflict("this delivery has not been tried yet; it is on its way"));
        }
        if !before.may_begin_round() {
            return Err(Fault::conflict("this delivery has had its most attempts; publish its event again"));
        }
        let overtaken = || Fault::conflict("this delivery changed meanwhile; look at it again");
        if self.deliveries.begin_round(&before, chance::now()).await? == Recorded::Overtaken {
            return Err(overtaken());
        }
        let now = self.deliveries.get(&before.id).await?.ok_or_else(overtaken)?;
        // Should this be lost, the row is due, and the sweep brings it.
        if let Err(error) = self.retry_queue.send(&Message::new(&now, now.attempts_made + 1), Duration::ZERO).await {
            tracing::warn!(delivery_id = %now.id, error = %error, "retry.left_to_the_sweep");
        }
        self.show(202, &now).await
    }

    async fn cancel(&self, request: &Request, id: &str) -> Result<Answer, Fault> {
        let caller = self.auth.caller_by_header(request, Scope::DeliveriesWrite).await?;
        request.optional_fields()?.finish()?;
        let before = self.find(&caller, id).await?;
        let is_final = || Fault::conflict("this delivery has come to its end already");
        if before.status.is_final() {
            return Err(is_final());
        }
        if self.deliveries.cancel(&before, Reason::CancelledByRequest).await? == Recorded::Overtaken {
            return Err(Fault::conflict("this delivery changed meanwhile; look at it again"));
        }
        let now = self.deliveries.get(&before.id).await?.ok_or_else(is_final)?;
        self.show(202, &now).await
    }

    /// Everything that the webhook missed, again. What can be done while the caller waits is done at once; the sweep
    /// continues the rest.
    async fn recover(&self, request: &Request, id: &str) -> Result<Answer, Fault> {
        let caller = self.auth.caller_by_header(request, Scope::DeliveriesWrite).await?;
        let endpoint = self.endpoint(&caller, id).await?;
        let mut fields = request.fields()?;
        let since: String = fields.require("since", "an RFC 3339 time")?;
        let until: Option<String> = fields.take("until", "an RFC 3339 time")?;
        fields.finish()?;
        let now = chance::now();
        let since = time::parse("since", &since)?;
        let until = until.map_or(Ok(now), |until| time::parse("until", &until))?;
        if since >= until {
            return Err(Fault::unprocessable(Invalid::new("since", "a time before `until`, which is now if left out")));
        }
        if endpoint.status == EndpointStatus::Disabled {
            return Err(Fault::conflict("this webhook is disabled; enable it first, or all would be cancelled again"));
        }
        let recovery = Recovery {
            id: RecoveryId::new(now, chance::bits64()),
            tenant_id: endpoint.tenant_id,
            endpoint_id: endpoint.id,
            since,
            until,
            status: Progress::Running,
            found: 0,
            requeued: 0,
            after: None,
            expires_at: now.as_second() + self.retention.seconds,
        };
        self.config.create_recovery(&recovery).await?;
        let id = recovery.id.clone();
        if let Err(error) = self.recoverer.advance(recovery, now + WHILE_THE_CALLER_WAITS).await {
            tracing::warn!(recovery_id = id.as_str(), error = %error, "recovery.left_to_the_sweep");
        }
        Ok(Answer::json(202, &json!({"recovery_id": id})))
    }

    async fn recovery(&self, request: &Request, webhook: &str, id: &str) -> Result<Answer, Fault> {
        let caller = self.auth.caller_by_header(request, Scope::DeliveriesRead).await?;
        let endpoint = self.endpoint(&caller, webhook).await?;
        let not_found = || Fault::not_found("recovery");
        let id: RecoveryId = id.parse().map_err(|_| not_found())?;
        let recovery = self.config.recovery(&endpoint.tenant_id, &id).await?;
        let recovery = recovery.filter(|found| found.endpoint_id == endpoint.id).ok_or_else(not_found)?;
        Ok(Answer::json(200, &view::recovery(&recovery)))
    }

    /// A webhook's id and URL; without the URL where its row cannot be read, which hides none of its deliveries.
    async fn place(&self, caller: &Caller, id: &str) -> Result<(EndpointId, Option<String>), Fault> {
        let not_found = || Fault::not_found("webhook");
        let id: EndpointId = id.parse().map_err(|_| not_found())?;
        match self.config.endpoint(caller.tenant_id()?, &id).await {
            Err(error) if error.is_unreadable() => Ok((id, None)),
            found => Ok((id, Some(found?.ok_or_else(not_found)?.url))),
        }
    }

    async fn endpoint(&self, caller: &Caller, id: &str) -> Result<Endpoint, Fault> {
        let not_found = || Fault::not_found("webhook");
        let id: EndpointId = id.parse().map_err(|_| not_found())?;
        self.config.endpoint(caller.tenant_id()?, &id).await?.ok_or_else(not_found)
    }

    async fn find(&self, caller: &Caller, id: &str) -> Result<Delivery, Fault> {
        let not_found = || Fault::not_found("delivery");
        let id: DeliveryId = id.parse().map_err(|_| not_found())?;
        let tenant = caller.tenant_id()?;
        self.deliveries.get(&id).await?.filter(|row| row.tenant_id == *tenant).ok_or_else(not_found)
    }

    async fn show(&self, status: u16, delivery: &Delivery) -> Result<Answer, Fault> {
        let url = self.url_of(delivery).await?;
        Ok(Answer::json(status, &view::delivery(delivery, url.as_deref())))
    }

    async fn url_of(&self, row: &Delivery) -> Result<Option<String>, Fault> {
        if let Some(job) = &row.job_id {
            return match self.jobs.get(job).await {
                Err(error) if error.is_unreadable() => Ok(None),
                found => Ok(found?.and_then(|job| job.webhook_url)),
            };
        }
        match self.config.endpoint_or_tombstone(&row.tenant_id, &row.endpoint_id).await {
            // A webhook that cannot be read hides none of its deliveries.
            Err(error) if error.is_unreadable() => Ok(None),
            found => Ok(found?.map(|endpoint| endpoint.url)),
        }
    }

    async fn urls(&self, rows: &[Delivery]) -> Result<HashMap<String, String>, Fault> {
        let mut urls = HashMap::new();
        for row in rows {
            if !urls.contains_key(&place_of(row))
                && let Some(url) = self.url_of(row).await?
            {
                urls.insert(place_of(row), url);
            }
        }
        Ok(urls)
    }
}

/// Whose URL a delivery goes to: its webhook's or its job's.
fn place_of(row: &Delivery) -> String {
    row.job_id.as_ref().map_or_else(|| row.endpoint_id.to_string(), ToString::to_string)
}

fn filter(request: &Request) -> Result<Filter, Fault> {
    let status = request.query("status")?.map(|name| {
        Status::named(name)
            .ok_or_else(|| Invalid::new("status", "`pending`, `retrying`, `succeeded`, `failed` or `cancelled`"))
    });
    Ok(Filter {
        status: status.transpose()?,
        event: request.query("event")?.map(str::parse).transpose()?,
        since: request.query("since")?.map(|text| time::parse("since", text)).transpose()?,
        until: request.query("until")?.map(|text| time::parse("until", text)).transpose()?,
    })
}
