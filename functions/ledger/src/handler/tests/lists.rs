//! What lists of deliveries can be asked for, by either path.

use super::*;
use postrider_domain::event::EventType;
use postrider_domain::id::{EventId, JobId};

fn list(query: &str) -> Call {
    Call::new("GET", "/v1/deliveries").by(&owner()).query(query)
}

fn of_the_webhook(query: &str) -> Call {
    Call::new("GET", &format!("/v1/webhooks/{}/deliveries", endpoint().id)).by(&owner()).query(query)
}

/// A delivery of an event of so many seconds after 1970, whose attempts came to these.
fn delivery(second: i64, status: Status, outcomes: &[&str]) -> Delivery {
    let at = Timestamp::from_second(second).unwrap();
    let attempt = |(number, outcome): (u32, &&str)| Attempt {
        outcome: (*outcome).to_owned(),
        ..Attempt::internal(number, Mark::new(number.into()), at + SignedDuration::from_secs(number.into()), "why")
    };
    let event = Event { timestamp: at, ..event() };
    let attempts: Vec<Attempt> = (1..).zip(outcomes).map(attempt).collect();
    Delivery { status, attempts, ..Delivery::pending(&event, endpoint().id, at, 0) }
}

fn shown(answer: &Answer) -> Vec<&str> {
    let rows = answer.body["deliveries"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn without_a_webhook_only_what_is_undelivered_can_be_asked_for() {
    for (query, status, code, field) in [
        ("", 422, "unprocessable", "status"),
        ("event=invoice.paid", 422, "unprocessable", "status"),
        ("status=pending", 422, "unprocessable", "status"),
        ("status=succeeded&outcome=succeeded", 422, "unprocessable", "status"),
        ("status=failed&since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", 422, "unprocessable", "since"),
        ("status=lost", 400, "invalid_request", "status"),
        ("status=", 400, "invalid_request", "status"),
        ("status=failed&outcome=lost", 400, "invalid_request", "outcome"),
        ("status=failed&outcome=status_42", 400, "invalid_request", "outcome"),
        ("status=failed&outcome=status_%3Ccode%3E", 400, "invalid_request", "outcome"),
        ("status=failed&event=no%20type", 400, "invalid_request", "event"),
        ("status=failed&until=yesterday", 400, "invalid_request", "until"),
        ("status=failed&cursor=nonsense", 400, "invalid_request", "cursor"),
        ("job_id=job_0000000000000001&status=failed", 400, "invalid_request", "status"),
        ("status=failed&webhook=wh_0000000000000001", 400, "invalid_request", "webhook"),
    ] {
        let answer = answered(&script(&[]), list(query)).await;
        let error = &answer.body["error"];
        assert_eq!(
            (answer.status, &error["code"], &error["details"]["field"]),
            (status, &json!(code), &json!(field)),
            "{query}"
        );
    }
    for query in ["webhook_id=wh_0000000000000009", "webhook_id=x", "webhook_id="] {
        let script = script(&[]).saying("Query", [Said::rows::<Delivery>(&[])]);
        assert_eq!(answered(&script, list(query)).await.status, 404, "{query}");
    }
}

#[tokio::test]
async fn both_ways_to_a_webhooks_deliveries_give_the_same() {
    let rows = [
        delivery(5, Status::Failed, &["reset", "status_500"]),
        delivery(4, Status::Succeeded, &["status_500", "succeeded"]),
        delivery(3, Status::Cancelled, &["status_500"]),
        delivery(2, Status::Pending, &[]),
        Delivery { delivered_at: Some(Timestamp::UNIX_EPOCH), ..delivery(1, Status::Failed, &["status_500"]) },
    ];
    for (query, expected, condition) in [
        ("limit=9", vec![5, 4, 3, 2, 1], None),
        ("status=succeeded", vec![4], Some(r#"status = "succeeded""#)),
        ("status=pending", vec![2], Some(r#"status = "pending""#)),
        (
            "status=undelivered",
            vec![5, 3],
            Some(r#"status IN ("retrying", "failed", "cancelled") AND attribute_not_exists(delivered_at)"#),
        ),
        ("outcome=status_500", vec![5, 3, 1], None),
        (
            "status=failed&event=invoice.paid&outcome=status_500",
            vec![5, 1],
            Some(r#"status = "failed" AND event = "invoice.paid""#),
        ),
        ("status=failed&outcome=reset", vec![], Some(r#"status = "failed""#)),
    ] {
        let expected: Vec<String> = expected.iter().map(|at| rows[5 - at].id.to_string()).collect();
        let mut bodies = Vec::new();
        for call in [of_the_webhook(query), list(&format!("{query}&webhook_id={}", endpoint().id))] {
            // The table says all: what it leaves out itself is left out here once more.
            let script = script(&[]).saying("Query", [Said::rows(&rows)]);
            let answer = answered(&script, call).await;
            assert_eq!(shown(&answer), expected, "{query}");
            let asked = script.asked("Query").remove(0);
            match condition {
                Some(condition) => assert_eq!(expression(&asked, "FilterExpression"), condition, "{query}"),
                None => assert_eq!(asked["FilterExpression"], Value::Null, "{query}"),
            }
            bodies.push(answer.body);
        }
        assert_eq!(bodies[0], bodies[1], "{query}");
    }
}

#[tokio::test]
async fn a_deleted_webhooks_deliveries_are_listed_by_either_way() {
    let deleted = Endpoint { deleted_at: Some(Timestamp::UNIX_EPOCH), ..endpoint() };
    for call in [of_the_webhook("status=undelivered"), list(&format!("webhook_id={}", endpoint().id))] {
        let script = with(&deleted, &[]).saying("Query", [Said::rows(&[delivery(1, Status::Failed, &["reset"])])]);
        assert_eq!(shown(&answered(&script, call).await).len(), 1);
    }
}

#[tokio::test]
async fn a_cursor_leads_nowhere_outside_of_what_is_asked_for() {
    let cursor = |id: &DeliveryId| postrider_api::Cursor::write(id.as_str());
    let elsewhere = DeliveryId::new(Timestamp::UNIX_EPOCH, &EndpointId::new(Timestamp::UNIX_EPOCH, 9), &event().id);
    let (early, job) = (delivery(1, Status::Failed, &[]).id, JobId::short(Timestamp::UNIX_EPOCH, 1));
    let webhook = endpoint().id;
    for query in [
        format!("webhook_id={webhook}&cursor={}", cursor(&elsewhere)),
        format!("webhook_id={webhook}&since=1970-01-01T00:00:02Z&cursor={}", cursor(&early)),
        format!("status=failed&since=1970-01-01T00:00:02Z&cursor={}", cursor(&early)),
        format!("status=failed&until=1970-01-01T00:00:01Z&cursor={}", cursor(&early)),
        format!("status=failed&cursor={}", postrider_api::Cursor::write(job.as_str())),
    ] {
        let answer = answered(&script(&[]), list(&query)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("cursor")), "{query}");
    }
}

#[tokio::test]
async fn a_tenants_list_has_jobs_deliveries_and_is_held_to_all_of_its_filter() {
    let job = JobId::short(Timestamp::UNIX_EPOCH, 1);
    let jobs = EndpointId::of_jobs(&owner().tenant_id());
    let of_a_job = |second: i64, outcome: &str| {
        let row = delivery(second, Status::Failed, &[outcome]);
        let event_id = EventId::fresh(u128::from(second.unsigned_abs()));
        let id = DeliveryId::new(row.created_at, &jobs, &event_id);
        Delivery {
            id,
            endpoint_id: jobs.clone(),
            event_id,
            job_id: Some(job.clone()),
            event_type: EventType::kept("job.completed").unwrap(),
            ..row
        }
    };
    let rows = [of_a_job(9, "status_500"), of_a_job(8, "timed_out"), delivery(7, Status::Failed, &["status_500"])];
    let keys: Vec<Value> = rows.iter().map(|row| json!({"endpoint_id": row.endpoint_id, "id": row.id})).collect();
    let script = script(&rows)
        .holding("jobs", [])
        .saying_about("Query", "0000000000000001#0", [Said::rows(&keys)])
        .saying("Query", repeat_with(|| Said::rows::<Value>(&[])));
    let query = "status=undelivered&event=job.completed&outcome=status_500&since=1970-01-01T00:00:01Z&until=1970-01-02T00:00:00Z";
    let answer = answered(&script, list(query)).await;
    assert_eq!(shown(&answer), [rows[0].id.as_str()], "{answer:?}");
    let row = &answer.body["deliveries"][0];
    assert_eq!((&row["job_id"], &row["webhook_id"]), (&json!(job), &Value::Null));
    for asked in script.asked("Query") {
        assert_eq!(asked["IndexName"], "undelivered");
        let condition = expression(&asked, "KeyConditionExpression");
        assert!(condition.contains(" AND id BETWEEN "), "{condition}");
    }
}
