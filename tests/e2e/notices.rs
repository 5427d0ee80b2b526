//! Notices of deliveries that failed: who hears of them, what they say, and that each failure is told of once.
//!
//! A notice's row is written with the failure, so as soon as a delivery is seen as failed the tenant's event rows tell how many there
//! are: no test has to wait for one that does not come.

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::time::instant;
use crate::support::{Receiver, Reply, SOON, Tenant, World};

const NOTICE: &str = "webhook.delivery_failed";

/// A tenant whose webhooks speak the standard dialect, and a receiver behind one that asks for this.
async fn with_one_that_asks(world: &World, patterns: &[&str]) -> (Tenant, Receiver) {
    let tenant = world.tenant_on("standard", "pro").await;
    let told = Receiver::start(world.stack).await;
    tenant.webhook(&told.url("/"), patterns).await;
    (tenant, told)
}

/// A webhook for invoices with this retry schedule.
async fn failing(tenant: &Tenant, receiver: &Receiver, schedule: &[u32]) -> String {
    let body = json!({"url": receiver.url("/"), "events": ["invoice.*"], "retry_schedule": schedule});
    tenant.create(&body).await
}

/// Publishes an invoice; its event's id, and its delivery's to the webhook.
async fn invoice(tenant: &Tenant, webhook: &str) -> (String, String) {
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let delivery = tenant.delivery_of(&event, webhook).await;
    (event, delivery)
}

/// How many notices a tenant's events are, beside so many invoices.
async fn notices(world: &World, tenant: &Tenant, invoices: usize) -> usize {
    world.aws.rows.all_events_of(&tenant.id).await - invoices
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_ends_without_success_is_told_of_once() {
    for (schedule, attempts) in [(&[][..], 1), (&[1], 2)] {
        let world = World::open();
        let (tenant, told) = with_one_that_asks(&world, &[NOTICE]).await;
        let receiver = Receiver::scripted(world.stack, [], Reply::Status(503)).await;
        let webhook = failing(&tenant, &receiver, schedule).await;
        let (event, id) = invoice(&tenant, &webhook).await;
        let delivery = tenant.settled(&id, "failed", attempts).await;
        assert_eq!(notices(&world, &tenant, 1).await, 1);
        let notice = told.only(SOON).await;
        let said = notice.json();
        let expected = json!({
            "webhook_id": webhook,
            "delivery_id": id,
            "event_id": event,
            "event": "invoice.paid",
            "reason": "attempts_exhausted",
            "attempts": attempts,
            "last_outcome": "status_503",
            "status_code": 503,
            "failed_at": said["data"]["failed_at"],
        });
        assert_eq!((&said["type"], &said["data"]), (&json!(NOTICE), &expected));
        let last = &delivery["attempts"][attempts - 1];
        assert!(instant(text(&said["data"], "failed_at")) >= instant(text(last, "at")), "{said} {last}");
        assert_eq!(receiver.requests().len(), attempts, "the webhook that fails asks for invoices alone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_further_round_that_fails_is_told_of_once_more_and_one_that_succeeds_is_not() {
    let world = World::open();
    let (tenant, told) = with_one_that_asks(&world, &[NOTICE]).await;
    let script = [Reply::Status(500), Reply::Status(404), Reply::Status(200)];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(500)).await;
    let webhook = failing(&tenant, &receiver, &[]).await;
    let (_, id) = invoice(&tenant, &webhook).await;
    for (attempts, status, rounds_that_failed) in [(1, "failed", 1), (2, "failed", 2), (3, "succeeded", 2)] {
        if attempts > 1 {
            tenant.api.post(&format!("/v1/deliveries/{id}/retry"), &json!({})).await.ok(202);
        }
        tenant.settled(&id, status, attempts).await;
        assert_eq!(notices(&world, &tenant, 1).await, rounds_that_failed);
    }
    let mut said: Vec<Value> = told.wait_for(2, SOON).await.iter().map(|post| post.json()["data"].clone()).collect();
    said.sort_by_key(|data| text(data, "failed_at").to_owned());
    let outcomes = said.iter().map(|data| (text(data, "last_outcome"), data["attempts"].as_u64()));
    assert_eq!(outcomes.collect::<Vec<_>>(), [("status_500", Some(1)), ("status_404", Some(1))], "each of its round");
    assert_eq!(told.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_is_told_of_beside_the_disabling_and_what_is_cancelled_then_is_not() {
    let world = World::open();
    let (tenant, told) = with_one_that_asks(&world, &["webhook.disabled", NOTICE]).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(410)).await;
    let webhook = failing(&tenant, &receiver, &[60]).await;
    let (_, id) = invoice(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    let posts: Vec<Value> = told.wait_for(2, SOON).await.iter().map(|post| post.json()).collect();
    let of = |own: &str| posts.iter().find(|post| post["type"] == own).expect("both are told")["data"].clone();
    assert_eq!(of("webhook.disabled")["webhook_id"], webhook);
    let failed = of(NOTICE);
    assert_eq!((&failed["reason"], &failed["status_code"]), (&json!("endpoint_gone"), &json!(410)));
    let (_, cancelled) = invoice(&tenant, &webhook).await;
    tenant.settled(&cancelled, "cancelled", 0).await;
    assert_eq!((notices(&world, &tenant, 2).await, told.requests().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_failing_of_a_notice_is_told_to_nobody() {
    let world = World::open();
    // The webhook that asks fails, too, and a second one listens.
    let (tenant, told) = with_one_that_asks(&world, &[NOTICE]).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let events = ["invoice.*", NOTICE];
    let body = json!({"url": receiver.url("/"), "events": events, "retry_schedule": []});
    let webhook = tenant.create(&body).await;
    let (_, id) = invoice(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    let notice = told.only(SOON).await;
    let id = notice.header("webhook-id").expect("Standard Webhooks names the event");
    let of_the_notice = tenant.delivery_of(id, &webhook).await;
    tenant.settled(&of_the_notice, "failed", 1).await;
    tenant.api.post(&format!("/v1/deliveries/{of_the_notice}/retry"), &json!({})).await.ok(202);
    tenant.settled(&of_the_notice, "failed", 2).await;
    assert_eq!(notices(&world, &tenant, 1).await, 1, "one for the invoice, and none for the notice");
    assert_eq!((told.requests().len(), receiver.requests().len()), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_own_tenants_webhooks_hear_of_it_that_ask_by_name() {
    let world = World::open();
    let (tenant, everything) = with_one_that_asks(&world, &["*"]).await;
    let (other, others) = with_one_that_asks(&world, &[NOTICE]).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = failing(&tenant, &receiver, &[]).await;
    let (_, id) = invoice(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    assert_eq!(notices(&world, &tenant, 1).await, 0, "nobody asks, so nothing is written");
    // Whoever asks hears of his own alone.
    let webhook = failing(&other, &receiver, &[]).await;
    let (_, of_other) = invoice(&other, &webhook).await;
    let said = others.only(SOON).await.json();
    assert_eq!((&said["type"], &said["data"]["delivery_id"]), (&json!(NOTICE), &json!(of_other)));
    assert_eq!((notices(&world, &tenant, 1).await, notices(&world, &other, 1).await), (0, 1));
    assert_eq!(everything.only(SOON).await.json()["type"], "invoice.paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postrider_failed_at_is_told_of_too() {
    let world = World::open();
    let (tenant, told) = with_one_that_asks(&world, &[NOTICE]).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = failing(&tenant, &receiver, &[3600]).await;
    let (_, id) = invoice(&tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let message = world.aws.message(&id, 2).await;
    world.aws.rows.set_delivery(&id, "internal", crate::support::rows::n(3)).await;
    world.aws.send(&world.stack.queues.dead, &message).await;
    world.aws.functions.invoke("sweep", &json!({})).await;
    let delivery = tenant.settled(&id, "failed", 2).await;
    assert_eq!(delivery["reason"], "internal_failures");
    let said = told.only(SOON).await.json();
    assert_eq!(
        (&said["data"]["reason"], &said["data"]["last_outcome"]),
        (&json!("internal_failures"), &json!("internal"))
    );
    assert_eq!(notices(&world, &tenant, 1).await, 1);
}
