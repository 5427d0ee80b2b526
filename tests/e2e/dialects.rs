//! A dialect of an operator's own, that the stack was given as data alone: another header, prefix, encoding and retry schedule,
//! from the key to the last retry.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::bus::put;
use crate::support::openssl::hmac_sha256;
use crate::support::request::Received;
use crate::support::rows::{event_row, s};
use crate::support::schedule::assert_schedule;
use crate::support::stack::say;
use crate::support::world::publishing;
use crate::support::{Receiver, Reply, SOON, Tenant, World, canary};

const SECRET: &str = concat!("any text ", canary!("secret"));

/// The stack with its extra dialect, and what was written down of that.
pub(crate) fn open() -> Option<(World, Value)> {
    let world = World::open();
    if world.stack.extra_dialects.is_empty() {
        say("a fifth dialect skipped: the stack has none (EXTRA_DIALECTS=tests/e2e/dialects.json)");
        return None;
    }
    let dialects: Value = serde_json::from_str(&world.stack.extra_dialects).expect("dialects are JSON");
    let dialect = dialects[0].clone();
    Some((world, dialect))
}

/// A dialect of this name, if the stack has it.
fn named(name: &str) -> Option<(World, Value)> {
    let (world, _) = open()?;
    let dialects: Vec<Value> = serde_json::from_str(&world.stack.extra_dialects).expect("dialects are JSON");
    let dialect = dialects.into_iter().find(|dialect| dialect["name"] == name)?;
    Some((world, dialect))
}

pub(crate) fn base64_of_hex(hex: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or_default()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn assert_signed(received: &Received, dialect: &Value) {
    let signature = &dialect["signature"];
    let expected = format!("{}{}", text(signature, "prefix"), base64_of_hex(&hmac_sha256(SECRET, &received.body)));
    assert_eq!(received.header(text(signature, "header")), Some(expected.as_str()));
    assert_eq!(received.header("user-agent"), dialect["user_agent"].as_str(), "its own, whatever the stack's is");
    assert!(received.headers.iter().all(|(name, _)| !name.to_lowercase().contains("nur")), "{:?}", received.headers);
}

#[test]
fn base64_is_what_it_should_be() {
    for (hex, base64) in [("", ""), ("66", "Zg=="), ("666f", "Zm8="), ("666f6f", "Zm9v"), ("fbff", "+/8=")] {
        assert_eq!(base64_of_hex(hex), base64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_dialect_works_from_end_to_end() {
    let Some((world, dialect)) = open() else { return };
    let (name, prefix) = (text(&dialect, "name"), text(&dialect, "key_prefix"));
    let tenant = world.tenant().await;
    let made = world.key(&tenant.id, &publishing(name)).await;
    assert!(text(&made, "key").starts_with(prefix), "{made}");
    let tenant = Tenant { api: world.anonymous.with_key(text(&made, "key")), ..tenant };
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["order.*"], "secret": SECRET})).await;
    let event = tenant.publish("order.paid", &json!({"total": 1.50})).await;
    let id = tenant.delivery_of(&event, &webhook).await;

    // Its own retry schedule, not any of the others'.
    let first = dialect["retry_seconds"][0].as_i64().expect("seconds");
    let delivery = tenant.settled(&id, "retrying", 1).await;
    assert_schedule(&world, &delivery, 1, first).await;
    world.aws.attempt_now(&id, 2).await;
    tenant.settled(&id, "succeeded", 2).await;
    let received = receiver.requests();
    assert_eq!(received.len(), 2);
    for request in &received {
        assert_signed(request, &dialect);
        assert_eq!(keys(&request.json()), ["data", "timestamp", "type"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_dialects_retry_schedule_ends_where_it_says() {
    let Some((world, dialect)) = open() else { return };
    let tenant = world.tenant_on(text(&dialect, "name"), "pro").await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("order.paid", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    let delays = dialect["retry_seconds"].as_array().expect("delays").clone();
    for (number, seconds) in (1..).zip(&delays) {
        let delivery = tenant.settled(&id, "retrying", number as usize).await;
        assert_schedule(&world, &delivery, number, seconds.as_i64().expect("seconds")).await;
        world.aws.attempt_now(&id, number + 1).await;
    }
    tenant.settled(&id, "failed", delays.len() + 1).await;
    assert_eq!(receiver.wait_for(1, SOON).await[0].header(text(&dialect["signature"], "header")), None, "no secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_was_set_before_a_dialect_signed_in_it_is_not_sent() {
    let Some((world, dialect)) = open() else { return };
    let tenant = world.tenant_on(text(&dialect, "name"), "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "secret": SECRET, "headers": {"x-team": "a"}});
    let webhook = tenant.create(&body).await;
    let signed_in = text(&dialect["signature"], "header").to_lowercase();
    let forged =
        [(signed_in, "v9=forged"), ("x-nur-signature".to_owned(), "sha256=forged"), ("x-team".to_owned(), "a")];
    let headers = AttributeValue::M(forged.map(|(name, value)| (name, s(value))).into());
    world.aws.rows.amend(&tenant.id, &format!("WEBHOOK#{webhook}"), "headers", headers).await;
    tenant.publish("order.paid", &json!({})).await;
    let received = receiver.only(SOON).await;
    assert_signed(&received, &dialect);
    assert_eq!(received.header("x-team"), Some("a"), "what is its owner's goes along");
}

#[tokio::test(flavor = "multi_thread")]
async fn types_with_names_of_one_dialects_own_are_sent_to_its_webhooks_alone() {
    const TYPE: &str = "orders/create";
    let Some((world, dialect)) = named("shop") else { return };
    let tenant = world.tenant_on("shop", "pro").await;
    let made = world.key(&tenant.id, &publishing("standard")).await;
    let standard = Tenant {
        api: world.anonymous.with_key(text(&made, "key")),
        id: tenant.id.clone(),
        key_id: text(&made, "id").to_owned(),
    };
    let (receiver, others) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    for events in [json!([TYPE]), json!(["*"])] {
        tenant.create(&json!({"url": receiver.url("/"), "events": events, "secret": SECRET})).await;
    }
    standard.webhook(&others.url("/"), &["*"]).await;
    let refused = json!({"url": others.url("/"), "events": [TYPE]});
    standard.api.post("/v1/webhooks/create", &refused).await.refused(400, "invalid_request");
    let wildcard = json!({"url": receiver.url("/"), "events": ["orders/*"]});
    tenant.api.post("/v1/webhooks/create", &wildcard).await.refused(400, "invalid_request");
    let event = json!({"event": TYPE, "data": {"id": 4711}});
    standard.api.post("/v1/events", &event).await.refused(400, "invalid_request");

    // By its own key, by a provider's, over the bus and as a producer's row.
    tenant.publish(TYPE, &json!({"by": "key"})).await;
    let provider = world.provider(&["events:write"]).await;
    let theirs = |by: &str| json!({"tenant_id": tenant.id, "event": TYPE, "data": {"by": by}});
    provider.post("/v1/events", &theirs("provider")).await.ok(202);
    put(world.stack, "Postrider Event", &theirs("bus")).await;
    let id = format!("evt_{}", tenant.id.trim_start_matches("ten_"));
    world.aws.rows.put_event(event_row(&tenant.id, &id, TYPE, r#"{"by":"row"}"#)).await;
    let received = receiver.wait_for(8, SOON).await;
    for by in ["key", "provider", "bus", "row"] {
        assert_eq!(
            received.iter().filter(|request| request.json()["by"] == by).count(),
            2,
            "{by}: by name, and by `*`"
        );
    }
    for request in &received {
        let signature = base64_of_hex(&hmac_sha256(SECRET, &request.body));
        assert_eq!(request.header(text(&dialect["signature"], "header")), Some(signature.as_str()));
    }
    let shown = tenant.api.get(&format!("/v1/events/{id}")).await.ok(200);
    assert_eq!((&shown["event"], shown["deliveries"].as_array().map(Vec::len)), (&json!(TYPE), Some(2)), "{shown}");
    let webhook = tenant.api.get("/v1/webhooks").await.ok(200)["webhooks"][0]["id"].clone();
    let webhook = webhook.as_str().expect("an id");
    assert_eq!(tenant.deliveries(webhook, "event=orders%2Fcreate").await.len(), 4);

    // What every dialect has comes after it, and is the first that the other webhook gets.
    tenant.publish("invoice:paid-late", &json!({"by": "all"})).await;
    assert_eq!(others.only(SOON).await.json()["type"], "invoice:paid-late");
}
