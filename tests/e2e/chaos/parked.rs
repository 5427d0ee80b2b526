//! Webhooks that are down: what is for them is parked, probed, and drained once they are back. An outage of these tests begins after
//! seconds, so they have the stack for themselves.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chaos::{MINUTE, alone, standard, sweep, with_outages_after};
use crate::pages::blocks;
use crate::pages::shell::Shell;
use crate::support::api::text;
use crate::support::receiver::Gate;
use crate::support::rows::{ago, s};
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

/// After so long an outage parks, and so often it is probed.
const OUTAGE_SECONDS: u64 = 5;

/// A receiver that answers with this status until the gate opens.
async fn down(world: &World, status: u16) -> (Receiver, Gate) {
    let gate = Gate::shut();
    (Receiver::scripted(world.stack, [], Reply::Until(gate.clone(), status)).await, gate)
}

async fn webhook(tenant: &Tenant, id: &str) -> Value {
    tenant.api.get(&format!("/v1/webhooks/{id}")).await.ok(200)
}

/// A webhook to this receiver, once nobody has answered there for long enough; and the delivery that found it out.
async fn parked_webhook(tenant: &Tenant, receiver: &Receiver) -> (String, String) {
    let body = json!({"url": receiver.url("/"), "events": ["invoice.*"], "timeout_seconds": 2});
    let id = tenant.create(&body).await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let first = tenant.delivery_of(&event, &id).await;
    is_parked(tenant, &id).await;
    (id, first)
}

async fn is_parked(tenant: &Tenant, id: &str) -> Value {
    until("the webhook to be parked", MINUTE, || async {
        let shown = webhook(tenant, id).await;
        if shown["parking"]["state"] == "down" { Ok(shown) } else { Err(shown.to_string()) }
    })
    .await
}

/// The deliveries of a webhook, once there are so many of this status.
async fn of_status(tenant: &Tenant, webhook: &str, status: &str, count: usize, within: Duration) -> Vec<Value> {
    until(&format!("{count} deliveries to be {status}"), within, || async {
        let found = tenant.deliveries(webhook, &format!("status={status}&limit=100")).await;
        if found.len() == count { Ok(found) } else { Err(found.len().to_string()) }
    })
    .await
}

/// Publishes so many events, ten a second; their ids.
async fn publish_at_ten_a_second(tenant: &Tenant, events: usize) -> Vec<String> {
    let mut pace = tokio::time::interval(Duration::from_millis(100));
    let mut ids = Vec::new();
    for number in 0..events {
        pace.tick().await;
        ids.push(tenant.publish("invoice.paid", &json!({"number": number})).await);
    }
    ids
}

/// The operational events that came, by type.
fn told(listener: &Receiver) -> Vec<String> {
    listener.requests().iter().map(|request| text(&request.json(), "type").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_test_is_attempted_at_once_although_all_else_is_parked_and_its_answer_is_a_probes() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let (receiver, gate) = down(&world, 503).await;
    // No probe comes while this test lasts.
    with_outages_after(&world, 90, async {
        let body = json!({"url": receiver.url("/"), "events": ["invoice.*"], "retry_schedule": [600, 600]});
        let id = tenant.create(&body).await;
        let event = tenant.publish("invoice.paid", &json!({})).await;
        let first = tenant.delivery_of(&event, &id).await;
        tenant.settled(&first, "retrying", 1).await;
        let long_ago = s(ago(600));
        world.aws.rows.amend(&tenant.id, &format!("WEBHOOK#{id}"), "down_since", long_ago).await;
        world.aws.attempt_now(&first, 2).await;
        is_parked(&tenant, &id).await;
        let before = receiver.requests().len();
        let test = async || {
            let path = format!("/v1/webhooks/{id}/test");
            text(&tenant.api.post(&path, &json!({})).await.ok(202), "delivery_id").to_owned()
        };
        let unanswered = test().await;
        assert_eq!(receiver.wait_for(before + 1, SOON).await.len(), before + 1);
        let shown = tenant.settled(&unanswered, "retrying", 1).await;
        assert_eq!((&shown["waiting_for"], &shown["test"]), (&json!("endpoint_outage"), &json!(true)));

        gate.open();
        let answered = test().await;
        receiver.wait_for(before + 2, SOON).await;
        tenant.settled(&answered, "succeeded", 1).await;
        of_status(&tenant, &id, "succeeded", 3, MINUTE).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn an_outage_costs_probes_and_what_waited_comes_oldest_first() {
    const EVENTS: usize = 300;
    let (world, _guard) = alone().await;
    let (tenant, nur) = (standard(&world).await, world.tenant().await);
    let (receiver, gate) = down(&world, 503).await;
    let (page, _shut) = down(&world, 503).await;
    let listener = Receiver::start(world.stack).await;
    let notices = ["webhook.failing", "webhook.recovered", "webhook.disabled"];
    tenant.webhook(&listener.url("/"), &notices).await;
    with_outages_after(&world, OUTAGE_SECONDS, async {
        let by_page = nur.webhook(&page.url("/"), &["*"]).await;
        let event = nur.publish("dubbing.completed", &json!({})).await;
        let by_page = nur.delivery_of(&event, &by_page).await;
        let (id, first) = parked_webhook(&tenant, &receiver).await;
        let before = receiver.requests().len();
        let published = publish_at_ten_a_second(&tenant, EVENTS).await;
        let probes = receiver.requests().len() - before;
        assert!(probes <= 20, "{probes} POSTs while it was down");
        let waiting = tenant.delivery_of(published.last().expect("there are events"), &id).await;
        let shown = tenant.delivery(&waiting).await;
        assert_eq!((&shown["status"], &shown["waiting_for"]), (&json!("pending"), &json!("endpoint_outage")));
        assert!(shown["next_attempt_at"].is_string(), "{shown}");

        // The seeds' pages fix each message's own schedule: one attempt, and the next a minute after it.
        let shown = nur.delivery(&by_page).await;
        assert_eq!(shown["waiting_for"], Value::Null, "{shown}");
        assert_eq!(page.requests().len(), 1);

        gate.open();
        let back = Instant::now();
        let delivered = of_status(&tenant, &id, "succeeded", EVENTS + 1, MINUTE).await;
        assert!(back.elapsed() < MINUTE + Duration::from_secs(OUTAGE_SECONDS));
        assert!(delivered.iter().any(|row| row["id"] == first.as_str()));
        in_order(&receiver, before, &published);
        until("both notices", SOON, || async {
            let told = told(&listener);
            if told.len() >= 2 { Ok(()) } else { Err(format!("{told:?}")) }
        })
        .await;
        let after = webhook(&tenant, &id).await;
        assert_eq!((&after["parking"], &after["status"]), (&Value::Null, &json!("active")));
    })
    .await;
    assert_eq!(told(&listener), ["webhook.failing", "webhook.recovered"]);
}

/// The k-th to arrive is among the oldest k+50: nobody is served before those who have waited longer.
#[track_caller]
fn in_order(receiver: &Receiver, before: usize, published: &[String]) {
    let ages: HashMap<&str, usize> = published.iter().enumerate().map(|(age, id)| (id.as_str(), age)).collect();
    let (mut seen, mut arrived) = (BTreeSet::new(), 0);
    for request in &receiver.requests()[before..] {
        // A probe that failed was no arrival; those that were drained come once.
        let Some(&age) = request.header("webhook-id").and_then(|id| ages.get(id)) else { continue };
        if !seen.insert(age) {
            continue;
        }
        arrived += 1;
        assert!(age < arrived + 50, "number {arrived} to arrive was number {age} to be published");
    }
    assert_eq!(arrived, published.len());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn who_answers_is_never_parked_however_he_refuses() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    // One event in three is refused for good, or fails by chance.
    let refusing =
        Receiver::scripted(world.stack, [], Reply::Changing(|before| if before.is_multiple_of(3) { 422 } else { 200 }))
            .await;
    let failing = Receiver::scripted(
        world.stack,
        [],
        Reply::Changing(|before| if (before * 7).is_multiple_of(10) || before % 10 > 7 { 503 } else { 200 }),
    )
    .await;
    let always = Receiver::scripted(world.stack, [], Reply::Status(422)).await;
    with_outages_after(&world, OUTAGE_SECONDS, async {
        let mut webhooks = Vec::new();
        for receiver in [&refusing, &failing, &always] {
            let body =
                json!({"url": receiver.url("/"), "events": ["invoice.*"], "retry_schedule": [2, 2, 2, 2, 2, 2, 2]});
            webhooks.push(tenant.create(&body).await);
        }
        let begun = Instant::now();
        let mut pace = tokio::time::interval(Duration::from_millis(250));
        while begun.elapsed() < Duration::from_secs(4 * OUTAGE_SECONDS) {
            pace.tick().await;
            tenant.publish("invoice.paid", &json!({})).await;
            for id in &webhooks {
                let shown = webhook(&tenant, id).await;
                assert_eq!(shown["parking"], Value::Null, "{shown}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_new_url_drains_at_once_and_so_does_whoever_is_disabled_or_deleted() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let (receiver, _shut) = down(&world, 503).await;
    let well = Receiver::start(world.stack).await;
    with_outages_after(&world, OUTAGE_SECONDS, async {
        let changes = [
            ("moved", json!({"url": well.url("/")})),
            ("disabled", json!({"status": "disabled"})),
            ("deleted", json!(null)),
        ];
        for (what, change) in changes {
            let (id, first) = parked_webhook(&tenant, &receiver).await;
            let event = tenant.publish("invoice.sent", &json!({})).await;
            let second = tenant.delivery_of(&event, &id).await;
            let path = format!("/v1/webhooks/{id}");
            let status = if change.is_null() {
                assert_eq!(tenant.api.delete(&path).await.status, 204);
                "cancelled"
            } else {
                tenant.api.patch(&path, &change).await.ok(200);
                if what == "moved" { "succeeded" } else { "cancelled" }
            };
            for delivery in [&first, &second] {
                until(&format!("what was parked to be {status} once it is {what}"), SOON, || async {
                    let shown = tenant.delivery(delivery).await;
                    if shown["status"] == status { Ok(()) } else { Err(shown.to_string()) }
                })
                .await;
            }
            if what == "moved" {
                assert_eq!(tenant.api.delete(&path).await.status, 204);
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn whoever_asks_for_a_parked_delivery_has_it_tried_and_it_stays_parked_if_that_fails() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let (receiver, gate) = down(&world, 503).await;
    with_outages_after(&world, OUTAGE_SECONDS, async {
        let (id, _) = parked_webhook(&tenant, &receiver).await;
        let event = tenant.publish("invoice.sent", &json!({})).await;
        let delivery = tenant.delivery_of(&event, &id).await;
        let retry = format!("/v1/deliveries/{delivery}/retry");
        tenant.api.post(&retry, &json!({})).await.ok(202);
        let tried = until("the attempt that was asked for", SOON, || async {
            let shown = tenant.delivery(&delivery).await;
            let made = shown["attempts"].as_array().map_or(0, Vec::len);
            if made >= 1 && shown["waiting_for"] == "endpoint_outage" { Ok(shown) } else { Err(shown.to_string()) }
        })
        .await;
        assert_eq!((&tried["status"], &tried["attempts"][0]["outcome"]), (&json!("retrying"), &json!("status_503")));
        gate.open();
        tenant.api.post(&retry, &json!({})).await.ok(202);
        let done = until("it to arrive", SOON, || async {
            let shown = tenant.delivery(&delivery).await;
            if shown["status"] == "succeeded" { Ok(shown) } else { Err(shown.to_string()) }
        })
        .await;
        assert_eq!(done["waiting_for"], Value::Null);
        of_status(&tenant, &id, "succeeded", 2, MINUTE).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_waits_for_too_long_has_failed_and_can_be_recovered() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let (receiver, gate) = down(&world, 503).await;
    with_outages_after(&world, OUTAGE_SECONDS, async {
        let (id, _) = parked_webhook(&tenant, &receiver).await;
        let event = tenant.publish("invoice.sent", &json!({})).await;
        let delivery = tenant.delivery_of(&event, &id).await;
        let failed = until("it to be given up", MINUTE, || async {
            world.aws.rows.set_delivery(&delivery, "waits_until", s(ago(1))).await;
            sweep(&world).await;
            let shown = tenant.delivery(&delivery).await;
            if shown["status"] == "failed" { Ok(shown) } else { Err(shown.to_string()) }
        })
        .await;
        assert_eq!((&failed["reason"], &failed["waiting_for"]), (&json!("endpoint_down"), &Value::Null));
        // Recovered while its webhook is down, it is parked once more.
        let path = format!("/v1/webhooks/{id}/recover");
        tenant.api.post(&path, &json!({"since": ago(600)})).await.ok(202);
        until("it to wait again", SOON, || async {
            let shown = tenant.delivery(&delivery).await;
            if shown["waiting_for"] == "endpoint_outage" { Ok(()) } else { Err(shown.to_string()) }
        })
        .await;
        gate.open();
        of_status(&tenant, &id, "succeeded", 2, MINUTE).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_ticket_that_is_lost_is_sent_again_by_the_sweep() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let (receiver, gate) = down(&world, 503).await;
    with_outages_after(&world, OUTAGE_SECONDS, async {
        let (id, first) = parked_webhook(&tenant, &receiver).await;
        let queues = &world.stack.queues;
        // Whatever ticket is under way goes, and its time has passed long since.
        let name = queues.slow.rsplit('/').next().expect("a queue's URL ends with its name");
        world.aws.functions.set_mapping("deliver", name, false).await;
        world.aws.purge(&queues.slow).await;
        world.aws.functions.set_mapping("deliver", name, true).await;
        gate.open();
        world.aws.rows.next_step_ago(&tenant.id, &id, 300).await;
        sweep(&world).await;
        let delivered = of_status(&tenant, &id, "succeeded", 1, MINUTE).await;
        assert_eq!(delivered[0]["id"], first.as_str());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn the_runbooks_page_finds_what_is_parked_and_has_it_sent_as_printed() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let (receiver, gate) = down(&world, 503).await;
    with_outages_after(&world, OUTAGE_SECONDS, async {
        let (id, first) = parked_webhook(&tenant, &receiver).await;
        let event = tenant.publish("invoice.sent", &json!({})).await;
        tenant.delivery_of(&event, &id).await;
        // The next probe is an hour away, so that nobody but the page has anything sent.
        world.aws.rows.next_step_ago(&tenant.id, &id, -3600).await;
        until("both to be parked", MINUTE, || async {
            let waiting = tenant.deliveries(&id, "").await.iter().filter(|row| row["waiting_for"].is_string()).count();
            if waiting == 2 { Ok(()) } else { Err(waiting.to_string()) }
        })
        .await;
        gate.open();
        let script = [blocks::before_you_begin(), blocks::run("docs/runbook/parked-webhooks.md")].concat();
        let shell = Shell::new(world.stack, "parked").given("TENANT", &tenant.id).given("WEBHOOK", &id);
        let (printed, tried) = shell.run_and_tell(&script, &["DELIVERY"]);
        let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
        assert!(lines.iter().any(|line| line.starts_with(&[&tenant.id, &id])), "the list: {printed}");
        assert!(lines.contains(&vec!["2"]), "how many are parked: {printed}");
        assert!(lines.iter().any(|line| line.len() == 2 && line[0] == first), "the oldest, and its time: {printed}");
        assert!(printed.contains(r#""state": "down""#), "how it stands: {printed}");
        assert!(printed.contains(r#""status_503"]"#), "what its attempts found: {printed}");
        assert_eq!(tried, [first], "the one that waits longest");
        of_status(&tenant, &id, "succeeded", 2, MINUTE).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_is_parked_of_a_tenant_who_is_suspended_is_called_off_once_a_probe_finds_it_out() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let (receiver, _shut) = down(&world, 503).await;
    with_outages_after(&world, OUTAGE_SECONDS, async {
        let (id, first) = parked_webhook(&tenant, &receiver).await;
        let mut parked = vec![first];
        for _ in 0..3 {
            let event = tenant.publish("invoice.sent", &json!({})).await;
            parked.push(tenant.delivery_of(&event, &id).await);
        }
        world.admin.patch(&format!("/v1/tenants/{}", tenant.id), &json!({"status": "suspended"})).await.ok(200);
        for delivery in &parked {
            until("it to be called off", MINUTE, || async {
                let row = world.aws.rows.delivery(delivery).await.expect("the delivery is kept");
                let is_off = row["status"] == s("cancelled") && row["reason"] == s("tenant_suspended");
                if is_off { Ok(()) } else { Err(format!("{row:?}")) }
            })
            .await;
        }
    })
    .await;
}
