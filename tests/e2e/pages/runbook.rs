//! The runbook's commands, one page after another in one shell. Where they take what lies in a queue, a table or a group, it is a
//! stand-in's (`stand_in.rs`), so that nothing of anybody else's is moved.

use std::fs;

use serde_json::json;

use self::Of::{Ours, StandIn};
use super::blocks;
use super::shell::Shell;
use super::stand_in;
use crate::support::{Receiver, SOON, World};

/// The stack that a block is about.
#[derive(Clone, Copy)]
enum Of {
    Ours,
    StandIn,
}

/// A page, and what each of its blocks says, in their order. One without words is silent.
type Page = (&'static str, &'static [(Of, &'static [&'static str])]);

const PAGES: [Page; 13] = [
    ("docs/runbook/README.md", &[(Ours, &[]), (Ours, &["is at http"]), (Ours, &["\"rescued\":"])]),
    ("docs/runbook/clock-wrong.md", &[(Ours, &["ate: ", "UTC"])]),
    (
        "docs/runbook/continuation-queue-behind.md",
        &[
            (StandIn, &["an event that goes on"]),
            (StandIn, &["-ContinuationQueue-", "-UnfinishedQueue-", "-SlowQueue-"]),
            (StandIn, &["MessageId"]),
            (StandIn, &["MessageId"]),
            (StandIn, &["0\t0\n0\t0\n0\t0\n"]),
            (StandIn, &[]),
        ],
    ),
    ("docs/runbook/dead-letters-left.md", &[(StandIn, &["a dead letter"])]),
    (
        "docs/deleting-a-tenant.md",
        &[
            (Ours, &["\"active\"", "\"retrying\":0"]),
            (Ours, &["\"deleting\"", "\"begins_at\""]),
            (Ours, &["\"stage\":null"]),
        ],
    ),
    (
        "docs/runbook/deliver-queue-behind.md",
        &[
            (Ours, &["DeliverQueue", "RetryQueue", "SlowQueue", "\tEnabled\t"]),
            (StandIn, &["NothingForDeliver", "\"State\": \"Enabled\""]),
        ],
    ),
    (
        "docs/runbook/fanout-stopped.md",
        &[(Ours, &["\tEnabled\t"]), (StandIn, &["NothingForFanout", "\"State\": \"Enabled\""])],
    ),
    (
        "docs/runbook/quarantine.md",
        &[(StandIn, &["an event that goes on"]), (Ours, &["\"redriven\":"]), (StandIn, &["MessageId"])],
    ),
    ("docs/runbook/release-errors.md", &[(Ours, &["_COMPLETE"])]),
    (
        "docs/runbook/scheduler-target-errors.md",
        &[
            (Ours, &["SqsManagedSseEnabled"]),
            (Ours, &["StackDriftDetectionId"]),
            (Ours, &["["]),
            (StandIn, &["\"RoleArn\": \"arn:aws:iam::"]),
        ],
    ),
    (
        "docs/runbook/sweep-not-run.md",
        &[(Ours, &["ENABLED\trate(", "events.amazonaws.com"]), (Ours, &[]), (Ours, &["\"rescued\":"])],
    ),
    ("docs/runbook/throttles.md", &[(Ours, &["ConcurrentExecutions"])]),
    (
        "docs/runbook/triggers.md",
        &[(StandIn, &["what a producer put", "ERROR_CODE"]), (StandIn, &["\"FailedEntryCount\": 0"])],
    ),
];

pub(super) fn pages() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(page, _)| *page)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runbook_works_as_printed() {
    let world = World::open();
    let (tenant, receiver) = (world.tenant().await, Receiver::start(world.stack).await);
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let stand_in = stand_in::Stack::make(&world).await;
    for (queue, body) in [
        ("ContinuationQueue", "an event that goes on"),
        ("UnfinishedQueue", "an event that is not finished"),
        ("SlowQueue", "an attempt that is slow"),
        ("DeadQueue", "a dead letter"),
    ] {
        world.aws.send(stand_in.output(queue), body).await;
    }
    stand_in.refuse("what a producer put");
    let events = [("2026-01-15T14:30:00.000Z", "evt_forgotten"), ("2026-01-15T15:30:00.000Z", "evt_fanned_out")];
    stand_in.store("ten_0123456789abcdef", &events);

    let leaving = world.tenant().await;
    let shell = Shell::new(world.stack, "runbook")
        .given("TENANT", &leaving.id)
        .given("FROM", "2026-01-15T14:00:00.000Z")
        .given("TO", "2026-01-15T15:00:00.000Z");
    let given_up = json!({"requestPayload": {"id": "an-envelope", "detail-type": "Postrider Event", "detail": {
        "tenant_id": tenant.id, "event": "dubbing.completed", "data": {}}}});
    fs::write(shell.folder.join("message.json"), given_up.to_string()).expect("the folder takes a file");
    let mut script = Vec::new();
    for (page, says) in &PAGES {
        let printed = blocks::run(page);
        assert_eq!(printed.len(), says.len(), "{page}: what does each of its blocks say? (PAGES)");
        for (block, (of, _)) in printed.iter().zip(*says) {
            let about = match of {
                Ours => &world.stack.name,
                StandIn => &stand_in.name,
            };
            script.push(format!("STACK_NAME={about}\n{block}"));
        }
    }
    let said = shell.run(&script);
    let expected = PAGES.iter().flat_map(|(page, says)| says.iter().map(move |(_, words)| (page, words)));
    for ((block, said), (page, words)) in script.iter().zip(&said).zip(expected) {
        assert_eq!(words.is_empty(), said.is_empty(), "{page}: {block}\nsays: {said}");
        for words in *words {
            assert!(said.contains(words), "{page}: {block}\nsays: {said}\nwithout {words:?}");
        }
    }

    // What the pages moved is where they say, and the event that EventBridge had given up came.
    let quarantine = stand_in.output("QuarantineQueue");
    let mut aside = world.aws.peek(quarantine).await;
    aside.sort_unstable();
    let note = json!({"v": 1, "source": "events stream", "keys": {"tenant_id": "ten_0123456789abcdef", "id": "evt_forgotten"}});
    assert_eq!(aside[..2], ["an event that goes on", "an event that is not finished"]);
    assert_eq!(aside[2..].iter().map(|note| serde_json::from_str(note).ok()).collect::<Vec<_>>(), [Some(note)]);
    assert_eq!(world.aws.peek(stand_in.output("RetryQueue")).await, ["an attempt that is slow"]);
    assert_eq!(receiver.only(SOON).await.json()["event"], "dubbing.completed");
}
