//! Who may do what with jobs: customers start and see them, workers report, and each kind of key has its own paths.

use reqwest::Method;
use serde_json::json;

use crate::jobs::refusals::assert_no_job;
use crate::support::api::text;
use crate::support::customer::{generate_body, project_report, task_body};
use crate::support::{Api, World};

#[tokio::test(flavor = "multi_thread")]
async fn customers_start_and_workers_report() {
    let world = World::open();
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    let generation = nouvel.generate(1, 1, "https://your-server.invalid/").await;
    let task = netraflow.start("https://your-server.invalid/").await;
    let done = json!({"projects": [project_report(&generation.projects[0], "completed")]});
    let at_generation = format!("/api/v1/jobs/{}", generation.id);
    let at_task = format!("/v1/jobs/{task}");

    // A customer's key, which has every scope but this one.
    let answer = nouvel.tenant.api.post(&format!("{at_generation}/report"), &done).await;
    assert!(answer.refused_plainly(403, "forbidden").contains("jobs:report"));
    let answer = netraflow.tenant.api.post(&format!("{at_task}/report"), &json!({"status": "completed"})).await;
    assert!(answer.refused_with_meta(403, "forbidden").contains("jobs:report"));

    // A worker's key of the tenant's own can report and nothing else; so can the provider's.
    let key = world.key(&netraflow.tenant.id, &json!({"dialect": "netraflow", "scopes": ["jobs:report"]})).await;
    let own = world.anonymous.with_api_key(text(&key, "key"));
    own.post(&format!("{at_task}/report"), &json!({"status": "processing"})).await.data(200);
    for worker in [&own, &netraflow.worker] {
        worker.post("/v1/jobs", &task_body("https://your-server.invalid/")).await.refused_with_meta(403, "forbidden");
        worker.get("/v1/jobs").await.refused_with_meta(403, "forbidden");
        worker.get(&at_task).await.refused_with_meta(403, "forbidden");
        worker.post(&format!("{at_task}/cancel"), &json!({})).await.refused_with_meta(403, "forbidden");
    }
    let key = world.key(&nouvel.tenant.id, &json!({"dialect": "nouvel", "scopes": ["jobs:report"]})).await;
    let own = world.anonymous.with_key(text(&key, "key"));
    for worker in [&own, &nouvel.worker] {
        let body = generate_body(1, 1, "https://your-server.invalid/");
        worker.post("/api/v1/generate", &body).await.refused_plainly(403, "forbidden");
        worker.get(&at_generation).await.refused_plainly(403, "forbidden");
    }
    own.post(&format!("{at_generation}/report"), &done).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_key_with_every_scope_starts_no_job() {
    let world = World::open();
    let provider = world.provider(&["jobs:write", "jobs:read"]).await;
    let answer = provider.post("/api/v1/generate", &generate_body(1, 1, "https://your-server.invalid/")).await;
    answer.refused_plainly(403, "forbidden");
    provider.post("/v1/jobs", &task_body("https://your-server.invalid/")).await.refused_with_meta(403, "forbidden");
    provider.get("/v1/jobs").await.refused_with_meta(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_key_has_its_own_paths() {
    let world = World::open();
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    let (nur, standard) = (world.tenant().await, world.tenant_on("standard", "pro").await);
    let url = "https://your-server.invalid/";
    for api in [&nur.api, &standard.api, &netraflow.tenant.api] {
        let refused = api.post("/api/v1/generate", &generate_body(1, 1, url)).await;
        // That path knows no other header than the bearer's.
        assert!([401, 403].contains(&refused.status), "{refused:?}");
        refused.refused_plainly(refused.status, if refused.status == 401 { "unauthorized" } else { "forbidden" });
    }
    for api in [&nur.api, &standard.api, &nouvel.tenant.api] {
        api.post("/v1/jobs", &task_body(url)).await.refused_with_meta(403, "forbidden");
        api.get("/v1/jobs").await.refused_with_meta(403, "forbidden");
    }
    assert_no_job(&world, &nouvel).await;
    assert_no_job(&world, &netraflow).await;

    let webhook = json!({"url": url, "events": ["*"]});
    nouvel.tenant.api.post("/v1/webhooks/create", &webhook).await.refused(403, "forbidden");
    let key = world.key(&netraflow.tenant.id, &json!({"dialect": "netraflow"})).await;
    let bearer = world.anonymous.with_key(text(&key, "key"));
    bearer.post("/v1/webhooks/create", &webhook).await.refused(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn v1_jobs_takes_the_key_in_its_own_header_and_a_bearer_too() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let made = world.key(&customer.tenant.id, &json!({"dialect": "netraflow"})).await;
    let key = text(&made, "key");
    assert!(key.starts_with("sk_live_"), "{made}");
    world.anonymous.with_api_key(key).get("/v1/jobs").await.ok(200);
    world.anonymous.with_key(key).get("/v1/jobs").await.ok(200);
    let call = |api: &Api| api.call(Method::GET, "/v1/jobs");
    let message = call(&world.anonymous).send().await.refused_with_meta(401, "unauthorized");
    assert!(message.contains("X-Api-Key"), "{message}");
    call(&world.anonymous.with_api_key("sk_live_nobodys")).send().await.refused_with_meta(401, "unauthorized");
    call(&world.anonymous.with_api_key("")).send().await.refused_with_meta(401, "unauthorized");
    // Where both are sent, the path's own header counts.
    let both = call(&world.anonymous.with_key(key)).header("x-api-key", "sk_live_nobodys");
    both.send().await.refused_with_meta(401, "unauthorized");

    let customer = world.nouvel().await;
    let made = world.key(&customer.tenant.id, &json!({"dialect": "nouvel"})).await;
    let key = text(&made, "key");
    assert!(key.starts_with("nvl_"), "{made}");
    let body = generate_body(1, 1, "https://your-server.invalid/");
    world.anonymous.with_api_key(key).post("/api/v1/generate", &body).await.refused_plainly(401, "unauthorized");
    world.anonymous.with_key("nvl_nobodys").post("/api/v1/generate", &body).await.refused_plainly(401, "unauthorized");
}
