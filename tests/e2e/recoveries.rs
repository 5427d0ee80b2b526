//! Recoveries of some: by type, by how a delivery stands, of what was never sent; and how much it would be.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::again::{act, deliver};
use crate::support::api::text;
use crate::support::rows::ago;
use crate::support::{Api, Receiver, Reply, SOON, Tenant, World, until};

fn path(webhook: &str) -> String {
    format!("/v1/webhooks/{webhook}/recover")
}

/// What is asked for, since ever.
fn asking(of: &Value) -> Value {
    let mut body = of.clone();
    body["since"] = json!("2020-01-01T00:00:00Z");
    body
}

/// How much a recovery would send.
async fn counted(tenant: &Tenant, webhook: &str, of: &Value) -> u64 {
    let mut body = asking(of);
    body["count_only"] = json!(true);
    let answer = tenant.api.post(&path(webhook), &body).await.ok(200);
    assert_eq!(answer["complete"], json!(true), "{answer}");
    answer["found"].as_u64().expect("a number")
}

/// What a recovery found and sent, once it is done; sweeps go on with what its caller did not wait for.
pub(crate) async fn recovered(world: &World, tenant: &Tenant, webhook: &str, of: &Value) -> (u64, u64) {
    let begun = tenant.api.post(&path(webhook), &asking(of)).await.ok(202);
    let shown = format!("{}/{}", path(webhook), text(&begun, "recovery_id"));
    let done = until("the recovery to be done", SOON, || async {
        let progress = tenant.api.get(&shown).await.ok(200);
        if progress["status"] == "done" {
            return Ok(progress);
        }
        world.aws.functions.sweep().await;
        Err(progress.to_string())
    })
    .await;
    (done["found"].as_u64().expect("a number"), done["requeued"].as_u64().expect("a number"))
}

/// Publishes so many events of a type by the provider's own key, as its services do; their ids.
pub(crate) async fn published(api: &Api, tenant: &Tenant, event: &str, number: usize) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for from in (0..number).step_by(25) {
        let event = |n: usize| json!({"event": event, "data": {"n": n}, "tenant_id": tenant.id});
        let events: Vec<Value> = (from..number.min(from + 25)).map(event).collect();
        let answer = api.post("/v1/events/batch", &json!({"events": events})).await.ok(202);
        let results = answer["results"].as_array().expect("results").clone();
        ids.extend(results.iter().map(|result| text(result, "id").to_owned()));
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn never_matched_finds_what_was_published_before_the_webhook_asked_and_sends_each_once() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let provider = world.provider(&["events:write"]).await;
    let before = published(&provider, &tenant, "invoice.paid", 100).await;
    let others = published(&provider, &tenant, "order.paid", 3).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["invoice.*"]).await;
    let asked_for = published(&provider, &tenant, "invoice.paid", 1).await;
    receiver.wait_for(1, SOON).await;
    let never = json!({"never_matched": true});
    until("all to be listed", SOON, || async {
        match counted(&tenant, &webhook, &never).await {
            100 => Ok(()),
            found => Err(format!("{found} of 100")),
        }
    })
    .await;
    assert_eq!(counted(&tenant, &webhook, &json!({})).await, 0, "none of them has a delivery");
    assert_eq!(counted(&tenant, &webhook, &json!({"never_matched": true, "events": ["invoice.void"]})).await, 0);
    assert_eq!(receiver.requests().len(), 1, "a count sends nothing");
    assert_eq!(recovered(&world, &tenant, &webhook, &never).await, (100, 100));
    let received = receiver.wait_for(101, SOON).await;
    let ids: Vec<String> = received.iter().map(|post| post.header("webhook-id").expect("an id").to_owned()).collect();
    let once: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!((ids.len(), once), (101, &before | &asked_for));
    assert_eq!(recovered(&world, &tenant, &webhook, &never).await, (0, 0), "each has its delivery now");

    // Asked for later, what was passed by comes as well; a filter and a disabled webhook keep it back.
    let filtered = json!({"events": ["invoice.*", "order.*"], "filter": {"data": {"n": [1, 2]}}, "status": "disabled"});
    tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &filtered).await.ok(200);
    assert_eq!(counted(&tenant, &webhook, &never).await, 2);
    tenant.api.post(&path(&webhook), &asking(&never)).await.refused(409, "conflict");
    tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &json!({"status": "active"})).await.ok(200);
    assert_eq!(recovered(&world, &tenant, &webhook, &never).await, (2, 2));
    let received = receiver.wait_for(103, SOON).await;
    let late: BTreeSet<String> =
        received[101..].iter().map(|post| post.header("webhook-id").expect("an id").to_owned()).collect();
    assert!(late.len() == 2 && late.is_subset(&others), "{late:?}");
    let stranger = world.tenant().await;
    stranger.api.post(&path(&webhook), &asking(&never)).await.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_next_try_comes_at_once_where_it_is_asked_for() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, vec![Reply::Status(500); 3], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [36_000]});
    let webhook = tenant.create(&body).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(deliver(&tenant, &webhook).await);
    }
    for id in &ids {
        tenant.settled(id, "retrying", 1).await;
    }
    assert_eq!(counted(&tenant, &webhook, &json!({})).await, 0, "only where it is asked for");
    let retrying = json!({"statuses": ["retrying"]});
    assert_eq!(counted(&tenant, &webhook, &retrying).await, 3);
    assert_eq!(recovered(&world, &tenant, &webhook, &retrying).await, (3, 3));
    for id in &ids {
        tenant.settled(id, "succeeded", 2).await;
    }
    assert_eq!(receiver.requests().len(), 6);
    assert_eq!(recovered(&world, &tenant, &webhook, &retrying).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn types_and_statuses_say_what_comes_again() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, vec![Reply::Status(500); 3], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []});
    let webhook = tenant.create(&body).await;
    let of = async |event: &str| {
        let event = tenant.publish(event, &json!({})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&id, "failed", 1).await;
        id
    };
    let (dubbed, cloned) = (of("dubbing.completed").await, of("voice.clone.completed").await);
    let called_off = of("music.generation.completed").await;
    tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &json!({"retry_schedule": [36_000]})).await.ok(200);
    // One that somebody has called off by hand comes again only where all that was cancelled is asked for.
    let waiting = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let other =
        tenant.create(&json!({"url": waiting.url("/"), "events": ["agent.*"], "retry_schedule": [36_000]})).await;
    let event = tenant.publish("agent.session.ended", &json!({})).await;
    let by_hand = tenant.delivery_of(&event, &other).await;
    tenant.settled(&by_hand, "retrying", 1).await;
    act(&tenant, &by_hand, "cancel").await.ok(202);
    assert_eq!(counted(&tenant, &other, &json!({})).await, 0);
    let cancelled = json!({"statuses": ["cancelled"]});
    assert_eq!(recovered(&world, &tenant, &other, &cancelled).await, (1, 1));
    tenant.settled(&by_hand, "succeeded", 2).await;

    assert_eq!(counted(&tenant, &webhook, &cancelled).await, 0);
    let some = json!({"events": ["dubbing.*", "voice.clone.completed"], "statuses": ["failed"]});
    assert_eq!(counted(&tenant, &webhook, &some).await, 2);
    assert_eq!(recovered(&world, &tenant, &webhook, &some).await, (2, 2));
    for id in [&dubbed, &cloned] {
        tenant.settled(id, "succeeded", 2).await;
    }
    assert_eq!(tenant.delivery(&called_off).await["status"], "failed");
    let until_then = json!({"since": ago(600), "until": ago(300), "count_only": true});
    let none = tenant.api.post(&path(&webhook), &until_then).await.ok(200);
    assert_eq!(none, json!({"found": 0, "complete": true}));
}
