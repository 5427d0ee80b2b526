//! What SQS gave up on, and what nobody can read: on record or in quarantine, never in the way of others.

use serde_json::{Value, json};

use crate::chaos::{
    alone, assert_told, core_of, delivery_to, one_delivery, then, with_proxy, with_short_visibility, without_mapping,
};
use crate::support::proxy::{Proxy, Spoil};
use crate::support::rows::{Row, ago, s};
use crate::support::{Receiver, Reply, SOON, Tenant, World, canary, until};

/// How often SQS hands a message out before it goes to the dead-letter queue.
const RECEIVES: usize = 5;
const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

/// The delivery once sweeps have recorded so many attempts.
async fn swept(world: &World, tenant: &Tenant, id: &str, attempts: usize) -> Value {
    until(&format!("the sweep to record attempt {attempts}"), MINUTE, || async {
        world.aws.functions.sweep().await;
        let delivery = tenant.delivery(id).await;
        let made = delivery["attempts"].as_array().map_or(0, Vec::len);
        if made == attempts { Ok(delivery) } else { Err(delivery.to_string()) }
    })
    .await
}

/// The note in quarantine that mentions `part`, once sweeps or fan-out have put it there.
async fn quarantined(world: &World, part: &str) -> Value {
    let queue = &world.stack.queues.quarantine;
    let note = until(&format!("a note about {part}"), MINUTE, || async {
        world.aws.functions.sweep().await;
        world.aws.take(queue, part).await.ok_or_else(|| "none".to_owned())
    })
    .await;
    serde_json::from_str(&note).expect("a note should be JSON")
}

fn with_attempt(message: &str, attempt: usize) -> String {
    let mut message: Value = serde_json::from_str(message).expect("a message should be JSON");
    message["attempt"] = json!(attempt);
    message.to_string()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn an_attempt_that_keeps_failing_us_costs_the_endpoint_none_of_its_own() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]});
    let webhook = tenant.create(&body).await;
    let proxy = Proxy::start(world.stack).await;
    proxy.spoil("UpdateItem", core_of(&webhook), u32::MAX, Spoil::Refuse(500, "InternalServerError"));
    let id = with_short_visibility(
        &world,
        2,
        with_proxy(&world, "deliver", &proxy, async {
            let (_, id) = delivery_to(&tenant, &webhook).await;
            let delivery = swept(&world, &tenant, &id, 1).await;
            assert_eq!(delivery["status"], "retrying", "{delivery}");
            id
        }),
    )
    .await;
    let posts = receiver.requests().len();
    assert!((1..=RECEIVES).contains(&posts), "{posts} POSTs");

    // Its own two attempts are all there still.
    world.aws.attempt_now(&id, 2).await;
    tenant.settled(&id, "retrying", 2).await;
    world.aws.attempt_now(&id, 3).await;
    let delivery = tenant.settled(&id, "failed", 3).await;
    assert_eq!(delivery["reason"], "attempts_exhausted");
    assert_told(&delivery, &["internal", "status_500", "status_500"], &receiver, posts + 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn three_internal_failures_are_survived_and_the_fourth_ends_it() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let (_, id) = one_delivery(&tenant, &receiver).await;
    let message = world.aws.message(&id, 2).await;
    for attempt in 2..=5 {
        // Twice, and with one that is long past: a letter too many must change nothing.
        for number in [attempt, 1, attempt] {
            world.aws.send(&world.stack.queues.dead, &with_attempt(&message, number)).await;
        }
        let delivery = swept(&world, &tenant, &id, attempt).await;
        if attempt < 5 {
            assert_eq!((&delivery["status"], &delivery["reason"]), (&json!("retrying"), &Value::Null));
            assert!(delivery["next_attempt_at"].is_string(), "the delivery goes on: {delivery}");
            world.aws.schedule(&id, u32::try_from(attempt).expect("a small number") + 1).await;
        }
    }
    world.aws.functions.sweep().await;
    let delivery = tenant.delivery(&id).await;
    assert_eq!((&delivery["status"], &delivery["reason"]), (&json!("failed"), &json!("internal_failures")));
    let internal = "internal";
    assert_told(&delivery, &["status_500", internal, internal, internal, internal], &receiver, 1);

    tenant.api.post(&format!("/v1/deliveries/{id}/retry"), &json!({})).await.ok(202);
    let delivery = tenant.settled(&id, "succeeded", 6).await;
    assert_told(&delivery, &["status_500", internal, internal, internal, internal, "succeeded"], &receiver, 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn messages_that_nobody_understands_end_in_quarantine_and_hold_up_nobody() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    with_short_visibility(&world, 1, async {
        let (_, id) = one_delivery(&tenant, &receiver).await;
        let message = world.aws.message(&id, 2).await;
        let mut future: Value = serde_json::from_str(&message).expect("a message should be JSON");
        future["v"] = json!(9);
        // In one batch with a good one, straight into the dead-letter queue, and from a version to come.
        let garbage = "garbage of the retry queue";
        world.aws.send_retry_batch(&[garbage.to_owned(), message, future.to_string()]).await;
        world.aws.send(&world.stack.queues.dead, "garbage of the dead-letter queue").await;
        let delivery = tenant.settled(&id, "succeeded", 2).await;
        assert_told(&delivery, &["status_500", "succeeded"], &receiver, 2);

        for part in ["garbage of the retry queue", "garbage of the dead-letter queue"] {
            let note = quarantined(&world, part).await;
            assert_eq!((&note["source"], &note["body"]), (&json!("dead letters"), &json!(part)), "{note}");
            assert!(note["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{note}");
        }
        let note = quarantined(&world, &id).await;
        assert_eq!(note["reason"], "version 9 is not understood here");
        assert_eq!(receiver.requests().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_poison_event_row_waits_in_quarantine_until_it_is_mended() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let key = format!("evt_poison{}", tenant.id.trim_start_matches("ten_"));
    let row = |data: &str| -> Row {
        let expires_at = aws_sdk_dynamodb::types::AttributeValue::N("4102444800".to_owned());
        let texts = [("tenant_id", tenant.id.as_str()), ("id", &key), ("event", "dubbing.completed"), ("data", data)];
        let texts = texts.map(|(name, value)| (name.to_owned(), s(value)));
        let rest = [("timestamp".to_owned(), s(ago(0))), ("expires_at".to_owned(), expires_at)];
        texts.into_iter().chain(rest).collect()
    };
    world.aws.rows.put_event(row(concat!("{no JSON: ", canary!("data")))).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    assert_eq!(receiver.only(SOON).await.event_id(), event, "the next event passes it by");

    let quarantine = &world.stack.queues.quarantine;
    let note = quarantined(&world, &key).await;
    assert_eq!(note["source"], "events stream");
    assert_eq!(note["keys"], json!({"tenant_id": tenant.id, "id": key}));
    assert!(note["reason"].as_str().is_some_and(|reason| reason.contains("data")), "{note}");
    assert!(!note.to_string().contains(canary!("data")), "a note carries no data: {note}");

    let before = world.aws.visibility(quarantine).await;
    world.aws.set_visibility(quarantine, 1).await;
    then(
        async {
            world.aws.send(quarantine, &note.to_string()).await;
            let asked = json!({"redrive": true});
            let redrive = || world.aws.functions.invoke("fanout", &asked);
            assert_eq!(redrive().await, json!({"redriven": 0, "left": 1}), "still poison");
            world.aws.rows.put_event(row(r#"{"mended":true}"#)).await;
            until("the mended row to be brought back", SOON, || async {
                let answer = redrive().await;
                if answer["redriven"] == 1 { Ok(()) } else { Err(answer.to_string()) }
            })
            .await;
        },
        world.aws.set_visibility(quarantine, before),
    )
    .await;
    let id = tenant.delivery_of(&key, &webhook).await;
    tenant.settled(&id, "succeeded", 1).await;
    let received: Vec<_> = receiver.requests().iter().map(crate::support::request::Received::event_id).collect();
    assert_eq!(received, [event, key]);
}

/// Why a row's times were refused lies in the row, and goes once it is mended.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_row_of_another_time_is_an_event_once_it_is_mended() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let id = format!("evt_late{}", tenant.id.trim_start_matches("ten_"));
    let texts = [("tenant_id", tenant.id.as_str()), ("id", &id), ("event", "dubbing.completed"), ("data", "{}")];
    let mut row: Row = texts.map(|(name, value)| (name.to_owned(), s(value))).into();
    row.insert("timestamp".to_owned(), s(ago(2 * 86_400)));
    row.insert("expires_at".to_owned(), aws_sdk_dynamodb::types::AttributeValue::N("4102444800".to_owned()));
    world.aws.rows.put_event(row).await;
    let note = quarantined(&world, &id).await;
    let path = format!("/v1/events/{id}");
    let told = tenant.api.get(&path).await.refused(404, "not_found");
    assert!(told["message"].as_str().is_some_and(|message| message.contains("`timestamp`")), "{told}");
    world.aws.rows.amend_event(&tenant.id, &id, "timestamp", s(ago(0))).await;
    tenant.api.get(&path).await.refused(404, "not_found");
    world.aws.send(&world.stack.queues.quarantine, &note.to_string()).await;
    until("the mended row to be brought back", SOON, || async {
        let answer = world.aws.functions.invoke("fanout", &json!({"redrive": true})).await;
        if answer["redriven"].as_u64() > Some(0) { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
    assert_eq!(receiver.only(SOON).await.event_id(), id);
    tenant.api.get(&path).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_row_that_cannot_be_read_holds_up_nobody() {
    let (world, _guard) = alone().await;
    let (tenant, unlucky) = (world.tenant().await, world.tenant().await);
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let (_, good) = one_delivery(&tenant, &receiver).await;
    let (_, bad) = one_delivery(&unlucky, &receiver).await;
    let messages = [world.aws.message(&bad, 2).await, world.aws.message(&good, 2).await];
    world.aws.rows.break_delivery(&bad).await;
    let retry = world.stack.queues.retry.rsplit('/').next().expect("a queue's URL ends with its name");
    let dead = &world.stack.queues.dead;
    let before = world.aws.visibility(dead).await;
    let work = with_short_visibility(&world, 1, async {
        // Collected first, so that they reach the function together.
        without_mapping(&world, "deliver", retry, world.aws.send_retry_batch(&messages)).await;
        tenant.settled(&good, "retrying", 2).await;
        // The broken one fails us until SQS and then the sweep give it up; a person finds it in quarantine.
        world.aws.set_visibility(dead, 1).await;
        let note = quarantined(&world, &bad).await;
        assert!(note["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{note}");
    });
    then(work, world.aws.set_visibility(dead, before)).await;
    assert_eq!(receiver.requests().len(), 3, "a row that cannot be read makes no POST");
    // Overdue, it stands before the others in the sweep's eyes, and hides none of them.
    world.aws.rows.overdue_ago(&bad, 600).await;
    world.aws.rows.due_ago(&good, 300).await;
    world.aws.functions.sweep().await;
    tenant.settled(&good, "retrying", 3).await;
    let (_, next) = one_delivery(&unlucky, &receiver).await;
    unlucky.settled(&next, "retrying", 1).await;
    // Its schedule is still to fire, and would fail the tests that follow.
    world.aws.rows.delete_deliveries([bad.as_str()].into_iter()).await;
}
