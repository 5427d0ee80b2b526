//! OpenSSL's command line: an implementation of HMAC and of certificates that shares nothing with ours.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// HMAC-SHA256 of `message` in lower-case hex, by `openssl dgst`.
pub(crate) fn hmac_sha256(key: &str, message: &[u8]) -> String {
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-r", "-hmac", key])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl should be installed");
    child.stdin.take().expect("stdin is piped").write_all(message).expect("openssl should read its input");
    let output = child.wait_with_output().expect("openssl should end");
    assert!(output.status.success(), "openssl dgst failed");
    let text = String::from_utf8(output.stdout).expect("openssl prints ASCII");
    text.split_whitespace().next().expect("openssl prints the digest first").to_owned()
}

/// A certificate and key for localhost that nobody trusts.
pub(crate) fn self_signed(name: &str) -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (cert, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-out")
        .arg(&cert)
        .arg("-keyout")
        .arg(&key)
        .output()
        .expect("openssl should be installed");
    assert!(output.status.success(), "openssl req: {}", String::from_utf8_lossy(&output.stderr));
    (cert, key)
}
