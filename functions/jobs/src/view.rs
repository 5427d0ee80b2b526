//! Jobs as their customers see them, in each kind's own words.

use postrider_api::{Cursor, ShownPage};
use postrider_domain::invalid::Invalid;
use postrider_domain::job::{Job, JobStatus, Project, ProjectStatus};
use postrider_domain::time;
use serde_json::{Value, json};

/// What starting a job of projects is answered with.
pub(crate) fn generated(job: &Job) -> Value {
    json!({"jobId": job.id, "totalProjects": job.projects.len(), "status": job.status})
}

/// A job of projects.
pub(crate) fn generation(job: &Job) -> Value {
    let completed: Vec<Value> = job
        .projects
        .iter()
        .filter(|project| project.status == ProjectStatus::Completed)
        .map(|project| {
            json!({
                "projectId": project.id,
                "title": project.title,
                "finalOutputUrl": project.video_url,
                "status": project.status,
            })
        })
        .collect();
    json!({
        "jobId": job.id,
        "status": job.status,
        "overallProgress": job.progress(),
        "stage": stage(job.status),
        "totalProjects": job.projects.len(),
        "completedProjects": job.count(ProjectStatus::Completed),
        "failedProjects": job.count(ProjectStatus::Failed),
        "projects": job.projects.iter().map(project).collect::<Vec<_>>(),
        "completedDetails": completed,
        "createdAt": time::wire(job.created_at),
        "completedAt": job.completed_at_wire(),
    })
}

/// A page of such jobs.
pub(crate) fn generations(page: &ShownPage) -> Value {
    let next = page.next.as_deref().map(Cursor::write);
    json!({"jobs": page.rows, "hasMore": next.is_some(), "nextCursor": next})
}

/// A status as a list of such jobs is asked for it.
pub(crate) fn generation_status(name: &str) -> Result<JobStatus, Invalid> {
    serde_json::from_value(json!(name))
        .map_err(|_| Invalid::new("status", "`pending`, `running`, `completed`, `partial`, `failed` or `cancelled`"))
}

fn project(project: &Project) -> Value {
    json!({
        "id": project.id,
        "title": project.title,
        "status": project.status,
        "progress": project.status.progress(),
    })
}

fn stage(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Pending => "queued",
        JobStatus::Running => "generating",
        _ => "done",
    }
}

/// A status as a list of jobs of one task is asked for it.
pub(crate) fn task_status(name: &str) -> Result<JobStatus, Invalid> {
    match name {
        "pending" => Ok(JobStatus::Pending),
        "processing" => Ok(JobStatus::Running),
        "completed" => Ok(JobStatus::Completed),
        "failed" => Ok(JobStatus::Failed),
        "cancelled" => Ok(JobStatus::Cancelled),
        _ => Err(Invalid::new("status", "`pending`, `processing`, `completed`, `failed` or `cancelled`")),
    }
}

/// A job of one task.
pub(crate) fn task(job: &Job) -> Value {
    let task = job.task.as_ref();
    let status = match job.status {
        JobStatus::Running => json!("processing"),
        status => json!(status),
    };
    json!({
        "job_id": job.id,
        "status": status,
        "url": task.map(|task| &task.url),
        "platform": task.and_then(|task| task.platform.as_ref()),
        "capabilities": task.map(|task| &task.capabilities),
        "credits_estimated": task.map(|task| task.capabilities.len()),
        "credits_charged": task.map(|task| task.credits_charged),
        "created_at": time::wire(job.created_at),
        "started_at": job.started_at.map(time::wire),
        "completed_at": job.completed_at_wire(),
    })
}

/// Data as `/v1/jobs` wraps it.
pub(crate) fn with_meta(data: &Value, request_id: &str) -> Value {
    json!({"data": data, "meta": {"request_id": request_id}})
}
