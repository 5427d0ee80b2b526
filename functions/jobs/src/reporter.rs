//! Applies reports to jobs.
//!
//! A job is changed only from the state that it was read in, and its last change is one transaction with the event that
//! tells of it. So reports may race, repeat and come out of order, and one event comes of it.

use postrider_api::ApiError;
use postrider_aws::jobs_table::JobsTable;
use postrider_aws::{Failure, Recorded};
use postrider_domain::event::Event;
use postrider_domain::invalid::Invalid;
use postrider_domain::job::{Applied, Job, Refused, Report};
use postrider_domain::own_event::OwnEvent;
use postrider_host::env::Retention;
use postrider_host::metrics::{self, Metric};
use postrider_host::{clock, entropy};

/// How often a report is tried that others overtake: more than there can be projects and ends of a job.
const TRIES: usize = 32;

/// Applies reports.
pub(crate) struct Reporter {
    jobs: JobsTable,
    retention: Retention,
}

impl Reporter {
    pub(crate) fn new(jobs: JobsTable, retention: Retention) -> Self {
        Self { jobs, retention }
    }

    /// Applies a report to the job as it stands now; the job afterwards.
    ///
    /// # Errors
    /// 409 when it would change what has ended, 400 for an unknown project.
    pub(crate) async fn report(&self, mut job: Job, report: &Report) -> Result<Job, ApiError> {
        for _ in 0..TRIES {
            let now = clock::now();
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
                metrics::count(Metric::AcceptedEvents, usize::from(closing.is_some()));
                return Ok(after);
            }
            job = self.jobs.get(&job.id).await?.ok_or_else(|| ApiError::not_found("job"))?;
        }
        // No fault of the report's: over HTTP or the bus, it is to be made again.
        Err(Failure::Overtaken("a report on a job").into())
    }

    fn closing(&self, job: &Job) -> Option<Event> {
        let at = job.completed_at?;
        Some(OwnEvent::job_ended(job)?.into_event(entropy::bits128(), at, at.as_second() + self.retention.seconds))
    }
}

fn refusal(refused: Refused) -> ApiError {
    match refused {
        Refused::UnknownProject(_) => Invalid::new("projects", "projects of this job; GET shows their ids").into(),
        Refused::Ended | Refused::ProjectEnded(_) => ApiError::conflict(refused.to_string()),
    }
}
