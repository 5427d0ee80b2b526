//! Signature checks that are not ours: programs that users copy, run on what really came over the wire.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests lie in the repository").to_owned()
}

/// The body with its last bit changed in each of a few places: the first byte, the middle, the last.
pub(crate) fn flipped(body: &[u8]) -> Vec<Vec<u8>> {
    let flip = |index: usize| {
        let mut copy = body.to_vec();
        copy[index] ^= 1;
        copy
    };
    vec![flip(0), flip(body.len() / 2), flip(body.len() - 1)]
}

/// Runs a verifier to its end, with a received body on its standard input.
pub(crate) fn run(command: &mut Command, body: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // A verifier may refuse before it has read everything.
    let _ = child.stdin.take().expect("stdin is piped").write_all(body);
    child.wait_with_output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// What a verifier wrote, for the failure messages.
pub(crate) fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
