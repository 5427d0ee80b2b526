//! A recovery of thousands: it goes on in sweeps, page by page, and takes each delivery once.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use postrider_domain::delivery::{Delivery, Reason, Status};
use postrider_domain::event::Event;
use postrider_domain::id::EndpointId;
use serde_json::{Value, json};

use crate::chaos::{TRIES, alone, published, scale, standard, sweep, with_proxy, without_mapping};
use crate::support::api::text;
use crate::support::proxy::{Fault, Proxy, Spoil, THROTTLED};
use crate::support::rows::{FAR_OFF, Row, n, undelivered};
use crate::support::stack::say;
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

/// More than one call of the API gets through; `make soak` takes ten thousand.
const MISSED: u64 = 2_000;
const PATIENCE: Duration = Duration::from_secs(300);

/// A delivery that failed after six attempts, long enough ago.
fn given_up(pending: &Delivery) -> Row {
    let failed = Delivery {
        status: Status::Failed,
        reason: Some(Reason::AttemptsExhausted),
        attempts_made: 6,
        ..pending.clone()
    };
    let mut row: Row = serde_dynamo::to_item(&failed).expect("a delivery can be a row");
    row.extend([undelivered(failed.tenant_id.as_str(), failed.id.as_str())]);
    row
}

/// The webhook's messages among these, by their deliveries' ids.
fn messages_of(webhook: &str, bodies: Vec<String>) -> Vec<(String, String)> {
    let ours = bodies.into_iter().filter(|body| body.contains(webhook));
    ours.map(|body| {
        let message: Value = serde_json::from_str(&body).expect("a message should be JSON");
        (text(&message, "delivery_id").to_owned(), body)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn thousands_of_missed_deliveries_are_recovered() {
    let (world, _guard) = alone().await;
    let missed = scale("POSTRIDER_MISSED", MISSED);
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    receiver.wait_for(1, SOON).await;

    let start = Timestamp::now() - SignedDuration::from_hours(2);
    let what = Event {
        tenant_id: tenant.id.parse().expect("an id"),
        id: event.parse().expect("an id"),
        event_type: "dubbing.completed".parse().expect("a type"),
        data: "{}".to_owned(),
        timestamp: start,
        expires_at: FAR_OFF,
        ours: false,
        counted: false,
        job_id: None,
        test_of: None,
        announce: None,
        tags: std::collections::BTreeMap::new(),
        traceparent: None,
    };
    let webhook_id: EndpointId = webhook.parse().expect("an id");
    let missed_at = |number: u64| {
        let timestamp = start + SignedDuration::from_millis(i64::try_from(number).expect("a small number"));
        Delivery::pending(&Event { timestamp, ..what.clone() }, webhook_id.clone(), timestamp, FAR_OFF)
    };
    let rows: Vec<_> = (0..missed).map(missed_at).collect();
    world.aws.rows.put_deliveries(rows.iter().map(given_up).collect()).await;

    let (retry, path) = (&world.stack.queues.retry, format!("/v1/webhooks/{webhook}/recover"));
    let retry_name = retry.rsplit('/').next().expect("a queue's URL ends with its name");
    let sample = without_mapping(&world, "deliver", retry_name, async {
        let begun = Instant::now();
        let span = json!({"since": start.to_string(), "until": (start + SignedDuration::from_hours(1)).to_string()});
        // A page a second, so that no machine is fast enough to be done while its caller waits.
        let proxy = Proxy::start(world.stack).await;
        proxy.add(Fault::of(Spoil::Delay(Duration::from_secs(1))).on("Query"));
        let answer = with_proxy(&world, "ledger", &proxy, tenant.api.post(&path, &span)).await.ok(202);
        assert!(begun.elapsed() < Duration::from_secs(15), "the caller waited for {:?}", begun.elapsed());
        let path = format!("{path}/{}", text(&answer, "recovery_id"));
        let first = tenant.api.get(&path).await.ok(200);
        assert_eq!(first["status"], "running", "so many are more than a caller waits for: {first}");
        let mut sweeps = 0;
        let done = until("the recovery to be done", PATIENCE, || {
            sweeps += 1;
            async {
                world.aws.functions.sweep().await;
                let progress = tenant.api.get(&path).await.ok(200);
                if progress["status"] == "done" { Ok(progress) } else { Err(progress.to_string()) }
            }
        })
        .await;
        say(&format!(
            "recovered {} of {} in {:.0?}, {sweeps} sweeps; at first {}",
            done["requeued"],
            done["found"],
            begun.elapsed(),
            first["requeued"]
        ));
        // Whoever began a round sent its message. Other tests' retries may wait there too, but not many.
        let waiting = world.aws.waiting(retry).await;
        assert!((missed..missed + 100).contains(&waiting), "{waiting} messages, each once: {done}");
        assert_eq!(tenant.deliveries(&webhook, "status=failed&limit=100").await.len(), 0);
        let again = tenant.deliveries(&webhook, "status=retrying&limit=100").await;
        assert_eq!(again.len() as u64, missed);
        assert!(again.iter().all(|delivery| delivery["reason"].is_null()));
        assert!(done["found"].as_u64() <= Some(missed) && done["requeued"].as_u64() <= done["found"].as_u64());
        // The test is over for all but a few: they are neither sent, nor shall the sweep bring them.
        let sample = messages_of(&webhook, world.aws.peek(retry).await);
        world.aws.purge(retry).await;
        let others = rows.iter().map(|row| row.id.as_str()).filter(|row| sample.iter().all(|(id, _)| id != row));
        world.aws.rows.delete_deliveries(others).await;
        for (_, message) in &sample {
            world.aws.send_retry(message).await;
        }
        sample
    })
    .await;
    assert!(!sample.is_empty());
    for (id, _) in &sample {
        until("a delivery of the sample", SOON, || async {
            let delivery = tenant.delivery(id).await;
            if delivery["status"] == "succeeded" { Ok(()) } else { Err(delivery.to_string()) }
        })
        .await;
        // These rows tell of six attempts and hold none; the counter goes on from there.
        assert_eq!(world.aws.rows.delivery(id).await.expect("the row is there")["attempt"], n(7));
    }
    assert_eq!(receiver.requests().len(), 1 + sample.len());
    assert!(receiver.requests().iter().all(|post| post.event_id() == event));
}

/// So many failed deliveries of one webhook, whose receiver takes whatever comes again; the webhook's id and theirs.
async fn failed(tenant: &Tenant, receiver: &Receiver, deliveries: usize) -> (String, Vec<String>) {
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []});
    let webhook = tenant.create(&body).await;
    let ids = published(tenant, &webhook, deliveries).await;
    for id in &ids {
        tenant.settled(id, "failed", 1).await;
    }
    (webhook, ids)
}

/// Begins a recovery of all that a webhook ever missed; where to ask after it.
async fn begun(tenant: &Tenant, webhook: &str) -> String {
    let path = format!("/v1/webhooks/{webhook}/recover");
    let answer = tenant.api.post(&path, &json!({"since": "2020-01-01T00:00:00Z"})).await.ok(202);
    format!("{path}/{}", text(&answer, "recovery_id"))
}

/// The recovery once sweeps, of which some may fail, have come to its end.
async fn done(world: &World, tenant: &Tenant, path: &str) -> Value {
    until("the recovery to be done", PATIENCE, || async {
        sweep(world).await;
        let shown = tenant.api.get(path).await.ok(200);
        if shown["status"] == "done" { Ok(shown) } else { Err(shown.to_string()) }
    })
    .await
}

fn refusing_once(posts: usize) -> Vec<Reply> {
    vec![Reply::Status(500); posts]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_recovery_counts_what_it_sends_again_though_the_queue_refuses_its_messages() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, refusing_once(25), Reply::Status(200)).await;
    let (webhook, ids) = failed(&tenant, &receiver, 25).await;
    let proxy = Proxy::start(world.stack).await;
    // One of three batches is never taken, and its try in the API is all that the recovery makes.
    proxy.add(Fault::of(Spoil::Refuse(500, "InternalError")).on("SendMessageBatch").about(&ids[0]));
    let path = with_proxy(&world, "ledger", &proxy, begun(&tenant, &webhook)).await;
    let done = done(&world, &tenant, &path).await;
    assert_eq!((&done["found"], &done["requeued"]), (&json!(25), &json!(25)), "{done}");
    assert_eq!(proxy.hits(), TRIES);
    // What no message was taken for is due, and the sweep's.
    for id in &ids {
        if tenant.delivery(id).await["status"] == "retrying" {
            world.aws.rows.due_ago(id, 300).await;
        }
    }
    world.aws.functions.sweep().await;
    for id in &ids {
        tenant.settled(id, "succeeded", 2).await;
    }
    assert_eq!(receiver.requests().len(), 50, "each was sent again once");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_recovery_counts_once_what_it_did_unheard() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, refusing_once(5), Reply::Status(200)).await;
    let (webhook, ids) = failed(&tenant, &receiver, 5).await;
    let proxy = Proxy::start(world.stack).await;
    let path = with_proxy(&world, "ledger", &proxy, async {
        // A round begins, and none of the SDK's tries is answered: the page is to be seen again.
        proxy.add(Fault::of(Spoil::LoseAnswer).on("UpdateItem").about(&ids[0]).times(TRIES));
        begun(&tenant, &webhook).await
    })
    .await;
    assert_eq!(proxy.hits(), TRIES);
    let recovery = path.rsplit('/').next().expect("a path").to_owned();
    with_proxy(&world, "sweep", &proxy, async {
        // Then the page is noted, and nobody hears of that either.
        proxy.add(Fault::of(Spoil::LoseAnswer).on("TransactWriteItems").about(&recovery).times(TRIES));
        sweep(&world).await;
    })
    .await;
    let done = done(&world, &tenant, &path).await;
    assert_eq!((&done["found"], &done["requeued"]), (&json!(5), &json!(5)), "{done}");
    if tenant.delivery(&ids[0]).await["status"] == "retrying" {
        world.aws.rows.due_ago(&ids[0], 300).await;
    }
    world.aws.functions.sweep().await;
    for id in &ids {
        tenant.settled(id, "succeeded", 2).await;
    }
    assert_eq!(receiver.requests().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn sweeps_that_meet_carry_a_recovery_on_once() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, refusing_once(60), Reply::Status(200)).await;
    let (webhook, ids) = failed(&tenant, &receiver, 60).await;
    let refusing = Proxy::start(world.stack).await;
    refusing.add(Fault::of(THROTTLED).on("Query"));
    let path = with_proxy(&world, "ledger", &refusing, begun(&tenant, &webhook)).await;
    assert_eq!(tenant.api.get(&path).await.ok(200)["found"], 0, "only begun");
    futures::future::join_all((0..3).map(|_| sweep(&world))).await;
    let done = done(&world, &tenant, &path).await;
    assert_eq!((&done["found"], &done["requeued"]), (&json!(60), &json!(60)), "{done}");
    for id in &ids {
        tenant.settled(id, "succeeded", 2).await;
    }
    assert_eq!(receiver.requests().len(), 120, "each was sent again once");
}
