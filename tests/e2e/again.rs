//! Sending again, calling off, and finding what is undelivered: the ledger's actions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::rows::{ago, event_row, s};
use crate::support::{Answer, Receiver, Reply, SOON, Tenant, World, until};

pub(crate) async fn act(tenant: &Tenant, id: &str, action: &str) -> Answer {
    tenant.api.post(&format!("/v1/deliveries/{id}/{action}"), &json!({})).await
}

pub(crate) async fn deliver(tenant: &Tenant, webhook: &str) -> String {
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    tenant.delivery_of(&event, webhook).await
}

pub(crate) fn outcomes(delivery: &Value) -> Vec<(u64, &str)> {
    let attempts = delivery["attempts"].as_array().expect("attempts should be an array");
    attempts.iter().map(|a| (a["number"].as_u64().expect("a number"), text(a, "outcome"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_a_full_new_round_under_the_same_id() {
    let world = World::open();
    let tenant = world.tenant().await;
    let script = vec![Reply::Status(500); 3];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]});
    let webhook = tenant.create(&body).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let second = world.aws.message(&id, 2).await;
    world.aws.send_retry(&second).await;
    assert_eq!(tenant.settled(&id, "failed", 2).await["reason"], "attempts_exhausted");

    let again = act(&tenant, &id, "retry").await.ok(202);
    assert_eq!((&again["status"], &again["reason"]), (&json!("retrying"), &Value::Null), "{again}");
    // The new round has its whole retry schedule before it, and numbers on.
    let delivery = tenant.settled(&id, "retrying", 3).await;
    assert!(delivery["next_attempt_at"].is_string());
    world.aws.send_retry(&second).await;
    world.aws.attempt_now(&id, 4).await;
    let delivery = tenant.settled(&id, "succeeded", 4).await;
    assert_eq!(outcomes(&delivery), [(1, "status_500"), (2, "status_500"), (3, "status_500"), (4, "succeeded")]);

    // A success is sent again too, where somebody asks for it.
    act(&tenant, &id, "retry").await.ok(202);
    tenant.settled(&id, "succeeded", 5).await;
    let received = receiver.requests();
    assert_eq!(received.len(), 5);
    assert!(received.iter().all(|post| post.event_id() == text(&delivery, "event_id")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_brings_a_waiting_attempt_forward() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let scheduled = world.aws.message(&id, 2).await;
    act(&tenant, &id, "retry").await.ok(202);
    tenant.settled(&id, "succeeded", 2).await;
    world.aws.send_retry(&scheduled).await;
    let other = deliver(&tenant, &webhook).await;
    tenant.settled(&other, "succeeded", 1).await;
    assert_eq!(receiver.requests().len(), 3, "the schedule that was overtaken makes no POST");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_delivery_is_sent_no_more_unless_asked_again() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let second = world.aws.message(&id, 2).await;
    let cancelled = act(&tenant, &id, "cancel").await.ok(202);
    let seen = (&cancelled["status"], &cancelled["reason"], &cancelled["next_attempt_at"]);
    assert_eq!(seen, (&json!("cancelled"), &json!("cancelled_by_request"), &Value::Null));
    act(&tenant, &id, "cancel").await.refused(409, "conflict");
    world.aws.send_retry(&second).await;
    world.aws.functions.sweep().await;

    // Nor does a recovery take it: somebody meant it.
    let path = format!("/v1/webhooks/{webhook}/recover");
    let begun = tenant.api.post(&path, &json!({"since": ago(600)})).await.ok(202);
    let progress = tenant.api.get(&format!("{path}/{}", text(&begun, "recovery_id"))).await.ok(200);
    assert_eq!((&progress["status"], &progress["found"]), (&json!("done"), &json!(0)));
    assert_eq!(outcomes(&tenant.delivery(&id).await), [(1, "status_500")]);

    act(&tenant, &id, "retry").await.ok(202);
    let delivery = tenant.settled(&id, "succeeded", 2).await;
    assert_eq!(delivery["reason"], Value::Null);
    act(&tenant, &id, "cancel").await.refused(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_disabled() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let id = deliver(&tenant, &webhook).await;
    let before = tenant.settled(&id, "failed", 1).await;
    let path = format!("/v1/webhooks/{webhook}");
    tenant.api.patch(&path, &json!({"status": "disabled"})).await.ok(200);
    act(&tenant, &id, "retry").await.refused(409, "conflict");
    assert_eq!(tenant.delivery(&id).await, before, "it stays as it was");
    tenant.api.patch(&path, &json!({"status": "active"})).await.ok(200);
    act(&tenant, &id, "retry").await.ok(202);
    tenant.settled(&id, "succeeded", 2).await;

    tenant.api.delete(&path).await.ok(204);
    let before = tenant.delivery(&id).await;
    act(&tenant, &id, "retry").await.refused(409, "conflict");
    assert_eq!(tenant.delivery(&id).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_before_is_not_undelivered_when_it_is_sent_again() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(200)], Reply::Status(500)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let id = deliver(&tenant, &webhook).await;
    let first = tenant.settled(&id, "succeeded", 1).await;
    let again = act(&tenant, &id, "retry").await.ok(202);
    assert_eq!((&again["status"], &again["delivered_at"]), (&json!("retrying"), &first["delivered_at"]), "{again}");
    let failed = tenant.settled(&id, "failed", 2).await;
    assert!(first["delivered_at"].is_string() && failed["delivered_at"] == first["delivered_at"], "{failed}");

    // One that nobody has taken is listed, so the list had its chance to show the other.
    let other = deliver(&tenant, &webhook).await;
    tenant.settled(&other, "failed", 1).await;
    until("the list of what is undelivered", SOON, || async {
        let found = listed(&tenant, "status=undelivered").await;
        if found == [other.clone()] { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    let path = format!("/v1/webhooks/{webhook}/recover");
    let begun = tenant.api.post(&path, &json!({"since": ago(600)})).await.ok(202);
    let progress = tenant.api.get(&format!("{path}/{}", text(&begun, "recovery_id"))).await.ok(200);
    assert_eq!((&progress["status"], &progress["found"]), (&json!("done"), &json!(1)), "the other alone");
}

/// A producer's clock may be ahead: without `until`, what its events have not reached is recovered as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_takes_events_that_are_dated_ahead() {
    let world = World::open();
    let mut tenant = world.tenant().await;
    let key = world.key(&tenant.id, &json!({"dialect": "standard"})).await;
    tenant.api = world.anonymous.with_key(text(&key, "key"));
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let event = format!("evt_{}", webhook.replace("wh_", ""));
    let mut row = event_row(&tenant.id, &event, "invoice.paid", "{}");
    row.insert("timestamp".to_owned(), s(ago(-7200)));
    world.aws.rows.put_event(row).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    let path = format!("/v1/webhooks/{webhook}/recover");
    let recover = async |span: &Value| {
        let begun = tenant.api.post(&path, span).await.ok(202);
        tenant.api.get(&format!("{path}/{}", text(&begun, "recovery_id"))).await.ok(200)
    };
    let until_now = recover(&json!({"since": ago(600), "until": ago(0)})).await;
    assert_eq!(until_now["found"], 0, "`until` is the events' own time: {until_now}");
    let all = recover(&json!({"since": ago(600)})).await;
    assert_eq!(all["found"], 1, "{all}");
    tenant.settled(&id, "succeeded", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_acts_on_what_is_not_his() {
    let world = World::open();
    let (tenant, stranger) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    for action in ["retry", "cancel"] {
        act(&stranger, &id, action).await.refused(404, "not_found");
        act(&tenant, "dlv_none", action).await.refused(404, "not_found");
        let reader = world.key(&tenant.id, &json!({"dialect": "nur", "scopes": ["deliveries:read"]})).await;
        let reader = world.anonymous.with_key(text(&reader, "key"));
        reader.post(&format!("/v1/deliveries/{id}/{action}"), &json!({})).await.refused(403, "forbidden");
        let got = tenant.api.get(&format!("/v1/deliveries/{id}/{action}")).await;
        got.refused(405, "method_not_allowed");
        assert_eq!(got.header("allow"), Some("POST"));
    }
    let path = format!("/v1/webhooks/{webhook}/recover");
    stranger.api.post(&path, &json!({"since": ago(60)})).await.refused(404, "not_found");
    tenant.api.post(&path, &json!({})).await.invalid("since");
    tenant.api.post(&path, &json!({"since": "yesterday"})).await.invalid("since");
    tenant.api.post(&path, &json!({"since": ago(60), "until": "never"})).await.invalid("until");
    let reversed = tenant.api.post(&path, &json!({"since": ago(60), "until": ago(120)})).await;
    reversed.refused(422, "unprocessable");
    tenant.api.post(&path, &json!({"since": ago(-3600)})).await.refused(422, "unprocessable");
    tenant.api.get(&format!("{path}/rec_none")).await.refused(404, "not_found");
    assert_eq!(outcomes(&tenant.delivery(&id).await), [(1, "status_500")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_undelivered_is_found_across_webhooks_in_pages() {
    let world = World::open();
    let tenant = world.tenant().await;
    let good = Receiver::start(world.stack).await;
    let bad = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let retrying = tenant.webhook(&bad.url("/"), &["*"]).await;
    let failing = tenant.create(&json!({"url": bad.url("/once"), "events": ["*"], "retry_schedule": []})).await;
    let healthy = tenant.webhook(&good.url("/"), &["*"]).await;
    let (mut as_retrying, mut as_failed) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..3 {
        let event = tenant.publish("dubbing.completed", &json!({})).await;
        let id = tenant.delivery_of(&event, &retrying).await;
        tenant.settled(&id, "retrying", 1).await;
        as_retrying.insert(id);
        let id = tenant.delivery_of(&event, &failing).await;
        tenant.settled(&id, "failed", 1).await;
        as_failed.insert(id);
        let id = tenant.delivery_of(&event, &healthy).await;
        tenant.settled(&id, "succeeded", 1).await;
    }
    let cancelled = as_retrying.pop_first().expect("there are three");
    act(&tenant, &cancelled, "cancel").await.ok(202);
    let all: BTreeSet<_> = as_retrying.iter().chain(&as_failed).chain([&cancelled]).cloned().collect();
    let expected = [
        ("retrying", as_retrying),
        ("failed", as_failed),
        ("cancelled", BTreeSet::from([cancelled])),
        ("undelivered", all),
    ];
    for (status, expected) in expected {
        for limit in ["", "&limit=1", "&limit=4"] {
            until(&format!("?status={status}{limit}"), SOON, || async {
                let found = listed(&tenant, &format!("status={status}{limit}")).await;
                if found.iter().cloned().collect::<BTreeSet<_>>() == expected && found.len() == expected.len() {
                    Ok(())
                } else {
                    Err(format!("{found:?}, not {expected:?}"))
                }
            })
            .await;
        }
    }
    let stranger = world.tenant().await;
    assert_eq!(listed(&stranger, "status=undelivered").await, Vec::<String>::new());
    for query in ["?status=", "?status=lost"] {
        tenant.api.get(&format!("/v1/deliveries{query}")).await.invalid("status");
    }
    for query in ["", "?status=pending", "?status=succeeded"] {
        tenant.api.get(&format!("/v1/deliveries{query}")).await.refused(422, "unprocessable");
    }
    tenant.api.get("/v1/deliveries?status=failed&cursor=nonsense").await.invalid("cursor");
    tenant.api.get("/v1/deliveries?status=failed&limit=0").await.invalid("limit");
}

/// The ids of a tenant's list, newest first, page by page.
pub(crate) async fn listed(tenant: &Tenant, query: &str) -> Vec<String> {
    listed_from(tenant, query, None).await
}

/// All that follows a cursor.
pub(crate) async fn listed_from(tenant: &Tenant, query: &str, cursor: Option<&str>) -> Vec<String> {
    let at = |cursor: &str| format!("&cursor={cursor}");
    let (mut found, mut cursor) = (Vec::new(), cursor.map(at).unwrap_or_default());
    loop {
        let page = tenant.api.get(&format!("/v1/deliveries?{query}{cursor}")).await.ok(200);
        let rows = page["deliveries"].as_array().expect("deliveries should be listed");
        found.extend(rows.iter().map(|row| text(row, "id").to_owned()));
        if page["pagination"]["has_more"] == false {
            return found;
        }
        cursor = at(text(&page["pagination"], "next_cursor"));
    }
}
