//! One tenant's rows are throttled: his messages come back, and their batch mates go on.

use serde_json::json;

use crate::chaos::{alone, with_proxy, with_short_visibility, without_mapping};
use crate::support::proxy::{Fault, Proxy, Spoil};
use crate::support::{Receiver, SOON, until};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_throttled_tenants_messages_hold_up_none_of_their_batch() {
    let (world, _guard) = alone().await;
    let (good, bad) = (world.tenant_on("standard", "pro").await, world.tenant_on("standard", "pro").await);
    let (here, there) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    good.webhook(&here.url("/"), &["*"]).await;
    let webhook = bad.webhook(&there.url("/"), &["*"]).await;
    let queue = &world.stack.queues.deliver;
    let name = queue.rsplit('/').next().expect("a queue's URL ends with its name");
    let proxy = Proxy::start(world.stack).await;
    // A test's own text, which lives as long as the test.
    let his: &'static str = Box::leak(format!("TENANT#{}", bad.id).into_boxed_str());
    proxy.add(Fault::of(Spoil::Leave(his)).on("BatchGetItem"));
    let event = with_short_visibility(
        &world,
        4,
        with_proxy(&world, "deliver", &proxy, async {
            let event = without_mapping(&world, "deliver", name, async {
                let mut last = String::new();
                for _ in 0..3 {
                    good.publish("invoice.paid", &json!({})).await;
                    last = bad.publish("invoice.paid", &json!({})).await;
                }
                until("the messages", SOON, || async {
                    let waiting = world.aws.waiting(queue).await;
                    if waiting >= 6 { Ok(()) } else { Err(waiting.to_string()) }
                })
                .await;
                last
            })
            .await;
            here.wait_for(3, SOON).await;
            assert_eq!(there.requests().len(), 0);
            event
        }),
    )
    .await;
    assert!(proxy.hits() > 0);
    there.wait_for(3, SOON).await;
    bad.settled(&bad.delivery_of(&event, &webhook).await, "succeeded", 1).await;
}
