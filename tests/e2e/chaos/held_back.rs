//! What Postrider leaves alone for now: a queue that is behind already, and a POST that its time would not suffice for.

use std::time::Duration;

use serde_json::json;

use crate::chaos::{
    SHORT, alone, assert_told, delivery_to, one_delivery, then, with_short_visibility, without_mapping,
};
use crate::support::proxy::{Proxy, Spoil};
use crate::support::{Receiver, Reply, SOON, World, until};

/// Above what the sweep takes for a backlog.
const BACKLOG: usize = 1_020;
/// Less than the slowest time-out and its margin, so that deliver starts nothing.
const TOO_SHORT: u64 = 20;
/// Long enough for a message that may be worked on to have been.
const A_WHILE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_sweep_does_not_multiply_a_backlog() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let (_, id) = one_delivery(&tenant, &receiver).await;
    tenant.settled(&id, "retrying", 1).await;
    let queue = &world.stack.queues.retry;
    let name = queue.rsplit('/').next().expect("a queue's URL ends with its name");
    // Messages for an attempt long made: they only fill the queue.
    let stale = world.aws.message(&id, 2).await.replace("\"attempt\":2", "\"attempt\":1");
    without_mapping(&world, "deliver", name, async {
        for _ in 0..BACKLOG / 10 {
            world.aws.send_retry_batch(&vec![stale.clone(); 10]).await;
        }
        world.aws.rows.due_ago(&id, 300).await;
        let summary = world.aws.functions.sweep().await;
        assert_eq!((&summary["held_back"], &summary["rescued"]), (&json!(true), &json!(0)), "{summary}");
        // What is so late cannot be among what waits: the queue may be full of others' messages.
        world.aws.rows.due_ago(&id, 2_000).await;
        let summary = world.aws.functions.sweep().await;
        assert_eq!(summary["held_back"], json!(true), "{summary}");
        // Other tests' rows may be among those that are so late, but few of them, and this one once.
        assert!((1..10).contains(&summary["rescued"].as_u64().expect("a number")), "{summary}");
        let log = world.aws.functions.log("sweep").await;
        let rescued = log.iter().filter(|line| line.contains("delivery.rescued") && line.contains(&id));
        assert_eq!(rescued.count(), 1);
        world.aws.purge(queue).await;
    })
    .await;
    world.aws.functions.sweep().await;
    assert_told(&tenant.settled(&id, "succeeded", 2).await, &["status_500", "succeeded"], &receiver, 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn no_post_starts_with_too_little_time_left() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let before = world.aws.functions.timeout("deliver").await;
    with_short_visibility(&world, SHORT, async {
        let id = then(hurried(&world, &tenant, &receiver), world.aws.functions.set_timeout("deliver", before)).await;
        assert_told(&tenant.settled(&id, "succeeded", 1).await, &["succeeded"], &receiver, 1);
    })
    .await;
}

/// Publishes while deliver has less time than a POST may take; the delivery, which nobody has attempted.
async fn hurried(world: &World, tenant: &crate::support::Tenant, receiver: &Receiver) -> String {
    world.aws.functions.set_timeout("deliver", TOO_SHORT).await;
    let (_, id) = one_delivery(tenant, receiver).await;
    until("the message to be handed back", SOON, || async {
        let log = world.aws.functions.log("deliver").await;
        let told = log.iter().any(|line| line.contains("deliver.handed_back") && line.contains(&id));
        if told { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!((tenant.delivery(&id).await["status"].clone(), receiver.requests().len()), (json!("pending"), 0));
    id
}

/// A function that has read its rows can be frozen, or wait for a secret, while somebody calls the delivery off.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_was_called_off_while_a_secret_was_slow_is_not_sent() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "secret": "whsec_that_comes_late"});
    let webhook = tenant.create(&body).await;
    let proxy = Proxy::start(world.stack).await;
    // The first try gets no answer; the second comes after longer than what was read is good for.
    proxy.spoil("GetSecretValue", "", 1, Spoil::Hang);
    let before = world.aws.functions.environment("deliver").await;
    let mut variables = before.clone();
    variables.insert("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), json!(proxy.url));
    world.aws.functions.set_environment("deliver", variables).await;
    // Others may have left some that come back in minutes.
    let left = world.aws.in_flight(&world.stack.queues.deliver).await;
    let work = async {
        let (_, id) = delivery_to(&tenant, &webhook).await;
        until("the secret to be asked for", SOON, || async {
            if proxy.hits() == 1 { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
        tenant.api.post(&format!("/v1/deliveries/{id}/cancel"), &json!({})).await.ok(202);
        // What is published now waits for the same secret.
        let (_, other) = delivery_to(&tenant, &webhook).await;
        tenant.settled(&other, "succeeded", 1).await;
        until("the first batch to end", SOON, || async {
            let waiting = world.aws.in_flight(&world.stack.queues.deliver).await;
            if waiting <= left { Ok(()) } else { Err(format!("{waiting} messages")) }
        })
        .await;
        assert_eq!(receiver.requests().len(), 1, "no POST starts once it was called off");
        assert_eq!(tenant.delivery(&id).await["status"], "cancelled");
    };
    then(work, async {
        proxy.heal();
        world.aws.functions.set_environment("deliver", before).await;
    })
    .await;
}
