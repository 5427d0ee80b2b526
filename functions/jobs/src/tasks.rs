//! `/v1/jobs`: jobs of one task.

use postrider_api::{ApiError, Caller, Meta, Request, Response};
use postrider_domain::dialect::JobKind;
use postrider_domain::id::JobId;
use postrider_domain::invalid::Invalid;
use postrider_domain::job::{Job, JobStatus, Report, Task};
use postrider_domain::{idempotency_key, invisible, web_url};
use postrider_host::{clock, entropy};
use serde_json::json;
use serde_json::value::to_raw_value;

use crate::bounds::{MAX_CAPABILITIES, MAX_CAPABILITY_CHARS};
use crate::handler::Jobs;
use crate::platform::platform_of;
use crate::starter::Started;
use crate::view;

/// How long a customer should wait before he asks how a job stands, in seconds.
const ASK_AGAIN_AFTER: &str = "30";
const CAPABILITIES: &str = "a list of 1 to 20 names";

impl Jobs {
    pub(crate) async fn start_task(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        let (tenant, _) = caller.tenant()?;
        let dialect = caller.dialect().ok_or_else(|| ApiError::forbidden("a provider key starts no jobs"))?;
        let mut fields = request.fields()?;
        let asked = fields.without("webhook_url");
        let url: String = fields.require("url", "an http or https URL")?;
        let capabilities: Vec<String> = fields.require("capabilities", CAPABILITIES)?;
        // What else a provider's customers send is for the worker, who gets it all.
        let webhook_url: Option<String> = fields.take_value("webhook_url", "a public HTTPS URL")?;
        let key = request.header("idempotency-key");
        key.map_or(Ok(()), |key| idempotency_key::check("Idempotency-Key", key))?;
        let same = json!([asked.get(), webhook_url]).to_string();
        if let Some(key) = key
            && let Some(job) = self.starter.before(&tenant.id, key, &same).await?
        {
            return Ok(response(200, request, &job));
        }
        let platform = platform_of(&web_url::read("url", &url)?);
        check_capabilities(&capabilities)?;
        // As the plan is now: a key is remembered for a while, and with it what its tenant paid for then.
        if webhook_url.is_some() && !self.credentials.tenant_now(&tenant.id).await?.plan.includes_webhooks() {
            return Err(ApiError::plan_required("webhooks are available on the Pro and Enterprise plans"));
        }
        self.starter.check_url("webhook_url", webhook_url.as_deref()).await?;

        let now = clock::now();
        let job = Job {
            id: JobId::short(now, entropy::bits64()),
            tenant_id: tenant.id.clone(),
            dialect,
            status: JobStatus::Pending,
            webhook_url,
            projects: Vec::new(),
            task: Some(Task { url, platform, capabilities, credits_charged: 0 }),
            closing_event_id: None,
            revision: 0,
            created_at: now,
            started_at: None,
            completed_at: None,
            expires_at: now.as_second() + self.starter.retention.seconds,
        };
        let started = self.starter.start(&job, &asked, key.map(|key| (key, same.as_str()))).await;
        match started.map_err(|error| if key.is_some() { error.safe_to_repeat() } else { error })? {
            Started::New => Ok(response(201, request, &job)),
            Started::Before(job) => Ok(response(200, request, &job)),
        }
    }

    pub(crate) async fn list_tasks(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        let page =
            self.page(request, caller, JobKind::Task, view::task_status, |job| to_raw_value(&view::task(job))).await?;
        let (pagination, meta) = (page.pagination(), Meta { request_id: request.id.clone() });
        Ok(Response::json(200, &view::Tasks { data: page.rows, pagination, meta }))
    }

    pub(crate) async fn get_task(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let job = self.find(caller, id, JobKind::Task).await?;
        let answer = Response::json(200, &view::wrapped(&job, &request.id));
        Ok(if job.status.has_ended() { answer } else { answer.header("retry-after", ASK_AGAIN_AFTER) })
    }

    pub(crate) async fn cancel_task(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.optional_fields()?.finish()?;
        let job = self.find(caller, id, JobKind::Task).await?;
        let job = self.reporter.report(job, &Report::Cancelled).await?;
        Ok(Response::json(200, &view::wrapped(&job, &request.id)))
    }
}

fn response(status: u16, request: &Request, job: &Job) -> Response {
    Response::json(status, &view::wrapped(job, &request.id))
        .header("location", format!("/v1/jobs/{}", job.id))
        .header("retry-after", ASK_AGAIN_AFTER)
}

fn check_capabilities(capabilities: &[String]) -> Result<(), Invalid> {
    if capabilities.is_empty() || capabilities.len() > MAX_CAPABILITIES {
        return Err(Invalid::new("capabilities", CAPABILITIES));
    }
    let good = |name: &String| invisible::shows(name) && name.chars().count() <= MAX_CAPABILITY_CHARS;
    match capabilities.iter().position(|name| !good(name)) {
        None => Ok(()),
        Some(i) => Err(Invalid::new(format!("capabilities[{i}]"), "a name of 1 to 64 characters")),
    }
}
