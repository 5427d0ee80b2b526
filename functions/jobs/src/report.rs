//! Reports: what a worker says about a job, by HTTP or on the bus.

use postrider_api::{ApiError, Caller, Fields, Request, Response};
use postrider_domain::dialect::JobKind;
use postrider_domain::invalid::Invalid;
use postrider_domain::job::{JobStatus, ProjectReport, ProjectStatus, Report};
use postrider_domain::web_url;
use serde_json::value::RawValue;

use crate::bounds::{MAX_CREDITS, MAX_TITLE_CHARS};
use crate::handler::Jobs;
use crate::view;

impl Jobs {
    pub(crate) async fn report_projects(
        &self,
        request: &Request,
        caller: &Caller,
        id: &str,
    ) -> Result<Response, ApiError> {
        let job = self.find(caller, id, JobKind::Projects).await?;
        let report = read(request.fields()?, JobKind::Projects)?;
        let job = self.reporter.report(job, &report).await?;
        Ok(Response::json(200, &view::generation(&job)))
    }

    pub(crate) async fn report_task(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let job = self.find(caller, id, JobKind::Task).await?;
        let report = read(request.fields()?, JobKind::Task)?;
        let job = self.reporter.report(job, &report).await?;
        Ok(Response::json(200, &view::wrapped(&job, &request.id)))
    }
}

/// Reads a report on a job of this kind.
///
/// # Errors
/// 400 naming the field.
pub(crate) fn read(mut fields: Fields, kind: JobKind) -> Result<Report, ApiError> {
    let report = match kind {
        JobKind::Projects => read_projects(&mut fields)?,
        JobKind::Task => read_task(&mut fields)?,
    };
    fields.finish()?;
    Ok(report)
}

fn read_projects(fields: &mut Fields) -> Result<Report, ApiError> {
    let expected = "a list of {projectId, status: running|completed|failed, title?, videoUrl?}";
    let projects: Option<Vec<Box<RawValue>>> = fields.take_value("projects", expected)?;
    let status: Option<String> = fields.take_value("status", "`cancelled`")?;
    match (projects, status.as_deref()) {
        (Some(projects), None) if !projects.is_empty() => {
            let reports =
                projects.iter().enumerate().map(|(i, project)| project_report(&format!("projects[{i}]"), project));
            Ok(Report::Projects(reports.collect::<Result<_, _>>()?))
        }
        (None, Some("cancelled")) => Ok(Report::Cancelled),
        (None, Some(_)) => Err(Invalid::new("status", "`cancelled`").into()),
        _ => Err(Invalid::new("projects", format!("{expected}, or `status`: `cancelled`")).into()),
    }
}

fn project_report(place: &str, project: &RawValue) -> Result<ProjectReport, ApiError> {
    let a_status = "`running`, `completed` or `failed`";
    let mut fields = Fields::inner(place, project)?;
    let id: String = fields.require("projectId", "a project's id")?;
    let status: ProjectStatus = fields.require("status", a_status)?;
    let title: Option<String> = fields.take_value("title", "a string")?;
    let video_url: Option<String> =
        fields.change("videoUrl", "an http or https URL, or null where there is none")?.flatten();
    if status == ProjectStatus::Pending {
        return Err(fields.invalid("status", a_status));
    }
    if title.as_ref().is_some_and(|title| title.chars().count() > MAX_TITLE_CHARS) {
        return Err(fields.invalid("title", "at most 512 characters"));
    }
    // What is told of a completed project is where its video lies; of any other, that there is none.
    if status == ProjectStatus::Completed && video_url.is_none() {
        return Err(fields.invalid("videoUrl", "an http or https URL"));
    }
    if let Some(url) = &video_url {
        web_url::read(&format!("{place}.videoUrl"), url)?;
    }
    fields.finish()?;
    Ok(ProjectReport { id, status, title, video_url })
}

fn read_task(fields: &mut Fields) -> Result<Report, ApiError> {
    let expected = "`processing`, `completed` or `failed`";
    let status: String = fields.require("status", expected)?;
    let credits: Option<u64> = fields.take_value("credits_charged", "a whole number")?;
    if credits.is_some_and(|credits| credits > MAX_CREDITS) {
        return Err(Invalid::new("credits_charged", "at most 9007199254740991").into());
    }
    match status.as_str() {
        "processing" if credits.is_some() => Err(Invalid::new("credits_charged", "none before the job ends").into()),
        "processing" => Ok(Report::Started),
        "completed" => Ok(Report::Ended { status: JobStatus::Completed, credits_charged: credits }),
        "failed" => Ok(Report::Ended { status: JobStatus::Failed, credits_charged: credits }),
        _ => Err(Invalid::new("status", expected).into()),
    }
}
