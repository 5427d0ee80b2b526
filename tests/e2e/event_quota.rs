//! The quota of events: beyond it a tenant's own calls are refused, and what its provider brings for it is not.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::{Receiver, SOON, Tenant, World};

/// What a process lets pass that does not know of the others, and processes that the emulator may have.
const UNKNOWN: usize = 25;
const PROCESSES: usize = 8;
/// One event a second, so 25 at once.
const BURST: usize = 25;

/// Sets a tenant's quota to one event a second, for keys that nobody has used yet.
async fn narrow(world: &World, tenant: &Tenant) {
    let quotas = json!({"quotas": {"events_per_second": 1}});
    let changed = world.admin.patch(&format!("/v1/tenants/{}", tenant.id), &quotas).await.ok(200);
    assert_eq!(changed["quotas"]["events_per_second"], 1, "{changed}");
}

fn batch() -> Value {
    json!({"events": vec![json!({"event": "dubbing.completed", "data": {}}); 25]})
}

/// Publishes until calls are refused; how many events were taken in.
async fn use_up(tenant: &Tenant) -> usize {
    let mut taken = 0;
    for _ in 0..2 * PROCESSES {
        let results = tenant.api.post("/v1/events/batch", &batch()).await.ok(202);
        let results = results["results"].as_array().expect("each item should have its result");
        let in_this = results.iter().take_while(|item| item["id"].is_string()).count();
        for refused in &results[in_this..] {
            assert_eq!(refused["error"]["code"], "quota_exceeded", "the first ones are taken: {refused}");
            assert_eq!(refused["error"]["details"]["quota"], json!({"name": "events_per_second", "limit": 1}));
        }
        taken += in_this;
        if in_this == 0 {
            break;
        }
    }
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_beyond_its_quota_is_refused_and_told_when_to_come_again() {
    let world = World::open();
    let tenant = world.tenant().await;
    narrow(&world, &tenant).await;
    let begun = Instant::now();
    let taken = use_up(&tenant).await;
    let seconds = usize::try_from(begun.elapsed().as_secs()).expect("a short time");
    assert!(taken >= BURST, "a whole batch is never too much: {taken}");
    assert!(taken <= BURST + seconds + 1 + PROCESSES * UNKNOWN, "{taken} in {seconds} s");

    let event = json!({"event": "dubbing.completed", "data": {}});
    let mut refused = 0;
    for _ in 0..PROCESSES * UNKNOWN {
        let answer = tenant.api.post("/v1/events", &event).await;
        if answer.status == 429 {
            let error = answer.json();
            assert_eq!(error["error"]["code"], "quota_exceeded", "{error}");
            assert_eq!(error["error"]["details"]["quota"], json!({"name": "events_per_second", "limit": 1}));
            let wait: u64 = answer.header("retry-after").expect("when to come again").parse().expect("whole seconds");
            assert!(wait >= 1, "{wait}");
            refused += 1;
        }
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_brings_passes_a_quota_that_is_used_up() {
    let world = World::open();
    let tenant = world.tenant().await;
    narrow(&world, &tenant).await;
    use_up(&tenant).await;
    let provider = world.provider(&["events:write"]).await;
    let item = json!({"event": "dubbing.completed", "data": {}, "tenant_id": tenant.id});
    for _ in 0..4 {
        let answer = provider.post("/v1/events/batch", &json!({"events": vec![item.clone(); 25]})).await.ok(202);
        assert!(answer["results"].as_array().unwrap().iter().all(|item| item["id"].is_string()), "{answer}");
    }
    let other = world.tenant().await;
    other.api.post("/v1/events", &json!({"event": "dubbing.completed", "data": {}})).await.ok(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_end_passes_a_quota_that_is_used_up() {
    let world = World::open();
    let customer = world.nouvel().await;
    narrow(&world, &customer.tenant).await;
    let provider = world.provider(&["events:write"]).await;
    let item = json!({"event": "dubbing.completed", "data": {}, "tenant_id": customer.tenant.id});
    for _ in 0..4 {
        provider.post("/v1/events/batch", &json!({"events": vec![item.clone(); 25]})).await.ok(202);
    }
    let receiver = Receiver::start(world.stack).await;
    let job = customer.generate(1, 1, &receiver.url("/webhooks/nouvel")).await;
    customer.report_project(&job.id, &job.projects[0], "completed").await.ok(200);
    assert_eq!(text(&receiver.only(SOON).await.json(), "jobId"), job.id);
}
