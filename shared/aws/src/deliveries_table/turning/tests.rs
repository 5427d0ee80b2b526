//! Whatever is asked for, a walk gives each such row once and in order, and no call looks at more than it may.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_domain::attempt::{Attempt, Mark};
use postrider_domain::delivery::Status;
use postrider_domain::event::Event;
use postrider_domain::id::EventId;
use replay::{Said, Script};
use serde_json::{Value, json};

use super::*;
use crate::{sample, sdk};

const STANDS: [Status; 5] = [Status::Pending, Status::Retrying, Status::Succeeded, Status::Failed, Status::Cancelled];

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

fn endpoint() -> EndpointId {
    EndpointId::new(at(0), 7)
}

fn attempt(number: u32, outcome: &str) -> Attempt {
    let attempt = Attempt::internal(number, Mark::new(number.into()), at(i64::from(number) * 1000), "why");
    Attempt { outcome: outcome.to_owned(), ..attempt }
}

/// A delivery a millisecond after the one before: in turn of every status, of two types, and every third of them timed out last.
fn row(number: i64) -> Delivery {
    let event_type = if number % 2 == 0 { "invoice.paid" } else { "invoice.void" }.parse().unwrap();
    let event = Event {
        id: EventId::fresh(number.unsigned_abs().into()),
        event_type,
        timestamp: at(number),
        ..sample::event()
    };
    let status = STANDS[usize::try_from(number).unwrap() % STANDS.len()];
    let last = if number % 3 == 0 { "timed_out" } else { "status_500" };
    let attempts = if status == Status::Pending { Vec::new() } else { vec![attempt(1, "reset"), attempt(2, last)] };
    Delivery { status, attempts, ..Delivery::pending(&event, endpoint(), at(number), 0) }
}

/// DynamoDB with these rows of one endpoint, and what has moved from some, which looks at no filter.
fn holding(rows: &[Delivery], moved: BTreeMap<String, Value>) -> Script {
    let rows: BTreeMap<String, Delivery> = rows.iter().map(|row| (row.id.to_string(), row.clone())).collect();
    Script::default().answering("Query", move |asked: &Value| {
        let values = &asked["ExpressionAttributeValues"];
        if let Some(delivery) = values[":delivery"].as_str() {
            assert_eq!(
                (&asked["ScanIndexForward"], &asked["Limit"]),
                (&json!(false), &json!(1)),
                "the last of them alone"
            );
            return Some(Said::rows(&[moved.get(delivery)?]));
        }
        let before = asked["ExclusiveStartKey"]["id"].as_str().or(values[":upper"].as_str())?.to_owned();
        let lower = values[":lower"].as_str()?.to_owned();
        let limit = usize::try_from(asked["Limit"].as_u64()?).ok()?;
        let read: Vec<Value> = rows.range(lower..before).rev().take(limit).map(|(_, row)| replay::item(row)).collect();
        let mut body = json!({"Items": read});
        if let Some(last) = read.get(limit - 1) {
            body["LastEvaluatedKey"] = json!({"endpoint_id": last["endpoint_id"], "id": last["id"]});
        }
        Some(Said::body(body))
    })
}

fn table(script: &Script) -> DeliveriesTable {
    DeliveriesTable::of(&script.sdk(sdk::over), "deliveries")
}

async fn walk(table: &DeliveriesTable, filter: &Filter, limit: i32) -> Vec<Vec<DeliveryId>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = table.list(&endpoint(), filter, limit, after.as_ref()).await.unwrap();
        pages.push(page.rows.into_iter().map(|row| row.id).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

fn filters() -> Vec<Filter> {
    let all = Filter::default();
    let standing = |standing| Filter { standing: Some(standing), ..Filter::default() };
    let event = Some("invoice.paid".parse().unwrap());
    let outcome = Some("timed_out".to_owned());
    vec![
        all.clone(),
        standing(Standing::As(Status::Succeeded)),
        standing(Standing::Undelivered),
        Filter { event: event.clone(), ..all.clone() },
        Filter { outcome: outcome.clone(), ..all.clone() },
        Filter { since: Some(at(100)), until: Some(at(400)), ..standing(Standing::Undelivered) },
        Filter { since: Some(at(3)), until: Some(at(470)), event, outcome, ..standing(Standing::As(Status::Failed)) },
        Filter { outcome: Some("blocked".to_owned()), ..all },
    ]
}

#[tokio::test]
async fn a_walk_gives_each_row_that_is_asked_for_once_and_newest_first() {
    let rows: Vec<Delivery> = (0..500).map(row).collect();
    let table = table(&holding(&rows, BTreeMap::new()));
    for filter in filters() {
        let asked_for = |row: &&Delivery| {
            filter.takes(row)
                && filter.since.is_none_or(|since| row.created_at >= since)
                && filter.until.is_none_or(|until| row.created_at < until)
        };
        let expected: Vec<DeliveryId> = rows.iter().rev().filter(asked_for).map(|row| row.id.clone()).collect();
        for limit in [3, 50, 200] {
            let pages = walk(&table, &filter, limit).await;
            assert!(pages.iter().all(|page| page.len() <= usize::try_from(limit).unwrap()), "{filter:?}, {limit}");
            assert_eq!(pages.concat(), expected, "{filter:?}, {limit}");
        }
    }
}

#[tokio::test]
async fn an_unlucky_filter_looks_at_a_thousand_rows_and_then_answers_with_none() {
    let rows: Vec<Delivery> = (0..3_000).map(row).collect();
    let script = holding(&rows, BTreeMap::new());
    let nothing = Filter { outcome: Some("blocked".to_owned()), ..Filter::default() };
    for limit in [1, 50, 200] {
        let before = script.asked("Query").len();
        let page = table(&script).list(&endpoint(), &nothing, limit, None).await.unwrap();
        let looks: Vec<u64> =
            script.asked("Query").split_off(before).iter().filter_map(|query| query["Limit"].as_u64()).collect();
        assert_eq!((page.rows.len(), looks.iter().sum::<u64>()), (0, 1_000), "limit {limit}: {looks:?}");
        assert!(looks.len() <= 6, "{looks:?}");
        assert_eq!(page.next.as_ref(), Some(&rows[2_000].id), "and the next page goes on from there");
    }
    // What asks for all reads no more than it shows.
    let before = script.asked("Query").len();
    let page = table(&script).list(&endpoint(), &Filter::default(), 7, None).await.unwrap();
    let asked = script.asked("Query").split_off(before);
    assert_eq!((page.rows.len(), asked.len(), &asked[0]["Limit"]), (7, 1, &json!(7)));
}

#[tokio::test]
async fn the_last_attempt_is_known_also_where_it_has_left_its_row() {
    let gone = Delivery { attempts: Vec::new(), moved: 2, status: Status::Retrying, ..row(1) };
    let tried = Delivery { moved: 2, ..row(3) };
    let latest = json!({
        "endpoint_id": gone.id, "id": "2026-01-15T12:00:00.000Z#000000", "tenant_id": gone.tenant_id,
        "attempts": [attempt(1, "reset"), attempt(2, "connect_refused")], "expires_at": 0,
    });
    let script = holding(&[gone.clone(), tried], BTreeMap::from([(gone.id.to_string(), latest)]));
    let of = |outcome: &str| Filter { outcome: Some(outcome.to_owned()), ..Filter::default() };
    assert_eq!(walk(&table(&script), &of("connect_refused"), 50).await, [vec![gone.id]]);
    assert_eq!(walk(&table(&script), &of("reset"), 50).await, [Vec::new()], "it is not the last");
    let moved = script.asked("Query").into_iter().filter(|asked| asked.to_string().contains(":delivery")).count();
    assert_eq!(moved, 2, "once a walk, and not for what has its last attempt in its row");
}
