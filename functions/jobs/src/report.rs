//! Reports: what a worker says about a job, by HTTP or on the bus.
//!
//! A job is changed only from the state that it was read in, and its last change is one transaction with the event that
//! tells of it. So reports may race, repeat and come out of order, and one event comes of it.

use postrider_aws::deliveries_table::Recorded;
use postrider_aws::env::{self, BadSetting, Retention};
use postrider_aws::http::{Answer, Fault, Fields, Request};
use postrider_aws::jobs_table::JobsTable;
use postrider_aws::{AwsError, chance};
use postrider_domain::dialect::JobKind;
use postrider_domain::event::Event;
use postrider_domain::id::EventId;
use postrider_domain::invalid::Invalid;
use postrider_domain::job::{Applied, Job, JobStatus, ProjectReport, ProjectStatus, Refused, Report};
use postrider_domain::key::Scope;
use postrider_domain::web_url;
use serde_json::value::RawValue;

use crate::handler::Jobs;
use crate::view;

/// How often a report is tried that others overtake: more than there can be projects and ends of a job.
const TRIES: usize = 32;
const MAX_TITLE_CHARS: usize = 512;
/// JavaScript's largest exact integer; customers parse the number.
const MAX_CREDITS: u64 = (1 << 53) - 1;

/// Applies reports.
pub(crate) struct Reporter {
    jobs: JobsTable,
    retention: Retention,
}

impl Reporter {
    pub(crate) fn from_env(jobs: JobsTable) -> Result<Self, BadSetting> {
        Ok(Self { jobs, retention: env::retention()? })
    }

    /// Applies a report to the job as it stands now; the job afterwards.
    ///
    /// # Errors
    /// 409 when it would change what has ended, 400 for an unknown project.
    pub(crate) async fn report(&self, mut job: Job, report: &Report) -> Result<Job, Fault> {
        for _ in 0..TRIES {
            let now = chance::now();
            let after = match job.apply(report, now).map_err(refusal)? {
                Applied::Nothing => return Ok(job),
                Applied::Changed(mut after) => {
                    if after.status.has_ended() {
                        // Its delivery needs it for as long as that can go on.
                        after.expires_at = now.as_second() + self.retention.seconds;
                    }
                    *after
                }
            };
            let closing = if after.status.has_ended() { self.closing(&after) } else { None };
            let after = Job { closing_event_id: closing.as_ref().map(|event| event.id.clone()), ..after };
            if self.jobs.change(&job, &after, closing.as_ref()).await? == Recorded::Yes {
                let (job_id, status) = (after.id.as_str(), format!("{:?}", after.status));
                tracing::info!(job_id, status, told = closing.is_some(), "job.changed");
                return Ok(after);
            }
            job = self.jobs.get(&job.id).await?.ok_or_else(|| Fault::not_found("job"))?;
        }
        // No fault of the report's: over HTTP or the bus, it is to be made again.
        Err(AwsError::new("changing a job", "overtaken by other reports too often").into())
    }

    fn closing(&self, job: &Job) -> Option<Event> {
        let (event_type, data) = job.closing()?;
        let timestamp = job.completed_at?;
        Some(Event {
            tenant_id: job.tenant_id.clone(),
            id: EventId::fresh(chance::bits128()),
            event_type,
            data,
            timestamp,
            expires_at: timestamp.as_second() + self.retention.seconds,
            ours: true,
            job_id: Some(job.id.clone()),
            announce: None,
        })
    }
}

impl Jobs {
    pub(crate) async fn report_projects(&self, request: &Request, id: &str) -> Result<Answer, Fault> {
        let caller = self.bearer(request, Scope::JobsReport, JobKind::Projects).await?;
        let job = self.find(&caller, id, JobKind::Projects).await?;
        let report = read(request.fields()?, JobKind::Projects)?;
        let job = self.reporter.report(job, &report).await?;
        Ok(Answer::json(200, &view::generation(&job)))
    }

    pub(crate) async fn report_task(&self, request: &Request, id: &str) -> Result<Answer, Fault> {
        let caller = self.by_header(request, Scope::JobsReport, JobKind::Task).await?;
        let job = self.find(&caller, id, JobKind::Task).await?;
        let report = read(request.fields()?, JobKind::Task)?;
        let job = self.reporter.report(job, &report).await?;
        Ok(Answer::json(200, &view::with_meta(&view::task(&job), &request.id)))
    }
}

/// Reads a report on a job of this kind.
///
/// # Errors
/// 400 naming the field.
pub(crate) fn read(mut fields: Fields, kind: JobKind) -> Result<Report, Fault> {
    let report = match kind {
        JobKind::Projects => read_projects(&mut fields)?,
        JobKind::Task => read_task(&mut fields)?,
    };
    fields.finish()?;
    Ok(report)
}

fn read_projects(fields: &mut Fields) -> Result<Report, Fault> {
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

fn project_report(place: &str, project: &RawValue) -> Result<ProjectReport, Fault> {
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

fn read_task(fields: &mut Fields) -> Result<Report, Fault> {
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

fn refusal(refused: Refused) -> Fault {
    match refused {
        Refused::UnknownProject(_) => Invalid::new("projects", "projects of this job; GET shows their ids").into(),
        Refused::Ended | Refused::ProjectEnded(_) => Fault::conflict(refused.to_string()),
    }
}
