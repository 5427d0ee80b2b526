//! Who is told, at what price, and what happens where nobody can say whether anybody asks.

use std::iter::repeat_with;

use futures::future::join_all;
use postrider_domain::attempt::Mark;
use postrider_domain::event::EventType;
use postrider_domain::id::EndpointId;
use replay::{Said, Script};
use serde_json::{Value, json};
use tokio::time::{Instant, advance};

use super::*;
use crate::sample::{self, FAILED};
use crate::sdk;

fn notices(script: &Script) -> Notices {
    let sdk = script.sdk(sdk::over);
    let (config, events) = (ConfigTable::of(&sdk, "config"), EventsTable::of(&sdk, "events"));
    Notices::of(config, events, Retention { seconds: 60 })
}

fn row() -> Delivery {
    let at = Timestamp::UNIX_EPOCH;
    Delivery::pending(&sample::event(), EndpointId::new(at, 2), at, 0)
}

fn of_another_tenant(number: u64) -> Delivery {
    Delivery { tenant_id: TenantId::new(Timestamp::UNIX_EPOCH, number), ..row() }
}

async fn of(notices: &Notices, row: &Delivery) -> Option<Notice> {
    let attempt = Attempt::internal(1, Mark::new(1), Timestamp::from_second(7).unwrap(), "why");
    notices.of_record(row, &attempt, &FAILED).await
}

/// An AWS in which these patterns of the first tenant are asked for.
fn asking(asked_for: &'static [&str]) -> Script {
    Script::default().answering("Query", |query| {
        let partition = query["ExpressionAttributeValues"][":pk"].as_str()?.to_owned();
        let is_asked_for =
            asked_for.iter().any(|pattern| partition == format!("SUBSCRIPTION#{}#{pattern}", row().tenant_id));
        let rows: &[Value] = if is_asked_for { &[json!({"sk": "wh_"})] } else { &[] };
        Some(Said::rows(rows))
    })
}

#[tokio::test]
async fn who_asks_by_name_or_for_all_of_ours_is_told() {
    for (asked_for, is_told) in [
        (&["webhook.delivery_failed"][..], true),
        (&["webhook.*"], true),
        (&["*", "webhook.disabled", "invoice.paid"], false),
    ] {
        let script = asking(asked_for);
        let notices = notices(&script);
        let notice = of(&notices, &row()).await;
        assert_eq!(notice.is_some(), is_told, "{asked_for:?}");
        assert!(of(&notices, &of_another_tenant(9)).await.is_none(), "another tenant's webhooks ask for his own");
        let looks = script.asked("Query");
        assert_eq!(looks.len(), 4, "one for each pattern and tenant");
        assert!(looks.iter().all(|look| look["Limit"] == 1 && look["ConsistentRead"] == false), "{looks:?}");
    }
}

#[tokio::test]
async fn a_notice_is_the_put_of_an_event_that_is_ours() {
    let notice = of(&notices(&asking(&["webhook.*"])), &row()).await.unwrap();
    let put = notice.put.put.unwrap();
    assert_eq!((put.table_name(), put.condition_expression()), ("events", Some("attribute_not_exists(id)")));
    let event: postrider_domain::event::Event = crate::item::from_item(put.item).unwrap();
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
        assert!(notices.of_record(&row(), &attempt, &transition).await.is_none(), "{status:?}");
    }
    let of_ours = Delivery { event_type: EventType::from(OwnType::DeliveryFailed), ..row() };
    assert!(of(&notices, &of_ours).await.is_none(), "a notice about a notice would never end");
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_failures_looks_once_a_minute() {
    for (asked_for, is_told) in [(&[][..], false), (&["webhook.*"], true)] {
        let script = asking(asked_for);
        let notices = notices(&script);
        for minute in 1..=3 {
            let row = row();
            let told = join_all((0..50).map(|_| of(&notices, &row))).await;
            assert!(told.iter().all(|notice| notice.is_some() == is_told));
            assert_eq!(script.asked("Query").len(), 2 * minute);
            advance(REMEMBERED).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_say_whether_anybody_asks_the_notice_is_written() {
    let script = Script::default().saying("Query", repeat_with(Said::throttled));
    assert!(of(&notices(&script), &row()).await.is_some());
    // The same while the look hangs, and no record waits for others' looks beside its own.
    let script = Script::default().saying("Query", repeat_with(|| Said::done().after(3)));
    let (notices, row, begun) = (notices(&script), row(), Instant::now());
    let told = join_all((0..10).map(|_| of(&notices, &row))).await;
    assert!(told.iter().all(Option::is_some) && begun.elapsed() <= PATIENCE, "{:?}", begun.elapsed());
}
