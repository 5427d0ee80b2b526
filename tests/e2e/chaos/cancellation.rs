//! A cancellation of thousands: it goes on in sweeps, page by page, whoever dies in between, and calls each delivery off once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::event::Event;
use postrider_domain::id::{DeliveryId, EndpointId};
use serde_json::{Value, json};

use crate::again::act;
use crate::chaos::{TRIES, alone, published, scale, standard, sweep, with_outages_after, with_proxies, with_proxy};
use crate::support::api::text;
use crate::support::proxy::{Fault, Proxy, Spoil, THROTTLED};
use crate::support::rows::{FAR_OFF, Row, undelivered};
use crate::support::stack::say;
use crate::support::{Gate, Receiver, Reply, SOON, Tenant, World, until};

/// More than one call of the API gets through.
const WAITING: u64 = 2_000;
const PATIENCE: Duration = Duration::from_secs(300);

/// Rows of so many deliveries of a webhook, each of which waits in one of the ways that there are.
fn waiting(tenant: &Tenant, webhook: &str, event: &str, count: u64) -> Vec<Delivery> {
    let start = Timestamp::now() - SignedDuration::from_hours(2);
    let endpoint: EndpointId = webhook.parse().expect("an id");
    let row = |number: u64| {
        let timestamp = start + SignedDuration::from_millis(i64::try_from(number).expect("a small number"));
        let event = Event {
            tenant_id: tenant.id.parse().expect("an id"),
            id: event.parse().expect("an id"),
            event_type: "dubbing.completed".parse().expect("a type"),
            data: "{}".to_owned(),
            timestamp,
            expires_at: FAR_OFF,
            ours: false,
            counted: false,
            job_id: None,
            announce: None,
            test_of: None,
            tags: std::collections::BTreeMap::new(),
            traceparent: None,
        };
        let pending = Delivery::pending(&event, endpoint.clone(), timestamp, FAR_OFF);
        let far_off = Timestamp::from_second(FAR_OFF).expect("a time");
        match number % 4 {
            0 => Delivery { status: Status::Retrying, attempts_made: 2, next_attempt_at: Some(far_off), ..pending },
            1 => Delivery { waits_until: Some(far_off), ..pending },
            // Every fourth has ended already.
            2 => Delivery { status: Status::Succeeded, attempts_made: 1, ..pending },
            _ => pending,
        }
    };
    (0..count).map(row).collect()
}

fn as_row(delivery: &Delivery) -> Row {
    let mut row: Row = serde_dynamo::to_item(delivery).expect("a delivery can be a row");
    if delivery.status == Status::Retrying {
        row.extend([undelivered(delivery.tenant_id.as_str(), delivery.id.as_str())]);
    }
    row
}

fn path(webhook: &str, begun: &Value) -> String {
    format!("/v1/webhooks/{webhook}/cancel-pending/{}", text(begun, "cancellation_id"))
}

async fn begin(tenant: &Tenant, webhook: &str) -> Value {
    tenant.api.post(&format!("/v1/webhooks/{webhook}/cancel-pending"), &json!({})).await.ok(202)
}

/// The cancellation once sweeps, of which some may fail, have come to its end.
async fn complete(world: &World, tenant: &Tenant, path: &str) -> Value {
    until("the cancellation to be complete", PATIENCE, || async {
        sweep(world).await;
        let shown = tenant.api.get(path).await.ok(200);
        if shown["complete"] == true { Ok(shown) } else { Err(shown.to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn thousands_that_wait_are_called_off_while_functions_die() {
    let (world, _guard) = alone().await;
    let count = scale("POSTRIDER_WAITING", WAITING);
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    receiver.wait_for(1, SOON).await;
    let rows = waiting(&tenant, &webhook, &event, count);
    world.aws.rows.put_deliveries(rows.iter().map(as_row).collect()).await;
    let wait = |row: &&Delivery| !row.status.is_final();
    let expected = rows.iter().filter(wait).count() as u64;

    let proxy = Proxy::start(world.stack).await;
    let (begun, done, later) = with_proxies(&world, &["ledger", "sweep"], &proxy, async {
        // A page in some seconds, so that each process is killed within one.
        proxy.add(Fault::of(Spoil::Delay(Duration::from_secs(1))).on("Query").about(&webhook));
        proxy.add(Fault::of(Spoil::Delay(Duration::from_millis(20))).on("UpdateItem"));
        let begun = begin(&tenant, &webhook).await;
        assert_eq!(begun["complete"], false, "so many are more than a caller waits for: {begun}");
        // What comes now is not meant.
        let later = tenant.publish("dubbing.completed", &json!({})).await;
        let later = tenant.delivery_of(&later, &webhook).await;
        let shown = path(&webhook, &begun);
        let mut killed = 0;
        for _ in 0..3 {
            let (sweeping, before) = (sweep(&world), proxy.hits());
            // Its page is read, and some of it is called off.
            let killing = async {
                until("a page to be under way", SOON, || async {
                    if proxy.hits() > before + 20 { Ok(()) } else { Err(format!("{} calls", proxy.hits())) }
                })
                .await;
                world.aws.functions.kill_all("sweep")
            };
            killed += futures::future::join(sweeping, killing).await.1;
        }
        assert!(killed > 0, "nobody was killed");
        proxy.heal();
        (begun, complete(&world, &tenant, &shown).await, later)
    })
    .await;
    say(&format!("called off {} of {} waiting; at first {}", done["cancelled"], done["found"], begun["cancelled"]));
    assert_eq!((done["found"].as_u64(), done["cancelled"].as_u64()), (Some(expected), Some(expected)), "{done}");
    let cancelled = tenant.deliveries(&webhook, "status=cancelled&limit=200").await;
    assert_eq!(cancelled.len() as u64, expected);
    assert!(cancelled.iter().all(|row| row["cancellation_id"] == begun["cancellation_id"]), "by this call");
    assert_eq!(tenant.deliveries(&webhook, "status=retrying&limit=200").await.len(), 0);
    tenant.settled(&later, "succeeded", 1).await;
    assert_eq!(receiver.requests().len(), 2, "nothing of what was called off is sent");
    let ids: Vec<DeliveryId> = rows.into_iter().map(|row| row.id).collect();
    world.aws.rows.delete_deliveries(ids.iter().map(DeliveryId::as_str)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_cancellation_counts_once_what_it_did_unheard_and_lets_later_rounds_be() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, vec![Reply::Status(500); 6], Reply::Status(200)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]})).await;
    let ids = published(&tenant, &webhook, 6).await;
    for id in &ids {
        tenant.settled(id, "retrying", 1).await;
    }
    let proxy = Proxy::start(world.stack).await;
    let begun = with_proxy(&world, "ledger", &proxy, async {
        // One is called off and nobody hears of it, another is not called off now: the page is to be seen again.
        proxy.add(Fault::of(Spoil::LoseAnswer).on("UpdateItem").about(&ids[0]).times(TRIES));
        proxy.add(Fault::of(THROTTLED).on("UpdateItem").about(&ids[1]));
        begin(&tenant, &webhook).await
    })
    .await;
    assert_eq!((&begun["found"], &begun["complete"]), (&json!(0), &json!(false)), "the page is not counted: {begun}");
    // Somebody asks for that one, and for one that was called off, before the sweep goes on.
    act(&tenant, &ids[1], "retry").await.ok(202);
    act(&tenant, &ids[2], "retry").await.ok(202);
    let recovery = path(&webhook, &begun);
    with_proxy(&world, "sweep", &proxy, async {
        // Then the page is noted, and nobody hears of that either.
        let id = text(&begun, "cancellation_id");
        proxy.add(Fault::of(Spoil::LoseAnswer).on("TransactWriteItems").about(id).times(TRIES));
        sweep(&world).await;
    })
    .await;
    let done = complete(&world, &tenant, &recovery).await;
    assert_eq!((&done["found"], &done["cancelled"]), (&json!(5), &json!(5)), "{done}");
    for (id, status, attempts) in [(0, "cancelled", 1), (1, "succeeded", 2), (2, "succeeded", 2), (3, "cancelled", 1)] {
        tenant.settled(&ids[id], status, attempts).await;
    }
    assert_eq!(receiver.requests().len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_is_parked_is_called_off_and_its_webhook_recovers_with_what_comes_next() {
    const OUTAGE_SECONDS: u64 = 5;
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let gate = Gate::shut();
    let receiver = Receiver::scripted(world.stack, [], Reply::Until(gate.clone(), 503)).await;
    let state = async |webhook: &str| {
        let shown = tenant.api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200);
        shown["parking"]["state"].as_str().unwrap_or("none").to_owned()
    };
    with_outages_after(&world, OUTAGE_SECONDS, async {
        let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
        let first = published(&tenant, &webhook, 1).await.remove(0);
        until("the webhook to be down", PATIENCE, || async {
            let state = state(&webhook).await;
            if state == "down" { Ok(()) } else { Err(state) }
        })
        .await;
        let parked = published(&tenant, &webhook, 5).await;
        let begun = begin(&tenant, &webhook).await;
        assert_eq!((&begun["found"], &begun["complete"]), (&json!(6), &json!(true)), "{begun}");
        for id in parked.iter().chain([&first]) {
            let shown = tenant.delivery(id).await;
            assert_eq!((&shown["status"], &shown["waiting_for"]), (&json!("cancelled"), &Value::Null), "{shown}");
        }
        gate.open();
        let before = receiver.requests().len();
        let later = published(&tenant, &webhook, 1).await.remove(0);
        until("what comes next to be delivered", PATIENCE, || async {
            sweep(&world).await;
            let shown = tenant.delivery(&later).await;
            if shown["status"] == "succeeded" { Ok(()) } else { Err(shown.to_string()) }
        })
        .await;
        until("the webhook to be down no more", PATIENCE, || async {
            let state = state(&webhook).await;
            if state == "down" { Err(state) } else { Ok(()) }
        })
        .await;
        assert_eq!(receiver.requests().len(), before + 1, "nothing of what was called off is sent");
    })
    .await;
}
