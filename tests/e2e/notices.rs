//! Notices of deliveries that failed: who hears of them, what they say, and that each failure is told of once, by a notice of its own
//! or among others.
//!
//! A notice's row is written with the failure, so as soon as a delivery is seen as failed the tenant's event rows tell how many there
//! are: no test has to wait for one that does not come.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::time::instant;
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

const NOTICE: &str = "webhook.delivery_failed";
/// The row of a tenant's that says of which webhooks he was told just now.
const FAILURES: &str = "FAILURES";

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
            "count": 1,
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
            // As if the minute were over in which one more would be counted.
            world.aws.rows.take(&tenant.id, FAILURES).await;
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
    assert_eq!(notices(&world, &tenant, 1).await, 1, "the bus hears of it, whoever asks");
    // Whoever asks hears of his own alone.
    let webhook = failing(&other, &receiver, &[]).await;
    let (_, of_other) = invoice(&other, &webhook).await;
    let said = others.only(SOON).await.json();
    assert_eq!((&said["type"], &said["data"]["delivery_id"]), (&json!(NOTICE), &json!(of_other)));
    assert_eq!((notices(&world, &tenant, 1).await, notices(&world, &other, 1).await), (1, 1));
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

/// What so many failures take until they are all told of: a record is counted a minute after it was written.
const COUNTED: Duration = Duration::from_secs(150);

/// How many deliveries the notices speak of that a receiver has got.
fn told_of(receiver: &Receiver) -> u64 {
    receiver.requests().iter().filter_map(|post| post.json()["data"]["count"].as_u64()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_by_the_hundred_is_told_of_once_and_then_together() {
    let world = World::open();
    let (tenant, told) = with_one_that_asks(&world, &[NOTICE]).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(422)).await;
    let webhook = failing(&tenant, &receiver, &[]).await;
    let event = json!({"event": "invoice.paid", "data": {}});
    for _ in 0..8 {
        tenant.api.post("/v1/events/batch", &json!({"events": vec![&event; 25]})).await.ok(202);
    }
    let first = told.wait_for(1, SOON).await.remove(0).json();
    assert_eq!((&first["data"]["count"], &first["data"]["webhook_id"]), (&json!(1), &json!(webhook)));
    receiver.wait_for(200, SOON).await;
    until("all of them to be told of", COUNTED, || async {
        world.aws.functions.invoke("sweep", &json!({})).await;
        match told_of(&told) {
            200 => Ok(()),
            fewer => Err(format!("{fewer} are told of")),
        }
    })
    .await;
    let said: Vec<Value> = told.requests().iter().map(|post| post.json()["data"].clone()).collect();
    assert!(said.len() <= 4, "an outage of thousands must not make thousands: {said:?}");
    let together = said.last().expect("one tells of many");
    assert!(instant(text(together, "since")) <= instant(text(together, "until")));
    // What it leads to is the list of those deliveries.
    let path = text(together, "deliveries");
    let mut listed = Vec::new();
    let mut page = tenant.api.get(&format!("{path}&limit=100")).await.ok(200);
    loop {
        listed.extend(page["deliveries"].as_array().expect("a list").iter().map(|one| text(one, "id").to_owned()));
        let Some(cursor) = page["pagination"]["next_cursor"].as_str().map(str::to_owned) else { break };
        page = tenant.api.get(&format!("{path}&limit=100&cursor={cursor}")).await.ok(200);
    }
    assert!(listed.len() as u64 >= together["count"].as_u64().expect("a count"), "{} {together}", listed.len());
    for end in ["first_delivery_id", "last_delivery_id"] {
        assert!(listed.iter().any(|id| id == text(together, end)), "{together}");
    }
    world.aws.functions.invoke("sweep", &json!({})).await;
    assert_eq!(told_of(&told), 200, "none is told of twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_services_hear_on_the_bus_of_what_no_webhook_asks_for() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let pattern = json!({
        "source": ["postrider"],
        "detail-type": ["Postrider Notice"],
        "detail": {"tenant_id": [tenant.id]},
    });
    let ear = world.aws.listen(&format!("notices-{}", tenant.id.trim_start_matches("ten_")), &pattern).await;
    let heard = async |event: &str| -> Value {
        let message = until(&format!("word of {event}"), SOON, || async {
            world.aws.take(&ear.queue, event).await.ok_or_else(|| "none".to_owned())
        })
        .await;
        serde_json::from_str::<Value>(&message).expect("an event should be JSON")["detail"].clone()
    };
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(410)).await;
    let webhook = failing(&tenant, &receiver, &[60]).await;
    let created = heard("webhook.created").await;
    assert_eq!(
        (&created["data"]["webhook_id"], &created["data"]["webhook"]["status"]),
        (&json!(webhook), &json!("active"))
    );
    assert!(text(&created["data"], "actor").starts_with("key_"), "{created}");
    let (_, id) = invoice(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    let failed = heard(NOTICE).await;
    assert_eq!((&failed["tenant_id"], &failed["event"]), (&json!(tenant.id), &json!(NOTICE)));
    assert_eq!((&failed["data"]["delivery_id"], &failed["data"]["reason"]), (&json!(id), &json!("endpoint_gone")));
    instant(text(&failed, "timestamp"));
    let disabled = heard("webhook.disabled").await;
    assert_eq!(disabled["data"]["webhook_id"], webhook);
    // It is the event that webhooks get, by its id.
    let shown = tenant.api.get(&format!("/v1/events/{}", text(&disabled, "id"))).await.ok(200);
    assert_eq!(shown["event"], "webhook.disabled");
    assert_eq!(world.aws.waiting(&ear.queue).await, 0, "each was put once, and nothing else");
    world.aws.stop_listening(ear).await;
}
