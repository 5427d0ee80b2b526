//! Endpoints that keep connections waiting: theirs goes by the retry queue, and nobody stands behind it.

use std::time::Duration;

use serde_json::json;

use crate::chaos::{alone, assert_told, delivery_to, without_mapping};
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

/// Long enough for a message that may be worked on to have been.
const A_WHILE: Duration = Duration::from_secs(2);

fn name_of(queue: &str) -> &str {
    queue.rsplit('/').next().expect("a queue's URL ends with its name")
}

/// A webhook of one attempt that takes at most a second, and whose receiver answers too late for that the first time.
async fn slow_webhook(world: &World, tenant: &Tenant) -> (String, Receiver) {
    let late = Reply::Late(Duration::from_secs(60), 200);
    let receiver = Receiver::scripted(world.stack, [late], Reply::Status(200)).await;
    let body =
        json!({"url": receiver.url("/"), "events": ["dubbing.failed"], "retry_schedule": [], "timeout_seconds": 1});
    (tenant.create(&body).await, receiver)
}

async fn publish_slow(tenant: &Tenant, webhook: &str) -> String {
    let event = tenant.publish("dubbing.failed", &json!({})).await;
    tenant.delivery_of(&event, webhook).await
}

async fn wait_for_waiting(world: &World, queue: &str, count: u64) {
    until("messages to wait", SOON, || async {
        let waiting = world.aws.waiting(queue).await;
        if waiting >= count { Ok(()) } else { Err(waiting.to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn after_a_time_out_what_is_published_goes_by_the_retry_queue() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let (slow, slow_receiver) = slow_webhook(&world, &tenant).await;
    let prompt_receiver = Receiver::start(world.stack).await;
    let prompt = tenant.webhook(&prompt_receiver.url("/"), &["dubbing.completed"]).await;
    let first = publish_slow(&tenant, &slow).await;
    assert_told(&tenant.settled(&first, "failed", 1).await, &["timed_out"], &slow_receiver, 1);

    // With the queue of first attempts standing still, only what goes by the other one arrives.
    let id = without_mapping(&world, "deliver", name_of(&world.stack.queues.deliver), async {
        let (_, held) = delivery_to(&tenant, &prompt).await;
        let second = publish_slow(&tenant, &slow).await;
        tenant.settled(&second, "succeeded", 1).await;
        assert_eq!(
            (tenant.delivery(&held).await["status"].clone(), prompt_receiver.requests().len()),
            (json!("pending"), 0)
        );
        held
    })
    .await;
    assert_told(&tenant.settled(&id, "succeeded", 1).await, &["succeeded"], &prompt_receiver, 1);

    world.aws.rows.slow_for(&tenant.id, &slow, -1).await;
    without_mapping(&world, "deliver", name_of(&world.stack.queues.retry), async {
        let third = publish_slow(&tenant, &slow).await;
        tenant.settled(&third, "succeeded", 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_stands_among_first_attempts_for_a_slow_endpoint_is_moved_aside() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let (slow, receiver) = slow_webhook(&world, &tenant).await;
    let first = publish_slow(&tenant, &slow).await;
    tenant.settled(&first, "failed", 1).await;
    let (deliver, retry) = (&world.stack.queues.deliver, &world.stack.queues.retry);
    let ids = without_mapping(&world, "deliver", name_of(retry), async {
        // Published before the endpoint counted as slow, received after.
        let ids = without_mapping(&world, "deliver", name_of(deliver), async {
            world.aws.rows.slow_for(&tenant.id, &slow, -1).await;
            let ids = [publish_slow(&tenant, &slow).await, publish_slow(&tenant, &slow).await];
            wait_for_waiting(&world, deliver, 2).await;
            world.aws.rows.slow_for(&tenant.id, &slow, 600).await;
            ids
        })
        .await;
        wait_for_waiting(&world, retry, 2).await;
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(receiver.requests().len(), 1, "no POST is made on the way of first attempts");
        ids
    })
    .await;
    for id in ids {
        tenant.settled(&id, "succeeded", 1).await;
    }
    assert_eq!(receiver.requests().len(), 3, "each is made once");
}
