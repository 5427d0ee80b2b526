//! The README's calls, and those of the page that goes on from there, run as they are printed: every block that a reader
//! is told to paste, in order, in one shell.

use serde_json::Value;

use super::blocks;
use super::shell::Shell;
use crate::support::openssl::hmac_sha256;
use crate::support::request::Received;
use crate::support::standard::Signed;
use crate::support::{Receiver, SOON, World, cli};

fn one<'a>(received: &'a [Received], header: &str) -> &'a Received {
    let mut found = received.iter().filter(|request| request.header(header).is_some());
    let first = found.next().unwrap_or_else(|| panic!("nothing with {header} among {received:?}"));
    assert!(found.next().is_none(), "{header} came twice");
    first
}

fn assert_signed(received: &[Received], header: &str, prefix: &str, secret: &str) -> Value {
    let request = one(received, header);
    let expected = format!("{prefix}{}", hmac_sha256(secret, &request.body));
    assert_eq!(request.header(header), Some(expected.as_str()));
    request.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quickstart_works_as_printed_for_every_provider() {
    let world = World::open();
    let receiver = Receiver::start(world.stack).await;
    let script = blocks::run("README.md");
    for call in ["/v1/webhooks/create", "/v1/events", "/api/v1/generate", "/v1/jobs\"", "X-Api-Key"] {
        assert!(script.iter().any(|block| block.contains(call)), "the README shows no {call}");
    }
    let variables = ["STANDARD_SECRET", "TENANT_SECRET", "EVENT", "NOUVEL_JOB", "NETRAFLOW_JOB", "DELIVERY"];
    let (printed, values) = Shell::new(world.stack, "readme").hook(&receiver).run_and_tell(&script, &variables);
    let received = receiver.wait_for(4, SOON).await;
    assert_eq!(received.len(), 4, "one of each: {received:?}");

    let signed = Signed::of(one(&received, "webhook-signature"));
    assert_eq!(signed.id, values[2]);
    assert!(signed.is_accepted_with(&values[0]));
    let body = assert_signed(&received, "X-Nur-Signature", "sha256=", "whsec_your_secret");
    assert_eq!(body["event"], "dubbing.completed");
    let body = assert_signed(&received, "X-Nouvel-Signature", "", &world.stack.webhook_signing_secret);
    assert_eq!((&body["jobId"], &body["status"]), (&Value::from(values[3].as_str()), &Value::from("completed")));
    let body = assert_signed(&received, "X-NetraFlow-Signature", "", &values[1]);
    assert_eq!((&body["job_id"], &body["credits_charged"]), (&Value::from(values[4].as_str()), &Value::from(5)));
    assert!(printed.contains(&values[5]), "the ledger's entry was shown: {printed}");
    assert_eq!(printed.matches("signature verified").count(), 2, "both examples: {printed}");
    assert!(printed.contains(&format!("{} in {}\n", world.stack.name, world.stack.region)), "where it goes: {printed}");
    for operators in ["\"Account\":", "\"tenants\":", "\"redriven\":"] {
        assert!(printed.contains(operators), "no {operators}: {printed}");
    }
}

/// What the page on triggers makes under names of its own, which a second run would find in its way.
async fn tidy(world: &World) {
    let stack = world.stack;
    let calls = move || {
        let rule = ["--rule", "video-worker", "--event-bus-name", &stack.event_bus];
        cli::try_aws(stack, &[&["dynamodb", "delete-table", "--table-name", "invoices"]]);
        cli::try_aws(stack, &[&["events", "remove-targets", "--ids", "queue"], &rule[..]]);
        cli::try_aws(stack, &[&["events", "delete-rule", "--name"], &rule[1..]]);
        let url = cli::try_aws(stack, &[&["sqs", "get-queue-url", "--queue-name", "video-worker"]]);
        if let Some(url) = url["QueueUrl"].as_str() {
            cli::try_aws(stack, &[&["sqs", "delete-queue", "--queue-url", url]]);
        }
    };
    tokio::task::spawn_blocking(calls).await.expect("the CLI should end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_on_triggers_works_as_printed() {
    let world = World::open();
    let receiver = Receiver::start(world.stack).await;
    let page = blocks::run("docs/triggers.md");
    let calls = blocks::below("README.md", "The calls");
    let script = [calls, blocks::before_you_begin(), page].concat();
    tidy(&world).await;
    let shell = Shell::new(world.stack, "triggers").hook(&receiver);
    let (_, values) = shell.run_and_tell(&script, &["STANDARD_SECRET", "JOB"]);
    // The README's four; then one from the bus, the end of a job, one by invocation, one by a transaction.
    let received = receiver.wait_for(8, SOON).await;
    tidy(&world).await;
    assert_eq!(received.len(), 8, "{received:?}");
    let invoices = received.iter().filter(|request| request.header("webhook-signature").is_some());
    let mut numbers = Vec::new();
    for request in invoices {
        assert!(Signed::of(request).is_accepted_with(&values[0]));
        numbers.push(request.json()["data"]["invoice"].as_u64().expect("an invoice has a number"));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [4711, 4712, 4713, 4714]);
    let told = received.iter().filter(|request| request.header("X-NetraFlow-Signature").is_some());
    assert!(told.map(Received::json).any(|body| body["job_id"] == values[1].as_str()), "the job reported on the bus");
}
