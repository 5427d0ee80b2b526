//! Provider keys: the provider's own services publish for a tenant, and must say for which.

use serde_json::json;

use crate::support::api::text;
use crate::support::{Receiver, SOON, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_key_publishes_for_the_tenant_that_it_names() {
    let world = World::open();
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::start(world.stack).await;
    let bystander = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    other.webhook(&bystander.url("/"), &["*"]).await;
    let provider = world.provider(&["events:write"]).await;

    let event = json!({"event": "dubbing.completed", "data": {"for": "one"}, "tenant_id": tenant.id});
    let published = provider.post("/v1/events", &event).await.ok(202);
    let received = receiver.only(SOON).await;
    assert_eq!(received.event_id(), text(&published, "id"));
    assert!(!received.text().contains(&tenant.id), "the tenant's id is not the receiver's business");

    let event = json!({"event": "dubbing.completed", "data": {}, "tenant_id": other.id});
    provider.post("/v1/events", &event).await.ok(202);
    bystander.only(SOON).await;
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_key_must_name_a_tenant_that_exists() {
    let world = World::open();
    let provider = world.provider(&["events:write"]).await;
    provider.post("/v1/events", &json!({"event": "dubbing.completed", "data": {}})).await.invalid("tenant_id");
    let event = json!({"event": "dubbing.completed", "data": {}, "tenant_id": 7});
    provider.post("/v1/events", &event).await.invalid("tenant_id");

    let event = json!({"event": "dubbing.completed", "data": {}, "tenant_id": "ten_000000000000"});
    let answer = provider.post("/v1/events", &event).await;
    let code = match answer.status {
        400 => "invalid_request",
        404 => "not_found",
        _ => "unprocessable",
    };
    let error = answer.refused(if answer.status < 422 { answer.status } else { 422 }, code);
    assert!(text(&error, "message").contains("tenant"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_key_cannot_name_a_tenant() {
    let world = World::open();
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::start(world.stack).await;
    other.webhook(&receiver.url("/"), &["*"]).await;
    for id in [&other.id, &tenant.id] {
        let event = json!({"event": "dubbing.completed", "data": {}, "tenant_id": id});
        tenant.api.post("/v1/events", &event).await.invalid("tenant_id");
    }
    let own = other.publish("dubbing.completed", &json!({})).await;
    assert_eq!(receiver.only(SOON).await.event_id(), own, "nothing came but what it published itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_key_is_of_no_tenant() {
    let world = World::open();
    let provider = world.provider(&["events:write"]).await;
    let answer = provider.get("/v1/webhooks").await;
    assert!((400..404).contains(&answer.status), "{answer:?}");
    let webhook = json!({"url": "https://your-app.invalid/", "events": ["*"]});
    let answer = provider.post("/v1/webhooks/create", &webhook).await;
    assert!((400..404).contains(&answer.status), "{answer:?}");
    world.admin.post("/v1/keys", &json!({"scopes": ["admin"]})).await.invalid("scopes");
    world.admin.post("/v1/keys", &json!({})).await.invalid("scopes");
}
