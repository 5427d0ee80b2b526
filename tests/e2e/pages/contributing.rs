//! What CONTRIBUTING.md does on a stack that runs; `tests/local/test_contributing.py` runs what needs none.

use std::process::Command;

use super::blocks;
use crate::support::stack::Stack;
use crate::support::verifier::{root, run, words};

/// How a block begins that needs a stack.
const ON_A_STACK: &str = "# on the stack that runs\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_contributing_does_on_a_stack_works_as_printed() {
    let description = Stack::description();
    let blocks = blocks::run("CONTRIBUTING.md").into_iter().filter(|block| block.starts_with(ON_A_STACK));
    let blocks: Vec<_> = blocks.collect();
    assert!(blocks.len() > 1, "the page has blocks for a stack");
    for block in blocks {
        let mut command = Command::new("bash");
        command.current_dir(root()).args(["-euo", "pipefail", "-c", &block]).env("POSTRIDER_STACK", &description);
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
