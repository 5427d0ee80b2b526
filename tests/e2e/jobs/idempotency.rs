//! A job's Idempotency-Key: the same request again within two days is the same job.

use futures::future::join_all;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::customer::task_body;
use crate::support::{Answer, Customer, World};

const TWO_DAYS: i64 = 48 * 3600;

async fn start_with_key(customer: &Customer, key: &str, body: &Value) -> Answer {
    customer.tenant.api.call(Method::POST, "/v1/jobs").header("idempotency-key", key).json(body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_job_for_two_days() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let (key, body) = ("order 7 / é", task_body("https://your-server.invalid/"));
    let first = start_with_key(&customer, key, &body).await;
    let job = first.data(201);
    let id = text(&job, "job_id");
    let again = start_with_key(&customer, key, &body).await;
    assert_eq!(again.data(200), job);
    assert_eq!(again.header("location"), first.header("location"));
    customer.report_task(id, &json!({"status": "processing"})).await.data(200);
    assert_eq!(start_with_key(&customer, key, &body).await.data(200)["status"], "processing", "the job as it stands");

    let other = task_body("https://another-server.invalid/");
    start_with_key(&customer, key, &other).await.refused_with_meta(409, "conflict");
    assert_ne!(start_with_key(&customer, "another", &body).await.data(201)["job_id"], id);
    let stranger = world.netraflow("pro").await;
    assert_ne!(start_with_key(&stranger, key, &body).await.data(201)["job_id"], id, "a key is its tenant's own");

    let left = world.aws.rows.job_key_expires_at(&customer.tenant.id, key).await - Timestamp::now().as_second();
    assert!((TWO_DAYS - 60..=TWO_DAYS).contains(&left), "{left} seconds");
    world.aws.rows.expire_job_key(&customer.tenant.id, key).await;
    assert_ne!(start_with_key(&customer, key, &body).await.data(201)["job_id"], id, "an expired key is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_eight_times_at_once_is_one_job() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let body = task_body("https://your-server.invalid/");
    let answers = join_all((0..8).map(|_| start_with_key(&customer, "once", &body))).await;
    let new: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(new.len(), 1, "{answers:?}");
    let job = new[0].data(201);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.data(200), job);
    }
    assert_eq!(world.aws.rows.jobs_of(&customer.tenant.id).await.len(), 1);
    assert_eq!(world.aws.rows.all_events_of(&customer.tenant.id).await, 1, "and it is announced once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_key_is_refused_and_no_key_is_no_promise() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let body = task_body("https://your-server.invalid/");
    let answer = start_with_key(&customer, &"x".repeat(257), &body).await;
    assert!(answer.refused_with_meta(400, "invalid_request").contains("Idempotency-Key"));
    assert_eq!(world.aws.rows.jobs_of(&customer.tenant.id).await, Vec::new());
    let url = "https://your-server.invalid/";
    assert_ne!(customer.start(url).await, customer.start(url).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_job_whatever_has_changed_since() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let body = task_body("https://your-server.invalid/");
    let job = start_with_key(&customer, "order 8", &body).await.data(201);
    let path = format!("/v1/tenants/{}", customer.tenant.id);
    world.admin.patch(&path, &json!({"plan": "free"})).await.ok(200);
    start_with_key(&customer, "order 9", &body).await.refused_with_meta(403, "plan_required");
    assert_eq!(start_with_key(&customer, "order 8", &body).await.data(200), job, "it was started on the plan of then");
    let other = task_body("https://another-server.invalid/");
    start_with_key(&customer, "order 8", &other).await.refused_with_meta(409, "conflict");
    assert_eq!(world.aws.rows.jobs_of(&customer.tenant.id).await.len(), 1);
}
