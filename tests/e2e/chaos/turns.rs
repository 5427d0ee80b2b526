//! An event that so many webhooks ask for that its fan-out takes more than a turn, and dies in each of them.

use std::time::Duration;

use crate::chaos::{alone, core_of, standard, then, with_proxy};
use crate::support::proxy::{Proxy, Spoil};
use crate::support::rows::{Row, n, s};
use crate::support::{Receiver, SOON, World, until};

/// More than the stream's turn puts (`ROWS_OF_MANY` in functions/fanout/src/turn.rs).
const WEBHOOKS: usize = 700;
/// Webhooks by their places: one that the stream's turn comes to, and one that the turn after it does.
const KILLED_AT: [usize; 2] = [300, 620];
/// A turn takes less.
const VISIBILITY: u64 = 15;
const LONG: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_fan_out_that_dies_in_each_of_its_turns_reaches_every_webhook() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["invoice.paid"]).await;
    let mut webhooks = world.aws.rows.copy_webhook(&tenant.id, &webhook, "invoice.paid", WEBHOOKS - 1).await;
    webhooks.push(webhook);
    webhooks.sort();
    // Where among its copies the first one stands is chance, and an event shows whom it went to a page at a time: ask for one that
    // is on the first page. Its row is there before anybody dies.
    let shown = &webhooks[0];
    let proxy = Proxy::start(world.stack).await;
    let queue = &world.stack.queues.continuation;
    let before = world.aws.visibility(queue).await;
    world.aws.set_visibility(queue, VISIBILITY).await;
    let work = with_proxy(&world, "fanout", &proxy, async {
        hang_at(&proxy, &webhooks[KILLED_AT[0]]);
        let event = tenant.publish("invoice.paid", &serde_json::json!({})).await;
        kill_there(&world, &proxy, 1).await;
        hang_at(&proxy, &webhooks[KILLED_AT[1]]);
        kill_there(&world, &proxy, 2).await;
        tenant.delivery_of(&event, shown).await
    });
    let id = then(work, world.aws.set_visibility(queue, before)).await;
    let delivered = |row: &Row| row["status"] == s("succeeded") && row["attempt"] == n(1);
    let mut left: Vec<String> = webhooks.iter().map(|other| id.replace(core_of(shown), core_of(other))).collect();
    let deadline = tokio::time::Instant::now() + LONG;
    while let Some(next) = left.last() {
        let row = world.aws.rows.delivery(next).await;
        if row.as_ref().is_some_and(delivered) {
            left.pop();
            continue;
        }
        assert!(tokio::time::Instant::now() < deadline, "{} are left, {next} as {row:?}", left.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(receiver.requests().len() >= WEBHOOKS);
}

/// Has what is put for this webhook hang, so that whoever puts it can be killed just there.
fn hang_at(proxy: &Proxy, webhook: &str) {
    proxy.spoil("BatchExecuteStatement", core_of(webhook), 1, Spoil::Hang);
}

/// Kills fan-out once so many calls have been held up.
async fn kill_there(world: &World, proxy: &Proxy, hits: u32) {
    until("the fan-out to come there", SOON, || async {
        if proxy.hits() >= hits { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    assert!(world.aws.functions.kill_all("fanout") > 0, "somebody must be putting it");
    proxy.heal();
}
