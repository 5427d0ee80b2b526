//! Tenants: made, read and changed by the operator; a suspended one is locked out.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::customer::task_body;
use crate::support::openssl::hmac_sha256;
use crate::support::time::instant;
use crate::support::{Receiver, SOON, Tenant, World, until};

const MINUTE: Duration = Duration::from_secs(65);

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_can_be_made_read_and_changed() {
    let world = World::open();
    let made = world.admin.post("/v1/tenants", &json!({"name": "Acme", "plan": "free"})).await.ok(201);
    for field in ["created_at", "id", "name", "plan"] {
        assert!(keys(&made).contains(&field.to_owned()), "no {field}: {made}");
    }
    assert!(text(&made, "id").starts_with("ten_"), "{made}");
    assert_eq!((&made["name"], &made["plan"]), (&json!("Acme"), &json!("free")));
    instant(text(&made, "created_at"));

    let path = format!("/v1/tenants/{}", text(&made, "id"));
    let changed = world.admin.patch(&path, &json!({"name": "Acme & Sons", "plan": "enterprise"})).await.ok(200);
    let read = world.admin.get(&path).await.ok(200);
    assert_eq!(changed, read);
    assert_eq!((&read["name"], &read["plan"]), (&json!("Acme & Sons"), &json!("enterprise")));
    assert_eq!(read["created_at"], made["created_at"]);
    assert_eq!(read["status"], "active");
    assert!(!read.to_string().contains("secret"), "{read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_tenant_is_refused_by_field() {
    let world = World::open();
    for (field, body) in [
        ("name", json!({"plan": "free"})),
        ("name", json!({"name": "", "plan": "free"})),
        ("name", json!({"name": 7, "plan": "free"})),
        ("plan", json!({"name": "Acme"})),
        ("plan", json!({"name": "Acme", "plan": "gold"})),
    ] {
        world.admin.post("/v1/tenants", &body).await.invalid(field);
    }
    let tenant = world.tenant().await;
    let path = format!("/v1/tenants/{}", tenant.id);
    world.admin.patch(&path, &json!({"status": "asleep"})).await.invalid("status");
    assert_eq!(world.admin.get(&path).await.ok(200)["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_can_bring_its_secret_and_one_that_nobody_saw_ends_at_once() {
    let world = World::open();
    let (own, next) = ("the account's own secret", "the account's next secret");
    let body = json!({"name": "Acme", "plan": "pro", "secret": own});
    let made = world.admin.post("/v1/tenants", &body).await;
    let id = text(&made.ok(201), "id").to_owned();
    assert!(!made.body.contains(own), "{}", made.body);
    let rotate = async |id: &str| {
        let body = json!({"secret": next, "grace_seconds": 3600});
        world.admin.post(&format!("/v1/tenants/{id}/secret/rotate"), &body).await.ok(200)
    };
    let customer = Customer::of(&world, &id).await;
    assert_eq!(customer.told(&world).await.1, [true, false], "it signs with what it was given: {own}");
    assert!(rotate(&id).await["previous_secret_until"].is_string());
    assert_eq!(customer.told(&world).await.1, [true, false], "and goes on with it until the grace ends");

    let made = world.admin.post("/v1/tenants", &json!({"name": "Acme", "plan": "pro"})).await.ok(201);
    let id = text(&made, "id");
    assert_eq!(rotate(id).await, json!({"secret": next}), "nobody waits for the one that was made");
    let customer = Customer::of(&world, id).await;
    assert_eq!(customer.told(&world).await.1, [false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_counts_for_the_next_job_at_once() {
    let world = World::open();
    let customer = world.netraflow("free").await;
    let body = task_body("https://your-server.invalid/");
    customer.tenant.api.post("/v1/jobs", &body).await.refused_with_meta(403, "plan_required");
    let path = format!("/v1/tenants/{}", customer.tenant.id);
    for (plan, status) in [("pro", 201), ("free", 403), ("enterprise", 201)] {
        world.admin.patch(&path, &json!({"plan": plan})).await.ok(200);
        assert_eq!(customer.tenant.api.post("/v1/jobs", &body).await.status, status, "{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_shows_its_platform_and_whether_it_ever_started() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    for (url, platform) in [
        ("https://youtu.be/dQw4w9WgXcQ", json!("youtube")),
        ("https://www.bbc.co.uk/sounds", json!("bbc")),
        ("http://93.184.215.14/video", Value::Null),
    ] {
        let body = json!({"url": url, "capabilities": ["transcription"]});
        let made = customer.tenant.api.post("/v1/jobs", &body).await.data(201);
        assert_eq!((&made["platform"], &made["started_at"]), (&platform, &Value::Null), "{url}");
        let cancel = format!("/v1/jobs/{}/cancel", text(&made, "job_id"));
        let cancelled = customer.tenant.api.post(&cancel, &json!({})).await.data(200);
        assert_eq!(cancelled["started_at"], Value::Null, "it never started: {cancelled}");
        assert!(cancelled["completed_at"].is_string(), "{cancelled}");
    }
}

/// Whose account's secret signed the end of a job: the first one's, the second one's.
struct Customer {
    tenant: Tenant,
    secrets: [&'static str; 2],
}

impl Customer {
    async fn of(world: &World, tenant: &str) -> Self {
        let key = world.key(tenant, &json!({"dialect": "netraflow"})).await;
        let api = world.anonymous.with_api_key(text(&key, "key"));
        let tenant = Tenant { id: tenant.to_owned(), key_id: String::new(), api };
        Self { tenant, secrets: ["the account's own secret", "the account's next secret"] }
    }

    async fn told(&self, world: &World) -> (String, [bool; 2]) {
        let receiver = Receiver::start(world.stack).await;
        let made = self.tenant.api.post("/v1/jobs", &task_body(&receiver.url("/"))).await.data(201);
        let id = text(&made, "job_id").to_owned();
        self.tenant.api.post(&format!("/v1/jobs/{id}/cancel"), &json!({})).await.data(200);
        let received = receiver.only(SOON).await;
        let signature = received.header("X-NetraFlow-Signature").expect("it should be signed").to_owned();
        (id, self.secrets.map(|secret| hmac_sha256(secret, &received.body) == signature))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_tenants_finds_every_tenant() {
    let world = World::open();
    let tenant = world.tenant().await;
    let mut query = String::new();
    loop {
        let page = world.admin.get(&format!("/v1/tenants{query}")).await.ok(200);
        let tenants = page["tenants"].as_array().expect("tenants should be an array");
        if tenants.iter().any(|row| row["id"] == tenant.id.as_str()) {
            return;
        }
        let next = page["pagination"]["next_cursor"].as_str().expect("the tenant stands on no page");
        query = format!("?cursor={next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenants_keys_are_refused_within_a_minute_and_come_back() {
    let world = World::open();
    let tenant = world.tenant().await;
    tenant.api.get("/v1/webhooks").await.ok(200);
    let path = format!("/v1/tenants/{}", tenant.id);
    let suspended = world.admin.patch(&path, &json!({"status": "suspended"})).await.ok(200);
    assert_eq!(suspended["status"], "suspended");
    let event = json!({"event": "dubbing.completed", "data": {}});
    until("the suspended tenant to be refused", MINUTE, || async {
        let answers = [
            tenant.api.get("/v1/webhooks").await,
            tenant.api.get("/v1/event-types").await,
            tenant.api.get("/v1/event-types/webhook.disabled").await,
            tenant.api.post("/v1/events", &event).await,
        ];
        if answers.iter().all(|answer| answer.status == 403) { Ok(answers) } else { Err(format!("{answers:?}")) }
    })
    .await
    .iter()
    .for_each(|answer| {
        answer.refused(403, "tenant_suspended");
    });

    world.admin.patch(&path, &json!({"status": "active"})).await.ok(200);
    until("the tenant to be back", MINUTE, || async {
        let answer = tenant.api.get("/v1/webhooks").await;
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    })
    .await;
}
