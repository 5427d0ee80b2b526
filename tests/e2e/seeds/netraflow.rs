//! A job of one task, the tenant's secret, and the page's request handler.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use super::{other_than, page};
use crate::support::verifier::{root, run, words};
use crate::support::{Receiver, SOON, World, canary};

const SECRET: &str = concat!("whsec_é ", canary!("secret"));

fn judge(page: &Path, secret: &str, signature: &str, mode: &str, body: &[u8]) -> Output {
    let program = root().join("tests/verifiers/netraflow_page.mjs");
    run(Command::new("node").arg(program).arg(page).args([secret, signature, mode]), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_own_program_accepts_what_was_received_and_no_other_bit() {
    let world = World::open();
    let Some(page) = page("netraflow.txt") else { return };
    let customer = world.netraflow("pro").await;
    world.set_secret(&customer.tenant, SECRET).await;
    for status in ["completed", "failed"] {
        let receiver = Receiver::start(world.stack).await;
        let job = customer.start(&receiver.url("/webhooks/netraflow")).await;
        customer.report_task(&job, &json!({"status": status, "credits_charged": 5})).await.data(200);
        let received = receiver.only(SOON).await;
        let signature = received.header("X-NetraFlow-Signature").expect("it should be signed");

        let verdict = judge(&page, SECRET, signature, "", &received.body);
        assert!(verdict.status.success(), "{}", words(&verdict));
        assert_eq!(words(&verdict).trim(), format!("accepted: job.{status}"));
        let verdict = judge(&page, SECRET, signature, "every-bit", &received.body);
        assert!(verdict.status.success(), "{}", words(&verdict));
        for (secret, signature) in
            [(SECRET, other_than(signature).as_str()), ("another secret", signature), (SECRET, "")]
        {
            assert!(!judge(&page, secret, signature, "", &received.body).status.success(), "{secret} {signature}");
        }
    }
}
