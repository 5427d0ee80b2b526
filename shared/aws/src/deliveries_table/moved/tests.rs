//! What leaves a row, and when; what becomes of it where somebody was there before, and where it cannot be put.

use std::collections::BTreeMap;
use std::iter::repeat_with;

use jiff::Timestamp;
use postrider_domain::attempt::Outcome;
use postrider_domain::delivery::{AROUND_BYTES, Status, Transition};
use postrider_domain::event::Event;
use postrider_domain::id::{CancellationId, EndpointId, EventId, RecoveryId};
use postrider_host::deadline::{Waiting, at_most, within};
use replay::{Said, Script, expression};
use serde_json::{Value, json};

use super::*;
use crate::item_size::size_of;
use crate::{Recorded, sample, sdk};

const UNIT: usize = 1024;

fn table(script: &Script) -> DeliveriesTable {
    DeliveriesTable::of(&script.sdk(sdk::over), "deliveries")
}

fn second(second: u32) -> Timestamp {
    Timestamp::from_second(second.into()).unwrap()
}

/// A failure with so much of its answer.
fn failed(number: u32, excerpt: usize) -> Attempt {
    let outcome = Outcome::Responded { status: 503, retry_after: None };
    let attempt = Attempt::internal(number, Mark::new(number.into()), second(number), "");
    let response_excerpt = Some("x".repeat(excerpt)).filter(|text| !text.is_empty());
    Attempt { outcome: outcome.code(), status_code: Some(503), error: None, response_excerpt, ..attempt }
}

/// A delivery with so many failures behind it, all in its row.
fn tried(attempts: u32, excerpt: usize) -> Delivery {
    let row = Delivery::pending(&sample::event(), EndpointId::new(second(0), 2), second(0), 90);
    let attempts_made = attempts;
    let attempts = (1..=attempts).map(|number| failed(number, excerpt)).collect();
    Delivery { status: Status::Retrying, attempts_made, attempts, ..row }
}

fn retrying() -> Transition {
    let at = Some(second(1000));
    Transition {
        status: Status::Retrying,
        reason: None,
        next_attempt_at: at,
        waits_until: None,
        internal: 0,
        probes: 0,
        disable_endpoint: false,
    }
}

/// The next record of a row, and what AWS was asked for it.
async fn recorded(script: &Script, row: &Delivery) -> Recorded {
    table(script).record(row, &failed(row.next_attempt(), 256), &retrying()).await.unwrap()
}

fn numbers(attempts: &Value) -> Vec<u64> {
    attempts.as_array().unwrap().iter().map(|attempt| attempt["number"].as_u64().unwrap()).collect()
}

fn values(update: &Value) -> &Value {
    &update["ExpressionAttributeValues"]
}

/// A row that lies there already.
fn lying(row: &Delivery, attempts: &[Attempt]) -> Value {
    let id = name_of(row, row.moved);
    json!({"endpoint_id": row.id, "id": id, "tenant_id": row.tenant_id, "attempts": attempts, "expires_at": 90})
}

#[tokio::test]
async fn a_row_with_room_costs_no_further_call() {
    for row in [tried(0, 0), tried(1, 256), tried(2, 256)] {
        let script = Script::new([Said::done()]);
        assert_eq!(recorded(&script, &row).await, Recorded::Yes);
        assert_eq!(script.operations(), ["UpdateItem"]);
    }
}

#[tokio::test]
async fn what_a_row_has_no_room_for_is_put_first_and_leaves_with_the_record() {
    let row = tried(5, 256);
    let script = Script::new([Said::done(), Said::done()]);
    assert_eq!(recorded(&script, &row).await, Recorded::Yes);
    assert_eq!(script.operations(), ["PutItem", "UpdateItem"]);
    let put = script.asked("PutItem").remove(0);
    assert_eq!(put["ConditionExpression"], "attribute_not_exists(id)", "what lies there is never changed");
    let item = &put["Item"];
    assert_eq!((&item["endpoint_id"], &item["id"]), (&json!(row.id), &json!("1970-01-01T00:00:00.000Z#000000")));
    assert_eq!((&item["tenant_id"], &item["expires_at"]), (&json!(row.tenant_id), &json!(90)));
    let gone = numbers(&item["attempts"]);
    let update = script.asked("UpdateItem").remove(0);
    let stays = numbers(&values(&update)[":attempts"]);
    assert_eq!([gone.clone(), stays].concat(), [1, 2, 3, 4, 5, 6], "each lies in one place");
    assert_eq!(values(&update)[":moved"], gone.len());
    let change = expression(&update, "UpdateExpression");
    assert!(change.contains("attempt = 6, attempts = :attempts, moved = "), "{change}");
    assert!(expression(&update, "ConditionExpression").starts_with("attempt = 5 AND round_from = 1"), "as it was read");
}

#[tokio::test]
async fn late_ones_leave_with_a_round_and_a_success_leaves_its_time() {
    let taken = Attempt { outcome: "succeeded".to_owned(), ..failed(1, 0) };
    let late = (11..20).map(|number| failed(number, 256)).collect();
    let row = Delivery { attempts: vec![taken], late, status: Status::Succeeded, ..tried(1, 0) };
    let script = Script::new([Said::done(), Said::done()]);
    let after = row.in_new_round(second(30));
    let begun = async { table(&script).begin_round(&row, &after, &Mark::new(7)).await };
    // As within a request, whose first write wants some seconds for its answer.
    let until = Timestamp::now().as_millisecond() + 14_000;
    let begun = within(until.try_into().unwrap(), Waiting::Caller, begun).await;
    assert_eq!(begun.unwrap(), Recorded::Yes);
    let gone = numbers(&script.asked("PutItem")[0]["Item"]["attempts"]);
    assert_eq!(gone[..3], [1, 11, 12]);
    let update = script.asked("UpdateItem").remove(0);
    let change = expression(&update, "UpdateExpression");
    assert!(change.contains("attempts = :attempts, moved = ") && values(&update)[":attempts"] == json!([]), "{change}");
    assert_eq!(change.matches("late_").count(), gone.len() - 1, "{change}");
    assert!(change.contains(&format!(", {}", row::late_name(&Mark::new(11)))), "{change}");
    assert_eq!(change.matches(r#"delivered_at = "1970-01-01T00:00:01.000Z""#).count(), 1, "{change}");
}

#[tokio::test]
async fn what_lies_there_already_is_taken_for_ones_own() {
    let row = tried(5, 256);
    // Whoever put it knew of a late one that came after our read.
    let theirs = [failed(1, 256), failed(2, 256), failed(77, 256)];
    let script = Script::new([Said::refused(&lying(&row, &theirs)), Said::done()]);
    assert_eq!(recorded(&script, &row).await, Recorded::Yes);
    let update = script.asked("UpdateItem").remove(0);
    assert_eq!((numbers(&values(&update)[":attempts"]), &values(&update)[":moved"]), (vec![3, 4, 5, 6], &json!(3)));
    let change = expression(&update, "UpdateExpression");
    assert!(change.contains(&row::late_name(&Mark::new(77))), "it leaves the row, too: {change}");
}

#[tokio::test(start_paused = true)]
async fn a_record_is_made_also_where_nothing_can_move() {
    let row = tried(5, 256);
    let nonsense = Said::refused(&json!({"endpoint_id": row.id, "id": "x", "attempts": "none"}));
    for answers in [vec![nonsense], vec![Said::lost(), Said::lost(), Said::lost()]] {
        let script = Script::default().saying("PutItem", answers).saying("UpdateItem", [Said::done()]);
        assert_eq!(recorded(&script, &row).await, Recorded::Yes);
        let update = script.asked("UpdateItem").remove(0);
        assert!(expression(&update, "UpdateExpression").contains("list_append"), "the row grows");
    }
    // Nor does a put that hangs take the record's time.
    let script = Script::default().saying("PutItem", repeat_with(|| Said::done().after(3600)));
    let script = script.saying("UpdateItem", [Said::done()]);
    let time = std::time::Duration::from_secs(10);
    assert_eq!(at_most(time, recorded(&script, &row)).await, Recorded::Yes);
}

#[tokio::test]
async fn a_record_that_is_refused_was_made_where_its_mark_has_moved() {
    let row = tried(1, 0);
    let gone_on = Delivery { attempts: vec![failed(9, 0)], attempts_made: 9, moved: 4, ..row.clone() };
    let refused = |moved: &[Attempt]| {
        Script::default()
            .saying("UpdateItem", [Said::refused(&gone_on)])
            .saying("Query", [Said::rows(&[lying(&row, moved)])])
    };
    let script = refused(&[failed(1, 0), failed(2, 0)]);
    assert_eq!(recorded(&script, &row).await, Recorded::Yes);
    let query = script.asked("Query").remove(0);
    let names = ["1970-01-01T00:00:00.000Z#000000", "1970-01-01T00:00:00.000Z#000003"];
    assert_eq!((&values(&query)[":from"], &values(&query)[":to"]), (&json!(names[0]), &json!(names[1])));
    assert_eq!(query["ConsistentRead"], true);
    assert_eq!(recorded(&refused(&[failed(1, 0)]), &row).await, Recorded::Overtaken);
}

#[tokio::test]
async fn a_late_attempt_is_written_once_also_where_it_has_moved() {
    let (row, late) = (tried(1, 0), failed(2, 0));
    let gone_on = Delivery { moved: 4, attempts_made: 9, ..row.clone() };
    let script = |moved: &[Attempt], then: Vec<Said>| {
        let refused = std::iter::once(Said::refused(&gone_on)).chain(then);
        Script::default()
            .saying("UpdateItem", refused.collect::<Vec<_>>())
            .saying("Query", [Said::rows(&[lying(&row, moved)])])
    };
    let found = script(std::slice::from_ref(&late), vec![]);
    assert_eq!(table(&found).record_late(&row, &late).await.unwrap(), Recorded::Yes);
    assert_eq!(found.asked("UpdateItem").len(), 1);
    let new = script(&[failed(3, 0)], vec![Said::done()]);
    assert_eq!(table(&new).record_late(&row, &late).await.unwrap(), Recorded::Yes);
    let conditions: Vec<_> = new.asked("UpdateItem").iter().map(|one| expression(one, "ConditionExpression")).collect();
    assert!(
        conditions[0].contains("attribute_not_exists(moved)") && conditions[1].contains("moved = 4"),
        "{conditions:?}"
    );
    let twice = Script::new([Said::refused(&json!({"id": row.id, row::late_name(&Mark::new(2)): {}}))]);
    assert_eq!(table(&twice).record_late(&row, &late).await.unwrap(), Recorded::Yes, "the first try was made");
}

#[tokio::test]
async fn those_that_have_moved_are_read_along_where_there_are_any() {
    let plain = table(&Script::default()).with_earlier(tried(3, 0)).await.unwrap();
    assert!(plain.earlier.is_empty(), "and no call is made where there are none");
    let row = Delivery { moved: 3, attempts: vec![failed(4, 0)], ..tried(4, 0) };
    let first = json!({"Items": [replay::item(&lying(&row, &[failed(1, 0), failed(3, 0)]))], "LastEvaluatedKey": {"id": {"S": "x"}}});
    let second = Said::rows(&[lying(&row, &[failed(2, 0)])]);
    let script = Script::new([Said::body(first), second]);
    let whole = table(&script).with_earlier(row).await.unwrap();
    assert_eq!(whole.history().iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

/// What DynamoDB would bill for a put of this item, or an update of a row that is so large.
fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT)
}

fn typed(item: &Value) -> Item {
    serde_dynamo::to_item(item).unwrap()
}

/// An AWS that takes everything.
fn taking() -> Script {
    Script::default().saying("PutItem", repeat_with(Said::done)).saying("UpdateItem", repeat_with(Said::done))
}

/// A row as a record leaves it, how large it is then, and what was put beside it.
async fn after(
    (script, table): (&Script, &DeliveriesTable),
    row: &Delivery,
    attempt: &Attempt,
) -> (Delivery, usize, Vec<usize>) {
    let before = script.asked("PutItem").len();
    table.record(row, attempt, &retrying()).await.unwrap();
    let puts: Vec<_> = script.asked("PutItem").into_iter().skip(before).map(|put| typed(&put["Item"])).collect();
    let moved: Vec<Attempt> = puts.iter().flat_map(|put| from_item::<Moved>(put.clone()).unwrap().attempts).collect();
    let mut after = row.without(&moved);
    after.attempts.push(attempt.clone());
    after.attempts_made += 1;
    let update = script.asked("UpdateItem").pop().unwrap();
    let expression = update["UpdateExpression"].as_str().unwrap();
    assert!(expression.len() < 4096, "DynamoDB takes no longer one");
    let bytes = row::largest(&after).unwrap();
    (after, bytes, puts.iter().map(size_of).collect())
}

#[tokio::test]
async fn a_retry_costs_two_units_whatever_came_before() {
    for excerpt in [36, 256] {
        let (script, mut row, mut moves, mut told) = (taking(), tried(0, 0), 0, Vec::new());
        let table = table(&script);
        for number in 1..=180 {
            let (next, bytes, puts) = after((&script, &table), &row, &failed(number, excerpt)).await;
            let put: usize = puts.into_iter().map(units).sum();
            assert!(
                bytes <= ROW_BYTES && put <= 1,
                "attempt {number} of {excerpt}: {bytes} bytes, {put} units to move"
            );
            moves += put;
            if [1, 20, 60, 180].contains(&number) {
                told.push((number, units(bytes), moves));
            }
            row = next;
        }
        assert!(told.iter().all(|(_, units, _)| *units <= 2), "{told:?}");
        assert!(moves * 2 <= 180, "a move is a unit for two attempts or more: {moves} for answers of {excerpt} bytes");
        assert_eq!(row.attempts_on_record(), 180);
    }
}

/// As a web server answers, and the most that is kept of any.
fn headers() -> [BTreeMap<String, String>; 3] {
    let usual = [
        ("content-type", "text/html; charset=utf-8"),
        ("date", "Thu, 15 Jan 2026 14:30:00 GMT"),
        ("server", "nginx/1.27.3"),
        ("x-request-id", "3f0c9a7e-1b3d-4f7a-9c1e-3b5d7f9a1c3e"),
    ];
    let usual = usual.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let most = (0..8).map(|number| (format!("x-{number:06}"), "x".repeat(56))).collect();
    [BTreeMap::new(), usual, most]
}

#[tokio::test]
async fn an_answers_headers_cost_about_half_a_unit_for_each_failure() {
    let mut told = Vec::new();
    for response_headers in headers() {
        let failed = |number| Attempt { response_headers: response_headers.clone(), ..failed(number, 256) };
        let (script, mut row, mut written) = (taking(), tried(0, 0), Vec::new());
        let table = table(&script);
        for number in 1..=20 {
            let (next, bytes, puts) = after((&script, &table), &row, &failed(number)).await;
            written.push(units(bytes) + puts.into_iter().map(units).sum::<usize>());
            assert!(bytes <= ROW_BYTES, "attempt {number}: {bytes} bytes");
            row = next;
        }
        let with_headers = row.attempts.iter().filter(|attempt| !attempt.response_headers.is_empty()).count();
        assert!(response_headers.is_empty() || with_headers == row.attempts.len(), "those in the row keep them");
        told.push((written[0], written.iter().sum::<usize>()));
    }
    // Of the first failure, and of twenty: that is what docs/performance.md says.
    assert_eq!(told, [(1, 47), (1, 56), (2, 59)]);
}

#[tokio::test]
async fn what_has_moved_has_no_headers_any_more() {
    let script = taking();
    let headers = headers()[1].clone();
    let failed = |number| Attempt { response_headers: headers.clone(), ..failed(number, 256) };
    let row = Delivery { attempts: (1..=6).map(failed).collect(), ..tried(6, 0) };
    let (after, ..) = after((&script, &table(&script)), &row, &failed(7)).await;
    let moved = script.asked("PutItem").remove(0);
    assert!(moved.to_string().contains("x".repeat(256).as_str()) && !moved.to_string().contains("nginx"), "{moved}");
    assert!(after.attempts.iter().all(|attempt| attempt.response_headers == headers));
}

#[tokio::test]
async fn a_row_of_an_earlier_version_gets_rid_of_all_that_it_holds() {
    let late = (300..399).map(|number| failed(number, 256)).collect();
    let mut row = Delivery { late, ..tried(180, 1024) };
    let before = row::largest(&row).unwrap();
    assert!(before > 200 * UNIT, "{before}");
    let (script, mut writes, mut largest) = (taking(), 0, before);
    let table = table(&script);
    while largest > ROW_BYTES {
        let (next, bytes, puts) = after((&script, &table), &row, &failed(200 + writes, 256)).await;
        assert!(puts.iter().all(|put| *put <= 17 * UNIT), "{puts:?}");
        (row, largest, writes) = (next, bytes, writes + 1);
    }
    assert!(writes <= 2, "{writes} records");
    assert_eq!(row.attempts_on_record(), 279 + writes as usize);
}

#[test]
fn the_longest_row_has_room_for_the_longest_attempt() {
    let at = second(1_800_000_000);
    let event = Event {
        id: format!("evt_{}", "x".repeat(64)).parse::<EventId>().unwrap(),
        event_type: "x".repeat(128).parse().unwrap(),
        ..sample::event()
    };
    let row = Delivery::pending(&event, EndpointId::new(at, u64::MAX), at, 1_800_000_000);
    let longest =
        Attempt { redirect_to: Some("x".repeat(256)), url_version: 100, duration_ms: 29_999, ..failed(199, 256) };
    let row = Delivery {
        job_id: Some("0f8fad5b-d9cb-469f-a165-70867728950e".parse().unwrap()),
        attempts: vec![longest],
        attempts_made: 199,
        round: 99,
        round_from: 189,
        internal: 3,
        delivered_at: Some(at),
        recovered_by: Some(RecoveryId::new(at, u64::MAX)),
        asked_at: Some(at),
        called_off_by: Some(CancellationId::new(at, u64::MAX)),
        ..row
    };
    let bytes = row::largest(&row).unwrap();
    assert!(bytes <= ROW_BYTES, "{bytes}");
    // With the most headers it is a unit more, until the next attempt has them move.
    let attempts = row.attempts.iter().map(|one| Attempt { response_headers: headers()[2].clone(), ..one.clone() });
    let bytes = row::largest(&Delivery { attempts: attempts.collect(), ..row.clone() }).unwrap();
    assert!(bytes <= ROW_BYTES + UNIT, "{bytes}");
    let around = Moved {
        delivery: row.id.clone(),
        id: name_of(&row, 199),
        tenant_id: row.tenant_id.clone(),
        attempts: Vec::new(),
        expires_at: row.expires_at,
    };
    let around = size_of(&to_item(&around).unwrap());
    assert!(around <= AROUND_BYTES, "{around}");
}

#[test]
fn a_late_attributes_name_is_as_long_as_is_said() {
    assert_eq!(row::late_name(&Mark::new(1)).len(), row::LATE_NAME_BYTES);
}
