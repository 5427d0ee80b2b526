//! A stack of `STRICT=1`, as on AWS: not even this machine may be sent to.

use futures::stream::{self, StreamExt as _};
use serde_json::json;

use super::reader::vectors;
use super::{AT_ONCE, assert_all_refused};
use crate::jobs::refusals::assert_refused_as_targets;
use crate::support::World;
use crate::support::stack::{Stack, say};

/// What `local/suite.py` deploys a strict stack with.
const ALLOWED: &str = "10.99.0.0/16,fd99:1::/48";
const DENIED: &str = "denied.invalid";

/// Spellings of loopback, the last three as only a URL parser sees them.
const LOOPBACK: [&str; 10] = [
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/hook",
    "https://127.1.2.3/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://localhost/",
    "https://LOCALHOST:8443/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_published_vector_gets_its_verdict() {
    let Some(stack) = Stack::strict() else { return };
    let world = World::of(stack);
    let (accepted, refused): (Vec<_>, Vec<_>) = vectors().into_iter().partition(|vector| vector.is_accepted);
    assert_all_refused(&world, &refused).await;
    let tenant = &world.tenant().await;
    let tries = stream::iter(&accepted).map(|vector| async move {
        let body = json!({"url": vector.url, "events": ["*"]});
        let answer = tenant.api.post("/v1/webhooks/create", &body).await;
        assert_eq!(answer.status, 201, "{vector:?}: {}", answer.body);
        assert_eq!(answer.json()["url"], vector.url, "it is shown as it was written");
    });
    tries.buffer_unordered(AT_ONCE).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_lists_count() {
    let Some(stack) = Stack::strict() else { return };
    if (stack.allowed_target_cidrs.as_str(), stack.denied_target_domains.as_str()) != (ALLOWED, DENIED) {
        return say("not tried: the stack was deployed without the lists that local/suite.py gives it");
    }
    let tenant = World::of(stack).tenant().await;
    for url in ["https://10.99.3.4/", "https://10.99.3.4:8443/", "https://[fd99:1::7]/", "https://notdenied.invalid/"] {
        tenant.webhook(url, &["*"]).await;
    }
    for url in [
        "https://10.98.3.4/",
        "https://[fd99:2::7]/",
        "https://[::ffff:10.99.3.4]/",
        "https://127.0.0.1/",
        "https://denied.invalid/",
        "https://a.b.DENIED.invalid.:8443/",
    ] {
        tenant.api.post("/v1/webhooks/create", &json!({"url": url, "events": ["*"]})).await.invalid("url");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_is_refused_in_jobs() {
    let Some(stack) = Stack::strict() else { return };
    let world = World::of(stack);
    assert_refused_as_targets(&world, &LOOPBACK).await;
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    // What does not resolve yet is taken, and checked again when it is connected to.
    nouvel.generate(1, 1, "https://your-server.invalid/").await;
    netraflow.start("https://your-server.invalid/").await;
}
