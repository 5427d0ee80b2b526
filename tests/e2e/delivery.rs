//! What a receiver gets: one signed POST per event, byte for byte what nur's page promises.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::openssl::hmac_sha256;
use crate::support::time::instant;
use crate::support::{Receiver, Reply, SOON, World, until};

const SECRET: &str = "whsec_your_signing_secret";
const EVENT: &str = "dubbing.completed";

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_has_exactly_the_pages_five_fields() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/webhooks/nur?source=a%20b&x=1"), &[EVENT]).await;
    let data = json!({"job_id": "dub_789xyz", "duration_seconds": 342, "status": "completed"});
    let published = tenant.api.post("/v1/events", &json!({"event": EVENT, "data": data})).await.ok(202);

    let received = receiver.only(SOON).await;
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/webhooks/nur?source=a%20b&x=1"));
    let body = received.json();
    assert_eq!(keys(&body), ["data", "event", "id", "timestamp", "webhook_id"]);
    assert_eq!(body["id"], published["id"]);
    assert_eq!(body["event"], EVENT);
    assert_eq!(body["data"], data);
    assert_eq!(body["timestamp"], published["timestamp"]);
    assert_eq!(body["webhook_id"], webhook.as_str());
    instant(text(&body, "timestamp"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_headers_say_what_and_who_and_nothing_of_the_inside() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    tenant.publish(EVENT, &json!({})).await;

    let received = receiver.only(SOON).await;
    assert_eq!(received.header("content-type"), Some("application/json"));
    let own_name = concat!("Postrider/", env!("CARGO_PKG_VERSION"));
    let chosen = world.stack.user_agent.as_str();
    assert_eq!(received.header("user-agent"), Some(if chosen.is_empty() { own_name } else { chosen }));
    assert_eq!(received.header("content-length"), Some(received.body.len().to_string().as_str()));
    let host = receiver.authority();
    assert_eq!(received.header("host"), Some(host.as_str()));
    for name in ["authorization", "x-amzn-trace-id", "traceparent", "cookie", "referer", "expect"] {
        assert_eq!(received.header(name), None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signature_is_openssls_hmac_of_the_received_bytes() {
    let world = World::open();
    let tenant = world.tenant().await;
    // The key is the whole text: what follows `whsec_` is not decoded, and no prefix is needed.
    for secret in [SECRET, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "hunter2 and no prefix", "clé-🗝 de la maison-🗝"]
    {
        let receiver = Receiver::start(world.stack).await;
        tenant.create(&json!({"url": receiver.url("/"), "events": [EVENT], "secret": secret})).await;
        tenant.publish(EVENT, &json!({"text": "é 🙂", "n": 1.50})).await;
        let received = receiver.only(SOON).await;
        let expected = format!("sha256={}", hmac_sha256(secret, &received.body));
        assert_eq!(received.header("X-Nur-Signature"), Some(expected.as_str()), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_there_is_no_signature() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    tenant.publish(EVENT, &json!({})).await;
    let received = receiver.only(SOON).await;
    let signatures: Vec<_> =
        received.headers.iter().filter(|(name, _)| name.to_lowercase().contains("signature")).collect();
    assert!(signatures.is_empty(), "{signatures:?}");
}

/// RFC 4231, test case 2, so that the tool that judges us is judged too.
#[test]
fn openssl_computes_the_published_vector() {
    let digest = hmac_sha256("Jefe", b"what do ya want for nothing?");
    assert_eq!(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_success_is_one_attempt_in_the_ledger() {
    let world = World::open();
    let tenant = world.tenant().await;
    for status in [200, 201, 202, 204, 299] {
        let receiver = Receiver::scripted(world.stack, [], Reply::Status(status)).await;
        let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
        let event = tenant.publish(EVENT, &json!({"answer": status})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        let delivery = tenant.settled(&id, "succeeded", 1).await;

        assert!(id.starts_with("dlv_"), "{id}");
        assert_eq!(delivery["event_id"], event.as_str());
        assert_eq!(delivery["event"], EVENT);
        assert_eq!(delivery["webhook_id"], webhook.as_str());
        assert_eq!(delivery["url"], receiver.url("/"));
        assert_eq!(delivery["next_attempt_at"], Value::Null);
        instant(text(&delivery, "created_at"));
        let attempt = &delivery["attempts"][0];
        assert_eq!(attempt["number"], 1);
        assert_eq!(attempt["outcome"], "succeeded");
        assert_eq!(attempt["status_code"], status);
        assert!(attempt["duration_ms"].as_u64().is_some(), "{delivery}");
        assert_eq!(attempt["response_excerpt"], Value::Null, "a success leaves no excerpt");
        instant(text(attempt, "at"));
        assert_eq!(world.aws.find_schedule(&id, 2).await, None);
        tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_events_arrive_once_each() {
    const COUNT: usize = 200;
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["dubbing.*"], "secret": SECRET})).await;

    let publishing = (0..COUNT).map(|number| {
        let tenant = &tenant;
        async move { tenant.publish(EVENT, &json!({"number": number})).await }
    });
    let published: BTreeSet<String> = futures::stream::iter(publishing).buffer_unordered(16).collect().await;
    assert_eq!(published.len(), COUNT, "each event has an id of its own");

    let received = receiver.wait_for(COUNT, Duration::from_secs(120)).await;
    let ids: BTreeSet<_> = received.iter().map(|request| request.event_id()).collect();
    assert_eq!(ids, published);
    let numbers: BTreeSet<_> = received.iter().map(|request| request.json()["data"]["number"].as_u64()).collect();
    assert_eq!(numbers, (0..COUNT as u64).map(Some).collect());

    let rows = until("200 successes in the ledger", SOON, || async {
        let rows = tenant.deliveries(&webhook, "limit=50").await;
        let done = rows.iter().filter(|row| row["status"] == "succeeded").count();
        if done >= COUNT { Ok(rows) } else { Err(format!("{done}")) }
    })
    .await;
    let events: BTreeSet<_> = rows.iter().map(|row| text(row, "event_id").to_owned()).collect();
    assert_eq!((rows.len(), events), (COUNT, published));
    assert_eq!(receiver.requests().len(), COUNT, "each once");
}
