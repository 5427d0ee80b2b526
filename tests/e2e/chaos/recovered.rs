//! Recoveries of a webhook that was off for a thousand events, and of one that never asked, by functions that are cut off.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::chaos::{TRIES, alone, standard, sweep, with_proxy};
use crate::recoveries::{published, recovered};
use crate::support::api::text;
use crate::support::proxy::{Fault, Proxy, Spoil};
use crate::support::{Receiver, SOON, Tenant, World, until};

const PATIENCE: Duration = Duration::from_secs(240);

/// How often each event came.
fn posts(receiver: &Receiver) -> BTreeMap<String, usize> {
    let mut posts = BTreeMap::new();
    for post in receiver.requests() {
        *posts.entry(post.header("webhook-id").expect("an id").to_owned()).or_insert(0) += 1;
    }
    posts
}

async fn standing(tenant: &Tenant, webhook: &str, status: &str) -> u64 {
    let stats = tenant.api.get(&format!("/v1/webhooks/{webhook}/stats")).await.ok(200);
    stats["deliveries"][status].as_u64().expect("a number")
}

async fn until_standing(tenant: &Tenant, webhook: &str, status: &str, number: u64) {
    until(&format!("{number} to be {status}"), PATIENCE, || async {
        match standing(tenant, webhook, status).await {
            found if found == number => Ok(()),
            found => Err(format!("{found} of {number}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_a_webhook_that_was_off_missed_is_counted_and_one_call_delivers_each_once() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let provider = world.provider(&["events:write"]).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    tenant.api.patch(&path, &json!({"status": "disabled"})).await.ok(200);
    let ids = published(&provider, &tenant, "invoice.paid", 1_000).await;
    until_standing(&tenant, &webhook, "cancelled", 1_000).await;
    let counting = json!({"since": "2020-01-01T00:00:00Z", "count_only": true});
    let counted = async || tenant.api.post(&format!("{path}/recover"), &counting).await.ok(200);
    assert_eq!(counted().await, json!({"found": 1_000, "complete": true}), "while it is off");
    tenant.api.patch(&path, &json!({"status": "active"})).await.ok(200);
    assert_eq!(counted().await, json!({"found": 1_000, "complete": true}));
    assert_eq!(recovered(&world, &tenant, &webhook, &json!({})).await, (1_000, 1_000));
    until_standing(&tenant, &webhook, "succeeded", 1_000).await;
    let posts = posts(&receiver);
    assert!(posts.values().all(|number| *number == 1), "each once");
    assert_eq!(posts.into_keys().collect::<std::collections::BTreeSet<_>>(), ids);
    assert_eq!(counted().await["found"], 0);
}

/// Begins to send what was never sent, by a function that AWS is spoiled for; where to ask after it.
async fn begun(world: &World, tenant: &Tenant, webhook: &str, proxy: &Proxy) -> String {
    let path = format!("/v1/webhooks/{webhook}/recover");
    let body = json!({"since": "2020-01-01T00:00:00Z", "never_matched": true});
    let answer = with_proxy(world, "ledger", proxy, tenant.api.post(&path, &body)).await.ok(202);
    format!("{path}/{}", text(&answer, "recovery_id"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_was_never_sent_is_sent_once_whoever_is_cut_off_in_between() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let provider = world.provider(&["events:write"]).await;
    let ids = published(&provider, &tenant, "invoice.paid", 75).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let counting = json!({"since": "2020-01-01T00:00:00Z", "never_matched": true, "count_only": true});
    until("all to be listed", SOON, || async {
        let counted = tenant.api.post(&format!("/v1/webhooks/{webhook}/recover"), &counting).await.ok(200);
        if counted["found"] == 75 { Ok(()) } else { Err(counted.to_string()) }
    })
    .await;
    let proxy = Proxy::start(world.stack).await;
    // Rows are put and nobody hears of it, then messages are refused: the page is to be seen again.
    proxy.add(Fault::of(Spoil::LoseAnswer).on("BatchExecuteStatement").times(TRIES));
    proxy.add(Fault::of(Spoil::Refuse(500, "InternalError")).on("SendMessageBatch").times(TRIES));
    let path = begun(&world, &tenant, &webhook, &proxy).await;
    let shown = tenant.api.get(&path).await.ok(200);
    assert_eq!(shown["status"], "running", "{shown}");
    // Then the note of a page is made, and nobody hears of that either. (Sweeps that meet would announce what is pending twice, and
    // messages that meet make two POSTs.)
    let recovery = path.rsplit('/').next().expect("a path").to_owned();
    with_proxy(&world, "sweep", &proxy, async {
        proxy.add(Fault::of(Spoil::LoseAnswer).on("TransactWriteItems").about(&recovery).times(TRIES));
        sweep(&world).await;
    })
    .await;
    let done: Value = until("the recovery to be done", PATIENCE, || async {
        sweep(&world).await;
        let shown = tenant.api.get(&path).await.ok(200);
        if shown["status"] == "done" { Ok(shown) } else { Err(shown.to_string()) }
    })
    .await;
    assert_eq!((&done["found"], &done["requeued"]), (&json!(75), &json!(75)), "{done}");
    until_standing(&tenant, &webhook, "succeeded", 75).await;
    let posts = posts(&receiver);
    assert!(posts.values().all(|number| *number == 1), "{posts:?}");
    assert_eq!(posts.into_keys().collect::<std::collections::BTreeSet<_>>(), ids);
}
