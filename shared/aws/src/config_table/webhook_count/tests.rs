//! What is asked of AWS so that a count is what there is, whoever races.

use postrider_domain::dialect::{DialectRef, STANDARD};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::quota::{OwnQuotas, Quota};
use postrider_domain::tenant::Plan;
use replay::{Said, Script, expression, keyed as row_of};
use serde_json::{Value, json};

use super::*;
use crate::config_table::Made;
use crate::sample::nothing_told;
use crate::sdk;

const QUOTAS: Quotas = Quotas::of(Plan::Free);

fn table(script: &Script) -> ConfigTable {
    ConfigTable::of(&script.sdk(sdk::over), "config")
}

fn tenant() -> TenantId {
    TenantId::new(Timestamp::UNIX_EPOCH, 1)
}

fn endpoint() -> Endpoint {
    let at = Timestamp::UNIX_EPOCH;
    let url = "https://hooks.example/".to_owned();
    Endpoint {
        events: vec!["*".parse().unwrap()],
        revision: 1,
        ..Endpoint::bare(EndpointId::new(at, 1), tenant(), url, DialectRef(&STANDARD), at)
    }
}

fn bytes() -> u64 {
    endpoint().counted()
}

fn partition() -> String {
    tenant_partition(&tenant())
}

fn count(webhooks: u64, list_bytes: u64, counted_at: i64) -> Value {
    row_of(
        partition(),
        SORT,
        &json!({"webhooks": webhooks, "list_bytes": list_bytes, "moves": 7, "counted_at": counted_at}),
    )
}

fn tenant_row(webhooks: Option<u64>) -> Value {
    let tenant = Tenant {
        quotas: OwnQuotas { webhooks, ..OwnQuotas::default() },
        ..Tenant::bare(tenant(), "a".to_owned(), Plan::Free, Timestamp::UNIX_EPOCH)
    };
    row_of(partition(), TENANT_SORT, &tenant)
}

fn just_now() -> i64 {
    clock::now().as_second()
}

/// The writes of every transaction that there was.
fn transactions(script: &Script) -> Vec<Vec<Value>> {
    let asked = script.asked("TransactWriteItems");
    asked.iter().map(|asked| asked["TransactItems"].as_array().unwrap().clone()).collect()
}

async fn made(script: &Script) -> Result<(), Exceeded> {
    let made = table(script).create_endpoint(&endpoint(), QUOTAS, None, &nothing_told(script)).await.unwrap();
    made.map(|made| assert_eq!(made, Made::Now))
}

fn refused_by_the_count(there: Value) -> Said {
    Said::cancelled(&[Err("None"), Err("None"), Ok(there)])
}

#[tokio::test]
async fn a_webhook_is_counted_where_it_is_made() {
    let script = Script::default().holding("config", [count(19, 5, 0)]).saying("TransactWriteItems", [Said::done()]);
    assert_eq!(made(&script).await, Ok(()));
    let writes = transactions(&script).remove(0);
    assert_eq!(writes[0]["Put"]["Item"]["counted_bytes"], bytes(), "so that as much is given back");
    let update = &writes.last().unwrap()["Update"];
    assert_eq!(update["Key"], json!({"pk": partition(), "sk": "WEBHOOKS"}));
    let update_expression = expression(update, "UpdateExpression");
    assert_eq!(update_expression, format!("ADD webhooks 1, list_bytes {}, moves 1", bytes()));
    let room = QUOTAS.list_bytes - bytes();
    let condition = format!("attribute_exists(pk) AND webhooks <= 19 AND list_bytes <= {room}");
    assert_eq!(expression(update, "ConditionExpression"), condition);
}

#[tokio::test]
async fn who_finds_no_count_counts_before_anything_is_made() {
    let of_before = row_of(partition(), format!("WEBHOOK#{}", endpoint().id), &endpoint());
    let unreadable = json!({"pk": partition(), "sk": "WEBHOOK#x", "counted_bytes": 100});
    let deleted = json!({"pk": partition(), "sk": "WEBHOOK#y", "counted_bytes": 1000, "deleted_at": "x"});
    let script = Script::default()
        .holding("config", [])
        .saying("Query", [Said::rows(&[of_before, unreadable, deleted])])
        .saying("TransactWriteItems", [Said::done(), Said::done()]);
    assert_eq!(made(&script).await, Ok(()));
    let put = transactions(&script).remove(0).remove(0);
    let item = &put["Put"]["Item"];
    assert_eq!((&item["webhooks"], &item["list_bytes"]), (&json!(2), &json!(bytes() + 100)));
    // Of two who count at once, the second goes by what the first one put.
    let script = Script::default()
        .holding("config", [tenant_row(None)])
        .saying("Query", [Said::rows::<Value>(&[])])
        .saying("TransactWriteItems", [Said::cancelled(&[Ok(count(20, 5, just_now()))])]);
    assert_eq!(made(&script).await.unwrap_err().quota, Quota::Webhooks);
}

#[tokio::test]
async fn who_comes_after_the_last_place_was_taken_is_refused() {
    let full = || count(20, 5, just_now());
    let script = Script::default()
        .holding("config", [tenant_row(None), count(19, 5, just_now())])
        .saying("TransactWriteItems", [refused_by_the_count(full())]);
    assert_eq!(made(&script).await, Err(Exceeded::until_given_back(Quota::Webhooks, 20)));
    let script = Script::default().holding("config", [tenant_row(None), full()]);
    assert!(made(&script).await.is_err(), "and who comes later costs no write");
    let script = Script::default().holding("config", [tenant_row(None), count(1, QUOTAS.list_bytes, just_now())]);
    assert_eq!(made(&script).await.unwrap_err().quota, Quota::ListBytes);
}

#[tokio::test]
async fn who_took_the_last_place_is_not_refused_by_his_own_webhook() {
    let mine = json!({"id": endpoint().id, "changed_by": "somebody"});
    let script = Script::default()
        .holding("config", [count(19, 5, 0)])
        .saying("TransactWriteItems", [Said::lost(), Said::cancelled(&[Ok(mine), Err("None"), Ok(count(20, 5, 0))])]);
    assert_eq!(made(&script).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn those_who_are_in_each_others_way_are_let_through_one_by_one() {
    let conflict = || Said::cancelled(&[Err("None"), Err("None"), Err("TransactionConflict")]);
    let script = Script::default()
        .holding("config", [count(0, 0, 0)])
        .saying("TransactWriteItems", std::iter::repeat_with(conflict).take(15).chain([Said::done()]));
    assert_eq!(made(&script).await, Ok(()));
    let script = Script::default()
        .holding("config", [count(0, 0, 0)])
        .saying("TransactWriteItems", std::iter::repeat_with(conflict));
    let error = table(&script).create_endpoint(&endpoint(), QUOTAS, None, &nothing_told(&script)).await.unwrap_err();
    assert!(error.is_busy(), "its caller is told to come again: {error}");
    assert_eq!(script.asked("TransactWriteItems").len(), 16);
}

#[tokio::test]
async fn nobody_is_refused_by_a_count_that_is_wrong() {
    let script = Script::default()
        .holding("config", [tenant_row(None), count(20, 5, just_now() - 61)])
        .saying("Query", [Said::rows(&[row_of(partition(), "WEBHOOK#x", &json!({"counted_bytes": 3}))])])
        .saying("UpdateItem", [Said::done()])
        .saying("TransactWriteItems", [Said::done(), Said::done()]);
    assert_eq!(made(&script).await, Ok(()));
    let writes = transactions(&script);
    let fix = &writes[0][0]["Update"];
    assert_eq!(expression(fix, "UpdateExpression"), "SET webhooks = 1, list_bytes = 3 ADD moves 1");
    assert_eq!(expression(fix, "ConditionExpression"), "moves = 7", "unless one was made or deleted meanwhile");
}

#[tokio::test(start_paused = true)]
async fn of_many_who_are_refused_at_once_one_counts_again() {
    // Somebody else's claim of this very second, or one that is just being written.
    for answer in [Said::refused(&count(20, 5, just_now())), Said::throttled()] {
        let script = Script::default()
            .holding("config", [tenant_row(None), count(20, 5, 0)])
            .saying("UpdateItem", std::iter::repeat_n(answer, 3));
        assert!(made(&script).await.is_err(), "nothing is queried, and nothing made");
    }
}

#[tokio::test]
async fn a_quota_that_was_raised_a_moment_ago_counts() {
    let script = Script::default()
        .holding("config", [tenant_row(Some(21)), count(20, 5, just_now())])
        .saying("TransactWriteItems", [Said::done()]);
    assert_eq!(made(&script).await, Ok(()));
    let update = transactions(&script)[0].last().unwrap()["Update"].clone();
    assert!(expression(&update, "ConditionExpression").contains("webhooks <= 20"));
}

#[tokio::test]
async fn what_was_never_counted_is_deleted_and_leaves_no_less_than_none() {
    let script = Script::default().holding("config", [count(0, 9, 0)]).saying("TransactWriteItems", [Said::done()]);
    let deleted =
        table(&script).delete_endpoint(&endpoint(), Timestamp::UNIX_EPOCH, 0, &nothing_told(&script)).await.unwrap();
    assert_eq!(deleted, Recorded::Yes);
    let update = transactions(&script)[0].last().unwrap()["Update"].clone();
    assert_eq!(expression(&update, "UpdateExpression"), "SET webhooks = 0, list_bytes = 0 ADD moves 1");
    assert_eq!(expression(&update, "ConditionExpression"), "moves = 7");
}

#[tokio::test]
async fn a_change_counts_what_the_list_shows_more_and_nothing_else() {
    let at = Timestamp::UNIX_EPOCH;
    let longer = Endpoint { url: "https://hooks.example/123".to_owned(), ..endpoint() };
    let script = Script::default()
        .holding("config", [count(1, bytes(), 0)])
        .saying("TransactWriteItems", [Said::done(), Said::done()]);
    let table = table(&script);
    assert_eq!(
        table.change_endpoint(&endpoint(), &longer, QUOTAS, at, &nothing_told(&script)).await.unwrap(),
        Ok(Recorded::Yes)
    );
    let described = Endpoint { description: Some("mine".to_owned()), ..endpoint() };
    let none = Quotas { list_bytes: 0, webhooks: 0, ..QUOTAS };
    assert_eq!(
        table.change_endpoint(&endpoint(), &described, none, at, &nothing_told(&script)).await.unwrap(),
        Ok(Recorded::Yes)
    );
    let [longer, described]: [Vec<Value>; 2] = transactions(&script).try_into().unwrap();
    let update = &longer.last().unwrap()["Update"];
    assert_eq!(expression(update, "UpdateExpression"), "ADD webhooks 0, list_bytes 3, moves 1");
    assert_eq!(longer[0]["Put"]["Item"]["counted_bytes"], bytes() + 3);
    assert_eq!(described.len(), 1, "the webhook alone: {described:?}");
}

#[test]
fn a_row_that_cannot_be_read_gives_back_what_it_was_counted_with() {
    let row = |others: Value| serde_dynamo::to_item(others).unwrap();
    let shown = || serde_json::to_value(endpoint()).unwrap();
    let with = |name: &str, value: Value| {
        let mut shown = shown();
        shown[name] = value;
        row(shown)
    };
    assert_eq!(counted_bytes(&row(shown())), bytes());
    assert_eq!(counted_bytes(&with("dialect", json!("klingon"))), bytes(), "of a dialect that is no more");
    assert_eq!(counted_bytes(&with("counted_bytes", json!(77))), 77);
    assert_eq!(counted_bytes(&row(json!({"events": 7}))), 0, "as when it was counted first");
}
