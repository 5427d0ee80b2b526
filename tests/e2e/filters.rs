//! Webhooks with filters: what they are sent, what they are not, and when a change counts.

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::world::publishing;
use crate::support::{Receiver, SOON, Tenant, World, until};

const FILTER: &str = r#"{"data": {"amount": [ {"numeric": [">", 10]} ], "customer": {"country": ["DE", "AT"]}}}"#;

/// A tenant whose key publishes any type.
async fn standard(world: &World) -> Tenant {
    let tenant = world.tenant().await;
    let key = world.key(&tenant.id, &publishing("standard")).await;
    Tenant { api: world.anonymous.with_key(text(&key, "key")), ..tenant }
}

fn of(amount: u32, country: &str) -> Value {
    json!({"amount": amount, "customer": {"country": country}})
}

/// The webhooks that have a delivery of an event, once so many have.
async fn served(tenant: &Tenant, event: &str, count: usize) -> Vec<String> {
    let mut webhooks = until("the event to be fanned out", SOON, || async {
        let shown = tenant.api.get(&format!("/v1/events/{event}")).await.ok(200);
        let deliveries = shown["deliveries"].as_array().cloned().unwrap_or_default();
        let webhooks: Vec<_> = deliveries.iter().map(|one| text(one, "webhook_id").to_owned()).collect();
        if webhooks.len() >= count { Ok(webhooks) } else { Err(shown.to_string()) }
    })
    .await;
    webhooks.sort();
    webhooks
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_sent_what_its_filter_lets_through_and_the_ledger_tells_nothing_of_the_rest() {
    let world = World::open();
    let tenant = standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let all = tenant.webhook(&receiver.url("/all"), &["*"]).await;
    let body = format!(r#"{{"url":"{}","events":["*","invoice.*"],"filter":{FILTER}}}"#, receiver.url("/some"));
    let made = tenant.api.post_text("/v1/webhooks/create", &body).await;
    let some = text(&made.ok(201), "id").to_owned();
    assert!(made.body.contains(FILTER), "as it was written: {}", made.body);
    assert!(tenant.api.get(&format!("/v1/webhooks/{some}")).await.body.contains(FILTER));

    let kept_back = [
        tenant.publish("invoice.paid", &of(5, "DE")).await,
        tenant.publish("invoice.paid", &of(11, "FR")).await,
        tenant.publish("order.created", &json!({"amount": "11"})).await,
    ];
    let sent = tenant.publish("invoice.paid", &of(11, "AT")).await;
    let both = served(&tenant, &sent, 2).await;
    assert!(both.contains(&all) && both.contains(&some), "{both:?}");
    for event in &kept_back {
        assert_eq!(served(&tenant, event, 1).await, std::slice::from_ref(&all));
    }
    let deliveries = tenant.deliveries(&some, "").await;
    assert_eq!(deliveries.len(), 1, "{deliveries:?}");
    assert_eq!(deliveries[0]["event_id"], sent);
    let received = receiver.wait_for(5, SOON).await;
    assert_eq!(received.iter().filter(|request| request.path == "/some").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_filter_counts_for_what_is_published_after_it() {
    let world = World::open();
    let tenant = standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let all = tenant.webhook(&receiver.url("/all"), &["*"]).await;
    let body = json!({"url": receiver.url("/some"), "events": ["*"], "filter": {"data": {"n": [1]}}});
    let some = tenant.create(&body).await;
    let path = format!("/v1/webhooks/{some}");
    let publish = async |n: u32| tenant.publish("ping", &json!({"n": n})).await;

    let before = publish(2).await;
    assert_eq!(served(&tenant, &before, 1).await, std::slice::from_ref(&all));
    let changed = tenant.api.patch(&path, &json!({"filter": {"data": {"n": [2]}}})).await.ok(200);
    assert_eq!(changed["filter"], json!({"data": {"n": [2]}}));
    let (one, two) = (publish(1).await, publish(2).await);
    assert_eq!(served(&tenant, &two, 2).await.len(), 2);
    assert_eq!(served(&tenant, &one, 1).await, std::slice::from_ref(&all));

    let changed = tenant.api.patch(&path, &json!({"filter": null})).await.ok(200);
    assert!(changed.get("filter").is_none(), "{changed}");
    let after = publish(1).await;
    assert_eq!(served(&tenant, &after, 2).await.len(), 2);
    assert_eq!(served(&tenant, &before, 1).await, [all], "what was kept back stays so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_tried_before_a_webhook_has_it() {
    let world = World::open();
    let tenant = standard(&world).await;
    let filter: Value = serde_json::from_str(FILTER).expect("a filter is JSON");
    let asked = json!({"filter": filter, "event": "invoice.paid", "data": of(11, "DE")});
    let tried = tenant.api.post("/v1/webhooks/filter/test", &asked).await.ok(200);
    assert_eq!(tried, json!({"matches": true}));
    let asked = json!({"filter": filter, "event": "invoice.paid", "data": of(5, "DE"), "tags": {"tier": "gold"}});
    let tried = tenant.api.post("/v1/webhooks/filter/test", &asked).await.ok(200);
    assert_eq!(tried, json!({"matches": false, "why": "data.amount: 5 is not > 10"}));
    let asked = json!({"filter": filter, "event": "invoice.paid", "data": {"a": "x".repeat(256 * 1024)}});
    tenant.api.post("/v1/webhooks/filter/test", &asked).await.refused(413, "payload_too_large");
}
