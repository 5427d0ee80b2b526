//! Where each attempt went, also when its webhook has moved since, and where a redirect pointed.

use serde_json::{Value, json};

use crate::again::{act, deliver};
use crate::support::api::text;
use crate::support::{Receiver, Reply, SOON, World};

pub(crate) fn urls(delivery: &Value) -> Vec<String> {
    let attempts = delivery["attempts"].as_array().expect("attempts should be an array");
    attempts.iter().map(|attempt| attempt["url"].as_str().unwrap_or("nowhere").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_url() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = tenant.webhook(&receiver.url("/first"), &["*"]).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let elsewhere = json!({"url": receiver.url("/second")});
    tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &elsewhere).await.ok(200);
    let delivery = tenant.delivery(&id).await;
    assert_eq!(urls(&delivery), [receiver.url("/first")], "nothing was sent to the other");
    assert_eq!(delivery["url"], receiver.url("/second"), "where the next attempt goes");
}

#[tokio::test(flavor = "multi_thread")]
async fn url_history() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/a"), &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    tenant.api.patch(&path, &json!({"url": receiver.url("/b")})).await.ok(200);
    world.aws.attempt_now(&id, 2).await;
    let expected = [receiver.url("/a"), receiver.url("/b")];
    assert_eq!(urls(&tenant.settled(&id, "succeeded", 2).await), expected);
    let paths: Vec<_> = receiver.wait_for(2, SOON).await.iter().map(|request| request.path.clone()).collect();
    assert_eq!(paths, ["/a", "/b"], "as the receivers saw it");
    let listed = tenant.deliveries(&webhook, "").await;
    assert_eq!(urls(&listed[0]), expected, "in a list, too");

    // Twenty URLs are remembered beside the present one, and a deleted webhook's go with its deliveries.
    for move_number in 0..19 {
        tenant.api.patch(&path, &json!({"url": receiver.url(&format!("/{move_number}"))})).await.ok(200);
    }
    assert_eq!(urls(&tenant.delivery(&id).await), expected);
    tenant.api.patch(&path, &json!({"url": receiver.url("/one-more"), "description": "moved"})).await.ok(200);
    assert_eq!(urls(&tenant.delivery(&id).await), ["nowhere".to_owned(), receiver.url("/b")]);
    tenant.api.delete(&path).await.ok(204);
    assert_eq!(urls(&tenant.delivery(&id).await), ["nowhere".to_owned(), receiver.url("/b")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_stays_is_told_too_and_a_jobs_own() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let receiver = Receiver::start(world.stack).await;
    let job = customer.start(&receiver.url("/job")).await;
    customer.report_task(&job, &json!({"status": "completed"})).await.data(200);
    assert_eq!(urls(&customer.settled(&job, "succeeded", 1).await), [receiver.url("/job")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirect_where() {
    let world = World::open();
    let tenant = world.tenant().await;
    let away = vec![("location", "https://user:pass@elsewhere.example/hooks/new?token=hidden#part".to_owned())];
    let near = vec![("location", "/moved".to_owned())];
    let script = [Reply::Full(301, away, Vec::new()), Reply::Full(308, near, Vec::new())];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let id = deliver(&tenant, &webhook).await;
    let delivery = tenant.settled(&id, "failed", 1).await;
    assert_eq!(delivery["attempts"][0]["redirect_to"], "https://elsewhere.example/hooks/new");
    act(&tenant, &id, "retry").await.ok(202);
    let delivery = tenant.settled(&id, "failed", 2).await;
    assert_eq!(text(&delivery["attempts"][1], "redirect_to"), format!("https://{}/moved", receiver.authority()));
    act(&tenant, &id, "retry").await.ok(202);
    assert_eq!(tenant.settled(&id, "succeeded", 3).await["attempts"][2]["redirect_to"], Value::Null);
}

/// The largest change there can be: every pattern another, and the URL too.
#[tokio::test(flavor = "multi_thread")]
async fn all_patterns_and_the_url_change_at_once() {
    let world = World::open();
    let mut tenant = world.tenant().await;
    let key = world.key(&tenant.id, &json!({"dialect": "standard"})).await;
    tenant.api = world.anonymous.with_key(text(&key, "key"));
    let receiver = Receiver::start(world.stack).await;
    let patterns = |of: &str| (0..48).map(|n| format!("{of}.n{n}")).collect::<Vec<_>>();
    let webhook = tenant.create(&json!({"url": receiver.url("/a"), "events": patterns("old")})).await;
    let path = format!("/v1/webhooks/{webhook}");
    let change = json!({"url": receiver.url("/b"), "events": patterns("new")});
    let changed = tenant.api.patch(&path, &change).await.ok(200);
    assert_eq!((&changed["url"], &changed["events"]), (&change["url"], &change["events"]));
    tenant.api.delete(&path).await.ok(204);
}
