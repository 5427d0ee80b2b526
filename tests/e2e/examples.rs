//! The verification examples that the README tells users to copy, run on what was really received.

use std::process::{Command, Output};

use serde_json::json;

use crate::support::api::text;
use crate::support::standard::Signed;
use crate::support::verifier::{flipped, root, run, words};
use crate::support::{Receiver, SOON, World};

const SECRET: &str = "whsec_your_signing_secret";

/// An example and what runs it.
const EXAMPLES: [(&str, &str); 2] = [("python3", "verify.py"), ("node", "verify.mjs")];

fn judge(interpreter: &str, file: &str, body: &[u8], signature: &str) -> Output {
    judge_with(SECRET, (interpreter, file), body, &[signature])
}

fn judge_with(secret: &str, (interpreter, file): (&str, &str), body: &[u8], arguments: &[&str]) -> Output {
    let example = root().join("docs/examples").join(file);
    run(Command::new(interpreter).arg(example).args(arguments).env("WEBHOOK_SECRET", secret), body)
}

fn assert_judged(secret: &str, body: &[u8], arguments: &[&str]) {
    for example in EXAMPLES {
        let verdict = judge_with(secret, example, body, arguments);
        assert!(verdict.status.success(), "{example:?}: {}", words(&verdict));
        for other in flipped(body) {
            let verdict = judge_with(secret, example, &other, arguments);
            assert!(!verdict.status.success(), "{example:?} accepted a changed body");
        }
        let verdict = judge_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", example, body, arguments);
        assert!(!verdict.status.success(), "{example:?} accepted another secret's");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_accept_what_was_received_and_no_other_bit() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "secret": SECRET})).await;
    tenant.publish("voice.clone.completed", &json!({"title": "é 🙂", "ratio": 1.50, "z": {"b": 1, "a": [2]}})).await;
    let received = receiver.only(SOON).await;
    let signature = received.header("X-Nur-Signature").expect("a webhook with a secret should be signed");

    for (interpreter, file) in EXAMPLES {
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

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_know_every_dialect() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"]});
    let made = tenant.api.post("/v1/webhooks/create", &body).await.ok(201);
    tenant.publish("invoice.paid", &json!({"title": "é 🙂"})).await;
    let received = receiver.only(SOON).await;
    let signed = Signed::of(&received);
    assert_judged(text(&made, "secret"), &signed.body, &[&signed.signature, &signed.id, &signed.timestamp]);

    let customer = world.netraflow("pro").await;
    world.set_secret(&customer.tenant, SECRET).await;
    let receiver = Receiver::start(world.stack).await;
    let job = customer.start(&receiver.url("/")).await;
    customer.report_task(&job, &json!({"status": "failed"})).await.data(200);
    let received = receiver.only(SOON).await;
    assert_judged(SECRET, &received.body, &[received.header("X-NetraFlow-Signature").expect("signed")]);

    let customer = world.nouvel().await;
    let receiver = Receiver::start(world.stack).await;
    let job = customer.generate(1, 1, &receiver.url("/")).await;
    customer.report_project(&job.id, &job.projects[0], "completed").await.ok(200);
    let received = receiver.only(SOON).await;
    let signature = received.header("X-Nouvel-Signature").expect("signed");
    assert_judged(&world.stack.webhook_signing_secret, &received.body, &[signature]);
}
