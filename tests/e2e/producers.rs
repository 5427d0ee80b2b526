//! A producer that writes the event's row in its own DynamoDB transaction: what it did and the webhook that tells of it
//! are one, and what it wrote is checked as strictly as what comes by HTTP.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::openssl::hmac_sha256;
use crate::support::rows::{Row, ago, event_row, n, s};
use crate::support::time::instant;
use crate::support::{Receiver, SOON, World, canary, until};

const SECRET: &str = "whsec_your_signing_secret";

fn own_row(id: &str) -> Row {
    [("id".to_owned(), s(id)), ("status".to_owned(), s("paid"))].into()
}

/// `evt_` and twenty letters or digits, the tenant's own among them.
fn event_id(tenant: &str, mark: &str) -> String {
    let own: String = tenant.trim_start_matches("ten_").chars().rev().take(20 - mark.len()).collect();
    format!("evt_{mark}{own:0>width$}", width = 20 - mark.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_the_producers_own_transaction_arrives_signed() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "secret": SECRET})).await;
    let table = format!("orders-{}", tenant.id.trim_start_matches("ten_"));
    let rows = &world.aws.rows;
    rows.make_table(&table).await;
    let id = event_id(&tenant.id, "P");
    let data = concat!(r#"{"z": 1.0, "title": "é 🙂", "private": ""#, canary!("data"), r#""}"#);
    assert!(rows.put_both(&table, own_row("order 1"), event_row(&tenant.id, &id, "dubbing.completed", data)).await);
    let received = receiver.only(SOON).await;
    assert_eq!(received.event_id(), id);
    assert!(received.text().contains(data), "the producer's very text: {}", received.text());
    let signature = format!("sha256={}", hmac_sha256(SECRET, &received.body));
    assert_eq!(received.header("X-Nur-Signature"), Some(signature.as_str()));
    let delivery = tenant.delivery_of(&id, &webhook).await;
    tenant.settled(&delivery, "succeeded", 1).await;

    // The same id again is refused as a whole; a transaction that fails for the producer's own reason tells nobody.
    assert!(!rows.put_both(&table, own_row("order 2"), event_row(&tenant.id, &id, "dubbing.completed", "{}")).await);
    let other = event_id(&tenant.id, "Q");
    assert!(!rows.put_both(&table, own_row("order 1"), event_row(&tenant.id, &other, "dubbing.completed", "{}")).await);
    assert!(
        rows.put_both(&table, own_row("order 2"), event_row(&tenant.id, &other, "dubbing.completed", "{}")).await,
        "neither had stayed"
    );
    let received = receiver.wait_for(2, SOON).await;
    assert_eq!(received.len(), 2);
    assert_eq!(received[1].event_id(), other);
    rows.drop_table(&table).await;
}

fn with(row: &Row, name: &str, value: Option<AttributeValue>) -> Row {
    let mut row = row.clone();
    match value {
        Some(value) => row.insert(name.to_owned(), value),
        None => row.remove(name),
    };
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_no_event_waits_in_quarantine_with_its_reason() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let good = |mark: &str| event_row(&tenant.id, &event_id(&tenant.id, mark), "dubbing.completed", "{}");
    let deep = format!("{}1{}", r#"{"a":"#.repeat(70), "}".repeat(70));
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(300 * 1024));
    for (mark, reason, name, value) in [
        ("a", "data", "data", Some(s("{no JSON"))),
        ("b", "data", "data", Some(s("[1]"))),
        ("c", "data", "data", Some(s(r#"{"a":1,"a":2}"#))),
        ("d", "data", "data", Some(s(deep))),
        ("e", "data", "data", Some(s(large))),
        ("f", "data", "data", Some(AttributeValue::M([("a".to_owned(), n(1))].into()))),
        ("g", "data", "data", None),
        ("h", "event", "event", Some(s("Not a type"))),
        ("i", "event", "event", None),
        ("3", "event type", "event", Some(s("unheard~of"))),
        ("4", "`tags`", "tags", Some(s("{}"))),
        ("5", "`tags.a b`", "tags", Some(AttributeValue::M([("a b".to_owned(), s("v"))].into()))),
        ("j", "timestamp", "timestamp", Some(s("yesterday"))),
        ("k", "timestamp", "timestamp", None),
        ("l", "expires_at", "expires_at", None),
        ("m", "expires_at", "expires_at", Some(s("soon"))),
        ("r", "`timestamp`", "timestamp", Some(s(ago(-3 * 86_400)))),
        ("s", "`timestamp`", "timestamp", Some(s(ago(2 * 86_400)))),
        ("t", "`timestamp`", "timestamp", Some(s("2026-01-15T14:30:00"))),
        ("u", "`timestamp`", "timestamp", Some(n(1_768_487_400))),
        ("v", "`expires_at`", "expires_at", Some(n("4102444800.5"))),
        ("w", "`expires_at`", "expires_at", Some(n("4102444800000"))),
        ("x", "`expires_at`", "expires_at", Some(n(1))),
        ("y", "`expires_at`", "expires_at", Some(s("4102444800"))),
        ("z", "`expires_at`", "expires_at", Some(n(days_from_now(4)))),
        ("0", "`expires_at`", "expires_at", Some(n(days_from_now(29)))),
        ("1", "`timestamp`", "timestamp", Some(s("9999-12-31T23:59:59Z"))),
        ("2", "`timestamp`", "timestamp", Some(s("2026-01-15T14:30:00.1234567891Z"))),
        ("o", "Postrider's own", "event", Some(s("webhook.disabled"))),
        ("p", "Postrider's own", "job_id", Some(s("job_0000000000000000"))),
        ("q", "Postrider's own", "announce", Some(s("job_created"))),
    ] {
        let row = with(&good(mark), name, value);
        let id = event_id(&tenant.id, mark);
        world.aws.rows.put_event(row).await;
        let note = until(&format!("a note about {mark}"), SOON, || async {
            world.aws.take(&world.stack.queues.quarantine, &id).await.ok_or_else(|| "none".to_owned())
        })
        .await;
        let note: Value = serde_json::from_str(&note).expect("a note should be JSON");
        assert_eq!(note["keys"], json!({"tenant_id": tenant.id, "id": id}), "{mark}");
        assert!(note["reason"].as_str().is_some_and(|told| told.contains(reason)), "{mark}: {note}");
        instant(note["written_at"].as_str().expect("when it was written"));
        // Whoever looks for it is told that it is none, and why, and nobody is paged.
        let shown = tenant.api.get(&format!("/v1/events/{id}")).await;
        let message = text(&shown.refused(404, "not_found"), "message").to_owned();
        assert!(message.contains("a row of this id is there") && message.contains(reason), "{mark}: {message}");
    }
    // As the page on triggers has it: the whole retention, whatever webhooks the tenant has; and a time to the last digit.
    let kept = with(&good("n"), "expires_at", Some(n(days_from_now(30))));
    let precise = ago(0).replace('Z', "1234567Z");
    world.aws.rows.put_event(with(&kept, "timestamp", Some(s(precise)))).await;
    let id = event_id(&tenant.id, "n");
    assert_eq!(receiver.only(SOON).await.event_id(), id, "only the good one is sent");
    tenant.api.get(&format!("/v1/events/{id}")).await.ok(200);
}

/// Seconds since 1970 of the moment in so many days.
fn days_from_now(days: i64) -> i64 {
    jiff::Timestamp::now().as_second() + days * 86_400
}
