//! The AWS CLI, as an operator or another service's script would use it.

use std::path::PathBuf;
use std::process::Command;

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
    let mut command = Command::new(program());
    command.args(arguments).args(["--output", "json"]).envs(environment(stack));
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", program().display()));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "aws {arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}
