//! What becomes of an event that somebody sends to a webhook by hand.

use std::iter::repeat_with;

use jiff::Timestamp;
use postrider_api::document::fields_of;
use postrider_domain::delivery::Status;
use postrider_domain::dialect::DialectRef;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::id::{EndpointId, EventId, JobId, TenantId};
use replay::{Answer, Call, Said, Script};
use serde_json::{Value, json};

use super::*;
use crate::handler::tests::{answered, endpoint, event, owner, with};

fn send(webhook: &EndpointId) -> Call {
    Call::new("POST", &format!("/v1/events/{}/send", event().id)).by(&owner()).saying(&json!({"webhook_id": webhook}))
}

fn id() -> DeliveryId {
    DeliveryId::new(event().timestamp, &endpoint().id, &event().id)
}

/// What becomes of an insert.
fn inserted() -> Said {
    Said::body(json!({"Responses": [{}]}))
}

fn there_is_one() -> Said {
    Said::body(json!({"Responses": [{"Error": {"Code": "DuplicateItem", "Message": "no"}}]}))
}

/// The row of an insert.
fn row_in(asked: &Value) -> Value {
    let statement = &asked["Statements"][0];
    let names = statement["Statement"].as_str().unwrap().split('\'').skip(1).step_by(2).map(str::to_owned);
    Value::Object(names.zip(statement["Parameters"].as_array().unwrap().clone()).collect())
}

/// An AWS that takes the row and the message.
fn taking() -> Script {
    with(&endpoint(), &[]).saying("BatchExecuteStatement", [inserted()]).saying("SendMessage", [Said::done()])
}

fn refused(answer: &Answer) -> (u64, Value) {
    (answer.status, answer.body["error"]["code"].clone())
}

#[tokio::test]
async fn it_is_one_row_where_there_is_none_and_due_from_then_on() {
    let script = taking();
    let answer = answered(&script, send(&endpoint().id)).await;
    assert_eq!((answer.status, &answer.body), (202, &json!({"delivery_id": id()})));
    let asked = script.asked("BatchExecuteStatement").remove(0);
    assert!(asked["Statements"][0]["Statement"].as_str().unwrap().starts_with("INSERT"), "nothing is put over");
    let row = row_in(&asked);
    assert_eq!((&row["id"], &row["status"], &row["attempt"]), (&json!(id()), &json!("retrying"), &json!(0)));
    assert_eq!(row["due_at"], row["next_attempt_at"]);
    assert!(row["due_shard"].is_string() && row["undelivered_tenant"].is_string() && row["changed_by"].is_string());
    let message: Value = serde_json::from_str(script.asked("SendMessage")[0]["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!((&message["attempt"], &message["probe"]), (&json!(1), &json!(true)), "at once, although it is parked");
}

#[tokio::test]
async fn the_document_has_the_fields_that_are_read() {
    let answer =
        answered(&with(&endpoint(), &[]), send(&endpoint().id).saying(&json!({"webhook_id": endpoint().id, "?": 1})))
            .await;
    let expected = answer.body["error"]["details"]["expected"].as_str().unwrap().to_owned();
    assert!(
        answer.status == 400 && fields_of::<crate::requests::Send>().iter().all(|field| expected.contains(field)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_message_that_is_lost_is_the_sweeps_matter() {
    let script = with(&endpoint(), &[])
        .saying("BatchExecuteStatement", [inserted()])
        .saying("SendMessage", repeat_with(Said::lost));
    assert_eq!(answered(&script, send(&endpoint().id)).await.status, 202);
}

#[tokio::test]
async fn who_has_it_is_not_sent_it_twice_whoever_was_first() {
    let there = Delivery::pending(&event(), endpoint().id, Timestamp::UNIX_EPOCH, 0);
    let answer = answered(&with(&endpoint(), std::slice::from_ref(&there)), send(&endpoint().id)).await;
    assert_eq!(refused(&answer), (409, json!("conflict")));
    assert!(answer.body["error"]["message"].as_str().unwrap().contains(there.id.as_str()));
    // Fan-out, or another call, puts it between the look and the put.
    let rows = [Said::body(json!({})), Said::row(&there)];
    let script =
        with(&endpoint(), &[]).saying_about("GetItem", "dlv_", rows).saying("BatchExecuteStatement", [there_is_one()]);
    assert_eq!(refused(&answered(&script, send(&endpoint().id)).await), (409, json!("conflict")));
}

#[tokio::test]
async fn an_answer_that_is_lost_is_no_other_call() {
    let put = std::sync::Arc::new(std::sync::Mutex::new(None));
    let first = std::sync::Arc::clone(&put);
    let script = with(&endpoint(), &[])
        .answering("BatchExecuteStatement", move |asked| {
            let is_first = first.lock().unwrap().is_none();
            first.lock().unwrap().get_or_insert_with(|| row_in(asked));
            Some(if is_first { Said::lost() } else { there_is_one() })
        })
        .answering("GetItem", move |asked| {
            let is_it = asked["TableName"] == "deliveries";
            let row = put.lock().unwrap().clone();
            is_it.then(|| row.map_or_else(|| Said::body(json!({})), |row| Said::row(&row)))
        })
        .saying("SendMessage", [Said::done()]);
    assert_eq!(answered(&script, send(&endpoint().id)).await.status, 202);
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_why() {
    let unchanged = endpoint();
    for (webhook, field) in [(json!(7), "webhook_id"), (json!(null), "webhook_id")] {
        let call = send(&unchanged.id).saying(&json!({"webhook_id": webhook}));
        let answer = answered(&with(&unchanged, &[]), call).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!(field)));
    }
    let another = EndpointId::new(Timestamp::UNIX_EPOCH, 77);
    let not_found = with(&unchanged, &[]).saying("Query", repeat_with(|| Said::rows::<Value>(&[])));
    assert_eq!(refused(&answered(&not_found, send(&another)).await), (404, json!("not_found")));
    let deleted = Endpoint { deleted_at: Some(Timestamp::UNIX_EPOCH), ..endpoint() };
    assert_eq!(refused(&answered(&with(&deleted, &[]), send(&deleted.id)).await), (404, json!("not_found")));
    let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint() };
    assert_eq!(refused(&answered(&with(&disabled, &[]), send(&disabled.id)).await), (409, json!("conflict")));
    let nur = Endpoint { dialect: DialectRef::named("nur").unwrap(), ..endpoint() };
    assert_eq!(refused(&answered(&with(&nur, &[]), send(&nur.id)).await), (422, json!("unprocessable")));
    let unknown = send(&unchanged.id);
    let other =
        Call::new("POST", "/v1/events/evt_other/send").by(&owner()).saying(&json!({"webhook_id": unchanged.id}));
    assert_eq!(refused(&answered(&with(&unchanged, &[]), other).await), (404, json!("not_found")));
    let script = |event: Value| {
        Script::default()
            .holding("config", owner().rows())
            .holding("config", [crate::handler::tests::row(&endpoint())])
            .holding("events", [event])
    };
    let own = |change: Event| json!(Event { ours: true, ..change });
    let test = own(Event { test_of: Some(endpoint().id), ..event() });
    let of_a_job = own(Event { job_id: Some(JobId::short(Timestamp::UNIX_EPOCH, 1)), ..event() });
    for row in [test, of_a_job] {
        assert_eq!(refused(&answered(&script(row), unknown.clone()).await), (422, json!("unprocessable")));
    }
    let mut gone = json!(event());
    gone.as_object_mut().unwrap().remove("data");
    gone["expunged_at"] = json!("2026-01-15T12:00:00.000Z");
    assert_eq!(refused(&answered(&script(gone), unknown.clone()).await), (409, json!("event_expunged")));
    let of_another = Event { tenant_id: TenantId::new(Timestamp::UNIX_EPOCH, 2), id: EventId::fresh(1), ..event() };
    assert_eq!(refused(&answered(&script(json!(of_another)), unknown).await), (404, json!("not_found")));
    assert_eq!(Delivery::asked_for(&event(), endpoint().id, Timestamp::UNIX_EPOCH, 0).status, Status::Retrying);
}
