//! The routes, and what else invokes this function.

use lambda_runtime::Error;
use postrider_api::KeyAccess::{Bearer, Header};
use postrider_api::Sessions::{ForAllWith, Never};
use postrider_api::invocation::Invocation;
use postrider_api::trigger::{Trigger, refusal};
use postrider_api::{
    Access, ApiError, Caller, Credential, Credentials, KeyAccess, Paging, Request, Route, Routed, Sessions, ShownPage,
    serve,
};
use postrider_aws::config_table::ConfigTable;
use postrider_aws::jobs_table::JobsTable;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::set_aside::SetAsideQueue;
use postrider_domain::dialect::JobKind;
use postrider_domain::id::JobId;
use postrider_domain::invalid::Invalid;
use postrider_domain::job::{Job, JobStatus};
use postrider_domain::key::Scope;
use postrider_domain::portal::Capability;
use postrider_host::deadline::{self, Waiting};
use postrider_host::env::{self, BadSetting};
use postrider_host::resolver::Resolver;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::operations;
use crate::reporter::Reporter;
use crate::starter::Starter;

#[cfg(test)]
mod tests;

/// What the routes need.
pub struct Jobs {
    pub(crate) credentials: Credentials,
    pub(crate) jobs: JobsTable,
    pub(crate) starter: Starter,
    pub(crate) reporter: Reporter,
    pub(crate) triggers: SetAsideQueue,
}

/// Asks for a key that is for jobs of a kind.
#[derive(Debug, Clone, Copy)]
pub struct JobAccess {
    key: KeyAccess,
    kind: JobKind,
}

impl Access for JobAccess {
    fn scope(&self) -> &'static str {
        self.key.scope()
    }

    fn credential(&self) -> Credential {
        self.key.credential()
    }

    fn sessions(&self) -> Sessions {
        self.key.sessions()
    }
}

const fn of_projects(key: KeyAccess) -> JobAccess {
    JobAccess { key, kind: JobKind::Projects }
}

const fn of_a_task(key: KeyAccess) -> JobAccess {
    JobAccess { key, kind: JobKind::Task }
}

impl Routed for Jobs {
    type Access = JobAccess;
    type Caller = Caller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::post(
            "/api/v1/generate",
            of_projects(Bearer(Scope::JobsWrite, Never)),
            operations::generate,
            |it, request, caller, _| Box::pin(it.generate(request, caller)),
            "a job may have been started: a repeat starts another one",
        ),
        Route::get(
            "/api/v1/jobs",
            of_projects(Bearer(Scope::JobsRead, ForAllWith(Capability::View))),
            operations::list_generations,
            |it, request, caller, _| Box::pin(it.list_generations(request, caller)),
        ),
        Route::get(
            "/api/v1/jobs/{jobId}",
            of_projects(Bearer(Scope::JobsRead, ForAllWith(Capability::View))),
            operations::get_generation,
            |it, request, caller, [id, _]| Box::pin(it.generation(request, caller, id)),
        ),
        Route::post(
            "/api/v1/jobs/{jobId}/report",
            of_projects(Bearer(Scope::JobsReport, Never)),
            operations::report_generation,
            |it, request, caller, [id, _]| Box::pin(it.report_projects(request, caller, id)),
            "a report that comes twice changes nothing more: repeat it",
        ),
        Route::get(
            "/v1/jobs",
            of_a_task(Header(Scope::JobsRead, ForAllWith(Capability::View))),
            operations::list_tasks,
            |it, request, caller, _| Box::pin(it.list_tasks(request, caller)),
        ),
        Route::post(
            "/v1/jobs",
            of_a_task(Header(Scope::JobsWrite, Never)),
            operations::start_task,
            |it, request, caller, _| Box::pin(it.start_task(request, caller)),
            "start jobs with an Idempotency-Key and repeating is safe; without one look at GET /v1/jobs before you repeat it",
        ),
        Route::get(
            "/v1/jobs/{id}",
            of_a_task(Header(Scope::JobsRead, ForAllWith(Capability::View))),
            operations::get_task,
            |it, request, caller, [id, _]| Box::pin(it.get_task(request, caller, id)),
        ),
        Route::post(
            "/v1/jobs/{id}/cancel",
            of_a_task(Header(Scope::JobsWrite, Never)),
            operations::cancel_task,
            |it, request, caller, [id, _]| Box::pin(it.cancel_task(request, caller, id)),
            "a report that comes twice changes nothing more: repeat it",
        ),
        Route::post(
            "/v1/jobs/{id}/report",
            of_a_task(Header(Scope::JobsReport, Never)),
            operations::report_task,
            |it, request, caller, [id, _]| Box::pin(it.report_task(request, caller, id)),
            "a report that comes twice changes nothing more: repeat it",
        ),
    ];

    /// A tenant's key starts and sees the jobs of its own dialect; a provider key serves all, and a visitor of the tenant's portal sees
    /// all of the tenant's.
    async fn admit(&self, request: &Request, access: &JobAccess) -> Result<Caller, ApiError> {
        let caller = self.credentials.caller(request, &access.key).await?;
        match caller.dialect() {
            Some(dialect) if caller.session().is_none() && dialect.jobs != Some(access.kind) => {
                Err(ApiError::forbidden("this API key is for other paths; jobs here take keys of their own dialect"))
            }
            _ => Ok(caller),
        }
    }
}

impl Jobs {
    /// From the settings that the template gives it.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let (jobs, retention) = (JobsTable::from_env(sdk)?, env::retention()?);
        Ok(Self {
            credentials: Credentials::new(ConfigTable::from_env(sdk)?),
            starter: Starter::new(jobs.clone(), Resolver::new(env::egress()?), retention),
            reporter: Reporter::new(jobs.clone(), retention),
            triggers: SetAsideQueue::triggers(sdk)?,
            jobs,
        })
    }

    /// Answers whatever invoked us.
    ///
    /// # Errors
    /// When we failed at something that has no caller to tell: Lambda tries again, then gives up to the triggers queue.
    pub async fn answer(&self, event: Invocation) -> Result<Value, Error> {
        let until = event.context.deadline;
        match Trigger::of(&event.payload) {
            Trigger::Http => Ok(serde_json::to_value(serve(self, event).await)?),
            Trigger::Bus(event) => {
                deadline::within(until, Waiting::Nobody, self.hear(&event)).await.map(|()| Value::Null)
            }
            Trigger::Records(_) | Trigger::NoBatch | Trigger::Direct => {
                Ok(refusal("an HTTP request or an event of the stack's bus"))
            }
        }
    }

    /// A page of the caller's jobs of a kind, the newest first: those of `?status` where it is asked for, as `named` reads it.
    pub(crate) async fn page(
        &self,
        request: &Request,
        caller: &Caller,
        kind: JobKind,
        named: fn(&str) -> Result<JobStatus, Invalid>,
        show: fn(&Job) -> serde_json::Result<Box<RawValue>>,
    ) -> Result<ShownPage, ApiError> {
        request.only_query(&["status", "limit", "cursor"])?;
        let status = request.query("status")?.map(named).transpose()?;
        let paging: Paging<JobId> = Paging::of(request)?;
        // The ids of each kind have a form of their own.
        let paging = paging.within(|after| after.is_short() == (kind == JobKind::Task))?;
        let found = self.jobs.list(&caller.tenant()?.0.id, kind, paging.limit, paging.after.as_ref()).await?;
        let show = |job: &Job| if status.is_none_or(|status| job.status == status) { show(job).ok() } else { None };
        Ok(ShownPage::of(&found, |job| &job.id, show))
    }

    /// The job of this id that the caller may see: its own tenant's, or anybody's with a provider key.
    pub(crate) async fn find(&self, caller: &Caller, id: &str, kind: JobKind) -> Result<Job, ApiError> {
        let not_found = || ApiError::not_found("job");
        let id: JobId = id.parse().map_err(|_| not_found())?;
        let job = self.jobs.get(&id).await?.filter(|job| job.dialect.jobs == Some(kind)).ok_or_else(not_found)?;
        match caller.of_tenant() {
            // Whoever is for some webhooks alone is not let in: a job is none of them.
            Some((tenant, _)) if tenant.id != job.tenant_id => Err(not_found()),
            _ => Ok(job),
        }
    }
}
