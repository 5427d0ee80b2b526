//! Connections that break off, or never come about: reset or closed at every stage, and requests that nobody reads.

use std::time::Duration;

use serde_json::json;

use super::raw::{Raw, Speech, server_config};
use super::script::{Progress, Step};
use super::trial::{Case, hold};
use crate::support::World;

fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_says_when_it_did() {
    let world = World::open();
    let stack = world.stack;
    let handshake = "broke during the TLS handshake";
    let hello = |end: &[Step]| [&[Step::Until(Progress::Speaking)], end].concat();
    let head = |end: &[Step]| [&[Step::Until(Progress::Head)], end].concat();
    let whole = |end: &[Step]| [&[Step::Until(Progress::Request)], end].concat();
    let bytes = async |steps| Raw::start(Speech::Bytes, steps).await;
    let cases = vec![
        Case::new("reset once connected", "reset", bytes(vec![Step::Reset]).await).unposted().told(handshake),
        Case::new("closed once connected", "reset", bytes(vec![]).await).unposted().told(handshake),
        Case::new("reset in the handshake", "reset", bytes(hello(&[Step::Reset])).await).unposted().told(handshake),
        Case::new("closed in the handshake", "reset", bytes(hello(&[])).await).unposted().told(handshake),
        Case::new("reset at the head", "reset", Raw::http1(stack, head(&[Step::Reset])).await),
        Case::new("reset at the end", "reset", Raw::http1(stack, whole(&[Step::Reset])).await),
        Case::new("closed at the end", "reset", Raw::http1(stack, whole(&[])).await),
        Case::new(
            "reset in the status line",
            "reset",
            Raw::http1(stack, whole(&[send("HTTP/1.1 20"), Step::Reset])).await,
        ),
        Case::new("closed in the status line", "reset", Raw::http1(stack, whole(&[send("HTTP/1.1 20")])).await),
        Case::new(
            "reset in the headers",
            "reset",
            Raw::http1(stack, whole(&[send("HTTP/1.1 200 OK\r\nx-a: b\r\n"), Step::Reset])).await,
        ),
        Case::new("closed after 100", "reset", Raw::http1(stack, whole(&[send("HTTP/1.1 100 Go\r\n\r\n")])).await),
    ];
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_never_comes_about_is_given_up() {
    let world = World::open();
    let silent = async || Raw::start(Speech::Bytes, vec![Step::Hold]).await;
    let plain = vec![Step::Until(Progress::Speaking), send("HTTP/1.1 400 Bad Request\r\n\r\n")];
    let slow = vec![Step::Drip(vec![0x16, 3, 3, 0x40, 0], Duration::from_secs(1)), Step::Hold];
    let cases = vec![
        Case::new("no handshake", "connect_timeout", silent().await).unposted().patience(10).told("in time"),
        Case::new("no handshake, little time", "connect_timeout", silent().await).unposted(),
        Case::new("a slow handshake", "connect_timeout", Raw::start(Speech::Bytes, slow).await).unposted(),
        Case::new("plain HTTP", "tls_failed", Raw::start(Speech::Bytes, plain).await).unposted().told("not speak TLS"),
    ];
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_nobody_reads_to_its_end_has_an_outcome() {
    let world = World::open();
    let stack = world.stack;
    // Nearly the largest event there is.
    let data = json!({"filler": "x".repeat(250 * 1024)});
    let early = "HTTP/1.1 413 Too Large\r\ncontent-length: 9\r\nconnection: close\r\n\r\ntoo large";
    let tls = &stack.receiver_tls;
    let deaf = || Speech::Deaf(server_config(&tls.cert, &tls.key, &[b"http/1.1"]));
    // An answer to what was not yet asked is none: whoever reads nothing can only guess when the request is on its way.
    let (asked, taken) = (Step::Pause(Duration::from_secs(1)), Step::Pause(Duration::from_millis(500)));
    let cases = vec![
        Case::new("nothing read or said", "timed_out", Raw::start(deaf(), vec![Step::Hold]).await).unposted(),
        Case::new("413, nothing read", "status_413", Raw::start(deaf(), vec![asked, send(early), taken]).await)
            .unposted(),
        Case::new(
            "413 before the body",
            "status_413",
            Raw::http1(stack, vec![Step::Until(Progress::Head), send(early), Step::Hold]).await,
        )
        .excerpt("too large")
        .left(),
        Case::new(
            "413 after the body",
            "status_413",
            Raw::http1(stack, vec![Step::Until(Progress::Request), send(early)]).await,
        ),
        Case::new(
            "200 before the body",
            "succeeded",
            Raw::http1(stack, vec![Step::Until(Progress::Head), send("HTTP/1.1 200 OK\r\n\r\n"), Step::Hold]).await,
        )
        .left(),
    ];
    hold(&world, cases, &data).await;
}
