//! The signature doctor, on requests that receivers really got: what it names, and that it names nothing where others' verifiers
//! have nothing to say.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::openssl::hmac_sha256;
use crate::support::request::Received;
use crate::support::stack::say;
use crate::support::standard::Signed;
use crate::support::world::publishing;
use crate::support::{Receiver, SOON, Tenant, World, canary};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
/// With white space and a number that parsers drop.
const DATA: &str = r#"{"ratio": 1.50, "text": "é/", "list": [1, {"c": null}]}"#;

/// A question about a request, with what else it says.
fn question(received: &Received, more: &Value) -> Value {
    let headers: serde_json::Map<_, _> =
        received.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let mut question = json!({"headers": headers, "body": received.text()});
    for (name, value) in more.as_object().expect("an object") {
        question[name] = value.clone();
    }
    question
}

/// What is found of it: its cause, or nothing where it is good.
async fn found(tenant: &Tenant, question: &Value) -> Option<String> {
    let answer = tenant.api.post("/v1/verify", question).await;
    let finding = answer.ok(200);
    for secret in [&SECRET[6..], &OTHER[6..]] {
        assert!(!answer.body.contains(secret), "{}", answer.body);
    }
    assert!(text(&finding, "explanation").ends_with('.'), "{finding}");
    let cause = finding["cause"].as_str().map(str::to_owned);
    assert_eq!(finding["valid"], cause.is_none());
    let names = if cause.is_some() { vec!["cause", "explanation", "valid"] } else { vec!["explanation", "valid"] };
    assert_eq!(keys(&finding), names);
    cause
}

/// A webhook of a new tenant's, and what its receiver got of an event.
async fn received(
    world: &World,
    dialect: &str,
    event: &str,
    secret: Option<&str>,
) -> (Tenant, String, Receiver, Received) {
    let tenant = world.tenant().await;
    let key = world.key(&tenant.id, &publishing(dialect)).await;
    let tenant = Tenant { api: world.anonymous.with_key(text(&key, "key")), ..tenant };
    let receiver = Receiver::start(world.stack).await;
    let mut body = json!({"url": receiver.url("/"), "events": [event]});
    if let Some(secret) = secret {
        body["secret"] = json!(secret);
    }
    let webhook = tenant.create(&body).await;
    let event = format!(r#"{{"event":"{event}","data":{DATA}}}"#);
    tenant.api.post_text("/v1/events", &event).await.ok(202);
    let received = receiver.only(SOON).await;
    (tenant, webhook, receiver, received)
}

fn later(seconds: i64) -> Value {
    json!((Timestamp::now() + SignedDuration::from_secs(seconds)).to_string())
}

/// What somebody's framework, proxy or clock makes of a request.
type Mistake = fn(&mut Value);

fn with_header(question: &mut Value, name: &str, change: impl Fn(&str) -> String) {
    let value = question["headers"][name].as_str().unwrap_or_else(|| panic!("no {name} in {question}")).to_owned();
    question["headers"][name] = json!(change(&value));
}

fn with_body(question: &mut Value, change: impl Fn(&str) -> String) {
    question["body"] = json!(change(question["body"].as_str().expect("a body")));
}

fn without(question: &mut Value, name: &str) {
    question["headers"].as_object_mut().expect("headers").remove(name).expect("a header");
}

/// Each with its cause, for who gives the secret and for who names the webhook.
const MISTAKES: [(&str, Mistake, &str, &str); 14] = [
    ("nothing", |_| {}, "", ""),
    (
        "re-serialised",
        |asked| with_body(asked, |body| body.replace("\": ", "\":").replace(", ", ",")),
        "body_reserialised",
        "body_reserialised",
    ),
    (
        "digits lost",
        |asked| with_body(asked, |body| body.replace("1.50", "1.5")),
        "body_reserialised",
        "body_reserialised",
    ),
    (
        "keys in another order",
        |asked| with_body(asked, |body| body.replace(DATA, r#"{"text":"é/","list":[1,{"c":null}],"ratio":1.5}"#)),
        "no_match",
        "body_reserialised",
    ),
    ("a line's end", |asked| with_body(asked, |body| format!("{body}\r\n")), "body_reserialised", "body_reserialised"),
    ("another body", |asked| with_body(asked, |body| body.replace("[1,", "[2,")), "no_match", "body_changed"),
    (
        "no prefix",
        |asked| with_header(asked, "webhook-signature", |value| value.replace("v1,", "")),
        "prefix_missing",
        "prefix_missing",
    ),
    ("no signature", |asked| without(asked, "webhook-signature"), "header_missing", "header_missing"),
    ("no id", |asked| without(asked, "webhook-id"), "header_missing", "header_missing"),
    (
        "base64 for URLs",
        |asked| {
            with_header(asked, "webhook-signature", |value| {
                value.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
            })
        },
        "wrong_encoding",
        "wrong_encoding",
    ),
    ("a clock ahead", |asked| asked["now"] = later(400), "timestamp_old", "timestamp_old"),
    ("a clock behind", |asked| asked["now"] = later(-400), "timestamp_in_future", "timestamp_in_future"),
    ("another dialect", |asked| asked["dialect"] = json!("nur"), "wrong_dialect", "wrong_dialect"),
    (
        "names in upper case",
        |asked| {
            let headers = asked["headers"].as_object().expect("headers").clone();
            asked["headers"] = headers.into_iter().map(|(name, value)| (name.to_uppercase(), value)).collect();
        },
        "",
        "",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_has_its_name() {
    let world = World::open();
    let (tenant, webhook, _receiver, received) = received(&world, "standard", "invoice.paid", Some(SECRET)).await;
    assert!(Signed::of(&received).is_accepted_with(SECRET), "others' verifiers take it");
    for (what, mistake, with_secret, with_webhook) in MISTAKES {
        let mut made = question(&received, &json!({}));
        mistake(&mut made);
        if made["body"] != received.text() {
            let body = made["body"].as_str().expect("a body").as_bytes().to_vec();
            assert!(
                !Signed { body, ..Signed::of(&received) }.is_accepted_with(SECRET),
                "others' verifiers take {what}"
            );
        }
        for (more, expected) in [
            (json!({"secret": SECRET}), with_secret),
            (json!({"webhook_id": webhook}), with_webhook),
            (json!({"webhook_id": webhook, "secret": SECRET}), with_webhook),
        ] {
            let mut asked = question(&received, &more);
            mistake(&mut asked);
            let cause = found(&tenant, &asked).await;
            assert_eq!(cause.as_deref().unwrap_or_default(), expected, "{what}, with {more}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_from_a_changed_body_where_the_webhook_is_named() {
    let world = World::open();
    let (tenant, webhook, _receiver, received) = received(&world, "standard", "invoice.paid", Some(SECRET)).await;
    let ask = async |more: Value| found(&tenant, &question(&received, &more)).await.unwrap_or_default();
    assert_eq!(ask(json!({"secret": OTHER})).await, "no_match");
    assert_eq!(ask(json!({"secret": OTHER, "webhook_id": webhook})).await, "wrong_secret");
    assert_eq!(ask(json!({"secret": format!("{SECRET}\n")})).await, "wrong_secret");
    assert_eq!(ask(json!({"secret": &SECRET[6..]})).await, "", "libraries take it without its prefix");
    assert!(Signed::of(&received).is_accepted_with(&SECRET[6..]));
    let decoded = "31f290f6bf0629 8aab4f08d43c3f082cf648a362da2da4b0".replace(' ', "");
    assert_eq!(ask(json!({"secret": decoded})).await, "secret_decoded");
    // Somebody else's webhook of the same tenant, with another secret.
    let other = json!({"url": "https://your-app.invalid/", "events": ["order.paid"], "secret": OTHER});
    let other = tenant.create(&other).await;
    assert_eq!(ask(json!({"webhook_id": other})).await, "wrong_secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_was_rotated_out_is_told_so() {
    let world = World::open();
    let (tenant, webhook, _receiver, received) = received(&world, "standard", "invoice.paid", Some(SECRET)).await;
    let rotate = async |grace: u32| {
        let path = format!("/v1/webhooks/{webhook}/secret/rotate");
        let rotated = tenant.api.post(&path, &json!({"grace_seconds": grace})).await.ok(200);
        text(&rotated, "secret").to_owned()
    };
    let second = rotate(3600).await;
    let ask = async |more: Value| found(&tenant, &question(&received, &more)).await.unwrap_or_default();
    assert_eq!(ask(json!({"webhook_id": webhook})).await, "", "the old one counts until its grace ends");
    assert_eq!(ask(json!({"webhook_id": webhook, "secret": second})).await, "secret_rotated", "it was sent before");
    let third = rotate(0).await;
    assert_eq!(ask(json!({"webhook_id": webhook})).await, "secret_rotated");
    assert_eq!(ask(json!({"webhook_id": webhook, "secret": second})).await, "secret_rotated");
    assert_eq!(ask(json!({"webhook_id": webhook, "secret": third})).await, "secret_rotated");
    let shown = tenant.api.get(&format!("/v1/webhooks/{webhook}")).await;
    assert!(!shown.body.contains("secret"), "none that ended counts, or is shown: {}", shown.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn nurs_requests_are_held_to_nurs_way() {
    const TEXT: &str = concat!("a text of ours ", canary!("secret"));
    let world = World::open();
    let (tenant, webhook, _receiver, received) = received(&world, "nur", "dubbing.completed", Some(TEXT)).await;
    let expected = format!("sha256={}", hmac_sha256(TEXT, &received.body));
    assert_eq!(received.header("x-nur-signature"), Some(expected.as_str()), "openssl signs it so");
    let mistakes: [(Mistake, &str, &str); 6] = [
        (|_| {}, "", ""),
        (
            |asked| with_header(asked, "x-nur-signature", |value| value.replace("sha256=", "")),
            "prefix_missing",
            "prefix_missing",
        ),
        (
            |asked| with_header(asked, "x-nur-signature", |value| format!("sha256={}", value[7..].to_uppercase())),
            "wrong_encoding",
            "wrong_encoding",
        ),
        (|asked| without(asked, "x-nur-signature"), "header_missing", "header_missing"),
        (
            |asked| with_body(asked, |body| body.replace(": 1.50", ":1.5").replace(": ", ":").replace(", ", ",")),
            "body_reserialised",
            "body_reserialised",
        ),
        (|asked| with_body(asked, |body| body.replace("1.50", "1.51")), "no_match", "body_changed"),
    ];
    for (mistake, with_secret, with_webhook) in mistakes {
        for (more, expected) in [(json!({"secret": TEXT}), with_secret), (json!({"webhook_id": webhook}), with_webhook)]
        {
            let mut asked = question(&received, &more);
            mistake(&mut asked);
            assert_eq!(found(&tenant, &asked).await.unwrap_or_default(), expected, "{asked}");
        }
    }
    let late = question(&received, &json!({"secret": TEXT, "now": later(999_999)}));
    assert_eq!(found(&tenant, &late).await, None, "its time is not signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_without_a_secret_is_told_so() {
    let world = World::open();
    let (tenant, webhook, _receiver, received) = received(&world, "nur", "dubbing.completed", None).await;
    let asked = question(&received, &json!({"webhook_id": webhook}));
    let finding = tenant.api.post("/v1/verify", &asked).await.ok(200);
    assert_eq!(finding["valid"], true, "{finding}");
    assert!(text(&finding, "explanation").contains("has no secret"), "{finding}");
    let asked = question(&received, &json!({"secret": SECRET}));
    assert_eq!(found(&tenant, &asked).await.as_deref(), Some("header_missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_own_dialect_is_known_by_its_header() {
    let world = World::open();
    if world.stack.extra_dialects.is_empty() {
        say("the doctor's fifth dialect skipped: the stack has none (EXTRA_DIALECTS=tests/e2e/dialects.json)");
        return;
    }
    const TEXT: &str = concat!("another text ", canary!("secret"));
    let (tenant, webhook, _receiver, received) = received(&world, "acme", "order.paid", Some(TEXT)).await;
    for more in
        [json!({"secret": TEXT}), json!({"webhook_id": webhook}), json!({"webhook_id": webhook, "secret": TEXT})]
    {
        let good = question(&received, &more);
        assert_eq!(found(&tenant, &good).await, None);
        let mut cut = good;
        with_header(&mut cut, "x-acme-signature", |value| value.replace("v9=", ""));
        assert_eq!(found(&tenant, &cut).await.as_deref(), Some("prefix_missing"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_about_anothers_webhook() {
    let world = World::open();
    let (tenant, webhook, _receiver, received) = received(&world, "standard", "invoice.paid", Some(SECRET)).await;
    let other = world.tenant_on("standard", "pro").await;
    let asked = question(&received, &json!({"webhook_id": webhook}));
    other.api.post("/v1/verify", &asked).await.refused(404, "not_found");
    let provider = world.provider(&["events:write"]).await;
    provider.post("/v1/verify", &asked).await.refused(403, "forbidden");
    let write = world.key(&tenant.id, &json!({"dialect": "standard", "scopes": ["webhooks:write"]})).await;
    world.anonymous.with_key(text(&write, "key")).post("/v1/verify", &asked).await.refused(403, "forbidden");
    tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    tenant.api.post("/v1/verify", &asked).await.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_no_event_has_is_refused_by_its_size() {
    let world = World::open();
    let tenant = world.tenant().await;
    let asked = json!({"secret": SECRET, "headers": {}, "body": "b".repeat(256 * 1024 + 1025)});
    tenant.api.post("/v1/verify", &asked).await.refused(413, "payload_too_large");
}
