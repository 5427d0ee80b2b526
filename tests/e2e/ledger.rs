//! Reading the ledger: a webhook's deliveries by status, event and time, in pages.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::{Receiver, Reply, World};

fn events_of(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| text(row, "event_id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhooks_deliveries_come_in_pages_and_none_twice() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let other = tenant.webhook(&receiver.url("/other"), &["music.*"]).await;
    let mut published = BTreeSet::new();
    for number in 0..7 {
        let event = tenant.publish("dubbing.completed", &json!({"number": number})).await;
        tenant.delivery_of(&event, &webhook).await;
        published.insert(event);
    }
    for limit in [1, 3, 7, 100] {
        let rows = tenant.deliveries(&webhook, &format!("limit={limit}")).await;
        assert_eq!((rows.len(), events_of(&rows)), (7, published.clone()), "limit={limit}");
    }
    let page = tenant.api.get(&format!("/v1/webhooks/{webhook}/deliveries?limit=3")).await.ok(200);
    assert_eq!(keys(&page), ["deliveries", "pagination"]);
    assert_eq!(keys(&page["pagination"]), ["has_more", "next_cursor"]);
    assert!(page["deliveries"].as_array().is_some_and(|rows| rows.len() <= 3), "{page}");
    for row in page["deliveries"].as_array().expect("deliveries should be an array") {
        for key in ["created_at", "event", "event_id", "id", "status", "webhook_id"] {
            assert!(row[key].is_string(), "no {key}: {row}");
        }
    }
    assert_eq!(tenant.deliveries(&other, "").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_found_by_status_and_by_event() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let failing = tenant.publish("dubbing.failed", &json!({})).await;
    let id = tenant.delivery_of(&failing, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let mut good = BTreeSet::new();
    for event in ["dubbing.completed", "voice.clone.completed"] {
        let event = tenant.publish(event, &json!({})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&id, "succeeded", 1).await;
        good.insert(event);
    }

    let found = async |query: &str| events_of(&tenant.deliveries(&webhook, query).await);
    assert_eq!(found("status=retrying").await, BTreeSet::from([failing.clone()]));
    assert_eq!(found("status=succeeded").await, good);
    assert_eq!(found("status=succeeded&limit=1").await, good, "a filtered page may be short, but none is lost");
    assert_eq!(found("status=failed").await, BTreeSet::new());
    assert_eq!(found("event=dubbing.failed").await, BTreeSet::from([failing.clone()]));
    assert_eq!(found("event=dubbing.failed&status=succeeded").await, BTreeSet::new());
    let all: BTreeSet<_> = good.iter().cloned().chain([failing]).collect();
    assert_eq!(found("").await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_found_by_their_events_time() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let mut published = Vec::new();
    for number in 0..3 {
        let body = json!({"event": "dubbing.completed", "data": {"number": number}});
        let answer = tenant.api.post("/v1/events", &body).await.ok(202);
        let (event, time) = (text(&answer, "id").to_owned(), text(&answer, "timestamp").to_owned());
        let id = tenant.delivery_of(&event, &webhook).await;
        assert_eq!(tenant.delivery(&id).await["created_at"], time.as_str(), "the row shows what is filtered by");
        published.push((event, time));
    }
    let found = async |query: String| events_of(&tenant.deliveries(&webhook, &query).await);
    let expected = |range: std::ops::Range<usize>| published[range].iter().map(|(event, _)| event.clone()).collect();
    let (start, middle, end) = (&published[0].1, &published[1].1, &published[2].1);
    assert_eq!(found(format!("since={middle}")).await, expected(1..3), "from that very millisecond on");
    assert_eq!(found(format!("until={middle}")).await, expected(0..1), "but not up to it");
    assert_eq!(found(format!("since={start}&until={end}&limit=1")).await, expected(0..2));
    assert_eq!(found("since=2999-01-01T00:00:00Z".to_owned()).await, expected(0..0));
}
