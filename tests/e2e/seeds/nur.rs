//! `create`, a secret that is its whole text, and the page's Flask handler.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::json;

use super::{other_than, page};
use crate::support::verifier::{flipped, root, run, words};
use crate::support::{Receiver, SOON, World};

/// The secret that stands in the page's program.
const SECRET: &str = "whsec_your_secret";

fn judge(page: &PathBuf, body: &[u8], signature: &str) -> Output {
    let program = root().join("tests/verifiers/nur_page.py");
    run(Command::new("python3").arg(program).arg(page).arg(signature), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_own_program_accepts_what_was_received_and_no_other_bit() {
    let world = World::open();
    let Some(page) = page("nur.txt") else { return };
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant
        .create(&json!({"url": receiver.url("/webhooks/nur"), "events": ["dubbing.completed"], "secret": SECRET}))
        .await;
    tenant.publish("dubbing.completed", &json!({"job_id": "dub_789xyz", "title": "é 🙂", "ratio": 1.50})).await;
    let received = receiver.only(SOON).await;
    let signature = received.header("X-Nur-Signature").expect("a webhook with a secret should be signed");

    let verdict = judge(&page, &received.body, signature);
    assert!(verdict.status.success(), "{}", words(&verdict));
    assert_eq!(words(&verdict).trim(), "Received event: dubbing.completed", "what the page's handler prints");

    for other in flipped(&received.body) {
        let verdict = judge(&page, &other, signature);
        assert!(!verdict.status.success(), "a changed body was accepted");
        assert!(words(&verdict).contains("Invalid webhook signature"), "{}", words(&verdict));
    }
    assert!(!judge(&page, &received.body, &other_than(signature)).status.success(), "a changed signature was accepted");
}
