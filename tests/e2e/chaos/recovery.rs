//! A recovery of thousands: it goes on in sweeps, page by page, and takes each delivery once.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use postrider_domain::delivery::{Delivery, Reason, Status};
use postrider_domain::event::Event;
use postrider_domain::id::EndpointId;
use serde_json::{Value, json};

use crate::chaos::{alone, scale, without_mapping};
use crate::support::api::text;
use crate::support::rows::{Row, n, s};
use crate::support::stack::say;
use crate::support::{Receiver, SOON, until};

/// More than one call of the API gets through; `make soak` takes ten thousand.
const MISSED: u64 = 2_000;
/// Seconds since 1970 of a day that is far off.
const FAR_OFF: i64 = 4_102_444_800;
const PATIENCE: Duration = Duration::from_secs(300);

/// A delivery that failed after six attempts, long enough ago.
fn given_up(pending: &Delivery) -> Row {
    let failed = Delivery {
        status: Status::Failed,
        reason: Some(Reason::AttemptsExhausted),
        attempts_made: 6,
        ..pending.clone()
    };
    let mut row: Row = serde_dynamo::to_item(&failed).expect("a delivery can be a row");
    row.insert("undelivered_tenant".to_owned(), s(failed.tenant_id.as_str()));
    row
}

/// The webhook's messages among these, by their deliveries' ids.
fn messages_of(webhook: &str, bodies: Vec<String>) -> Vec<(String, String)> {
    let ours = bodies.into_iter().filter(|body| body.contains(webhook));
    ours.map(|body| {
        let message: Value = serde_json::from_str(&body).expect("a message should be JSON");
        (text(&message, "delivery_id").to_owned(), body)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn thousands_of_missed_deliveries_are_recovered() {
    let Some((world, _guard)) = alone().await else { return };
    let missed = scale("POSTRIDER_MISSED", MISSED);
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    receiver.wait_for(1, SOON).await;

    let start = Timestamp::now() - SignedDuration::from_hours(2);
    let what = Event {
        tenant_id: tenant.id.parse().expect("an id"),
        id: event.parse().expect("an id"),
        event_type: "dubbing.completed".parse().expect("a type"),
        data: "{}".to_owned(),
        timestamp: start,
        expires_at: FAR_OFF,
        ours: false,
        job_id: None,
        announce: None,
    };
    let webhook_id: EndpointId = webhook.parse().expect("an id");
    let missed_at = |number: u64| {
        let timestamp = start + SignedDuration::from_millis(i64::try_from(number).expect("a small number"));
        Delivery::pending(&Event { timestamp, ..what.clone() }, webhook_id.clone(), timestamp, FAR_OFF)
    };
    let rows: Vec<_> = (0..missed).map(missed_at).collect();
    world.aws.rows.put_deliveries(rows.iter().map(given_up).collect()).await;

    let (retry, path) = (&world.stack.queues.retry, format!("/v1/webhooks/{webhook}/recover"));
    let retry_name = retry.rsplit('/').next().expect("a queue's URL ends with its name");
    let sample = without_mapping(&world, "deliver", retry_name, async {
        let begun = Instant::now();
        let span = json!({"since": start.to_string(), "until": (start + SignedDuration::from_hours(1)).to_string()});
        let answer = tenant.api.post(&path, &span).await.ok(202);
        assert!(begun.elapsed() < Duration::from_secs(15), "the caller waited for {:?}", begun.elapsed());
        let path = format!("{path}/{}", text(&answer, "recovery_id"));
        let first = tenant.api.get(&path).await.ok(200);
        assert_eq!(first["status"], "running", "so many are more than a caller waits for: {first}");
        let mut sweeps = 0;
        let done = until("the recovery to be done", PATIENCE, || {
            sweeps += 1;
            async {
                world.aws.functions.sweep().await;
                let progress = tenant.api.get(&path).await.ok(200);
                if progress["status"] == "done" { Ok(progress) } else { Err(progress.to_string()) }
            }
        })
        .await;
        say(&format!(
            "recovered {} of {} in {:.0?}, {sweeps} sweeps; at first {}",
            done["requeued"],
            done["found"],
            begun.elapsed(),
            first["requeued"]
        ));
        // The stack's own sweep may have run beside ours; whoever began a round sent its message. Other tests' retries
        // may wait there too, but not many.
        let waiting = world.aws.waiting(retry).await;
        assert!((missed..missed + 100).contains(&waiting), "{waiting} messages, each once: {done}");
        assert_eq!(tenant.deliveries(&webhook, "status=failed&limit=100").await.len(), 0);
        let again = tenant.deliveries(&webhook, "status=retrying&limit=100").await;
        assert_eq!(again.len() as u64, missed);
        assert!(again.iter().all(|delivery| delivery["reason"].is_null()));
        assert!(done["found"].as_u64() <= Some(missed) && done["requeued"].as_u64() <= done["found"].as_u64());
        // The test is over for all but a few: they are neither sent, nor shall the sweep bring them.
        let sample = messages_of(&webhook, world.aws.peek(retry).await);
        world.aws.purge(retry).await;
        let others = rows.iter().map(|row| row.id.as_str()).filter(|row| sample.iter().all(|(id, _)| id != row));
        world.aws.rows.delete_deliveries(others).await;
        for (_, message) in &sample {
            world.aws.send_retry(message).await;
        }
        sample
    })
    .await;
    assert!(!sample.is_empty());
    for (id, _) in &sample {
        until("a delivery of the sample", SOON, || async {
            let delivery = tenant.delivery(id).await;
            if delivery["status"] == "succeeded" { Ok(()) } else { Err(delivery.to_string()) }
        })
        .await;
        // These rows tell of six attempts and hold none; the counter goes on from there.
        assert_eq!(world.aws.rows.delivery(id).await.expect("the row is there")["attempt"], n(7));
    }
    assert_eq!(receiver.requests().len(), 1 + sample.len());
    assert!(receiver.requests().iter().all(|post| post.event_id() == event));
}
