//! Which failures are told of at once and which are counted, what is asked of AWS for either, and what happens where nobody can say.

use std::iter::repeat_with;

use futures::future::join_all;
use postrider_domain::attempt::Mark;
use postrider_domain::event::{EventType, OwnType};
use replay::{Said, Script, expression, item};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::sample::{self, FAILED};
use crate::sdk;

fn notices(script: &Script) -> Notices {
    let sdk = script.sdk(sdk::over);
    let (config, events) = (ConfigTable::of(&sdk, "config"), EventsTable::of(&sdk, "events"));
    Notices::of(config, events, Retention { seconds: 60 })
}

fn at(webhook: u64) -> Delivery {
    let at = Timestamp::UNIX_EPOCH;
    Delivery::pending(&sample::event(), EndpointId::new(at, webhook), at, 0)
}

fn of_another_tenant(number: u64) -> Delivery {
    Delivery { tenant_id: TenantId::new(Timestamp::UNIX_EPOCH, number), ..at(2) }
}

async fn of(notices: &Notices, row: &Delivery) -> Tell {
    let attempt = Attempt::internal(1, Mark::new(1), Timestamp::from_second(7).unwrap(), "why");
    notices.of_record(row, &attempt, &FAILED).await
}

async fn at_once(notices: &Notices, row: &Delivery) -> bool {
    of(notices, row).await.notice().is_some()
}

/// What is known of each tenant's failures, by its partition.
type Rows = Arc<Mutex<HashMap<String, Value>>>;

/// An AWS that keeps these rows and the list.
fn keeping(rows: &Rows) -> Script {
    let (read, written) = (Arc::clone(rows), Arc::clone(rows));
    let change = move |update: &Value| {
        let values = &update["ExpressionAttributeValues"];
        let mut rows = written.lock().unwrap();
        let row = rows.entry(update["Key"]["pk"].as_str()?.to_owned()).or_insert(json!({}));
        if values[":now"].is_string() {
            row["counted_at"] = values[":now"].clone();
        } else if row["changed_by"] != values[":was"] {
            return Some(Said::refused(row));
        } else {
            (row["told"], row["changed_by"]) = (values[":told"].clone(), values[":by"].clone());
        }
        Some(Said::body(json!({"Attributes": item(row)})))
    };
    Script::default()
        .answering("GetItem", move |get| {
            Some(read.lock().unwrap().get(get["Key"]["pk"].as_str()?).map_or_else(Said::done, Said::row))
        })
        .answering("UpdateItem", change)
        .saying("PutItem", repeat_with(Said::done))
}

#[tokio::test]
async fn the_first_is_told_of_at_once_and_what_follows_is_counted_by_a_word_that_holds_for_a_while() {
    let script = keeping(&Rows::default());
    let notices = notices(&script);
    assert!(at_once(&notices, &at(2)).await);
    assert_eq!(script.operations(), ["GetItem", "UpdateItem"]);
    for _ in 0..3 {
        assert!(of(&notices, &at(2)).await.is_together());
        assert_eq!(script.operations()[2..], ["GetItem", "UpdateItem", "PutItem"], "once, and then it is known");
    }
    let listed = &script.asked("PutItem")[0]["Item"];
    assert_eq!((&listed["pk"], &listed["sk"]), (&json!("FAILURES"), &json!(at(2).tenant_id)));
    // Neither another webhook nor another tenant waits for this one's minute.
    assert!(at_once(&notices, &at(3)).await && at_once(&notices, &of_another_tenant(9)).await);
    assert!(of(&notices, &at(3)).await.is_together());
}

#[tokio::test]
async fn that_failures_are_counted_is_said_before_any_is_on_record_and_over_nobodys_claim() {
    let script = keeping(&Rows::default());
    let notices = notices(&script);
    of(&notices, &at(2)).await;
    of(&notices, &at(2)).await;
    let [claim, count] = &script.asked("UpdateItem")[..] else { panic!("a claim and a word") };
    assert_eq!(claim["ConditionExpression"], "attribute_not_exists(changed_by)");
    assert_eq!(count["UpdateExpression"], "SET counted_at = :now, expires_at = :expires");
    assert_eq!(count["ConditionExpression"], Value::Null, "processes are not in each other's way");
}

#[tokio::test]
async fn of_all_that_fail_at_once_one_is_told_of() {
    let script = keeping(&Rows::default());
    let (one, other) = (notices(&script), notices(&script));
    let row = at(2);
    let told = join_all((0..50).map(|n| at_once(if n % 2 == 0 { &one } else { &other }, &row))).await;
    assert_eq!(told.iter().filter(|told| **told).count(), 1);
    let calls = script.operations().len();
    assert!(calls <= 12, "{calls}");
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_was_lost_is_known_by_its_mark() {
    let mut by = None;
    let answer = move |update: &Value| {
        let mark = update["ExpressionAttributeValues"][":by"].clone();
        Some(if by.replace(mark.clone()).is_none() {
            Said::lost()
        } else {
            Said::refused(&json!({"changed_by": mark, "told": {}}))
        })
    };
    let script = Script::default().holding("config", []).answering("UpdateItem", answer);
    assert!(at_once(&notices(&script), &at(2)).await);
    assert_eq!(script.asked("UpdateItem").len(), 2);
}

#[tokio::test]
async fn a_notice_is_the_put_of_an_event_that_is_ours() {
    let notice = match of(&notices(&keeping(&Rows::default())), &at(2)).await {
        Tell::AtOnce(notice) => notice,
        Tell::Nobody | Tell::Together => panic!("it is the first"),
    };
    let put = notice.put.put.unwrap();
    assert_eq!((put.table_name(), put.condition_expression()), ("events", Some("attribute_not_exists(id)")));
    let event: Event = crate::item::from_item(put.item).unwrap();
    assert_eq!((&event.id, event.event_type.as_str()), (&notice.event_id, "webhook.delivery_failed"));
    assert_eq!((event.ours, event.timestamp.as_second(), event.expires_at), (true, 7, 67));
}

#[tokio::test]
async fn what_goes_on_or_ends_otherwise_is_not_even_looked_into() {
    let notices = notices(&Script::default());
    let attempt = Attempt::internal(1, Mark::new(1), Timestamp::UNIX_EPOCH, "why");
    for (status, reason) in
        [(Status::Succeeded, None), (Status::Retrying, None), (Status::Cancelled, Some(Reason::WebhookDeleted))]
    {
        let transition = Transition { status, reason, ..FAILED };
        assert!(matches!(notices.of_record(&at(2), &attempt, &transition).await, Tell::Nobody), "{status:?}");
    }
    let of_ours = Delivery { event_type: EventType::from(OwnType::DeliveryFailed), ..at(2) };
    assert!(matches!(of(&notices, &of_ours).await, Tell::Nobody), "a notice about a notice would never end");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_say_a_failure_is_told_of_at_once() {
    let script = Script::default().saying("GetItem", repeat_with(Said::throttled));
    assert!(at_once(&notices(&script), &at(2)).await);
    let script = Script::default()
        .holding("config", [])
        .saying("UpdateItem", repeat_with(|| Said::refused(&json!({"changed_by": "others"}))));
    assert!(at_once(&notices(&script), &at(2)).await, "nor can it be said that it is counted");
    // The same while the look hangs, and no record waits for others' looks beside its own.
    let script = Script::default().saying("GetItem", repeat_with(|| Said::done().after(3)));
    let (notices, row, begun) = (notices(&script), at(2), Instant::now());
    let told = join_all((0..10).map(|_| at_once(&notices, &row))).await;
    assert!(told.iter().all(|told| *told) && begun.elapsed() <= PATIENCE, "{:?}", begun.elapsed());
}

/// What is known of the tenant, whose failures were counted so many seconds ago.
fn known(counted_before: i64) -> Value {
    let counted_at = clock::now() - jiff::SignedDuration::from_secs(counted_before);
    json!({"counted_at": postrider_domain::time::wire(counted_at), "changed_by": "before"})
}

/// The tenant's deliveries that failed two minutes ago, at these webhooks, in one list.
fn failed(webhooks: &[u64]) -> Said {
    let failed_at = clock::now() - jiff::SignedDuration::from_secs(120);
    let rows: Vec<Value> = webhooks
        .iter()
        .map(|webhook| json!({"id": at(*webhook).id, "due_at": postrider_domain::time::wire(failed_at)}))
        .collect();
    Said::rows(&rows)
}

/// An AWS in which these deliveries failed, and the tenant's row stands so, each time that it is read.
fn with_failed(webhooks: &[u64], rows: impl IntoIterator<Item = Value>) -> Script {
    let rows: Vec<Said> = rows.into_iter().map(|row| Said::row(&row)).collect();
    Script::default()
        .saying("GetItem", rows)
        .saying("Query", [failed(webhooks)])
        .saying("Query", repeat_with(|| Said::rows::<Value>(&[])))
}

async fn told(script: &Script) -> Result<usize, Failure> {
    let deliveries = DeliveriesTable::of(&script.sdk(sdk::over), "deliveries");
    notices(script).tell_together(&at(2).tenant_id, &deliveries).await
}

/// The writes of each transaction.
fn written(script: &Script) -> Vec<Vec<Value>> {
    let calls = script.asked("TransactWriteItems").into_iter();
    calls.map(|call| call["TransactItems"].as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn what_was_counted_is_told_in_the_transaction_that_says_so() {
    let script = with_failed(&[2, 2, 3], [known(0)]).saying("TransactWriteItems", [Said::done()]);
    assert_eq!(told(&script).await.unwrap(), 2);
    let writes = written(&script).remove(0);
    assert_eq!(writes.len(), 3, "the tenant stays in the list");
    let update = &writes[0]["Update"];
    assert_eq!(expression(update, "ConditionExpression"), r#"changed_by = "before""#);
    let change = expression(update, "UpdateExpression");
    assert!(change.contains("told_until = ") && !change.contains("REMOVE"), "{change}");
    let counts: Vec<Value> = writes[1..]
        .iter()
        .map(|write| serde_json::from_str(write["Put"]["Item"]["data"].as_str().unwrap()).unwrap())
        .map(|data: Value| json!([data["webhook_id"], data["count"]]))
        .collect();
    assert_eq!(counts, [json!([at(2).endpoint_id, 2]), json!([at(3).endpoint_id, 1])]);
    let queries = script.asked("Query");
    assert_eq!((queries.len(), &queries[0]["IndexName"]), (16, &json!("due")));
}

#[tokio::test]
async fn once_nobody_counts_the_tenant_leaves_the_list_unless_somebody_has_begun_again() {
    let script = with_failed(&[2], [known(200)]).saying("TransactWriteItems", [Said::done()]);
    assert_eq!(told(&script).await.unwrap(), 1);
    let writes = written(&script).remove(0);
    assert_eq!(writes[2]["Delete"]["Key"], json!({"pk": "FAILURES", "sk": at(2).tenant_id}));
    let condition = expression(&writes[0]["Update"], "ConditionExpression");
    assert!(condition.starts_with(r#"changed_by = "before" AND counted_at = "20"#), "{condition}");
    assert!(expression(&writes[0]["Update"], "UpdateExpression").ends_with("REMOVE counted_at"));
}

#[tokio::test]
async fn whoever_claims_meanwhile_has_the_same_count_told_over_his_claim() {
    let mut claimed = known(0);
    claimed["changed_by"] = json!("claimed");
    let cancelled = Said::cancelled(&[Ok(claimed.clone()), Err("None")]);
    let script = with_failed(&[2], [known(0), claimed]).saying("TransactWriteItems", [cancelled, Said::done()]);
    assert_eq!(told(&script).await.unwrap(), 1);
    let writes = written(&script);
    assert_eq!(expression(&writes[1][0]["Update"], "ConditionExpression"), r#"changed_by = "claimed""#);
    assert_eq!(script.asked("Query").len(), 16, "it is not counted again");
}

#[tokio::test]
async fn what_another_sweep_has_told_is_not_told_again() {
    // Just now, and so long ago that one more look would be due.
    for seconds in [0, 300] {
        let mut told_by_another = known(0);
        told_by_another["changed_by"] = json!("another");
        let until = clock::now() - jiff::SignedDuration::from_secs(seconds);
        told_by_another["told_until"] = json!(postrider_domain::time::wire(until));
        let cancelled = Said::cancelled(&[Ok(told_by_another.clone()), Err("None")]);
        let script = with_failed(&[2], [known(0), told_by_another]).saying("TransactWriteItems", [cancelled]);
        assert_eq!(told(&script).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn where_nothing_is_counted_nothing_is_read() {
    let script = Script::default().saying("GetItem", [Said::done(), Said::row(&json!({"told": {}}))]);
    assert_eq!((told(&script).await.unwrap(), told(&script).await.unwrap()), (0, 0));
    assert!(script.asked("Query").is_empty());
}
