//! Answers field by field: in the pages' order, with everything that was set, and with nothing that was taken away.

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::world::publishing;
use crate::support::{Receiver, SOON, Tenant, World};

const URL: &str = "https://your-app.invalid/hook";

/// An object's keys as they stand in it.
pub(crate) fn in_order(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("not an object: {value}")).keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_stand_in_the_pages_order() {
    let world = World::open();
    let tenant = world.tenant().await;
    let five = ["id", "url", "events", "created_at", "status"];
    let made = tenant.api.post("/v1/webhooks/create", &json!({"url": URL, "events": ["*"]})).await;
    assert_eq!(in_order(&made.ok(201)), five);
    assert!(made.body.starts_with(r#"{"id":"wh_"#), "{}", made.body);
    let webhook = text(&made.json(), "id").to_owned();
    for path in ["/v1/webhooks", "/v1/webhooks?limit=5"] {
        assert_eq!(in_order(&tenant.api.get(path).await.ok(200)["webhooks"][0]), five, "{path}");
    }
    let accepted = tenant.api.post("/v1/events", &json!({"event": "dubbing.completed", "data": {}})).await.ok(202);
    assert_eq!(in_order(&accepted), ["id", "event", "timestamp"]);
    let id = tenant.delivery_of(text(&accepted, "id"), &webhook).await;
    let event = tenant.api.get(&format!("/v1/events/{}", text(&accepted, "id"))).await.ok(200);
    assert_eq!(in_order(&event), ["id", "event", "data", "timestamp", "deliveries", "not_delivered", "pagination"]);
    let delivery = tenant.delivery(&id).await;
    let first = ["id", "event_id", "event", "webhook_id", "url", "status", "created_at", "next_attempt_at", "attempts"];
    assert_eq!(in_order(&delivery)[..first.len()], first);
    let error = tenant.api.post("/v1/webhooks/create", &json!({})).await.ok(400);
    assert_eq!(in_order(&error["error"]), ["code", "message", "details"]);
    assert_eq!(in_order(&error["error"]["details"]), ["field", "expected"]);

    let made = world.admin.post("/v1/tenants", &json!({"plan": "pro", "name": "Acme"})).await.ok(201);
    assert_eq!(in_order(&made)[..4], ["id", "name", "plan", "created_at"]);
    let key = world.key(text(&made, "id"), &json!({"dialect": "nur"})).await;
    assert_eq!(in_order(&key), ["id", "key", "dialect", "scopes", "created_at"]);
    let key = world.admin.post("/v1/keys", &json!({"scopes": ["events:write"]})).await.ok(201);
    assert_eq!(in_order(&key)[..3], ["id", "key", "scopes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_shown_whole_when_it_is_made() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let body = json!({
        "url": URL, "events": ["invoice.*"], "description": "books", "headers": {"x-team": "books"},
        "timeout_seconds": 9, "retry_schedule": [60, 120], "rate_limit": 5, "status": "disabled",
    });
    let made = tenant.api.post("/v1/webhooks/create", &body).await.ok(201);
    let names = [
        "id",
        "url",
        "events",
        "created_at",
        "status",
        "description",
        "headers",
        "timeout_seconds",
        "retry_schedule",
        "rate_limit",
        "disabled_reason",
        "disabled_at",
        "secret",
    ];
    assert_eq!(in_order(&made), names);
    for (name, value) in body.as_object().expect("an object") {
        let shown = if name == "headers" { &json!({"x-team": "***"}) } else { value };
        assert_eq!(&made[name], shown, "{name}");
    }
    let mut shown = tenant.api.get(&format!("/v1/webhooks/{}", text(&made, "id"))).await.ok(200);
    shown["secret"] = made["secret"].clone();
    assert_eq!(shown, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn null_takes_a_field_away() {
    let world = World::open();
    let tenant = world.tenant().await;
    let webhook = tenant
        .create(&json!({"url": URL, "events": ["*"], "description": "x", "headers": {"x-a": "v"},
            "timeout_seconds": 9, "retry_schedule": [60], "rate_limit": 5}))
        .await;
    let path = format!("/v1/webhooks/{webhook}");
    for (at, field) in
        ["retry_schedule", "description", "timeout_seconds", "rate_limit", "headers"].into_iter().enumerate()
    {
        let changed = tenant.api.patch(&path, &json!({field: null})).await.ok(200);
        assert_eq!(changed.get(field), None, "{changed}");
        assert_eq!(in_order(&changed).len(), 5 + 4 - at, "the others stay: {changed}");
    }
    assert_eq!(in_order(&tenant.api.get(&path).await.ok(200)).len(), 5);
    for field in ["url", "events", "status"] {
        tenant.api.patch(&path, &json!({field: null})).await.invalid(field);
    }
    // What is gone is the dialect's again: no header is sent, and the time-out and retry schedule are its own.
    let receiver = Receiver::start(world.stack).await;
    tenant.api.patch(&path, &json!({"url": receiver.url("/")})).await.ok(200);
    tenant.publish("dubbing.completed", &json!({})).await;
    assert_eq!(receiver.only(SOON).await.header("x-a"), None);
    // On create it is as if nothing were said, where nothing can be.
    let made = json!({"url": URL, "events": ["*"], "description": null, "headers": null, "timeout_seconds": null});
    assert_eq!(in_order(&tenant.api.post("/v1/webhooks/create", &made).await.ok(201)).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_says_what_differs() {
    let world = World::open();
    let tenant = world.tenant().await;
    let event = |event: &str, data: &str| format!(r#"{{"event":"{event}","data":{data},"id":"order 1"}}"#);
    tenant.api.post_text("/v1/events", &event("dubbing.completed", r#"{"a":1,"b":2}"#)).await.ok(202);
    let bytes = tenant.api.post_text("/v1/events", &event("dubbing.completed", r#"{"b":2,"a":1}"#)).await;
    assert!(text(&bytes.refused(409, "conflict"), "message").contains("bytes of whose `data` differ"), "{bytes:?}");
    let other = tenant.api.post_text("/v1/events", &event("dubbing.failed", r#"{"a":1,"b":2}"#)).await;
    assert!(text(&other.refused(409, "conflict"), "message").contains("another type"), "{other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_webhooks_deliveries_stay_listed() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&id, "succeeded", 1).await;
    tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    tenant.api.get(&format!("/v1/webhooks/{webhook}")).await.refused(404, "not_found");
    let kept = tenant.deliveries(&webhook, "").await;
    assert_eq!((kept.len(), &kept[0]["id"], &kept[0]["url"]), (1, &json!(id), &json!(receiver.url("/"))));
    let stranger = world.tenant().await;
    stranger.api.get(&format!("/v1/webhooks/{webhook}/deliveries")).await.refused(404, "not_found");
    let recover = json!({"since": "2026-01-01T00:00:00Z"});
    tenant.api.post(&format!("/v1/webhooks/{webhook}/recover"), &recover).await.refused(404, "not_found");
}

/// The page on dialects has it as one table.
#[tokio::test(flavor = "multi_thread")]
async fn keys_act_on_their_tenants_webhooks_and_events_reach_those_that_can_name_them() {
    let world = World::open();
    let tenant = world.tenant().await;
    let mut with = Vec::new();
    for dialect in ["nur", "standard", "nouvel", "netraflow"] {
        let key = world.key(&tenant.id, &publishing(dialect)).await;
        let api = world.anonymous.with_key(text(&key, "key"));
        with.push((dialect, Tenant { api, id: tenant.id.clone(), key_id: String::new() }));
    }
    let (nur, standard, nouvel) = (&with[0].1, &with[1].1, &with[2].1);
    let of_nur = Receiver::start(world.stack).await;
    let of_standard = Receiver::start(world.stack).await;
    let nur_webhook = nur.webhook(&of_nur.url("/"), &["*"]).await;
    let standard_webhook = standard.webhook(&of_standard.url("/"), &["*"]).await;
    for (dialect, key) in &with {
        let makes = key.api.post("/v1/webhooks/create", &json!({"url": URL, "events": ["never.sent"]})).await;
        let expected = if *dialect == "standard" {
            201
        } else if *dialect == "nur" {
            400
        } else {
            403
        };
        assert_eq!(makes.status, expected, "{dialect}: {makes:?}");
        for webhook in [&nur_webhook, &standard_webhook] {
            let path = format!("/v1/webhooks/{webhook}");
            key.api.get(&path).await.ok(200);
            key.api.patch(&path, &json!({"description": dialect})).await.ok(200);
            key.deliveries(webhook, "").await;
        }
        // What a webhook may ask for is its own dialect's to say, whoever asks.
        let events = json!({"events": ["invoice.paid"]});
        key.api.patch(&format!("/v1/webhooks/{nur_webhook}"), &events).await.invalid("events");
    }
    let provider = world.provider(&["events:write"]).await;
    provider.get(&format!("/v1/webhooks/{standard_webhook}")).await.refused(403, "forbidden");

    nur.publish("dubbing.completed", &json!({"by": "nur"})).await;
    standard.publish("dubbing.failed", &json!({"by": "standard"})).await;
    standard.publish("invoice.paid", &json!({"by": "standard"})).await;
    nouvel.publish("job.completed", &json!({"by": "nouvel"})).await;
    let event = json!({"event": "voice.clone.failed", "data": {}, "tenant_id": tenant.id});
    provider.post("/v1/events", &event).await.ok(202);
    for (key, other) in [(nur, "invoice.paid"), (nur, "dubbing.complete"), (nouvel, "job.failed")] {
        let answer = key.api.post("/v1/events", &json!({"event": other, "data": {}})).await;
        assert_eq!(answer.refused(422, "unprocessable")["details"]["field"], "event");
    }
    let types = |received: Vec<crate::support::request::Received>, field: &str| {
        let mut types: Vec<_> = received.iter().map(|one| text(&one.json(), field).to_owned()).collect();
        types.sort();
        types
    };
    let all = ["dubbing.completed", "dubbing.failed", "invoice.paid", "job.completed", "voice.clone.failed"];
    assert_eq!(types(of_standard.wait_for(5, SOON).await, "type"), all);
    assert_eq!(
        types(of_nur.wait_for(3, SOON).await, "event"),
        ["dubbing.completed", "dubbing.failed", "voice.clone.failed"]
    );
}
