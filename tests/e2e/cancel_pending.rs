//! All that waits for a webhook, called off by one call.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::again::{act, deliver, outcomes};
use crate::support::api::text;
use crate::support::receiver::Gate;
use crate::support::{Receiver, Reply, SOON, Tenant, World};

async fn cancel_pending(tenant: &Tenant, webhook: &str) -> Value {
    tenant.api.post(&format!("/v1/webhooks/{webhook}/cancel-pending"), &json!({})).await.ok(202)
}

/// A webhook whose receiver takes nothing, with so many deliveries that wait for their next attempt.
async fn waiting(tenant: &Tenant, receiver: &Receiver, deliveries: usize) -> (String, Vec<String>) {
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let ids = join_all((0..deliveries).map(|_| deliver(tenant, &webhook))).await;
    for id in &ids {
        tenant.settled(id, "retrying", 1).await;
    }
    (webhook, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_called_off_and_what_comes_later_is_sent() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, vec![Reply::Status(500); 5], Reply::Status(200)).await;
    let (webhook, ids) = waiting(&tenant, &receiver, 5).await;
    let message = world.aws.message(&ids[0], 2).await;
    let begun = cancel_pending(&tenant, &webhook).await;
    assert_eq!(
        (&begun["found"], &begun["cancelled"], &begun["complete"]),
        (&json!(5), &json!(5), &json!(true)),
        "{begun}"
    );
    let path = format!("/v1/webhooks/{webhook}/cancel-pending/{}", text(&begun, "cancellation_id"));
    assert_eq!(tenant.api.get(&path).await.ok(200), begun);
    for id in &ids {
        let shown = tenant.delivery(id).await;
        assert_eq!(
            (&shown["status"], &shown["reason"]),
            (&json!("cancelled"), &json!("cancelled_by_request")),
            "{shown}"
        );
        assert_eq!((&shown["cancellation_id"], &shown["next_attempt_at"]), (&begun["cancellation_id"], &Value::Null));
    }
    // A message that comes all the same makes no POST, and what is published now is sent.
    world.aws.send_retry(&message).await;
    let later = deliver(&tenant, &webhook).await;
    tenant.settled(&later, "succeeded", 1).await;
    // Whoever asks for one again has it, and whoever cancels that by hand is not this call.
    act(&tenant, &ids[1], "retry").await.ok(202);
    let again = tenant.settled(&ids[1], "succeeded", 2).await;
    assert_eq!(
        (outcomes(&again), &again["cancellation_id"]),
        (vec![(1, "status_500"), (2, "succeeded")], &Value::Null)
    );
    let second = cancel_pending(&tenant, &webhook).await;
    assert_eq!((&second["found"], &second["complete"]), (&json!(0), &json!(true)), "nothing waits: {second}");
    assert_eq!(receiver.requests().len(), 7);
    // What was called off is nothing that was missed.
    let recover = format!("/v1/webhooks/{webhook}/recover");
    let recovery = tenant.api.post(&recover, &json!({"since": "2020-01-01T00:00:00Z"})).await.ok(202);
    let done = tenant.api.get(&format!("{recover}/{}", text(&recovery, "recovery_id"))).await.ok(200);
    assert_eq!((&done["status"], &done["found"]), (&json!("done"), &json!(0)), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_is_out_is_late_and_on_record() {
    let world = World::open();
    let tenant = world.tenant().await;
    let gate = Gate::shut();
    let script = [Reply::HeldAs(gate.clone(), 503), Reply::Held(gate.clone())];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let fails = deliver(&tenant, &webhook).await;
    receiver.wait_for(1, SOON).await;
    let succeeds = deliver(&tenant, &webhook).await;
    receiver.wait_for(2, SOON).await;
    assert_eq!(cancel_pending(&tenant, &webhook).await["cancelled"], 2);
    gate.open();
    let shown = tenant.settled(&fails, "cancelled", 1).await;
    assert_eq!((outcomes(&shown), &shown["reason"]), (vec![(1, "status_503")], &json!("cancelled_by_request")));
    let shown = tenant.settled(&succeeds, "succeeded", 1).await;
    assert_eq!((&shown["reason"], &shown["cancellation_id"]), (&Value::Null, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_webhooks_are_called_off_and_a_deleted_one_is_none() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let (webhook, ids) = waiting(&tenant, &receiver, 1).await;
    let other = tenant.webhook(&receiver.url("/"), &["music.*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    tenant.api.patch(&path, &json!({"status": "disabled"})).await.ok(200);
    let begun = cancel_pending(&tenant, &webhook).await;
    assert_eq!(
        (&begun["found"], &tenant.delivery(&ids[0]).await["reason"]),
        (&json!(1), &json!("cancelled_by_request"))
    );
    let shown = format!("cancel-pending/{}", text(&begun, "cancellation_id"));
    tenant.api.get(&format!("/v1/webhooks/{other}/{shown}")).await.refused(404, "not_found");
    let stranger = world.tenant().await;
    stranger.api.get(&format!("{path}/{shown}")).await.refused(404, "not_found");
    stranger.api.post(&format!("{path}/cancel-pending"), &json!({})).await.refused(404, "not_found");
    tenant.api.delete(&path).await.ok(204);
    tenant.api.post(&format!("{path}/cancel-pending"), &json!({})).await.refused(404, "not_found");
    assert_eq!(tenant.api.get(&format!("{path}/{shown}")).await.ok(200), begun, "what was done is told");
}
