//! What a report may do to a job, and when it is too late.

use serde_json::{Value, json};

use crate::support::customer::project_report;
use crate::support::{Customer, Receiver, SOON, World};

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_generation_takes_repeats_and_nothing_else() {
    let world = World::open();
    let customer = world.nouvel().await;
    let receiver = Receiver::start(world.stack).await;
    let job = customer.generate(1, 2, &receiver.url("/")).await;
    let (one, two) = (&job.projects[0], &job.projects[1]);
    customer.report_project(&job.id, one, "completed").await.ok(200);
    customer.report_project(&job.id, one, "running").await.ok(200);
    assert_eq!(customer.generation(&job.id).await["projects"][0]["status"], "completed", "late words change nothing");
    customer.report_project(&job.id, one, "failed").await.refused_plainly(409, "conflict");
    customer.report_project(&job.id, two, "failed").await.ok(200);
    let ended = customer.generation(&job.id).await;
    assert_eq!(ended["status"], "partial");

    let both = json!({"projects": [project_report(one, "completed"), project_report(two, "failed")]});
    for repeat in [both, json!({"projects": [project_report(one, "completed")]})] {
        assert_eq!(customer.report(&job.id, &repeat).await.ok(200), ended);
    }
    let mut retitled = project_report(one, "completed");
    retitled["title"] = json!("Another");
    for change in [
        json!({"projects": [project_report(two, "completed")]}),
        json!({"projects": [project_report(one, "completed"), project_report(two, "running")]}),
        json!({"projects": [retitled]}),
        json!({"projects": [{"projectId": one, "status": "completed", "videoUrl": "https://cdn.example/other"}]}),
        json!({"status": "cancelled"}),
    ] {
        customer.report(&job.id, &change).await.refused_plainly(409, "conflict");
    }
    assert_eq!(customer.generation(&job.id).await, ended);
    assert_told_once(&world, &customer, &receiver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_task_takes_repeats_and_nothing_else() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let receiver = Receiver::start(world.stack).await;
    let id = customer.start(&receiver.url("/")).await;
    let end = json!({"status": "completed", "credits_charged": 3});
    let ended = customer.report_task(&id, &end).await.data(200);
    for repeat in [&end, &json!({"status": "completed"})] {
        assert_eq!(customer.report_task(&id, repeat).await.data(200), ended);
    }
    for change in [
        json!({"status": "processing"}),
        json!({"status": "failed"}),
        json!({"status": "completed", "credits_charged": 4}),
    ] {
        customer.report_task(&id, &change).await.refused_with_meta(409, "conflict");
    }
    let cancel = format!("/v1/jobs/{id}/cancel");
    customer.tenant.api.post(&cancel, &json!({})).await.refused_with_meta(409, "conflict");
    assert_eq!(customer.task(&id).await, ended);
    assert_told_once(&world, &customer, &receiver).await;

    let quiet = Receiver::start(world.stack).await;
    let id = customer.start(&quiet.url("/")).await;
    let cancel = format!("/v1/jobs/{id}/cancel");
    let cancelled = customer.tenant.api.post(&cancel, &json!({})).await.data(200);
    assert_eq!(customer.tenant.api.post(&cancel, &json!({})).await.data(200), cancelled);
    customer.report_task(&id, &json!({"status": "completed"})).await.refused_with_meta(409, "conflict");
    assert_eq!(quiet.only(SOON).await.json()["event"], "job.cancelled");
}

/// One event, one delivery, one POST: a second one could only come of a second event.
async fn assert_told_once(world: &World, customer: &Customer, receiver: &Receiver) {
    receiver.only(SOON).await;
    assert_eq!(world.aws.rows.events_of(&customer.tenant.id).await, 1);
    let job = receiver.requests()[0].json();
    let id = job["jobId"].as_str().or(job["job_id"].as_str()).expect("a body names its job").to_owned();
    customer.settled(&id, "succeeded", 1).await;
    assert_eq!(receiver.requests().len(), 1);
}

fn completed(project: &str, video: Value) -> Value {
    json!({"projects": [{"projectId": project, "status": "completed", "videoUrl": video}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_make_no_sense_change_nothing() {
    let world = World::open();
    let customer = world.nouvel().await;
    let job = customer.generate(1, 1, "https://your-server.invalid/").await;
    let project = &job.projects[0];
    for (field, report) in [
        ("projects", json!({})),
        ("projects", json!({"projects": []})),
        ("projects", json!({"projects": "all"})),
        ("projects", json!({"projects": [{"projectId": project}]})),
        ("projects", json!({"projects": [{"projectId": project, "status": "done"}]})),
        ("projects", json!({"projects": [{"projectId": project, "status": "pending"}]})),
        ("projects", json!({"projects": [{"projectId": project, "status": "failed", "video": "x"}]})),
        ("projects", json!({"projects": [project_report("another", "completed")]})),
        ("projects", json!({"projects": [project_report(project, "completed"), project_report("another", "failed")]})),
        ("projects[0]", json!({"projects": ["all"]})),
        ("projects[0].videoUrl", json!({"projects": [{"projectId": project, "status": "completed"}]})),
        ("projects[0].videoUrl", completed(project, json!(null))),
        ("projects[0].videoUrl", completed(project, json!(""))),
        ("projects[0].videoUrl", completed(project, json!("final.mp4"))),
        ("projects[0].videoUrl", completed(project, json!("s3://bucket/final.mp4"))),
        ("projects[0].videoUrl", completed(project, json!("javascript:alert(1)"))),
        ("projects[0].videoUrl", completed(project, json!("https://"))),
        ("projects[0].videoUrl", completed(project, json!(7))),
        ("title", json!({"projects": [{"projectId": project, "status": "running", "title": "x".repeat(513)}]})),
        ("videoUrl", json!({"projects": [{"projectId": project, "status": "running", "videoUrl": "x".repeat(2049)}]})),
        ("status", json!({"status": "completed"})),
        ("projects", json!({"status": "cancelled", "projects": [project_report(project, "completed")]})),
        ("extra", json!({"status": "cancelled", "extra": 1})),
    ] {
        let message = customer.report(&job.id, &report).await.refused_plainly(400, "invalid_request");
        assert!(message.contains(field), "{message} does not name {field}");
    }
    let shown = customer.generation(&job.id).await;
    assert_eq!((&shown["status"], &shown["projects"][0]["status"]), (&json!("running"), &json!("pending")));

    let customer = world.netraflow("pro").await;
    let id = customer.start("https://your-server.invalid/").await;
    let before = customer.task(&id).await;
    for (field, report) in [
        ("status", json!({})),
        ("status", json!({"status": "pending"})),
        ("status", json!({"status": "cancelled"})),
        ("status", json!({"status": 1})),
        ("credits_charged", json!({"status": "completed", "credits_charged": -1})),
        ("credits_charged", json!({"status": "completed", "credits_charged": 1.5})),
        ("credits_charged", json!({"status": "completed", "credits_charged": 9_007_199_254_740_992_u64})),
        ("credits_charged", json!({"status": "processing", "credits_charged": 1})),
        ("extra", json!({"status": "completed", "extra": Value::Bool(true)})),
    ] {
        let message = customer.report_task(&id, &report).await.refused_with_meta(400, "invalid_request");
        assert!(message.contains(field), "{message} does not name {field}");
    }
    assert_eq!(customer.task(&id).await, before);
}
