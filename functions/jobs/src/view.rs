//! Jobs as their customers see them, in each kind's own words.

use postrider_api::document::{Id, JsonSchema, Names, NamesOf, Time, UrlOfTheWeb};
use postrider_api::{Cursor, Meta, Pagination, ShownPage};
use postrider_domain::id::JobId;
use postrider_domain::invalid::Invalid;
use postrider_domain::job::{self, Job, JobStatus, ProjectStatus};
use postrider_domain::named;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::bounds::{MAX_CAPABILITIES, MAX_CAPABILITY_CHARS, MAX_CREDITS, MAX_TITLE_CHARS, most_projects};
use crate::task_status::TaskStatus;

/// A job of projects that was started just now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StartedGeneration")]
pub(crate) struct Generated<'a> {
    /// The job's id, a UUID.
    #[schemars(with = "Id<JobId>")]
    job_id: &'a JobId,
    /// How many projects it has: URLs times variants.
    #[schemars(range(min = 1, max = most_projects()), example = 3)]
    total_projects: usize,
    /// Where it stands: `running`.
    #[schemars(with = "Names<JobStatus>")]
    status: JobStatus,
}

/// What starting a job of projects is answered with.
pub(crate) fn generated(job: &Job) -> Generated<'_> {
    Generated { job_id: &job.id, total_projects: job.projects.len(), status: job.status }
}

/// A job of projects.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Generation<'a> {
    /// Its id, a UUID.
    #[schemars(with = "Id<JobId>")]
    job_id: &'a JobId,
    /// Where it stands.
    #[schemars(with = "Names<JobStatus>")]
    status: JobStatus,
    /// How far its projects have come, in percent.
    #[schemars(range(max = 100), example = 50)]
    overall_progress: usize,
    /// What is being done.
    #[schemars(with = "Names<Stage>")]
    stage: &'static str,
    /// How many projects it has.
    #[schemars(range(min = 1, max = most_projects()), example = 3)]
    total_projects: usize,
    /// How many of them are done.
    #[schemars(range(max = most_projects()), example = 1)]
    completed_projects: usize,
    /// How many of them failed.
    #[schemars(range(max = most_projects()), example = 0)]
    failed_projects: usize,
    /// All of them.
    #[schemars(length(min = 1, max = most_projects()))]
    projects: Vec<Project<'a>>,
    /// Those that are done, and where their videos lie.
    #[schemars(length(max = most_projects()))]
    completed_details: Vec<CompletedProject<'a>>,
    /// When it was started.
    created_at: Time,
    /// When it ended; null while it goes on.
    completed_at: Option<Time>,
}

named! {
    /// What a job of projects is doing.
    enum Stage {
        /// Nobody works on it yet.
        Queued = "queued",
        /// Somebody works on it.
        Generating = "generating",
        /// It has ended, however it did.
        Done = "done",
    }
}

impl NamesOf for Stage {
    const SCHEMA: (&'static str, &'static str) = ("JobStage", "What a job of projects is doing.");
}

impl From<JobStatus> for Stage {
    fn from(status: JobStatus) -> Self {
        match status {
            JobStatus::Pending => Self::Queued,
            JobStatus::Running => Self::Generating,
            _ => Self::Done,
        }
    }
}

/// A project of a job.
#[derive(Debug, Serialize, JsonSchema)]
struct Project<'a> {
    /// Its id, a UUID.
    #[schemars(length(max = 36), example = &"5f0c9a7e-1b3d-4f7a-9c1e-3b5d7f9a1c3e")]
    id: &'a str,
    /// What it is called.
    #[schemars(length(max = MAX_TITLE_CHARS), example = &"videos.example.com - Variant 1")]
    title: &'a str,
    /// Where it stands.
    #[schemars(with = "Names<ProjectStatus>")]
    status: ProjectStatus,
    /// How far it has come, in percent.
    #[schemars(range(max = 100), example = 50)]
    progress: usize,
}

impl<'a> From<&'a job::Project> for Project<'a> {
    fn from(project: &'a job::Project) -> Self {
        Self { id: &project.id, title: &project.title, status: project.status, progress: project.status.progress() }
    }
}

/// A project that is done.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CompletedProject<'a> {
    /// Its id, a UUID.
    #[schemars(length(max = 36), example = &"5f0c9a7e-1b3d-4f7a-9c1e-3b5d7f9a1c3e")]
    project_id: &'a str,
    /// What it is called.
    #[schemars(length(max = MAX_TITLE_CHARS), example = &"videos.example.com - Variant 1")]
    title: &'a str,
    /// Where its video lies; null where that was not told.
    #[schemars(with = "Option<UrlOfTheWeb>")]
    final_output_url: Option<&'a str>,
    /// Where it stands: `completed`.
    #[schemars(with = "Names<ProjectStatus>")]
    status: ProjectStatus,
}

/// A job of projects.
pub(crate) fn generation(job: &Job) -> Generation<'_> {
    let completed = job.projects.iter().filter(|project| project.status == ProjectStatus::Completed);
    Generation {
        job_id: &job.id,
        status: job.status,
        overall_progress: job.progress(),
        stage: Stage::from(job.status).as_str(),
        total_projects: job.projects.len(),
        completed_projects: job.count(ProjectStatus::Completed),
        failed_projects: job.count(ProjectStatus::Failed),
        projects: job.projects.iter().map(Project::from).collect(),
        completed_details: completed
            .map(|project| CompletedProject {
                project_id: &project.id,
                title: &project.title,
                final_output_url: project.video_url.as_deref(),
                status: project.status,
            })
            .collect(),
        created_at: job.created_at.into(),
        completed_at: job.completed_at.map(Time::from),
    }
}

/// A page of jobs of projects.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GenerationPage")]
pub(crate) struct Generations {
    /// The page's jobs, the newest first.
    #[schemars(with = "Vec<Generation<'static>>")]
    jobs: Vec<Box<RawValue>>,
    /// Whether more follows. A page may be short, or empty, while this is true.
    #[schemars(example = true)]
    has_more: bool,
    /// Where the next page begins: the `cursor` of the next call. Null where nothing follows.
    #[schemars(example = &"am9iXzBVajN4S3E4SGo3S2w5TW4")]
    next_cursor: Option<String>,
}

/// A page of such jobs.
pub(crate) fn generations(page: ShownPage) -> Generations {
    let next_cursor = page.next.as_deref().map(Cursor::write);
    Generations { jobs: page.rows, has_more: next_cursor.is_some(), next_cursor }
}

/// A status as a list of such jobs is asked for it.
pub(crate) fn generation_status(name: &str) -> Result<JobStatus, Invalid> {
    serde_json::from_value(json!(name))
        .map_err(|_| Invalid::new("status", "`pending`, `running`, `completed`, `partial`, `failed` or `cancelled`"))
}

/// A status as a list of jobs of one task is asked for it.
pub(crate) fn task_status(name: &str) -> Result<JobStatus, Invalid> {
    match TaskStatus::named(name) {
        Some(TaskStatus::Pending) => Ok(JobStatus::Pending),
        Some(TaskStatus::Processing) => Ok(JobStatus::Running),
        Some(TaskStatus::Completed) => Ok(JobStatus::Completed),
        Some(TaskStatus::Failed) => Ok(JobStatus::Failed),
        Some(TaskStatus::Cancelled) => Ok(JobStatus::Cancelled),
        None => Err(Invalid::new("status", "`pending`, `processing`, `completed`, `failed` or `cancelled`")),
    }
}

/// A job of one task.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Task<'a> {
    /// Its id: `job_` and 16 characters.
    #[schemars(with = "Id<JobId>")]
    job_id: &'a JobId,
    /// Where it stands.
    #[schemars(with = "Names<TaskStatus>")]
    status: &'static str,
    /// What is worked on.
    #[schemars(with = "Option<UrlOfTheWeb>")]
    url: Option<&'a str>,
    /// Whose site that is, as the registered name before its suffix; null for an address.
    #[schemars(example = &"youtube")]
    platform: Option<&'a str>,
    /// What was asked for: 1 to 20 names of 1 to 64 characters.
    #[schemars(
        with = "Option<Vec<String>>",
        length(min = 1, max = MAX_CAPABILITIES),
        inner(length(min = 1, max = MAX_CAPABILITY_CHARS)),
        example = ["transcript", "summary"],
    )]
    capabilities: Option<&'a [String]>,
    /// What it is expected to cost, in credits.
    #[schemars(range(max = MAX_CAPABILITIES), example = 2)]
    credits_estimated: Option<usize>,
    /// What it has cost, in credits; 0 until somebody reports another number.
    #[schemars(range(max = MAX_CREDITS), example = 2)]
    credits_charged: Option<u64>,
    /// When it was created.
    created_at: Time,
    /// When work on it began; null before.
    started_at: Option<Time>,
    /// When it ended; null while it goes on.
    completed_at: Option<Time>,
}

/// A job of one task.
pub(crate) fn task(job: &Job) -> Task<'_> {
    let task = job.task.as_ref();
    Task {
        job_id: &job.id,
        status: TaskStatus::from(job.status).as_str(),
        url: task.map(|task| task.url.as_str()),
        platform: task.and_then(|task| task.platform.as_deref()),
        capabilities: task.map(|task| task.capabilities.as_slice()),
        credits_estimated: task.map(|task| task.capabilities.len()),
        credits_charged: task.map(|task| task.credits_charged),
        created_at: job.created_at.into(),
        started_at: job.started_at.map(Time::from),
        completed_at: job.completed_at.map(Time::from),
    }
}

/// A job of one task, as `/v1/jobs` wraps it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskAnswer")]
pub(crate) struct Wrapped<'a> {
    /// The job.
    data: Task<'a>,
    /// About the request.
    meta: Meta,
}

/// A job of one task, as `/v1/jobs` wraps it.
pub(crate) fn wrapped<'a>(job: &'a Job, request_id: &str) -> Wrapped<'a> {
    Wrapped { data: task(job), meta: Meta { request_id: request_id.to_owned() } }
}

/// A page of jobs of one task.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskPage")]
pub(crate) struct Tasks {
    /// The page's jobs, the newest first.
    #[schemars(with = "Vec<Task<'static>>")]
    pub(crate) data: Vec<Box<RawValue>>,
    /// What follows.
    pub(crate) pagination: Pagination,
    /// About the request.
    pub(crate) meta: Meta,
}
