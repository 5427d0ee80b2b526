//! HTTP/2 that stops, floods or breaks the rules.

use serde_json::json;

use super::frames::{
    CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, INITIAL_WINDOW_SIZE,
    INTERNAL_ERROR, NO_ERROR, NO_FLAGS, PING, PUSH_PROMISE, REFUSED_STREAM, SETTINGS, WINDOW_UPDATE, frame, goaway,
    head, hello, named_field, reset, setting, status_field,
};
use super::raw::Raw;
use super::script::{Progress, Step};
use super::trial::{Case, hold};
use crate::support::World;

/// A receiver that says hello, takes the request and then sends these frames.
async fn answering(world: &World, name: &'static str, outcome: &'static str, frames: &[Vec<u8>]) -> Case {
    after(world, name, outcome, vec![Step::Send(frames.concat()), Step::Hold]).await
}

/// A receiver that says hello, takes the request, and sends these frames and the last one again and again.
async fn flooding(world: &World, name: &'static str, outcome: &'static str, begin: &[Vec<u8>], again: &[u8]) -> Case {
    let again = Step::Forever(again.repeat(1 + 8192 / again.len()));
    after(world, name, outcome, vec![Step::Send(begin.concat()), again]).await
}

async fn after(world: &World, name: &'static str, outcome: &'static str, steps: Vec<Step>) -> Case {
    let begin = vec![Step::Send(hello()), Step::Until(Progress::Request)];
    Case::new(name, outcome, Raw::http2(world.stack, [begin, steps].concat()).await)
}

fn headers(block: &[Vec<u8>]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block.concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_by_its_status() {
    let world = World::open();
    let body = |text: &str, flags| frame(DATA, flags, 1, text.as_bytes());
    let failure = head("503", NO_FLAGS);
    let trailers = headers(&[named_field("x-trailer", "late")]);
    let window = vec![b'x'; 16 * 1024];
    let cases = vec![
        answering(&world, "a plain success", "succeeded", &[head("200", END_STREAM)]).await,
        answering(&world, "a success without an end", "succeeded", &[head("200", NO_FLAGS)]).await,
        answering(&world, "1xx first", "succeeded", &[head("103", NO_FLAGS), head("204", END_STREAM)]).await,
        answering(&world, "a failure with trailers", "status_503", &[failure.clone(), body("no", NO_FLAGS), trailers])
            .await
            .excerpt("no"),
        answering(
            &world,
            "a failure that breaks off",
            "status_503",
            &[failure.clone(), body("no", NO_FLAGS), reset(1, INTERNAL_ERROR)],
        )
        .await
        .excerpt("no"),
        answering(
            &world,
            "a wrong length",
            "status_503",
            &[
                frame(HEADERS, END_HEADERS, 1, &[status_field("503"), named_field("content-length", "2")].concat()),
                body("nonsense", END_STREAM),
            ],
        )
        .await,
        flooding(
            &world,
            "a body without end",
            "status_503",
            std::slice::from_ref(&failure),
            &frame(DATA, NO_FLAGS, 1, &window),
        )
        .await
        .excerpt("x".repeat(1024)),
        flooding(&world, "empty frames without end", "status_503", &[failure], &frame(DATA, NO_FLAGS, 1, b"")).await,
    ];
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_read_is_not_sent_again() {
    let world = World::open();
    let ok = head("200", NO_FLAGS);
    let cases = vec![
        answering(&world, "GOAWAY, perhaps done", "timed_out", &[goaway(1, INTERNAL_ERROR)]).await,
        after(&world, "GOAWAY, perhaps done, and closed", "reset", vec![Step::Send(goaway(1, NO_ERROR))]).await,
        after(&world, "GOAWAY of all streams to come", "reset", vec![Step::Send(goaway(i32::MAX as u32, NO_ERROR))])
            .await,
        answering(&world, "GOAWAY behind the answer", "succeeded", &[ok.clone(), goaway(0, NO_ERROR)]).await,
        answering(&world, "REFUSED_STREAM behind the answer", "succeeded", &[ok, reset(1, REFUSED_STREAM)]).await,
        answering(&world, "NO_ERROR", "reset", &[reset(1, NO_ERROR)]).await.told("RST_STREAM, code 0"),
        answering(&world, "INTERNAL_ERROR", "reset", &[reset(1, INTERNAL_ERROR)]).await.told("RST_STREAM, code 2"),
        answering(&world, "CANCEL", "reset", &[reset(1, CANCEL)]).await.told("RST_STREAM, code 8"),
        answering(&world, "ENHANCE_YOUR_CALM", "reset", &[reset(1, ENHANCE_YOUR_CALM)]).await.told("code 11"),
        after(&world, "closed", "reset", vec![]).await,
        after(&world, "broken off", "reset", vec![Step::Reset]).await,
    ];
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_always_turned_away_unread_is_sent_again_five_times() {
    let world = World::open();
    let told = "the receiver closed the connection (GOAWAY, code";
    let cases = vec![
        answering(&world, "GOAWAY", "reset", &[goaway(0, NO_ERROR)]).await.told(told).posts(6),
        answering(&world, "GOAWAY for an error", "reset", &[goaway(0, INTERNAL_ERROR)]).await.told(told).posts(6),
        answering(&world, "REFUSED_STREAM", "reset", &[reset(1, REFUSED_STREAM)]).await.told("code 7").posts(6),
    ];
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_rules_is_an_invalid_response() {
    let world = World::open();
    let ok = || status_field("200");
    let junk = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".as_bytes().to_vec();
    let large = [ok(), (0..400).flat_map(|_| named_field("x-more", &"of it ".repeat(20))).collect()];
    // An entry of HPACK's table, and a byte for each time that it is meant.
    let packed = [ok(), [&[0x40, 1, b'x', 100][..], &[b'y'; 100], &[0xbe; 16_000]].concat()];
    let mut cases = Vec::new();
    for (name, frames) in [
        ("HTTP/1.1 after all", vec![junk]),
        ("a body before its head", vec![frame(DATA, END_STREAM, 1, b"hello")]),
        ("a head on stream 0", vec![frame(HEADERS, END_HEADERS, 0, &ok())]),
        ("a head without a status", vec![headers(&[named_field("x-a", "b")])]),
        ("a status of letters", vec![head("abc", END_STREAM)]),
        ("a status of 4 digits", vec![head("2000", END_STREAM)]),
        ("a header in capitals", vec![headers(&[ok(), named_field("X-Loud", "yes")])]),
        ("a header of a connection", vec![headers(&[ok(), named_field("connection", "close")])]),
        ("a push", vec![frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x88])]),
        ("HPACK of nonsense", vec![frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff; 40])]),
        ("a frame too large", vec![frame(DATA, NO_FLAGS, 1, &[0; 17_000])]),
        ("a window of no size", vec![frame(WINDOW_UPDATE, NO_FLAGS, 0, &[0; 4])]),
        ("a window beyond 31 bits", vec![frame(WINDOW_UPDATE, NO_FLAGS, 0, &[0x7f, 0xff, 0xff, 0xff])]),
        ("settings of odd length", vec![frame(SETTINGS, NO_FLAGS, 0, &[0; 5])]),
        ("settings of an impossible window", vec![setting(INITIAL_WINDOW_SIZE, u32::MAX)]),
        ("an HPACK bomb", vec![headers(&packed)]),
    ] {
        cases.push(answering(&world, name, "invalid_response", &frames).await.told("HTTP/2's rules"));
    }
    let first = frame(HEADERS, NO_FLAGS, 1, &large[0]);
    let more: Vec<_> = large[1].chunks(8192).map(|part| frame(CONTINUATION, NO_FLAGS, 1, part)).collect();
    let end = frame(CONTINUATION, END_HEADERS, 1, &[]);
    let parts = [vec![first.clone()], more, vec![end]].concat();
    cases.push(answering(&world, "50 KiB of headers", "invalid_response", &parts).await);
    let again = frame(CONTINUATION, NO_FLAGS, 1, &named_field("x-more", "of it"));
    cases.push(flooding(&world, "CONTINUATION without end", "invalid_response", &[first], &again).await.left());
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stalls_or_floods_is_cut() {
    let world = World::open();
    let stack = world.stack;
    let hold_after = |steps: Vec<Step>| Raw::http2(stack, [steps, vec![Step::Hold]].concat());
    let no_window = vec![Step::Send(setting(INITIAL_WINDOW_SIZE, 0))];
    let again = |kind, payload: &[u8]| frame(kind, NO_FLAGS, 0, payload);
    let cases = vec![
        Case::new("a server that says nothing", "timed_out", hold_after(vec![]).await),
        Case::new("no answer", "timed_out", hold_after(vec![Step::Send(hello())]).await),
        Case::new("no room for the body", "timed_out", hold_after(no_window).await),
        flooding(&world, "PING without end", "timed_out", &[], &again(PING, &[7; 8])).await,
        flooding(&world, "SETTINGS without end", "timed_out", &[], &again(SETTINGS, &[0, 4, 0, 1, 0, 0])).await,
        flooding(&world, "1xx without end", "timed_out", &[], &head("103", NO_FLAGS)).await,
        flooding(&world, "unknown frames without end", "timed_out", &[], &again(0xfa, b"what?")).await,
    ];
    hold(&world, cases, &json!({})).await;
}
