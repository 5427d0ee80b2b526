//! Jobs: the record that one exists and how it ended. Who does the work reports on it; here is decided what a report
//! changes, so that however many reports race, a job ends once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dialect::{DialectRef, JobKind};
use crate::event::OwnType;
use crate::id::{EventId, JobId, TenantId};
use crate::named;
use crate::named::stored_by_name;
use crate::time;

mod data;

named! {
    /// Where a job stands, by its name in the API and the tables.
    pub enum JobStatus {
        /// Nobody works on it yet.
        Pending = "pending",
        /// Somebody works on it.
        Running = "running",
        /// All of it is done.
        Completed = "completed",
        /// Some of it is done, some failed.
        Partial = "partial",
        /// Nothing of it is done.
        Failed = "failed",
        /// It was called off.
        Cancelled = "cancelled",
    }
}

stored_by_name!(JobStatus);

impl JobStatus {
    /// Whether nothing more will happen.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

named! {
    /// Where a project of a job stands, by its name in the API and the tables.
    pub enum ProjectStatus {
        /// Nobody works on it yet.
        Pending = "pending",
        /// Somebody works on it.
        Running = "running",
        /// It is done.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
    }
}

stored_by_name!(ProjectStatus);

impl ProjectStatus {
    fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }

    /// How far it has come, in percent.
    pub fn progress(self) -> usize {
        match self {
            Self::Pending => 0,
            Self::Running => 50,
            Self::Completed | Self::Failed => 100,
        }
    }
}

/// A part of a job that ends by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// A UUID, made with the job.
    pub id: String,
    /// What its customer calls it.
    pub title: String,
    /// Where it stands.
    pub status: ProjectStatus,
    /// What came of it; a failed one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_url: Option<String>,
}

/// What a job of one task is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What is worked on.
    pub url: String,
    /// Whose site that is; an address is nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// What is asked for.
    pub capabilities: Vec<String>,
    /// What it cost in the end.
    #[serde(default)]
    pub credits_charged: u64,
}

/// A job as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// How it is spoken of.
    pub dialect: DialectRef,
    /// Where it stands.
    pub status: JobStatus,
    /// Whom to tell when it ends: an endpoint without a registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
    /// Its parts, if it has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<Project>,
    /// Its task, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The event that tells how it ended, once it has. Its id is random: one that followed from the job could be taken by a
    /// row of a producer's, and the job would never end. Jobs that ended under earlier versions name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_event_id: Option<EventId>,
    /// Counts its changes: a change is written only over the state that it was made from.
    pub revision: u32,
    /// When it was made.
    #[serde(with = "crate::time::as_wire")]
    pub created_at: Timestamp,
    /// When work on it began.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub completed_at: Option<Timestamp>,
    /// When the row may be removed, in seconds since 1970.
    pub expires_at: i64,
}

/// What a worker says about one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectReport {
    /// Which.
    pub id: String,
    /// Where it stands.
    pub status: ProjectStatus,
    /// A better title.
    pub title: Option<String>,
    /// What came of it.
    pub video_url: Option<String>,
}

/// What is said about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// How its projects stand.
    Projects(Vec<ProjectReport>),
    /// Work on its task has begun.
    Started,
    /// Its task is done, or failed.
    Ended {
        /// How.
        status: JobStatus,
        /// What it cost, if anything.
        credits_charged: Option<u64>,
    },
    /// It is called off.
    Cancelled,
}

/// What a report did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It changed the job to this.
    Changed(Box<Job>),
    /// All of it was so already.
    Nothing,
}

/// Why a report cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It would change what has ended.
    #[error("the job has ended, and the report would change it")]
    Ended,
    /// It would change how a project ended.
    #[error("project {0} has ended otherwise")]
    ProjectEnded(String),
    /// It speaks of a project that the job does not have.
    #[error("the job has no project {0}")]
    UnknownProject(String),
}

/// What the job of this id is made of: each kind's ids have a shape of their own.
pub fn kind_of(job: &JobId) -> JobKind {
    if job.is_short() { JobKind::Task } else { JobKind::Projects }
}

impl Job {
    /// What a report at `now` makes of the job.
    ///
    /// # Errors
    /// [`Refused`]; nothing changes then.
    pub fn apply(&self, report: &Report, now: Timestamp) -> Result<Applied, Refused> {
        let mut after = self.clone();
        match report {
            Report::Projects(reports) => after.take_projects(reports)?,
            Report::Started if self.status == JobStatus::Pending => after.status = JobStatus::Running,
            Report::Started if self.status.has_ended() => return Err(Refused::Ended),
            Report::Started => {}
            Report::Ended { status, credits_charged } => {
                after.status = *status;
                if let (Some(task), Some(credits)) = (&mut after.task, credits_charged) {
                    task.credits_charged = *credits;
                }
            }
            Report::Cancelled => after.status = JobStatus::Cancelled,
        }
        if after == *self {
            return Ok(Applied::Nothing);
        }
        if self.status.has_ended() {
            return Err(Refused::Ended);
        }
        // What is called off, or fails, before anybody worked on it has never started.
        let has_started = !matches!(after.status, JobStatus::Pending | JobStatus::Cancelled | JobStatus::Failed);
        if has_started && after.started_at.is_none() {
            after.started_at = Some(now);
        }
        if after.status.has_ended() {
            after.completed_at = Some(now);
        }
        after.revision += 1;
        Ok(Applied::Changed(Box::new(after)))
    }

    fn take_projects(&mut self, reports: &[ProjectReport]) -> Result<(), Refused> {
        let job_has_ended = self.status.has_ended();
        for report in reports {
            let unknown = || Refused::UnknownProject(report.id.clone());
            let project = self.projects.iter_mut().find(|project| project.id == report.id).ok_or_else(unknown)?;
            if project.status.has_ended() && !report.status.has_ended() {
                // It is late: the project went on in the meantime. Of an ended job it would say that it has not ended.
                if job_has_ended {
                    return Err(Refused::Ended);
                }
                continue;
            }
            if project.status.has_ended() && project.status != report.status {
                return Err(if job_has_ended { Refused::Ended } else { Refused::ProjectEnded(report.id.clone()) });
            }
            project.status = report.status;
            if let Some(title) = &report.title {
                project.title.clone_from(title);
            }
            if report.status == ProjectStatus::Completed && report.video_url.is_some() {
                project.video_url.clone_from(&report.video_url);
            }
        }
        let ended = self.projects.iter().all(|project| project.status.has_ended());
        if !self.status.has_ended() {
            self.status = if ended { self.sum() } else { JobStatus::Running };
        }
        Ok(())
    }

    fn sum(&self) -> JobStatus {
        match (self.count(ProjectStatus::Completed), self.count(ProjectStatus::Failed)) {
            (_, 0) => JobStatus::Completed,
            (0, _) => JobStatus::Failed,
            _ => JobStatus::Partial,
        }
    }

    /// How many of its projects stand so.
    pub fn count(&self, status: ProjectStatus) -> usize {
        self.projects.iter().filter(|project| project.status == status).count()
    }

    /// How far it has come, in percent: its projects' progress, summed up.
    pub fn progress(&self) -> usize {
        let sum: usize = self.projects.iter().map(|project| project.status.progress()).sum();
        sum.checked_div(self.projects.len()).unwrap_or(0)
    }

    /// What is told when it has ended: the event's type and its data, which is the whole body. `None` when nobody is told.
    pub fn closing(&self) -> Option<(OwnType, String)> {
        self.webhook_url.as_ref()?;
        Some(match self.dialect.jobs? {
            JobKind::Projects if self.status == JobStatus::Cancelled => return None,
            JobKind::Projects => {
                let ended = OwnType::JobCompleted;
                (ended, data::of_projects(self, ended.as_str()))
            }
            JobKind::Task => {
                let ended = match self.status {
                    JobStatus::Completed => OwnType::JobCompleted,
                    JobStatus::Cancelled => OwnType::JobCancelled,
                    _ => OwnType::JobFailed,
                };
                (ended, data::of_task(self, ended.as_str()))
            }
        })
    }

    /// When it ended, as it is told.
    pub fn completed_at_wire(&self) -> Option<String> {
        self.completed_at.map(time::wire)
    }
}

#[cfg(test)]
#[path = "job/tests.rs"]
mod tests;
