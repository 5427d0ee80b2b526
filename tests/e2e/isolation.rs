//! Two tenants: to each, the other's rows do not exist.

use serde_json::json;

use crate::support::api::text;
use crate::support::{Receiver, SOON, Tenant, World};

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_rows_do_not_exist() {
    let Some(world) = World::open() else { return };
    let (owner, stranger) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::start(world.stack).await;
    let webhook = owner.webhook(&receiver.url("/"), &["*"]).await;
    let event = owner.publish("dubbing.completed", &json!({"private": true})).await;
    let delivery = owner.delivery_of(&event, &webhook).await;
    owner.settled(&delivery, "succeeded", 1).await;

    for path in [
        format!("/v1/webhooks/{webhook}"),
        format!("/v1/webhooks/{webhook}/deliveries"),
        format!("/v1/events/{event}"),
        format!("/v1/deliveries/{delivery}"),
    ] {
        let theirs = stranger.api.get(&path).await.refused(404, "not_found");
        owner.api.get(&path).await.ok(200);
        // Nor can the answer be told from the one for an id that nobody has.
        let nobodys = stranger.api.get(&path.replace(&webhook, "wh_0000000000000000")).await.refused(404, "not_found");
        assert_eq!(theirs["code"], nobodys["code"]);
    }
    stranger.api.delete(&format!("/v1/webhooks/{webhook}")).await.refused(404, "not_found");
    assert_eq!(stranger.api.get("/v1/webhooks").await.body, r#"{"webhooks":[]}"#);
    assert_eq!(owner.api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200)["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_to_their_own_tenants_webhooks() {
    let Some(world) = World::open() else { return };
    let (one, two) = (world.tenant().await, world.tenant().await);
    let (at_one, at_two) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    one.webhook(&at_one.url("/"), &["*"]).await;
    two.webhook(&at_two.url("/"), &["*"]).await;
    let ones = one.publish("dubbing.completed", &json!({"of": 1})).await;
    let twos = two.publish("dubbing.completed", &json!({"of": 2})).await;
    assert_eq!(at_one.only(SOON).await.event_id(), ones);
    assert_eq!(at_two.only(SOON).await.event_id(), twos);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_its_tenants_own() {
    let Some(world) = World::open() else { return };
    let (one, two) = (world.tenant().await, world.tenant().await);
    let publish = async |tenant: &Tenant, data: u8| {
        let call = tenant.api.call(reqwest::Method::POST, "/v1/events").header("idempotency-key", "same");
        let answer = call.json(&json!({"event": "dubbing.completed", "data": {"of": data}})).send().await;
        text(&answer.ok(202), "id").to_owned()
    };
    assert_ne!(publish(&one, 1).await, publish(&two, 2).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_shows_nothing_of_another_webhook() {
    let Some(world) = World::open() else { return };
    let (owner, stranger) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::start(world.stack).await;
    let owners = owner.webhook(&receiver.url("/"), &["*"]).await;
    let strangers = stranger.webhook(&receiver.url("/"), &["*"]).await;
    for number in 0..3 {
        let event = owner.publish("dubbing.completed", &json!({"number": number})).await;
        owner.delivery_of(&event, &owners).await;
    }
    let page = owner.api.get(&format!("/v1/webhooks/{owners}/deliveries?limit=1")).await.ok(200);
    let cursor = text(&page["pagination"], "next_cursor");

    let answer = stranger.api.get(&format!("/v1/webhooks/{strangers}/deliveries?cursor={cursor}")).await;
    match answer.status {
        400 => answer.invalid("cursor"),
        _ => assert_eq!(answer.ok(200)["deliveries"], json!([])),
    }
}
