//! `deliver` killed where it hurts: between the receiver's having the POST and the ledger's knowing of it.

use serde_json::json;

use crate::chaos::{SHORT, alone, assert_told, core_of, delivery_to, one_delivery, with_proxy, with_short_visibility};
use crate::support::proxy::{Proxy, Spoil};
use crate::support::{Gate, Receiver, Reply, SOON, until};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn killed_after_the_post_and_before_the_record_it_is_sent_again_and_counted_once() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    // The killed sender's connections are gone, so nobody ever opens these gates.
    let held = || Reply::Held(Gate::shut());
    let script = [held(), Reply::Status(500), held(), held(), Reply::Status(200)];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    with_short_visibility(&world, SHORT, async {
        let (_, id) = one_delivery(&tenant, &receiver).await;
        receiver.wait_for(1, SOON).await;
        assert!(world.aws.functions.kill_all("deliver") > 0, "somebody must have sent the POST");
        assert_told(&tenant.delivery(&id).await, &[], &receiver, 1);
        assert_told(&tenant.settled(&id, "retrying", 1).await, &["status_500"], &receiver, 2);

        // The second attempt, from the retry queue: killed twice.
        world.aws.attempt_now(&id, 2).await;
        for posts in [3, 4] {
            receiver.wait_for(posts, SOON).await;
            assert!(world.aws.functions.kill_all("deliver") > 0, "somebody must have sent the POST");
            assert_told(&tenant.delivery(&id).await, &["status_500"], &receiver, posts);
        }
        let delivery = tenant.settled(&id, "succeeded", 2).await;
        assert_told(&delivery, &["status_500", "succeeded"], &receiver, 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn killed_after_the_record_and_before_the_schedule_it_only_schedules() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let proxy = Proxy::start(world.stack).await;
    with_short_visibility(
        &world,
        SHORT,
        with_proxy(&world, "deliver", &proxy, async {
            // Long enough for a schedule however late the message comes back.
            let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]});
            let webhook = tenant.create(&body).await;
            // Two hang: the SDK gives up on the first after some seconds, and tries again.
            proxy.spoil("CreateSchedule", core_of(&webhook), 2, Spoil::Hang);
            let (_, id) = delivery_to(&tenant, &webhook).await;
            until("the schedule to hang", SOON, || async {
                if proxy.hits() > 0 { Ok(()) } else { Err("no call yet".to_owned()) }
            })
            .await;
            assert!(world.aws.functions.kill_all("deliver") > 0, "somebody must be scheduling");
            proxy.heal();
            assert_eq!(world.aws.find_schedule(&id, 2).await, None);

            // The message comes back and finds the attempt recorded, and its successor not scheduled.
            world.aws.schedule(&id, 2).await;
            assert_told(&tenant.delivery(&id).await, &["status_500"], &receiver, 1);
            world.aws.attempt_now(&id, 2).await;
            let delivery = tenant.settled(&id, "succeeded", 2).await;
            assert_told(&delivery, &["status_500", "succeeded"], &receiver, 2);
        }),
    )
    .await;
}
