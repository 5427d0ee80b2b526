//! A gzip bomb, by the gzip on this machine.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

/// 100 MiB of nothing in some 100 KiB.
pub(super) fn bomb() -> Vec<u8> {
    let mut child = Command::new("gzip")
        .args(["-9", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gzip should be installed");
    let mut input = child.stdin.take().expect("stdin is piped");
    let feeding = std::thread::spawn(move || {
        let nothing = vec![0; 1024 * 1024];
        (0..100).try_for_each(|_| input.write_all(&nothing))
    });
    let mut packed = Vec::new();
    let mut output = child.stdout.take().expect("stdout is piped");
    output.read_to_end(&mut packed).expect("gzip should write");
    feeding.join().expect("nothing panics there").expect("gzip should read its input");
    assert!(child.wait().expect("gzip should end").success(), "gzip failed");
    packed
}
