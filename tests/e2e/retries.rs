//! Failing and trying again: nur's retry schedule to the second, the same event at every attempt, the end after the sixth.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::openssl::hmac_sha256;
use crate::support::schedule::assert_schedule;
use crate::support::time::instant;
use crate::support::{Receiver, Reply, SOON, World, until};

const EVENT: &str = "dubbing.completed";
/// 1 min, 5 min, 30 min, 2 h, 24 h: the page's table.
const INTERVALS: [i64; 5] = [60, 300, 1800, 7200, 86400];

fn outcomes(delivery: &Value) -> Vec<(u64, &str)> {
    let attempts = delivery["attempts"].as_array().expect("attempts should be an array");
    let number = |attempt: &Value| attempt["number"].as_u64().expect("an attempt should have a number");
    attempts.iter().map(|attempt| (number(attempt), text(attempt, "outcome"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_failures_and_a_success_are_one_event_in_three_attempts() {
    let world = World::open();
    let tenant = world.tenant().await;
    let script = [Reply::Status(500), Reply::Full(503, vec![], b"busy, come back".to_vec())];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let secret = "whsec_your_signing_secret";
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "secret": secret})).await;
    let event = tenant.publish(EVENT, &json!({"job": 1})).await;
    let id = tenant.delivery_of(&event, &webhook).await;

    let delivery = tenant.settled(&id, "retrying", 1).await;
    assert_schedule(&world, &delivery, 1, INTERVALS[0]).await;
    world.aws.attempt_now(&id, 2).await;
    let delivery = tenant.settled(&id, "retrying", 2).await;
    assert_eq!(delivery["attempts"][1]["response_excerpt"], "busy, come back");
    assert_schedule(&world, &delivery, 2, INTERVALS[1]).await;
    world.aws.attempt_now(&id, 3).await;
    let delivery = tenant.settled(&id, "succeeded", 3).await;

    assert_eq!(outcomes(&delivery), [(1, "status_500"), (2, "status_503"), (3, "succeeded")]);
    let codes: Vec<_> = (0..3).map(|i| delivery["attempts"][i]["status_code"].as_u64()).collect();
    assert_eq!(codes, [Some(500), Some(503), Some(200)]);
    assert_eq!(delivery["next_attempt_at"], Value::Null);
    assert_eq!(world.aws.find_schedule(&id, 4).await, None, "nothing follows a success");

    let received = receiver.requests();
    assert_eq!(received.len(), 3);
    let signature = format!("sha256={}", hmac_sha256(secret, &received[0].body));
    for request in &received {
        assert_eq!(request.event_id(), event);
        assert_eq!(request.body, received[0].body, "every attempt sends the same bytes");
        assert_eq!(request.header("x-nur-signature"), Some(signature.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_five_seconds_comes_after_five_to_seven() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [5]})).await;
    let event = tenant.publish(EVENT, &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    let delivery = tenant.settled(&id, "succeeded", 2).await;
    let [first, second] = [0, 1].map(|number| &delivery["attempts"][number]);
    let took = SignedDuration::from_millis(first["duration_ms"].as_i64().expect("an attempt has a duration"));
    let waited = instant(text(second, "at")).duration_since(instant(text(first, "at")) + took);
    assert!((5_000..=7_000).contains(&waited.as_millis()), "{waited:#}: {delivery}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_brings_the_second_attempt_by_itself_and_is_gone() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish(EVENT, &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    let due = tenant.settled(&id, "retrying", 1).await;
    let due = instant(text(&due, "next_attempt_at"));

    // The minute of the retry schedule, and the scheduler's precision of another.
    let delivery = tenant.settled_within(&id, "succeeded", 2, Duration::from_secs(125)).await;
    let second = instant(text(&delivery["attempts"][1], "at"));
    assert!((due..due + SignedDuration::from_secs(60)).contains(&second), "due at {due}, tried at {second}");
    assert_eq!(receiver.requests().len(), 2);
    until("the used schedule to be gone", SOON, || async {
        if world.aws.find_schedule(&id, 2).await.is_none() { Ok(()) } else { Err("still there".to_owned()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sixth_failure_is_the_last() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish(EVENT, &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;

    for (number, interval) in (1..).zip(INTERVALS) {
        let delivery = tenant.settled(&id, "retrying", number as usize).await;
        assert_schedule(&world, &delivery, number, interval).await;
        world.aws.attempt_now(&id, number + 1).await;
    }
    let delivery = tenant.settled(&id, "failed", 6).await;
    assert_eq!(outcomes(&delivery), (1..=6).map(|number| (number, "status_500")).collect::<Vec<_>>());
    assert_eq!(delivery["next_attempt_at"], Value::Null);
    assert_eq!(world.aws.find_schedule(&id, 7).await, None);

    let received = receiver.requests();
    assert_eq!(received.len(), 6);
    assert!(received.iter().all(|request| request.event_id() == event));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_an_attempt_that_is_not_next_makes_no_post() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish(EVENT, &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;

    let second = world.aws.message(&id, 2).await;
    let with_attempt = |attempt: u32| {
        let mut message: Value = serde_json::from_str(&second).expect("the message should be JSON");
        message["attempt"] = json!(attempt);
        message.to_string()
    };
    // Made already, and not yet due: neither is the one that the ledger waits for.
    world.aws.send_retry(&with_attempt(1)).await;
    world.aws.send_retry(&with_attempt(5)).await;
    world.aws.send_retry(&second).await;
    tenant.settled(&id, "retrying", 2).await;
    world.aws.send_retry(&second).await;
    world.aws.send_retry(&second).await;
    world.aws.attempt_now(&id, 3).await;

    let delivery = tenant.settled(&id, "retrying", 3).await;
    assert_eq!(outcomes(&delivery).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(receiver.requests().len(), 3, "one POST per attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_and_retry_after_change_nothing() {
    let world = World::open();
    let tenant = world.tenant().await;
    let later = vec![("retry-after", "7200".to_owned())];
    let script = [Reply::Full(410, later.clone(), vec![]), Reply::Full(429, later, vec![])];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish(EVENT, &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;

    let delivery = tenant.settled(&id, "retrying", 1).await;
    assert_schedule(&world, &delivery, 1, INTERVALS[0]).await;
    world.aws.attempt_now(&id, 2).await;
    let delivery = tenant.settled(&id, "retrying", 2).await;
    assert_schedule(&world, &delivery, 2, INTERVALS[1]).await;
    assert_eq!(outcomes(&delivery), [(1, "status_410"), (2, "status_429")]);
    assert_eq!(tenant.api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200)["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answers_excerpt_is_short_until_the_last_attempt() {
    let world = World::open();
    let tenant = world.tenant().await;
    let page = "<p>Dienst überlastet ".repeat(500);
    let receiver = Receiver::scripted(world.stack, [], Reply::Full(500, vec![], page.clone().into_bytes())).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish(EVENT, &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    for number in 1..=5 {
        tenant.settled(&id, "retrying", number as usize).await;
        world.aws.attempt_now(&id, number + 1).await;
    }
    let delivery = tenant.settled(&id, "failed", 6).await;
    let lengths: Vec<_> = (0..6)
        .map(|index| {
            let excerpt = text(&delivery["attempts"][index], "response_excerpt");
            assert!(page.starts_with(excerpt), "{excerpt}");
            excerpt.len()
        })
        .collect();
    assert!(lengths[..5].iter().all(|&length| (250..=256).contains(&length)), "{lengths:?}");
    assert!((1018..=1024).contains(&lengths[5]), "{lengths:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_endpoints_failure_is_not_anothers() {
    let world = World::open();
    let tenant = world.tenant().await;
    let (good, bad) =
        (Receiver::start(world.stack).await, Receiver::scripted(world.stack, [], Reply::Status(500)).await);
    let at_good = tenant.webhook(&good.url("/"), &["*"]).await;
    let at_bad = tenant.webhook(&bad.url("/"), &["*"]).await;
    let event = tenant.publish(EVENT, &json!({})).await;
    let failing = tenant.delivery_of(&event, &at_bad).await;
    tenant.settled(&failing, "retrying", 1).await;
    let succeeding = tenant.delivery_of(&event, &at_good).await;
    tenant.settled(&succeeding, "succeeded", 1).await;

    world.aws.attempt_now(&failing, 2).await;
    tenant.settled(&failing, "retrying", 2).await;
    assert_eq!(bad.requests().len(), 2);
    assert_eq!(good.only(SOON).await.event_id(), event, "the retry is the failing endpoint's alone");
}
