//! The bodies that tell how a job ended: compact, in the pages' order of fields, as JavaScript would write them again.
//! Counts are small integers and all else is text, so re-serialising changes nothing.

use serde::Serialize;

use super::{Job, JobStatus, Project, ProjectStatus};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfProjects<'a> {
    event: &'a str,
    job_id: &'a str,
    status: JobStatus,
    total_projects: usize,
    completed_projects: usize,
    failed_projects: usize,
    projects: Vec<OfProject<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfProject<'a> {
    project_id: &'a str,
    title: &'a str,
    status: ProjectStatus,
    video_url: Option<&'a str>,
}

impl<'a> From<&'a Project> for OfProject<'a> {
    fn from(project: &'a Project) -> Self {
        Self {
            project_id: &project.id,
            title: &project.title,
            status: project.status,
            video_url: project.video_url.as_deref(),
        }
    }
}

pub(super) fn of_projects(job: &Job, event: &str) -> String {
    write(&OfProjects {
        event,
        job_id: job.id.as_str(),
        status: job.status,
        total_projects: job.projects.len(),
        completed_projects: job.count(ProjectStatus::Completed),
        failed_projects: job.count(ProjectStatus::Failed),
        projects: job.projects.iter().map(OfProject::from).collect(),
    })
}

#[derive(Serialize)]
struct OfTask<'a> {
    event: &'a str,
    job_id: &'a str,
    status: JobStatus,
    completed_at: Option<String>,
    credits_charged: u64,
}

pub(super) fn of_task(job: &Job, event: &str) -> String {
    write(&OfTask {
        event,
        job_id: job.id.as_str(),
        status: job.status,
        completed_at: job.completed_at_wire(),
        credits_charged: job.task.as_ref().map_or(0, |task| task.credits_charged),
    })
}

/// Only maps with keys that are no strings cannot be written, and there is none.
fn write<T: Serialize>(body: &T) -> String {
    serde_json::to_string(body).unwrap_or_default()
}
