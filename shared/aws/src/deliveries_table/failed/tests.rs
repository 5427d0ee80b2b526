//! The end and its notice are one: whatever becomes of an answer, and whoever was faster, there are both or neither.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use postrider_domain::attempt::Attempt;
use postrider_domain::id::{EndpointId, EventId};
use postrider_host::clock;
use replay::{Said, Script, expression};
use serde_json::{Value, json};

use super::*;
use crate::item::{Item, text};
use crate::sample::{self, FAILED};
use crate::sdk;

fn table(script: &Script) -> DeliveriesTable {
    DeliveriesTable::of(&script.sdk(sdk::over), "deliveries")
}

fn row() -> Delivery {
    let at = Timestamp::UNIX_EPOCH;
    Delivery::pending(&sample::event(), EndpointId::new(at, 2), at, 0)
}

fn mark() -> Mark {
    Mark::new(7)
}

fn notice() -> Notice {
    let event_id = EventId::fresh(7);
    let item: Item = [("id".to_owned(), text(event_id.as_str()))].into();
    let put = Put::builder().table_name("events").set_item(Some(item)).condition_expression("attribute_not_exists(id)");
    Notice { event_id, put: TransactWriteItem::builder().put(put.build().unwrap()).build() }
}

async fn record(script: &Script) -> Recorded {
    let attempt = Attempt::internal(1, mark(), Timestamp::UNIX_EPOCH, "why");
    table(script).record_and_tell(&row(), &attempt, &FAILED, &Tell::AtOnce(Box::new(notice()))).await.unwrap()
}

async fn fail(script: &Script) -> Recorded {
    table(script).fail(&row(), Reason::AttemptsExhausted, &mark(), &Tell::AtOnce(Box::new(notice()))).await.unwrap()
}

/// What a single update asks for, without the words that only one of both calls has.
fn asked(mut update: Value) -> Value {
    let update = update.as_object_mut().unwrap();
    update.retain(|name, _| !name.starts_with("Return"));
    json!(update)
}

#[tokio::test]
async fn the_record_in_a_transaction_is_the_same_as_alone() {
    let attempt = Attempt::internal(1, mark(), Timestamp::UNIX_EPOCH, "why");
    let alone = Script::new([Said::done()]);
    assert_eq!(table(&alone).record(&row(), &attempt, &FAILED).await.unwrap(), Recorded::Yes);
    let together = Script::new([Said::done()]);
    assert_eq!(record(&together).await, Recorded::Yes);
    let written = together.asked("TransactWriteItems").remove(0)["TransactItems"].clone();
    assert_eq!(asked(written[0]["Update"].clone()), asked(alone.asked("UpdateItem").remove(0)));
    assert_eq!(written[1]["Put"]["Item"], json!({"id": notice().event_id}));
    assert_eq!(written.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_end_without_an_attempt_wants_the_row_as_it_was_read_and_leaves_what_is_due() {
    for tell in [Tell::Nobody, Tell::AtOnce(Box::new(notice()))] {
        let script = Script::new([Said::done()]);
        let failed = table(&script).fail(&row(), Reason::AttemptsExhausted, &mark(), &tell).await;
        assert_eq!(failed.unwrap(), Recorded::Yes);
        let update = match tell {
            Tell::AtOnce(_) => script.asked("TransactWriteItems").remove(0)["TransactItems"][0]["Update"].clone(),
            Tell::Nobody | Tell::Together => script.asked("UpdateItem").remove(0),
        };
        let condition = expression(&update, "ConditionExpression");
        assert!(condition.starts_with("attempt = 0 AND round_from = 1 AND "), "{condition}");
        assert!(condition.ends_with(r#"status IN ("pending", "retrying")"#), "{condition}");
        let change = expression(&update, "UpdateExpression");
        assert!(change.starts_with(r#"SET status = "failed", undelivered_tenant = "#), "{change}");
        assert!(change.contains(r#"reason = "attempts_exhausted""#) && change.contains(r#"changed_by = "00000007""#));
        assert!(change.ends_with("REMOVE next_attempt_at, due_at, due_shard, waits_until"), "{change}");
    }
}

#[tokio::test]
async fn an_end_that_is_to_be_counted_says_so_in_its_own_write() {
    let list = format!("{}#", &row().tenant_id.as_str()[4..]);
    let script = Script::new([Said::done(), Said::done()]);
    let attempt = Attempt::internal(1, mark(), Timestamp::UNIX_EPOCH, "why");
    table(&script).record_and_tell(&row(), &attempt, &FAILED, &Tell::Together).await.unwrap();
    table(&script).fail(&row(), Reason::EndpointDown, &mark(), &Tell::Together).await.unwrap();
    for update in script.asked("UpdateItem") {
        let values = &update["ExpressionAttributeValues"];
        assert!(values[":counted"].as_str().unwrap().starts_with(&list), "{values}");
        let change = update["UpdateExpression"].as_str().unwrap();
        assert!(change.contains("due_at = :failed, due_shard = :counted"), "{change}");
        assert!(change.ends_with("REMOVE next_attempt_at, waits_until"), "{change}");
        let age = clock::now().duration_since(values[":failed"].as_str().unwrap().parse().unwrap());
        assert!(age.as_secs() < 60, "it failed now, whenever its attempt was made: {age}");
    }
    assert_eq!(script.asked("UpdateItem").len(), 2);
}

/// What becomes of both kinds of ends where these rows stand in the way, or `None` for a write that nothing refuses.
async fn refused(delivery: Option<Value>, event: Option<Value>) -> [Recorded; 2] {
    let reasons = [delivery, event].map(|there| there.ok_or("None"));
    let script = || Script::new([Said::lost(), Said::cancelled(&reasons)]);
    let (recorded, failed) = (script(), script());
    let ended = [record(&recorded).await, fail(&failed).await];
    for script in [recorded, failed] {
        let asked = script.asked("TransactWriteItems");
        assert!(asked.len() == 2 && asked[0] == asked[1], "the second try is the first: {asked:?}");
    }
    ended
}

#[tokio::test(start_paused = true)]
async fn an_end_whose_answer_was_lost_is_known_by_its_mark_or_its_notice() {
    let ours = json!({"id": row().id, "attempts": [{"mark": mark()}], "changed_by": mark()});
    assert_eq!(refused(Some(ours), None).await, [Recorded::Yes; 2]);
    // A new round has begun since, and its attempts have moved the mark away.
    let gone_on = || Some(json!({"id": row().id, "round": 2, "attempts": []}));
    assert_eq!(refused(gone_on(), Some(json!({"id": notice().event_id}))).await, [Recorded::Yes; 2]);
    assert_eq!(refused(gone_on(), None).await, [Recorded::Overtaken; 2], "somebody was faster, and nothing is told");
    let theirs = json!({"id": EventId::fresh(8)});
    assert_eq!(refused(gone_on(), Some(theirs)).await, [Recorded::Overtaken; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_gone_is_told_of_no_more() {
    assert_eq!(refused(Some(json!({})), None).await, [Recorded::Overtaken; 2]);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_way_for_a_moment_is_tried_again_with_the_same_notice() {
    let conflict = Said::cancelled(&[Err("TransactionConflict"), Err("None")]);
    let script = Script::new([conflict, Said::done()]);
    assert_eq!(record(&script).await, Recorded::Yes);
    let asked = script.asked("TransactWriteItems");
    assert_eq!(asked[0]["TransactItems"], asked[1]["TransactItems"]);
}
