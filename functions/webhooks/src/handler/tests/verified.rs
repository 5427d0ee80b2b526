//! What the doctor is asked of AWS for, and of whom it tells what. What it finds has its own tests in the domain.

use postrider_domain::event::Event;
use postrider_domain::{payload, signature, time};

use super::*;

const OLD: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

fn event() -> Event {
    Event {
        data: r#"{"amount": 1.50}"#.to_owned(),
        timestamp: at(),
        expires_at: 4_000_000_000,
        ours: true,
        ..sample::event(owner().tenant_id())
    }
}

fn at() -> Timestamp {
    "2026-01-15T14:30:01Z".parse().unwrap()
}

/// A webhook with these secrets, the newest first, each with when it ends.
async fn with_secrets(secrets: &[(&str, Option<Timestamp>)]) -> Endpoint {
    let mut of = Endpoint { secrets: Vec::new(), ..endpoint() };
    for (text, until) in secrets {
        let sealed = keyring(&script(&[])).seal(&of.secret_owner(), &Secret::stored((*text).to_owned())).await.unwrap();
        of.secrets.push(StoredSecret { until: *until, ..StoredSecret::new(sealed) });
    }
    of
}

/// A request of the event to the webhook, as it is received and asked about.
fn request(secret: &str) -> Value {
    let body = payload::body(STANDARD.body, &event(), &endpoint().id).unwrap();
    let secrets = [Secret::stored(secret.to_owned())];
    let headers = signature::headers(&STANDARD.signing, &secrets, event().id.as_str(), at(), &body);
    let headers: serde_json::Map<_, _> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    json!({"headers": headers, "body": String::from_utf8(body).unwrap(), "now": "2026-01-15T14:31:00Z"})
}

fn asking(mut question: Value, more: &Value) -> Call {
    for (name, value) in more.as_object().unwrap() {
        question[name] = value.clone();
    }
    Call::new("POST", "/v1/verify").by(&owner()).saying(&question)
}

/// With the events table's one row.
fn holding(endpoint: &Endpoint) -> Script {
    script(std::slice::from_ref(endpoint)).holding("events", [serde_json::to_value(event()).unwrap()])
}

async fn found(script: &Script, call: Call) -> (bool, Value) {
    let answer = answered(script, call).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = answer.body.to_string();
    assert!(!text.contains(&SECRET[6..]) && !text.contains(&OLD[6..]), "{text}");
    assert!(answer.body["explanation"].as_str().is_some_and(|told| !told.is_empty()));
    (answer.body["valid"].as_bool().unwrap(), answer.body["cause"].clone())
}

#[tokio::test]
async fn a_secret_is_enough_and_nothing_is_asked_of_aws_for_it() {
    let script = Script::default().holding("config", owner().rows());
    assert_eq!(found(&script, asking(request(SECRET), &json!({"secret": SECRET}))).await, (true, Value::Null));
    let wrong = asking(request(SECRET), &json!({"secret": OLD}));
    assert_eq!(found(&script, wrong).await, (false, json!("no_match")));
    let as_nur = asking(request(SECRET), &json!({"secret": SECRET, "dialect": "nur"}));
    assert_eq!(found(&script, as_nur).await, (false, json!("wrong_dialect")));
    let late = asking(request(SECRET), &json!({"secret": SECRET, "now": "2026-01-15T14:36:00Z"}));
    assert_eq!(found(&script, late).await, (false, json!("timestamp_old")));
    let mut now = request(SECRET);
    now["now"] = json!(time::wire(clock::now()));
    assert_eq!(found(&script, asking(now, &json!({"secret": SECRET}))).await, (false, json!("timestamp_old")));
    assert_eq!(script.operations(), ["GetItem", "GetItem"].repeat(5), "but who is calling");
}

#[tokio::test]
async fn with_the_webhook_a_wrong_secret_and_a_changed_body_are_told_apart() {
    let webhook = with_secrets(&[(SECRET, None)]).await;
    let by_id = json!({"webhook_id": webhook.id});
    assert_eq!(found(&holding(&webhook), asking(request(SECRET), &by_id)).await, (true, Value::Null));
    assert_eq!(found(&holding(&webhook), asking(request(OLD), &by_id)).await, (false, json!("wrong_secret")));
    for (from, to, cause) in [("1.50", "2", "body_changed"), ("1.50", "1.5", "body_reserialised")] {
        let mut changed = request(SECRET);
        changed["body"] = json!(changed["body"].as_str().unwrap().replace(from, to));
        assert_eq!(found(&holding(&webhook), asking(changed, &by_id)).await, (false, json!(cause)));
    }
    let both = json!({"webhook_id": webhook.id, "secret": OLD});
    assert_eq!(found(&holding(&webhook), asking(request(SECRET), &both)).await, (false, json!("wrong_secret")));
    let both = json!({"webhook_id": webhook.id, "secret": SECRET});
    assert_eq!(found(&holding(&webhook), asking(request(SECRET), &both)).await, (true, Value::Null));
}

#[tokio::test]
async fn a_secret_that_was_rotated_out_is_known_for_a_month_and_no_longer() {
    let now = clock::now();
    for (days, cause) in [(1, "secret_rotated"), (29, "secret_rotated"), (31, "wrong_secret")] {
        let ended = now - jiff::SignedDuration::from_hours(24 * days);
        let webhook = with_secrets(&[(SECRET, None), (OLD, Some(ended))]).await;
        let mut old = request(OLD);
        old["now"] = json!(time::wire(now));
        let call = asking(old, &json!({"webhook_id": webhook.id}));
        assert_eq!(found(&holding(&webhook), call).await, (false, json!(cause)), "{days} days");
    }
}

#[tokio::test]
async fn what_is_unsigned_is_good_where_the_webhook_has_no_secret() {
    let webhook = with_secrets(&[]).await;
    let mut unsigned = request(SECRET);
    unsigned["headers"].as_object_mut().unwrap().remove("webhook-signature");
    let call = asking(unsigned.clone(), &json!({"webhook_id": webhook.id}));
    assert_eq!(found(&holding(&webhook), call).await, (true, Value::Null));
    let signed = with_secrets(&[(SECRET, None)]).await;
    let call = asking(unsigned, &json!({"webhook_id": signed.id}));
    assert_eq!(found(&holding(&signed), call).await, (false, json!("header_missing")));
}

#[tokio::test]
async fn a_webhook_is_its_tenants_alone() {
    let another = Endpoint { tenant_id: TenantId::new(Timestamp::UNIX_EPOCH, 2), ..endpoint() };
    for id in [another.id.as_str(), "wh_none"] {
        let call = asking(request(SECRET), &json!({"webhook_id": id}));
        let answer = answered(&script(std::slice::from_ref(&another)), call).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("not_found")));
    }
    let provider = Someone::of_provider(&[Scope::WebhooksRead]);
    let script = Script::default().holding("config", provider.rows());
    for more in [json!({"secret": SECRET}), json!({"webhook_id": another.id})] {
        assert_eq!(answered(&script, asking(request(SECRET), &more).by(&provider)).await.status, 403);
    }
}

#[tokio::test]
async fn without_a_secret_and_a_webhook_there_is_nothing_to_hold_it_to() {
    let answer = answered(&script(&[]), asking(request(SECRET), &json!({}))).await;
    assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("secret")));
}
