//! Webhooks that are not sent to: disabled by their owner, by five days of failing, or by the receiver's own wish.

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::rows::ago;
use crate::support::time::instant;
use crate::support::world::publishing;
use crate::support::{Api, Receiver, Reply, SOON, Tenant, World, until};

const DAY: i64 = 24 * 3600;

/// A tenant whose key speaks Standard Webhooks.
async fn standard(world: &World) -> (Tenant, Api) {
    let tenant = world.tenant().await;
    let key = world.key(&tenant.id, &publishing("standard")).await;
    let api = world.anonymous.with_key(text(&key, "key"));
    (Tenant { api: api.clone(), ..tenant }, api)
}

async fn set_status(tenant: &Tenant, webhook: &str, status: &str) -> Value {
    let changed = tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &json!({"status": status})).await.ok(200);
    assert_eq!(changed["status"], status);
    changed
}

/// Publishes an event of the type; returns its delivery to the webhook.
async fn deliver(tenant: &Tenant, webhook: &str, event: &str) -> String {
    let event = tenant.publish(event, &json!({})).await;
    tenant.delivery_of(&event, webhook).await
}

async fn recover(tenant: &Tenant, webhook: &str) -> Value {
    let path = format!("/v1/webhooks/{webhook}/recover");
    let begun = tenant.api.post(&path, &json!({"since": ago(600)})).await.ok(202);
    let path = format!("{path}/{}", text(&begun, "recovery_id"));
    until("the recovery to be done", SOON, || async {
        let progress = tenant.api.get(&path).await.ok(200);
        if progress["status"] == "done" { Ok(progress) } else { Err(progress.to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_disabled_between_attempts_gets_no_more_until_it_is_enabled_and_recovered() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let first = deliver(&tenant, &webhook, "dubbing.completed").await;
    tenant.settled(&first, "retrying", 1).await;
    let message = world.aws.message(&first, 2).await;
    let disabled = set_status(&tenant, &webhook, "disabled").await;
    assert!(disabled["disabled_reason"].is_string(), "{disabled}");
    instant(text(&disabled, "disabled_at"));

    // What was on its way, and what is published meanwhile: on record, and not sent.
    world.aws.send_retry(&message).await;
    let second = deliver(&tenant, &webhook, "dubbing.failed").await;
    for (id, attempts) in [(&first, 1), (&second, 0)] {
        let delivery = tenant.settled(id, "cancelled", attempts).await;
        assert_eq!((&delivery["reason"], &delivery["next_attempt_at"]), (&json!("webhook_disabled"), &Value::Null));
    }
    assert_eq!(receiver.requests().len(), 1);
    let path = format!("/v1/webhooks/{webhook}/recover");
    tenant.api.post(&path, &json!({"since": ago(600)})).await.refused(409, "conflict");

    let enabled = set_status(&tenant, &webhook, "active").await;
    assert_eq!((&enabled["disabled_reason"], &enabled["disabled_at"]), (&Value::Null, &Value::Null));
    let progress = recover(&tenant, &webhook).await;
    assert_eq!((&progress["found"], &progress["requeued"]), (&json!(2), &json!(2)));
    tenant.settled(&first, "succeeded", 2).await;
    tenant.settled(&second, "succeeded", 1).await;
    assert_eq!(receiver.requests().len(), 3);
    assert_eq!(recover(&tenant, &webhook).await["found"], 0, "what is delivered is not recovered");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_days_without_a_success_disable_a_webhook_and_its_owner_hears_of_it() {
    let world = World::open();
    let (tenant, api) = standard(&world).await;
    let failing = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let (operations, everything) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    let webhook = tenant.webhook(&failing.url("/"), &["invoice.paid"]).await;
    tenant.webhook(&operations.url("/"), &["webhook.disabled"]).await;
    tenant.webhook(&everything.url("/"), &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");

    let first = deliver(&tenant, &webhook, "invoice.paid").await;
    tenant.settled(&first, "retrying", 1).await;
    let row = until("the first failure to be noted", SOON, || async {
        let row = world.aws.rows.webhook(&tenant.id, &webhook).await;
        if row.contains_key("failing_since") { Ok(row) } else { Err(format!("{row:?}")) }
    })
    .await;
    assert!(!row.contains_key("disabled_at"));

    // Not quite five days; then more than five.
    world.aws.rows.failing_ago(&tenant.id, &webhook, 5 * DAY - 600).await;
    let second = deliver(&tenant, &webhook, "invoice.paid").await;
    tenant.settled(&second, "retrying", 1).await;
    let third = deliver(&tenant, &webhook, "invoice.paid").await;
    tenant.settled(&third, "retrying", 1).await;
    assert_eq!(api.get(&path).await.ok(200)["status"], "active");
    world.aws.rows.failing_ago(&tenant.id, &webhook, 5 * DAY + 600).await;
    let fourth = deliver(&tenant, &webhook, "invoice.paid").await;
    tenant.settled(&fourth, "retrying", 1).await;
    let shown = until("the webhook to be disabled", SOON, || async {
        let shown = api.get(&path).await.ok(200);
        if shown["status"] == "disabled" { Ok(shown) } else { Err(shown.to_string()) }
    })
    .await;
    assert!(text(&shown, "disabled_reason").contains("five days"), "{shown}");
    instant(text(&shown, "disabled_at"));

    let told = operations.only(SOON).await.json();
    assert_eq!(told["type"], "webhook.disabled");
    let data = &told["data"];
    assert_eq!((&data["webhook_id"], &data["reason"]), (&json!(webhook), &shown["disabled_reason"]));
    assert_eq!((&data["disabled_at"], &data["actor"]), (&shown["disabled_at"], &json!("postrider")));

    // Nothing vanishes: what comes meanwhile is on record.
    let fifth = deliver(&tenant, &webhook, "invoice.paid").await;
    assert_eq!(tenant.settled(&fifth, "cancelled", 0).await["reason"], "webhook_disabled");
    let received = everything.wait_for(5, SOON).await;
    assert_eq!(received.len(), 5, "the five invoices, and no operational event");
    assert!(received.iter().all(|post| post.json()["type"] == "invoice.paid"));
    assert_eq!((failing.requests().len(), operations.requests().len()), (4, 1));
    set_status(&tenant, &webhook, "active").await;
    let row = world.aws.rows.webhook(&tenant.id, &webhook).await;
    assert!(!row.contains_key("failing_since"), "a fresh start: {row:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_success_ends_the_days_of_failing() {
    let world = World::open();
    let (tenant, _) = standard(&world).await;
    let script = [Reply::Status(500), Reply::Status(200), Reply::Status(500)];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let first = deliver(&tenant, &webhook, "invoice.paid").await;
    tenant.settled(&first, "retrying", 1).await;
    let failing_since = async |there: bool| {
        until(&format!("failing_since to be there: {there}"), SOON, || async {
            let row = world.aws.rows.webhook(&tenant.id, &webhook).await;
            if row.contains_key("failing_since") == there { Ok(()) } else { Err(format!("{row:?}")) }
        })
        .await;
    };
    failing_since(true).await;
    world.aws.rows.failing_ago(&tenant.id, &webhook, 6 * DAY).await;
    let second = deliver(&tenant, &webhook, "invoice.paid").await;
    tenant.settled(&second, "succeeded", 1).await;
    failing_since(false).await;
    let third = deliver(&tenant, &webhook, "invoice.paid").await;
    tenant.settled(&third, "retrying", 1).await;
    failing_since(true).await;
    assert_eq!(tenant.api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200)["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_disables_a_standard_webhook_at_once() {
    let world = World::open();
    let (tenant, api) = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(410)], Reply::Status(200)).await;
    let operations = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    tenant.webhook(&operations.url("/"), &["webhook.disabled"]).await;
    let id = deliver(&tenant, &webhook, "invoice.paid").await;
    let delivery = tenant.settled(&id, "failed", 1).await;
    assert_eq!(delivery["reason"], "endpoint_gone");
    let told = operations.only(SOON).await.json();
    assert_eq!((&told["type"], &told["data"]["webhook_id"]), (&json!("webhook.disabled"), &json!(webhook)));
    let shown = api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200);
    assert_eq!(shown["status"], "disabled");
    assert!(text(&shown, "disabled_reason").contains("410"), "{shown}");
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nur_webhook_is_never_disabled_by_itself() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let first = deliver(&tenant, &webhook, "dubbing.completed").await;
    tenant.settled(&first, "retrying", 1).await;
    world.aws.rows.failing_ago(&tenant.id, &webhook, 6 * DAY).await;
    world.aws.attempt_now(&first, 2).await;
    tenant.settled(&first, "retrying", 2).await;
    // The note would follow the record: the schedule, which follows it too, is there before this one's end.
    world.aws.attempt_now(&first, 3).await;
    tenant.settled(&first, "retrying", 3).await;
    assert_eq!(tenant.api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200)["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_suspended_tenant_missed_is_recovered_too() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let provider = world.provider(&["events:write"]).await;
    let path = format!("/v1/tenants/{}", tenant.id);
    world.admin.patch(&path, &json!({"status": "suspended"})).await.ok(200);
    let event = json!({"event": "dubbing.failed", "data": {}, "tenant_id": tenant.id});
    provider.post("/v1/events", &event).await.ok(202);
    // The cancellation is seen in the row: the tenant's own keys are locked out.
    let other = world.tenant().await;
    let marker = deliver(&other, &other.webhook(&receiver.url("/other"), &["*"]).await, "dubbing.failed").await;
    other.settled(&marker, "succeeded", 1).await;
    world.admin.patch(&path, &json!({"status": "active"})).await.ok(200);
    let rows = until("the tenant's key", std::time::Duration::from_secs(65), || async {
        let answer = tenant.api.get("/v1/deliveries?status=cancelled").await;
        if answer.status == 200 { Ok(answer.json()) } else { Err(answer.body) }
    })
    .await;
    let rows = rows["deliveries"].as_array().expect("deliveries should be listed").clone();
    assert_eq!((rows.len(), &rows[0]["reason"]), (1, &json!("tenant_suspended")));
    assert_eq!(recover(&tenant, &webhook).await["requeued"], 1);
    tenant.settled(text(&rows[0], "id"), "succeeded", 1).await;
}
