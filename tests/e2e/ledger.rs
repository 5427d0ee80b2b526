//! Reading the ledger: a webhook's deliveries by status, event and time, in pages.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::time::instant;
use crate::support::{Receiver, Reply, World, until};

fn events_of(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| text(row, "event_id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhooks_deliveries_come_in_pages_and_none_twice() {
    let Some(world) = World::open() else { return };
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
    let Some(world) = World::open() else { return };
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
async fn deliveries_are_found_by_time() {
    let Some(world) = World::open() else { return };
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let mut published = Vec::new();
    for number in 0..3 {
        let answer =
            tenant.api.post("/v1/events", &json!({"event": "dubbing.completed", "data": {"n": number}})).await.ok(202);
        let event = text(&answer, "id").to_owned();
        let delivery = tenant.delivery_of(&event, &webhook).await;
        let created = text(&tenant.delivery(&delivery).await, "created_at").to_owned();
        // The next event must be of a later millisecond, whatever the machine's speed.
        until("the next millisecond", Duration::from_secs(1), || {
            let later = jiff::Timestamp::now().as_millisecond() > instant(&created).as_millisecond();
            std::future::ready(if later { Ok(()) } else { Err(created.clone()) })
        })
        .await;
        published.push((created, event));
    }
    let found = async |query: &str| events_of(&tenant.deliveries(&webhook, query).await);
    let (middle, event) = &published[1];
    let from_middle = found(&format!("since={middle}")).await;
    assert_eq!(from_middle, published[1..].iter().map(|(_, event)| event.clone()).collect());
    let until_middle = found(&format!("until={middle}")).await;
    assert!(until_middle.contains(&published[0].1) && !until_middle.contains(&published[2].1), "{until_middle:?}");
    assert!(found("since=2999-01-01T00:00:00Z").await.is_empty());
    assert!(found(&format!("since={middle}&limit=1")).await.contains(event));
}
