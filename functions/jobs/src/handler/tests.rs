//! What customers and workers are told of jobs, and what is asked of AWS for it.

use std::iter::repeat_with;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use postrider_api::{Access as _, Route, Routed as _};
use postrider_aws::events_table::EventsTable;
use postrider_aws::sdk;
use postrider_domain::dialect::{Dialect, DialectRef, NETRAFLOW, NOUVEL};
use postrider_domain::egress::{Egress, PrivateTargets};
use postrider_domain::id::TenantId;
use postrider_domain::job::{Project, ProjectStatus, Task};
use postrider_domain::key::Scope;
use postrider_domain::tenant::{Plan, Tenant};
use postrider_host::env::Retention;
use postrider_host::resolver::Resolver;
use replay::{Answer, Call, Caller as Someone, Said, Script, expression, invocation};
use serde_json::json;

use super::*;

const PROJECT: &str = "00000000-0000-4000-8000-000000000001";

fn jobs(script: &Script) -> Jobs {
    let sdk = script.sdk(sdk::over);
    let jobs = JobsTable::of(&sdk, "jobs", EventsTable::of(&sdk, "events"));
    let retention = Retention { seconds: 90 * 86_400 };
    let look_up = |_| std::future::ready(Ok(vec![IpAddr::from([93, 184, 215, 14])]));
    let resolver = Resolver::asking(Egress::new(PrivateTargets::Refuse), Arc::new(move |name| Box::pin(look_up(name))));
    Jobs {
        credentials: Credentials::new(ConfigTable::of(&sdk, "config")),
        starter: Starter::new(jobs.clone(), resolver, retention),
        reporter: Reporter::new(jobs.clone(), retention),
        triggers: SetAsideQueue::at(&sdk, "https://sqs.example/triggers"),
        jobs,
    }
}

fn scopes() -> Vec<Scope> {
    Scope::of_a_tenant().into_iter().chain([Scope::JobsReport]).collect()
}

fn customer(dialect: &'static Dialect) -> Someone {
    Someone::of_tenant(1, dialect, &scopes())
}

fn worker() -> Someone {
    Someone::of_provider(&[Scope::JobsRead, Scope::JobsWrite, Scope::JobsReport])
}

/// An AWS that knows the customer in both dialects, the worker, and these jobs.
fn script(jobs: &[Job]) -> Script {
    let known = [customer(&NETRAFLOW), customer(&NOUVEL), worker()];
    Script::default()
        .holding("config", known.iter().flat_map(Someone::rows))
        .holding("jobs", jobs.iter().map(|job| json!(job)))
}

/// A job of one task that nobody works on yet.
fn task() -> Job {
    let at = Timestamp::UNIX_EPOCH;
    Job {
        id: JobId::short(at, 1),
        tenant_id: customer(&NETRAFLOW).tenant_id(),
        dialect: DialectRef(&NETRAFLOW),
        status: JobStatus::Pending,
        webhook_url: Some("https://hooks.example/".to_owned()),
        projects: Vec::new(),
        task: Some(Task {
            url: "https://youtu.be/7".to_owned(),
            platform: None,
            capabilities: vec!["subtitles".to_owned()],
            credits_charged: 0,
        }),
        closing_event_id: None,
        revision: 4,
        created_at: at,
        started_at: None,
        completed_at: None,
        expires_at: 1_800_000_000,
    }
}

fn completed() -> Job {
    let at = Some(Timestamp::UNIX_EPOCH);
    Job { status: JobStatus::Completed, started_at: at, completed_at: at, ..task() }
}

/// A job of one project.
fn generation() -> Job {
    let title = "a film".to_owned();
    let project = Project { id: PROJECT.to_owned(), title, status: ProjectStatus::Pending, video_url: None };
    Job {
        id: JobId::uuid(Timestamp::UNIX_EPOCH, 1),
        dialect: DialectRef(&NOUVEL),
        status: JobStatus::Running,
        task: None,
        projects: vec![project],
        ..task()
    }
}

async fn answered(script: &Script, call: Call) -> Answer {
    Answer::of(&Box::pin(jobs(script).answer(call.event())).await.unwrap())
}

fn start(body: &Value) -> Call {
    Call::new("POST", "/v1/jobs").by(&customer(&NETRAFLOW)).saying(body)
}

fn report(job: &Job, body: &Value) -> Call {
    let root = if job.task.is_some() { "/v1/jobs" } else { "/api/v1/jobs" };
    Call::new("POST", &format!("{root}/{}/report", job.id)).by(&worker()).saying(body)
}

fn cancel(job: &Job) -> Call {
    Call::new("POST", &format!("/v1/jobs/{}/cancel", job.id)).by(&customer(&NETRAFLOW))
}

fn asked_for() -> Value {
    json!({"url": "https://youtu.be/7", "capabilities": ["subtitles"], "webhook_url": "https://hooks.example/"})
}

/// What was put, transaction by transaction.
fn put(script: &Script) -> Vec<Vec<Value>> {
    let items = |transaction: Value| {
        let writes = transaction["TransactItems"].as_array().unwrap().iter();
        writes.map(|write| write["Put"].clone()).collect()
    };
    script.asked("TransactWriteItems").into_iter().map(items).collect()
}

#[tokio::test]
async fn a_job_is_put_with_what_announces_it_or_not_at_all() {
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, start(&asked_for())).await;
    let id = answer.body["data"]["job_id"].as_str().unwrap();
    assert_eq!((answer.status, &answer.headers["location"]), (201, &json!(format!("/v1/jobs/{id}"))));
    let [transaction] = &put(&script)[..] else { panic!("one transaction") };
    let [job, event] = &transaction[..] else { panic!("a job and an event") };
    assert!([job, event].iter().all(|put| put["ConditionExpression"] == "attribute_not_exists(id)"));
    assert_eq!(
        (&job["Item"]["id"], &job["Item"]["status"], &event["Item"]["job_id"]),
        (&json!(id), &json!("pending"), &json!(id))
    );
    assert_eq!((&event["TableName"], &event["Item"]["announce"]), (&json!("events"), &json!("job_created")));
    let told = event["Item"]["data"].as_str().unwrap();
    assert!(
        told.contains("subtitles") && !told.contains("hooks.example"),
        "whom to tell is nobody else's business: {told}"
    );
}

#[tokio::test]
async fn a_key_that_comes_again_brings_the_first_job_or_a_conflict() {
    let keyed = |body: &Value| start(body).header("idempotency-key", "job 7");
    let first = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let id = answered(&first, keyed(&asked_for())).await.body["data"]["job_id"].clone();
    let rows: Vec<Value> = put(&first)[0].iter().map(|put| put["Item"].clone()).collect();
    assert_eq!(rows.len(), 3, "the key beside them");
    let again = script(&[]).holding("jobs", rows.clone());
    let answer = answered(&again, keyed(&asked_for())).await;
    assert_eq!((answer.status, &answer.body["data"]["job_id"]), (200, &id), "and nothing is written");
    let mut other = asked_for();
    other["webhook_url"] = json!("https://others.example/");
    assert_eq!(answered(&again, keyed(&other)).await.status, 409);
    // Both at once: neither finds the other's key before it puts its own.
    let place = rows[2]["id"].as_str().unwrap();
    let race = script(&[])
        .saying_about("GetItem", place, [Said::done(), Said::row(&rows[2])])
        .holding("jobs", [rows[0].clone()])
        .saying("TransactWriteItems", [Said::cancelled(&[Err("None"), Err("None"), Ok(rows[2].clone())])]);
    let answer = answered(&race, keyed(&asked_for())).await;
    assert_eq!((answer.status, &answer.body["data"]["job_id"]), (200, &id), "{answer:?}");
    let condition = expression(&put(&race)[0][2], "ConditionExpression");
    assert!(condition.starts_with("attribute_not_exists(id) OR expires_at <= "), "{condition}");
}

#[tokio::test]
async fn what_cannot_be_a_job_writes_nothing() {
    for (change, status, code) in [
        (("url", json!("ftp://youtu.be/7")), 400, "invalid_request"),
        (("capabilities", json!([])), 400, "invalid_request"),
        (("webhook_url", json!("https://10.0.0.1/")), 400, "invalid_request"),
        (("notes", json!("x".repeat(70_000))), 413, "payload_too_large"),
    ] {
        let mut body = asked_for();
        body[change.0] = change.1;
        let answer = answered(&script(&[]), start(&body)).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (status, &json!(code)), "{}", change.0);
    }
    let someone = customer(&NETRAFLOW);
    let free = someone.tenant.clone().map(|tenant| Tenant { plan: Plan::Free, ..tenant });
    let script = Script::default().holding("config", Someone { tenant: free, ..someone }.rows());
    let answer = answered(&script, start(&asked_for())).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (403, &json!("plan_required")));
}

#[tokio::test]
async fn a_generation_has_a_project_for_each_variant_of_each_url() {
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let body = json!({"urls": ["https://a.example/", "https://b.example/"], "variantCount": 2});
    let call = Call::new("POST", "/api/v1/generate").by(&customer(&NOUVEL)).saying(&body);
    let answer = answered(&script, call).await;
    assert_eq!((answer.status, &answer.body["totalProjects"]), (200, &json!(4)), "{answer:?}");
    assert_eq!(put(&script)[0][0]["Item"]["projects"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_jobs_end_is_one_transaction_with_the_event_that_tells_of_it() {
    let script = script(&[task()]).saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, report(&task(), &json!({"status": "completed", "credits_charged": 3}))).await;
    assert_eq!((answer.status, &answer.body["data"]["credits_charged"]), (200, &json!(3)), "{answer:?}");
    let [job, event] = &put(&script)[0][..] else { panic!("a job and an event") };
    assert_eq!(expression(job, "ConditionExpression"), "revision = 4");
    assert_eq!((&job["Item"]["status"], &job["Item"]["revision"]), (&json!("completed"), &json!(5)));
    assert_eq!(job["Item"]["closing_event_id"], event["Item"]["id"]);
    assert_eq!((&event["Item"]["event"], &event["Item"]["ours"]), (&json!("job.completed"), &json!(true)));
    assert_eq!(event["ConditionExpression"], "attribute_not_exists(id)");
}

#[tokio::test]
async fn a_job_of_which_nobody_is_told_has_no_event() {
    let quiet = Job { webhook_url: None, ..task() };
    let script = script(&[quiet]).saying("TransactWriteItems", [Said::done()]);
    assert_eq!(answered(&script, report(&task(), &json!({"status": "failed"}))).await.status, 200);
    assert_eq!(put(&script)[0].len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_overtaken_is_applied_to_what_is_there_now() {
    let at = Timestamp::from_second(60).unwrap();
    let theirs = Job { status: JobStatus::Running, revision: 5, started_at: Some(at), ..task() };
    let script = Script::default()
        .holding("config", worker().rows())
        .saying_about("GetItem", task().id.as_str(), [Said::row(&task()), Said::row(&theirs)])
        .saying("TransactWriteItems", [Said::cancelled(&[Ok(json!(theirs))]), Said::done()]);
    let answer = answered(&script, report(&task(), &json!({"status": "completed"}))).await;
    assert_eq!((answer.status, &answer.body["data"]["started_at"]), (200, &json!(theirs)["started_at"]), "{answer:?}");
    let second = &put(&script)[1][0];
    assert_eq!(
        (expression(second, "ConditionExpression"), &second["Item"]["revision"]),
        ("revision = 5".to_owned(), &json!(6))
    );
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_always_overtaken_is_our_failure_and_may_be_repeated() {
    let refused = || Said::cancelled(&[Ok(json!({"changed_by": "another0"}))]);
    let script = script(&[task()]).saying("TransactWriteItems", repeat_with(refused));
    let answer = answered(&script, report(&task(), &json!({"status": "completed"}))).await;
    assert!(answer.status >= 500, "{answer:?}");
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("repeat it"), "{answer:?}");
}

#[tokio::test]
async fn what_has_ended_stays_and_a_report_that_says_the_same_is_no_conflict() {
    for (status, expected) in [("processing", 409), ("failed", 409), ("completed", 200)] {
        let answer = answered(&script(&[completed()]), report(&task(), &json!({"status": status}))).await;
        assert_eq!(answer.status, expected, "{status}, and nothing is written");
    }
    let unknown = json!({"projects": [{"projectId": "another", "status": "running"}]});
    assert_eq!(answered(&script(&[generation()]), report(&generation(), &unknown)).await.status, 400);
}

#[tokio::test]
async fn a_job_is_called_off_once_and_not_when_it_has_ended() {
    let script = script(&[task()]).saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, cancel(&task())).await;
    assert_eq!((answer.status, &answer.body["data"]["status"]), (200, &json!("cancelled")));
    assert_eq!(put(&script)[0][1]["Item"]["event"], "job.cancelled");
    let cancelled = Job { status: JobStatus::Cancelled, ..completed() };
    for (there, status) in [(cancelled, 200), (completed(), 409)] {
        assert_eq!(answered(&self::script(&[there]), cancel(&task())).await.status, status);
    }
}

/// Whether the function succeeded at a report on the bus, and the reasons that it put into the triggers queue.
async fn heard(script: &Script, detail_type: &str, detail: &Value) -> (bool, Vec<String>) {
    let event = json!({"id": "an envelope", "detail-type": detail_type, "detail": detail});
    let heard = Box::pin(jobs(script).answer(invocation(&event))).await;
    let reason = |message: Value| {
        let note: Value = serde_json::from_str(message["MessageBody"].as_str().unwrap()).unwrap();
        note["reason"].as_str().unwrap().to_owned()
    };
    (heard.is_ok(), script.asked("SendMessage").into_iter().map(reason).collect())
}

#[tokio::test(start_paused = true)]
async fn a_report_on_the_bus_is_applied_set_aside_or_tried_again() {
    let detail = json!({"tenant_id": task().tenant_id, "job_id": task().id, "status": "completed"});
    let good = script(&[task()]).saying("TransactWriteItems", [Said::done()]);
    assert_eq!(heard(&good, "Postrider Job", &detail).await, (true, Vec::new()));
    let another =
        json!({"tenant_id": TenantId::new(Timestamp::UNIX_EPOCH, 2), "job_id": task().id, "status": "completed"});
    let no_report = json!({"tenant_id": task().tenant_id, "job_id": task().id, "status": "done"});
    for (detail_type, detail, reason) in [
        ("Postrider Job", &another, "no such job"),
        ("Postrider Job", &no_report, "`status`"),
        ("Job", &detail, "detail-type"),
    ] {
        let script = script(&[task()]).saying("SendMessage", [Said::done()]);
        let (is_done, reasons) = heard(&script, detail_type, detail).await;
        assert!(is_done && reasons.len() == 1 && reasons[0].contains(reason), "{reasons:?}");
    }
    let failing = script(&[task()]).saying("TransactWriteItems", repeat_with(Said::lost).take(3));
    assert_eq!(heard(&failing, "Postrider Job", &detail).await, (false, Vec::new()));
}

/// A call of each route, on the one job of its kind.
fn calls() -> impl Iterator<Item = (&'static Route<Jobs>, &'static Dialect, Call)> {
    Jobs::ROUTES.iter().map(|route| {
        let path = route.path.replace("{id}", task().id.as_str()).replace("{jobId}", generation().id.as_str());
        let dialect = if path.starts_with("/api/") { &NOUVEL } else { &NETRAFLOW };
        (route, dialect, Call::new(route.method, &path))
    })
}

/// An error's code where the path's own shape has it.
fn code(answer: &Answer) -> &Value {
    match &answer.body["error"] {
        Value::String(_) => &answer.body["reason"],
        error => {
            assert_eq!(answer.body["meta"]["request_id"], "a request");
            &error["code"]
        }
    }
}

#[tokio::test]
async fn every_route_wants_a_key_of_its_dialect_with_its_scope_and_says_so_in_its_own_shape() {
    for (route, dialect, call) in calls() {
        assert_eq!(route.method == "GET", route.access.scope().ends_with(":read"), "{call:?}");
        let answer = answered(&Script::default(), call.clone()).await;
        assert_eq!((answer.status, code(&answer)), (401, &json!("unauthorized")), "{call:?}");
        assert_eq!(answer.body["error"].is_string(), route.path.starts_with("/api/"));
        let mut others = scopes();
        others.retain(|other| other.as_str() != route.access.scope());
        let elsewhere = if std::ptr::eq(dialect, &NOUVEL) { &NETRAFLOW } else { &NOUVEL };
        for someone in [Someone::of_tenant(1, dialect, &others), Someone::of_tenant(1, elsewhere, &scopes())] {
            let script = Script::default().holding("config", someone.rows());
            let answer = answered(&script, call.clone().by(&someone)).await;
            assert_eq!((answer.status, code(&answer)), (403, &json!("forbidden")), "{call:?}");
        }
    }
}

#[tokio::test]
async fn paths_and_methods_that_there_are_not_are_told_in_the_paths_own_shape() {
    for (method, path, allow) in [
        ("GET", "/api/v1/nothing", None),
        ("GET", "/v1/jobs/a/b", None),
        ("DELETE", "/api/v1/jobs", Some("GET")),
        ("PATCH", "/v1/jobs", Some("GET, POST")),
    ] {
        let answer = answered(&Script::default(), Call::new(method, path)).await;
        let (status, expected) = if allow.is_some() { (405, "method_not_allowed") } else { (404, "not_found") };
        assert_eq!((answer.status, code(&answer)), (status, &json!(expected)), "{path}");
        assert_eq!(answer.headers.get("allow"), allow.map(|allow| json!(allow)).as_ref(), "{path}");
    }
}

#[tokio::test]
async fn another_tenants_job_is_none_and_the_providers_key_serves_all() {
    let other = TenantId::new(Timestamp::UNIX_EPOCH, 2);
    let theirs = [task(), generation()].map(|job| Job { tenant_id: other.clone(), ..job });
    for (_, dialect, call) in calls().filter(|(route, _, _)| route.path.contains('{')) {
        let answer = answered(&script(&theirs), call.clone().by(&customer(dialect)).saying(&json!({}))).await;
        assert_eq!((answer.status, code(&answer)), (404, &json!("not_found")), "{call:?}");
    }
    let get = Call::new("GET", &format!("/v1/jobs/{}", task().id)).by(&worker());
    assert_eq!(answered(&script(&theirs), get).await.status, 200);
}

#[tokio::test]
async fn a_query_that_no_route_knows_is_refused_and_nothing_is_written() {
    for (_, dialect, call) in calls() {
        let call = call.by(&customer(dialect)).saying(&asked_for()).query("dry_run=true");
        let answer = answered(&script(&[task(), generation()]), call.clone()).await;
        assert_eq!((answer.status, code(&answer)), (400, &json!("invalid_request")), "{call:?}");
        assert!(answer.body.to_string().contains("dry_run"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_cursor_of_the_other_kind_of_jobs_is_none_of_a_list() {
    let at = Timestamp::UNIX_EPOCH;
    for (path, someone, ours, others) in [
        ("/v1/jobs", customer(&NETRAFLOW), JobId::short(at, 1), JobId::uuid(at, 1)),
        ("/api/v1/jobs", customer(&NOUVEL), JobId::uuid(at, 1), JobId::short(at, 1)),
    ] {
        for (cursor, status) in [(ours, 200), (others, 400)] {
            let script = script(&[]).saying("Query", [Said::rows::<Value>(&[])]);
            let query = format!("status=failed&cursor={}", postrider_api::Cursor::write(cursor.as_str()));
            assert_eq!(
                answered(&script, Call::new("GET", path).by(&someone).query(&query)).await.status,
                status,
                "{path}"
            );
        }
    }
}
