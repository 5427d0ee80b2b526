//! The routes, and what else invokes this function.

use lambda_runtime::{Error, LambdaEvent};
use postrider_aws::auth::{Auth, Caller};
use postrider_aws::config_table::ConfigTable;
use postrider_aws::deadline::{self, Waiting};
use postrider_aws::env::BadSetting;
use postrider_aws::http::{self, Answer, Fault, Page, Paging, Request};
use postrider_aws::jobs_table::JobsTable;
use postrider_aws::letters::Letters;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::trigger::{Trigger, refusal};
use postrider_domain::dialect::JobKind;
use postrider_domain::id::JobId;
use postrider_domain::invalid::Invalid;
use postrider_domain::job::{Job, JobStatus};
use postrider_domain::key::Scope;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::report::Reporter;
use crate::starter::Starter;

/// What the routes need.
pub(crate) struct Jobs {
    pub(crate) auth: Auth,
    pub(crate) jobs: JobsTable,
    pub(crate) starter: Starter,
    pub(crate) reporter: Reporter,
    pub(crate) triggers: Letters,
}

impl Jobs {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let jobs = JobsTable::from_env(sdk)?;
        Ok(Self {
            auth: Auth::new(ConfigTable::from_env(sdk)?),
            starter: Starter::from_env(jobs.clone())?,
            reporter: Reporter::from_env(jobs.clone())?,
            triggers: Letters::triggers(sdk)?,
            jobs,
        })
    }

    /// Answers whatever invoked us.
    ///
    /// # Errors
    /// When we failed at something that has no caller to tell: Lambda tries again, then gives up to the triggers queue.
    pub(crate) async fn answer(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Value, Error> {
        let until = event.context.deadline;
        match Trigger::of(&event.payload) {
            Trigger::Http => Ok(serde_json::to_value(http::serve(event, |request| self.handle(request)).await)?),
            Trigger::Bus(event) => {
                deadline::within(until, Waiting::Nobody, self.hear(&event)).await.map(|()| Value::Null)
            }
            Trigger::Records(_) | Trigger::NoBatch | Trigger::Direct => {
                Ok(refusal("an HTTP request or an event of the stack's bus"))
            }
        }
    }

    async fn handle(&self, request: Request) -> Result<Answer, Fault> {
        match (request.method.as_str(), request.path().as_slice()) {
            ("POST", ["api", "v1", "generate"]) => self.generate(&request).await,
            (_, ["api", "v1", "generate"]) => Err(Fault::method_not_allowed(&["POST"])),
            ("GET", ["api", "v1", "jobs"]) => self.list_generations(&request).await,
            (_, ["api", "v1", "jobs"]) => Err(Fault::method_not_allowed(&["GET"])),
            ("GET", ["api", "v1", "jobs", id]) => self.generation(&request, id).await,
            (_, ["api", "v1", "jobs", _]) => Err(Fault::method_not_allowed(&["GET"])),
            ("POST", ["api", "v1", "jobs", id, "report"]) => self.report_projects(&request, id).await,
            ("POST", ["v1", "jobs"]) => self.start_task(&request).await,
            ("GET", ["v1", "jobs"]) => self.list_tasks(&request).await,
            (_, ["v1", "jobs"]) => Err(Fault::method_not_allowed(&["GET", "POST"])),
            ("GET", ["v1", "jobs", id]) => self.get_task(&request, id).await,
            (_, ["v1", "jobs", _]) => Err(Fault::method_not_allowed(&["GET"])),
            ("POST", ["v1", "jobs", id, "cancel"]) => self.cancel_task(&request, id).await,
            ("POST", ["v1", "jobs", id, "report"]) => self.report_task(&request, id).await,
            (_, ["api", "v1", "jobs", _, "report"] | ["v1", "jobs", _, "report" | "cancel"]) => {
                Err(Fault::method_not_allowed(&["POST"]))
            }
            _ => Err(Fault::not_found("path")),
        }
    }

    /// The caller of a route whose key comes as a bearer.
    pub(crate) async fn bearer(&self, request: &Request, scope: Scope, kind: JobKind) -> Result<Caller, Fault> {
        check_kind(self.auth.caller(request, scope).await?, kind)
    }

    /// The caller of a route whose key comes in a header of its own.
    pub(crate) async fn by_header(&self, request: &Request, scope: Scope, kind: JobKind) -> Result<Caller, Fault> {
        check_kind(self.auth.caller_by_header(request, scope).await?, kind)
    }

    /// A page of the caller's jobs of a kind, the newest first: those of `?status` where it is asked for, as `named` reads it.
    pub(crate) async fn page(
        &self,
        request: &Request,
        caller: &Caller,
        kind: JobKind,
        named: fn(&str) -> Result<JobStatus, Invalid>,
        show: fn(&Job) -> Value,
    ) -> Result<Page, Fault> {
        request.only_query(&["status", "limit", "cursor"])?;
        let status = request.query("status")?.map(named).transpose()?;
        let paging: Paging<JobId> = Paging::of(request)?;
        let found = self.jobs.list(caller.tenant_id()?, kind, paging.limit, paging.after.as_ref()).await?;
        let show = |job: &Job| status.is_none_or(|status| job.status == status).then(|| show(job));
        Ok(Page::of(&found.rows, found.next, |job| job.id.as_str(), show))
    }

    /// The job of this id that the caller may see: its own tenant's, or anybody's with a provider key.
    pub(crate) async fn find(&self, caller: &Caller, id: &str, kind: JobKind) -> Result<Job, Fault> {
        let not_found = || Fault::not_found("job");
        let id: JobId = id.parse().map_err(|_| not_found())?;
        let job = self.jobs.get(&id).await?.filter(|job| job.dialect.jobs == Some(kind)).ok_or_else(not_found)?;
        match &caller.tenant {
            Some(tenant) if tenant.id != job.tenant_id => Err(not_found()),
            _ => Ok(job),
        }
    }
}

/// A tenant's key starts and sees the jobs of its own dialect; a provider key serves all.
fn check_kind(caller: Caller, kind: JobKind) -> Result<Caller, Fault> {
    match caller.key.dialect {
        Some(dialect) if dialect.jobs != Some(kind) => {
            Err(Fault::forbidden("this API key is for other paths; jobs here take keys of their own dialect"))
        }
        _ => Ok(caller),
    }
}
