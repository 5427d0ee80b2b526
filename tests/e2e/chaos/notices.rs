//! A failure and its notice while answers are lost, functions die, and nobody can say whether anybody asks: there are both, once.

use serde_json::json;

use crate::chaos::{MINUTE, SHORT, TRIES, alone, core_of, delivery_to, standard, with_proxy, with_short_visibility};
use crate::support::proxy::{Fault, NO_CAPACITY, Proxy, Spoil};
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
    assert_eq!((&said["type"], &said["data"]["delivery_id"]), (&json!(NOTICE), &json!(id)));
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
    // Before it, the POST is made again; after it, nothing is left to do.
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
                assert_told_once(&world, &tenant, &id, &receivers, posts).await;
            }),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn where_nobody_can_say_whether_anybody_asks_whoever_asks_is_told() {
    let (world, _guard) = alone().await;
    for spoil in [NO_CAPACITY, Spoil::Hang] {
        let (tenant, webhook, receivers) = with_one_that_fails(&world).await;
        let proxy = Proxy::start(world.stack).await;
        proxy.add(Fault::of(spoil).on("Query").table(&world.stack.tables.config).about(&tenant.id));
        with_proxy(&world, "deliver", &proxy, async {
            let (_, id) = delivery_to(&tenant, &webhook).await;
            assert_told_once(&world, &tenant, &id, &receivers, 1).await;
            assert!(proxy.hits() > 0, "somebody must have looked");
        })
        .await;
    }
}
