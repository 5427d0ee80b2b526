//! Rows that are gone and were not deleted: what hangs on them waits, once, and goes on when they are back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::chaos::{MINUTE, alone, delivery_to, one_delivery, standard, sweep, with_short_visibility};
use crate::support::api::text;
use crate::support::rows::n;
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn tenant_row_missing() {
    let (world, _guard) = alone().await;
    let receiver = Receiver::start(world.stack).await;
    with_short_visibility(&world, 2, async {
        for of_webhook in [false, true] {
            let tenant = standard(&world).await;
            let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
            // A retry's message finds the row gone; the key still works, since it is remembered.
            let sort = if of_webhook { format!("WEBHOOK#{webhook}") } else { "TENANT".to_owned() };
            let provider = world.provider(&["events:write"]).await;
            let publish = json!({"tenant_id": tenant.id, "event": "invoice.paid", "data": {}});
            provider.post("/v1/events", &publish).await.ok(202);
            receiver.wait_for(1, SOON).await;
            let posts = receiver.requests().len();
            let row = world.aws.rows.take(&tenant.id, &sort).await;
            let event = text(&provider.post("/v1/events", &publish).await.ok(202), "id").to_owned();
            until("the message to go back", SOON, || async {
                let log = world.aws.functions.log("deliver").await;
                let told = log.iter().any(|line| line.contains("delivery.row_missing") && line.contains(&tenant.id));
                if told { Ok(()) } else { Err("not yet".to_owned()) }
            })
            .await;
            assert_eq!(receiver.requests().len(), posts);
            world.aws.rows.put_back(row).await;
            let id = tenant.delivery_of(&event, &webhook).await;
            let delivery = until("the delivery to be made", 2 * MINUTE, || async {
                sweep(&world).await;
                let delivery = tenant.delivery(&id).await;
                if delivery["status"] == "succeeded" { Ok(delivery) } else { Err(delivery.to_string()) }
            })
            .await;
            assert_eq!(delivery["reason"], Value::Null, "{delivery}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_was_cancelled_for_want_of_a_row_is_recovered() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let (_, id) = one_delivery(&tenant, &receiver).await;
    tenant.settled(&id, "retrying", 1).await;
    // As an older version would have left it.
    world.aws.rows.cancelled_as(&id, "webhook_deleted").await;
    let webhook = text(&tenant.delivery(&id).await, "webhook_id").to_owned();
    let asked = json!({"since": "2020-01-01T00:00:00Z"});
    tenant.api.post(&format!("/v1/webhooks/{webhook}/recover"), &asked).await.ok(202);
    tenant.settled(&id, "succeeded", 2).await;
}

/// A delivery that is overdue by ten minutes, whose first attempt failed; its webhook's id and its own.
async fn overdue(world: &World, tenant: &Tenant, receiver: &Receiver) -> (String, String) {
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [86_400]});
    let webhook = tenant.create(&body).await;
    let (_, id) = delivery_to(tenant, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    world.aws.delete_schedule(&id, 2).await;
    world.aws.rows.due_ago(&id, 600).await;
    (webhook, id)
}

/// Sweeps three times; how many rows of those that were overdue the last one left where they are.
async fn waiting_after_sweeps(world: &World) -> u64 {
    let mut waiting = 0;
    for _ in 0..3 {
        waiting = world.aws.functions.sweep().await["waiting"].as_u64().expect("a sweep says what waits");
    }
    waiting
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_retry_whose_webhook_is_missing_or_unreadable_waits_in_its_row_alone() {
    let (world, _guard) = alone().await;
    let queues = &world.stack.queues;
    with_short_visibility(&world, 1, async {
        for is_missing in [true, false] {
            let tenant = standard(&world).await;
            let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
            let (webhook, id) = overdue(&world, &tenant, &receiver).await;
            let sort = format!("WEBHOOK#{webhook}");
            let row = world.aws.rows.webhook(&tenant.id, &webhook).await;
            match is_missing {
                true => drop(world.aws.rows.take(&tenant.id, &sort).await),
                false => world.aws.rows.amend(&tenant.id, &sort, "headers", n(7)).await,
            }
            assert!(waiting_after_sweeps(&world).await >= 1);
            // Long enough for a message that was sent to have failed five times.
            tokio::time::sleep(Duration::from_secs(8)).await;
            waiting_after_sweeps(&world).await;
            for queue in [&queues.retry, &queues.dead, &queues.quarantine] {
                assert_eq!(world.aws.take_all(queue, &id).await, 0, "no message, letter or note stands for it");
            }
            world.aws.rows.put_back(row).await;
            world.aws.functions.sweep().await;
            tenant.settled(&id, "succeeded", 2).await;
            assert_eq!(receiver.requests().len(), 2);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_first_attempt_whose_webhook_is_missing_waits_in_its_row_once_sqs_gave_it_up() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let row = world.aws.rows.take(&tenant.id, &format!("WEBHOOK#{webhook}")).await;
    let id = with_short_visibility(&world, 1, async {
        let event = tenant.publish("invoice.paid", &json!({})).await;
        // The event shows the delivery although its webhook has no row.
        let id = tenant.delivery_of(&event, &webhook).await;
        until("the letter to be seen to", MINUTE, || async {
            world.aws.functions.sweep().await;
            let delivery = tenant.delivery(&id).await;
            if delivery["status"] == "retrying" { Ok(()) } else { Err(delivery.to_string()) }
        })
        .await;
        id
    })
    .await;
    world.aws.rows.due_ago(&id, 600).await;
    assert!(waiting_after_sweeps(&world).await >= 1);
    for queue in [&world.stack.queues.dead, &world.stack.queues.quarantine] {
        assert_eq!(world.aws.take_all(queue, &id).await, 0, "it waits in its row alone");
    }
    assert_eq!(tenant.delivery(&id).await["attempts"], json!([]), "none was made, and none is on record");
    world.aws.rows.put_back(row).await;
    world.aws.functions.sweep().await;
    tenant.settled(&id, "succeeded", 1).await;
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_missing_webhook_hides_no_ledger() {
    let (world, _guard) = alone().await;
    let (tenant, stranger) = (standard(&world).await, standard(&world).await);
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let (event, id) = delivery_to(&tenant, &webhook).await;
    tenant.settled(&id, "succeeded", 1).await;
    let recover = format!("/v1/webhooks/{webhook}/recover");
    let asked = json!({"since": "2020-01-01T00:00:00Z"});
    let begun = tenant.api.post(&recover, &asked).await.ok(202);
    let recovery = format!("{recover}/{}", text(&begun, "recovery_id"));
    let row = world.aws.rows.take(&tenant.id, &format!("WEBHOOK#{webhook}")).await;

    let (ledger, shown) = (format!("/v1/webhooks/{webhook}/deliveries"), format!("/v1/events/{event}"));
    for (path, list) in [(&ledger, "deliveries"), (&shown, "deliveries")] {
        let answer = tenant.api.get(path).await.ok(200);
        assert_eq!(answer[list][0]["id"], json!(id), "{path}: {answer}");
    }
    assert_eq!(tenant.delivery(&id).await["status"], "succeeded");
    assert_eq!(tenant.api.get(&recovery).await.ok(200)["status"], "done");
    let refused = tenant.api.post(&recover, &asked).await;
    refused.refused(500, "internal");
    // To others it is nothing, as ever.
    for path in [&ledger, &shown, &recovery] {
        stranger.api.get(path).await.refused(404, "not_found");
    }
    stranger.api.post(&recover, &asked).await.refused(404, "not_found");
    until("the missing row to be counted", SOON, || async {
        let log = world.aws.functions.log("ledger").await;
        let told = log.iter().any(|line| line.contains("row.missing") && line.contains(&webhook))
            && log.iter().any(|line| line.contains("\"MissingRows\":1"));
        if told { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    world.aws.rows.put_back(row).await;
    tenant.api.post(&recover, &asked).await.ok(202);
}
