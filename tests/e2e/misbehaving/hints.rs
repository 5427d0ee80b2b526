//! Retry-After in every shape: it puts the next attempt off by a day at most, and what cannot be read counts as nothing.

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::time::instant;
use crate::support::{Receiver, Reply, Tenant, World};

/// The retry schedule's first interval with its jitter, and what a second's end adds.
const PLANNED: std::ops::RangeInclusive<i64> = 4..=7;
const DAY: std::ops::RangeInclusive<i64> = 86_400..=86_402;

async fn wait_after(world: &World, tenant: &Tenant, values: &[String]) -> i64 {
    let headers = values.iter().map(|value| ("retry-after", value.clone())).collect();
    let receiver = Receiver::scripted(world.stack, [], Reply::Full(429, headers, vec![])).await;
    // The standard retry schedule's first interval, once.
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [5, 5, 5]});
    let webhook = tenant.create(&body).await;
    let event = tenant.publish("trial.held", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    let delivery = tenant.settled(&id, "retrying", 1).await;
    tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    seconds_to_the_next(&delivery)
}

fn seconds_to_the_next(delivery: &Value) -> i64 {
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["outcome"], "status_429", "{delivery}");
    let took = attempt["duration_ms"].as_i64().expect("an attempt should have a duration");
    let end = instant(text(attempt, "at")) + SignedDuration::from_millis(took);
    instant(text(delivery, "next_attempt_at")).duration_since(end).as_secs()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_obeyed_within_a_day_and_ignored_where_it_is_nonsense() {
    let world = World::open();
    let http_date = |seconds: i64| {
        let at = Timestamp::now() + SignedDuration::from_secs(seconds);
        at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    };
    let table: Vec<(Vec<String>, std::ops::RangeInclusive<i64>)> = vec![
        (vec!["7200".to_owned()], 7200..=7202),
        (vec![http_date(3600)], 3540..=3601),
        (vec![http_date(-3600)], PLANNED),
        (vec!["Fri, 31 Dec 9999 23:59:59 GMT".to_owned()], DAY),
        (vec!["1000000000000".to_owned()], DAY),
        (vec!["9".repeat(300)], DAY),
        (vec!["0".to_owned()], PLANNED),
        (vec!["-5".to_owned()], PLANNED),
        (vec!["1e12".to_owned()], PLANNED),
        (vec!["soon".to_owned()], PLANNED),
        (vec![String::new()], PLANNED),
        (vec!["60".to_owned(), "7200".to_owned()], 60..=62),
    ];
    let tries = table.iter().map(|(values, expected)| {
        let world = &world;
        async move {
            let tenant = world.tenant_on("standard", "pro").await;
            let wait = wait_after(world, &tenant, values).await;
            (!expected.contains(&wait)).then(|| format!("{values:?}: {wait} s, not {expected:?}"))
        }
    });
    let wrong: Vec<_> = join_all(tries).await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
