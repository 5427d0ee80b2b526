//! How jobs end, and what is sent then: once, in the page's own words, and nothing when nothing is to be said.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::customer::{project_report, task_body, video_of};
use crate::support::openssl::hmac_sha256;
use crate::support::time::instant;
use crate::support::{Receiver, Reply, SOON, World, canary};

const SECRET: &str = concat!("secret of a tenant ", canary!("secret"));

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_ends_completed_partial_or_failed_and_says_so_once() {
    let world = World::open();
    let customer = world.nouvel().await;
    for (endings, sum) in [
        (["completed", "completed"], "completed"),
        (["failed", "completed"], "partial"),
        (["failed", "failed"], "failed"),
    ] {
        let receiver = Receiver::start(world.stack).await;
        let job = customer.generate(1, 2, &receiver.url("/webhooks/nouvel")).await;
        for (project, status) in job.projects.iter().zip(endings) {
            customer.report_project(&job.id, project, "running").await.ok(200);
            customer.report_project(&job.id, project, status).await.ok(200);
        }
        let received = receiver.only(SOON).await;
        let body = received.json();
        let completed = endings.iter().filter(|status| **status == "completed").count();
        let projects = job.projects.iter().zip(endings).enumerate().map(|(number, (project, status))| {
            let video = if status == "completed" { json!(video_of(project)) } else { Value::Null };
            let title = format!("shop.example - Variant {}", number + 1);
            json!({"projectId": project, "title": title, "status": status, "videoUrl": video})
        });
        let projects: Vec<Value> = projects.collect();
        let expected = json!({
            "event": "job.completed",
            "jobId": job.id,
            "status": sum,
            "totalProjects": 2,
            "completedProjects": completed,
            "failedProjects": 2 - completed,
            "projects": projects,
        });
        assert_eq!(body, expected);
        assert_eq!(received.path, "/webhooks/nouvel");
        assert_eq!(received.header("content-type"), Some("application/json"));
        let signature = hmac_sha256(&world.stack.webhook_signing_secret, &received.body);
        assert_eq!(received.header("X-Nouvel-Signature"), Some(signature.as_str()), "bare hex of the very bytes");
        let shown = customer.generation(&job.id).await;
        assert_eq!((&shown["status"], &shown["overallProgress"]), (&json!(sum), &json!(100)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_shows_how_far_it_is() {
    let world = World::open();
    let customer = world.nouvel().await;
    let body = json!({"urls": ["https://shop.example/"], "variantCount": 2});
    let made = customer.tenant.api.post("/api/v1/generate", &body).await.ok(200);
    let id = text(&made, "jobId");
    assert_eq!(made, json!({"jobId": id, "totalProjects": 2, "status": "running"}));
    let groups: Vec<_> = id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "a job's id is a UUID: {id}");

    let shown = customer.generation(id).await;
    let project = text(&shown["projects"][1], "id").to_owned();
    assert_eq!((&shown["overallProgress"], &shown["projects"][1]["progress"]), (&json!(0), &json!(0)));
    let title = "A better title";
    let report = json!({"projectId": project, "status": "completed", "title": title, "videoUrl": video_of(&project)});
    let answered = customer.report(id, &json!({"projects": [report]})).await.ok(200);
    let shown = customer.generation(id).await;
    assert_eq!(shown, answered, "a report is answered with the job");
    assert_eq!((&shown["status"], &shown["overallProgress"]), (&json!("running"), &json!(50)));
    assert_eq!((&shown["completedProjects"], &shown["failedProjects"]), (&json!(1), &json!(0)));
    let other = text(&shown["projects"][0], "id");
    let other_title = text(&shown["projects"][0], "title");
    let projects = json!([
        {"id": other, "title": other_title, "status": "pending", "progress": 0},
        {"id": project, "title": title, "status": "completed", "progress": 100},
    ]);
    assert_eq!(shown["projects"], projects);
    let details = json!([
        {"projectId": project, "title": title, "finalOutputUrl": video_of(&project), "status": "completed"},
    ]);
    assert_eq!(shown["completedDetails"], details);
    assert!(shown["stage"].is_string(), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_generation_says_nothing() {
    let world = World::open();
    let customer = world.nouvel().await;
    let receiver = Receiver::start(world.stack).await;
    let job = customer.generate(1, 2, &receiver.url("/")).await;
    customer.report_project(&job.id, &job.projects[0], "completed").await.ok(200);
    let cancelled = json!({"status": "cancelled"});
    assert_eq!(customer.report(&job.id, &cancelled).await.ok(200)["status"], "cancelled");
    customer.report(&job.id, &cancelled).await.ok(200);
    customer.report_project(&job.id, &job.projects[1], "completed").await.refused_plainly(409, "conflict");
    assert_eq!(customer.generation(&job.id).await["status"], "cancelled");
    assert_eq!(customer.deliveries(&job.id).await, Vec::<Value>::new());
    assert_eq!(world.aws.rows.events_of(&customer.tenant.id).await, 0, "no event, so nothing can be sent");
    assert_eq!(receiver.requests(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_ends_completed_failed_or_cancelled_in_exactly_five_fields() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    world.set_secret(&customer.tenant, SECRET).await;
    for (status, credits) in [("completed", 5), ("failed", 0), ("cancelled", 0)] {
        let receiver = Receiver::start(world.stack).await;
        let id = customer.start(&receiver.url("/webhooks/netraflow")).await;
        if status == "cancelled" {
            let path = format!("/v1/jobs/{id}/cancel");
            assert_eq!(customer.tenant.api.call(reqwest::Method::POST, &path).send().await.data(200)["status"], status);
        } else {
            customer.report_task(&id, &json!({"status": "processing"})).await.data(200);
            assert_eq!(customer.task(&id).await["status"], "processing");
            let report = json!({"status": status, "credits_charged": credits});
            assert_eq!(customer.report_task(&id, &report).await.data(200)["status"], status);
        }
        let received = receiver.only(SOON).await;
        let body = received.json();
        assert_eq!(keys(&body), ["completed_at", "credits_charged", "event", "job_id", "status"]);
        let order = ["event", "job_id", "status", "completed_at", "credits_charged"].map(|key| {
            received.text().find(&format!("{key:?}:")).unwrap_or_else(|| panic!("no {key} in {}", received.text()))
        });
        assert!(order.is_sorted(), "the page's order: {}", received.text());
        assert_eq!(body["event"], format!("job.{status}"));
        assert_eq!((&body["job_id"], &body["status"]), (&json!(id), &json!(status)));
        assert_eq!(body["credits_charged"], credits);
        instant(text(&body, "completed_at"));
        let signature = hmac_sha256(SECRET, &received.body);
        assert_eq!(received.header("X-NetraFlow-Signature"), Some(signature.as_str()), "bare hex of the very bytes");

        let shown = customer.task(&id).await;
        assert_eq!((&shown["completed_at"], &shown["credits_charged"]), (&body["completed_at"], &json!(credits)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_shows_what_the_page_promises() {
    let world = World::open();
    let customer = world.netraflow("enterprise").await;
    let started = customer.tenant.api.post("/v1/jobs", &task_body("https://your-server.invalid/")).await;
    let job = started.data(201);
    let id = text(&job, "job_id");
    assert!(id.starts_with("job_"), "{id}");
    assert_eq!(started.header("location"), Some(format!("/v1/jobs/{id}").as_str()));
    assert_eq!(started.header("retry-after"), Some("30"));
    let fields = [
        "capabilities",
        "completed_at",
        "created_at",
        "credits_charged",
        "credits_estimated",
        "job_id",
        "platform",
        "started_at",
        "status",
        "url",
    ];
    assert_eq!(keys(&job), fields);
    assert_eq!((&job["status"], &job["platform"]), (&json!("pending"), &json!("youtube")));
    assert_eq!((&job["started_at"], &job["completed_at"]), (&Value::Null, &Value::Null));

    let shown = customer.tenant.api.get(&format!("/v1/jobs/{id}")).await;
    assert_eq!((shown.data(200), shown.header("retry-after")), (job.clone(), Some("30")));
    customer.report_task(id, &json!({"status": "processing"})).await.data(200);
    instant(text(&customer.task(id).await, "started_at"));
    customer.report_task(id, &json!({"status": "failed"})).await.data(200);
    let shown = customer.tenant.api.get(&format!("/v1/jobs/{id}")).await;
    shown.data(200);
    assert_eq!(shown.header("retry-after"), None, "who has the end need not ask again");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_url_a_job_ends_in_silence() {
    let world = World::open();
    let customer = world.netraflow("free").await;
    let body = json!({"url": "https://vimeo.com/1", "capabilities": ["transcription", "summary"]});
    let job = customer.tenant.api.post("/v1/jobs", &body).await.data(201);
    assert_eq!((&job["credits_estimated"], &job["platform"]), (&json!(2), &json!("vimeo")));
    let id = text(&job, "job_id");
    customer.report_task(id, &json!({"status": "completed", "credits_charged": 2})).await.data(200);
    assert_eq!(customer.task(id).await["status"], "completed");
    assert_eq!(customer.deliveries(id).await, Vec::<Value>::new());
    assert_eq!(world.aws.rows.events_of(&customer.tenant.id).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_of_both_kinds_have_five_seconds() {
    let world = World::open();
    let late = || Receiver::scripted(world.stack, [], Reply::Late(Duration::from_secs(8), 200));
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    let (first, second) = (late().await, late().await);
    let job = nouvel.generate(1, 1, &first.url("/")).await;
    nouvel.report(&job.id, &json!({"projects": [project_report(&job.projects[0], "completed")]})).await.ok(200);
    let id = netraflow.start(&second.url("/")).await;
    netraflow.report_task(&id, &json!({"status": "completed"})).await.data(200);
    for delivery in [nouvel.settled(&job.id, "failed", 1).await, netraflow.settled(&id, "retrying", 1).await] {
        let attempt = &delivery["attempts"][0];
        assert_eq!(attempt["outcome"], "timed_out", "{delivery}");
        let took = attempt["duration_ms"].as_u64().expect("an attempt has a duration");
        assert!((5_000..6_500).contains(&took), "{delivery}");
    }
}
