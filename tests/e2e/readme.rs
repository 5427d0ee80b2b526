//! The README's calls, and those of the page that goes on from there, run as they are printed: every block that a reader
//! is told to paste, in order, in one shell.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::openssl::hmac_sha256;
use crate::support::request::Received;
use crate::support::stack::Stack;
use crate::support::standard::Signed;
use crate::support::verifier::{root, run, words};
use crate::support::{Receiver, SOON, World, cli};

const OPENS: &str = "```sh";
const CLOSES: &str = "```";
/// Before what the test itself asks the shell once all blocks have run.
const MARK: &str = "~~~ of the test ~~~";

/// The blocks of a document that are to be run, as one script.
pub(crate) fn blocks(path: &str) -> String {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (mut script, mut inside) = (String::new(), false);
    for line in text.lines() {
        match line.trim_end() {
            OPENS => inside = true,
            CLOSES => inside = false,
            line if inside => script += &format!("{line}\n"),
            _ => {}
        }
    }
    assert!(!script.is_empty(), "{path} has no block to run");
    script
}

/// Runs a script against the stack, with deliveries to the receiver; what it printed, and the values of `variables`.
pub(crate) fn run_script(
    world: &World,
    receiver: &Receiver,
    script: &str,
    variables: &[&str],
) -> (String, Vec<String>) {
    let asked: String = variables.iter().map(|name| format!("printf '%s\\n' \"${name}\"\n")).collect();
    let script = format!("set -euo pipefail\n{script}\necho; echo '{MARK}'\n{asked}");
    let mut command = Command::new("bash");
    command.current_dir(root()).arg("-s");
    command.env("STACK", Stack::description());
    command.env("HOOK", receiver.url("/webhooks"));
    let tools = cli::program();
    let tools = tools.parent().expect("the CLI lies in a folder").display();
    command.env("PATH", format!("{tools}:{}", std::env::var("PATH").unwrap_or_default()));
    command.envs(cli::environment(world.stack));
    let output = run(&mut command, script.as_bytes());
    assert!(output.status.success(), "{}", words(&output));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!printed.contains("\"error\""), "a call was refused: {printed}");
    let (printed, values) = printed.split_once(MARK).expect("the script ran to its end");
    let values: Vec<_> = values.trim().lines().map(str::to_owned).collect();
    assert_eq!(values.len(), variables.len(), "{variables:?} are {values:?}");
    (printed.to_owned(), values)
}

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
    let script = blocks("README.md");
    for call in ["/v1/webhooks/create", "/v1/events", "/api/v1/generate", "/v1/jobs\"", "X-Api-Key"] {
        assert!(script.contains(call), "the README shows no {call}");
    }
    let variables = ["STANDARD_SECRET", "TENANT_SECRET", "EVENT", "NOUVEL_JOB", "NETRAFLOW_JOB", "DELIVERY"];
    let (printed, values) = run_script(&world, &receiver, &script, &variables);
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
}

/// How a block of CONTRIBUTING.md begins that needs a stack; tests/local runs the others.
const ON_A_STACK: &str = "# on the stack that runs\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_contributing_does_on_a_stack_works_as_printed() {
    let description = Stack::description();
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("the page is there");
    let (begins, ends) = (format!("{OPENS}\n{ON_A_STACK}"), format!("\n{CLOSES}"));
    let blocks: Vec<_> = page.split(&begins).skip(1).filter_map(|rest| rest.split(&ends).next()).collect();
    assert!(blocks.len() > 1, "the page has blocks for a stack");
    for block in blocks {
        let mut command = Command::new("bash");
        command.current_dir(root()).args(["-euo", "pipefail", "-c", block]).env("POSTRIDER_STACK", &description);
        // What cargo tells its tests of themselves is no part of a person's shell: some build scripts watch it, so that a cargo
        // inside, and the next one outside, would compile half of all crates again.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_")) {
            if !["CARGO_HOME", "CARGO_TARGET_DIR"].contains(&name.as_str()) {
                command.env_remove(name);
            }
        }
        let output = run(&mut command, b"");
        assert!(output.status.success(), "{block}\n{}", words(&output));
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
    let script = format!("{}\n{}", blocks("README.md"), blocks("docs/triggers.md"));
    tidy(&world).await;
    let (_, values) = run_script(&world, &receiver, &script, &["STANDARD_SECRET", "JOB"]);
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
