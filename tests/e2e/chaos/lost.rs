//! Messages that are gone for good, or doubled, and a stream that stands still.

use std::time::Duration;

use serde_json::{Value, json};

use crate::chaos::{alone, assert_told, one_delivery, without_mapping};
use crate::support::api::text;
use crate::support::rows::ago;
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

/// Long enough for a message that exists to have been worked on.
const A_WHILE: Duration = Duration::from_secs(2);

fn name_of(queue: &str) -> &str {
    queue.rsplit('/').next().expect("a queue's URL ends with its name")
}

async fn recovered(world: &World, tenant: &Tenant, webhook: &str) -> Value {
    let path = format!("/v1/webhooks/{webhook}/recover");
    let begun = tenant.api.post(&path, &json!({"since": ago(600)})).await.ok(202);
    let path = format!("{path}/{}", text(&begun, "recovery_id"));
    until("the recovery to be done", SOON, || async {
        let progress = tenant.api.get(&path).await.ok(200);
        if progress["status"] == "done" {
            return Ok(progress);
        }
        world.aws.functions.sweep().await;
        Err(progress.to_string())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_purged_deliver_queue_is_made_good_by_recover() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let queue = &world.stack.queues.deliver;
    let mut deliveries = Vec::new();
    without_mapping(&world, "deliver", name_of(queue), async {
        for number in 0..3 {
            let event = tenant.publish("dubbing.completed", &json!({"number": number})).await;
            deliveries.push(tenant.delivery_of(&event, &webhook).await);
        }
        until("the messages", SOON, || async {
            let waiting = world.aws.waiting(queue).await;
            if waiting >= 3 { Ok(()) } else { Err(waiting.to_string()) }
        })
        .await;
        world.aws.purge(queue).await;
    })
    .await;
    tokio::time::sleep(A_WHILE).await;
    world.aws.functions.sweep().await;
    for id in &deliveries {
        assert_eq!(tenant.delivery(id).await["status"], "pending");
    }

    // Pending for a moment is no loss; two are made to have been pending for longer than an hour.
    let progress = recovered(&world, &tenant, &webhook).await;
    assert_eq!((&progress["found"], &progress["requeued"]), (&json!(0), &json!(0)));
    for id in &deliveries[..2] {
        world.aws.rows.put_ago(id, 3700).await;
    }
    let progress = recovered(&world, &tenant, &webhook).await;
    assert_eq!((&progress["found"], &progress["requeued"]), (&json!(2), &json!(2)));
    for id in &deliveries[..2] {
        tenant.settled(id, "succeeded", 1).await;
    }
    assert_eq!((receiver.requests().len(), &tenant.delivery(&deliveries[2]).await["status"]), (2, &json!("pending")));

    world.aws.rows.put_ago(&deliveries[2], 3700).await;
    let progress = recovered(&world, &tenant, &webhook).await;
    assert_eq!((&progress["found"], &progress["requeued"]), (&json!(1), &json!(1)), "the others are delivered");
    let mut ids = Vec::new();
    for id in &deliveries {
        ids.push(text(&tenant.settled(id, "succeeded", 1).await, "event_id").to_owned());
    }
    let mut received: Vec<_> = receiver.requests().iter().map(crate::support::request::Received::event_id).collect();
    received.sort();
    ids.sort();
    assert_eq!(received, ids, "each exactly once");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_purged_retry_queue_is_made_good_by_the_sweep() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [20]});
    let webhook = tenant.create(&body).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    tokio::time::sleep(A_WHILE).await;
    world.aws.purge(&world.stack.queues.retry).await;
    assert_eq!(world.aws.find_schedule(&id, 2).await, None, "so short a delay is the queue's own");

    // Less than the two minutes that the sweep leaves a message, also by the time that a slow machine gets to it.
    world.aws.rows.due_ago(&id, 60).await;
    world.aws.functions.sweep().await;
    tokio::time::sleep(A_WHILE).await;
    assert_told(&tenant.delivery(&id).await, &["status_500"], &receiver, 1);
    world.aws.rows.due_ago(&id, 125).await;
    world.aws.functions.sweep().await;
    let delivery = tenant.settled(&id, "succeeded", 2).await;
    assert_told(&delivery, &["status_500", "succeeded"], &receiver, 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn doubles_in_one_batch_make_one_post() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let (_, id) = one_delivery(&tenant, &receiver).await;
    let message = world.aws.message(&id, 2).await;
    let queue = &world.stack.queues.retry;
    // Collected first, so that they reach the function together.
    without_mapping(&world, "deliver", name_of(queue), world.aws.send_retry_batch(&vec![message; 10])).await;
    tenant.settled(&id, "succeeded", 2).await;
    tokio::time::sleep(A_WHILE).await;
    assert_told(&tenant.delivery(&id).await, &["status_500", "succeeded"], &receiver, 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn events_published_while_the_stream_stands_still_all_arrive() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    // The stream was read before, so that it has a position to go on from.
    let (first, _) = one_delivery(&tenant, &receiver).await;
    receiver.wait_for(1, SOON).await;
    let mut published = vec![first];
    without_mapping(&world, "fanout", &world.stack.tables.events, async {
        // Records that were being read when it was switched off may still pass.
        tokio::time::sleep(A_WHILE).await;
        for number in 0..7 {
            published.push(tenant.publish("dubbing.completed", &json!({"number": number})).await);
        }
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(receiver.requests().len(), 1, "nothing passes while it stands still");
        let event = tenant.api.get(&format!("/v1/events/{}", published[7])).await.ok(200);
        assert_eq!(event["deliveries"], json!([]));
    })
    .await;
    let received = receiver.wait_for(8, SOON).await;
    let mut received: Vec<_> = received.iter().map(crate::support::request::Received::event_id).collect();
    received.sort();
    published.sort();
    assert_eq!(received, published, "each exactly once");
}
