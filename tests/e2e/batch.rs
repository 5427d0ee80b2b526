//! A batch of ten: one receiver that takes its time delays none of its batch mates.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::time::instant;
use crate::support::{Gate, Receiver, Reply, SOON, World};

fn end_of_attempt(delivery: &Value, number: usize) -> Timestamp {
    let attempt = &delivery["attempts"][number - 1];
    let duration = attempt["duration_ms"].as_i64().expect("an attempt should have a duration");
    instant(text(attempt, "at")) + jiff::SignedDuration::from_millis(duration)
}

#[tokio::test(flavor = "multi_thread")]
async fn nine_fast_receivers_do_not_wait_for_a_slow_one() {
    let world = World::open();
    let tenant = world.tenant().await;
    // Each fails its first attempt, so that ten retries can be sent as one batch. The slow one then answers when the
    // test lets it, which is after the nine are in the ledger.
    let gate = Gate::shut();
    let slow = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Held(gate.clone())).await;
    let mut receivers = vec![slow];
    for _ in 0..9 {
        receivers.push(Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await);
    }
    let mut webhooks = Vec::new();
    for receiver in &receivers {
        webhooks.push(tenant.webhook(&receiver.url("/"), &["*"]).await);
    }
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    let (mut deliveries, mut messages) = (Vec::new(), Vec::new());
    for webhook in &webhooks {
        let id = tenant.delivery_of(&event, webhook).await;
        tenant.settled(&id, "retrying", 1).await;
        messages.push(world.aws.message(&id, 2).await);
        deliveries.push(id);
    }

    // The slow one first: sent one after the other, nothing would come of the rest.
    world.aws.send_retry_batch(&messages).await;
    receivers[0].wait_for(2, SOON).await;
    let mut ends = Vec::new();
    for id in &deliveries[1..] {
        ends.push(end_of_attempt(&tenant.settled(id, "succeeded", 2).await, 2));
    }
    let held = tenant.delivery(&deliveries[0]).await;
    assert_eq!((&held["status"], held["attempts"].as_array().map(Vec::len)), (&json!("retrying"), Some(1)));

    gate.open();
    let slow = end_of_attempt(&tenant.settled(&deliveries[0], "succeeded", 2).await, 2);
    assert!(ends.iter().all(|end| *end < slow), "nine ended at {ends:?}, the slow one at {slow}");
    assert!(receivers.iter().all(|receiver| receiver.requests().len() == 2));
}
