//! `deliver` stopped and continued, as Lambda freezes it between two batches: receivers close connections meanwhile, and it
//! sees none of that.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use super::{alone, then};
use crate::misbehaving::Closing;
use crate::support::Tenant;

const ROUNDS: usize = 3;
/// As many as come in one batch, and more.
const AT_ONCE: usize = 12;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "stops functions that all deliveries share"]
async fn what_was_closed_while_a_function_stood_still_costs_no_attempt() {
    let (world, _alone) = alone().await;
    let tenant = world.tenant_on("standard", "pro").await;
    // As Node does, if sooner: that makes the stop shorter.
    let receiver = Closing::after(world.stack, Duration::from_millis(1200)).await;
    // With a retry to come, so that connections are kept.
    let webhook = tenant.create(&json!({"url": receiver.url(), "events": ["*"], "retry_schedule": [3600]})).await;
    for round in 0..ROUNDS {
        let events = publish(&tenant).await;
        all_arrive(&tenant, &webhook, &events).await;

        let functions = &world.aws.functions;
        let stopped = functions.processes("deliver");
        assert!(!stopped.is_empty(), "somebody has delivered in round {round}");
        stopped.iter().for_each(|&pid| functions.stop(pid));
        let go_on = async { stopped.iter().for_each(|&pid| functions.go_on(pid)) };
        let meanwhile = async {
            receiver.all_closed().await;
            let events = publish(&tenant).await;
            // Their messages wait, so that the functions go on with them at once.
            join_all(events.iter().map(|event| tenant.delivery_of(event, &webhook))).await;
            events
        };
        let events = then(meanwhile, go_on).await;
        all_arrive(&tenant, &webhook, &events).await;
    }
}

async fn publish(tenant: &Tenant) -> Vec<String> {
    let data = json!({});
    join_all((0..AT_ONCE).map(|_| tenant.publish("dubbing.completed", &data))).await
}

async fn all_arrive(tenant: &Tenant, webhook: &str, events: &[String]) {
    for event in events {
        let id = tenant.delivery_of(event, webhook).await;
        tenant.settled(&id, "succeeded", 1).await;
    }
}
