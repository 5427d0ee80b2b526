//! What somebody asks for while a POST is out: the POST is on record all the same, and a success that a receiver gave counts.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::again::{act, deliver, listed, outcomes};
use crate::support::api::text;
use crate::support::receiver::Gate;
use crate::support::rows::n;
use crate::support::world::publishing;
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

/// A delivery whose first attempt is at its receiver, held there.
async fn held(tenant: &Tenant, receiver: &Receiver) -> String {
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let id = deliver(tenant, &webhook).await;
    receiver.wait_for(1, SOON).await;
    id
}

/// The delivery once it shows so many attempts.
async fn with_attempts(tenant: &Tenant, id: &str, count: usize) -> Value {
    until(&format!("{id} to show {count} attempts"), SOON, || async {
        let delivery = tenant.delivery(id).await;
        if outcomes(&delivery).len() == count { Ok(delivery) } else { Err(delivery.to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_in_flight() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let receiver = Receiver::scripted(world.stack, [], Reply::Held(gate.clone())).await;
    let id = held(&tenant, &receiver).await;
    assert_eq!(act(&tenant, &id, "cancel").await.ok(202)["status"], "cancelled");
    gate.open();
    let delivery = tenant.settled(&id, "succeeded", 1).await;
    assert_eq!((&delivery["reason"], &delivery["next_attempt_at"]), (&Value::Null, &Value::Null), "{delivery}");
    assert_eq!(outcomes(&delivery), [(1, "succeeded")]);
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_fails_after_its_cancellation_is_on_record_and_no_more() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let receiver = Receiver::scripted(world.stack, [], Reply::HeldAs(gate.clone(), 503)).await;
    let id = held(&tenant, &receiver).await;
    act(&tenant, &id, "cancel").await.ok(202);
    gate.open();
    let delivery = tenant.settled(&id, "cancelled", 1).await;
    assert_eq!((&delivery["reason"], &delivery["next_attempt_at"]), (&json!("cancelled_by_request"), &Value::Null));
    assert_eq!(outcomes(&delivery), [(1, "status_503")]);
    world.aws.functions.sweep().await;
    assert!(world.aws.find_schedule(&id, 2).await.is_none(), "nothing comes back");
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_under_way_retry() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let script = [Reply::Status(500)];
    let receiver = Receiver::scripted(world.stack, script, Reply::Held(gate.clone())).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [1, 60]});
    let webhook = tenant.create(&body).await;
    let id = deliver(&tenant, &webhook).await;
    receiver.wait_for(2, SOON).await;
    act(&tenant, &id, "cancel").await.ok(202);
    gate.open();
    let delivery = tenant.settled(&id, "succeeded", 2).await;
    assert_eq!(outcomes(&delivery), [(1, "status_500"), (2, "succeeded")]);
    until("the list of what is undelivered to be empty", SOON, || async {
        let found = listed(&tenant, "status=undelivered").await;
        if found.is_empty() { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_storm() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::HeldAs(gate.clone(), 500)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    let mut taken = 0;
    let storm = async |count: u32, taken: &mut u32| {
        for _ in 0..count {
            let answer = act(&tenant, &id, "retry").await;
            match answer.status {
                202 => *taken += 1,
                _ => drop(answer.refused(409, "conflict")),
            }
        }
    };
    storm(20, &mut taken).await;
    receiver.wait_for(2, SOON).await;
    storm(20, &mut taken).await;
    gate.open();
    let delivery = tenant.settled(&id, "failed", 2).await;
    assert_eq!(taken, 1, "one was taken, and the others changed nothing");
    assert_eq!(outcomes(&delivery), [(1, "status_500"), (2, "status_500")]);
    assert_eq!(receiver.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn resend_while_retry_under_way() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let script = [Reply::Status(503), Reply::Held(gate.clone())];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(409)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [1]})).await;
    let id = deliver(&tenant, &webhook).await;
    receiver.wait_for(2, SOON).await;
    act(&tenant, &id, "retry").await.refused(409, "conflict");
    gate.open();
    let delivery = tenant.settled(&id, "succeeded", 2).await;
    assert_eq!(outcomes(&delivery), [(1, "status_503"), (2, "succeeded")]);
    assert_eq!(receiver.requests().len(), 2);
}

/// An attempt is out before its time; its owner cannot know, and asks for a new round.
#[tokio::test(flavor = "multi_thread")]
async fn a_success_that_a_new_round_overtook_is_not_lost() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let script = [Reply::Status(500), Reply::Held(gate.clone())];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(500)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600, 3600]});
    let webhook = tenant.create(&body).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    world.aws.attempt_now(&id, 2).await;
    receiver.wait_for(2, SOON).await;
    act(&tenant, &id, "retry").await.ok(202);
    receiver.wait_for(3, SOON).await;
    with_attempts(&tenant, &id, 2).await;
    gate.open();
    // Numbered as they began, whichever was on record first.
    let delivery = tenant.settled(&id, "succeeded", 3).await;
    assert_eq!(outcomes(&delivery), [(1, "status_500"), (2, "succeeded"), (3, "status_500")]);
    assert_eq!((&delivery["reason"], &delivery["next_attempt_at"]), (&Value::Null, &Value::Null));
    // What the new round had scheduled makes no POST any more.
    world.aws.attempt_now(&id, 3).await;
    let other = deliver(&tenant, &webhook).await;
    tenant.settled(&other, "retrying", 1).await;
    assert_eq!(receiver.requests().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_a_new_round_overtook_uses_up_none_of_it() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let script = [Reply::Status(500), Reply::HeldAs(gate.clone(), 502), Reply::Status(500), Reply::Status(500)];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600, 3600]});
    let webhook = tenant.create(&body).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let of_the_first_round = world.aws.message(&id, 2).await;
    world.aws.send_retry(&of_the_first_round).await;
    receiver.wait_for(2, SOON).await;
    act(&tenant, &id, "retry").await.ok(202);
    receiver.wait_for(3, SOON).await;
    gate.open();
    with_attempts(&tenant, &id, 3).await;
    world.aws.send_retry(&of_the_first_round).await;
    world.aws.attempt_now(&id, 3).await;
    with_attempts(&tenant, &id, 4).await;
    world.aws.attempt_now(&id, 4).await;
    let delivery = tenant.settled(&id, "succeeded", 5).await;
    let told = ["status_500", "status_502", "status_500", "status_500", "succeeded"];
    assert_eq!(outcomes(&delivery).iter().map(|(_, outcome)| *outcome).collect::<Vec<_>>(), told);
    assert_eq!(receiver.requests().len(), 5, "the first round's message made no POST in the second");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_that_meet_in_two_functions_are_both_on_record() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Held(gate.clone())).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let message = world.aws.message(&id, 2).await;
    world.aws.send_retry(&message).await;
    receiver.wait_for(2, SOON).await;
    world.aws.send_retry(&message).await;
    receiver.wait_for(3, SOON).await;
    gate.open();
    let delivery = tenant.settled(&id, "succeeded", 3).await;
    assert_eq!(outcomes(&delivery), [(1, "status_500"), (2, "succeeded"), (3, "succeeded")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_time_is_over_is_not_made_again() {
    let world = World::open();
    let (tenant, gate) = (world.tenant().await, Gate::shut());
    let receiver = Receiver::scripted(world.stack, [], Reply::Held(gate.clone())).await;
    let id = held(&tenant, &receiver).await;
    world.aws.rows.delete_deliveries([id.as_str()].into_iter()).await;
    gate.open();
    until("deliver to find that its row is gone", SOON, || async {
        let log = world.aws.functions.log("deliver").await;
        let told = log.iter().any(|line| line.contains("delivery.gone") && line.contains(&id));
        if told { Ok(()) } else { Err(format!("{} lines", log.len())) }
    })
    .await;
    assert_eq!(world.aws.rows.delivery(&id).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_disabled_or_deleted_meanwhile_keeps_its_record() {
    let world = World::open();
    for deletes in [false, true] {
        let (tenant, gate) = (world.tenant().await, Gate::shut());
        let receiver = Receiver::scripted(world.stack, [], Reply::HeldAs(gate.clone(), 500)).await;
        let id = held(&tenant, &receiver).await;
        let path = format!("/v1/webhooks/{}", text(&tenant.delivery(&id).await, "webhook_id"));
        match deletes {
            true => drop(tenant.api.delete(&path).await.ok(204)),
            false => drop(tenant.api.patch(&path, &json!({"status": "disabled"})).await.ok(200)),
        }
        gate.open();
        tenant.settled(&id, "retrying", 1).await;
        world.aws.attempt_now(&id, 2).await;
        let delivery = tenant.settled(&id, "cancelled", 1).await;
        assert_eq!(delivery["reason"], if deletes { "webhook_deleted" } else { "webhook_disabled" });
        assert_eq!(outcomes(&delivery), [(1, "status_500")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_version_without_rounds_is_good_for_its_number() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let mut message: Value = serde_json::from_str(&world.aws.message(&id, 2).await).expect("a message is JSON");
    assert_eq!(message["round"], 1);
    message["round"] = json!(7);
    world.aws.send_retry(&message.to_string()).await;
    message.as_object_mut().expect("an object").remove("round");
    world.aws.send_retry(&message.to_string()).await;
    tenant.settled(&id, "succeeded", 2).await;
    assert_eq!(receiver.requests().len(), 2);
}

/// What a receiver says counts for its webhook, whatever has become of the delivery meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_counts_for_the_webhooks_health() {
    let world = World::open();
    let mut tenant = world.tenant().await;
    let key = world.key(&tenant.id, &publishing("standard")).await;
    tenant.api = world.anonymous.with_key(text(&key, "key"));
    let gate = Gate::shut();
    let receiver = Receiver::scripted(world.stack, [], Reply::HeldAs(gate.clone(), 410)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let id = deliver(&tenant, &webhook).await;
    receiver.wait_for(1, SOON).await;
    act(&tenant, &id, "cancel").await.ok(202);
    gate.open();
    let delivery = tenant.settled(&id, "cancelled", 1).await;
    assert_eq!(outcomes(&delivery), [(1, "status_410")]);
    until("the webhook to be disabled", SOON, || async {
        let webhook = tenant.api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200);
        if webhook["status"] == "disabled" { Ok(()) } else { Err(webhook.to_string()) }
    })
    .await;
}

/// What an earlier URL says does not count for the present one.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_the_url_before_disables_nothing() {
    let world = World::open();
    let mut tenant = world.tenant().await;
    let key = world.key(&tenant.id, &publishing("standard")).await;
    tenant.api = world.anonymous.with_key(text(&key, "key"));
    let gate = Gate::shut();
    let receiver = Receiver::scripted(world.stack, [Reply::HeldAs(gate.clone(), 410)], Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/left"), &["*"]).await;
    let id = deliver(&tenant, &webhook).await;
    receiver.wait_for(1, SOON).await;
    let path = format!("/v1/webhooks/{webhook}");
    tenant.api.patch(&path, &json!({"url": receiver.url("/new")})).await.ok(200);
    gate.open();
    let delivery = tenant.settled(&id, "failed", 1).await;
    assert_eq!(
        delivery["attempts"][0]["url"],
        receiver.url("/left"),
        "where it was made to, though it moved meanwhile"
    );
    let other = deliver(&tenant, &webhook).await;
    tenant.settled(&other, "succeeded", 1).await;
    assert_eq!(tenant.api.get(&path).await.ok(200)["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_retries_at_once_one_is_taken() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    let answers = join_all((0..10).map(|_| act(&tenant, &id, "retry"))).await;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    assert!(answers.iter().all(|answer| matches!(answer.status, 202 | 409)), "{answers:?}");
    let delivery = tenant.settled(&id, "failed", 1 + taken).await;
    assert_eq!(outcomes(&delivery).len(), receiver.requests().len(), "a round for each that was taken, and no more");
    assert!(taken >= 1, "{answers:?}");
}

/// Whoever asks and calls off again and again, while nothing is on record yet, comes to an end.
#[tokio::test(flavor = "multi_thread")]
async fn rounds_are_bounded_whatever_is_out() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let id = deliver(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    world.aws.rows.set_delivery(&id, "round", n(99)).await;
    act(&tenant, &id, "retry").await.ok(202);
    tenant.settled(&id, "succeeded", 2).await;
    act(&tenant, &id, "retry").await.refused(409, "conflict");
}
