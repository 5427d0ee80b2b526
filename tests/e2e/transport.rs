//! Endpoints that fail below HTTP, or answer what is no success: each has its own outcome, and is tried again.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::support::api::text;
use crate::support::openssl::self_signed;
use crate::support::{Gate, Receiver, Reply, SOON, Tenant, World};

/// Publishes to a fresh webhook at `url`; returns the delivery after its first, failed attempt.
async fn first_failure(tenant: &Tenant, url: &str, within: Duration) -> Value {
    let webhook = tenant.webhook(url, &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    let delivery = tenant.settled_within(&id, "retrying", 1, within).await;
    tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    delivery
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let world = World::open();
    let tenant = world.tenant().await;
    let target = Receiver::start(world.stack).await;
    for status in [301, 302, 303, 307, 308] {
        let location = vec![("location", target.url("/stolen"))];
        let receiver = Receiver::scripted(world.stack, [], Reply::Full(status, location, vec![])).await;
        let delivery = first_failure(&tenant, &receiver.url("/"), SOON).await;
        assert_eq!(delivery["attempts"][0]["outcome"], format!("status_{status}"));
        assert_eq!(delivery["attempts"][0]["status_code"], status);
        assert_eq!(receiver.requests().len(), 1);
    }
    assert!(target.requests().is_empty(), "{:?}", target.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_refuses() {
    let world = World::open();
    let tenant = world.tenant().await;
    // Bound, so that nobody else can take the port, but not listening.
    let socket = TcpSocket::new_v4().expect("a socket should be had");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a loopback port should be free");
    let port = socket.local_addr().expect("a bound socket has an address").port();

    let delivery = first_failure(&tenant, &format!("https://127.0.0.1:{port}/"), SOON).await;
    assert_eq!(delivery["attempts"][0]["outcome"], "connect_refused", "{delivery}");
    assert_eq!(delivery["attempts"][0]["status_code"], Value::Null);
    assert!(!text(&delivery["attempts"][0], "error").is_empty(), "{delivery}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_certificate_gets_nothing() {
    let world = World::open();
    let tenant = world.tenant().await;
    let (cert, key) = self_signed("untrusted");
    let receiver = Receiver::with_certificate(&cert, &key, [].into(), Reply::Status(200)).await;
    let delivery = first_failure(&tenant, &receiver.url("/"), SOON).await;
    assert_eq!(delivery["attempts"][0]["outcome"], "tls_failed", "{delivery}");
    assert!(receiver.requests().is_empty(), "nothing may be sent to a receiver that proves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_resolve_is_tried_again() {
    let world = World::open();
    let tenant = world.tenant().await;
    let delivery = first_failure(&tenant, "https://nobody.invalid/", SOON).await;
    assert_eq!(delivery["attempts"][0]["outcome"], "dns_failed", "{delivery}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_or_babbles_is_a_failure() {
    let world = World::open();
    let tenant = world.tenant().await;
    for (reply, outcomes) in [
        (Reply::Hangup, ["reset", "invalid_response"]),
        (Reply::Raw(b"HELO stranger\r\n\r\n".to_vec()), ["invalid_response", "invalid_response"]),
    ] {
        let receiver = Receiver::scripted(world.stack, [], reply).await;
        let delivery = first_failure(&tenant, &receiver.url("/"), SOON).await;
        let outcome = text(&delivery["attempts"][0], "outcome");
        assert!(outcomes.contains(&outcome), "{delivery}");
        assert_eq!(receiver.requests().len(), 1, "no attempt is repeated behind the ledger's back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn success_is_decided_at_the_status_line() {
    let world = World::open();
    let tenant = world.tenant().await;
    // A body that never comes is not waited for, beyond a moment.
    let reply = Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nbut".to_vec());
    let receiver = Receiver::scripted(world.stack, [], reply).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&id, "succeeded", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_has_thirty_seconds() {
    let world = World::open();
    let tenant = world.tenant().await;
    let never = Gate::shut();
    let receiver = Receiver::scripted(world.stack, [], Reply::Held(never)).await;
    let delivery = first_failure(&tenant, &receiver.url("/"), Duration::from_secs(60)).await;
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["outcome"], "timed_out", "{delivery}");
    let duration = attempt["duration_ms"].as_u64().expect("an attempt should have a duration");
    assert!((29_500..32_000).contains(&duration), "{delivery}");
    assert_eq!(receiver.requests().len(), 1);
}
