//! What ends a delivery before its retry schedule does: the webhook is gone, or its tenant suspended.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

/// A delivery that has failed once; returns its id and the webhook's.
async fn retrying(tenant: &Tenant, receiver: &Receiver) -> (String, String) {
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    (id, webhook)
}

fn assert_cancelled(delivery: &Value, reason: &str, attempts: usize) {
    assert_eq!(delivery["status"], "cancelled", "{delivery}");
    assert_eq!(delivery["reason"], reason, "{delivery}");
    assert_eq!(delivery["next_attempt_at"], Value::Null, "{delivery}");
    assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(attempts), "{delivery}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_deleted_between_attempts_gets_no_more() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let (id, webhook) = retrying(&tenant, &receiver).await;
    let message = world.aws.message(&id, 2).await;
    tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);

    world.aws.send_retry(&message).await;
    assert_cancelled(&tenant.settled(&id, "cancelled", 1).await, "webhook_deleted", 1);
    assert_eq!(receiver.requests().len(), 1);
    assert_eq!(world.aws.find_schedule(&id, 3).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenants_deliveries_are_cancelled_and_stay_so() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let (id, webhook) = retrying(&tenant, &receiver).await;
    let message = world.aws.message(&id, 2).await;
    let provider = world.provider(&["events:write"]).await;
    let path = format!("/v1/tenants/{}", tenant.id);
    world.admin.patch(&path, &json!({"status": "suspended"})).await.ok(200);

    // A retry, and an event that the provider publishes meanwhile.
    world.aws.send_retry(&message).await;
    let event = json!({"event": "dubbing.failed", "data": {}, "tenant_id": tenant.id});
    let event = text(&provider.post("/v1/events", &event).await.ok(202), "id").to_owned();
    // Its own keys are locked out now, so the ledger is read once the tenant is back. Another tenant's deliveries, made
    // after these, tell that these were seen before that.
    let other = world.tenant().await;
    let (others, _) = retrying(&other, &receiver).await;
    world.aws.attempt_now(&others, 2).await;
    other.settled(&others, "retrying", 2).await;
    world.admin.patch(&path, &json!({"status": "active"})).await.ok(200);
    until("the suspended tenant's key", Duration::from_secs(65), || async {
        let answer = tenant.api.get(&format!("/v1/deliveries/{id}")).await;
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    })
    .await;
    assert_cancelled(&tenant.delivery(&id).await, "tenant_suspended", 1);
    let meanwhile = tenant.delivery_of(&event, &webhook).await;
    assert_cancelled(&tenant.delivery(&meanwhile).await, "tenant_suspended", 0);

    world.aws.send_retry(&message).await;
    let later = tenant.publish("dubbing.failed", &json!({})).await;
    let received = receiver.wait_for(4, SOON).await;
    assert_eq!(received.len(), 4, "one POST before the suspension, two of the other's, and the later event's");
    assert_eq!(received[3].event_id(), later);
    assert_eq!(tenant.delivery(&id).await["status"], "cancelled");
}
