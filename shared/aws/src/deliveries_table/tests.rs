//! Writes over a row: what each wants to find there, and what it leaves. Whatever a condition did not name could be written over.

use jiff::Timestamp;
use postrider_domain::attempt::Outcome;
use postrider_domain::id::EndpointId;
use replay::{Said, Script, expression};
use serde_json::{Value, json};

use super::*;
use crate::{sample, sdk};

const AS_READ: &str = "attempt = 2 AND round_from = 2 AND round = 3 AND ";
const NOT_ENDED: &str = r#"status IN ("pending", "retrying")"#;
const SET_MARKS: &str = r#"changed_before_that = if_not_exists(changed_before, "00000007"), "#;

fn table(script: &Script) -> DeliveriesTable {
    DeliveriesTable::of(&script.sdk(sdk::over), "deliveries")
}

/// A row in its third round, which began with its second attempt.
fn row() -> Delivery {
    let at = Timestamp::UNIX_EPOCH;
    let row = Delivery::pending(&sample::event(), EndpointId::new(at, 2), at, 0);
    Delivery { status: Status::Retrying, attempts_made: 2, round: 3, round_from: 2, ..row }
}

fn mark() -> Mark {
    Mark::new(7)
}

fn attempt() -> Attempt {
    Attempt::internal(3, mark(), Timestamp::UNIX_EPOCH, "why")
}

fn succeeded() -> Attempt {
    Attempt { outcome: Outcome::Responded { status: 200, retry_after: None }.code(), ..attempt() }
}

fn transition(status: Status, next_attempt_at: Option<Timestamp>) -> Transition {
    Transition {
        status,
        reason: None,
        next_attempt_at,
        waits_until: None,
        internal: 0,
        probes: 0,
        disable_endpoint: false,
    }
}

/// What a write asks for that is carried out.
async fn asked(write: impl AsyncFnOnce(DeliveriesTable) -> Result<Recorded, Failure>) -> Value {
    let script = Script::new([Said::done()]);
    assert_eq!(write(table(&script)).await.unwrap(), Recorded::Yes);
    script.asked("UpdateItem").remove(0)
}

/// What becomes of a write that this row refuses.
async fn refused(
    there: &Value,
    write: impl AsyncFnOnce(DeliveriesTable) -> Result<Recorded, Failure>,
) -> (Recorded, Value) {
    let script = Script::new([Said::refused(there)]);
    (write(table(&script)).await.unwrap(), script.asked("UpdateItem").remove(0))
}

fn condition(update: &Value) -> String {
    expression(update, "ConditionExpression")
}

fn change(update: &Value) -> String {
    expression(update, "UpdateExpression")
}

#[tokio::test]
async fn a_record_wants_the_counter_and_the_round_as_they_were_read_and_no_end() {
    let update =
        asked(async |table| table.record(&row(), &attempt(), &transition(Status::Succeeded, None)).await).await;
    assert_eq!(condition(&update), format!("{AS_READ}{NOT_ENDED}"));
    assert_eq!(update["Key"], json!({"endpoint_id": row().endpoint_id, "id": row().id}));
    let first = Delivery { round: 1, ..row() };
    let update =
        asked(async |table| table.record(&first, &attempt(), &transition(Status::Succeeded, None)).await).await;
    assert!(condition(&update).contains("(attribute_not_exists(round) OR round = 1)"), "rows of before have none");
}

#[tokio::test]
async fn a_record_is_one_write_with_the_attempt_its_number_and_what_follows() {
    let due = Timestamp::from_second(60).unwrap();
    let retrying = transition(Status::Retrying, Some(due));
    let update = asked(async |table| table.record(&row(), &attempt(), &retrying).await).await;
    assert_eq!(update["ExpressionAttributeValues"][":attempts"], json!([attempt()]));
    let made = change(&update);
    assert!(made.contains("attempt = 3, attempts = list_append(if_not_exists(attempts, :none), :attempts)"), "{made}");
    let listed = format!(r#"SET status = "retrying", undelivered_tenant = "{}""#, undelivered::list_of(&row()));
    assert!(made.starts_with(&listed), "{made}");
    assert!(made.contains(r#"due_at = "1970-01-01T00:01:00.000Z", due_shard = "#), "{made}");
    let failed = Transition { reason: Some(Reason::AttemptsExhausted), ..transition(Status::Failed, None) };
    let update = asked(async |table| table.record(&row(), &attempt(), &failed).await).await;
    assert!(
        change(&update)
            .ends_with(r#", reason = "attempts_exhausted" REMOVE next_attempt_at, due_at, due_shard, waits_until"#)
    );
}

#[tokio::test]
async fn a_success_leaves_every_index_and_so_does_a_row_of_nobodys() {
    let gone = "REMOVE undelivered_tenant, next_attempt_at, due_at, due_shard, waits_until, reason";
    let update =
        asked(async |table| table.record(&row(), &attempt(), &transition(Status::Succeeded, None)).await).await;
    assert!(change(&update).ends_with(gone), "{}", change(&update));
    let update =
        asked(async |table| table.record_apart(&row(), &attempt(), &transition(Status::Failed, None)).await).await;
    assert!(change(&update).ends_with(gone), "{}", change(&update));
    assert_eq!(condition(&update), format!("{AS_READ}{NOT_ENDED}"));
}

#[tokio::test]
async fn a_record_that_is_refused_was_made_where_its_mark_stands() {
    let record =
        async |table: DeliveriesTable| table.record(&row(), &attempt(), &transition(Status::Succeeded, None)).await;
    let theirs = json!({"id": row().id, "attempts": [{"mark": "another0"}]});
    let (recorded, update) = refused(&theirs, record).await;
    assert_eq!((recorded, &update["ReturnValuesOnConditionCheckFailure"]), (Recorded::Overtaken, &json!("ALL_OLD")));
    for ours in [json!({"attempts": [{"mark": mark()}]}), json!({"late_00000007": {}})] {
        assert_eq!(refused(&ours, record).await.0, Recorded::Yes, "{ours}");
    }
}

#[tokio::test]
async fn a_late_attempt_wants_a_row_and_changes_nothing_but_by_success() {
    let update = asked(async |table| table.record_late(&row(), &attempt()).await).await;
    let wanted = "attribute_exists(id) AND attribute_not_exists(late_00000007) AND attribute_not_exists(moved) \
                  AND attribute_not_exists(expunged)";
    assert_eq!(condition(&update), wanted);
    assert_eq!(change(&update), "SET late_00000007 = :attempt");
    assert_eq!(update["ExpressionAttributeValues"][":attempt"], json!(attempt()));
    let update = asked(async |table| table.record_late(&row(), &succeeded()).await).await;
    assert_eq!(condition(&update), wanted);
    let ends =
        r#", status = "succeeded" REMOVE undelivered_tenant, next_attempt_at, due_at, due_shard, waits_until, reason"#;
    assert_eq!(change(&update), format!("SET late_00000007 = :attempt{ends}"));
    let (gone, _) = refused(&json!({}), async |table| table.record_late(&row(), &attempt()).await).await;
    assert_eq!(gone, Recorded::Overtaken, "a row that is gone stays gone");
    let unmarked = Attempt { mark: None, ..attempt() };
    assert!(table(&Script::default()).record_late(&row(), &unmarked).await.is_err());
}

#[tokio::test]
async fn a_cancellation_wants_what_a_record_does_and_says_whose_it_is() {
    let cancel = async |table: DeliveriesTable| table.cancel(&row(), Reason::CancelledByRequest, &mark()).await;
    let update = asked(cancel).await;
    assert_eq!(condition(&update), format!("{AS_READ}{NOT_ENDED}"));
    let change = change(&update);
    assert!(change.starts_with(r#"SET status = "cancelled", undelivered_tenant = "#), "{change}");
    assert!(change.contains(r#"reason = "cancelled_by_request""#) && change.contains(SET_MARKS), "{change}");
    assert!(change.ends_with("REMOVE next_attempt_at, due_at, due_shard, waits_until"), "{change}");
    assert_eq!(refused(&json!({"changed_by": "another0"}), cancel).await.0, Recorded::Overtaken);
    assert_eq!(refused(&json!({"changed_before": mark()}), cancel).await.0, Recorded::Yes);
}

#[tokio::test]
async fn a_round_wants_the_row_as_it_was_read_and_its_status_too() {
    let failed = Delivery { status: Status::Failed, reason: Some(Reason::AttemptsExhausted), internal: 4, ..row() };
    let after = failed.in_new_round(Timestamp::UNIX_EPOCH);
    let begin = async |table: DeliveriesTable| table.begin_round(&failed, &after, &mark()).await;
    let update = asked(begin).await;
    assert_eq!(condition(&update), format!(r#"{AS_READ}status = "failed" AND attribute_not_exists(expunged)"#));
    let change = change(&update);
    assert!(change.starts_with(r#"SET status = "retrying", undelivered_tenant = "#), "{change}");
    assert!(change.contains("round = 4, round_from = 3, internal = 0"), "{change}");
    assert!(change.contains(r#"due_at = "1970-01-01T00:00:00.000Z""#) && change.contains(SET_MARKS), "{change}");
    assert!(change.ends_with("REMOVE probes, waits_until, reason"), "{change}");
    assert_eq!(refused(&json!({"changed_by": "another0"}), begin).await.0, Recorded::Overtaken);
    assert_eq!(refused(&json!({"changed_by": mark()}), begin).await.0, Recorded::Yes);
}

#[tokio::test]
async fn a_round_of_what_was_delivered_is_no_undelivered_one() {
    let taken = Delivery { status: Status::Succeeded, attempts: vec![succeeded()], ..row() };
    let after = taken.in_new_round(Timestamp::UNIX_EPOCH);
    let update = asked(async |table| table.begin_round(&taken, &after, &mark()).await).await;
    let change = change(&update);
    assert!(change.contains(r#"delivered_at = "1970-01-01T00:00:00.000Z""#), "{change}");
    assert!(change.contains("REMOVE undelivered_tenant") && !change.contains("undelivered_tenant ="), "{change}");
}

#[tokio::test]
async fn what_is_parked_is_due_no_more_and_a_probe_that_fails_leaves_it_so() {
    let until = Timestamp::from_second(60).unwrap();
    let park = async |table: DeliveriesTable| table.park(&row(), until).await;
    let update = asked(park).await;
    assert_eq!(condition(&update), format!("{AS_READ}{NOT_ENDED} AND attribute_not_exists(waits_until)"));
    let parked = r#"SET waits_until = "1970-01-01T00:01:00.000Z" REMOVE next_attempt_at, due_at, due_shard"#;
    assert_eq!(change(&update), parked);
    assert_eq!(refused(&json!({"waits_until": "1970-01-01T00:01:00.000Z"}), park).await.0, Recorded::Yes);
    assert_eq!(refused(&json!({"waits_until": "1970-01-01T00:02:00.000Z"}), park).await.0, Recorded::Overtaken);
    let probed = Transition { waits_until: Some(until), probes: 1, ..transition(Status::Retrying, None) };
    let update = asked(async |table| table.record(&row(), &attempt(), &probed).await).await;
    let change = change(&update);
    assert!(change.contains(r#"waits_until = "1970-01-01T00:01:00.000Z", probes = 1"#), "{change}");
    assert!(change.ends_with("REMOVE next_attempt_at, due_at, due_shard, reason"), "{change}");
}

#[tokio::test]
async fn what_is_called_off_with_all_that_waits_says_by_whom_and_by_nobody_after_that() {
    let all = CancellationId::new(Timestamp::UNIX_EPOCH, 1);
    let update = asked(async |table| table.cancel_with_all(&row(), &all, &Mark::new(1)).await).await;
    assert_eq!(condition(&update), format!("{AS_READ}{NOT_ENDED}"));
    let set = change(&update);
    assert!(set.contains(&format!(r#"reason = "cancelled_by_request", called_off_by = "{all}""#)), "{set}");
    assert!(set.contains("REMOVE next_attempt_at, due_at, due_shard, waits_until"), "{set}");
    let again = Delivery { called_off_by: Some(all), ..row() };
    let update = asked(async |table| table.cancel(&again, Reason::WebhookDisabled, &Mark::new(1)).await).await;
    assert!(change(&update).ends_with(", called_off_by"), "{}", change(&update));
}
