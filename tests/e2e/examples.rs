//! The verification examples that the README tells users to copy, run on what was really received.

use std::process::{Command, Output};

use serde_json::json;

use crate::support::verifier::{flipped, root, run, words};
use crate::support::{Receiver, SOON, World};

const SECRET: &str = "whsec_your_signing_secret";

fn judge(interpreter: &str, file: &str, body: &[u8], signature: &str) -> Output {
    let example = root().join("docs/examples").join(file);
    run(Command::new(interpreter).arg(example).arg(signature).env("WEBHOOK_SECRET", SECRET), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_accept_what_was_received_and_no_other_bit() {
    let Some(world) = World::open() else { return };
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "secret": SECRET})).await;
    tenant.publish("voice.clone.completed", &json!({"title": "é 🙂", "ratio": 1.50, "z": {"b": 1, "a": [2]}})).await;
    let received = receiver.only(SOON).await;
    let signature = received.header("X-Nur-Signature").expect("a webhook with a secret should be signed");

    for (interpreter, file) in [("python3", "verify.py"), ("node", "verify.mjs")] {
        let verdict = judge(interpreter, file, &received.body, signature);
        assert!(verdict.status.success(), "{file}: {}", words(&verdict));
        assert_eq!(words(&verdict).trim(), "signature verified");
        for other in flipped(&received.body) {
            let verdict = judge(interpreter, file, &other, signature);
            assert!(!verdict.status.success(), "{file} accepted a changed body");
        }
        for other in ["", "sha256=", &signature[..signature.len() - 1], &signature.replace("sha256=", "sha1=")] {
            let verdict = judge(interpreter, file, &received.body, other);
            assert!(!verdict.status.success(), "{file} accepted the signature {other:?}");
        }
    }
}
