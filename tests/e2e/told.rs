//! What a tenant's webhooks are told of changes of each other: what, by whom, and once.

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::time::instant;
use crate::support::world::publishing;
use crate::support::{Receiver, SOON, Tenant, World, canary};

/// A tenant whose webhooks speak the standard dialect, its key's id, and a receiver behind a webhook that asks for this.
async fn with_one_that_asks(world: &World, patterns: &[&str]) -> (Tenant, String, Receiver) {
    let tenant = world.tenant().await;
    let key = world.key(&tenant.id, &publishing("standard")).await;
    let tenant = Tenant { api: world.anonymous.with_key(text(&key, "key")), ..tenant };
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), patterns).await;
    (tenant, text(&key, "id").to_owned(), receiver)
}

/// What was told of a webhook once so much has been told in all, by type; those of one instant come in any order.
async fn told(receiver: &Receiver, webhook: &str, count: usize) -> Vec<(String, Value)> {
    let posts = receiver.wait_for(count, SOON).await;
    let posts =
        posts.iter().map(crate::support::request::Received::json).filter(|post| post["data"]["webhook_id"] == webhook);
    let mut told: Vec<_> = posts
        .map(|post| (text(&post, "timestamp").to_owned(), text(&post, "type").to_owned(), post["data"].clone()))
        .collect();
    told.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    told.into_iter().map(|(_, event, data)| (event, data)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_webhook_is_told_once_with_who_made_it() {
    let world = World::open();
    let (tenant, actor, receiver) = with_one_that_asks(&world, &["webhook.*"]).await;
    let every = Receiver::start(world.stack).await;
    let headers = json!({"x-token": canary!("header")});
    let body = json!({"url": every.url("/"), "events": ["*"], "headers": headers, "metadata": {"a": "b"}});
    let mut made = tenant.api.post("/v1/webhooks/create", &body).await.ok(201);
    let secret = made.as_object_mut().expect("an object").remove("secret").expect("one was made");
    let (webhook, path) = (text(&made, "id").to_owned(), format!("/v1/webhooks/{}", text(&made, "id")));
    let patched =
        tenant.api.patch(&path, &json!({"name": "ERP", "headers": {"x-token": "***", "x-a": "b"}})).await.ok(200);
    tenant.api.patch(&path, &json!({"name": "ERP"})).await.ok(200);
    tenant.api.post(&format!("{path}/secret/rotate"), &json!({})).await.ok(200);
    let disabled = tenant.api.post(&format!("{path}/disable"), &json!({})).await.ok(200);
    assert_eq!(disabled["status"], "disabled");
    tenant.api.call(reqwest::Method::POST, &format!("{path}/disable")).send().await.ok(200);
    let enabled = tenant.api.call(reqwest::Method::POST, &format!("{path}/enable")).send().await.ok(200);
    assert_eq!((&enabled["status"], enabled.get("disabled_at")), (&json!("active"), None));
    tenant.api.patch(&path, &json!({"status": "disabled", "url": every.url("/b")})).await.ok(200);
    assert_eq!(tenant.api.delete(&path).await.status, 204);

    // And the listener's own creation before all of it.
    let told = told(&receiver, &webhook, 9).await;
    let types: Vec<&str> = told.iter().map(|(event, _)| event.as_str()).collect();
    let expected = ["created", "updated", "updated", "disabled", "enabled", "disabled", "updated", "deleted"];
    assert_eq!(types, expected.map(|event| format!("webhook.{event}")));
    assert!(told.iter().all(|(_, data)| data["actor"] == actor && data["webhook_id"] == webhook), "{told:?}");
    assert_eq!(told[0].1["webhook"], made);
    assert_eq!((&told[1].1["changed"], &told[1].1["webhook"]), (&json!(["name", "headers"]), &patched));
    assert_eq!(told[2].1["changed"], json!(["secret"]));
    assert_eq!(
        (&told[3].1["reason"], &told[3].1["disabled_at"]),
        (&disabled["disabled_reason"], &disabled["disabled_at"])
    );
    instant(text(&told[4].1, "enabled_at"));
    assert_eq!(told[6].1["changed"], json!(["url"]));
    instant(text(&told[7].1, "deleted_at"));
    assert_eq!(told[7].1["webhook"]["name"], "ERP");
    let whole = json!(told).to_string();
    assert!(!whole.contains("CANARYheader") && !whole.contains(text(&json!({"s": secret}), "s")), "{whole}");
    assert_eq!((receiver.requests().len(), every.requests().len()), (9, 0), "a star does not ask for them");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_asked_for_by_name_comes_and_only_to_the_tenants_own() {
    let world = World::open();
    let (tenant, _, receiver) = with_one_that_asks(&world, &["webhook.deleted"]).await;
    let (stranger, _, strangers) = with_one_that_asks(&world, &["webhook.*"]).await;
    let webhook = tenant.webhook("https://your-app.invalid/", &["*"]).await;
    tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &json!({"description": "a"})).await.ok(200);
    assert_eq!(tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.status, 204);
    let data = receiver.only(SOON).await.json();
    assert_eq!((&data["type"], &data["data"]["webhook_id"]), (&json!("webhook.deleted"), &json!(webhook)));
    // A webhook that asks for its own creation hears of it first, which its owner can take for a test.
    let own = strangers.only(SOON).await.json();
    let list = stranger.api.get("/v1/webhooks").await.ok(200);
    assert_eq!((&own["type"], &own["data"]["webhook_id"]), (&json!("webhook.created"), &list["webhooks"][0]["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tells_of_its_own_end_is_on_record_as_cancelled() {
    let world = World::open();
    let (tenant, _, receiver) = with_one_that_asks(&world, &["webhook.*"]).await;
    let list = tenant.api.get("/v1/webhooks").await.ok(200);
    let webhook = text(&list["webhooks"][0], "id").to_owned();
    receiver.wait_for(1, SOON).await;
    tenant.api.post(&format!("/v1/webhooks/{webhook}/disable"), &json!({})).await.ok(200);
    let row = crate::support::until("its delivery to be cancelled", SOON, || async {
        let rows = tenant.deliveries(&webhook, "event=webhook.disabled").await;
        match rows.first() {
            Some(row) if row["status"] == "cancelled" => Ok(row.clone()),
            _ => Err(format!("{rows:?}")),
        }
    })
    .await;
    assert_eq!(row["reason"], "webhook_disabled");
    assert_eq!(receiver.requests().len(), 1);
}
