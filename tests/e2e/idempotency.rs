//! Publishing again what was published: the same answer, one event, one delivery.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::{Answer, Receiver, SOON, Tenant, World};

fn body() -> Value {
    json!({"event": "dubbing.completed", "data": {"job": "dub_1"}})
}

async fn publish(tenant: &Tenant, key: &str, body: &Value) -> Answer {
    tenant.api.call(Method::POST, "/v1/events").header("Idempotency-Key", key).json(body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_gives_the_same_answer_and_another_body_a_conflict() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;

    let first = publish(&tenant, "order-1", &body()).await.ok(202);
    assert!(text(&first, "id").starts_with("evt_"), "{first}");
    assert_eq!(publish(&tenant, "order-1", &body()).await.ok(202), first, "id, event and timestamp");

    let others = [
        json!({"event": "dubbing.completed", "data": {"job": "dub_2"}}),
        json!({"event": "dubbing.failed", "data": {"job": "dub_1"}}),
        json!({"event": "dubbing.completed", "data": {"job": "dub_1", "more": 1}}),
    ];
    for other in others {
        publish(&tenant, "order-1", &other).await.refused(409, "conflict");
    }
    let second = publish(&tenant, "order-2", &body()).await.ok(202);
    assert_ne!(second["id"], first["id"], "another key is another event");

    let mut ids: Vec<_> = receiver.wait_for(2, SOON).await.iter().map(|request| request.event_id()).collect();
    ids.sort();
    let mut expected = [text(&first, "id"), text(&second, "id")];
    expected.sort_unstable();
    assert_eq!(ids, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_too_long_for_a_float_still_tell_two_bodies_apart() {
    let world = World::open();
    let tenant = world.tenant().await;
    let publish = async |number: &str| {
        let body = format!(r#"{{"event":"dubbing.completed","data":{{"n":{number}}}}}"#);
        let call = tenant.api.call(Method::POST, "/v1/events").header("Idempotency-Key", "long");
        call.body("application/json", &body).send().await
    };
    publish("12345678901234567890123").await.ok(202);
    publish("12345678901234567890124").await.refused(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_posts_of_one_key_at_once_make_one_event() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;

    let body = body();
    let answers = join_all((0..20).map(|_| publish(&tenant, "rush", &body))).await;
    let first = answers[0].ok(202);
    for answer in &answers {
        assert_eq!(answer.ok(202), first);
    }
    let received = receiver.wait_for(1, SOON).await;
    assert_eq!(received[0].event_id(), text(&first, "id"));

    // What else was on its way would have come before what is published only now.
    let last = tenant.publish("dubbing.failed", &json!({})).await;
    let received = receiver.wait_for(2, SOON).await;
    assert_eq!(received.len(), 2, "{received:?}");
    assert_eq!(received[1].event_id(), last);
    assert_eq!(tenant.deliveries(&webhook, "").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_the_body_is_the_same_as_the_header() {
    let world = World::open();
    let tenant = world.tenant().await;
    let with_id = |id: &str, job: &str| json!({"event": "dubbing.completed", "data": {"job": job}, "id": id});

    let first = tenant.api.post("/v1/events", &with_id("invoice-7", "a")).await.ok(202);
    assert_eq!(tenant.api.post("/v1/events", &with_id("invoice-7", "a")).await.ok(202), first);
    tenant.api.post("/v1/events", &with_id("invoice-7", "b")).await.refused(409, "conflict");
    assert_ne!(tenant.api.post("/v1/events", &with_id("invoice-8", "a")).await.ok(202)["id"], first["id"]);

    assert_eq!(publish(&tenant, "invoice-7", &with_id("invoice-7", "a")).await.ok(202), first, "both, and equal");
    let error = publish(&tenant, "invoice-9", &with_id("invoice-7", "a")).await.refused(400, "invalid_request");
    let message = text(&error, "message");
    assert!(message.contains("id") || message.contains("Idempotency-Key"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_every_post_is_an_event() {
    let world = World::open();
    let tenant = world.tenant().await;
    let first = tenant.publish("dubbing.completed", &json!({})).await;
    assert_ne!(tenant.publish("dubbing.completed", &json!({})).await, first);
}
