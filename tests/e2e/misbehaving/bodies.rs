//! Answers whose bodies are late, broken, hostile or without end: the status decides, and little is read of the rest.

use std::time::Duration;

use serde_json::json;

use super::gzip;
use super::raw::Raw;
use super::script::{Progress, Step, answer};
use super::trial::{Case, hold};
use crate::support::World;

/// What the ledger keeps of a last attempt's answer.
const KEPT: usize = 1024;

fn failure(headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 500 Broken\r\n{headers}\r\n").as_bytes(), body].concat()
}

fn of_length(body: &[u8]) -> Vec<u8> {
    failure(&format!("content-length: {}\r\n", body.len()), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_read_for_two_seconds_or_four_kibibytes() {
    let world = World::open();
    let stack = world.stack;
    let endless = |head: Vec<u8>, again: &[u8]| [answer(head), vec![Step::Forever(again.repeat(4096))]].concat();
    let trickle = Step::Drip(b"slow".repeat(1000), Duration::from_millis(50));
    let chunked = "transfer-encoding: chunked\r\n";
    let trickling = [answer(failure("", b"")), vec![trickle.clone()]].concat();
    let trickled_success = [answer("HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n"), vec![trickle]].concat();
    let silent = [answer("HTTP/1.1 202 Accepted\r\ncontent-length: 9\r\n\r\n"), vec![Step::Hold]].concat();
    let chunks = endless(failure(chunked, b""), b"1\r\nx\r\n");
    let cases = vec![
        Case::new("a trickled body", "status_500", Raw::http1(stack, trickling).await).excerpt_up_to(KEPT).left(),
        Case::new("a trickled success", "succeeded", Raw::http1(stack, trickled_success).await).left(),
        Case::new("a body that never comes", "succeeded", Raw::http1(stack, silent).await).left(),
        Case::new("a body without end", "status_500", Raw::http1(stack, endless(failure("", b""), b"x")).await)
            .excerpt("x".repeat(KEPT))
            .left(),
        Case::new("chunks without end", "status_500", Raw::http1(stack, chunks).await).excerpt("x".repeat(KEPT)).left(),
        Case::new(
            "a success without end",
            "succeeded",
            Raw::http1(stack, endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b"x")).await,
        )
        .left(),
        Case::new(
            "a chunk's extension without end",
            "status_500",
            Raw::http1(stack, endless(failure(chunked, b"5;"), b"a=b;")).await,
        )
        .left(),
        Case::new(
            "trailers without end",
            "status_500",
            Raw::http1(stack, endless(failure(chunked, b"5\r\nhello\r\n0\r\n"), b"x-more: of it\r\n")).await,
        )
        .excerpt("hello")
        .left(),
    ];
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_what_its_head_says_changes_no_outcome() {
    let world = World::open();
    let stack = world.stack;
    let chunked = "transfer-encoding: chunked\r\n";
    let case = async |name, bytes: Vec<u8>| Case::new(name, "status_500", Raw::http1(stack, answer(bytes)).await);
    let reset_success = vec![
        Step::Until(Progress::Request),
        Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfour".to_vec()),
        // A reset that overtakes the answer destroys it.
        Step::Pause(Duration::from_millis(100)),
        Step::Reset,
    ];
    let cases = vec![
        case("a body too short", failure("content-length: 900\r\n", b"hello")).await.excerpt("hello").left(),
        case("a body too long", failure("content-length: 5\r\n", b"hello, world")).await.excerpt("hello").left(),
        case("a huge length", failure("content-length: 9223372036854775807\r\n", b"hello")).await.excerpt("hello"),
        case("a chunk beyond 64 bits", failure(chunked, b"FFFFFFFFFFFFFFFFF\r\nhello")).await.left(),
        case("a negative chunk", failure(chunked, b"-5\r\nhello\r\n0\r\n\r\n")).await.left(),
        case("chunks that break off", failure(chunked, b"5\r\nhello\r\n")).await.excerpt("hello").left(),
        Case::new("a success that breaks off", "succeeded", Raw::http1(stack, reset_success).await),
    ];
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_excerpt_is_text_that_cannot_deceive() {
    let world = World::open();
    let stack = world.stack;
    let case =
        async |name, body: &[u8]| Case::new(name, "status_500", Raw::http1(stack, answer(of_length(body))).await);
    let packed = "content-encoding: gzip\r\ncontent-type: text/plain\r\n";
    let bomb = Raw::http1(stack, answer(failure(packed, &gzip::bomb()))).await;
    let cases = vec![
        case("no UTF-8", b"caf\xe9 \xff\xfe!").await.excerpt("caf\u{fffd} \u{fffd}\u{fffd}!"),
        case("a terminal's commands", b"\x1b]0;owned\x07\x1b[2Jbad\0\x08 request\r\n")
            .await
            .excerpt("]0;owned[2Jbad request\n"),
        case("text turned round", "total: \u{202e}001\u{2066}\u{200b} EUR\u{2028}".as_bytes())
            .await
            .excerpt("total: 001 EUR"),
        case("markup", b"<script>alert('x')</script>").await.excerpt("<script>alert('x')</script>"),
        case("a character across the cut", "\u{e9}".repeat(600).as_bytes()).await.excerpt("\u{e9}".repeat(512)),
        case("nothing but control characters", &[1; 100]).await,
        Case::new("a gzip bomb", "status_500", bomb).excerpt_up_to(KEPT),
    ];
    hold(&world, cases, &json!({})).await;
}
