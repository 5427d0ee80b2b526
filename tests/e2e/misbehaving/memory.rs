//! Every flood at once: the functions that deliver stay small.

use serde_json::json;

use super::frames::{DATA, NO_FLAGS, frame, head, hello};
use super::gzip;
use super::raw::Raw;
use super::script::{Progress, Step, answer};
use super::trial::{Case, hold};
use crate::support::World;

/// A process's peak, in MiB, without its program; the function has 256 to itself. An idle one has some 25.
const LIMIT: u64 = 224;

#[tokio::test(flavor = "multi_thread")]
async fn floods_fill_no_memory() {
    let world = World::open();
    let stack = world.stack;
    let forever = |begin: &[u8], again: &[u8]| [answer(begin), vec![Step::Forever(again.to_vec())]].concat();
    let http2 = |begin: Vec<u8>, again: &[u8]| {
        let again = Step::Forever(again.repeat(1 + 65_536 / again.len()));
        vec![Step::Send(hello()), Step::Until(Progress::Request), Step::Send(begin), again]
    };
    let (failure, block) = (b"HTTP/1.1 500 Broken\r\n", vec![b'x'; 1024 * 1024]);
    let long_header = [&failure[..], b"x-long: "].concat();
    let no_length = [&failure[..], b"\r\n"].concat();
    let packed = [&failure[..], b"content-encoding: gzip\r\n\r\n", &gzip::bomb()].concat();
    let data = frame(DATA, NO_FLAGS, 1, &[b'x'; 16_384]);
    let mut cases = Vec::new();
    for _ in 0..3 {
        let bodies = forever(&no_length, &block);
        cases.push(Case::new("a body without end", "status_500", Raw::http1(stack, bodies).await));
        let headers = forever(&long_header, &block);
        cases.push(Case::new("a header without end", "invalid_response", Raw::http1(stack, headers).await));
        let hints = forever(b"", &b"HTTP/1.1 103 Hints\r\n\r\n".repeat(1000));
        cases.push(Case::new("1xx without end", "timed_out", Raw::http1(stack, hints).await));
        let bodies = http2(head("500", NO_FLAGS), &data);
        cases.push(Case::new("an HTTP/2 body without end", "status_500", Raw::http2(stack, bodies).await));
        let hints = http2(vec![], &head("103", NO_FLAGS));
        cases.push(Case::new("HTTP/2 1xx without end", "timed_out", Raw::http2(stack, hints).await));
        let bomb = Raw::http1(stack, answer(packed.clone())).await;
        cases.push(Case::new("a gzip bomb", "status_500", bomb).excerpt_up_to(1024));
    }
    hold(&world, cases, &json!({})).await;

    let peaks: Vec<_> = world.aws.functions.processes("deliver").into_iter().filter_map(peak_mib).collect();
    assert!(!peaks.is_empty(), "no process of deliver is left to look at");
    assert!(peaks.iter().all(|peak| *peak < LIMIT), "MiB at their peaks: {peaks:?}");
}

/// The most memory that a process ever had, or nothing where it has just ended. The pages of its program's file do not count: those of
/// a dev build are many times what is deployed, and the kernel may drop them at any time.
fn peak_mib(pid: u32) -> Option<u64> {
    let status = procfs::process::Process::new(pid.try_into().ok()?).ok()?.status().ok()?;
    Some((status.vmhwm? - status.rssfile?) / 1024)
}
