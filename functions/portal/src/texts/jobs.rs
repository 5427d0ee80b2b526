//! Jobs, and whether their ends were told.

use super::With;

/// See above.
#[derive(Debug)]
pub(crate) struct Jobs {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    /// Jobs of one task, and jobs of several projects.
    pub(crate) tasks: &'static str,
    pub(crate) generations: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_means: &'static str,
    pub(crate) job: &'static str,
    pub(crate) status: &'static str,
    pub(crate) progress: &'static str,
    pub(crate) created: &'static str,
    pub(crate) started: &'static str,
    pub(crate) ended: &'static str,
    pub(crate) not_yet: &'static str,
    pub(crate) told: &'static str,
    pub(crate) pending: &'static str,
    pub(crate) running: &'static str,
    pub(crate) completed: &'static str,
    pub(crate) partial: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) cancelled: &'static str,
    /// How many projects of how many are done.
    pub(crate) done_of: fn(u64, u64) -> String,
    pub(crate) percent: With,
    /// Of a job that has ended, and whose end nobody is told.
    pub(crate) nobody_told: &'static str,
    pub(crate) nobody_told_means: &'static str,
    /// Of one that goes on.
    pub(crate) when_ended: &'static str,
    pub(crate) delivery: &'static str,
    pub(crate) url: &'static str,
    pub(crate) platform: &'static str,
    pub(crate) capabilities: &'static str,
    pub(crate) credits: &'static str,
    /// What it has cost, and what was expected.
    pub(crate) credits_of: fn(u64, u64) -> String,
    pub(crate) projects: &'static str,
    pub(crate) project: &'static str,
    pub(crate) video: &'static str,
    pub(crate) attempts: &'static str,
    pub(crate) recover: &'static str,
    pub(crate) recover_means: &'static str,
    pub(crate) since: &'static str,
    pub(crate) until: &'static str,
    pub(crate) count: &'static str,
    /// How many would be sent again.
    pub(crate) counted: fn(u64) -> String,
    pub(crate) counted_at_least: fn(u64) -> String,
    pub(crate) nothing_to_recover: &'static str,
    pub(crate) recover_now: fn(u64) -> String,
    pub(crate) needs_since: &'static str,
    pub(crate) recovery: &'static str,
    pub(crate) recovery_running: &'static str,
    pub(crate) recovery_done: &'static str,
    pub(crate) found: &'static str,
    pub(crate) requeued: &'static str,
    pub(crate) to_jobs: &'static str,
    /// Where one of many cannot be read.
    pub(crate) unread: &'static str,
}
