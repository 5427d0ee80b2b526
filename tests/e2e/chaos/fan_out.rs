//! A record that cannot be fanned out, now or ever: it holds up neither its batch mates nor what comes after them, and once it
//! can be, it is made up for, and nothing else is sent again.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use serde_json::{Value, json};

use crate::chaos::{alone, with_proxy, without_mapping};
use crate::support::api::text;
use crate::support::proxy::{Fault, NO_CAPACITY, Proxy, Spoil};
use crate::support::rows::{Row, ago, event_row, s};
use crate::support::{Api, Receiver, SOON, Tenant, World, until};

/// Longer than what is announced again is put off: by then it would have come.
const WHEN_A_DOUBLE_WOULD_HAVE_COME: Duration = Duration::from_secs(18);
/// Long enough for a try that was put off a few times.
const A_FEW_TRIES: Duration = Duration::from_secs(120);

/// Publishes so many events for each of these tenants, one after the other, in one call; the ids.
async fn published(provider: &Api, tenants: &[&Tenant], rounds: usize) -> Vec<String> {
    let event = |tenant: &&Tenant| json!({"tenant_id": tenant.id, "event": "invoice.paid", "data": {}});
    let events: Vec<Value> = (0..rounds).flat_map(|_| tenants.iter().map(event)).collect();
    let answer = provider.post("/v1/events/batch", &json!({"events": events})).await.ok(202);
    answer["results"].as_array().expect("results").iter().map(|result| text(result, "id").to_owned()).collect()
}

/// Does the work while fan-out reads nothing, so that what comes of it comes in one batch.
async fn together<T>(world: &World, work: impl Future<Output = T>) -> T {
    without_mapping(world, "fanout", &world.stack.tables.events, async {
        // Records that were being read when it was switched off may still pass.
        tokio::time::sleep(Duration::from_secs(2)).await;
        work.await
    })
    .await
}

/// How often each event came.
fn came(receiver: &Receiver) -> BTreeMap<String, usize> {
    let mut came = BTreeMap::new();
    for request in receiver.requests() {
        let id = request.header("webhook-id").expect("a standard webhook names its event");
        *came.entry(id.to_owned()).or_default() += 1;
    }
    came
}

fn once(ids: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    ids.into_iter().map(|id| (id, 1)).collect()
}

async fn nothing_unfinished(world: &World) {
    until("no event to be unfinished", A_FEW_TRIES, || async {
        let queue = &world.stack.queues.unfinished;
        let left = world.aws.waiting(queue).await + world.aws.in_flight(queue).await;
        if left == 0 { Ok(()) } else { Err(left.to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_throttled_tenant_holds_up_no_other_and_is_made_up_for() {
    let (world, _guard) = alone().await;
    let (good, bad) = (world.tenant_on("standard", "pro").await, world.tenant_on("standard", "pro").await);
    let (here, all, some) =
        (Receiver::start(world.stack).await, Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    good.webhook(&here.url("/"), &["*"]).await;
    bad.webhook(&all.url("/"), &["*"]).await;
    bad.webhook(&some.url("/"), &["invoice.paid"]).await;
    let provider = world.provider(&["events:write"]).await;
    let proxy = Proxy::start(world.stack).await;
    proxy.add(Fault::of(NO_CAPACITY).on("Query").about(&format!("SUBSCRIPTION#{}#*", bad.id)));
    let ids = with_proxy(&world, "fanout", &proxy, async {
        // The bad ones stand in between.
        let mut ids = together(&world, published(&provider, &[&good, &bad, &good], 4)).await;
        here.wait_for(8, SOON).await;
        // Who was found is sent to, although it is not known who else there is.
        some.wait_for(4, SOON).await;
        // What comes later does not wait either.
        ids.extend(published(&provider, &[&good], 5).await);
        here.wait_for(13, SOON).await;
        assert_eq!(came(&all), BTreeMap::new());
        ids
    })
    .await;
    assert!(proxy.hits() > 0);
    all.wait_for(4, A_FEW_TRIES).await;
    nothing_unfinished(&world).await;
    tokio::time::sleep(WHEN_A_DOUBLE_WOULD_HAVE_COME).await;
    let bad: Vec<String> = ids[..12].iter().skip(1).step_by(3).cloned().collect();
    assert_eq!(came(&here), once(ids.into_iter().filter(|id| !bad.contains(id))));
    assert_eq!((came(&all), came(&some)), (once(bad.clone()), once(bad)), "nothing is announced twice");
}

/// A row of the events table that is no event.
fn poison(tenant: &Tenant) -> (String, Row) {
    let id = format!("evt_poison{}", tenant.id.trim_start_matches("ten_"));
    let texts = [("tenant_id", tenant.id.as_str()), ("id", &id), ("event", "invoice.paid"), ("data", "not JSON")];
    let mut row: Row = texts.map(|(name, value)| (name.to_owned(), s(value))).into();
    row.insert("timestamp".to_owned(), s(ago(0)));
    (id, row)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn poison_that_cannot_even_be_set_aside_holds_up_nobody() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let provider = world.provider(&["events:write"]).await;
    let quarantine = &world.stack.queues.quarantine;
    let (key, row) = poison(&tenant);
    let proxy = Proxy::start(world.stack).await;
    proxy.add(Fault::of(Spoil::Refuse(500, "InternalFailure")).on("SendMessage").about("QuarantineQueue"));
    with_proxy(&world, "fanout", &proxy, async {
        let around = async {
            published(&provider, &[&tenant], 3).await;
            world.aws.rows.put_event(row).await;
            published(&provider, &[&tenant], 3).await;
        };
        together(&world, around).await;
        receiver.wait_for(6, SOON).await;
        published(&provider, &[&tenant], 3).await;
        receiver.wait_for(9, SOON).await;
        until("another try to fail", A_FEW_TRIES, || async {
            let log = world.aws.functions.log("fanout").await;
            let told = log.iter().any(|line| line.contains("fanout.still_unfinished") && line.contains(&key));
            if told { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
    })
    .await;
    let note = until("the note in quarantine", A_FEW_TRIES, || async {
        world.aws.take(quarantine, &key).await.ok_or_else(|| "none".to_owned())
    })
    .await;
    let note: Value = serde_json::from_str(&note).expect("a note should be JSON");
    assert_eq!((&note["source"], &note["keys"]["id"]), (&json!("events stream"), &json!(key)), "{note}");
    assert!(text(&note, "reason").contains("expires_at"), "it says what is wrong with the row: {note}");
    nothing_unfinished(&world).await;
    assert!(came(&receiver).values().all(|times| *times == 1), "{:?}", came(&receiver));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_batch_of_which_not_even_a_note_can_be_left_comes_again() {
    let (world, _guard) = alone().await;
    let (good, bad) = (world.tenant_on("standard", "pro").await, world.tenant_on("standard", "pro").await);
    let (here, there) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    good.webhook(&here.url("/"), &["*"]).await;
    bad.webhook(&there.url("/"), &["*"]).await;
    let provider = world.provider(&["events:write"]).await;
    let proxy = Proxy::start(world.stack).await;
    proxy.add(Fault::of(NO_CAPACITY).on("Query").about(&format!("SUBSCRIPTION#{}#", bad.id)));
    proxy.add(Fault::of(Spoil::Refuse(500, "InternalFailure")).on("SendMessageBatch").about("UnfinishedQueue"));
    let ids = with_proxy(&world, "fanout", &proxy, async {
        let ids = together(&world, published(&provider, &[&good, &bad, &good], 3)).await;
        here.wait_for(6, SOON).await;
        ids
    })
    .await;
    there.wait_for(3, A_FEW_TRIES).await;
    tokio::time::sleep(WHEN_A_DOUBLE_WOULD_HAVE_COME).await;
    let (mut goods, mut bads) = (Vec::new(), Vec::new());
    for (n, id) in ids.into_iter().enumerate() {
        if n % 3 == 1 { bads.push(id) } else { goods.push(id) }
    }
    assert_eq!((came(&here), came(&there)), (once(goods), once(bads)), "its rerun announces nothing twice");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn headers_that_change_while_a_fan_out_dies_and_runs_again_are_those_that_stand_at_the_attempt() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant_on("standard", "pro").await;
    let (early, late) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    let body =
        |receiver: &Receiver| json!({"url": receiver.url("/"), "events": ["*"], "headers": {"x-token": "the first"}});
    let webhooks = [tenant.create(&body(&early)).await, tenant.create(&body(&late)).await];
    let change = json!({"headers": {"x-token": "the second"}});
    let proxy = Proxy::start(world.stack).await;
    // It dies with its rows put and nothing announced.
    proxy.spoil("SendMessageBatch", "DeliverQueue", 1, Spoil::Hang);
    let event = with_proxy(&world, "fanout", &proxy, async {
        let event = tenant.publish("invoice.paid", &json!({})).await;
        until("the fan-out to announce", SOON, || async {
            if proxy.hits() > 0 { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
        for webhook in &webhooks {
            tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &change).await.ok(200);
        }
        assert!(world.aws.functions.kill_all("fanout") > 0, "somebody must be announcing");
        proxy.heal();
        event
    })
    .await;
    for (webhook, receiver) in webhooks.iter().zip([&early, &late]) {
        let id = tenant.delivery_of(&event, webhook).await;
        tenant.settled_within(&id, "succeeded", 1, A_FEW_TRIES).await;
        assert_eq!(receiver.only(SOON).await.header("x-token"), Some("the second"));
    }
    nothing_unfinished(&world).await;
    tokio::time::sleep(WHEN_A_DOUBLE_WOULD_HAVE_COME).await;
    assert_eq!((came(&early), came(&late)), (once([event.clone()]), once([event])));
    assert_eq!(tenant.deliveries(&webhooks[0], "status=pending").await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_filter_and_a_schema_that_change_while_a_fan_out_dies_and_runs_again_judge_nothing_that_came_before() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant_on("standard", "pro").await;
    let receivers =
        [Receiver::start(world.stack).await, Receiver::start(world.stack).await, Receiver::start(world.stack).await];
    let [steady, leaving, joining] = &receivers;
    let filter = |n: u8| json!({"data": {"n": [n]}});
    let webhook = async |receiver: &Receiver, filter: Value| {
        tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "filter": filter})).await
    };
    let steady_one = webhook(steady, filter(1)).await;
    let (leaving_one, joining_one) = (webhook(leaving, filter(1)).await, webhook(joining, filter(2)).await);
    let name = format!("{}.paid", tenant.id);
    let id = format!("evt_{:0>20}", tenant.id.trim_start_matches("ten_"));
    let proxy = Proxy::start(world.stack).await;
    // It dies with its rows put and nothing announced.
    proxy.spoil("SendMessageBatch", "DeliverQueue", 1, Spoil::Hang);
    with_proxy(&world, "fanout", &proxy, async {
        world.aws.rows.put_event(event_row(&tenant.id, &id, &name, r#"{"n":1}"#)).await;
        until("the fan-out to announce", SOON, || async {
            if proxy.hits() > 0 { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
        for (webhook, n) in [(&leaving_one, 2), (&joining_one, 1)] {
            tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &json!({"filter": filter(n)})).await.ok(200);
        }
        let schema = json!({"properties": {"n": {"type": "string"}}});
        world.admin.post("/v1/event-types", &json!({"name": name, "schema": schema})).await.ok(201);
        assert!(world.aws.functions.kill_all("fanout") > 0, "somebody must be announcing");
        proxy.heal();
    })
    .await;
    for webhook in [&steady_one, &leaving_one] {
        let delivery = tenant.delivery_of(&id, webhook).await;
        tenant.settled_within(&delivery, "succeeded", 1, A_FEW_TRIES).await;
    }
    nothing_unfinished(&world).await;
    tokio::time::sleep(WHEN_A_DOUBLE_WOULD_HAVE_COME).await;
    assert_eq!(receivers.each_ref().map(came), [once([id.clone()]), once([id.clone()]), once([])]);
    for webhook in [&steady_one, &leaving_one, &joining_one] {
        assert_eq!(tenant.deliveries(webhook, "status=pending").await, Vec::<Value>::new());
    }
    // What is published from now on is judged by what stands now.
    let next = tenant.publish("invoice.paid", &json!({"n": 1})).await;
    assert_eq!(joining.only(A_FEW_TRIES).await.header("webhook-id"), Some(next.as_str()));
    assert_eq!(came(leaving), once([id]));
    world.admin.delete(&format!("/v1/event-types/{name}")).await.ok(204);
}
