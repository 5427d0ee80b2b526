//! Receivers that take only so much: a limit of their owners', and their own word that they want to be left alone.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::interval;

use crate::chaos::{MINUTE, alone, standard, then};
use crate::support::api::text;
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

const EVENTS: usize = 200;
/// Of one call.
const BATCH: usize = 25;
const LIMIT: usize = 5;
/// Long enough for a receiver to ask for, and for a test to wait for.
const PAUSE: Duration = Duration::from_secs(8);

/// Publishes so many events at once.
async fn publish(tenant: &Tenant, events: usize, event: &str) {
    let events = vec![json!({"event": event, "data": {}}); events];
    let calls = events.chunks(BATCH).map(|events| async move {
        tenant.api.post("/v1/events/batch", &json!({"events": events})).await.ok(202);
    });
    join_all(calls).await;
}

/// Does the work while functions are told at once of what can be received, as AWS tells them. The emulator looks once a second, unless
/// something comes in anywhere: here it does, in a queue that nobody reads.
async fn with_prompt_queues<T>(world: &World, work: impl Future<Output = T>) -> T {
    let queue = &world.stack.queues.triggers;
    let coming_in = async {
        let mut next = interval(Duration::from_millis(100));
        loop {
            next.tick().await;
            world.aws.send(queue, "{}").await;
        }
    };
    let work = async {
        tokio::select! {
            done = work => done,
            () = coming_in => unreachable!("it has no end"),
        }
    };
    then(work, world.aws.purge(queue)).await
}

/// The most requests that came within any span of this length.
fn most_within(times: &[Instant], span: Duration) -> usize {
    let count = |from: &Instant| times.iter().filter(|at| (*from..*from + span).contains(*at)).count();
    times.iter().map(count).max().unwrap_or_default()
}

/// All of a webhook's deliveries once each of them has succeeded.
async fn succeeded(tenant: &Tenant, webhook: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} deliveries to have succeeded"), SOON, || async {
        let found = tenant.deliveries(webhook, "status=succeeded&limit=100").await;
        if found.len() == count { Ok(found) } else { Err(found.len().to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_webhook_with_a_limit_gets_no_more_a_second_and_all_of_it_at_the_first_attempt() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let (receiver, other) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    let body = json!({"url": receiver.url("/"), "events": ["invoice.paid"], "rate_limit": LIMIT});
    let webhook = tenant.create(&body).await;
    tenant.webhook(&other.url("/"), &["invoice.void"]).await;
    let began = Instant::now();
    publish(&tenant, EVENTS, "invoice.paid").await;
    tenant.publish("invoice.void", &json!({})).await;
    other.only(SOON).await;
    assert!(receiver.requests().len() < EVENTS / 2, "who has no limit waits for nobody who has one");
    with_prompt_queues(&world, receiver.wait_for(EVENTS, MINUTE + Duration::from_secs(20))).await;
    let times = receiver.times();
    let took = times[EVENTS - 1].duration_since(times[0]);
    assert!(times[0].duration_since(began) < Duration::from_secs(3), "the first at once: {:?}", times[0] - began);
    for (span, most) in [(1, 2 * LIMIT), (10, 11 * LIMIT)] {
        let came = most_within(&times, Duration::from_secs(span));
        assert!(came <= most, "{came} in {span} s");
    }
    assert!(took < Duration::from_secs(50), "the limit, and not less: {took:?}");
    for delivery in succeeded(&tenant, &webhook, EVENTS).await {
        let whole = tenant.delivery(text(&delivery, "id")).await;
        assert_eq!(whole["attempts"].as_array().map(Vec::len), Some(1), "no attempt is used up: {whole}");
    }
    assert_eq!(receiver.requests().len(), EVENTS, "nor made twice");
    assert!(world.aws.rows.slow(&tenant.id).await.is_empty(), "who takes little is not slow");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_429_that_says_how_long_pauses_the_webhook_and_costs_the_others_no_attempt() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    for limit in [None, Some(20)] {
        let later = Reply::Full(429, vec![("retry-after", PAUSE.as_secs().to_string())], vec![]);
        let receiver = Receiver::scripted(world.stack, [later], Reply::Status(200)).await;
        let body = json!({"url": receiver.url("/"), "events": ["invoice.paid"], "rate_limit": limit});
        let webhook = tenant.create(&body).await;
        publish(&tenant, 1, "invoice.paid").await;
        until("the webhook to be paused", SOON, || async {
            let row = world.aws.rows.webhook(&tenant.id, &webhook).await;
            if row.contains_key("paused_until") { Ok(()) } else { Err(format!("{row:?}")) }
        })
        .await;
        publish(&tenant, 20, "invoice.paid").await;
        succeeded(&tenant, &webhook, 21).await;
        let times = receiver.times();
        let waited = times[1].duration_since(times[0]);
        assert!(waited >= PAUSE, "the next one came {waited:?} after the 429, with a limit of {limit:?}");
        let mut attempts = Vec::new();
        for delivery in tenant.deliveries(&webhook, "limit=100").await {
            let whole = tenant.delivery(text(&delivery, "id")).await;
            attempts.push(whole["attempts"].as_array().map_or(0, Vec::len));
        }
        attempts.sort_unstable();
        assert_eq!((attempts.len(), attempts[19], attempts[20]), (21, 1, 2), "only the one that was refused");
        tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    }
}
