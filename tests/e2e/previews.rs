//! Previews: what is shown before anything is sent is what receivers then get, to the byte, in every dialect that has webhooks.

use serde_json::{Map, Value, json};
use standardwebhooks::Webhook;

use crate::dialects::base64_of_hex;
use crate::support::api::text;
use crate::support::openssl::hmac_sha256;
use crate::support::request::Received;
use crate::support::standard::Signed;
use crate::support::{Receiver, SOON, Tenant, World, canary};

/// Key order, spellings of numbers, escapes, characters of every length, and what stands in envelopes, too.
const ODD: &str = r#"{"z": 1, "a" :1.0,"big":12345678901234567890123, "e":1E+2,"neg":-0.0,
    "text":"é \u00e9 🙂 \ud83d\ude42 \u2028 \/ \\ \" <&>","id":"x","timestamp":"y","nested":{"b":[1,[2,{}]],"a":null},"":""}"#;
const OLD: &str = concat!("whsec_", "b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xk");
const NEW: &str = concat!("whsec_", "bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3");
/// Longer than a test takes.
const GRACE: u64 = 600;

/// A webhook's own headers, and their values, in the order in which they are sent.
const OWN: [(&str, &str); 4] = [
    ("accept", "application/vnd.test+json"),
    ("authorization", concat!("Bearer ", canary!("header"))),
    ("x-empty", ""),
    ("x-team", "a\tb c"),
];

/// What is sent by the connection, which no preview shows.
const OF_THE_CONNECTION: [&str; 2] = ["host", "content-length"];

/// How a webhook is signed: without a secret, with one, or while a second one counts beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secrets {
    None,
    One,
    Rotated,
}

impl Secrets {
    /// Those that count, the newest first.
    fn that_count(self) -> Vec<&'static str> {
        match self {
            Self::None => Vec::new(),
            Self::One => vec![OLD],
            Self::Rotated => vec![NEW, OLD],
        }
    }
}

async fn webhook(tenant: &Tenant, receiver: &Receiver, secrets: Secrets) -> String {
    let headers: Map<String, Value> = OWN.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let mut body = json!({"url": receiver.url("/hook?a=%20b"), "events": ["*"], "headers": headers});
    if secrets != Secrets::None {
        body["secret"] = json!(OLD);
    }
    let id = tenant.create(&body).await;
    if secrets == Secrets::Rotated {
        let path = format!("/v1/webhooks/{id}/secret/rotate");
        tenant.api.post(&path, &json!({"secret": NEW, "grace_seconds": GRACE})).await.ok(200);
    }
    id
}

/// A request as it was shown.
struct Shown {
    headers: Vec<(String, String)>,
    body: String,
}

impl Shown {
    fn of(request: &Value) -> Self {
        let headers = request["headers"].as_object().expect("headers are an object").iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned())).collect();
        Self { headers, body: text(request, "body").to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split_once(after).unwrap_or_else(|| panic!("no {after:?} behind {before:?} in {text}")).0
}

/// The header that signs in a dialect, and what must stand there for this id, time and body.
fn signature(
    dialect: &str,
    secrets: Secrets,
    (id, seconds): (&str, &str),
    body: &str,
) -> (&'static str, Option<String>) {
    let count = secrets.that_count();
    match dialect {
        "standard" => {
            let sign = |secret: &&str| {
                let webhook = Webhook::new(secret).expect("the secret is base64");
                webhook.sign(id, seconds.parse().expect("seconds"), body.as_bytes()).expect("it can be signed")
            };
            ("webhook-signature", Some(count.iter().map(sign).collect::<Vec<_>>().join(" ")))
        }
        // A header of one signature goes on with the old secret.
        "nur" => {
            ("x-nur-signature", count.last().map(|secret| format!("sha256={}", hmac_sha256(secret, body.as_bytes()))))
        }
        "acme" => {
            let digest = |secret: &&str| base64_of_hex(&hmac_sha256(secret, body.as_bytes()));
            ("x-acme-signature", count.last().map(|secret| format!("v9={}", digest(secret))))
        }
        other => panic!("how does {other} sign?"),
    }
}

/// Holds what was received to what was shown before: the same but for what follows from the event's id and the time, and that
/// follows from them in both.
#[track_caller]
fn assert_same(dialect: &str, secrets: Secrets, shown: &Shown, received: &Received, event: &str) {
    let body = received.text();
    // The envelope's, and not what its data calls so.
    let (shown_at, sent_at) =
        (between(&shown.body, "\"timestamp\":\"2", "\""), between(body, "\"timestamp\":\"2", "\""));
    // An id stands in the body's envelope or in a header, or nowhere.
    let shown_id = match dialect {
        "nur" => between(&shown.body, "{\"id\":\"", "\""),
        _ => shown.header("webhook-id").unwrap_or("none"),
    };
    assert!(shown_id == "none" || shown_id.len() == event.len() && shown_id.starts_with("evt_") && shown_id != event);
    assert_eq!(shown.body.replacen(shown_id, event, 1).replacen(shown_at, sent_at, 1), body);
    assert!(body.contains(ODD), "what its producer wrote, letter for letter: {body}");

    let (connection, sent): (Vec<_>, Vec<_>) =
        received.headers.iter().partition(|(name, _)| OF_THE_CONNECTION.contains(&name.as_str()));
    assert_eq!(connection.len(), OF_THE_CONNECTION.len(), "{:?}", received.headers);
    let (shown_seconds, sent_seconds) =
        (shown.header("webhook-timestamp").unwrap_or("0"), received.header("webhook-timestamp").unwrap_or("0"));
    let (signed_in, shown_signature) = signature(dialect, secrets, (shown_id, shown_seconds), &shown.body);
    let (_, sent_signature) = signature(dialect, secrets, (event, sent_seconds), body);
    assert_eq!(shown.header(signed_in), shown_signature.as_deref());
    let as_sent = |(name, value): &(String, String)| {
        let value = match name.as_str() {
            "webhook-id" => event.to_owned(),
            "webhook-timestamp" => sent_seconds.to_owned(),
            name if name == signed_in => sent_signature.clone().expect("it signs in this header"),
            name => match OWN.iter().find(|(own, _)| *own == name) {
                Some((_, own)) => {
                    assert_eq!(value, "***", "{name}");
                    (*own).to_owned()
                }
                None => value.clone(),
            },
        };
        (name.clone(), value)
    };
    let expected: Vec<_> = shown.headers.iter().map(as_sent).collect();
    let sent: Vec<_> = sent.into_iter().cloned().collect();
    assert_eq!(expected, sent, "the names as they are spelt, the values, and their order");
    assert_eq!(shown.header(signed_in).is_some(), secrets != Secrets::None);
}

async fn compare(world: &World, dialect: &str, event: &str, secrets: Secrets) {
    let tenant = world.tenant_on(dialect, "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = webhook(&tenant, &receiver, secrets).await;
    let said = format!(r#"{{"event":"{event}","data":{ODD}}}"#);
    let answer = tenant.api.post_text(&format!("/v1/webhooks/{webhook}/preview"), &said).await;
    let preview = answer.ok(200);
    assert!(!answer.body.contains(canary!("header")), "no value of a header is shown: {}", answer.body);
    assert_eq!((&preview["would_send"], preview.get("why")), (&json!(true), None), "{preview}");
    assert_eq!(preview["request"]["url"], receiver.url("/hook?a=%20b"));
    let shown = Shown::of(&preview["request"]);
    if dialect == "standard" {
        let [id, timestamp, signature] = ["webhook-id", "webhook-timestamp", "webhook-signature"]
            .map(|name| shown.header(name).expect("it is signed").to_owned());
        let signed = Signed { id, timestamp, signature, body: shown.body.clone().into_bytes() };
        for secret in secrets.that_count() {
            assert!(signed.is_accepted_with(secret), "the published packages verify it: {signed:?}");
        }
    }

    let published = tenant.api.post_text("/v1/events", &said).await.ok(202);
    let received = receiver.only(SOON).await;
    assert_same(dialect, secrets, &shown, &received, text(&published, "id"));
    assert_eq!(received.path, "/hook?a=%20b");
    assert_eq!(tenant.deliveries(&webhook, "limit=100").await.len(), 1, "a preview sends nothing and keeps nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_what_a_nur_webhook_then_gets() {
    let world = World::open();
    for secrets in [Secrets::None, Secrets::One, Secrets::Rotated] {
        compare(&world, "nur", "dubbing.completed", secrets).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_what_a_standard_webhook_then_gets() {
    let world = World::open();
    for secrets in [Secrets::One, Secrets::Rotated] {
        compare(&world, "standard", "invoice.paid", secrets).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_what_a_webhook_of_an_own_dialect_then_gets() {
    let Some((world, _)) = crate::dialects::open() else { return };
    for secrets in [Secrets::None, Secrets::One, Secrets::Rotated] {
        compare(&world, "acme", "order.paid", secrets).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_not_be_sent_is_not_and_the_preview_says_why() {
    let world = World::open();
    let (tenant, stranger) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    let preview = async |event: &str| {
        let shown = tenant.api.post(&format!("{path}/preview"), &json!({"event": event, "data": {}})).await.ok(200);
        assert_eq!(shown["why"].is_string(), shown["explanation"].is_string(), "{shown}");
        (shown["would_send"] == true, shown["why"].as_str().map(str::to_owned))
    };
    let because = |why: &str| (false, Some(why.to_owned()));
    assert_eq!(preview("dubbing.completed").await, (true, None));
    assert_eq!(preview("invoice.paid").await, because("dialect"));
    tenant.api.patch(&path, &json!({"events": ["voice.*", "dubbing.failed"]})).await.ok(200);
    assert_eq!(preview("dubbing.completed").await, because("not_subscribed"));
    tenant.api.patch(&path, &json!({"status": "disabled"})).await.ok(200);
    assert_eq!(preview("dubbing.failed").await, because("disabled"));

    // What is published comes out the same.
    let provider = world.provider(&["events:write"]).await;
    for event in ["invoice.paid", "dubbing.completed"] {
        let body = json!({"event": event, "data": {}, "tenant_id": tenant.id});
        provider.post("/v1/events", &body).await.ok(202);
    }
    let event = tenant.publish("dubbing.failed", &json!({})).await;
    let delivery = tenant.delivery_of(&event, &webhook).await;
    assert_eq!(tenant.settled(&delivery, "cancelled", 0).await["reason"], "webhook_disabled");
    assert_eq!(tenant.deliveries(&webhook, "limit=100").await.len(), 1);
    assert_eq!(receiver.requests().len(), 0);

    let body = json!({"event": "dubbing.failed", "data": {}});
    stranger.api.post(&format!("{path}/preview"), &body).await.refused(404, "not_found");
    let key = world.key(&tenant.id, &json!({"dialect": "nur", "scopes": ["webhooks:write"]})).await;
    world.anonymous.with_key(text(&key, "key")).post(&format!("{path}/preview"), &body).await.refused(403, "forbidden");
    let own = json!({"event": "webhook.disabled", "data": {}});
    tenant.api.post(&format!("{path}/preview"), &own).await.refused(422, "unprocessable");
    let data = json!({"event": "dubbing.failed", "data": {"a": "x".repeat(256 * 1024)}});
    tenant.api.post(&format!("{path}/preview"), &data).await.refused(413, "payload_too_large");
    tenant.api.delete(&path).await.ok(204);
    tenant.api.post(&format!("{path}/preview"), &body).await.refused(404, "not_found");
}
