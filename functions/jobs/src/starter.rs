//! Starting jobs: the row, what announces it to workers, and the customer's key for it, all or nothing.

use postrider_api::ApiError;
use postrider_aws::jobs_table::{Created, JobKey, JobsTable};
use postrider_domain::event::Event;
use postrider_domain::id::TenantId;
use postrider_domain::job::Job;
use postrider_domain::own_event::OwnEvent;
use postrider_host::env::Retention;
use postrider_host::metrics::{self, Metric};
use postrider_host::resolver::Resolver;
use postrider_host::{clock, entropy};
use serde_json::value::RawValue;

use crate::bounds::MAX_REQUEST_BYTES;

/// Starts jobs.
pub(crate) struct Starter {
    jobs: JobsTable,
    resolver: Resolver,
    pub(crate) retention: Retention,
}

/// What a start led to.
pub(crate) enum Started {
    /// This job, which is new.
    New,
    /// The same request was made before with the same key; the job of then.
    Before(Box<Job>),
}

impl Starter {
    pub(crate) fn new(jobs: JobsTable, resolver: Resolver, retention: Retention) -> Self {
        Self { jobs, resolver, retention }
    }

    /// Refuses a webhook URL that may not be sent to, before there is a job.
    pub(crate) async fn check_url(&self, field: &str, url: Option<&str>) -> Result<(), ApiError> {
        match url {
            Some(url) => Ok(self.resolver.check_url(field, url).await?),
            None => Ok(()),
        }
    }

    /// Puts the job, and announces it on the bus by an event row of the same transaction.
    pub(crate) async fn start(
        &self,
        job: &Job,
        request: &RawValue,
        key: Option<(&str, &str)>,
    ) -> Result<Started, ApiError> {
        let now = job.created_at;
        let key = key.map(|(key, request)| JobKey::new(&job.tenant_id, key, &job.id, request, now));
        let announcement = Self::announcement(job, request)?;
        match self.jobs.create(job, &announcement, key.as_ref(), now).await? {
            Created::New => {
                metrics::count(Metric::AcceptedEvents, 1);
                Ok(Started::New)
            }
            Created::Before(before) => {
                let is_same = key.is_some_and(|key| key.request == before.request);
                self.job_of(&before, is_same).await.map(Started::Before)
            }
        }
    }

    /// The job that the same request made before with the same key. It is asked for before all that may be otherwise by now: a
    /// plan, where webhooks may go, how strictly a URL is read.
    pub(crate) async fn before(
        &self,
        tenant: &TenantId,
        key: &str,
        request: &str,
    ) -> Result<Option<Box<Job>>, ApiError> {
        match self.jobs.made_with(tenant, key, clock::now()).await? {
            Some(made) => self.job_of(&made, made.is_for(request)).await.map(Some),
            None => Ok(None),
        }
    }

    async fn job_of(&self, made: &JobKey, is_same: bool) -> Result<Box<Job>, ApiError> {
        if !is_same {
            return Err(ApiError::conflict("this Idempotency-Key was used before, for another request"));
        }
        let job = self.jobs.get(&made.job_id).await?;
        job.map(Box::new).ok_or_else(|| ApiError::not_found("job"))
    }

    /// What workers hear.
    fn announcement(job: &Job, request: &RawValue) -> Result<Event, ApiError> {
        let created = OwnEvent::job_created(job, request);
        if created.data_bytes() > MAX_REQUEST_BYTES {
            return Err(ApiError::too_large("body", MAX_REQUEST_BYTES));
        }
        Ok(created.into_event(entropy::bits128(), job.created_at, job.expires_at))
    }
}
