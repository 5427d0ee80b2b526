//! HTTP/1.1 answers whose heads are late, odd, broken or without end.

use std::time::Duration;

use serde_json::json;

use super::raw::Raw;
use super::script::{Progress, Step, answer};
use super::trial::{Case, hold};
use crate::support::World;

const BEAT: Duration = Duration::from_millis(100);

/// Cases that answer with bytes and close the connection.
async fn cases(world: &World, table: &[(&'static str, &'static str, &str)]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, outcome, bytes) in table {
        cases.push(Case::new(name, outcome, Raw::http1(world.stack, answer(*bytes)).await));
    }
    cases
}

/// Cases that go on for ever after this beginning.
async fn endless(world: &World, name: &'static str, outcome: &'static str, begin: &str, again: &str) -> Case {
    let steps = [answer(begin), vec![Step::Forever(again.repeat(4096 / again.len()).into())]].concat();
    Case::new(name, outcome, Raw::http1(world.stack, steps).await).left()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_odd_but_http_counts_by_its_status() {
    let world = World::open();
    let table = [
        ("HTTP/1.0 without a length", "succeeded", "HTTP/1.0 200 OK\r\n\r\nbye"),
        ("no status text", "succeeded", "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n"),
        ("shouting header names", "succeeded", "HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 0\r\nX-A: b\r\n\r\n"),
        ("bare line feeds", "succeeded", "HTTP/1.1 200 OK\ncontent-length: 0\n\n"),
        (
            "both framings",
            "succeeded",
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nhello",
        ),
        ("an odd framing", "succeeded", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, identity\r\n\r\nhello"),
        ("204 with a body", "succeeded", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello"),
        ("205 with a body", "succeeded", "HTTP/1.1 205 Reset Content\r\ncontent-length: 5\r\n\r\nhello"),
        ("304 with a body", "status_304", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\nhello"),
        (
            "some 1xx first",
            "succeeded",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ),
        (
            "an upgrade",
            "status_101",
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        ),
        ("status 999", "status_999", "HTTP/1.1 999 Denied\r\ncontent-length: 0\r\n\r\n"),
        (
            "two answers",
            "status_500",
            "HTTP/1.1 500 First\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 Second\r\ncontent-length: 0\r\n\r\n",
        ),
    ];
    hold(&world, cases(&world, &table).await, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_an_invalid_response() {
    let world = World::open();
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-more: of it\r\n".repeat(101));
    let large = format!("HTTP/1.1 200 OK\r\nx-large: {}\r\n\r\n", "x".repeat(1024 * 1024));
    let table = [
        ("another protocol", "invalid_response", "SSH-2.0-OpenSSH_9.6\r\n"),
        ("HTTP/0.9", "invalid_response", "<html>welcome</html>\r\n"),
        ("HTTP/2 in plain letters", "invalid_response", "HTTP/2.0 200 OK\r\n\r\n"),
        ("status 000", "invalid_response", "HTTP/1.1 000 Nothing\r\n\r\n"),
        ("status 99", "invalid_response", "HTTP/1.1 99 Low\r\n\r\n"),
        ("status 1000", "invalid_response", "HTTP/1.1 1000 High\r\n\r\n"),
        ("a header over two lines", "invalid_response", "HTTP/1.1 200 OK\r\nx-folded: one\r\n two\r\n\r\n"),
        ("NUL in a header", "invalid_response", "HTTP/1.1 200 OK\r\nx-nul: a\0b\r\n\r\n"),
        ("a header without a colon", "invalid_response", "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"),
        ("a space before the colon", "invalid_response", "HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n"),
        ("a negative length", "invalid_response", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"),
        ("two lengths", "invalid_response", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello"),
        (
            "a length beyond 64 bits",
            "invalid_response",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
        ),
        ("101 headers", "invalid_response", &many),
        ("a header of 1 MiB", "invalid_response", &large),
    ];
    hold(&world, cases(&world, &table).await, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_to_an_end_is_cut() {
    let world = World::open();
    let stack = world.stack;
    let slowly = |bytes: &str| vec![Step::Until(Progress::Request), Step::Drip(bytes.as_bytes().to_vec(), BEAT)];
    let late = "HTTP/1.1 200 OK\r\nx-slow: headers that take their time\r\ncontent-length: 0\r\n\r\n";
    let silent = vec![Step::Until(Progress::Request), Step::Hold];
    let cases = vec![
        Case::new("silence", "timed_out", Raw::http1(stack, silent).await).told("within 3 seconds").left(),
        Case::new("slow headers", "timed_out", Raw::http1(stack, slowly(late)).await).left(),
        endless(&world, "1xx without end", "timed_out", "", "HTTP/1.1 100 Continue\r\n\r\n").await,
        endless(&world, "early hints without end", "timed_out", "", "HTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\n").await,
        endless(&world, "headers without end", "invalid_response", "HTTP/1.1 200 OK\r\n", "x-more: of it\r\n").await,
        endless(&world, "a header without end", "invalid_response", "HTTP/1.1 200 OK\r\nx-long: ", "more ").await,
        endless(&world, "a status text without end", "invalid_response", "HTTP/1.1 200 ", "OK ").await,
        endless(&world, "empty lines without end", "invalid_response", "", "\r\n").await,
    ];
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_leads_nowhere() {
    let world = World::open();
    let to = |status: &str, location: &str| {
        format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
    };
    let target = Raw::http1(world.stack, answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    let [metadata, plain] = ["https://169.254.169.254/latest/meta-data/", "http://169.254.169.254/latest/api/token"];
    let table = [
        ("307 to the metadata service", "status_307", to("307", metadata)),
        ("308 to it without TLS", "status_308", to("308", plain)),
        ("302 to another receiver", "status_302", to("302", &target.url())),
        ("303 to a file", "status_303", to("303", "file:///etc/passwd")),
        ("301 to nonsense", "status_301", to("301", "://")),
    ];
    let table: Vec<_> = table.iter().map(|(name, outcome, bytes)| (*name, *outcome, bytes.as_str())).collect();
    hold(&world, cases(&world, &table).await, &json!({})).await;
    assert_eq!(target.connections(), 0, "a redirect was followed");
}
