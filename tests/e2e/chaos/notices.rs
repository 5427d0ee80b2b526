//! A failure and its notice while answers are lost, functions die, and nobody can say how it is told of: there are both, once. And so it
//! is with those that are told of together.

use futures::future::{join, join3};
use serde_json::json;

use crate::chaos::{
    MINUTE, SHORT, TRIES, alone, core_of, delivery_to, published, standard, sweep, with_proxy, with_short_visibility,
};
use crate::support::proxy::{Fault, NO_CAPACITY, Proxy, Spoil};
use crate::support::rows::{ago, s};
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

const NOTICE: &str = "webhook.delivery_failed";

/// A tenant with a webhook that fails at its only attempt, and a receiver that hears of it: both receivers live as long as they are held.
async fn with_one_that_fails(world: &World) -> (Tenant, String, [Receiver; 2]) {
    let tenant = standard(world).await;
    let failing = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = tenant.create(&json!({"url": failing.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let told = Receiver::start(world.stack).await;
    tenant.webhook(&told.url("/"), &[NOTICE]).await;
    (tenant, webhook, [failing, told])
}

/// The delivery has failed after this many POSTs, one of which is on record, and there is one notice of it.
async fn assert_told_once(world: &World, tenant: &Tenant, id: &str, [failing, told]: &[Receiver; 2], posts: usize) {
    tenant.settled(id, "failed", 1).await;
    let said = told.only(SOON).await.json();
    assert_eq!((&said["type"], &said["data"]["count"]), (&json!(NOTICE), &json!(1)));
    let which = if said["data"]["delivery_id"].is_null() { "first_delivery_id" } else { "delivery_id" };
    assert_eq!(said["data"][which], json!(id));
    assert_eq!(world.aws.rows.all_events_of(&tenant.id).await, 2, "what was published, and the notice");
    assert_eq!((failing.requests().len(), told.requests().len()), (posts, 1));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_failure_whose_answer_is_lost_is_told_of_once() {
    let (world, _guard) = alone().await;
    // Once, and as often as the SDK tries: then the record is tried again under another token.
    for times in [1, TRIES] {
        let (tenant, webhook, receivers) = with_one_that_fails(&world).await;
        let proxy = Proxy::start(world.stack).await;
        let lost = Fault::of(Spoil::LoseAnswer).on("TransactWriteItems").about(core_of(&webhook)).times(times);
        proxy.add(lost);
        with_proxy(&world, "deliver", &proxy, async {
            let (_, id) = delivery_to(&tenant, &webhook).await;
            // The row tells of the first try; deliver itself goes on until it hears of one.
            until("deliver to know that it recorded the attempt", SOON, || async {
                let log = world.aws.functions.log("deliver").await;
                let is_so = |line: &&String| line.contains("delivery.attempted") && line.contains(&id);
                if log.iter().filter(is_so).count() == 1 { Ok(()) } else { Err("no line".to_owned()) }
            })
            .await;
            assert_eq!(proxy.hits(), times);
            assert_told_once(&world, &tenant, &id, &receivers, 1).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn killed_before_or_after_the_failures_record_it_is_told_of_once() {
    let (world, _guard) = alone().await;
    // Before it, the POST is made again, and its webhook was claimed just now, so its failure is told with others; after it, nothing is
    // left to do.
    for (spoil, posts) in [(Spoil::Hang, 2), (Spoil::Delay(MINUTE), 1)] {
        let (tenant, webhook, receivers) = with_one_that_fails(&world).await;
        let proxy = Proxy::start(world.stack).await;
        with_short_visibility(
            &world,
            SHORT,
            with_proxy(&world, "deliver", &proxy, async {
                proxy.add(Fault::of(spoil).on("TransactWriteItems").about(core_of(&webhook)).times(1));
                let (_, id) = delivery_to(&tenant, &webhook).await;
                until("the record to hang", SOON, || async {
                    if proxy.hits() > 0 { Ok(()) } else { Err("no call yet".to_owned()) }
                })
                .await;
                assert!(world.aws.functions.kill_all("deliver") > 0, "somebody must be recording");
                proxy.heal();
                tenant.settled(&id, "failed", 1).await;
                if count_two_minutes_later(&world, &tenant, std::slice::from_ref(&id)).await > 0 {
                    sweep(&world).await;
                }
                assert_told_once(&world, &tenant, &id, &receivers, posts).await;
            }),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn where_nobody_can_say_whether_it_is_counted_a_failure_is_told_of_at_once() {
    let (world, _guard) = alone().await;
    for spoil in [NO_CAPACITY, Spoil::Hang] {
        let (tenant, webhook, receivers) = with_one_that_fails(&world).await;
        let proxy = Proxy::start(world.stack).await;
        proxy.add(Fault::of(spoil).on("GetItem").table(&world.stack.tables.config).about("FAILURES"));
        with_proxy(&world, "deliver", &proxy, async {
            let (_, id) = delivery_to(&tenant, &webhook).await;
            assert_told_once(&world, &tenant, &id, &receivers, 1).await;
            assert!(proxy.hits() > 0, "somebody must have looked");
        })
        .await;
    }
}

/// Has what is to be counted of these failures be two minutes old, and nobody about to write more; how many there are.
async fn count_two_minutes_later(world: &World, tenant: &Tenant, ids: &[String]) -> usize {
    let mut counted = 0;
    for id in ids {
        if world.aws.rows.delivery(id).await.expect("a row").contains_key("due_at") {
            world.aws.rows.overdue_ago(id, 120).await;
            counted += 1;
        }
    }
    if counted > 0 {
        world.aws.rows.amend(&tenant.id, "FAILURES", "counted_at", s(ago(200))).await;
    }
    counted
}

/// Failures of one webhook, all but the first of which are counted: it was told of just now.
async fn with_some_counted(world: &World, events: usize) -> (Tenant, [Receiver; 2]) {
    let (tenant, webhook, receivers) = with_one_that_fails(world).await;
    let ids = published(&tenant, &webhook, events).await;
    for id in &ids {
        tenant.settled(id, "failed", 1).await;
    }
    assert_eq!(count_two_minutes_later(world, &tenant, &ids).await, events - 1);
    (tenant, receivers)
}

/// The tenant was told of so many, in two notices.
async fn assert_counted(tenant: &Tenant, told: &Receiver, events: u64) {
    let said = told.wait_for(2, SOON).await;
    let counts: Vec<u64> = said.iter().filter_map(|post| post.json()["data"]["count"].as_u64()).collect();
    assert_eq!((counts.len(), counts.iter().sum::<u64>()), (2, events), "{}", tenant.id);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn killed_while_failures_are_told_of_together_a_sweep_tells_of_them_once() {
    let (world, _guard) = alone().await;
    // Before the transaction, and after it.
    for spoil in [Spoil::Hang, Spoil::Delay(MINUTE)] {
        let (tenant, [_failing, told]) = with_some_counted(&world, 5).await;
        let proxy = Proxy::start(world.stack).await;
        with_proxy(&world, "sweep", &proxy, async {
            proxy.add(Fault::of(spoil).on("TransactWriteItems").about("told_until").times(1));
            let killing = async {
                until("the sweep to tell", SOON, || async {
                    if proxy.hits() > 0 { Ok(()) } else { Err("no call yet".to_owned()) }
                })
                .await;
                assert!(world.aws.functions.kill_all("sweep") > 0, "somebody must be sweeping");
                proxy.heal();
            };
            join(sweep(&world), killing).await;
            sweep(&world).await;
            sweep(&world).await;
            assert_counted(&tenant, &told, 5).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn whose_answers_are_lost_or_who_sweeps_beside_another_tells_once() {
    let (world, _guard) = alone().await;
    let (tenant, [_failing, told]) = with_some_counted(&world, 5).await;
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "sweep", &proxy, async {
        proxy.add(Fault::of(Spoil::LoseAnswer).on("TransactWriteItems").about("told_until").times(TRIES));
        join3(sweep(&world), sweep(&world), sweep(&world)).await;
        sweep(&world).await;
        assert_counted(&tenant, &told, 5).await;
    })
    .await;
    assert_eq!(world.aws.rows.all_events_of(&tenant.id).await, 5 + 2, "what was published, and two notices");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn however_functions_die_while_an_outage_is_counted_all_that_failed_is_told_of() {
    let (world, _guard) = alone().await;
    let (tenant, webhook, [_failing, told]) = with_one_that_fails(&world).await;
    let proxy = Proxy::start(world.stack).await;
    with_short_visibility(
        &world,
        SHORT,
        with_proxy(&world, "deliver", &proxy, async {
            // Between the word that failures are counted and their records, and between a claim and its notice.
            proxy.add(Fault::of(Spoil::Hang).on("UpdateItem").about("counted_at").times(1));
            proxy.add(
                Fault::of(Spoil::Hang)
                    .on("UpdateItem")
                    .table(&world.stack.tables.deliveries)
                    .about(core_of(&webhook))
                    .times(2),
            );
            proxy.add(Fault::of(Spoil::Hang).on("TransactWriteItems").about(core_of(&webhook)).times(1));
            let ids = published(&tenant, &webhook, 12).await;
            for _ in 0..2 {
                until("somebody to hang", SOON, || async {
                    if proxy.hits() > 0 { Ok(()) } else { Err("no call yet".to_owned()) }
                })
                .await;
                world.aws.functions.kill_all("deliver");
            }
            proxy.heal();
            for id in &ids {
                tenant.settled(id, "failed", 1).await;
            }
            count_two_minutes_later(&world, &tenant, &ids).await;
        }),
    )
    .await;
    until("all of them to be told of", MINUTE, || async {
        sweep(&world).await;
        let told: u64 = told.requests().iter().filter_map(|post| post.json()["data"]["count"].as_u64()).sum();
        if told == 12 { Ok(()) } else { Err(format!("{told} are told of")) }
    })
    .await;
}
