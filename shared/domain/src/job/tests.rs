use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::dialect::{NETRAFLOW, NOUVEL};

fn noon() -> Timestamp {
    "2026-04-03T12:00:45Z".parse().unwrap()
}

fn job(dialect: &'static crate::dialect::Dialect) -> Job {
    Job {
        id: JobId::uuid(noon(), 1),
        tenant_id: TenantId::new(noon(), 1),
        dialect: DialectRef(dialect),
        status: JobStatus::Pending,
        webhook_url: Some("https://example.com/".to_owned()),
        projects: Vec::new(),
        task: None,
        closing_event_id: None,
        revision: 0,
        created_at: noon(),
        started_at: None,
        completed_at: None,
        expires_at: 0,
    }
}

fn of_projects(count: usize) -> Job {
    let project = |n: usize| Project {
        id: format!("p{n}"),
        title: format!("Variant {n}"),
        status: ProjectStatus::Pending,
        video_url: None,
    };
    Job { projects: (0..count).map(project).collect(), status: JobStatus::Running, ..job(&NOUVEL) }
}

fn of_task() -> Job {
    let task = Task {
        url: "https://www.youtube.com/watch?v=x".to_owned(),
        platform: Some("youtube".to_owned()),
        capabilities: vec!["transcription".to_owned()],
        credits_charged: 0,
    };
    Job { task: Some(task), ..job(&NETRAFLOW) }
}

fn report(n: usize, status: ProjectStatus) -> ProjectReport {
    let video_url = (status == ProjectStatus::Completed).then(|| format!("https://cdn.example/{n}"));
    ProjectReport { id: format!("p{n}"), status, title: None, video_url }
}

fn changed(job: &Job, report: &Report) -> Job {
    match job.apply(report, noon()) {
        Ok(Applied::Changed(job)) => *job,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_never_started_has_no_start() {
    let cancelled = changed(&of_task(), &Report::Cancelled);
    assert_eq!((cancelled.started_at, cancelled.completed_at), (None, Some(noon())));
    let begun = changed(&of_task(), &Report::Started);
    assert_eq!(changed(&begun, &Report::Cancelled).started_at, Some(noon()));
    let failed = Report::Ended { status: JobStatus::Failed, credits_charged: None };
    assert_eq!(changed(&of_task(), &failed).started_at, None);
    assert_eq!(changed(&begun, &failed).started_at, Some(noon()));
    let completed = Report::Ended { status: JobStatus::Completed, credits_charged: None };
    assert_eq!(changed(&of_task(), &completed).started_at, Some(noon()), "what is done was begun");
}

#[test]
fn progress_is_that_of_the_projects() {
    let job = of_projects(3);
    assert_eq!(job.progress(), 0);
    let running = changed(&job, &Report::Projects(vec![report(0, ProjectStatus::Running)]));
    assert_eq!(running.progress(), 16);
    let more = vec![report(1, ProjectStatus::Failed), report(2, ProjectStatus::Completed)];
    let more = changed(&running, &Report::Projects(more));
    assert_eq!(more.progress(), 83);
    assert_eq!(changed(&more, &Report::Projects(vec![report(0, ProjectStatus::Completed)])).progress(), 100);
}

#[test]
fn projects_add_up() {
    use ProjectStatus::{Completed, Failed};
    for (first, second, sum) in [
        (Completed, Completed, JobStatus::Completed),
        (Completed, Failed, JobStatus::Partial),
        (Failed, Failed, JobStatus::Failed),
    ] {
        let half = changed(&of_projects(2), &Report::Projects(vec![report(1, first)]));
        assert_eq!((half.status, half.completed_at), (JobStatus::Running, None));
        let whole = changed(&half, &Report::Projects(vec![report(0, second)]));
        assert_eq!((whole.status, whole.completed_at), (sum, Some(noon())));
    }
}

#[test]
fn the_body_of_projects_is_the_pages() {
    let reports = vec![report(0, ProjectStatus::Completed), report(1, ProjectStatus::Failed)];
    let (event, data) = changed(&of_projects(2), &Report::Projects(reports)).closing().unwrap();
    assert_eq!(event.as_str(), "job.completed");
    let expected = concat!(
        r#"{"event":"job.completed","jobId":"019d5337-95c8-7000-8000-000000000001","status":"partial","totalProjects":2,"#,
        r#""completedProjects":1,"failedProjects":1,"projects":[{"projectId":"p0","title":"Variant 0","status":"completed","#,
        r#""videoUrl":"https://cdn.example/0"},{"projectId":"p1","title":"Variant 1","status":"failed","videoUrl":null}]}"#
    );
    assert_eq!(data, expected);
}

#[test]
fn the_body_of_a_task_has_exactly_the_five_fields() {
    let started = changed(&of_task(), &Report::Started);
    let ended = changed(&started, &Report::Ended { status: JobStatus::Completed, credits_charged: Some(5) });
    let (event, data) = ended.closing().unwrap();
    assert_eq!(event.as_str(), "job.completed");
    let id = ended.id.as_str();
    let expected = format!(
        r#"{{"event":"job.completed","job_id":"{id}","status":"completed","completed_at":"2026-04-03T12:00:45.000Z","credits_charged":5}}"#
    );
    assert_eq!(data, expected);
    let cancelled = changed(&of_task(), &Report::Cancelled).closing().unwrap();
    assert_eq!(cancelled.0.as_str(), "job.cancelled");
}

#[test]
fn a_cancelled_job_of_projects_and_one_without_a_url_tell_nobody() {
    assert_eq!(changed(&of_projects(2), &Report::Cancelled).closing(), None);
    let silent = Job { webhook_url: None, ..of_task() };
    assert_eq!(changed(&silent, &Report::Cancelled).closing(), None);
}

#[test]
fn what_has_ended_takes_repeats_and_nothing_else() {
    let ended = changed(&of_task(), &Report::Ended { status: JobStatus::Failed, credits_charged: None });
    let again = Report::Ended { status: JobStatus::Failed, credits_charged: None };
    assert_eq!(ended.apply(&again, noon()), Ok(Applied::Nothing));
    for other in [
        Report::Started,
        Report::Cancelled,
        Report::Ended { status: JobStatus::Completed, credits_charged: None },
        Report::Ended { status: JobStatus::Failed, credits_charged: Some(1) },
    ] {
        assert_eq!(ended.apply(&other, noon()), Err(Refused::Ended), "{other:?}");
    }
    let ended = changed(&of_projects(1), &Report::Projects(vec![report(0, ProjectStatus::Completed)]));
    let again = Report::Projects(vec![report(0, ProjectStatus::Completed)]);
    assert_eq!(ended.apply(&again, noon()), Ok(Applied::Nothing));
    for status in [ProjectStatus::Failed, ProjectStatus::Running] {
        assert_eq!(ended.apply(&Report::Projects(vec![report(0, status)]), noon()), Err(Refused::Ended));
    }
}

#[test]
fn a_late_word_about_an_ended_project_changes_nothing_while_the_job_runs() {
    let half = changed(&of_projects(2), &Report::Projects(vec![report(0, ProjectStatus::Completed)]));
    let late = Report::Projects(vec![report(0, ProjectStatus::Running)]);
    assert_eq!(half.apply(&late, noon()), Ok(Applied::Nothing));
    let other = Report::Projects(vec![report(0, ProjectStatus::Failed)]);
    assert_eq!(half.apply(&other, noon()), Err(Refused::ProjectEnded("p0".to_owned())));
    let unknown = Report::Projects(vec![report(7, ProjectStatus::Failed)]);
    assert_eq!(half.apply(&unknown, noon()), Err(Refused::UnknownProject("p7".to_owned())));
}

#[test]
fn a_failed_project_has_no_video() {
    let failed = ProjectReport { video_url: Some("https://x.example/".into()), ..report(0, ProjectStatus::Failed) };
    let ended = changed(&of_projects(1), &Report::Projects(vec![failed]));
    let data: serde_json::Value = serde_json::from_str(&ended.closing().unwrap().1).unwrap();
    assert_eq!(data["projects"][0]["videoUrl"], json!(null));
}

proptest! {
    /// Whatever order reports come in, and however often, a job of projects ends once, when its last project has.
    #[test]
    fn a_job_ends_once(order in proptest::collection::vec((0_usize..9, any::<bool>()), 0..60)) {
        let mut job = of_projects(9);
        let mut ends = 0;
        for (n, started) in order {
            let status = if started { ProjectStatus::Running } else { ProjectStatus::Completed };
            if let Ok(Applied::Changed(after)) = job.apply(&Report::Projects(vec![report(n, status)]), noon()) {
                ends += u32::from(after.status.has_ended());
                prop_assert!(!job.status.has_ended());
                job = *after;
            }
        }
        prop_assert_eq!(ends, u32::from(job.count(ProjectStatus::Completed) == 9));
    }
}
