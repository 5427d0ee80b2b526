//! Sweeps while something fails: nothing waits behind it, and nothing is brought twice.

use jiff::{SignedDuration, Timestamp};
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::event::Event;
use postrider_domain::id::EndpointId;
use serde_json::json;

use crate::chaos::{
    MINUTE, SHORT, TRIES, alone, core_of, delivery_to, published, standard, sweep, with_proxies, with_proxy,
    with_short_visibility,
};
use crate::support::api::text;
use crate::support::proxy::{Fault, NO_CAPACITY, Proxy, Spoil, THROTTLED};
use crate::support::rows::{FAR_OFF, Row, ago, n, s, shard_of, undelivered};
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn dead_letter_first_failure() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let proxy = Proxy::start(world.stack).await;
    let (dead, quarantine) = (&world.stack.queues.dead, &world.stack.queues.quarantine);
    proxy.add(Fault::of(NO_CAPACITY).on("UpdateItem"));
    let work = Box::pin(async {
        let ids = published(&tenant, &webhook, 5).await;
        until("five dead letters", 3 * MINUTE, || async {
            let waiting = world.aws.waiting(dead).await;
            if waiting >= 5 { Ok(()) } else { Err(format!("{waiting}")) }
        })
        .await;
        let failed = sweep(&world).await;
        assert!(failed["errorMessage"].is_string(), "a sweep that was refused says so: {failed}");
        ids
    });
    let through_both = with_proxies(&world, &["deliver", "sweep"], &proxy, work);
    let ids = with_short_visibility(&world, SHORT, through_both).await;
    for id in &ids {
        assert_eq!(world.aws.take(quarantine, id).await, None, "nothing is set aside that can be read");
    }
    for id in &ids {
        until("the delivery to go on by itself", 3 * MINUTE, || async {
            sweep(&world).await;
            let delivery = tenant.delivery(id).await;
            if delivery["status"] == "succeeded" { Ok(()) } else { Err(delivery.to_string()) }
        })
        .await;
    }
}

/// Rows that are overdue by ten minutes, enough that they lie in several shards of the index.
async fn overdue(world: &World, tenant: &Tenant, receiver: &Receiver, rows: usize) -> Vec<String> {
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [86_400]});
    let webhook = tenant.create(&body).await;
    let ids = published(tenant, &webhook, rows).await;
    for id in &ids {
        tenant.settled(id, "retrying", 1).await;
        world.aws.delete_schedule(id, 2).await;
        world.aws.rows.due_ago(id, 600).await;
    }
    ids
}

/// Which shard of what is due a delivery lies in.
fn due_shard_of(id: &str) -> u8 {
    shard_of(id, 16)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn due_shard_starves() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let ids = overdue(&world, &tenant, &receiver, 24).await;
    let lowest = ids.iter().map(|id| due_shard_of(id)).min().expect("there are rows");
    let (stuck, free): (Vec<_>, Vec<_>) = ids.iter().partition(|id| due_shard_of(id) == lowest);
    assert!(!free.is_empty());
    let proxy = Proxy::start(world.stack).await;
    let shard = format!("\"{lowest:02}\"");
    proxy.add(Fault::of(THROTTLED).on("Query").index("due").about(&shard));
    with_proxy(&world, "sweep", &proxy, async {
        let failed = sweep(&world).await;
        assert!(failed["errorMessage"].is_string(), "it says at the end that a shard failed: {failed}");
        for id in &free {
            tenant.settled(id, "failed", 2).await;
        }
        assert!(proxy.hits() >= TRIES);
    })
    .await;
    for id in &stuck {
        assert_eq!(tenant.delivery(id).await["status"], "retrying");
    }
    sweep(&world).await;
    for id in stuck {
        tenant.settled(id, "failed", 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_letter_that_nobody_can_place_holds_up_no_other() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600, 3600]});
    let (_, broken) = delivery_to(&tenant, &tenant.create(&body).await).await;
    let (_, good) = delivery_to(&tenant, &tenant.create(&body).await).await;
    let messages = [world.aws.message(&broken, 2).await, world.aws.message(&good, 2).await];
    let webhook = text(&tenant.delivery(&broken).await, "webhook_id").to_owned();
    world.aws.rows.amend(&tenant.id, &format!("WEBHOOK#{webhook}"), "headers", n(7)).await;
    for message in &messages {
        world.aws.send(&world.stack.queues.dead, message).await;
    }
    let quarantine = &world.stack.queues.quarantine;
    let note = until("the note about what cannot be read", MINUTE, || async {
        sweep(&world).await;
        world.aws.take(quarantine, &broken).await.ok_or_else(|| "none".to_owned())
    })
    .await;
    assert!(note.contains("cannot be read"), "{note}");
    tenant.settled(&good, "retrying", 2).await;
}

/// So many deliveries of a webhook that wait for their second attempt and are late by so many seconds, all in one shard of the
/// index; their ids.
async fn late_in_one_shard(
    world: &World,
    (tenant, webhook, event): (&Tenant, &str, &str),
    (rows, seconds): (usize, i64),
) -> Vec<String> {
    let at = Timestamp::now() - SignedDuration::from_hours(1);
    let what = Event {
        tenant_id: tenant.id.parse().expect("an id"),
        id: event.parse().expect("an id"),
        event_type: "invoice.paid".parse().expect("a type"),
        data: "{}".to_owned(),
        timestamp: at,
        expires_at: FAR_OFF,
        ours: false,
        counted: false,
        job_id: None,
        test_of: None,
        announce: None,
        tags: std::collections::BTreeMap::new(),
        traceparent: None,
    };
    let webhook: EndpointId = webhook.parse().expect("an id");
    let each = (0..).map(|n| at + SignedDuration::from_millis(n));
    let each = each
        .map(|timestamp| Delivery::pending(&Event { timestamp, ..what.clone() }, webhook.clone(), timestamp, FAR_OFF));
    let of_shard: Vec<Delivery> = each.filter(|row| due_shard_of(row.id.as_str()) == 7).take(rows).collect();
    let late = |row: &Delivery| -> Row {
        let due = Some(Timestamp::now() - SignedDuration::from_secs(seconds));
        let late = Delivery { status: Status::Retrying, attempts_made: 1, next_attempt_at: due, ..row.clone() };
        let mut row: Row = serde_dynamo::to_item(&late).expect("a delivery can be a row");
        let listed = [("due_shard", s("07")), ("due_at", s(ago(seconds)))];
        row.extend(listed.map(|(name, value)| (name.to_owned(), value)));
        row.extend([undelivered(&tenant.id, late.id.as_str())]);
        row
    };
    world.aws.rows.put_deliveries(of_shard.iter().map(late).collect()).await;
    of_shard.into_iter().map(|row| row.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_queue_that_does_not_tell_how_long_it_is_leaves_nothing_overdue() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let (event, _) = delivery_to(&tenant, &webhook).await;
    receiver.wait_for(1, SOON).await;
    // More than a page, late by minutes.
    let ids = late_in_one_shard(&world, (&tenant, &webhook, &event), (130, 600)).await;
    let proxy = Proxy::start(world.stack).await;
    proxy.add(Fault::of(THROTTLED).on("GetQueueAttributes"));
    with_proxy(&world, "sweep", &proxy, async {
        let failed = sweep(&world).await;
        assert!(failed["errorMessage"].is_string(), "it says at the end that the queue did not tell: {failed}");
        receiver.wait_for(1 + ids.len(), MINUTE).await;
    })
    .await;
    assert!(proxy.hits() >= TRIES);
    world.aws.rows.delete_deliveries(ids.iter().map(String::as_str)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_sweep_whose_clock_is_wrong_brings_what_is_due_by_awss() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    // How far AWS is ahead, how long ago by this machine's clock a row was due, and whether it is overdue by AWS's.
    for (ahead, due_ago, is_overdue) in [(-600, 300, false), (-600, 900, true), (240, -60, true), (240, -200, false)] {
        let failures = [Reply::Status(500), Reply::Status(500)];
        let receiver = Receiver::scripted(world.stack, failures, Reply::Status(200)).await;
        let ids = overdue(&world, &tenant, &receiver, 2).await;
        let [judged, long_overdue] = ids.as_slice() else { panic!("two rows were asked for") };
        world.aws.rows.due_ago(judged, due_ago).await;
        world.aws.rows.due_ago(long_overdue, 3_600).await;
        let proxy = Proxy::start(world.stack).await;
        proxy.set_clock_ahead(ahead);
        // Cold: its first answer tells it the time. Other tests' rows may be among what it brings, so it is not counted.
        with_proxy(&world, "sweep", &proxy, world.aws.functions.sweep()).await;
        tenant.settled(long_overdue, "succeeded", 2).await;
        if is_overdue {
            tenant.settled(judged, "succeeded", 2).await;
        } else {
            let told = tenant.delivery(judged).await;
            let attempts = told["attempts"].as_array().map_or(0, Vec::len);
            assert_eq!(attempts, 1, "AWS is {ahead} s ahead, due {due_ago} s ago: {told}");
            tenant.api.post(&format!("/v1/deliveries/{judged}/cancel"), &json!({})).await.ok(202);
            assert_eq!(receiver.requests().len(), 3);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn letters_that_hang_take_nobody_elses_time() {
    let (world, _guard) = alone().await;
    let (tenant, other) = (standard(&world).await, standard(&world).await);
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []});
    let (missed, hanging) = (tenant.create(&body).await, other.create(&body).await);
    let (failed, letters) = (published(&tenant, &missed, 3).await, published(&other, &hanging, 12).await);
    for (owner, ids) in [(&tenant, &failed), (&other, &letters)] {
        for id in ids {
            owner.settled(id, "failed", 1).await;
        }
    }
    let proxy = Proxy::start(world.stack).await;
    proxy.add(Fault::of(Spoil::Hang).on("UpdateItem").about(core_of(&hanging)));
    let recover = format!("/v1/webhooks/{missed}/recover");
    let swept = with_proxies(&world, &["sweep"], &proxy, async {
        // A recovery that the API only begins.
        let refusing = Proxy::start(world.stack).await;
        refusing.add(Fault::of(THROTTLED).on("Query"));
        let asked = json!({"since": "2020-01-01T00:00:00Z"});
        let begun = with_proxy(&world, "ledger", &refusing, tenant.api.post(&recover, &asked)).await.ok(202);
        for id in &letters {
            // Failed rows would make their letters stale.
            world.aws.rows.set_delivery(id, "status", s("retrying")).await;
            world.aws.rows.set_delivery(id, "next_attempt_at", s(ago(-86_400))).await;
            let message = json!({"v": 2, "tenant_id": other.id, "endpoint_id": hanging, "delivery_id": id,
                "event_id": other.delivery(id).await["event_id"], "attempt": 2});
            world.aws.send(&world.stack.queues.dead, &message.to_string()).await;
        }
        let failed = sweep(&world).await;
        assert!(failed["errorMessage"].is_string(), "it says at the end that letters failed: {failed}");
        tenant.api.get(&format!("{recover}/{}", text(&begun, "recovery_id"))).await.ok(200)
    })
    .await;
    assert!(proxy.hits() >= 10, "{} calls hung", proxy.hits());
    assert_eq!((&swept["status"], &swept["requeued"]), (&json!("done"), &json!(3)), "{swept}");
    for id in &failed {
        tenant.settled(id, "failed", 2).await;
    }
    // The letters stay until AWS takes what they stand for.
    for id in &letters {
        until("the letter to be recorded", 2 * MINUTE, || async {
            sweep(&world).await;
            let attempts = other.delivery(id).await["attempts"].as_array().map_or(0, Vec::len);
            if attempts >= 2 { Ok(()) } else { Err(attempts.to_string()) }
        })
        .await;
        other.api.post(&format!("/v1/deliveries/{id}/cancel"), &json!({})).await;
    }
}
