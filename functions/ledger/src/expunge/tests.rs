//! What is left of an event whose data was removed, and what is asked of AWS for it.

use std::iter::repeat_with;

use jiff::Timestamp;
use postrider_domain::attempt::{Attempt, Mark};
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::dialect::STANDARD;
use postrider_domain::key::Scope;
use replay::{Call, Caller, Said, Script, expression};
use serde_json::{Value, json};

use crate::handler::tests::{answered, endpoint, event};

fn owner() -> Caller {
    Caller::of_tenant(1, &STANDARD, &[Scope::EventsWrite, Scope::DeliveriesWrite])
}

fn expunge() -> Call {
    Call::new("DELETE", &format!("/v1/events/{}/data", event().id)).by(&owner())
}

/// What DynamoDB says of a row that is left.
fn left() -> Said {
    let mut row = json!(event());
    row.as_object_mut().unwrap().remove("data");
    row["expunged_at"] = json!("2026-01-15T12:00:00.000Z");
    Said::body(json!({"Attributes": replay::item(&row)}))
}

/// A delivery that was tried once, and answered.
fn tried(status: Status) -> Delivery {
    let said = Some("you said: canary".to_owned());
    let attempt =
        Attempt { response_excerpt: said, ..Attempt::internal(1, Mark::new(1), Timestamp::UNIX_EPOCH, "why") };
    let pending = Delivery::pending(&event(), endpoint().id, Timestamp::UNIX_EPOCH, 0);
    Delivery { status, attempts: vec![attempt], attempts_made: 1, ..pending }
}

fn script(rows: &[Delivery]) -> Script {
    Script::default()
        .holding("config", owner().rows())
        .holding("deliveries", rows.iter().map(|row| json!(row)))
        .saying_about("UpdateItem", "expunged_at", repeat_with(left))
        .saying_about(
            "Query",
            "WEBHOOK#",
            repeat_with(|| Said::rows(&[json!({"sk": format!("WEBHOOK#{}", endpoint().id)})])),
        )
        .saying_about("Query", "dlv_", repeat_with(|| Said::rows::<Value>(&[])))
}

fn writes(script: &Script, table: &str) -> Vec<Value> {
    script.asked("UpdateItem").into_iter().filter(|update| update["TableName"] == table).collect()
}

#[tokio::test(start_paused = true)]
async fn data_goes_first_and_what_waits_is_called_off_without_what_its_receiver_said() {
    let script = script(&[tried(Status::Retrying)]).saying("UpdateItem", [Said::done()]);
    let answer = answered(&script, expunge()).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let event = writes(&script, "events").remove(0);
    assert_eq!(
        event["UpdateExpression"],
        "SET #expunged = if_not_exists(#expunged, :now) REMOVE #data, tags, #refused"
    );
    let update = writes(&script, "deliveries").remove(0);
    assert!(!update.to_string().contains("canary"), "{update}");
    let values = &update["ExpressionAttributeValues"];
    assert_eq!((&values[":status"], &values[":reason"]), (&json!("cancelled"), &json!("event_expunged")));
    assert_eq!(values[":stripped"][0]["error"], "why", "Postrider's own word stays");
    let condition = expression(&update, "ConditionExpression");
    assert!(condition.contains("attempt = 1") && condition.contains(r#"status = "retrying""#), "{condition}");
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_stays_ended_and_loses_what_its_receiver_said() {
    for status in [Status::Failed, Status::Succeeded] {
        let script = script(&[tried(status)]).saying("UpdateItem", [Said::done()]);
        assert_eq!(answered(&script, expunge()).await.status, 204);
        let update = writes(&script, "deliveries").remove(0);
        assert!(!update["UpdateExpression"].as_str().unwrap().contains("#status"), "{update}");
        assert!(update["ExpressionAttributeValues"][":stripped"].is_array() && !update.to_string().contains("canary"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_goes_on_meanwhile_is_read_again() {
    let (before, after) = (tried(Status::Retrying), tried(Status::Succeeded));
    let script = script(std::slice::from_ref(&before))
        .saying_about("GetItem", "dlv_", [Said::row(&after)])
        .saying("UpdateItem", [Said::refused(&after), Said::done()]);
    let answer = answered(&script, expunge()).await;
    assert_eq!((answer.status, writes(&script, "deliveries").len()), (204, 2), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn replicas_have_a_second_before_anything_is_looked_for() {
    let begun = tokio::time::Instant::now();
    let script = script(&[]);
    assert_eq!(answered(&script, expunge()).await.status, 204);
    assert!(begun.elapsed() >= super::A_REPLICA_IS_BEHIND);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_there_is_not_is_none() {
    let script = Script::default().holding("config", owner().rows()).saying("UpdateItem", [Said::refused(&json!({}))]);
    let answer = answered(&script, expunge()).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("not_found")));
    let no_id = Call::new("DELETE", "/v1/events/invoice_7/data").by(&owner());
    assert_eq!(answered(&script, no_id).await.status, 404);
}
