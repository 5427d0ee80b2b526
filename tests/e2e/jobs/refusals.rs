//! Jobs that are refused: there is no job then, nor anything that announces one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::customer::{generate_body, task_body};
use crate::support::refused_urls::NEVER;
use crate::support::{Answer, Customer, World};

/// Holds the tenant to have no job and no event.
pub(crate) async fn assert_no_job(world: &World, customer: &Customer) {
    let tenant = &customer.tenant.id;
    assert_eq!(world.aws.rows.jobs_of(tenant).await, Vec::new(), "a refused job must not exist");
    assert_eq!(world.aws.rows.all_events_of(tenant).await, 0, "nor be announced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_webhook_url_makes_no_job() {
    let world = World::open();
    assert_refused_as_targets(&world, &NEVER).await;
}

/// Holds these webhook URLs to be refused with jobs of both kinds, and to leave none behind.
pub(crate) async fn assert_refused_as_targets(world: &World, urls: &[&str]) {
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    for url in urls {
        let answer = nouvel.tenant.api.post("/api/v1/generate", &generate_body(1, 1, url)).await;
        assert!(answer.refused_plainly(400, "invalid_request").contains("webhookUrl"), "{url}: {}", answer.body);
        let answer = netraflow.tenant.api.post("/v1/jobs", &task_body(url)).await;
        assert!(answer.refused_with_meta(400, "invalid_request").contains("webhook_url"), "{url}: {}", answer.body);
    }
    assert_no_job(world, &nouvel).await;
    assert_no_job(world, &netraflow).await;
}

fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

fn without(body: &Value, field: &str) -> Value {
    let mut fields: BTreeMap<String, Value> = serde_json::from_value(body.clone()).expect("an object");
    fields.remove(field).expect("the field was there");
    json!(fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_takes_one_to_three_urls_and_variants() {
    let world = World::open();
    let customer = world.nouvel().await;
    let good = generate_body(1, 1, "https://your-server.invalid/");
    let url = || json!("https://shop.example/");
    for (field, body) in [
        ("urls", without(&good, "urls")),
        ("urls", with(&good, "urls", json!([]))),
        ("urls", with(&good, "urls", json!([url(), url(), url(), url()]))),
        ("urls", with(&good, "urls", url())),
        ("urls", with(&good, "urls", json!([7]))),
        ("urls[0]", with(&good, "urls", json!(["shop.example"]))),
        ("urls[1]", with(&good, "urls", json!([url(), "ftp://shop.example/"]))),
        ("variantCount", with(&good, "variantCount", Value::Null)),
        ("variantCount", with(&good, "variantCount", json!(0))),
        ("variantCount", with(&good, "variantCount", json!(4))),
        ("variantCount", with(&good, "variantCount", json!(1.5))),
        ("variantCount", with(&good, "variantCount", json!("2"))),
        ("webhookUrl", with(&good, "webhookUrl", json!(7))),
    ] {
        let message = customer.tenant.api.post("/api/v1/generate", &body).await;
        let message = message.refused_plainly(400, "invalid_request");
        assert!(message.contains(field), "{message} does not name {field}");
    }
    assert_no_job(&world, &customer).await;
    let most = customer.tenant.api.post("/api/v1/generate", &generate_body(3, 3, "https://your-server.invalid/")).await;
    assert_eq!(most.ok(200)["totalProjects"], 9);
    let fewest = customer.tenant.api.post("/api/v1/generate", &without(&good, "variantCount")).await;
    assert_eq!(fewest.ok(200)["totalProjects"], 1, "one variant where nothing is said");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_takes_a_url_and_capabilities() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let good = task_body("https://your-server.invalid/");
    for (field, body) in [
        ("url", without(&good, "url")),
        ("url", with(&good, "url", json!("youtube"))),
        ("url", with(&good, "url", json!("file:///etc/passwd"))),
        ("capabilities", without(&good, "capabilities")),
        ("capabilities", with(&good, "capabilities", json!([]))),
        ("capabilities", with(&good, "capabilities", json!("transcription"))),
        ("capabilities[1]", with(&good, "capabilities", json!(["transcription", " "]))),
        ("capabilities", with(&good, "capabilities", json!(vec!["x"; 21]))),
        ("webhook_url", with(&good, "webhook_url", json!(7))),
    ] {
        let message = customer.tenant.api.post("/v1/jobs", &body).await;
        let message = message.refused_with_meta(400, "invalid_request");
        assert!(message.contains(field), "{message} does not name {field}");
    }
    assert_no_job(&world, &customer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_for_the_larger_plans() {
    let world = World::open();
    let customer = world.netraflow("free").await;
    let post = async |body: Value| -> Answer { customer.tenant.api.post("/v1/jobs", &body).await };
    post(task_body("https://your-server.invalid/")).await.refused_with_meta(403, "plan_required");
    assert_no_job(&world, &customer).await;
    post(without(&task_body(""), "webhook_url")).await.data(201);
    for plan in ["pro", "enterprise"] {
        let customer = world.netraflow(plan).await;
        customer.start("https://your-server.invalid/").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_url_is_refused_whatever_the_plan() {
    let world = World::open();
    let customer = world.netraflow("enterprise").await;
    let answer = customer.tenant.api.post("/v1/jobs", &task_body("http://your-server.invalid/")).await;
    assert!(answer.refused_with_meta(400, "invalid_request").contains("webhook_url"));
    assert_no_job(&world, &customer).await;
}
