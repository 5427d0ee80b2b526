//! A job, whichever kind it is of.

use jiff::Timestamp;
use maud::Markup;
use postrider_domain::job::JobStatus;
use postrider_domain::time::{as_wire, as_wire_option};
use serde::Deserialize;

use crate::parts;
use crate::texts::jobs::Jobs;

/// A job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) created_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) more: More,
}

/// What one kind alone has.
#[derive(Debug)]
pub(super) enum More {
    Task(Task),
    Generation(Generation),
}

/// A job of one task, as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Task {
    pub(super) job_id: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) platform: Option<String>,
    #[serde(default)]
    pub(super) capabilities: Option<Vec<String>>,
    #[serde(default)]
    pub(super) credits_estimated: Option<u64>,
    #[serde(default)]
    pub(super) credits_charged: Option<u64>,
    #[serde(with = "as_wire")]
    pub(super) created_at: Timestamp,
    #[serde(default, with = "as_wire_option")]
    pub(super) started_at: Option<Timestamp>,
    #[serde(default, with = "as_wire_option")]
    pub(super) completed_at: Option<Timestamp>,
}

/// A job of projects, as the API shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Generation {
    pub(super) job_id: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) overall_progress: u64,
    #[serde(default)]
    pub(super) total_projects: u64,
    #[serde(default)]
    pub(super) completed_projects: u64,
    #[serde(default)]
    pub(super) projects: Vec<Project>,
    #[serde(default)]
    pub(super) completed_details: Vec<Completed>,
    #[serde(with = "as_wire")]
    pub(super) created_at: Timestamp,
    #[serde(default, with = "as_wire_option")]
    pub(super) completed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) progress: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Completed {
    pub(super) project_id: String,
    #[serde(default)]
    pub(super) final_output_url: Option<String>,
}

impl From<Task> for Job {
    fn from(task: Task) -> Self {
        Self {
            id: task.job_id.clone(),
            status: task.status.clone(),
            created_at: task.created_at,
            started_at: task.started_at,
            completed_at: task.completed_at,
            more: More::Task(task),
        }
    }
}

impl From<Generation> for Job {
    fn from(generation: Generation) -> Self {
        Self {
            id: generation.job_id.clone(),
            status: generation.status.clone(),
            created_at: generation.created_at,
            started_at: None,
            completed_at: generation.completed_at,
            more: More::Generation(generation),
        }
    }
}

impl Job {
    pub(super) fn badge(&self, texts: &Jobs) -> Markup {
        badge(texts, &self.status)
    }

    /// How much of it is done, where its kind tells.
    pub(super) fn progress(&self, texts: &Jobs) -> Option<String> {
        match &self.more {
            More::Generation(one) => Some((texts.done_of)(one.completed_projects, one.total_projects)),
            More::Task(_) => None,
        }
    }
}

/// A status in words. One that nobody knows stands as it is.
pub(super) fn badge(texts: &Jobs, status: &str) -> Markup {
    let is = |known: JobStatus| known.as_str() == status;
    let (kind, word) = match status {
        // In the words of one kind.
        "processing" => ("warn", texts.running),
        _ if is(JobStatus::Pending) => ("idle", texts.pending),
        _ if is(JobStatus::Running) => ("warn", texts.running),
        _ if is(JobStatus::Completed) => ("good", texts.completed),
        _ if is(JobStatus::Partial) => ("warn", texts.partial),
        _ if is(JobStatus::Failed) => ("bad", texts.failed),
        _ if is(JobStatus::Cancelled) => ("idle", texts.cancelled),
        other => ("idle", other),
    };
    parts::badge(kind, word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    #[test]
    fn a_status_is_told_in_words_whichever_kind_has_it() {
        let texts = &Language::German.texts().jobs;
        for (status, word) in [
            ("pending", "wartet"),
            ("processing", "läuft"),
            ("running", "läuft"),
            ("completed", "fertig"),
            ("partial", "zum Teil fertig"),
            ("failed", "gescheitert"),
            ("cancelled", "abgebrochen"),
            ("<b>", "&lt;b&gt;"),
        ] {
            assert!(badge(texts, status).into_string().contains(&format!(">{word}<")), "{status}");
        }
    }
}
