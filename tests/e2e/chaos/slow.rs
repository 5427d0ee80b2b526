//! Endpoints that keep connections waiting: theirs goes by a queue of its own, and nobody stands behind it.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use crate::chaos::{MINUTE, alone, assert_told, delivery_to, then, without_mapping};
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
async fn after_a_time_out_what_is_published_goes_by_the_slow_queue() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let (slow, slow_receiver) = slow_webhook(&world, &tenant).await;
    let prompt_receiver = Receiver::start(world.stack).await;
    let prompt = tenant.webhook(&prompt_receiver.url("/"), &["dubbing.completed"]).await;
    let first = publish_slow(&tenant, &slow).await;
    assert_told(&tenant.settled(&first, "failed", 1).await, &["timed_out"], &slow_receiver, 1);

    // With the queues of others' attempts standing still, only what goes by its own arrives.
    let queues = &world.stack.queues;
    let without_retries = |work| without_mapping(&world, "deliver", name_of(&queues.retry), work);
    let id = without_mapping(
        &world,
        "deliver",
        name_of(&queues.deliver),
        without_retries(async {
            let (_, held) = delivery_to(&tenant, &prompt).await;
            let second = publish_slow(&tenant, &slow).await;
            tenant.settled(&second, "succeeded", 1).await;
            assert_eq!(
                (tenant.delivery(&held).await["status"].clone(), prompt_receiver.requests().len()),
                (json!("pending"), 0)
            );
            held
        }),
    )
    .await;
    assert_told(&tenant.settled(&id, "succeeded", 1).await, &["succeeded"], &prompt_receiver, 1);

    world.aws.rows.slow_for(&tenant.id, &slow, -1).await;
    without_mapping(&world, "deliver", name_of(&queues.slow), async {
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
    let (deliver, slow_queue) = (&world.stack.queues.deliver, &world.stack.queues.slow);
    let ids = without_mapping(&world, "deliver", name_of(slow_queue), async {
        // Published before the endpoint counted as slow, received after.
        let ids = without_mapping(&world, "deliver", name_of(deliver), async {
            world.aws.rows.slow_for(&tenant.id, &slow, -1).await;
            let ids = [publish_slow(&tenant, &slow).await, publish_slow(&tenant, &slow).await];
            wait_for_waiting(&world, deliver, 2).await;
            world.aws.rows.slow_for(&tenant.id, &slow, 600).await;
            ids
        })
        .await;
        wait_for_waiting(&world, slow_queue, 2).await;
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

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_slow_endpoints_retries_go_by_the_slow_queue_also_when_a_schedule_sends_them() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let failing = [Reply::Status(500), Reply::Status(500)];
    let receiver = Receiver::scripted(world.stack, failing, Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["dubbing.failed"], "retry_schedule": [1, 3600]});
    let webhook = tenant.create(&body).await;
    world.aws.rows.slow_for(&tenant.id, &webhook, 600).await;
    let queues = &world.stack.queues;
    let id = without_mapping(&world, "deliver", name_of(&queues.slow), async {
        let id = publish_slow(&tenant, &webhook).await;
        wait_for_waiting(&world, &queues.slow, 1).await;
        id
    })
    .await;
    // The second attempt comes by a delay, the third by a schedule; neither waits among others' retries.
    let retrying = tenant.settled(&id, "retrying", 2);
    without_mapping(&world, "deliver", name_of(&queues.retry), retrying).await;
    without_mapping(&world, "deliver", name_of(&queues.slow), async {
        world.aws.attempt_now(&id, 3).await;
        wait_for_waiting(&world, &queues.slow, 1).await;
        assert_eq!(receiver.requests().len(), 2, "it is not attempted where it was sent to");
    })
    .await;
    assert_told(&tenant.settled(&id, "succeeded", 3).await, &["status_500", "status_500", "succeeded"], &receiver, 3);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_a_schedule_sends_comes_by_the_retry_queue_where_nobody_is_slow() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["dubbing.failed"], "retry_schedule": [3600]});
    let webhook = tenant.create(&body).await;
    let id = publish_slow(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    without_mapping(&world, "deliver", name_of(&world.stack.queues.slow), async {
        world.aws.attempt_now(&id, 2).await;
        tenant.settled(&id, "succeeded", 2).await;
    })
    .await;
    assert_eq!(receiver.requests().len(), 2, "it is sent on once and attempted once");
}

/// Slow to no clock: his attempts take less than two seconds.
const UNHURRIED: Duration = Duration::from_millis(1_500);

/// A webhook whose receiver takes its time, but not so long that an attempt is slow by itself.
async fn unhurried(world: &World, tenant: &Tenant) -> (String, Receiver) {
    let receiver = Receiver::scripted(world.stack, [], Reply::Late(UNHURRIED, 200)).await;
    (tenant.webhook(&receiver.url("/"), &["dubbing.completed"]).await, receiver)
}

async fn publish_many(tenant: &Tenant, count: usize) {
    join_all((0..count).map(|_| async { tenant.publish("dubbing.completed", &json!({})).await })).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn who_holds_the_functions_is_slow_once_another_tenant_waits_and_not_before() {
    let (world, _guard) = alone().await;
    let (busy, quiet) = (world.tenant().await, world.tenant().await);
    let (webhook, busy_receiver) = unhurried(&world, &busy).await;
    let quiet_receiver = Receiver::start(world.stack).await;
    quiet.webhook(&quiet_receiver.url("/"), &["dubbing.completed"]).await;
    let deliver = name_of(&world.stack.queues.deliver);
    let before = world.aws.functions.set_concurrency("deliver", deliver, 2).await;
    let work = async {
        // Two functions make 13 attempts a second, so these wait for each other for seconds, and for nobody else.
        publish_many(&busy, 100).await;
        until("the busy tenant's to come", MINUTE, || async {
            let came = busy_receiver.requests().len();
            if came >= 100 { Ok(()) } else { Err(came.to_string()) }
        })
        .await;
        assert!(world.aws.rows.slow(&busy.id).await.is_empty(), "nobody else waits, so he keeps all there is");
        until("the busy webhook to be noted while another waits", MINUTE, || async {
            publish_many(&busy, 20).await;
            quiet.publish("dubbing.completed", &json!({})).await;
            let slow = world.aws.rows.slow(&busy.id).await;
            if slow.contains_key(&webhook) { Ok(()) } else { Err(format!("{slow:?}")) }
        })
        .await;
        assert!(world.aws.rows.slow(&quiet.id).await.is_empty());
    };
    then(work, async { _ = world.aws.functions.set_concurrency("deliver", deliver, before).await }).await;
}
