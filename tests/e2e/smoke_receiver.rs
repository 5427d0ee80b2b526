//! The receiver that the smoke test has of the API itself: it judges as a customer's receiver does, and keeps nothing.

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::request::Received;
use crate::support::time::instant;
use crate::support::{Answer, Receiver, SOON, World};

/// As the dialect signs.
const SIGNED: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// Hands on what a receiver of the test's own has got, with the body that it came with or another.
async fn handed_on(world: &World, to: &Value, received: &Received, body: &str) -> Answer {
    let call = world.anonymous.call(reqwest::Method::POST, text(to, "path")).body("application/json", body);
    let call = SIGNED.iter().fold(call, |call, name| call.header(name, received.header(name).expect("it is signed")));
    call.send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_takes_what_is_signed_with_its_secret_and_nothing_else() {
    let world = World::open();
    let make = async |body: Value| world.admin.post("/v1/smoke/receivers", &body).await.ok(201);
    let (right, wrong, refusing) =
        (make(json!({})).await, make(json!({})).await, make(json!({"refuse_seconds": 600})).await);
    let life = instant(text(&right, "expires_at")).as_second() - instant(text(&right, "refuses_until")).as_second();
    assert_eq!(life, 600, "{right}");
    assert_eq!(refusing["refuses_until"], refusing["expires_at"]);

    let (tenant, receiver) = (world.tenant_on("standard", "pro").await, Receiver::start(world.stack).await);
    let body = json!({"url": receiver.url("/"), "events": ["*"], "secret": right["secret"]});
    tenant.create(&body).await;
    tenant.publish("invoice.paid", &json!({"amount": "19.90"})).await;
    let received = receiver.only(SOON).await;
    let came = String::from_utf8(received.body.clone()).expect("it is JSON");

    assert_eq!(handed_on(&world, &right, &received, &came).await.ok(200), json!({"verified": true}));
    handed_on(&world, &wrong, &received, &came).await.refused(401, "unauthorized");
    handed_on(&world, &right, &received, &came.replace("19.90", "99.90")).await.refused(401, "unauthorized");
    let refused = handed_on(&world, &refusing, &received, &came).await;
    refused.refused(503, "unavailable");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    let unsigned = world.anonymous.post(text(&right, "path"), &json!({})).await;
    unsigned.refused(401, "unauthorized");
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(257 * 1024));
    handed_on(&world, &right, &received, &long).await.refused(413, "payload_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_nobody_has_made_is_none() {
    let world = World::open();
    let made = world.admin.post("/v1/smoke/receivers", &json!({})).await.ok(201);
    let path = text(&made, "path");
    for token in [&path[..path.len() - 8], &format!("{path}AAAA"), "/v1/smoke/receive/k9.AAAA", "/v1/smoke/receive/x"] {
        world.anonymous.post(token, &json!({})).await.refused(404, "not_found");
    }
}
