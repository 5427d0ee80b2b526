//! Lists of deliveries, page by page, while others come: by all that they can be asked for, by either way.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use postrider_domain::attempt::{Attempt, Mark};
use postrider_domain::delivery::Delivery;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};
use crate::undelivered::{put_undelivered, undelivered_rows};

/// What an answer's body may take, which Lambda counts as a text in quotes.
const ANSWER_BYTES: usize = 6_291_556;
/// What a walk over 2,000 rows may take on a machine that does something else besides.
const WITHIN: Duration = Duration::from_secs(120);

/// Turns the pages of a list up to its end: the ids in their order. Between any two pages somebody does what `meanwhile` says.
async fn walk(tenant: &Tenant, path: &str, mut meanwhile: impl AsyncFnMut(usize)) -> Vec<String> {
    let begun = Instant::now();
    let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let answer = tenant.api.get(&format!("{path}{cursor}")).await;
        let page = answer.ok(200);
        let quoted = serde_json::to_string(&answer.body).expect("a text").len();
        assert!(quoted <= ANSWER_BYTES, "{path}: a page of {quoted} bytes");
        found.extend(page["deliveries"].as_array().expect("a list").iter().map(|row| text(row, "id").to_owned()));
        pages += 1;
        assert!(pages <= 600 && begun.elapsed() < WITHIN, "{path}: {pages} pages in {:?}", begun.elapsed());
        if page["pagination"]["has_more"] == false {
            return found;
        }
        cursor = format!("&cursor={}", text(&page["pagination"], "next_cursor"));
        meanwhile(pages).await;
    }
}

/// What stands in a delivery's row after so many attempts, each answered with what takes most in an answer of ours.
fn tried(row: &Delivery, attempts: u32) -> Delivery {
    let attempt = |number: u32| Attempt {
        outcome: if number == attempts { "timed_out" } else { "status_500" }.to_owned(),
        response_excerpt: Some("\"".repeat(256)),
        ..Attempt::internal(
            number,
            Mark::new(number.into()),
            row.created_at + SignedDuration::from_secs(number.into()),
            "why",
        )
    };
    Delivery { attempts: (1..=attempts).map(attempt).collect(), attempts_made: attempts, ..row.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_thousand_deliveries_a_walk_misses_none_and_has_none_twice_while_others_come() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]});
    let webhook = tenant.create(&webhook).await;
    // The newest hundred have so long a story that a page of them ends early.
    let rows = undelivered_rows(&tenant, &webhook, 2_000);
    let rows: Vec<Delivery> =
        rows.iter().zip(0..).map(|(row, number)| tried(row, if number >= 1_900 { 40 } else { number % 3 })).collect();
    put_undelivered(&world, &rows).await;
    let newest_first = |is_asked_for: &dyn Fn(&Delivery) -> bool| -> Vec<String> {
        rows.iter().rev().filter(|row| is_asked_for(row)).map(|row| row.id.to_string()).collect()
    };
    let all = newest_first(&|_| true);
    let failed = newest_first(&|row| row.status.as_str() == "failed");
    let timed_out = newest_first(&|row| row.attempts.last().is_some_and(|last| last.outcome == "timed_out"));
    let (first, last) = (&rows[300].created_at, &rows[1_200].created_at);
    let some_time = newest_first(&|row| row.created_at >= *first && row.created_at < *last);
    let span = format!("since={first:.3}&until={last:.3}");
    let published = std::sync::Mutex::new(Vec::new());
    let ours: BTreeSet<&String> = all.iter().collect();
    for (path, expected) in [
        ("/v1/deliveries?status=undelivered&limit=200".to_owned(), &all),
        (format!("/v1/webhooks/{webhook}/deliveries?limit=200"), &all),
        (format!("/v1/deliveries?webhook_id={webhook}&status=undelivered&limit=150"), &all),
        ("/v1/deliveries?status=failed&limit=100".to_owned(), &failed),
        (format!("/v1/deliveries?webhook_id={webhook}&status=failed&event=dubbing.completed&limit=50"), &failed),
        ("/v1/deliveries?status=undelivered&outcome=timed_out&limit=200".to_owned(), &timed_out),
        (format!("/v1/webhooks/{webhook}/deliveries?outcome=timed_out&limit=200"), &timed_out),
        (format!("/v1/deliveries?status=undelivered&{span}&limit=120"), &some_time),
        (format!("/v1/webhooks/{webhook}/deliveries?{span}&limit=120"), &some_time),
    ] {
        let found = walk(&tenant, &path, async |page| {
            if page <= 4 {
                let event = tenant.publish("invoice.paid", &json!({"page": page})).await;
                published.lock().expect("nobody panics with it").push(event);
            }
        })
        .await;
        let distinct: BTreeSet<&String> = found.iter().collect();
        assert_eq!(distinct.len(), found.len(), "{path}: none comes twice");
        let of_before: Vec<&String> = found.iter().filter(|id| ours.contains(id)).collect();
        assert_eq!(of_before, expected.iter().collect::<Vec<_>>(), "{path}: none is missing, the newest first");
    }
    // And those that came are on the next walk.
    let published = published.into_inner().expect("nobody panics with it");
    assert!(published.len() >= 30, "{published:?}");
    until("what came meanwhile to be listed", SOON, || async {
        let page =
            tenant.api.get(&format!("/v1/webhooks/{webhook}/deliveries?limit=200&event=invoice.paid")).await.ok(200);
        let listed: BTreeSet<&str> =
            page["deliveries"].as_array().expect("a list").iter().map(|row| text(row, "event_id")).collect();
        let missing: Vec<&String> = published.iter().filter(|event| !listed.contains(event.as_str())).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_is_asked_for_combines_and_both_ways_to_a_webhooks_say_the_same() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let script = [500, 404, 200].map(Reply::Status);
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]})).await;
    let mut ids = Vec::new();
    for (event, status) in [("invoice.paid", "retrying"), ("invoice.void", "retrying"), ("invoice.paid", "succeeded")] {
        let event = tenant.publish(event, &json!({})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&id, status, 1).await;
        ids.push(id);
    }
    let at = text(&tenant.delivery(&ids[1]).await, "created_at").to_owned();
    let listed = async |path: String| -> Vec<usize> {
        let page = tenant.api.get(&path).await.ok(200);
        let rows = page["deliveries"].as_array().expect("a list").clone();
        rows.iter().map(|row| ids.iter().position(|id| *id == text(row, "id")).expect("one of these")).collect()
    };
    for (query, expected) in [
        ("limit=9".to_owned(), vec![2, 1, 0]),
        ("status=undelivered".to_owned(), vec![1, 0]),
        ("status=succeeded&outcome=succeeded".to_owned(), vec![2]),
        ("event=invoice.paid".to_owned(), vec![2, 0]),
        ("event=invoice.paid&status=retrying&outcome=status_500".to_owned(), vec![0]),
        ("event=invoice.paid&outcome=status_404".to_owned(), vec![]),
        ("outcome=timed_out".to_owned(), vec![]),
        (format!("status=retrying&since={at}"), vec![1]),
        (format!("status=undelivered&until={at}"), vec![0]),
    ] {
        let of_the_webhook = listed(format!("/v1/webhooks/{webhook}/deliveries?{query}")).await;
        assert_eq!(of_the_webhook, expected, "{query}");
        assert_eq!(listed(format!("/v1/deliveries?webhook_id={webhook}&{query}")).await, expected, "{query}");
        if query.contains("status=retrying") || query.contains("undelivered") {
            // What was listed a moment ago by the table may reach the index a moment later.
            until(&format!("the tenant's list by {query}"), SOON, || async {
                let found = listed(format!("/v1/deliveries?{query}")).await;
                if found == expected { Ok(()) } else { Err(format!("{found:?}")) }
            })
            .await;
        }
    }
    for query in ["event=invoice.paid", "status=pending", "status=succeeded&event=invoice.paid"] {
        tenant.api.get(&format!("/v1/deliveries?{query}")).await.refused(422, "unprocessable");
    }
    tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    assert_eq!(listed(format!("/v1/deliveries?webhook_id={webhook}&outcome=succeeded")).await, [2]);
    let stranger = world.tenant().await;
    stranger.api.get(&format!("/v1/deliveries?webhook_id={webhook}")).await.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_leads_into_no_other_list() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let one = tenant.webhook(&receiver.url("/one"), &["music.*"]).await;
    let other = tenant.webhook(&receiver.url("/other"), &["music.*"]).await;
    put_undelivered(&world, &undelivered_rows(&tenant, &one, 60)).await;
    let cursor = async |path: &str| -> String {
        let page: Value = tenant.api.get(path).await.ok(200);
        text(&page["pagination"], "next_cursor").to_owned()
    };
    let of_one = cursor(&format!("/v1/webhooks/{one}/deliveries?limit=5")).await;
    let of_all = cursor("/v1/deliveries?status=failed&limit=5").await;
    let now = Timestamp::now();
    for path in [
        format!("/v1/webhooks/{other}/deliveries?cursor={of_one}"),
        format!("/v1/deliveries?webhook_id={other}&cursor={of_one}"),
        format!("/v1/webhooks/{one}/deliveries?since={now:.3}&cursor={of_one}"),
        format!("/v1/deliveries?status=failed&since={now:.3}&cursor={of_all}"),
        format!("/v1/webhooks?cursor={of_all}"),
    ] {
        tenant.api.get(&path).await.invalid("cursor");
    }
}
