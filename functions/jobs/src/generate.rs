//! `/api/v1`: jobs of projects.

use postrider_api::{ApiError, Caller, Request, Response};
use postrider_domain::dialect::JobKind;
use postrider_domain::id::{self, JobId};
use postrider_domain::invalid::Invalid;
use postrider_domain::job::{Job, JobStatus, Project, ProjectStatus};
use postrider_domain::web_url;
use postrider_host::{clock, entropy};
use serde_json::value::to_raw_value;
use url::Url;

use crate::bounds::{URLS, VARIANTS};
use crate::handler::Jobs;
use crate::title::titles;
use crate::view;

impl Jobs {
    pub(crate) async fn generate(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        let (tenant, _) = caller.tenant()?;
        let dialect = caller.dialect().ok_or_else(|| ApiError::forbidden("a provider key starts no jobs"))?;
        let mut fields = request.fields()?;
        let asked = fields.without("webhookUrl");
        let urls: Vec<String> = fields.require("urls", "a list of 1 to 3 URLs")?;
        let variants: u8 = fields.take_value("variantCount", "a whole number, 1 to 3")?.unwrap_or(1);
        // What else a provider's customers send is for the worker, who gets it all.
        let webhook_url: Option<String> = fields.take_value("webhookUrl", "a public HTTPS URL")?;
        if !URLS.contains(&urls.len()) {
            return Err(Invalid::new("urls", "a list of 1 to 3 URLs").into());
        }
        if !VARIANTS.contains(&variants) {
            return Err(Invalid::new("variantCount", "a whole number, 1 to 3").into());
        }
        let urls = urls.iter().enumerate().map(|(i, url)| web_url::read(&format!("urls[{i}]"), url));
        let urls: Vec<Url> = urls.collect::<Result<_, _>>()?;
        self.starter.check_url("webhookUrl", webhook_url.as_deref()).await?;

        let now = clock::now();
        let job = Job {
            id: JobId::uuid(now, entropy::bits128()),
            tenant_id: tenant.id.clone(),
            dialect,
            status: JobStatus::Running,
            webhook_url,
            projects: titles(&urls, variants).into_iter().map(project).collect(),
            task: None,
            closing_event_id: None,
            revision: 0,
            created_at: now,
            started_at: Some(now),
            completed_at: None,
            expires_at: now.as_second() + self.starter.retention.seconds,
        };
        self.starter.start(&job, &asked, None).await?;
        Ok(Response::json(200, &view::generated(&job)))
    }

    pub(crate) async fn list_generations(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        let page = self
            .page(request, caller, JobKind::Projects, view::generation_status, |job| {
                to_raw_value(&view::generation(job))
            })
            .await?;
        Ok(Response::json(200, &view::generations(page)))
    }

    pub(crate) async fn generation(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let job = self.find(caller, id, JobKind::Projects).await?;
        Ok(Response::json(200, &view::generation(&job)))
    }
}

fn project(title: String) -> Project {
    Project { id: id::uuid(entropy::bits128()), title, status: ProjectStatus::Pending, video_url: None }
}
