//! Creations that come again under their `Idempotency-Key`.

use super::*;

const KEY: &str = "the first webhook of invoice 4711";

fn body() -> Value {
    json!({"url": "https://hooks.example/", "events": ["invoice.paid"]})
}

fn under_key(body: &Value) -> Call {
    create(body).header("idempotency-key", KEY)
}

/// A table that has what was written to it.
fn remembering() -> Script {
    script(&[]).carrying_out()
}

/// What the one transaction remembers of its call.
fn remembered(script: &Script) -> Value {
    let is_call = |write: &Value| write["Put"]["Item"]["pk"].as_str().is_some_and(|pk| pk.starts_with("CALLS#"));
    let calls: Vec<_> = written(script).into_iter().filter(is_call).collect();
    assert_eq!(calls.len(), 1);
    calls[0]["Put"].clone()
}

#[tokio::test]
async fn the_same_call_again_is_answered_the_same_secret_included_and_makes_nothing() {
    let script = remembering();
    let first = answered(&script, under_key(&body())).await;
    let second = answered(&script, under_key(&body())).await;
    assert_eq!((first.status, &first.body, &first.headers), (201, &second.body, &second.headers));
    assert!(first.body["secret"].as_str().unwrap().starts_with("whsec_"));
    let anew = under_key(&json!({"events": ["invoice.paid"], "url": "https://hooks.example/"}));
    assert_eq!(answered(&script, anew).await.body, first.body, "another serializer's order of keys is the same call");
    assert_eq!(script.asked("TransactWriteItems").len(), 1);
}

#[tokio::test]
async fn what_is_remembered_shows_neither_the_key_nor_what_was_asked_and_answered() {
    let script = remembering();
    let secret = json!({"url": "https://hooks.example/path", "events": ["*"], "secret": SECRET});
    assert_eq!(answered(&script, under_key(&secret)).await.status, 201);
    let put = remembered(&script);
    assert_eq!(put["Item"]["pk"], format!("CALLS#{}", owner().tenant_id()));
    let condition = expression(&put, "ConditionExpression");
    assert!(condition.starts_with("attribute_not_exists(pk) OR expires_at <= "), "{condition}");
    let text = put.to_string();
    for hidden in [KEY, SECRET, "hooks.example", "invoice"] {
        assert!(!text.contains(hidden), "{text}");
    }
    let left = put["Item"]["expires_at"].as_i64().unwrap() - clock::now().as_second();
    assert!((48 * 3600 - 60..=48 * 3600).contains(&left), "{left}");
}

#[tokio::test]
async fn the_same_key_for_another_webhook_is_a_conflict() {
    let script = remembering();
    assert_eq!(answered(&script, under_key(&body())).await.status, 201);
    let other = under_key(&json!({"url": "https://other.example/", "events": ["invoice.paid"]}));
    let answer = answered(&script, other).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (409, &json!("conflict")), "{answer:?}");
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("Idempotency-Key"));
    assert_eq!(script.asked("TransactWriteItems").len(), 1);
}

#[tokio::test]
async fn what_was_refused_leaves_its_key_free() {
    let script = remembering();
    let refused = under_key(&json!({"url": "http://hooks.example/", "events": ["*"]}));
    assert_eq!(answered(&script, refused).await.status, 400);
    assert_eq!(answered(&script, under_key(&body())).await.status, 201);
}

#[tokio::test]
async fn after_48_hours_a_key_is_a_new_one_though_its_row_is_still_there() {
    let first = remembering();
    let made = answered(&first, under_key(&body())).await;
    let mut row = remembered(&first)["Item"].clone();
    row["expires_at"] = json!(clock::now().as_second());
    let script = script(&[]).holding("config", [row]).saying("TransactWriteItems", [Said::done()]);
    let again = answered(&script, under_key(&body())).await;
    assert_eq!(again.status, 201);
    assert_ne!(again.body["id"], made.body["id"]);
}

/// Whoever is slower finds the other's row at his own write, or that the other has used up the room for it.
#[tokio::test(start_paused = true)]
async fn who_loses_a_race_is_answered_what_the_winner_was() {
    let first = remembering();
    let made = answered(&first, under_key(&body())).await;
    let row = remembered(&first)["Item"].clone();
    let digest = row["sk"].as_str().unwrap().to_owned();
    let slower = |rows: &[Value]| {
        Script::default()
            .saying_about("GetItem", &digest, [Said::done(), Said::row(&row)])
            .holding("config", owner().rows())
            .holding("config", rows.to_vec())
            .saying("GetSecretValue", repeat_with(|| Said::secret(r#"{"current":"k1","k1":"some generated text"}"#)))
    };
    let count = |webhooks: usize| keyed(format!("TENANT#{}", owner().tenant_id()), "WEBHOOKS", &counted(webhooks));
    let refused = Said::cancelled(&[Err("None"), Err("None"), Ok(row.clone()), Err("None")]);
    let script = slower(&[count(0)]).saying("TransactWriteItems", [refused]);
    assert_eq!(answered(&script, under_key(&body())).await.body, made.body);
    let script = slower(&[count(200)]);
    let answer = answered(&script, under_key(&body())).await;
    assert_eq!((answer.status, answer.body), (201, made.body), "the last webhook of the quota is this one");
}

#[tokio::test(start_paused = true)]
async fn when_only_its_answer_was_lost_a_creation_is_ours() {
    let mut was_lost = false;
    let script = script(&[]).answering("TransactWriteItems", move |asked| {
        if !std::mem::replace(&mut was_lost, true) {
            return Some(Said::lost());
        }
        // It was carried out, and is refused by its own rows.
        let reason = |write: &Value| match write["Put"]["ConditionExpression"] {
            Value::Null => Err("None"),
            _ => Ok(write["Put"]["Item"].clone()),
        };
        let reasons: Vec<_> = asked["TransactItems"].as_array()?.iter().map(reason).collect();
        Some(Said::cancelled(&reasons))
    });
    let answer = answered(&script, under_key(&body())).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let transactions = script.asked("TransactWriteItems");
    assert_eq!(answer.body["id"], transactions[0]["TransactItems"][0]["Put"]["Item"]["id"]);
    assert_eq!(transactions[0], transactions[1], "the SDK's second try");
}

#[tokio::test(start_paused = true)]
async fn who_has_given_a_key_hears_that_he_may_repeat() {
    let busy = || script(&[]).saying("TransactWriteItems", repeat_with(Said::lost));
    let told = |answer: Answer| (answer.status, answer.body["error"]["message"].as_str().unwrap().to_owned());
    let (status, message) = told(answered(&busy(), under_key(&body())).await);
    assert!(status >= 500 && message.ends_with("repeating the request is safe"), "{status} {message}");
    let (status, message) = told(answered(&busy(), create(&body())).await);
    assert!(status >= 500 && message.contains("may have been carried out") && message.contains("Idempotency-Key"));
}

#[tokio::test]
async fn another_tenant_with_the_same_key_makes_his_own() {
    let script = remembering();
    let first = answered(&script, under_key(&body())).await;
    let other = Someone::of_tenant(2, &STANDARD, &Scope::of_a_tenant());
    let script = script
        .holding("config", other.rows())
        .holding("config", [keyed(format!("TENANT#{}", other.tenant_id()), "WEBHOOKS", &counted(0))]);
    let call = Call::new("POST", "/v1/webhooks/create").by(&other).saying(&body()).header("idempotency-key", KEY);
    let second = answered(&script, call).await;
    assert_eq!(second.status, 201);
    assert_ne!((&second.body["id"], &second.body["secret"]), (&first.body["id"], &first.body["secret"]));
}

#[tokio::test]
async fn a_key_of_another_dialect_asks_for_another_webhook() {
    let script = remembering();
    let body = json!({"url": "https://hooks.example/", "events": ["dubbing.completed"]});
    assert_eq!(answered(&script, under_key(&body)).await.status, 201);
    let mut nurs = Someone::of_tenant(1, &NUR, &Scope::of_a_tenant());
    nurs.tenant = None;
    let script = script.holding("config", nurs.rows());
    let call = Call::new("POST", "/v1/webhooks/create").by(&nurs).saying(&body).header("idempotency-key", KEY);
    assert_eq!(answered(&script, call).await.status, 409);
}

#[tokio::test]
async fn a_key_that_is_none_is_named() {
    for key in ["", "a\u{7}b", &"k".repeat(257)] {
        let answer = answered(&script(&[]), create(&body()).header("idempotency-key", key)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("Idempotency-Key")));
    }
}
