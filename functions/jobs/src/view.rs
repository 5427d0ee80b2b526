//! Jobs as their customers see them, in each kind's own words.

use postrider_domain::job::{Job, JobStatus, Project, ProjectStatus};
use postrider_domain::time;
use serde_json::{Value, json};

/// What starting a job of projects is answered with.
pub(crate) fn generated(job: &Job) -> Value {
    json!({"jobId": job.id, "totalProjects": job.projects.len(), "status": job.status})
}

/// A job of projects.
pub(crate) fn generation(job: &Job) -> Value {
    let total = job.projects.len();
    let ended = job.count(ProjectStatus::Completed) + job.count(ProjectStatus::Failed);
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
        "overallProgress": (100 * ended).checked_div(total).unwrap_or(0),
        "stage": stage(job.status),
        "totalProjects": total,
        "completedProjects": job.count(ProjectStatus::Completed),
        "failedProjects": job.count(ProjectStatus::Failed),
        "projects": job.projects.iter().map(project).collect::<Vec<_>>(),
        "completedDetails": completed,
        "createdAt": time::wire(job.created_at),
        "completedAt": job.completed_at_wire(),
    })
}

fn project(project: &Project) -> Value {
    let progress = match project.status {
        ProjectStatus::Pending => 0,
        ProjectStatus::Running => 50,
        ProjectStatus::Completed | ProjectStatus::Failed => 100,
    };
    json!({"id": project.id, "title": project.title, "status": project.status, "progress": progress})
}

fn stage(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Pending => "queued",
        JobStatus::Running => "generating",
        _ => "done",
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
        "platform": task.map(|task| &task.platform),
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
