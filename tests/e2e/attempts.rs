//! Deliveries that are tried very often: their rows stay small, and all attempts are shown, page by page.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::again::{act, deliver, outcomes};
use crate::support::api::text;
use crate::support::rows::{Row, ago, attempts_in, bytes_of, n, s};
use crate::support::{Gate, Receiver, Reply, SOON, Tenant, World, until};

/// Two units of a write.
const MOST_BYTES: usize = 2048;

/// A refusal with more of an answer than is kept.
fn wordy() -> Reply {
    Reply::Full(503, Vec::new(), "temporarily unavailable, ".repeat(60).into_bytes())
}

/// All attempts of a delivery, page by page, `limit` at a time where it says something.
async fn all_attempts(tenant: &Tenant, id: &str, limit: &str) -> (Vec<Value>, usize) {
    let (mut all, mut pages, mut query) = (Vec::new(), 0, limit.to_owned());
    loop {
        let page = tenant.api.get(&format!("/v1/deliveries/{id}?{query}")).await.ok(200);
        all.extend(page["attempts"].as_array().expect("attempts should be an array").clone());
        pages += 1;
        match page["pagination"]["next_cursor"].as_str() {
            Some(cursor) => query = format!("{limit}&cursor={cursor}"),
            None => return (all, pages),
        }
    }
}

fn numbers(attempts: &[Value]) -> Vec<u64> {
    attempts.iter().map(|attempt| attempt["number"].as_u64().expect("a number")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_stays_small_however_often_it_is_tried() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], wordy()).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    for round in 2..=9 {
        act(&tenant, &id, "retry").await.ok(202);
        tenant.settled(&id, "failed", round).await;
        let row = world.aws.rows.delivery(&id).await.expect("a row");
        let bytes = bytes_of(&row);
        assert!(bytes <= MOST_BYTES, "{bytes} bytes after {round} attempts");
    }
    let row = world.aws.rows.delivery(&id).await.expect("a row");
    let apart: usize = world.aws.rows.moved_of(&id).await.iter().map(attempts_in).sum();
    assert_eq!((n(apart), attempts_in(&row)), (row["moved"].clone(), 9 - apart));

    let (all, pages) = all_attempts(&tenant, &id, "limit=2").await;
    assert_eq!((numbers(&all), pages), ((1..=9).collect(), 5));
    assert!(all.iter().all(|attempt| attempt["url"] == receiver.url("/").as_str()), "each says where it went");
    let listed = tenant.deliveries(&webhook, "").await;
    assert_eq!(outcomes(&listed[0]), (1..=9).map(|number| (number, "status_503")).collect::<Vec<_>>());
    let event = text(&listed[0], "event_id");
    assert_eq!(tenant.api.get(&format!("/v1/events/{event}")).await.ok(200)["deliveries"][0]["attempts"], 9);
}

fn attempt(number: u64, mark: Option<&str>) -> AttributeValue {
    let text = |name: &str, value: String| (name.to_owned(), s(value));
    let mut fields: Row = [
        ("number".to_owned(), n(number)),
        text("at", ago(10_000 - i64::try_from(number).expect("small"))),
        ("duration_ms".to_owned(), n(7)),
        text("outcome", "status_500".to_owned()),
        ("status_code".to_owned(), n(500)),
        text("response_excerpt", "x".repeat(256)),
    ]
    .into();
    fields.extend(mark.map(|mark| ("mark".to_owned(), s(mark))));
    AttributeValue::M(fields)
}

/// As versions before this one kept them.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_has_grown_large_gets_small_and_shows_all_its_attempts() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    let rows = &world.aws.rows;
    let in_turn = (1..=130).map(|number| attempt(number, (number > 20).then(|| format!("mark{number:04}")).as_deref()));
    rows.set_delivery(&id, "attempts", AttributeValue::L(in_turn.collect())).await;
    rows.set_delivery(&id, "attempt", n(130)).await;
    for number in 140..150 {
        let mark = format!("mark{number:04}");
        rows.set_delivery(&id, &format!("late_{mark}"), attempt(number, Some(&mark))).await;
    }
    assert!(bytes_of(&rows.delivery(&id).await.expect("a row")) > 40_000);

    act(&tenant, &id, "retry").await.ok(202);
    let delivery = until("the retry to succeed", SOON, || async {
        let delivery = tenant.delivery(&id).await;
        if delivery["status"] == "succeeded" { Ok(delivery) } else { Err(delivery["status"].to_string()) }
    })
    .await;
    let row = rows.delivery(&id).await.expect("a row");
    assert!(bytes_of(&row) <= MOST_BYTES, "{} bytes", bytes_of(&row));
    let first = delivery["attempts"].as_array().expect("attempts").clone();
    assert_eq!((numbers(&first), &delivery["pagination"]["has_more"]), ((1..=100).collect(), &json!(true)));
    let (all, pages) = all_attempts(&tenant, &id, "").await;
    assert_eq!((numbers(&all), pages), ((1..=141).collect(), 2));
    assert_eq!((&all[140]["outcome"], &all[139]["outcome"]), (&json!("succeeded"), &json!("status_500")));
    assert!(delivery["delivered_at"].is_string());
    let listed = tenant.deliveries(&webhook, "").await.remove(0);
    assert_eq!(
        (outcomes(&listed).len(), &listed["pagination"]),
        (100, &delivery["pagination"]),
        "and where the others are"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn late_attempts_leave_the_row_too() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let receiver = Receiver::scripted(world.stack, vec![Reply::HeldAs(gate.clone(), 502); 8], wordy()).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []});
    let webhook = tenant.create(&body).await;
    let id = deliver(&tenant, &webhook).await;
    // Each round is called off while its attempt is out.
    for round in 1..=8 {
        receiver.wait_for(round, SOON).await;
        act(&tenant, &id, "cancel").await.ok(202);
        if round < 8 {
            act(&tenant, &id, "retry").await.ok(202);
        }
    }
    gate.open();
    until("eight late attempts", SOON, || async {
        let delivery = tenant.delivery(&id).await;
        if outcomes(&delivery).len() == 8 { Ok(()) } else { Err(delivery.to_string()) }
    })
    .await;
    act(&tenant, &id, "retry").await.ok(202);
    let delivery = tenant.settled(&id, "failed", 9).await;
    assert_eq!(outcomes(&delivery).last(), Some(&(9, "status_503")));
    let bytes = bytes_of(&world.aws.rows.delivery(&id).await.expect("a row"));
    assert!(bytes <= MOST_BYTES && !world.aws.rows.moved_of(&id).await.is_empty(), "{bytes} bytes");
}
