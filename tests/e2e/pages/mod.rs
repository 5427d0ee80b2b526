//! What our pages print for people to type, run as it is printed, by the tools that are pinned here. `tests/pages/rehearsed.json`
//! names the blocks that are not, and why; `tests/local/test_pages.py` rehearses those, and holds all blocks to their form.

pub(crate) mod blocks;
pub(crate) mod shell;

mod aws;
mod contributing;
mod deploy;
mod network;
mod operations;
mod readme;
mod runbook;
mod stand_in;

use std::collections::BTreeSet;

/// Pages with a test of their own, beside the runbook's. That of the release is in Python (`tests/release`).
const BY_THEMSELVES: [&str; 8] = [
    "CONTRIBUTING.md",
    "README.md",
    "docs/aws.md",
    "docs/deploying-a-release.md",
    "docs/operations.md",
    "docs/runbook/parked-webhooks.md",
    "docs/source-addresses.md",
    "docs/triggers.md",
];

/// Pages between whose commands whole stacks are deployed: `tests/restore` runs them.
const ELSEWHERE: [&str; 1] = ["docs/restore.md"];

#[test]
fn every_page_is_run() {
    let by_themselves = BY_THEMSELVES.into_iter().chain(ELSEWHERE);
    let run: BTreeSet<String> = by_themselves.chain(runbook::pages()).map(str::to_owned).collect();
    let printed: BTreeSet<String> = blocks::pages().into_iter().filter(|page| !blocks::run(page).is_empty()).collect();
    assert_eq!(printed, run, "pages that print commands (left), and those that a test runs");
}
