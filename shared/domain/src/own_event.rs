//! Events of Postrider's own: what it tells without a producer who asked for it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::endpoint::Endpoint;
use crate::event::{Announce, Event, OwnType};
use crate::id::{EventId, JobId, TenantId};
use crate::job::{Job, Project};
use crate::parking::Parking;
use crate::time;

/// Something that Postrider tells, before it has an id and a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEvent {
    own_type: OwnType,
    tenant_id: TenantId,
    data: String,
    job_id: Option<JobId>,
    announce: Option<Announce>,
}

impl OwnEvent {
    /// That a webhook is disabled since `at`, and why, in words for its owner.
    pub fn webhook_disabled(endpoint: &Endpoint, reason: &str, at: Timestamp) -> Self {
        let data = json!({"webhook_id": endpoint.id, "reason": reason, "disabled_at": time::wire(at)});
        Self::of_webhook(OwnType::WebhookDisabled, endpoint, data.to_string())
    }

    /// That a webhook is down since a while before `at`, and what is for it is parked.
    pub fn webhook_failing(endpoint: &Endpoint, parking: &Parking) -> Self {
        let data = json!({
            "webhook_id": endpoint.id,
            "failing_since": endpoint.down_since.map(time::wire),
            "parked_since": time::wire(parking.since),
            "next_probe_at": time::wire(parking.next_at),
        });
        Self::of_webhook(OwnType::WebhookFailing, endpoint, data.to_string())
    }

    /// That it takes deliveries again since `at`, and what became of the outage.
    pub fn webhook_recovered(endpoint: &Endpoint, parking: &Parking, at: Timestamp) -> Self {
        let data = json!({
            "webhook_id": endpoint.id,
            "parked_since": time::wire(parking.since),
            "recovered_at": time::wire(at),
            "probes": parking.probes,
            "deliveries": parking.drained,
        });
        Self::of_webhook(OwnType::WebhookRecovered, endpoint, data.to_string())
    }

    fn of_webhook(own_type: OwnType, endpoint: &Endpoint, data: String) -> Self {
        Self { own_type, tenant_id: endpoint.tenant_id.clone(), data, job_id: None, announce: None }
    }

    /// That there is a new job: its projects' ids, and what its customer asked for, save whom to tell.
    pub fn job_created(job: &Job, request: &RawValue) -> Self {
        let created = Created {
            job_id: job.id.as_str(),
            tenant_id: job.tenant_id.as_str(),
            dialect: job.dialect.name,
            created_at: time::wire(job.created_at),
            projects: job.projects.iter().map(|Project { id, title, .. }| Named { id, title }).collect(),
            request,
        };
        // Only maps with keys that are no strings cannot be written.
        let data = serde_json::to_string(&created).unwrap_or_default();
        let announce = Some(Announce::JobCreated);
        Self { announce, ..Self::of_job(OwnType::JobCreated, job, data) }
    }

    /// How a job ended; nothing where nobody is told.
    pub fn job_ended(job: &Job) -> Option<Self> {
        job.closing().map(|(own_type, data)| Self::of_job(own_type, job, data))
    }

    fn of_job(own_type: OwnType, job: &Job, data: String) -> Self {
        Self { own_type, tenant_id: job.tenant_id.clone(), data, job_id: Some(job.id.clone()), announce: None }
    }

    /// What it says, in bytes.
    pub fn data_bytes(&self) -> usize {
        self.data.len()
    }

    /// The event's row. Its id is random: under one that followed from what it tells of, a producer could put a row first.
    pub fn into_event(self, random: u128, timestamp: Timestamp, expires_at: i64) -> Event {
        Event {
            tenant_id: self.tenant_id,
            id: EventId::fresh(random),
            event_type: self.own_type.into(),
            data: self.data,
            timestamp,
            expires_at,
            ours: true,
            counted: false,
            job_id: self.job_id,
            announce: self.announce,
        }
    }
}

#[derive(Serialize)]
struct Created<'a> {
    job_id: &'a str,
    tenant_id: &'a str,
    dialect: &'a str,
    created_at: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    projects: Vec<Named<'a>>,
    request: &'a RawValue,
}

#[derive(Serialize)]
struct Named<'a> {
    id: &'a str,
    title: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{DialectRef, NOUVEL, STANDARD};
    use crate::id::EndpointId;
    use crate::job::{JobStatus, ProjectStatus};

    #[test]
    fn a_worker_is_told_what_its_customer_asked_for() {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let job = |projects: Vec<Project>| Job {
            id: JobId::short(at, 1),
            tenant_id: TenantId::new(at, 1),
            dialect: DialectRef(&NOUVEL),
            status: JobStatus::Running,
            webhook_url: Some(url.clone()),
            projects,
            task: None,
            closing_event_id: None,
            revision: 0,
            created_at: at,
            started_at: None,
            completed_at: None,
            expires_at: 60,
        };
        let told = |job: &Job| {
            let request = RawValue::from_string(r#"{"urls": ["a"]}"#.to_owned()).unwrap();
            OwnEvent::job_created(job, &request).into_event(7, at, job.expires_at)
        };
        let project =
            Project { id: "p".to_owned(), title: "A".to_owned(), status: ProjectStatus::Pending, video_url: None };
        for (projects, shown) in [(vec![], ""), (vec![project], r#""projects":[{"id":"p","title":"A"}],"#)] {
            let job = job(projects);
            let event = told(&job);
            let (id, tenant) = (job.id.as_str(), job.tenant_id.as_str());
            let expected = format!(
                r#"{{"job_id":"{id}","tenant_id":"{tenant}","dialect":"nouvel","created_at":"1970-01-01T00:00:00.000Z",{shown}"request":{{"urls": ["a"]}}}}"#
            );
            assert_eq!((event.data, event.job_id.as_ref()), (expected, Some(&job.id)));
            assert_eq!((event.announce, event.event_type.as_str()), (Some(Announce::JobCreated), "job.created"));
        }
    }

    #[test]
    fn an_owner_is_told_which_webhook_is_disabled_why_and_since_when() {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let endpoint = Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, DialectRef(&STANDARD), at);
        let event = OwnEvent::webhook_disabled(&endpoint, "it is gone", at).into_event(7, at, 60);
        let expected = format!(
            r#"{{"webhook_id":"{}","reason":"it is gone","disabled_at":"1970-01-01T00:00:00.000Z"}}"#,
            endpoint.id
        );
        assert_eq!((event.data, event.ours, event.expires_at), (expected, true, 60));
        assert_eq!((event.tenant_id, event.job_id, event.announce), (endpoint.tenant_id, None, None));
    }
}
