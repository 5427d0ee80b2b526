//! Every answer in its path's own shape, whatever went wrong and whoever asked.

use reqwest::Method;
use serde_json::json;

use crate::support::World;
use crate::support::customer::{generate_body, task_body};

const JOB: &str = "550e8400-e29b-41d4-a716-446655440000";

#[tokio::test(flavor = "multi_thread")]
async fn api_v1_refuses_in_a_text_and_a_reason() {
    let world = World::open();
    let customer = world.nouvel().await;
    let api = &customer.tenant.api;
    for (path, allowed) in [
        ("/api/v1/generate".to_owned(), "POST"),
        (format!("/api/v1/jobs/{JOB}"), "GET"),
        (format!("/api/v1/jobs/{JOB}/report"), "POST"),
    ] {
        let answer = api.call(Method::PUT, &path).send().await;
        answer.refused_plainly(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
    }
    for path in ["/api/v1/nowhere", "/api/v1/jobs/a/b/c", "/api/v1/generate/more"] {
        api.get(path).await.refused_plainly(404, "not_found");
        world.anonymous.get(path).await.refused_plainly(404, "not_found");
    }
    for id in [JOB, "job_0000000000000000", "nothing", "%00", "%2e%2e"] {
        api.get(&format!("/api/v1/jobs/{id}")).await.refused_plainly(404, "not_found");
    }
    let path = "/api/v1/generate";
    let body = generate_body(1, 1, "https://your-server.invalid/").to_string();
    api.call(Method::POST, path).body("text/plain", &body).send().await.refused_plainly(415, "unsupported_media_type");
    for bad in
        ["", "{", "[]", "null", r#"{"urls":1,"urls":2}"#, "{\"urls\": [\"\\ud800\"]}", "{\"urls\": [\"\\u0000\"]}"]
    {
        api.post_text(path, bad).await.refused_plainly(400, "invalid_request");
    }
    world.anonymous.post_text(path, &body).await.refused_plainly(401, "unauthorized");
    world
        .anonymous
        .with_authorization("Basic bnZsXzpu")
        .post_text(path, &body)
        .await
        .refused_plainly(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn v1_jobs_refuses_with_a_code_and_the_requests_id() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let api = &customer.tenant.api;
    let job = "job_0000000000000000";
    for (path, allowed) in [
        ("/v1/jobs".to_owned(), "GET, POST"),
        (format!("/v1/jobs/{job}"), "GET"),
        (format!("/v1/jobs/{job}/cancel"), "POST"),
        (format!("/v1/jobs/{job}/report"), "POST"),
    ] {
        let answer = api.call(Method::PUT, &path).send().await;
        answer.refused_with_meta(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
    }
    for path in ["/v1/jobs/a/b", "/v1/jobs/a/b/c", "/v1/jobs/a/cancel/now"] {
        api.get(path).await.refused_with_meta(404, "not_found");
        world.anonymous.get(path).await.refused_with_meta(404, "not_found");
    }
    for id in [job, JOB, "nothing", "%00"] {
        api.get(&format!("/v1/jobs/{id}")).await.refused_with_meta(404, "not_found");
        api.post(&format!("/v1/jobs/{id}/cancel"), &json!({})).await.refused_with_meta(404, "not_found");
    }
    let body = task_body("https://your-server.invalid/").to_string();
    let call = || api.call(Method::POST, "/v1/jobs");
    call().body("text/plain", &body).send().await.refused_with_meta(415, "unsupported_media_type");
    for bad in ["", "{", "[]", "null", r#"{"url":1,"url":2}"#] {
        api.post_text("/v1/jobs", bad).await.refused_with_meta(400, "invalid_request");
    }
    world.anonymous.post_text("/v1/jobs", &body).await.refused_with_meta(401, "unauthorized");
    let (one, other) = (api.get("/v1/jobs").await, api.get("/v1/jobs").await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"), "each request has an id of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbouring_path_keeps_the_default_shape() {
    let world = World::open();
    for path in ["/api/v2/generate", "/v1/job", "/v2/jobs", "/api"] {
        world.anonymous.get(path).await.refused(404, "not_found");
    }
    world.anonymous.get("/v1/webhooks").await.refused(401, "unauthorized");
    world.anonymous.get("/v1/deliveries?job_id=x").await.refused(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenant_is_told_so_in_the_paths_own_shape() {
    let world = World::open();
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    for customer in [&nouvel, &netraflow] {
        let path = format!("/v1/tenants/{}", customer.tenant.id);
        world.admin.patch(&path, &json!({"status": "suspended"})).await.ok(200);
    }
    let body = generate_body(1, 1, "https://your-server.invalid/");
    nouvel.tenant.api.post("/api/v1/generate", &body).await.refused_plainly(403, "tenant_suspended");
    netraflow.tenant.api.get("/v1/jobs").await.refused_with_meta(403, "tenant_suspended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_no_worker_could_be_told_of_is_refused() {
    let world = World::open();
    let (nouvel, netraflow) = (world.nouvel().await.tenant.api, world.netraflow("pro").await.tenant.api);
    let notes = "n".repeat(65 * 1024);
    let generate = json!({"urls": ["https://videos.example/1"], "notes": notes});
    nouvel.post("/api/v1/generate", &generate).await.refused_plainly(413, "payload_too_large");
    let task = json!({"url": "https://videos.example/1", "capabilities": ["summary"], "notes": notes});
    netraflow.post("/v1/jobs", &task).await.refused_with_meta(413, "payload_too_large");
    assert_eq!(netraflow.get("/v1/jobs").await.ok(200)["data"], json!([]));
}
