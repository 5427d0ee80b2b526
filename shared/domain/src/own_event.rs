//! Events of Postrider's own: what it tells without a producer who asked for it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::attempt::Attempt;
use crate::delivery::{Delivery, Reason};
use crate::endpoint::Endpoint;
use crate::endpoint::parking::Parking;
use crate::event::{Announce, Event, OwnType};
use crate::id::{EndpointId, EventId, JobId, TenantId};
use crate::job::{Job, Project};
use crate::time;

mod failed;

/// Who has done what nobody asked for.
pub const POSTRIDER: &str = "postrider";

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
    /// That an `actor` has made a webhook, as the API shows it.
    pub fn webhook_created(endpoint: &Endpoint, shown: &RawValue, actor: &str) -> Self {
        let told = Told { webhook: Some(shown), ..Told::of(&endpoint.id, actor) };
        Self::of_webhook(OwnType::WebhookCreated, endpoint, told.to_json())
    }

    /// That an `actor` has changed these fields of a webhook, as the API shows it now.
    pub fn webhook_updated(endpoint: &Endpoint, changed: &[String], shown: &RawValue, actor: &str) -> Self {
        let told = Told { changed: Some(changed), webhook: Some(shown), ..Told::of(&endpoint.id, actor) };
        Self::of_webhook(OwnType::WebhookUpdated, endpoint, told.to_json())
    }

    /// That an `actor` has deleted a webhook at `at`, as the API showed it; nothing is shown of one that nobody could read.
    pub fn webhook_deleted(
        (tenant_id, webhook_id): (&TenantId, &EndpointId),
        shown: Option<&RawValue>,
        actor: &str,
        at: Timestamp,
    ) -> Self {
        let told = Told { deleted_at: Some(time::wire(at)), webhook: shown, ..Told::of(webhook_id, actor) };
        let (own_type, tenant_id) = (OwnType::WebhookDeleted, tenant_id.clone());
        Self { own_type, tenant_id, data: told.to_json(), job_id: None, announce: None }
    }

    /// That an `actor` has a webhook sent to again since `at`.
    pub fn webhook_enabled(endpoint: &Endpoint, actor: &str, at: Timestamp) -> Self {
        let told = Told { enabled_at: Some(time::wire(at)), ..Told::of(&endpoint.id, actor) };
        Self::of_webhook(OwnType::WebhookEnabled, endpoint, told.to_json())
    }

    /// That an `actor` has disabled a webhook at `at`, and why, in words for its owner.
    pub fn webhook_disabled(endpoint: &Endpoint, reason: &str, actor: &str, at: Timestamp) -> Self {
        let disabled_at = time::wire(at);
        let data = json!({"webhook_id": endpoint.id, "reason": reason, "disabled_at": disabled_at, "actor": actor});
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
            test_of: None,
            announce: self.announce,
            tags: BTreeMap::new(),
            traceparent: None,
        }
    }
}

/// What somebody has done with a webhook.
#[derive(Serialize)]
struct Told<'a> {
    webhook_id: &'a EndpointId,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled_at: Option<String>,
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<&'a RawValue>,
}

impl<'a> Told<'a> {
    fn of(webhook_id: &'a EndpointId, actor: &'a str) -> Self {
        Self { webhook_id, changed: None, deleted_at: None, enabled_at: None, actor, webhook: None }
    }

    fn to_json(&self) -> String {
        // Only maps with keys that are no strings cannot be written.
        serde_json::to_string(self).unwrap_or_default()
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
    use crate::attempt::Mark;
    use crate::delivery::an_event;
    use crate::dialect::{DialectRef, NOUVEL, STANDARD};
    use crate::event::EventType;
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
    fn an_owner_is_told_what_was_done_with_which_webhook_by_whom() {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let endpoint = Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, DialectRef(&STANDARD), at);
        let shown = RawValue::from_string(r#"{"id": "wh"}"#.to_owned()).unwrap();
        let (place, changed) = ((&endpoint.tenant_id, &endpoint.id), ["url".to_owned(), "secret".to_owned()]);
        for (own, event, rest) in [
            (
                OwnEvent::webhook_created(&endpoint, &shown, "key_a"),
                "webhook.created",
                r#""actor":"key_a","webhook":{"id": "wh"}"#,
            ),
            (
                OwnEvent::webhook_updated(&endpoint, &changed, &shown, "key_a"),
                "webhook.updated",
                r#""changed":["url","secret"],"actor":"key_a","webhook":{"id": "wh"}"#,
            ),
            (
                OwnEvent::webhook_deleted(place, Some(&shown), "key_a", at),
                "webhook.deleted",
                r#""deleted_at":"1970-01-01T00:00:00.000Z","actor":"key_a","webhook":{"id": "wh"}"#,
            ),
            (
                OwnEvent::webhook_deleted(place, None, "key_a", at),
                "webhook.deleted",
                r#""deleted_at":"1970-01-01T00:00:00.000Z","actor":"key_a""#,
            ),
            (
                OwnEvent::webhook_enabled(&endpoint, "key_a", at),
                "webhook.enabled",
                r#""enabled_at":"1970-01-01T00:00:00.000Z","actor":"key_a""#,
            ),
        ] {
            let told = own.into_event(7, at, 60);
            assert_eq!(told.data, format!(r#"{{"webhook_id":"{}",{rest}}}"#, endpoint.id));
            assert_eq!((told.event_type.as_str(), told.ours, &told.tenant_id), (event, true, &endpoint.tenant_id));
        }
    }

    #[test]
    fn an_owner_is_told_which_webhook_is_disabled_why_and_since_when() {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let endpoint = Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, DialectRef(&STANDARD), at);
        let event = OwnEvent::webhook_disabled(&endpoint, "it is gone", POSTRIDER, at).into_event(7, at, 60);
        let expected = format!(
            r#"{{"webhook_id":"{}","reason":"it is gone","disabled_at":"1970-01-01T00:00:00.000Z","actor":"postrider"}}"#,
            endpoint.id
        );
        assert_eq!((event.data, event.ours, event.expires_at), (expected, true, 60));
        assert_eq!((event.tenant_id, event.job_id, event.announce), (endpoint.tenant_id, None, None));
    }

    /// In its second round, which began with its third attempt.
    fn a_row() -> Delivery {
        let at = Timestamp::UNIX_EPOCH;
        let row = Delivery::pending(&an_event(at), EndpointId::new(at, 2), at, 60);
        let earlier = Attempt::answered(2, Mark::new(2), at, 500);
        Delivery { attempts_made: 2, round: 2, round_from: 3, attempts: vec![earlier], ..row }
    }

    fn told(row: &Delivery, last: Option<&Attempt>) -> String {
        OwnEvent::delivery_failed(row, last, Reason::AttemptsExhausted, Timestamp::UNIX_EPOCH).unwrap().data
    }

    #[test]
    fn an_owner_is_told_which_delivery_failed_how_and_after_how_many_attempts_of_its_round() {
        let (row, at) = (a_row(), Timestamp::UNIX_EPOCH);
        let head = format!(
            r#"{{"webhook_id":"{}","count":1,"delivery_id":"{}","event_id":"{}","event":"dubbing.completed","reason":"attempts_exhausted","#,
            row.endpoint_id, row.id, row.event_id
        );
        let tail = r#","failed_at":"1970-01-01T00:00:00.000Z"}"#;
        let said = |rest: &str| format!("{head}{rest}{tail}");
        let answered = Attempt::answered(3, Mark::new(3), at, 503);
        let expected = r#""attempts":1,"last_outcome":"status_503","status_code":503"#;
        assert_eq!(told(&row, Some(&answered)), said(expected));
        let unanswered = Attempt { outcome: "timed_out".to_owned(), status_code: None, ..answered.clone() };
        assert_eq!(told(&row, Some(&unanswered)), said(r#""attempts":1,"last_outcome":"timed_out""#));
        // Ended without a further attempt: the row's last one tells, if it is of this round.
        assert_eq!(told(&row, None), said(r#""attempts":0"#), "what went before was another round's");
        let tried = Delivery { attempts_made: 3, attempts: vec![answered], ..row };
        assert_eq!(told(&tried, None), said(expected));
        let event = OwnEvent::delivery_failed(&tried, None, Reason::EndpointGone, at).unwrap().into_event(7, at, 60);
        assert_eq!((event.event_type.as_str(), event.ours), ("webhook.delivery_failed", true));
        assert_eq!((event.tenant_id, event.job_id, event.announce), (tried.tenant_id, None, None));
    }

    #[test]
    fn of_what_tells_of_failures_nobody_is_told_that_it_failed_nor_of_a_jobs_or_a_test() {
        let told = |row: &Delivery| {
            OwnEvent::delivery_failed(row, None, Reason::AttemptsExhausted, Timestamp::UNIX_EPOCH).is_some()
        };
        assert!(told(&a_row()));
        for own in [OwnType::DeliveryFailed, OwnType::WebhookDisabled] {
            assert!(!told(&Delivery { event_type: EventType::from(own), ..a_row() }), "{own:?}");
        }
        assert!(!told(&Delivery { job_id: Some(JobId::short(Timestamp::UNIX_EPOCH, 1)), ..a_row() }));
        assert!(!told(&Delivery { test: true, ..a_row() }));
    }
}
