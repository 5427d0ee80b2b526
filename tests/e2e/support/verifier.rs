//! Signature checks that are not ours: programs that users copy, run on what really came over the wire.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests lie in the repository").to_owned()
}

/// A file with a received body, which a verifier reads as bytes.
pub(crate) fn body_file(body: &[u8]) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("body-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, body).expect("the target folder should be writable");
    path
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

/// Runs a verifier to its end.
pub(crate) fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// What a verifier wrote, for the failure messages.
pub(crate) fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
