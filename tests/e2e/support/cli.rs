//! The AWS CLI, as an operator or another service's script would use it.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use super::stack::Stack;
use super::verifier::root;

/// The CLI that the suite installs.
pub(crate) fn program() -> PathBuf {
    root().join("local/.venv/bin/aws")
}

/// What makes the CLI talk to the stack and to nobody else.
pub(crate) fn environment(stack: &Stack) -> [(&'static str, &str); 7] {
    [
        ("AWS_ENDPOINT_URL", &stack.endpoint_url),
        ("AWS_DEFAULT_REGION", &stack.region),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_PAGER", ""),
    ]
}

/// Runs `aws` with these arguments; its answer as JSON.
#[track_caller]
pub(crate) fn aws(stack: &Stack, arguments: &[&str]) -> Value {
    let output = run(stack, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "aws {arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// The same where it does not matter if it fails, as when what is to be deleted is not there.
pub(crate) fn try_aws(stack: &Stack, arguments: &[&[&str]]) -> Value {
    serde_json::from_slice(&run(stack, &arguments.concat()).stdout).unwrap_or(Value::Null)
}

fn run(stack: &Stack, arguments: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.args(arguments).args(["--output", "json"]).envs(environment(stack));
    command.output().unwrap_or_else(|error| panic!("{}: {error}", program().display()))
}
