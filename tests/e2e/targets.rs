//! Where webhooks may point: HTTPS to the public Internet, and here, by a parameter, to this machine's loopback.

mod strict;

#[path = "../vectors/reader.rs"]
mod reader;

use futures::stream::{self, StreamExt as _};
use serde_json::json;

use self::reader::{LOOPBACK as LOOPBACK_RULES, Vector, WHEN_TAKEN, vectors};
use crate::support::refused_urls::NEVER;
use crate::support::{Receiver, SOON, World};

/// Calls that are made side by side.
const AT_ONCE: usize = 16;

async fn assert_refused(world: &World, urls: &[&str]) {
    let tenant = world.tenant().await;
    for url in urls {
        tenant.api.post("/v1/webhooks/create", &json!({"url": url, "events": ["*"]})).await.invalid("url");
    }
    assert_eq!(tenant.api.get("/v1/webhooks").await.body, r#"{"webhooks":[]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_or_odd_target_is_refused() {
    let world = World::open();
    assert_refused(&world, &NEVER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_does_not_repeat_a_password() {
    let world = World::open();
    let tenant = world.tenant().await;
    let body = json!({"url": "https://user:canary@your-app.invalid/", "events": ["*"]});
    let answer = tenant.api.post("/v1/webhooks/create", &body).await;
    answer.invalid("url");
    assert!(!answer.body.contains("canary"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_published_vectors_refuse_is_refused_at_creation() {
    let world = World::open();
    let lifted = |vector: &Vector| LOOPBACK_RULES.contains(&vector.rule);
    let refused: Vec<_> = vectors().into_iter().filter(|vector| !vector.is_accepted && !lifted(vector)).collect();
    assert!(refused.len() > 300, "{}", refused.len());
    assert!(refused.iter().filter(|vector| WHEN_TAKEN.contains(&vector.rule)).count() > 30);
    assert_all_refused(&world, &refused).await;
}

/// Tries them side by side; each is refused by name, and none leaves anything behind.
async fn assert_all_refused(world: &World, refused: &[Vector]) {
    let tenant = &world.tenant().await;
    let tries = stream::iter(refused).map(|vector| async move {
        let body = json!({"url": vector.url, "events": ["*"]});
        let answer = tenant.api.post("/v1/webhooks/create", &body).await;
        assert_eq!(answer.status, 400, "{vector:?}: {}", answer.body);
        answer.invalid("url");
    });
    tries.buffer_unordered(AT_ONCE).collect::<()>().await;
    assert_eq!(tenant.api.get("/v1/webhooks").await.body, r#"{"webhooks":[]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_url_is_checked_as_its_creation_is() {
    let world = World::open();
    let tenant = world.tenant().await;
    let webhook = tenant.webhook("https://your-app.invalid/", &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    for url in NEVER {
        tenant.api.patch(&path, &json!({"url": url})).await.invalid("url");
    }
    assert_eq!(tenant.api.get(&path).await.json()["url"], "https://your-app.invalid/");
}

/// Rules for new URLs are no reason to stop sending to those that were taken before.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_under_weaker_rules_is_sent_to_as_before() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let port = receiver.authority().rsplit_once(':').expect("a port").1.to_owned();
    for (number, url) in [
        format!("https://0x7f000001:{port}/hook"),
        format!("https://127.1:{port}/a/../hook"),
        format!("https://127.0.0.1:{port}/%2e%2e/hook#part"),
    ]
    .into_iter()
    .enumerate()
    {
        tenant.api.post("/v1/webhooks/create", &json!({"url": url, "events": ["*"]})).await.invalid("url");
        let webhook = tenant.webhook("https://your-app.invalid/", &["*"]).await;
        world.aws.rows.repoint(&tenant.id, &webhook, &url).await;
        // A change of something else leaves the URL alone.
        tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &json!({"description": "old"})).await.ok(200);
        tenant.publish("dubbing.completed", &json!({})).await;
        let received = receiver.wait_for(number + 1, SOON).await;
        assert_eq!(received[number].path, "/hook", "{url}");
        tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    }
}

/// As after a name was bound anew, or a rule was tightened: whatever was right once, the attempt decides.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_become_private_since_is_blocked_at_every_attempt_and_retried() {
    let world = World::open();
    let tenant = world.tenant().await;
    for url in
        ["https://10.0.0.1/", "https://0xa9fea9fe/", "https://metadata.google.internal/", "https://[::ffff:127.0.0.1]/"]
    {
        let webhook = tenant.webhook("https://your-app.invalid/", &["*"]).await;
        world.aws.rows.repoint(&tenant.id, &webhook, url).await;
        let event = tenant.publish("dubbing.completed", &json!({})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        let delivery = tenant.settled(&id, "retrying", 1).await;
        let attempt = &delivery["attempts"][0];
        assert_eq!(attempt["outcome"], "blocked", "{url}: {delivery}");
        assert!(delivery["next_attempt_at"].is_string(), "{url}: {delivery}");
        tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    }
}
