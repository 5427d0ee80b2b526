//! Tests of a webhook: what is put for one, and what is refused.

use postrider_domain::endpoint::EndpointStatus;
use postrider_domain::id::{DeliveryId, EventId};

use super::*;

fn test(body: &Value) -> Call {
    Call::new("POST", &format!("{}/test", path())).by(&owner()).saying(body)
}

/// The same where tests are taken, and the webhook's bucket is full.
fn taking(endpoint: &Endpoint) -> Script {
    script(std::slice::from_ref(endpoint)).saying("UpdateItem", [Said::done()]).saying("PutItem", [Said::done()])
}

/// The event's row that was put, once.
fn put(script: &Script) -> Value {
    let mut puts = script.asked("PutItem");
    assert_eq!(puts.len(), 1, "{puts:?}");
    puts.remove(0)
}

#[tokio::test]
async fn a_test_is_one_conditional_put_of_an_event_for_this_webhook_alone() {
    let script = taking(&endpoint());
    let answer = answered(&script, test(&json!({"event": "order.paid", "data": {"b": 1, "a": 2}}))).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let (put, endpoint) = (put(&script), endpoint());
    assert_eq!(
        (&put["TableName"], &put["ConditionExpression"]),
        (&json!("events"), &json!("attribute_not_exists(id)"))
    );
    let item = &put["Item"];
    assert_eq!((&item["tenant_id"], &item["test_of"]), (&json!(owner().tenant_id()), &json!(endpoint.id)));
    assert_eq!((&item["ours"], &item["event"]), (&json!(true), &json!("order.paid")), "nobody counts it");
    assert_eq!(item["data"], r#"{"b":1,"a":2}"#);
    let at: Timestamp = item["timestamp"].as_str().unwrap().parse().unwrap();
    assert_eq!(item["expires_at"].as_i64(), Some(at.as_second() + 90 * 86_400));
    let id: EventId = item["id"].as_str().unwrap().parse().unwrap();
    let delivery = DeliveryId::new(at, &endpoint.id, &id);
    assert_eq!(answer.body, json!({"event_id": id, "delivery_id": delivery}));
}

#[tokio::test]
async fn a_test_without_a_body_is_of_what_the_webhook_asks_for() {
    let any = Endpoint { events: vec!["order.*".parse().unwrap()], ..endpoint() };
    for (endpoint, expected) in [(endpoint(), "invoice.paid"), (any, "order.test")] {
        let script = taking(&endpoint);
        let answer = answered(&script, Call::new("POST", &format!("{}/test", path())).by(&owner())).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let item = put(&script)["Item"].clone();
        assert_eq!((&item["event"], &item["data"]), (&json!(expected), &json!(r#"{"test":true}"#)));
    }
}

#[tokio::test]
async fn what_cannot_be_tested_is_refused_and_uses_up_no_retry() {
    let of_nur = Endpoint { dialect: DialectRef(&NUR), ..endpoint() };
    let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint() };
    for (endpoint, body, status, field) in [
        (endpoint(), json!({"event": "webhook.disabled"}), 400, json!("event")),
        (endpoint(), json!({"event": null}), 400, json!("event")),
        (endpoint(), json!({"data": null}), 400, json!("data")),
        (endpoint(), json!({"data": [1]}), 400, json!("data")),
        (endpoint(), json!({"tags": {}}), 400, json!("tags")),
        (endpoint(), json!({"data": {"a": "x".repeat(256 * 1024)}}), 413, json!("data")),
        (of_nur, json!({"event": "invoice.paid"}), 422, json!("event")),
        (disabled, json!({}), 409, Value::Null),
    ] {
        let answer = answered(&script(&[endpoint]), test(&body)).await;
        assert_eq!(
            (answer.status, &answer.body["error"]["details"]["field"]),
            (status, &field),
            "{:.80}",
            body.to_string()
        );
    }
}

/// The row that says until when a webhook's retries are used up, so many milliseconds from now.
fn used_up(millis: i64) -> Value {
    let used = json!({"used_until": clock::now().as_millisecond() + millis, "changed_by": "somebody"});
    keyed(format!("TENANT#{}", owner().tenant_id()), format!("RETRIES#{}", endpoint().id), &used)
}

#[tokio::test]
async fn a_flood_of_tests_is_refused_without_a_write_and_then_without_a_call() {
    let script = script(&[endpoint()]).holding("config", [used_up(60_000)]);
    let function = webhooks(&script);
    let answered = async || Answer::of(&serve(&function, test(&json!({})).event()).await);
    let answer = answered().await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (429, &json!("quota_exceeded")), "{answer:?}");
    assert_eq!(answer.body["error"]["details"], json!({"quota": {"name": "retries", "limit": 60}}));
    let asked = script.operations();
    assert!(asked.iter().all(|operation| operation == "GetItem"), "{asked:?}");
    assert_eq!(answered().await.status, 429);
    assert_eq!(script.operations().len(), asked.len());
}

#[tokio::test]
async fn a_test_whose_answer_was_lost_is_the_one_that_is_there() {
    let there = Said::refused(&json!(sample::event(owner().tenant_id())));
    let script = script(&[endpoint()]).saying("UpdateItem", [Said::done()]).saying("PutItem", [Said::lost(), there]);
    assert_eq!(answered(&script, test(&json!({}))).await.status, 202);
}

#[tokio::test(start_paused = true)]
async fn a_test_that_nobody_knows_of_says_what_to_do_instead_of_repeating_it() {
    let lost = repeat_with(Said::lost);
    let script = script(&[endpoint()]).saying("UpdateItem", [Said::done()]).saying("PutItem", lost);
    let answer = answered(&script, test(&json!({}))).await;
    let told = answer.body["error"]["message"].as_str().unwrap();
    assert!(answer.status == 500 && told.contains("look at this webhook's deliveries"), "{answer:?}");
}

#[tokio::test]
async fn a_test_says_what_its_types_example_says_and_is_held_to_the_types_schema() {
    let holding = || taking(&endpoint()).holding("config", [typed("invoice.paid")]);
    for (body, data) in [
        (json!({}), r#"{"amount":5}"#),
        (json!({"event": "invoice.paid"}), r#"{"amount":5}"#),
        (json!({"data": {"amount": 7}}), r#"{"amount":7}"#),
        (json!({"event": "order.paid"}), r#"{"test":true}"#),
    ] {
        let script = holding();
        let answer = answered(&script, test(&body)).await;
        assert_eq!((answer.status, &put(&script)["Item"]["data"]), (202, &json!(data)), "{body}");
    }
    let script = script(&[endpoint()]).holding("config", [typed("invoice.paid")]);
    let answer = answered(&script, test(&json!({"data": {"amuont": 7}}))).await;
    let told = json!([{"path": "", "message": "expected the property `amount`"}]);
    assert_eq!((answer.status, &answer.body["error"]["details"]["errors"]), (422, &told), "{answer:?}");
    let mut without_example = typed("invoice.paid");
    without_example.as_object_mut().unwrap().remove("example");
    let script = super::script(&[endpoint()]).holding("config", [without_example]);
    let answer = answered(&script, test(&json!({}))).await;
    let told = answer.body["error"]["message"].as_str().unwrap();
    assert!(answer.status == 422 && told.contains("`invoice.paid` has a schema, and no example"), "{answer:?}");
}

#[tokio::test]
async fn where_types_are_closed_a_named_one_must_be_known_and_one_of_our_making_need_not() {
    let any = Endpoint { events: vec!["order.*".parse().unwrap()], ..endpoint() };
    let asked = async |script: &Script, body: &Value| Answer::of(&serve(&closed(script), test(body).event()).await);
    let script = taking(&any);
    assert_eq!(asked(&script, &json!({})).await.status, 202);
    assert_eq!(put(&script)["Item"]["event"], "order.test");
    let answer = asked(&super::script(&[any]), &json!({"event": "order.test"})).await;
    assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (422, &json!("event")), "{answer:?}");
}
