//! Changing a webhook: every field by itself, what is refused, and what the next attempts make of it.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::schedule::assert_schedule;
use crate::support::time::instant;
use crate::support::{Gate, Receiver, Reply, SOON, World};

#[tokio::test(flavor = "multi_thread")]
async fn every_field_changes_by_itself_and_stays() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    let mut expected = tenant.api.get(&path).await.ok(200);
    assert_eq!(keys(&expected), ["created_at", "events", "id", "status", "url"]);
    let changes = [
        ("url", json!(receiver.url("/other"))),
        ("events", json!(["dubbing.*", "music.generation.completed"])),
        ("description", json!("of the staging system; naïve ✓")),
        ("name", json!("Zahlungen \u{2713}")),
        ("metadata", json!({"cost_center": "4711", "owner": "naïve ✓"})),
        ("metadata", json!({"owner": ""})),
        ("headers", json!({"x-team": "payments", "authorization": "Basic abc"})),
        ("timeout_seconds", json!(30)),
        ("timeout_seconds", json!(1)),
        ("retry_schedule", json!([1, 604_800])),
        ("retry_schedule", json!([])),
        ("rate_limit", json!(1)),
        ("rate_limit", json!(1_000)),
        ("filter", json!({"data": {"amount": [{"numeric": [">", 10]}]}})),
        ("headers", json!({"x-team": "music"})),
    ];
    for (field, value) in changes {
        expected[field] = if field == "headers" { masked(&value) } else { value.clone() };
        let shown = tenant.api.patch(&path, &json!({field: value})).await.ok(200);
        assert_eq!(shown, expected, "{field}");
        assert_eq!(tenant.api.get(&path).await.ok(200), expected, "{field}");
    }
    assert_eq!(tenant.api.patch(&path, &json!({})).await.ok(200), expected, "nothing asked, nothing changed");
    let listed = tenant.api.get("/v1/webhooks").await.ok(200);
    assert_eq!(listed["webhooks"][0]["url"], expected["url"]);
}

/// Headers as they are shown.
fn masked(headers: &Value) -> Value {
    headers
        .as_object()
        .expect("an object")
        .keys()
        .map(|name| (name.to_lowercase(), json!("***")))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn create_takes_the_same_fields() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let body = json!({
        "url": receiver.url("/"),
        "events": ["*"],
        "status": "disabled",
        "name": "ERP",
        "description": "not yet",
        "metadata": {"a": "b"},
        "headers": {"x-team": "payments"},
        "timeout_seconds": 3,
        "retry_schedule": [1, 2],
        "rate_limit": 100,
        "filter": {"event": ["dubbing.completed"], "$or": [{"data": {"a": [1]}}, {"tags": {"tier": ["gold"]}}]},
    });
    let webhook = tenant.create(&body).await;
    let shown = tenant.api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200);
    for (field, value) in body.as_object().expect("it is an object") {
        let value = if field == "headers" { masked(value) } else { value.clone() };
        assert_eq!(shown[field], value, "{field}");
    }
    assert!(shown["disabled_reason"].is_string() && shown["disabled_at"].is_string(), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_and_changes_nothing() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    let before = tenant.api.get(&path).await.ok(200);
    let wrong = [
        ("url", json!("http://your-app.invalid/")),
        ("url", json!("https://10.0.0.1/")),
        ("url", json!(7)),
        ("events", json!([])),
        ("events", json!(["*.completed"])),
        ("events", json!(["invoice.paid"])),
        ("events", json!("*")),
        ("status", json!("paused")),
        ("status", json!(true)),
        ("name", json!("")),
        ("name", json!("x".repeat(129))),
        ("metadata", json!({"a b": "c"})),
        ("metadata", json!({"a": 1})),
        ("metadata", json!("a")),
        ("content_type", json!("application/cloudevents+json")),
        ("description", json!("x".repeat(257))),
        ("description", json!(1)),
        ("headers", json!({"content-length": "5"})),
        ("headers", json!({"X-Nur-Signature": "sha256=00"})),
        ("headers", json!({"X-Team": "a\r\nX-Evil: b"})),
        ("headers", json!({"": "x"})),
        ("headers", json!(["X-Team"])),
        ("timeout_seconds", json!(0)),
        ("timeout_seconds", json!(31)),
        ("timeout_seconds", json!(1.5)),
        ("timeout_seconds", json!("5")),
        ("rate_limit", json!(0)),
        ("rate_limit", json!(1_001)),
        ("rate_limit", json!(1.5)),
        ("rate_limit", json!("5")),
        ("retry_schedule", json!([0])),
        ("retry_schedule", json!([604_801])),
        ("retry_schedule", json!([-1])),
        ("retry_schedule", json!([1.5])),
        ("retry_schedule", json!(vec![1; 17])),
        ("retry_schedule", json!(60)),
        ("secret", json!("whsec_0123456789abcdef0123456789abcdef")),
        ("id", json!("wh_0000000000000000")),
        ("no_such_field", json!(1)),
    ];
    for (field, value) in wrong {
        // Beside something good, which must not be taken either.
        let body = if field == "description" {
            json!({field: value, "timeout_seconds": 9})
        } else {
            json!({field: value, "description": "half-written"})
        };
        tenant.api.patch(&path, &body).await.invalid(field);
    }
    // A retry schedule that is well-formed and outlasts the thirty days for which rows are kept.
    let too_long = tenant.api.patch(&path, &json!({"retry_schedule": vec![604_800; 5]})).await;
    assert_eq!(too_long.refused(422, "unprocessable")["details"]["field"], "retry_schedule");
    for body in ["[]", "null", "{", ""] {
        let call = tenant.api.call(reqwest::Method::PATCH, &path).body("application/json", body);
        call.send().await.refused(400, "invalid_request");
    }
    assert_eq!(tenant.api.get(&path).await.ok(200), before);

    let stranger = world.tenant().await;
    stranger.api.patch(&path, &json!({"status": "disabled"})).await.refused(404, "not_found");
    let reader = world.key(&tenant.id, &json!({"dialect": "nur", "scopes": ["webhooks:read"]})).await;
    let reader = world.anonymous.with_key(text(&reader, "key"));
    reader.patch(&path, &json!({"status": "disabled"})).await.refused(403, "forbidden");
    assert_eq!(tenant.api.get(&path).await.ok(200), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_schedule_of_seconds_runs_by_itself() {
    let world = World::open();
    let tenant = world.tenant().await;
    let script = [Reply::Status(500), Reply::Status(500)];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [2, 4]});
    let webhook = tenant.create(&body).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    let delivery = tenant.settled(&id, "succeeded", 3).await;
    for (number, interval) in [(1, 2), (2, 4)] {
        let (before, after) = (&delivery["attempts"][number - 1], &delivery["attempts"][number]);
        let ended = before["duration_ms"].as_i64().expect("an attempt has a duration");
        let waited = instant(text(after, "at")).duration_since(instant(text(before, "at")));
        let waited = waited - SignedDuration::from_millis(ended);
        let interval = SignedDuration::from_secs(interval);
        assert!(waited >= interval - SignedDuration::from_millis(999), "{waited} instead of {interval}");
        assert_eq!(world.aws.find_schedule(&id, u32::try_from(number).expect("small") + 1).await, None);
    }
    assert_eq!(receiver.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_count_from_the_next_attempt_on() {
    let world = World::open();
    let tenant = world.tenant().await;
    let old = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let gate = Gate::shut();
    let new = Receiver::scripted(world.stack, [Reply::Held(gate.clone())], Reply::Status(503)).await;
    let webhook = tenant.webhook(&old.url("/"), &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    assert_schedule(&world, &tenant.settled(&id, "retrying", 1).await, 1, 60).await;

    let change = json!({
        "url": new.url("/new"),
        "timeout_seconds": 1,
        "retry_schedule": [100, 200, 300],
        "headers": {"x-team": "payments"},
    });
    tenant.api.patch(&path, &change).await.ok(200);
    world.aws.attempt_now(&id, 2).await;
    let delivery = tenant.settled(&id, "retrying", 2).await;
    assert_eq!(delivery["attempts"][1]["outcome"], "timed_out");
    let lasted = delivery["attempts"][1]["duration_ms"].as_u64().expect("an attempt has a duration");
    assert!((1000..4000).contains(&lasted), "cut at its own time-out: {lasted} ms");
    assert_schedule(&world, &delivery, 2, 200).await;
    let received = new.only(SOON).await;
    assert_eq!((received.path.as_str(), received.header("x-team")), ("/new", Some("payments")));
    gate.open();

    // A shorter retry schedule ends what is beyond it.
    tenant.api.patch(&path, &json!({"retry_schedule": []})).await.ok(200);
    world.aws.attempt_now(&id, 3).await;
    let delivery = tenant.settled(&id, "failed", 3).await;
    assert_eq!((&delivery["reason"], &delivery["url"]), (&json!("attempts_exhausted"), &json!(new.url("/new"))));
    assert_eq!((old.requests().len(), new.requests().len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_matched_by_the_patterns_of_the_moment() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["dubbing.completed", "dubbing.failed"]).await;
    let first = tenant.publish("dubbing.failed", &json!({})).await;
    receiver.wait_for(1, SOON).await;
    let change = json!({"events": ["voice.clone.*", "dubbing.completed"]});
    tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &change).await.ok(200);
    tenant.publish("dubbing.failed", &json!({})).await;
    let mut wanted = vec![first];
    for event in ["dubbing.completed", "voice.clone.failed"] {
        wanted.push(tenant.publish(event, &json!({})).await);
    }
    receiver.wait_for(3, SOON).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut received: Vec<_> = receiver.requests().iter().map(crate::support::request::Received::event_id).collect();
    received.sort();
    wanted.sort();
    assert_eq!(received, wanted);
    let missed = tenant.deliveries(&webhook, "event=dubbing.failed").await;
    assert_eq!(missed.iter().map(|row: &Value| &row["status"]).collect::<Vec<_>>(), ["succeeded"]);
}
