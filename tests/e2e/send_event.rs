//! An event that is sent by hand to a webhook that did not get it: once, however often and by how many it is asked for.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::api::{Answer, text};
use crate::support::{Receiver, Reply, SOON, Tenant, World};

async fn send(tenant: &Tenant, event: &str, webhook: &str) -> Answer {
    tenant.api.post(&format!("/v1/events/{event}/send"), &json!({"webhook_id": webhook})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_to_a_webhook_that_was_made_later_and_asks_for_something_else() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let event = tenant.publish("invoice.paid", &json!({"invoice": 7})).await;
    let body = json!({"url": receiver.url("/"), "events": ["order.*"], "retry_schedule": [600]});
    let webhook = tenant.create(&body).await;
    let answer = send(&tenant, &event, &webhook).await.ok(202);
    let id = text(&answer, "delivery_id");
    let shown = tenant.settled(id, "retrying", 1).await;
    assert_eq!((&shown["event_id"], &shown["webhook_id"]), (&json!(event), &json!(webhook)));
    world.aws.attempt_now(id, 2).await;
    tenant.settled(id, "succeeded", 2).await;
    let received = receiver.requests();
    assert_eq!((received.len(), &received[1].json()["data"]), (2, &json!({"invoice": 7})), "with its whole schedule");
    send(&tenant, &event, &webhook).await.refused(409, "conflict");
    let shown = tenant.api.get(&format!("/v1/events/{event}")).await.ok(200);
    assert_eq!((&shown["deliveries"][0]["id"], &shown["not_delivered"]), (&json!(id), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_that_ask_at_once_and_fan_out_beside_them_one_delivery_comes() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let (asked, races) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    let later = tenant.publish("invoice.paid", &json!({})).await;
    let webhook = tenant.webhook(&asked.url("/"), &["order.*"]).await;
    let answers = join_all((0..20).map(|_| send(&tenant, &later, &webhook))).await;
    let (taken, refused): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 202);
    assert_eq!(taken.len(), 1, "{answers:?}");
    refused.into_iter().for_each(|answer| _ = answer.refused(409, "conflict"));
    tenant.settled(text(&taken[0].json(), "delivery_id"), "succeeded", 1).await;
    assert_eq!(asked.requests().len(), 1);

    // Fan-out is on its way to the same webhook.
    let webhook = tenant.webhook(&races.url("/"), &["invoice.sent"]).await;
    for number in 1..=5 {
        let event = tenant.publish("invoice.sent", &json!({})).await;
        let answer = send(&tenant, &event, &webhook).await;
        assert!([202, 409].contains(&answer.status), "{answer:?}");
        let id = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&id, "succeeded", 1).await;
        assert_eq!(races.requests().len(), number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_refused() {
    let world = World::open();
    let (tenant, other) = (world.tenant_on("standard", "pro").await, world.tenant_on("standard", "pro").await);
    let receiver = Receiver::start(world.stack).await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["order.*"]).await;
    let theirs = other.webhook(&receiver.url("/"), &["order.*"]).await;
    send(&tenant, &event, &theirs).await.refused(404, "not_found");
    send(&tenant, "evt_unknown", &webhook).await.refused(404, "not_found");
    send(&other, &event, &theirs).await.refused(404, "not_found");
    tenant.api.post(&format!("/v1/events/{event}/send"), &json!({})).await.invalid("webhook_id");
    tenant.api.post(&format!("/v1/webhooks/{webhook}/disable"), &json!({})).await.ok(200);
    send(&tenant, &event, &webhook).await.refused(409, "conflict");
    tenant.api.post(&format!("/v1/webhooks/{webhook}/enable"), &json!({})).await.ok(200);
    let test = tenant.api.post(&format!("/v1/webhooks/{webhook}/test"), &json!({})).await.ok(202);
    let delivery = tenant.delivery_of(text(&test, "event_id"), &webhook).await;
    tenant.settled(&delivery, "succeeded", 1).await;
    let second = tenant.webhook(&receiver.url("/"), &["order.*"]).await;
    send(&tenant, text(&test, "event_id"), &second).await.refused(422, "unprocessable");
    tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await;
    send(&tenant, &event, &webhook).await.refused(404, "not_found");
    assert_eq!(receiver.requests().len(), 1, "the test alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_by_hand_takes_from_what_retries_take_from() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["order.*"]).await;
    let event = json!({"event": "invoice.paid", "data": {}});
    let mut events = Vec::new();
    for _ in 0..3 {
        let answer = tenant.api.post("/v1/events/batch", &json!({"events": vec![event.clone(); 25]})).await.ok(202);
        let results = answer["results"].as_array().expect("each has its result").clone();
        events.extend(results.iter().map(|result: &Value| text(result, "id").to_owned()));
    }
    let answers = join_all(events.iter().map(|event| send(&tenant, event, &webhook))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 202).collect();
    assert!(!refused.is_empty() && refused.len() <= 15, "60 at once, and one a second: {}", refused.len());
    for answer in refused {
        assert_eq!(answer.refused(429, "quota_exceeded")["details"]["quota"]["name"], "retries");
    }
    receiver.wait_for(60, SOON).await;
}
