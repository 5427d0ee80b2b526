//! Headers of a webhook's owner's own: sent to its receiver, and shown to nobody, whatever the receiver answers.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::request::Received;
use crate::support::rows::s;
use crate::support::{Gate, Receiver, Reply, SOON, Tenant, World, canary};

const TOKEN: &str = concat!("Bearer ", canary!("header"), "/first+token==");
const OTHER: &str = concat!("Bearer ", canary!("header"), "/second&token");
const SECRET: &str = concat!("whsec_", canary!("secret"), "0123456789abcdef0123456789");

async fn webhook(tenant: &Tenant, receiver: &Receiver, headers: &Value) -> String {
    let body = json!({
        "url": receiver.url("/"),
        "events": ["*"],
        "secret": SECRET,
        "headers": headers,
        "retry_schedule": [600],
    });
    let answer = tenant.api.post("/v1/webhooks/create", &body).await;
    let made = answer.ok(201);
    assert_masked(&answer.body, &made["headers"]);
    text(&made, "id").to_owned()
}

/// Whether a header's value stands there, or a secret; a receiver's URL has a canary of its own.
fn tells(text: &str) -> bool {
    text.contains(canary!("header")) || text.contains(canary!("secret"))
}

#[track_caller]
fn assert_masked(answer: &str, shown: &Value) {
    assert!(!tells(answer), "{answer}");
    assert!(shown.as_object().is_none_or(|headers| headers.values().all(|value| value == "***")), "{shown}");
}

/// Publishes an event; its delivery's id.
async fn delivered(tenant: &Tenant, webhook: &str) -> String {
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    tenant.delivery_of(&event, webhook).await
}

#[track_caller]
fn assert_sent(received: &Received, headers: &[(&str, Option<&str>)]) {
    for (name, value) in headers {
        assert_eq!(received.header(name), *value, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_sent_kept_replaced_and_dropped_and_never_shown() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let long = format!("{TOKEN}{}", "x".repeat(4096 - TOKEN.len()));
    let webhook = webhook(&tenant, &receiver, &json!({"Authorization": TOKEN, "x-long": long, "x-gone": OTHER})).await;
    let path = format!("/v1/webhooks/{webhook}");
    let id = delivered(&tenant, &webhook).await;
    tenant.settled(&id, "succeeded", 1).await;
    let first = receiver.only(SOON).await;
    assert_sent(&first, &[("authorization", Some(TOKEN)), ("x-long", Some(&long)), ("x-gone", Some(OTHER))]);

    let change = json!({"headers": {"authorization": "***", "X-Long": OTHER, "x-new": TOKEN}});
    let changed = tenant.api.patch(&path, &change).await;
    let masked = json!({"authorization": "***", "x-long": "***", "x-new": "***"});
    assert_eq!(changed.ok(200)["headers"], masked);
    assert_masked(&changed.body, &masked);
    for path in [path.as_str(), "/v1/webhooks", "/v1/webhooks?limit=10"] {
        let shown = tenant.api.get(path).await;
        shown.ok(200);
        assert_masked(&shown.body, &Value::Null);
    }
    let id = delivered(&tenant, &webhook).await;
    tenant.settled(&id, "succeeded", 1).await;
    let second = receiver.requests().remove(1);
    let expected = [("authorization", Some(TOKEN)), ("x-long", Some(OTHER)), ("x-new", Some(TOKEN)), ("x-gone", None)];
    assert_sent(&second, &expected);

    assert_eq!(tenant.api.patch(&path, &json!({"headers": null})).await.ok(200).get("headers"), None);
    let id = delivered(&tenant, &webhook).await;
    tenant.settled(&id, "succeeded", 1).await;
    assert_sent(&receiver.requests()[2], &[("authorization", None), ("x-long", None), ("x-new", None)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_says_of_them_is_not_on_record() {
    let world = World::open();
    let tenant = world.tenant().await;
    // An answer that is longer than what is kept of it, with a value at each cut.
    let around = |before: usize| format!("{}{TOKEN}", "x".repeat(before)).into_bytes();
    for (reply, outcome) in [
        (Reply::Echo(500), "status_500"),
        (Reply::Echo(302), "status_302"),
        (Reply::Full(500, vec![], around(4096 - 20)), "status_500"),
        (Reply::Full(500, vec![], around(1024 - 20)), "status_500"),
        (Reply::Full(400, vec![], around(256 - 20)), "status_400"),
        (Reply::Full(400, vec![("location", TOKEN.to_owned())], format!("{SECRET}, {TOKEN}").into()), "status_400"),
        (Reply::Raw(format!("{TOKEN}\r\n\r\n").into_bytes()), "invalid_response"),
    ] {
        let receiver = Receiver::scripted(world.stack, [], reply).await;
        let webhook = webhook(&tenant, &receiver, &json!({"authorization": TOKEN, "x-other": OTHER})).await;
        let id = delivered(&tenant, &webhook).await;
        tenant.settled(&id, "retrying", 1).await;
        world.aws.attempt_now(&id, 2).await;
        let delivery = tenant.settled(&id, "failed", 2).await;
        let attempts = delivery["attempts"].as_array().expect("attempts");
        assert!(attempts.iter().all(|attempt| attempt["outcome"] == outcome), "{delivery}");
        let shown = delivery.to_string();
        for part in [canary!("header"), canary!("secret"), "first+token", "second", &TOKEN[..12], "0123456789abcdef"] {
            assert!(!shown.contains(part), "{part} in {shown}");
        }
        let row = world.aws.rows.delivery(&id).await.expect("a row");
        assert!(!tells(&format!("{row:?}")), "{row:?}");
        if outcome != "invalid_response" && !shown.contains("xxxx") {
            assert!(text(&attempts[0], "response_excerpt").contains("***"), "{shown}");
        }
        if outcome == "status_302" {
            assert!(text(&attempts[0], "redirect_to").contains("***"), "{shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_before_is_sent_masked_and_sealed_with_its_next_change() {
    let world = World::open();
    for change in ["PATCH", "enable", "rotate"] {
        let tenant = world.tenant().await;
        let receiver = Receiver::start(world.stack).await;
        let body = json!({"url": receiver.url("/"), "events": ["*"], "secret": SECRET});
        let webhook = tenant.create(&body).await;
        let headers = [("authorization", s(TOKEN)), ("x-team", s("payments"))];
        let headers = AttributeValue::M(headers.map(|(name, value)| (name.to_owned(), value)).into());
        world.aws.rows.amend(&tenant.id, &format!("WEBHOOK#{webhook}"), "headers", headers).await;
        let expected = [("authorization", Some(TOKEN)), ("x-team", Some("payments"))];
        let id = delivered(&tenant, &webhook).await;
        tenant.settled(&id, "succeeded", 1).await;
        assert_sent(&receiver.only(SOON).await, &expected);

        let path = format!("/v1/webhooks/{webhook}");
        let shown = tenant.api.get(&path).await;
        assert_eq!(shown.ok(200)["headers"], json!({"authorization": "***", "x-team": "***"}));
        assert!(!tells(&shown.body), "{}", shown.body);
        match change {
            "PATCH" => _ = tenant.api.patch(&path, &json!({"description": "anything"})).await.ok(200),
            "enable" => _ = tenant.api.post(&format!("{path}/enable"), &json!({})).await.ok(200),
            _ => _ = tenant.api.post(&format!("{path}/secret/rotate"), &json!({"secret": SECRET})).await.ok(200),
        }
        let row = world.aws.rows.webhook(&tenant.id, &webhook).await;
        assert!(!row.contains_key("headers") && !tells(&format!("{row:?}")), "{row:?}");
        assert_eq!(row["sealed_headers"].as_m().expect("a map").len(), 2);
        assert_eq!(tenant.api.get(&path).await.ok(200)["headers"], json!({"authorization": "***", "x-team": "***"}));
        let id = delivered(&tenant, &webhook).await;
        tenant.settled(&id, "succeeded", 1).await;
        assert_sent(&receiver.requests()[1], &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sealed_for_another_webhook_or_name_is_not_sent() {
    let world = World::open();
    let tenant = world.tenant().await;
    let (receiver, others) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    let first = webhook(&tenant, &receiver, &json!({"authorization": TOKEN})).await;
    let second = webhook(&tenant, &others, &json!({"authorization": OTHER})).await;
    let row = world.aws.rows.webhook(&tenant.id, &first).await;
    let sort = format!("WEBHOOK#{second}");
    world.aws.rows.amend(&tenant.id, &sort, "sealed_headers", row["sealed_headers"].clone()).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    let id = tenant.delivery_of(&event, &first).await;
    tenant.settled(&id, "succeeded", 1).await;
    assert_eq!(others.requests().len(), 0, "it waits for somebody to mend the row");
    // Its owner gives it others, and it is sent when its message comes back.
    let path = format!("/v1/webhooks/{second}");
    tenant.api.patch(&path, &json!({"headers": {"authorization": OTHER}})).await.ok(200);
    let id = delivered(&tenant, &second).await;
    tenant.settled(&id, "succeeded", 1).await;
    assert_sent(&others.requests()[0], &[("authorization", Some(OTHER))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_has_the_headers_that_stand_when_it_begins() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let script = [Reply::HeldAs(gate.clone(), 500)];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let webhook = webhook(&tenant, &receiver, &json!({"authorization": TOKEN})).await;
    let id = delivered(&tenant, &webhook).await;
    receiver.wait_for(1, SOON).await;
    let change = json!({"headers": {"authorization": OTHER}});
    tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &change).await.ok(200);
    gate.open();
    tenant.settled(&id, "retrying", 1).await;
    world.aws.attempt_now(&id, 2).await;
    tenant.settled(&id, "succeeded", 2).await;
    let sent: Vec<_> =
        receiver.requests().iter().map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [Some(TOKEN.to_owned()), Some(OTHER.to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_type_of_its_own_is_the_only_one() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let own = "application/cloudevents+json";
    let body = json!({"url": receiver.url("/"), "events": ["*"], "content_type": own});
    let made = tenant.api.post("/v1/webhooks/create", &body).await.ok(201);
    let (webhook, path) = (text(&made, "id"), format!("/v1/webhooks/{}", text(&made, "id")));
    assert_eq!(made["content_type"], own);
    for (change, sent) in [
        (json!({}), own),
        (json!({"content_type": null}), "application/json"),
        (json!({"content_type": "application/vnd.acme.v2+json"}), "application/vnd.acme.v2+json"),
        (json!({"content_type": "application/json"}), "application/json"),
    ] {
        let shown = tenant.api.patch(&path, &change).await.ok(200);
        let asked = change.get("content_type").cloned().unwrap_or_else(|| json!(own));
        assert_eq!(shown["content_type"], asked);
        let before = receiver.requests().len();
        let event = tenant.publish("invoice.paid", &json!({})).await;
        let id = tenant.delivery_of(&event, webhook).await;
        tenant.settled(&id, "succeeded", 1).await;
        // More than one fails within.
        assert_eq!(receiver.requests()[before].header("content-type"), Some(sent));
    }
}
