//! AWS failing us: the outcome cannot be recorded, the next attempt not scheduled, the event not fanned out.

use serde_json::json;

use crate::chaos::{SHORT, alone, assert_told, core_of, delivery_to, with_proxy, with_short_visibility};
use crate::support::proxy::{NO_CAPACITY, Proxy, Spoil};
use crate::support::{Receiver, Reply, SOON, World, until};

/// Calls that the SDK makes before it gives one up.
const TRIES: u32 = 3;

async fn swept(world: &World, tenant: &crate::support::Tenant, id: &str) -> serde_json::Value {
    until("the sweep to bring it", SOON, || async {
        world.aws.functions.sweep().await;
        let delivery = tenant.delivery(id).await;
        if delivery["status"] == "retrying" { Err(delivery.to_string()) } else { Ok(delivery) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn an_outcome_that_cannot_be_recorded_at_first_is_recorded_all_the_same() {
    let (world, _guard) = alone().await;
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "deliver", &proxy, async {
        // What is throttled passes, and so is tried for as long as the function has.
        for (spoil, calls) in [(Spoil::Refuse(500, "InternalServerError"), TRIES), (NO_CAPACITY, 6 * TRIES)] {
            let tenant = world.tenant().await;
            let receiver = Receiver::start(world.stack).await;
            let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
            let before = proxy.hits();
            proxy.spoil("UpdateItem", core_of(&webhook), calls, spoil);
            let (_, id) = delivery_to(&tenant, &webhook).await;
            let delivery = tenant.settled(&id, "succeeded", 1).await;
            assert_eq!(proxy.hits() - before, calls);
            assert_told(&delivery, &["succeeded"], &receiver, 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn an_outcome_that_cannot_be_recorded_is_found_again() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let proxy = Proxy::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    proxy.spoil("UpdateItem", core_of(&webhook), u32::MAX, Spoil::Refuse(500, "InternalServerError"));
    with_short_visibility(
        &world,
        SHORT,
        with_proxy(&world, "deliver", &proxy, async {
            let (_, id) = delivery_to(&tenant, &webhook).await;
            receiver.wait_for(2, SOON).await;
            proxy.heal();
            let delivery = until("it to be on record", SOON, || async {
                let delivery = tenant.delivery(&id).await;
                if delivery["status"] == "succeeded" { Ok(delivery) } else { Err(delivery.to_string()) }
            })
            .await;
            let attempts = delivery["attempts"].as_array().expect("attempts should be an array");
            assert!(attempts.iter().all(|attempt| attempt["outcome"] == "succeeded"), "{delivery}");
            assert!(attempts.len() <= receiver.requests().len(), "{delivery}");
        }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_read_that_lags_behind_denies_nobody_his_delivery() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let proxy = Proxy::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    proxy.spoil("BatchGetItem", core_of(&webhook), 1, Spoil::Lag);
    with_proxy(&world, "deliver", &proxy, async {
        let (_, id) = delivery_to(&tenant, &webhook).await;
        let delivery = tenant.settled(&id, "succeeded", 1).await;
        assert_eq!(proxy.hits(), 1);
        assert_told(&delivery, &["succeeded"], &receiver, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_record_whose_answer_is_lost_counts_once_and_its_retry_comes() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let proxy = Proxy::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    proxy.spoil("UpdateItem", core_of(&webhook), 1, Spoil::LoseAnswer);
    with_short_visibility(
        &world,
        SHORT,
        with_proxy(&world, "deliver", &proxy, async {
            let (_, id) = delivery_to(&tenant, &webhook).await;
            assert_told(&tenant.settled(&id, "retrying", 1).await, &["status_500"], &receiver, 1);
            assert_eq!(proxy.hits(), 1);
            // Whether or not it was scheduled: once it is overdue the sweep brings it.
            world.aws.rows.due_ago(&id, 300).await;
            assert_told(&swept(&world, &tenant, &id).await, &["status_500", "succeeded"], &receiver, 2);
        }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_retry_that_cannot_be_scheduled_is_brought_by_the_sweep() {
    let (world, _guard) = alone().await;
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "deliver", &proxy, async {
        for (status, error) in [(500, "InternalServerException"), (429, "ThrottlingException")] {
            let tenant = world.tenant().await;
            let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
            let before = proxy.hits();
            let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
            proxy.spoil("CreateSchedule", core_of(&webhook), TRIES, Spoil::Refuse(status, error));
            let (_, id) = delivery_to(&tenant, &webhook).await;
            until("the schedule to be given up", SOON, || async {
                if proxy.hits() == before + TRIES { Ok(()) } else { Err(format!("{} tries", proxy.hits() - before)) }
            })
            .await;
            let delivery = tenant.settled(&id, "retrying", 1).await;
            assert!(delivery["next_attempt_at"].is_string(), "the row says when it is due: {delivery}");
            assert_eq!(world.aws.find_schedule(&id, 2).await, None);

            world.aws.functions.sweep().await;
            assert_told(&tenant.delivery(&id).await, &["status_500"], &receiver, 1);
            world.aws.rows.due_ago(&id, 300).await;
            assert_told(&swept(&world, &tenant, &id).await, &["status_500", "succeeded"], &receiver, 2);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn rows_that_cannot_be_read_make_no_post() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let proxy = Proxy::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    proxy.spoil("BatchGetItem", core_of(&webhook), TRIES, Spoil::Refuse(400, "ProvisionedThroughputExceededException"));
    with_short_visibility(
        &world,
        SHORT,
        with_proxy(&world, "deliver", &proxy, async {
            let (_, id) = delivery_to(&tenant, &webhook).await;
            until("the reads to be given up", SOON, || async {
                if proxy.hits() == TRIES { Ok(()) } else { Err(format!("{} tries", proxy.hits())) }
            })
            .await;
            assert_told(&tenant.settled(&id, "succeeded", 1).await, &["succeeded"], &receiver, 1);
        }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_fan_out_that_fails_half_way_is_run_again_without_harm() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let mut webhooks = Vec::new();
    for _ in 0..12 {
        webhooks.push(tenant.webhook(&receiver.url("/"), &["*"]).await);
    }
    let proxy = Proxy::start(world.stack).await;
    // Some rows are put and announced before one fails, and the announcement of others is lost or never made.
    proxy.spoil("BatchExecuteStatement", &webhooks[11], TRIES, Spoil::Refuse(500, "InternalServerError"));
    proxy.spoil("BatchExecuteStatement", &webhooks[3], 1, Spoil::LoseAnswer);
    proxy.spoil("SendMessageBatch", "", 1, Spoil::LoseAnswer);
    proxy.spoil("SendMessageBatch", "", TRIES, Spoil::Refuse(500, "InternalFailure"));
    let event = with_proxy(&world, "fanout", &proxy, async {
        let event = tenant.publish("dubbing.completed", &json!({})).await;
        for webhook in &webhooks {
            let id = tenant.delivery_of(&event, webhook).await;
            assert_eq!(tenant.settled(&id, "succeeded", 1).await["event_id"], event);
        }
        event
    })
    .await;
    assert!(proxy.hits() >= TRIES + 2, "{} calls failed", proxy.hits());
    // The announcement that was lost is made again, so a few may come twice: each is recorded once.
    let posts = receiver.requests();
    assert!(posts.iter().all(|post| post.event_id() == event));
    assert!((webhooks.len()..2 * webhooks.len()).contains(&posts.len()), "{} POSTs", posts.len());
    for webhook in &webhooks {
        let rows = tenant.deliveries(webhook, "").await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["attempts"].as_array().map(Vec::len), Some(1), "{}", rows[0]);
    }
}
