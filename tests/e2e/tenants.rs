//! Tenants: made, read and changed by the operator; a suspended one is locked out.

use std::time::Duration;

use serde_json::json;

use crate::support::api::{keys, text};
use crate::support::time::instant;
use crate::support::{World, until};

const MINUTE: Duration = Duration::from_secs(65);

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_can_be_made_read_and_changed() {
    let Some(world) = World::open() else { return };
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
    let Some(world) = World::open() else { return };
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
async fn the_list_of_tenants_finds_every_tenant() {
    let Some(world) = World::open() else { return };
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
    let Some(world) = World::open() else { return };
    let tenant = world.tenant().await;
    tenant.api.get("/v1/webhooks").await.ok(200);
    let path = format!("/v1/tenants/{}", tenant.id);
    let suspended = world.admin.patch(&path, &json!({"status": "suspended"})).await.ok(200);
    assert_eq!(suspended["status"], "suspended");
    let event = json!({"event": "dubbing.completed", "data": {}});
    until("the suspended tenant to be refused", MINUTE, || async {
        let answers = [tenant.api.get("/v1/webhooks").await, tenant.api.post("/v1/events", &event).await];
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
