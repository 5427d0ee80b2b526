//! The list of a tenant's events: all of them, once, newest first, whatever comes while somebody reads.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::api::{Api, text};
use crate::support::rows::{ago, event_row, s};
use crate::support::time::instant;
use crate::support::{Receiver, SOON, World, until};

/// Events that are there when a walk begins, and that come during it.
const THERE: usize = 2_000;
const COMING: usize = 200;
const BATCH: usize = 25;
/// What a page of 200 may take: far below the 6 MB of an answer.
const PAGE_BYTES: usize = 100_000;

/// A page of a list, and where the next one begins.
async fn page(api: &Api, path: &str) -> (Vec<Value>, Option<String>) {
    let answer = api.get(path).await;
    assert!(answer.body.len() < PAGE_BYTES, "{} bytes", answer.body.len());
    let page = answer.ok(200);
    let events = page["events"].as_array().expect("a page should list events").clone();
    let next = page["pagination"]["next_cursor"].as_str().map(str::to_owned);
    assert_eq!(page["pagination"]["has_more"], json!(next.is_some()), "{page}");
    (events, next)
}

/// All that a query finds, page by page.
async fn all(api: &Api, query: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let (events, next) = page(api, &format!("/v1/events?{query}{cursor}")).await;
        found.extend(events);
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| text(event, "id")).collect()
}

/// Publishes so many events with a provider key; their ids.
async fn publish(provider: &Api, tenant: &str, count: usize) -> BTreeSet<String> {
    let mut published = BTreeSet::new();
    for _ in 0..count.div_ceil(BATCH) {
        let event = json!({"tenant_id": tenant, "event": "list.filled", "data": {}});
        let answer = provider.post("/v1/events/batch", &json!({"events": vec![event; BATCH]})).await.ok(202);
        let results = answer["results"].as_array().expect("each has its result");
        published.extend(results.iter().map(|result| text(result, "id").to_owned()));
    }
    published
}

/// The list once it has what a query must find, beside what Postrider tells of the tenant's webhooks.
async fn listed(api: &Api, query: &str, expected: &[&str]) -> Vec<Value> {
    until(&format!("{query} to list {expected:?}"), SOON, || async {
        let mut found = all(api, query).await;
        found.retain(|event| !text(event, "event").starts_with("webhook."));
        if ids(&found) == expected { Ok(found) } else { Err(format!("{:?}", ids(&found))) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_over_thousands_misses_none_and_repeats_none_while_others_come() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let provider = world.provider(&["events:write", "deliveries:read"]).await;
    let there = publish(&provider, &tenant.id, THERE).await;
    let base = format!("/v1/events?tenant_id={}&limit=200", tenant.id);
    until("all to be listed", 4 * SOON, || async {
        let found = all(&provider, base.split_once('?').expect("a query").1).await.len();
        if found == THERE { Ok(()) } else { Err(format!("{found}")) }
    })
    .await;
    let (mut seen, mut cursor, mut coming) = (Vec::new(), String::new(), BTreeSet::new());
    loop {
        let (events, next) = page(&provider, &format!("{base}{cursor}")).await;
        seen.extend(events);
        if coming.len() < COMING {
            coming.extend(publish(&provider, &tenant.id, BATCH).await);
        }
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let times: Vec<_> = seen.iter().map(|event| instant(text(event, "timestamp"))).collect();
    assert!(times.is_sorted_by(|one, other| one >= other), "newest first");
    let found: Vec<&str> = ids(&seen);
    let once: BTreeSet<String> = found.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(once.len(), found.len(), "none twice");
    let missing: Vec<_> = there.difference(&once).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(once.is_subset(&there.union(&coming).cloned().collect()), "nobody else's");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_that_nobody_asked_for_by_type_and_by_time() {
    let world = World::open();
    let (tenant, other) = (world.tenant_on("standard", "pro").await, world.tenant_on("standard", "pro").await);
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["invoice.paid"]).await;
    let mut published = Vec::new();
    for event in ["invoice.paid", "nobody.asks", "invoice.paid"] {
        published.push(tenant.publish(event, &json!({"of": event})).await);
    }
    let theirs = other.publish("invoice.paid", &json!({})).await;
    let newest_first: Vec<&str> = published.iter().rev().map(String::as_str).collect();
    let found = listed(&tenant.api, "limit=2", &newest_first).await;
    assert_eq!((&found[1]["event"], found[1].get("data")), (&json!("nobody.asks"), None));
    let shown = tenant.api.get(&format!("/v1/events/{}", published[1])).await.ok(200);
    assert_eq!(found[1]["timestamp"], shown["timestamp"]);
    listed(&tenant.api, "event=invoice.paid", &[newest_first[0], newest_first[2]]).await;
    listed(&tenant.api, "event=another", &[]).await;
    let time = text(&found[1], "timestamp").to_owned();
    listed(&tenant.api, &format!("since={time}"), &newest_first[..2]).await;
    listed(&tenant.api, &format!("until={time}"), &newest_first[2..]).await;
    listed(&other.api, "", &[&theirs]).await;
    let changes = until("the change to be listed", SOON, || async {
        let found = all(&tenant.api, "changes=true").await;
        if found.is_empty() { Err("none".to_owned()) } else { Ok(found) }
    });
    assert_eq!(changes.await.iter().map(|event| text(event, "event")).collect::<Vec<_>>(), ["webhook.created"]);
    let provider = world.provider(&["deliveries:read"]).await;
    listed(&provider, &format!("tenant_id={}", other.id), &[&theirs]).await;
    provider.get("/v1/events").await.invalid("tenant_id");
    provider.get("/v1/events?tenant_id=ten_0000000000000000").await.refused(404, "not_found");
    tenant.api.get(&format!("/v1/events?tenant_id={}", tenant.id)).await.invalid("tenant_id");
    world.provider(&["events:write"]).await.get("/v1/events").await.refused(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producers_row_stands_at_the_time_that_it_says() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let new = tenant.publish("invoice.paid", &json!({})).await;
    let mut row = event_row(&tenant.id, "evt_of-an-hour-ago", "invoice.paid", "{}");
    row.insert("timestamp".to_owned(), s(ago(3_600)));
    world.aws.rows.put_event(row).await;
    let found = listed(&tenant.api, "", &[&new, "evt_of-an-hour-ago"]).await;
    assert!(instant(text(&found[1], "timestamp")) < instant(text(&found[0], "timestamp")));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_webhook_that_did_not_get_an_event_says_why() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = async |events: &[&str], filter: Option<Value>| {
        let body = json!({"url": receiver.url("/"), "events": events, "filter": filter});
        tenant.create(&body).await
    };
    let gets_it = webhook(&["invoice.*"], None).await;
    let deleted = webhook(&["order.*"], None).await;
    let not_subscribed = webhook(&["order.*"], None).await;
    let filtered = webhook(&["invoice.*"], Some(json!({"data": {"amount": [{"numeric": [">", 10]}]}}))).await;
    let changed = webhook(&["order.*"], None).await;
    let event = tenant.publish("invoice.paid", &json!({"amount": 7})).await;
    let delivery = tenant.delivery_of(&event, &gets_it).await;
    tenant.settled(&delivery, "succeeded", 1).await;
    let later = webhook(&["*"], None).await;
    tenant.api.delete(&format!("/v1/webhooks/{deleted}")).await;
    tenant.api.patch(&format!("/v1/webhooks/{changed}"), &json!({"events": ["invoice.paid"]})).await.ok(200);
    let shown = tenant.api.get(&format!("/v1/events/{event}")).await.ok(200);
    assert_eq!(shown["data"], json!({"amount": 7}));
    let mut expected = [
        (&deleted, "deleted"),
        (&not_subscribed, "not_subscribed"),
        (&filtered, "filtered"),
        (&changed, "changed_since"),
        (&later, "created_later"),
    ];
    expected.sort();
    let expected: Vec<Value> =
        expected.iter().map(|(webhook, reason)| json!({"webhook_id": webhook, "reason": reason})).collect();
    assert_eq!(shown["not_delivered"], json!(expected));
    assert_eq!(shown["deliveries"].as_array().map(Vec::len), Some(1));
    let page = tenant.api.get(&format!("/v1/events/{event}?limit=2")).await.ok(200);
    let told = |page: &Value| ["deliveries", "not_delivered"].map(|name| page[name].as_array().map_or(0, Vec::len));
    assert_eq!((told(&page).iter().sum::<usize>(), &page["pagination"]["has_more"]), (2, &json!(true)), "{page}");
}
