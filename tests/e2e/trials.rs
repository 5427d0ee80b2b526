//! Tests of a webhook: an event of its owner's that goes to this webhook alone, and is marked wherever it is shown.

use std::time::Instant;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::rows::{ago, event_row, s};
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

async fn test(tenant: &Tenant, webhook: &str, body: &Value) -> (String, String) {
    let begun = tenant.api.post(&format!("/v1/webhooks/{webhook}/test"), body).await.ok(202);
    assert_eq!(keys(&begun), ["delivery_id", "event_id"]);
    (text(&begun, "event_id").to_owned(), text(&begun, "delivery_id").to_owned())
}

/// The delivery of a test, once it has this status after so many attempts. It is none before fan-out has put its row.
async fn tested(tenant: &Tenant, delivery: &str, status: &str, attempts: usize) -> Value {
    until(&format!("{delivery} to be {status}"), SOON, || async {
        let answer = tenant.api.get(&format!("/v1/deliveries/{delivery}")).await;
        if answer.status == 404 {
            return Err("there is none yet".to_owned());
        }
        let shown = answer.ok(200);
        let made = shown["attempts"].as_array().map_or(0, Vec::len);
        if shown["status"] == status && made == attempts { Ok(shown) } else { Err(shown.to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_goes_to_its_webhook_alone_and_is_marked_where_it_is_shown() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let (receiver, bystander) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    let webhook = tenant.webhook(&receiver.url("/"), &["invoice.*"]).await;
    let other = tenant.webhook(&bystander.url("/"), &["*"]).await;

    // Of a type that this one has not asked for, and the other has.
    let data = json!({"z": 1, "a": 2});
    let (event, delivery) = test(&tenant, &webhook, &json!({"event": "order.paid", "data": data})).await;
    let shown = tested(&tenant, &delivery, "succeeded", 1).await;
    assert_eq!(
        (&shown["test"], &shown["event_id"], &shown["event"]),
        (&json!(true), &json!(event), &json!("order.paid"))
    );
    let received = receiver.only(SOON).await;
    assert_eq!(received.header("webhook-id"), Some(event.as_str()));
    assert!(received.text().ends_with(r#","data":{"z":1,"a":2}}"#), "{}", received.text());

    let of_event = tenant.api.get(&format!("/v1/events/{event}")).await.ok(200);
    let deliveries = of_event["deliveries"].as_array().expect("deliveries");
    assert_eq!((&of_event["test"], deliveries.len()), (&json!(true), 1), "{of_event}");
    assert_eq!((&deliveries[0]["id"], &deliveries[0]["webhook_id"]), (&json!(delivery), &json!(webhook)));
    let listed = tenant.deliveries(&webhook, "limit=100").await;
    assert_eq!((listed.len(), &listed[0]["test"]), (1, &json!(true)));

    // Another event, which both have asked for: the first that the other one gets.
    let usual = tenant.publish("invoice.paid", &json!({})).await;
    assert_eq!(bystander.only(SOON).await.header("webhook-id"), Some(usual.as_str()));
    assert_eq!(tenant.deliveries(&other, "limit=100").await.len(), 1);
    let of_usual = tenant.delivery_of(&usual, &webhook).await;
    let shown = tenant.settled(&of_usual, "succeeded", 1).await;
    let of_event = tenant.api.get(&format!("/v1/events/{usual}")).await.ok(200);
    assert_eq!((shown.get("test"), of_event.get("test")), (None, None), "left out where it is none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_which_nothing_is_said_is_of_what_the_webhook_asks_for() {
    let world = World::open();
    let (nur, standard) = (world.tenant().await, world.tenant_on("standard", "pro").await);
    for (tenant, events, expected) in [
        (&standard, &["invoice.*", "order.paid"][..], "order.paid"),
        (&standard, &["invoice.*"], "invoice.test"),
        (&standard, &["*"], "test"),
        (&nur, &["voice.clone.*"], "voice.clone.completed"),
    ] {
        let receiver = Receiver::start(world.stack).await;
        let webhook = tenant.webhook(&receiver.url("/"), events).await;
        let call = tenant.api.call(reqwest::Method::POST, &format!("/v1/webhooks/{webhook}/test"));
        call.send().await.ok(202);
        let body = receiver.only(SOON).await.json();
        let event_type = if body["event"].is_null() { &body["type"] } else { &body["event"] };
        assert_eq!((event_type, &body["data"]), (&json!(expected), &json!({"test": true})), "{events:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_fails_is_on_its_schedule_and_neither_told_of_nor_recovered() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(422)).await;
    let listener = Receiver::start(world.stack).await;
    tenant.webhook(&listener.url("/"), &["webhook.delivery_failed"]).await;
    let body = json!({"url": receiver.url("/"), "events": ["order.paid"], "retry_schedule": [1]});
    let webhook = tenant.create(&body).await;
    let (_, delivery) = test(&tenant, &webhook, &json!({})).await;
    let failed = tested(&tenant, &delivery, "failed", 2).await;
    assert_eq!((&failed["reason"], &failed["test"]), (&json!("attempts_exhausted"), &json!(true)));
    assert_eq!(failed["attempts"][0]["outcome"], "status_422", "its receiver's answer is there");

    let event = tenant.publish("order.paid", &json!({})).await;
    let usual = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&usual, "failed", 2).await;
    let told = listener.only(SOON).await.json();
    assert_eq!(told["data"]["delivery_id"], usual.as_str(), "of the test nobody is told");
    let recover = json!({"since": ago(600)});
    let path = format!("/v1/webhooks/{webhook}/recover");
    let recovery = text(&tenant.api.post(&path, &recover).await.ok(202), "recovery_id").to_owned();
    until("the recovery to be done", SOON, || async {
        let shown = tenant.api.get(&format!("{path}/{recovery}")).await.ok(200);
        if shown["status"] == "done" && shown["found"] == 1 { Ok(()) } else { Err(shown.to_string()) }
    })
    .await;
    assert_eq!(
        tenant.delivery(&delivery).await["attempts"].as_array().map(Vec::len),
        Some(2),
        "the test is not missed"
    );
    // By hand it can be tried again as any other.
    tenant.api.post(&format!("/v1/deliveries/{delivery}/retry"), &json!({})).await.ok(202);
    tested(&tenant, &delivery, "failed", 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_webhook_is_not_tested_and_one_that_is_deleted_meanwhile_gets_nothing() {
    let world = World::open();
    let (tenant, stranger) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    tenant.api.patch(&path, &json!({"status": "disabled"})).await.ok(200);
    let before = world.aws.rows.all_events_of(&tenant.id).await;
    let refused = tenant.api.post(&format!("{path}/test"), &json!({})).await.refused(409, "conflict");
    assert!(text(&refused, "message").contains("enable it first"), "{refused}");
    stranger.api.post(&format!("{path}/test"), &json!({})).await.refused(404, "not_found");
    let key = world.key(&tenant.id, &json!({"dialect": "nur", "scopes": ["webhooks:read"]})).await;
    world
        .anonymous
        .with_key(text(&key, "key"))
        .post(&format!("{path}/test"), &json!({}))
        .await
        .refused(403, "forbidden");
    let data = json!({"data": {"a": "x".repeat(256 * 1024)}});
    tenant.api.post(&format!("{path}/test"), &data).await.refused(413, "payload_too_large");
    let after = world.aws.rows.all_events_of(&tenant.id).await;
    assert_eq!(after, before, "what was refused is nowhere");

    tenant.api.delete(&path).await.ok(204);
    tenant.api.post(&format!("{path}/test"), &json!({})).await.refused(404, "not_found");
    // One that was taken before the deletion, and comes to fan-out after it.
    let mut row = event_row(&tenant.id, "evt_of_a_test", "dubbing.completed", "{}");
    row.insert("ours".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
    row.insert("test_of".to_owned(), s(&webhook));
    world.aws.rows.put_event(row).await;
    let delivery = tenant.delivery_of("evt_of_a_test", &webhook).await;
    let cancelled = tested(&tenant, &delivery, "cancelled", 0).await;
    assert_eq!((&cancelled["reason"], &cancelled["test"]), (&json!("webhook_deleted"), &json!(true)));
    assert_eq!(receiver.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producers_row_is_no_test() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let mut row = event_row(&tenant.id, "evt_no_test", "dubbing.completed", "{}");
    row.insert("test_of".to_owned(), s(&webhook));
    world.aws.rows.put_event(row).await;
    let refused = tenant.api.get("/v1/events/evt_no_test").await.refused(404, "not_found");
    assert!(text(&refused, "message").contains("none of the attributes that are Postrider's own"), "{refused}");
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    assert_eq!(receiver.only(SOON).await.event_id(), event);
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_and_retries_by_hand_are_sixty_at_once_together_and_then_one_a_second() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let other = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}/test");
    let (_, first) = test(&tenant, &webhook, &json!({})).await;
    tested(&tenant, &first, "succeeded", 1).await;
    let (begun, body) = (Instant::now(), json!({}));
    let answers = join_all((0..100).map(|_| tenant.api.post(&path, &body))).await;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    let come_back = usize::try_from(begun.elapsed().as_secs()).expect("some seconds") + 1;
    assert!((58..=60 + come_back).contains(&taken), "{taken} in {come_back} s");
    let refused = answers.iter().find(|answer| answer.status != 202).expect("one that was refused");
    let error = refused.refused(429, "quota_exceeded");
    assert_eq!(error["details"]["quota"], json!({"name": "retries", "limit": 60}));
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Whoever cannot test it cannot retry what it was sent either, at the same moment; another webhook has its own. So many at once that
    // what comes back meanwhile is not enough for them, on however slow a machine.
    let more = join_all((0..20).map(|_| tenant.api.post(&path, &body))).await;
    assert!(more.iter().any(|answer| answer.status == 429), "{more:?}");
    let retry = format!("/v1/deliveries/{first}/retry");
    let retries = join_all((0..20).map(|_| tenant.api.post(&retry, &body))).await;
    assert!(retries.iter().any(|answer| answer.status == 429), "{retries:?}");
    test(&tenant, &other, &json!({})).await;
    until("all that were taken to be delivered", SOON * 4, || async {
        let rows = tenant.deliveries(&webhook, "status=succeeded&limit=200").await;
        if rows.len() > taken { Ok(()) } else { Err(rows.len().to_string()) }
    })
    .await;
}
