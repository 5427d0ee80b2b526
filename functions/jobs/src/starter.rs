//! Starting jobs: the row, what announces it to workers, and the customer's key for it, all or nothing.

use postrider_aws::chance;
use postrider_aws::env::{self, BadSetting, Retention};
use postrider_aws::http::Fault;
use postrider_aws::jobs_table::{Created, JobKey, JobsTable};
use postrider_aws::resolve::check_url;
use postrider_domain::egress::PrivateTargets;
use postrider_domain::event::{Announce, Event};
use postrider_domain::id::EventId;
use postrider_domain::invalid::Invalid;
use postrider_domain::job::Job;
use postrider_domain::time;
use serde_json::json;

/// Starts jobs.
pub(crate) struct Starter {
    jobs: JobsTable,
    private: PrivateTargets,
    pub(crate) retention: Retention,
}

/// What a start led to.
pub(crate) enum Started {
    /// This job, which is new.
    New,
    /// The same request was made before with the same key; the job of then.
    Before(Box<Job>),
}

impl Starter {
    pub(crate) fn from_env(jobs: JobsTable) -> Result<Self, BadSetting> {
        Ok(Self { jobs, private: env::private_targets()?, retention: env::retention()? })
    }

    /// Refuses a webhook URL that may not be sent to, before there is a job.
    pub(crate) async fn check_url(&self, field: &str, url: Option<&str>) -> Result<(), Fault> {
        match url {
            Some(url) => Ok(check_url(field, url, self.private).await?),
            None => Ok(()),
        }
    }

    /// Puts the job, and announces it on the bus by an event row of the same transaction.
    pub(crate) async fn start(&self, job: &Job, key: Option<(&str, &str)>) -> Result<Started, Fault> {
        let now = job.created_at;
        let key = key.map(|(key, request)| JobKey::new(&job.tenant_id, key, &job.id, request, now));
        let announcement = self.announcement(job)?;
        match self.jobs.create(job, job.task.is_some(), &announcement, key.as_ref(), now).await? {
            Created::New => Ok(Started::New),
            Created::Before(before) if key.is_some_and(|key| key.request == before.request) => {
                let job = self.jobs.get(&before.job_id).await?.ok_or_else(|| Fault::not_found("job"))?;
                Ok(Started::Before(Box::new(job)))
            }
            Created::Before(_) => Err(Fault::conflict("this Idempotency-Key was used before, for another request")),
        }
    }

    fn announcement(&self, job: &Job) -> Result<Event, Invalid> {
        let projects: Vec<_> =
            job.projects.iter().map(|project| json!({"id": project.id, "title": project.title})).collect();
        let mut data = json!({
            "job_id": job.id,
            "tenant_id": job.tenant_id,
            "dialect": job.dialect,
            "created_at": time::wire(job.created_at),
        });
        match &job.task {
            Some(task) => {
                data["url"] = json!(task.url);
                data["capabilities"] = json!(task.capabilities);
            }
            None => data["projects"] = json!(projects),
        }
        Ok(Event {
            tenant_id: job.tenant_id.clone(),
            id: EventId::fresh(chance::bits128()),
            event_type: "job.created".parse()?,
            data: data.to_string(),
            timestamp: job.created_at,
            expires_at: job.expires_at,
            ours: true,
            job_id: Some(job.id.clone()),
            announce: Some(Announce::JobCreated),
        })
    }
}
