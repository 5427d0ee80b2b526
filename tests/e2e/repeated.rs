//! Whatever is created under an `Idempotency-Key` is created once, and answered the same whenever it is asked for again: with the
//! secret or key that is shown this once.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::standard::Signed;
use crate::support::{Answer, Api, Receiver, SOON, World, canary};

const AT_ONCE: usize = 50;

async fn under(api: &Api, path: &str, key: &str, body: &Value) -> Answer {
    api.call(Method::POST, path).header("Idempotency-Key", key).json(body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_creations_at_once_under_one_key_make_one_webhook_with_one_secret() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let body = json!({"url": receiver.url("/"), "events": ["invoice.paid"]});
    let key = concat!("of the fifty ", canary!("key"));
    let answers = join_all((0..AT_ONCE).map(|_| under(&tenant.api, "/v1/webhooks/create", key, &body))).await;
    let told: BTreeSet<_> = answers.iter().map(|answer| (answer.status, answer.body.clone())).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let made = answers[0].ok(201);
    let listed = tenant.api.get("/v1/webhooks").await.ok(200);
    assert_eq!(listed["webhooks"].as_array().map(Vec::len), Some(1), "{listed}");

    // Later, too, and written by another serializer.
    let anew = format!("{{ \"events\": [\"invoice.paid\"],\n \"url\": \"{}\" }}", receiver.url("/"));
    let call = tenant.api.call(Method::POST, "/v1/webhooks/create").header("Idempotency-Key", key);
    assert_eq!(call.body("application/json", &anew).send().await.ok(201), made);
    tenant.publish("invoice.paid", &json!({})).await;
    assert!(Signed::of(&receiver.only(SOON).await).is_accepted_with(text(&made, "secret")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_webhook_of_a_quota_is_there_for_all_who_ask_for_it() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "free").await;
    world.admin.patch(&format!("/v1/tenants/{}", tenant.id), &json!({"quotas": {"webhooks": 1}})).await.ok(200);
    let body = json!({"url": "https://your-app.invalid/", "events": ["*"]});
    let answers = join_all((0..10).map(|_| under(&tenant.api, "/v1/webhooks/create", "the one", &body))).await;
    let told: BTreeSet<_> = answers.iter().map(|answer| (answer.status, answer.body.clone())).collect();
    assert_eq!((told.len(), answers[0].status), (1, 201), "{told:?}");
    under(&tenant.api, "/v1/webhooks/create", "a second", &body).await.refused(429, "quota_exceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_body_and_what_was_refused_leaves_it_free() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let create = async |body: Value| under(&tenant.api, "/v1/webhooks/create", "the first", &body).await;
    create(json!({"url": "http://your-app.invalid/", "events": ["*"]})).await.invalid("url");
    let good = json!({"url": "https://your-app.invalid/a", "events": ["*"]});
    let made = create(good.clone()).await.ok(201);
    create(json!({"url": "https://your-app.invalid/b", "events": ["*"]})).await.refused(409, "conflict");
    let id = text(&made, "id");
    tenant.api.delete(&format!("/v1/webhooks/{id}")).await.ok(204);
    assert_eq!(create(good.clone()).await.ok(201), made, "the answer stays, though the webhook is gone");
    tenant.api.get(&format!("/v1/webhooks/{id}")).await.refused(404, "not_found");
    let other = under(&tenant.api, "/v1/webhooks/create", "another", &good).await.ok(201);
    assert_ne!(text(&other, "id"), id);
    under(&tenant.api, "/v1/webhooks/create", &"k".repeat(257), &good).await.invalid("Idempotency-Key");
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_and_keys_are_made_once_as_well() {
    let world = World::open();
    let tenant = world.tenant().await;
    let name = format!("of {}", tenant.id);
    for (path, body, other) in [
        ("/v1/tenants".to_owned(), json!({"name": name, "plan": "pro"}), json!({"name": name, "plan": "free"})),
        (format!("/v1/tenants/{}/keys", tenant.id), json!({"dialect": "nur"}), json!({"dialect": "standard"})),
        ("/v1/keys".to_owned(), json!({"scopes": ["events:write"]}), json!({"scopes": ["jobs:report"]})),
    ] {
        let answers = join_all((0..10).map(|_| under(&world.admin, &path, &tenant.id, &body))).await;
        let made = answers[0].ok(201);
        for answer in &answers {
            assert_eq!(answer.ok(201), made, "{path}");
        }
        under(&world.admin, &path, &tenant.id, &other).await.refused(409, "conflict");
        if let Some(key) = made["key"].as_str() {
            let answer = world.anonymous.with_key(key).get("/v1/webhooks").await;
            assert!([200, 403].contains(&answer.status), "it is a key: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_answered_what_somebody_else_was() {
    let world = World::open();
    let (one, other) = (world.tenant_on("standard", "pro").await, world.tenant_on("standard", "pro").await);
    let body = json!({"url": "https://your-app.invalid/", "events": ["*"]});
    let first = under(&one.api, "/v1/webhooks/create", "k", &body).await.ok(201);
    let second = under(&other.api, "/v1/webhooks/create", "k", &body).await.ok(201);
    assert_ne!((&first["id"], &first["secret"]), (&second["id"], &second["secret"]));
    let key = async |tenant: &str| {
        let path = format!("/v1/tenants/{tenant}/keys");
        under(&world.admin, &path, &one.id, &json!({"dialect": "nur"})).await.ok(201)
    };
    assert_ne!(key(&one.id).await["key"], key(&other.id).await["key"]);
}
