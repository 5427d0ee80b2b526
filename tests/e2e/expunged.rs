//! Events whose data was removed: it is in no table, queue, answer or log, nothing of it is sent any more, and its key stays used up.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{Answer, text};
use crate::support::bus::put;
use crate::support::{Gate, Receiver, Reply, SOON, Tenant, World, until};

/// What the data of this test's event says, which nothing else does. It stands in no log's search for canaries: that one is for all tests.
fn word(of: &str) -> String {
    format!("to-be-expunged-{of}-{}", jiff::Timestamp::now().as_nanosecond())
}

async fn expunge(tenant: &Tenant, event: &str) -> Answer {
    tenant.api.delete(&format!("/v1/events/{event}/data")).await
}

/// Every place in which something is kept that says this.
async fn places_of(world: &World, word: &str) -> Vec<String> {
    let mut found: Vec<String> = world.aws.rows.all().await;
    // Messages of attempts are the functions' to take; they have ids alone.
    let queues = &world.stack.queues;
    for queue in [&queues.dead, &queues.quarantine, &queues.triggers] {
        found.extend(world.aws.all_of(queue).await);
    }
    for function in ["events", "ledger", "fanout", "deliver", "sweep", "webhooks"] {
        found.extend(world.aws.functions.log(function).await);
    }
    found.retain(|text| text.contains(word));
    found
}

/// A receiver that answers with what it was sent.
async fn echoing(world: &World, word: &str, status: u16) -> Receiver {
    let said = format!("you said {word}").into_bytes();
    Receiver::scripted(world.stack, [], Reply::Full(status, Vec::new(), said)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn its_data_is_nowhere_and_what_waits_is_called_off() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let word = word("everywhere");
    let (waits, ended) = (echoing(&world, &word, 500).await, echoing(&world, &word, 500).await);
    let webhook = async |receiver: &Receiver, schedule: Value| {
        tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": schedule})).await
    };
    let (first, second) = (webhook(&waits, json!([600])).await, webhook(&ended, json!([])).await);
    let body = json!({"event": "invoice.paid", "data": {"card": word}, "tags": {"about": word}, "id": word.replace("to-be", "key")});
    let published = tenant.api.post("/v1/events", &body).await.ok(202);
    let id = text(&published, "id");
    let (retrying, failed) = (tenant.delivery_of(id, &first).await, tenant.delivery_of(id, &second).await);
    let shown = tenant.settled(&retrying, "retrying", 1).await;
    assert!(shown.to_string().contains(&word), "its receiver repeats it: {shown}");
    tenant.settled(&failed, "failed", 1).await;
    let message = world.aws.message(&retrying, 2).await;
    assert!(!message.contains(&word), "{message}");
    assert!(!places_of(&world, &word).await.is_empty());

    assert_eq!(expunge(&tenant, id).await.status, 204);
    let places = places_of(&world, &word).await;
    assert!(places.is_empty(), "{places:?}");
    for path in [
        format!("/v1/events/{id}"),
        "/v1/events".to_owned(),
        format!("/v1/deliveries/{retrying}"),
        format!("/v1/deliveries/{failed}"),
        "/v1/deliveries?status=undelivered".to_owned(),
        format!("/v1/webhooks/{first}/deliveries"),
    ] {
        let answer = tenant.api.get(&path).await;
        assert!(answer.status == 200 && !answer.body.contains(&word), "{path}: {}", answer.body);
    }
    let shown = tenant.api.get(&format!("/v1/events/{id}")).await.ok(200);
    assert_eq!((&shown["data"], shown.get("tags"), &shown["event"]), (&Value::Null, None, &json!("invoice.paid")));
    assert!(shown["expunged_at"].is_string(), "{shown}");
    let row = tenant.settled(&retrying, "cancelled", 1).await;
    assert_eq!((&row["reason"], &row["attempts"][0]["outcome"]), (&json!("event_expunged"), &json!("status_500")));
    assert_eq!(tenant.delivery(&failed).await["status"], "failed", "what has ended stays as it ended");
    for delivery in [&retrying, &failed] {
        tenant.api.post(&format!("/v1/deliveries/{delivery}/retry"), &json!({})).await.refused(409, "event_expunged");
    }
    // Its schedule fires all the same.
    world.aws.send_retry(&message).await;
    let recover = json!({"since": "2026-01-01T00:00:00Z"});
    tenant.api.post(&format!("/v1/webhooks/{second}/recover"), &recover).await.ok(202);
    let third = webhook(&waits, json!([])).await;
    tenant
        .api
        .post(&format!("/v1/events/{id}/send"), &json!({"webhook_id": third}))
        .await
        .refused(409, "event_expunged");

    assert_eq!(expunge(&tenant, id).await.status, 204, "it may be repeated");
    let again = tenant.api.get(&format!("/v1/events/{id}")).await.ok(200);
    assert_eq!(again["expunged_at"], shown["expunged_at"]);
    for data in [json!({"card": word}), json!({"another": 1})] {
        let body = json!({"event": "invoice.paid", "data": data, "id": word.replace("to-be", "key")});
        tenant.api.post("/v1/events", &body).await.refused(409, "event_expunged");
    }
    assert_eq!(places_of(&world, &word).await, Vec::<String>::new());
    assert_eq!((waits.requests().len(), ended.requests().len()), (1, 1), "no POST after that");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_bus_stays_used_up_and_what_comes_under_it_is_set_aside_without_its_data() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let (word, key) = (word("bus"), format!("invoice {}", tenant.id));
    let detail = json!({"tenant_id": tenant.id, "event": "invoice.paid", "data": {"card": word}, "id": key});
    put(world.stack, "Postrider Event", &detail).await;
    let received = receiver.only(SOON).await;
    let id = received.header("webhook-id").expect("a delivery says which event it is of").to_owned();
    let provider = world.provider(&["events:write", "deliveries:read"]).await;
    let path = format!("/v1/events/{id}/data");
    provider.delete(&path).await.invalid("tenant_id");
    assert_eq!(provider.delete(&format!("{path}?tenant_id={}", tenant.id)).await.status, 204);
    put(world.stack, "Postrider Event", &detail).await;
    let note = until("the refusal to be set aside", SOON, || async {
        world.aws.take(&world.stack.queues.triggers, &tenant.id).await.ok_or_else(|| "nothing yet".to_owned())
    })
    .await;
    assert!(note.contains("removed on request") && note.contains(&key) && !note.contains(&word), "{note}");
    let seen = provider.get(&format!("/v1/events/{id}?tenant_id={}", tenant.id)).await.ok(200);
    assert_eq!(seen["data"], Value::Null);
    assert_eq!(places_of(&world, &word).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_attempt_that_is_out_meanwhile_the_answer_is_not_kept() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let (word, gate) = (word("late"), Gate::shut());
    let receiver = Receiver::scripted(world.stack, [Reply::HeldAs(gate.clone(), 500)], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [600], "timeout_seconds": 30});
    let webhook = tenant.create(&body).await;
    let event = tenant.publish("invoice.paid", &json!({"card": word})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    receiver.wait_for(1, SOON).await;
    assert_eq!(expunge(&tenant, &event).await.status, 204);
    gate.open();
    let shown = tenant.settled(&id, "cancelled", 1).await;
    assert_eq!((&shown["reason"], shown["attempts"][0].get("response_excerpt")), (&json!("event_expunged"), None));
    assert_eq!(places_of(&world, &word).await, Vec::<String>::new());
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_events_that_are_expunged_while_they_are_fanned_out_nothing_waits_for_ever() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    for number in 0..5 {
        let event = tenant.publish("invoice.paid", &json!({"number": number})).await;
        assert_eq!(expunge(&tenant, &event).await.status, 204);
        let posts = receiver.requests().len();
        until("its delivery to have come to its end", SOON, || async {
            let found = tenant.api.get(&format!("/v1/events/{event}")).await.ok(200);
            let status = found["deliveries"][0]["status"].as_str().unwrap_or("none").to_owned();
            if ["succeeded", "cancelled"].contains(&status.as_str()) { Ok(()) } else { Err(found.to_string()) }
        })
        .await;
        assert_eq!(receiver.requests().len(), posts, "no POST begins after the answer");
    }
    assert_eq!(tenant.deliveries(&webhook, "status=pending").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_removes_anothers_event() {
    let world = World::open();
    let (tenant, other) = (world.tenant_on("standard", "pro").await, world.tenant_on("standard", "pro").await);
    let event = tenant.publish("invoice.paid", &json!({"a": 1})).await;
    other.api.delete(&format!("/v1/events/{event}/data")).await.refused(404, "not_found");
    tenant.api.delete("/v1/events/evt_unknown/data").await.refused(404, "not_found");
    let reader = world.key(&tenant.id, &json!({"dialect": "standard"})).await;
    let reader = world.anonymous.with_key(text(&reader, "key"));
    reader.call(Method::DELETE, &format!("/v1/events/{event}/data")).send().await.refused(403, "forbidden");
    let shown = tenant.api.get(&format!("/v1/events/{event}")).await.ok(200);
    assert_eq!((&shown["data"], shown.get("expunged_at")), (&json!({"a": 1}), None));
}
