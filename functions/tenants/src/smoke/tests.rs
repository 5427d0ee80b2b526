//! What the smoke test's receiver tells whom; nothing is ever asked of a table for it.

use std::iter::repeat_with;

use jiff::{SignedDuration, Timestamp};
use postrider_api::document::fields_of;
use postrider_api::serve;
use postrider_domain::signature;
use replay::{Answer, Call, Said, Script};
use serde_json::json;

use super::*;
use crate::handler::tests::{answered, keyring, operator, post, script};

const BODY: &str = r#"{"type":"invoice.paid","timestamp":"2026-01-15T14:30:00.000Z","data":{}}"#;

fn secret(byte: u8) -> Secret {
    Secret::generate(&[byte; 32], STANDARD.signing.key)
}

/// An AWS that knows the keys, and nothing else.
fn keys_alone() -> Script {
    Script::default().saying("GetSecretValue", repeat_with(|| Said::secret(r#"{"current":"k1","k1":"a"}"#)))
}

/// The path of a receiver that was made so many seconds ago, to refuse for as many.
async fn made(ago: i64, refuses: u32) -> String {
    let then = clock::now() - SignedDuration::from_secs(ago);
    let token = Token::new(secret(7), refuses, then).unwrap();
    format!("/v1/smoke/receive/{}", token.sealed(&keyring(&keys_alone())).await.unwrap())
}

/// A webhook's POST as deliveries are signed.
fn signed(path: &str, by: &Secret, at: Timestamp) -> Call {
    let headers = signature::headers(&STANDARD.signing, std::slice::from_ref(by), "evt_1", at, BODY.as_bytes());
    let call = Call::new("POST", path).saying_text(BODY);
    headers.into_iter().fold(call, |call, (name, value)| call.header(name, &value))
}

/// What anybody is answered, who has no key.
async fn told(call: Call) -> Answer {
    Answer::of(&serve(&operator(&keys_alone()), call.event()).await)
}

#[tokio::test]
async fn a_receiver_verifies_with_the_secret_that_its_maker_was_told() {
    let made = answered(&script(), post("/v1/smoke/receivers", &json!({}))).await;
    assert_eq!(made.status, 201, "{made:?}");
    let (path, known) = (made.body["path"].as_str().unwrap(), made.body["secret"].as_str().unwrap().to_owned());
    assert!(!path.contains(&known[6..]), "what is in the path is sealed");
    let answer = told(signed(path, &Secret::stored(known), clock::now())).await;
    assert_eq!((answer.status, answer.body), (200, json!({"verified": true})));
    let answer = told(signed(path, &secret(8), clock::now())).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (401, &json!("unauthorized")));
}

#[tokio::test]
async fn one_without_a_body_is_made_as_well_and_the_operator_alone_makes_any() {
    let answer = answered(&script(), Call::new("POST", "/v1/smoke/receivers")).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(told(post("/v1/smoke/receivers", &json!({}))).await.status, 401);
}

#[tokio::test]
async fn it_refuses_for_as_long_as_it_is_to_and_ends_after_ten_minutes() {
    for (ago, refuses, status) in
        [(0, 60, 503), (61, 60, 200), (0, 600, 503), (598, 0, 200), (601, 0, 404), (601, 600, 404)]
    {
        let answer = told(signed(&made(ago, refuses).await, &secret(7), clock::now())).await;
        assert_eq!(answer.status, status, "made {ago} s ago to refuse for {refuses}: {answer:?}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_no_receiver_whatever_it_brings() {
    let good = made(0, 0).await;
    let other = keyring(&keys_alone()).seal("ten_0Uj3xKq8mPz4RtVb", &Secret::stored("0 9 x".to_owned())).await.unwrap();
    for path in
        [&good[..good.len() - 4], &format!("/v1/smoke/receive/{other}"), "/v1/smoke/receive/x", "/v1/smoke/receive/"]
    {
        let answer = told(signed(path, &secret(7), clock::now())).await;
        let stray = path.ends_with('/');
        assert_eq!(answer.status, if stray { 401 } else { 404 }, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn an_old_request_and_a_long_one_are_refused() {
    let path = made(0, 0).await;
    let old = told(signed(&path, &secret(7), clock::now() - SignedDuration::from_secs(400))).await;
    assert_eq!((old.status, old.body["error"]["message"].as_str().unwrap().contains("time")), (401, true));
    let long = signed(&path, &secret(7), clock::now()).saying_text(&"x".repeat(MAX_BODY_BYTES + 1));
    let long = told(long).await;
    assert_eq!((long.status, &long.body["error"]["details"]["field"]), (413, &json!("body")));
    let said = told(signed(&path, &secret(7), clock::now()).header("content-type", "text/plain")).await;
    assert_eq!(said.status, 415);
    assert_eq!(told(signed(&path, &secret(7), clock::now()).query("dry_run=1")).await.status, 400);
}

#[tokio::test]
async fn what_cannot_be_a_receiver_is_told_by_its_field() {
    for (body, field) in [
        (json!({"refuse_seconds": 601}), "refuse_seconds"),
        (json!({"refuse_seconds": -1}), "refuse_seconds"),
        (json!({"refuse_seconds": 1.5}), "refuse_seconds"),
        (json!({"refuse_seconds": null}), "refuse_seconds"),
        (json!({"secret": "whsec_x"}), "secret"),
    ] {
        let answer = answered(&script(), post("/v1/smoke/receivers", &body)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!(field)), "{body}");
    }
}

#[tokio::test]
async fn the_document_has_the_fields_that_are_read() {
    let answer = answered(&script(), post("/v1/smoke/receivers", &json!({"?": 1}))).await;
    let expected = format!("only the fields {}", fields_of::<MakeReceiver>().join(", "));
    assert_eq!(answer.body["error"]["details"]["expected"], expected);
}
