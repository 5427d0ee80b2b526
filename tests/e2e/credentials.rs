//! Who may do what: no key, a wrong key, a key without the scope, a key of the wrong kind.

use serde_json::json;

use crate::support::World;
use crate::support::api::text;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_known_key_nothing_is_answered() {
    let world = World::open();
    let tenant = world.tenant().await;
    let key = world.key(&tenant.id, &json!({"dialect": "nur"})).await;
    let key = text(&key, "key");
    let strangers = [
        world.anonymous.clone(),
        world.anonymous.with_key(""),
        world.anonymous.with_key("nur_unknown"),
        world.anonymous.with_key(&format!("{key}x")),
        world.anonymous.with_key(&key.replacen("nur_", "pr_", 1)),
        world.anonymous.with_authorization(key),
        world.anonymous.with_authorization(&format!("Basic {key}")),
    ];
    for stranger in strangers {
        for path in ["/v1/webhooks", "/v1/webhooks/wh_0000000000000000", "/v1/events/evt_00000000000000000000"] {
            stranger.get(path).await.refused(401, "unauthorized");
        }
        stranger.get("/v1/tenants").await.refused(401, "unauthorized");
        let event = json!({"event": "dubbing.completed", "data": {}});
        stranger.post("/v1/events", &event).await.refused(401, "unauthorized");
        let webhook = json!({"url": "https://your-app.invalid/", "events": ["*"]});
        stranger.post("/v1/webhooks/create", &webhook).await.refused(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say_and_no_more() {
    let world = World::open();
    let tenant = world.tenant().await;
    let webhook = tenant.webhook("https://your-app.invalid/hook", &["*"]).await;
    let event_id = tenant.publish("dubbing.completed", &json!({})).await;
    let delivery_id = tenant.delivery_of(&event_id, &webhook).await;
    let with = async |scope: &str| {
        let key = world.key(&tenant.id, &json!({"dialect": "nur", "scopes": [scope]})).await;
        assert_eq!(key["scopes"], json!([scope]));
        world.anonymous.with_key(text(&key, "key"))
    };
    let event = json!({"event": "dubbing.completed", "data": {}});
    let create = json!({"url": "https://your-app.invalid/other", "events": ["*"]});

    let reader = with("webhooks:read").await;
    reader.get("/v1/webhooks").await.ok(200);
    reader.get(&format!("/v1/webhooks/{webhook}")).await.ok(200);
    reader.post("/v1/webhooks/create", &create).await.refused(403, "forbidden");
    reader.delete(&format!("/v1/webhooks/{webhook}")).await.refused(403, "forbidden");
    reader.post("/v1/events", &event).await.refused(403, "forbidden");
    reader.get(&format!("/v1/deliveries/{delivery_id}")).await.refused(403, "forbidden");

    let writer = with("webhooks:write").await;
    writer.post("/v1/webhooks/create", &create).await.ok(201);
    writer.get("/v1/webhooks").await.refused(403, "forbidden");

    let publisher = with("events:write").await;
    publisher.post("/v1/events", &event).await.ok(202);
    publisher.post("/v1/webhooks/create", &create).await.refused(403, "forbidden");

    let watcher = with("deliveries:read").await;
    watcher.get(&format!("/v1/deliveries/{delivery_id}")).await.ok(200);
    watcher.get(&format!("/v1/webhooks/{webhook}/deliveries")).await.ok(200);
    watcher.get("/v1/webhooks").await.refused(403, "forbidden");

    assert_eq!(tenant.api.get("/v1/webhooks").await.ok(200)["webhooks"].as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_paths_are_the_operators() {
    let world = World::open();
    let tenant = world.tenant().await;
    let provider = world.provider(&["events:write"]).await;
    for stranger in [&tenant.api, &provider] {
        stranger.get("/v1/tenants").await.refused(403, "forbidden");
        stranger.get(&format!("/v1/tenants/{}", tenant.id)).await.refused(403, "forbidden");
        stranger.get(&format!("/v1/tenants/{}/keys", tenant.id)).await.refused(403, "forbidden");
        let keys = format!("/v1/tenants/{}/keys", tenant.id);
        stranger.post(&keys, &json!({"dialect": "nur"})).await.refused(403, "forbidden");
        let suspend = json!({"status": "suspended"});
        stranger.patch(&format!("/v1/tenants/{}", tenant.id), &suspend).await.refused(403, "forbidden");
        stranger.post("/v1/keys", &json!({"scopes": ["events:write"]})).await.refused(403, "forbidden");
    }
}
