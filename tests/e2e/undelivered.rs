//! The list of what is undelivered: one list, however its rows lie.

use jiff::{SignedDuration, Timestamp};
use postrider_domain::delivery::{Delivery, Reason, Status};
use postrider_domain::event::Event;

use crate::again::{listed, listed_from};
use crate::support::api::text;
use crate::support::rows::{FAR_OFF, Row, undelivered};
use crate::support::{Receiver, Tenant, World};

/// So many deliveries at a webhook, a millisecond apart: of every four two are being retried, one has failed and one was cancelled.
pub(crate) fn undelivered_rows(tenant: &Tenant, webhook: &str, count: i64) -> Vec<Delivery> {
    let start = Timestamp::now() - SignedDuration::from_hours(2);
    let stands = [Status::Retrying, Status::Failed, Status::Retrying, Status::Cancelled];
    let one = |(number, status): (i64, Status)| {
        let event = Event {
            tenant_id: tenant.id.parse().expect("an id"),
            id: format!("evt_{number}").parse().expect("an id"),
            event_type: "dubbing.completed".parse().expect("a type"),
            data: "{}".to_owned(),
            timestamp: start + SignedDuration::from_millis(number),
            expires_at: FAR_OFF,
            ours: false,
            counted: false,
            job_id: None,
            test_of: None,
            announce: None,
            tags: std::collections::BTreeMap::new(),
            traceparent: None,
        };
        let pending = Delivery::pending(&event, webhook.parse().expect("an id"), event.timestamp, FAR_OFF);
        let reason = (status == Status::Failed).then_some(Reason::AttemptsExhausted);
        Delivery { status, reason, attempts_made: 1, ..pending }
    };
    (0..count).zip(stands.into_iter().cycle()).map(one).collect()
}

pub(crate) async fn put_undelivered(world: &World, rows: &[Delivery]) {
    let row = |delivery: &Delivery| -> Row {
        let mut row: Row = serde_dynamo::to_item(delivery).expect("a delivery can be a row");
        row.extend([undelivered(delivery.tenant_id.as_str(), delivery.id.as_str())]);
        row
    };
    world.aws.rows.put_deliveries(rows.iter().map(row).collect()).await;
}

/// The ids of those that stand so, newest first.
fn newest_first(rows: &[Delivery], status: Option<Status>) -> Vec<String> {
    let rows = rows.iter().rev().filter(|row| status.is_none_or(|status| row.status == status));
    rows.map(|row| row.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_that_are_undelivered_come_newest_first_and_each_once_while_others_come_and_go() {
    let world = World::open();
    let (tenant, stranger) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["music.*"]).await;
    let others = stranger.webhook(&receiver.url("/"), &["music.*"]).await;
    let (rows, theirs) = (undelivered_rows(&tenant, &webhook, 230), undelivered_rows(&stranger, &others, 70));
    // The newest and one from the middle come later, while somebody turns the pages.
    let at_first: Vec<Delivery> = rows[..229].iter().filter(|row| row.id != rows[100].id).cloned().collect();
    put_undelivered(&world, &at_first).await;
    put_undelivered(&world, &theirs).await;
    for (query, status) in [
        ("undelivered&limit=7", None),
        ("undelivered", None),
        ("undelivered&limit=200", None),
        ("retrying&limit=20", Some(Status::Retrying)),
        ("failed&limit=50", Some(Status::Failed)),
        ("cancelled&limit=3", Some(Status::Cancelled)),
    ] {
        assert_eq!(listed(&tenant, &format!("status={query}")).await, newest_first(&at_first, status), "{query}");
    }
    assert_eq!(listed(&stranger, "status=undelivered&limit=30").await, newest_first(&theirs, None));

    let first = tenant.api.get("/v1/deliveries?status=undelivered&limit=40").await.ok(200);
    let seen: Vec<_> = first["deliveries"].as_array().expect("a list").iter().map(|row| text(row, "id")).collect();
    assert!((1..=40).contains(&seen.len()), "{} rows of 40 at the most", seen.len());
    // The last that was seen goes, and so does the next one.
    let gone =
        [newest_first(&at_first, None)[seen.len() - 1].clone(), newest_first(&at_first, None)[seen.len()].clone()];
    world.aws.rows.delete_deliveries(gone.iter().map(String::as_str)).await;
    put_undelivered(&world, &[rows[100].clone(), rows[229].clone()]).await;
    let cursor = text(&first["pagination"], "next_cursor");
    let rest = listed_from(&tenant, "status=undelivered&limit=40", Some(cursor)).await;
    let expected: Vec<String> =
        newest_first(&rows[..229], None).into_iter().skip(seen.len()).filter(|id| !gone.contains(id)).collect();
    assert_eq!(rest, expected, "what came in front of the page is on none of the others");
    // A cursor is a place, and no way into another's list.
    let theirs_from_there = listed_from(&stranger, "status=undelivered", Some(cursor)).await;
    assert!(theirs_from_there.iter().all(|id| theirs.iter().any(|row| row.id.as_str() == id)), "{theirs_from_there:?}");
}
