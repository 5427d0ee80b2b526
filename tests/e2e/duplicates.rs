//! Messages and schedules that come twice, or never: SQS and Scheduler promise at least once, and a hint may be lost.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::rows::n;
use crate::support::{Receiver, Reply, SOON, Tenant, World, canary, until};

async fn retrying(tenant: &Tenant, receiver: &Receiver) -> String {
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({"text": canary!("data")})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    id
}

fn numbers(delivery: &Value) -> Vec<u64> {
    let attempts = delivery["attempts"].as_array().expect("attempts should be an array");
    attempts.iter().map(|attempt| attempt["number"].as_u64().expect("an attempt has a number")).collect()
}

/// The counter of a delivery's row, which no late attempt moves.
async fn counted(world: &World, id: &str) -> Option<AttributeValue> {
    world.aws.rows.delivery(id).await.map(|row| row["attempt"].clone())
}

/// The delivery once it has been tried again and tells of every POST that its receiver saw.
async fn on_record(tenant: &Tenant, receiver: &Receiver, id: &str) -> Value {
    until("every POST to be on record", SOON, || async {
        let (delivery, posts) = (tenant.delivery(id).await, receiver.requests().len());
        let made = numbers(&delivery).len();
        if made > 1 && made == posts { Ok(delivery) } else { Err(format!("{posts} POSTs: {delivery}")) }
    })
    .await
}

/// A delivery, made and settled after what is to be seen as over: everything sent before it has been worked on.
async fn marker(world: &World) {
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let id = retrying(&tenant, &receiver).await;
    world.aws.attempt_now(&id, 2).await;
    tenant.settled(&id, "succeeded", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_whose_messages_are_multiplied_is_counted_once() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let id = retrying(&tenant, &receiver).await;
    for attempt in 2..=4 {
        // The schedule's message many times over: in one batch, and each by itself at the same time.
        let message = world.aws.message(&id, attempt).await;
        let batch = vec![message.clone(); 10];
        let alone = join_all((0..10).map(|_| world.aws.send_retry(&message)));
        tokio::join!(world.aws.send_retry_batch(&batch), alone);
        until(&format!("attempt {attempt} to be counted"), SOON, || async {
            let counted = counted(&world, &id).await;
            if counted == Some(n(attempt)) { Ok(()) } else { Err(format!("{counted:?}")) }
        })
        .await;
    }
    marker(&world).await;
    let posts = receiver.requests();
    let delivery = on_record(&tenant, &receiver, &id).await;
    assert!(numbers(&delivery).into_iter().eq(1..=posts.len() as u64), "copies that met in two functions: {delivery}");
    assert_eq!(delivery["status"], "retrying");
    assert_eq!(counted(&world, &id).await, Some(n(4)), "each was counted once");
    assert!(world.aws.find_schedule(&id, 6).await.is_none(), "and led to one more");
    assert!(posts.iter().all(|post| post.event_id() == text(&delivery, "event_id")));

    // Now that the row tells of the attempts, no double of theirs makes a POST.
    let third = world.aws.message(&id, 5).await.replace(r#""attempt":5"#, r#""attempt":3"#);
    join_all((0..5).map(|_| world.aws.send_retry(&third))).await;
    marker(&world).await;
    assert_eq!(receiver.requests().len(), posts.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_schedule_is_made_good_by_the_sweep_and_not_before_its_time() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let id = retrying(&tenant, &receiver).await;
    world.aws.delete_schedule(&id, 2).await;
    world.aws.functions.sweep().await;
    marker(&world).await;
    assert_eq!(numbers(&tenant.delivery(&id).await), [1], "it is not due yet");

    world.aws.rows.due_ago(&id, 300).await;
    // Two sweeps at once, as when one takes longer than the time between two.
    tokio::join!(world.aws.functions.sweep(), world.aws.functions.sweep());
    let delivery = on_record(&tenant, &receiver, &id).await;
    marker(&world).await;
    assert_eq!(delivery["status"], "succeeded", "{delivery}");
    assert_eq!(counted(&world, &id).await, Some(n(2)), "copies that met in two functions count once");
    assert!(receiver.requests().iter().all(|post| post.event_id() == text(&delivery, "event_id")));
    let after = on_record(&tenant, &receiver, &id).await;
    assert_eq!(numbers(&after), numbers(&delivery), "nothing comes after the success");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_is_not_needed_by_what_is_on_its_way() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver =
        Receiver::scripted(world.stack, [Reply::Late(Duration::from_secs(3), 500)], Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    receiver.wait_for(1, SOON).await;
    world.aws.functions.sweep().await;
    let id = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    world.aws.functions.sweep().await;
    assert_eq!((receiver.requests().len(), numbers(&tenant.delivery(&id).await)), (1, vec![1]));
    until("the schedule", SOON, || async { world.aws.find_schedule(&id, 2).await.ok_or_else(|| "none".to_owned()) })
        .await;
}
