//! Where a job of one task stands, in its customers' words.

use postrider_api::document::NamesOf;
use postrider_domain::job::JobStatus;
use postrider_domain::named;

named! {
    /// Where a job of one task stands, by its name in the API.
    pub(crate) enum TaskStatus {
        /// Nobody works on it yet.
        Pending = "pending",
        /// Somebody works on it.
        Processing = "processing",
        /// It is done.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
        /// It was called off.
        Cancelled = "cancelled",
    }
}

impl NamesOf for TaskStatus {
    const SCHEMA: (&'static str, &'static str) = ("TaskStatus", "Where a job of one task stands.");
}

impl TaskStatus {
    /// The status of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.as_str() == name)
    }
}

/// One task is done or not: no part of it can fail by itself.
impl From<JobStatus> for TaskStatus {
    fn from(status: JobStatus) -> Self {
        match status {
            JobStatus::Pending => Self::Pending,
            JobStatus::Running => Self::Processing,
            JobStatus::Completed | JobStatus::Partial => Self::Completed,
            JobStatus::Failed => Self::Failed,
            JobStatus::Cancelled => Self::Cancelled,
        }
    }
}
