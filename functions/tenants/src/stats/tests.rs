//! What is counted, and whether it says so where that is not all.

use jiff::Timestamp;
use postrider_domain::delivery::Delivery;
use postrider_domain::id::{DeliveryId, EndpointId, EventId};
use replay::{Call, Said, Script, item, sample};
use serde_json::{Value, json};

use super::*;
use crate::handler::tests::{answered, path, script, tenant};

/// An AWS with so many undelivered rows of the tenant, all in one shard of the list, of each status in turn.
fn holding(rows: usize) -> Script {
    let statuses = [Status::Retrying, Status::Failed, Status::Failed, Status::Cancelled];
    let all: Vec<Delivery> = (0..rows)
        .map(|number| {
            let event = sample::event(tenant().id);
            let endpoint = EndpointId::new(Timestamp::UNIX_EPOCH, number as u64);
            let id = DeliveryId::new(Timestamp::UNIX_EPOCH, &endpoint, &EventId::fresh(1));
            let row = Delivery::pending(&event, endpoint, Timestamp::UNIX_EPOCH, 0);
            Delivery { id, status: statuses[number % statuses.len()], ..row }
        })
        .collect();
    let mut newest_first: Vec<Value> = all.iter().map(|row| json!({"id": row.id})).collect();
    newest_first.reverse();
    let first = format!("{}#0", &tenant().id.as_str()["ten_".len()..]);
    let page = move |asked: &Value| {
        let values = &asked["ExpressionAttributeValues"];
        let limit = usize::try_from(asked["Limit"].as_u64()?).ok()?;
        let after = values[":after"].as_str();
        let is_left = |row: &&Value| {
            values[":list"] == first.as_str() && after.is_none_or(|after| row["id"].as_str() < Some(after))
        };
        let left: Vec<&Value> = newest_first.iter().filter(is_left).collect();
        let mut body = json!({"Items": left.iter().take(limit).map(item).collect::<Vec<_>>()});
        if left.len() > limit {
            body["LastEvaluatedKey"] = item(left[limit - 1]);
        }
        Some(Said::body(body))
    };
    script().holding("deliveries", all.iter().map(|row| json!(row))).answering("Query", page)
}

async fn told(rows: usize) -> Value {
    let answer = answered(&holding(rows), Call::new("GET", &path("/stats"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

#[tokio::test]
async fn all_are_counted_by_status_as_far_as_one_call_reads() {
    let none = json!({"deliveries": {"retrying": 0, "failed": 0, "cancelled": 0}, "seen": 0, "complete": true});
    assert_eq!(told(0).await, none);
    let few = json!({"deliveries": {"retrying": 2, "failed": 3, "cancelled": 1}, "seen": 6, "complete": true});
    assert_eq!(told(6).await, few);
}

#[tokio::test]
async fn of_more_than_one_call_reads_it_says_that_these_are_not_all() {
    let told = told(MOST_COUNTED + 500).await;
    assert_eq!(told["complete"], false);
    let seen = told["seen"].as_u64().unwrap();
    let sum: u64 = told["deliveries"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert!(seen == sum && seen > 0 && seen <= MOST_COUNTED as u64, "{told}");
}
