//! AWS stumbles: it throttles, is slow, loses answers or rows. Nothing waits behind what fails, callers are told the truth,
//! and what was done is recognised as our own.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::chaos::{SHORT, alone, core_of, delivery_to, one_delivery, with_proxies, with_proxy, with_short_visibility};
use crate::support::api::text;
use crate::support::proxy::{Fault, NO_CAPACITY, Proxy, Spoil, THROTTLED};
use crate::support::rows::n;
use crate::support::{Api, Receiver, Reply, SOON, Tenant, World, until};

const MINUTE: Duration = Duration::from_secs(60);
/// Tries of the SDK for one call.
const TRIES: u32 = 3;

/// A tenant whose webhooks speak the standard dialect.
async fn standard(world: &World) -> Tenant {
    world.tenant_on("standard", "pro").await
}

/// Publishes so many events to a webhook; the deliveries' ids.
async fn published(tenant: &Tenant, webhook: &str, events: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..events {
        let event = tenant.publish("invoice.paid", &json!({})).await;
        ids.push(tenant.delivery_of(&event, webhook).await);
    }
    ids
}

/// Sweeps, whether or not the sweep says that it failed.
async fn sweep(world: &World) -> Value {
    world.aws.functions.invoke("sweep", &json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn dead_letter_first_failure() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let proxy = Proxy::start(world.stack).await;
    let (dead, quarantine) = (&world.stack.queues.dead, &world.stack.queues.quarantine);
    proxy.add(Fault::of(NO_CAPACITY).on("UpdateItem"));
    let work = Box::pin(async {
        let ids = published(&tenant, &webhook, 5).await;
        until("five dead letters", 3 * MINUTE, || async {
            let waiting = world.aws.waiting(dead).await;
            if waiting >= 5 { Ok(()) } else { Err(format!("{waiting}")) }
        })
        .await;
        let failed = sweep(&world).await;
        assert!(failed["errorMessage"].is_string(), "a sweep that was refused says so: {failed}");
        ids
    });
    let through_both = with_proxies(&world, &["deliver", "sweep"], &proxy, work);
    let ids = with_short_visibility(&world, SHORT, through_both).await;
    for id in &ids {
        assert_eq!(world.aws.take(quarantine, id).await, None, "nothing is set aside that can be read");
    }
    for id in &ids {
        until("the delivery to go on by itself", 3 * MINUTE, || async {
            sweep(&world).await;
            let delivery = tenant.delivery(id).await;
            if delivery["status"] == "succeeded" { Ok(()) } else { Err(delivery.to_string()) }
        })
        .await;
    }
}

/// Rows that are overdue by ten minutes, enough that they lie in several shards of the index.
async fn overdue(world: &World, tenant: &Tenant, receiver: &Receiver, rows: usize) -> Vec<String> {
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [86_400]});
    let webhook = tenant.create(&body).await;
    let ids = published(tenant, &webhook, rows).await;
    for id in &ids {
        tenant.settled(id, "retrying", 1).await;
        world.aws.delete_schedule(id, 2).await;
        world.aws.rows.due_ago(id, 600).await;
    }
    ids
}

fn shard_of(id: &str) -> u8 {
    id.bytes().fold(0_u8, u8::wrapping_add) % 16
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn due_shard_starves() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let ids = overdue(&world, &tenant, &receiver, 24).await;
    let lowest = ids.iter().map(|id| shard_of(id)).min().expect("there are rows");
    let (stuck, free): (Vec<_>, Vec<_>) = ids.iter().partition(|id| shard_of(id) == lowest);
    assert!(!free.is_empty());
    let proxy = Proxy::start(world.stack).await;
    let shard = format!("\"{lowest:02}\"");
    proxy.add(Fault::of(THROTTLED).on("Query").index("due").about(&shard));
    with_proxy(&world, "sweep", &proxy, async {
        let failed = sweep(&world).await;
        assert!(failed["errorMessage"].is_string(), "it says at the end that a shard failed: {failed}");
        for id in &free {
            tenant.settled(id, "failed", 2).await;
        }
        assert!(proxy.hits() >= TRIES);
    })
    .await;
    for id in &stuck {
        assert_eq!(tenant.delivery(id).await["status"], "retrying");
    }
    sweep(&world).await;
    for id in stuck {
        tenant.settled(id, "failed", 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn tenant_row_missing() {
    let Some((world, _guard)) = alone().await else { return };
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
    let Some((world, _guard)) = alone().await else { return };
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

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn rotate_slow_aws() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let webhook = tenant.webhook("https://hooks.example/", &["*"]).await;
    let before = world.aws.rows.webhook(&tenant.id, &webhook).await;
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "webhooks", &proxy, async {
        proxy.add(Fault::of(Spoil::Delay(Duration::from_millis(3_500))));
        let begun = Instant::now();
        let path = format!("/v1/webhooks/{webhook}/secret/rotate");
        let answer = tenant.api.post(&path, &json!({"grace_seconds": 0})).await;
        let took = begun.elapsed();
        let error = answer.refused(503, "unavailable");
        assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{answer:?}");
        assert!(text(&error, "message").contains("repeating the request is safe"), "{error}");
        assert!(took < Duration::from_secs(15), "it took {took:?}");
        assert_eq!(world.aws.rows.webhook(&tenant.id, &webhook).await, before, "nothing has changed");
        // As soon as there is time, it is done.
        proxy.heal();
        let secret = tenant.api.post(&path, &json!({"grace_seconds": 0})).await.ok(200);
        assert!(text(&secret, "secret").starts_with("whsec_"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn throttling_is_told_in_each_paths_shape() {
    let Some((world, _guard)) = alone().await else { return };
    let (nur, nouvel, netraflow) = (world.tenant().await, world.nouvel().await, world.netraflow("pro").await);
    let proxy = Proxy::start(world.stack).await;
    let throttled = |proxy: &Proxy| proxy.add(Fault::of(NO_CAPACITY).on("GetItem"));
    with_proxy(
        &world,
        "jobs",
        &proxy,
        with_proxy(&world, "webhooks", &proxy, async {
            throttled(&proxy);
            let answers = [
                nur.api.get("/v1/webhooks").await,
                nouvel.tenant.api.get("/api/v1/jobs/00000000-0000-4000-8000-000000000000").await,
                netraflow.tenant.api.get("/v1/jobs").await,
            ];
            answers[0].refused(503, "unavailable");
            answers[1].refused_plainly(503, "unavailable");
            answers[2].refused_with_meta(503, "unavailable");
            for answer in &answers {
                assert!(answer.header("retry-after").is_some(), "{answer:?}");
            }
        }),
    )
    .await;
}

/// Makes the call while what it writes is done and nobody hears of it; its refusal's message.
async fn unheard(
    world: &World,
    function: &str,
    write: &'static str,
    call: (&Api, &str, Value, Option<&str>),
) -> String {
    let (api, path, body, key) = call;
    let proxy = Proxy::start(world.stack).await;
    with_proxy(world, function, &proxy, async {
        let warm = api.get("/v1/webhooks").await;
        assert!(warm.status > 0);
        proxy.add(Fault::of(Spoil::LoseAnswer).on(write).times(TRIES));
        let mut request = api.call(Method::POST, path).json(&body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.send().await;
        assert_eq!(answer.status, 500, "{answer:?}");
        let body = answer.json();
        let error = body["error"].as_str().or_else(|| body["error"]["message"].as_str());
        error.unwrap_or_else(|| panic!("no message: {body}")).to_owned()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn _500_says_safe() {
    let Some((world, _guard)) = alone().await else { return };
    let (tenant, job) = (standard(&world).await, world.netraflow("pro").await);
    let generator = world.nouvel().await;
    let url = "https://hooks.example/";
    let event = json!({"event": "invoice.paid", "data": {}});
    let with_id = json!({"event": "invoice.paid", "data": {}, "id": "mine"});
    let webhook = json!({"url": url, "events": ["*"]});
    let name = json!({"name": "unheard", "plan": "pro"});
    let keys = format!("/v1/tenants/{}/keys", tenant.id);
    let task = crate::support::customer::task_body(url);
    let generate = crate::support::customer::generate_body(1, 1, url);
    let (put, transaction) = ("PutItem", "TransactWriteItems");
    let dialect = json!({"dialect": "standard"});
    let (jobs, generate_path) = (&job.tenant.api, "/api/v1/generate");
    for (function, write, call, is_safe) in [
        ("events", put, (&tenant.api, "/v1/events", event.clone(), None), false),
        ("events", put, (&tenant.api, "/v1/events", event.clone(), Some("key")), true),
        ("events", put, (&tenant.api, "/v1/events", with_id, None), true),
        ("webhooks", transaction, (&tenant.api, "/v1/webhooks/create", webhook, None), false),
        ("jobs", transaction, (jobs, "/v1/jobs", task.clone(), None), false),
        ("jobs", transaction, (jobs, "/v1/jobs", task, Some("key")), true),
        ("jobs", transaction, (&generator.tenant.api, generate_path, generate, None), false),
        ("tenants", transaction, (&world.admin, "/v1/tenants", name, None), false),
        ("tenants", transaction, (&world.admin, keys.as_str(), dialect, None), false),
    ] {
        let path = call.1;
        let message = unheard(&world, function, write, call).await;
        assert_eq!(message.contains("repeating the request is safe"), is_safe, "{path}: {message}");
        assert_eq!(message.contains("may have been carried out"), !is_safe, "{path}: {message}");
    }
    // In a batch each event says it for itself.
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "events", &proxy, async {
        proxy.add(Fault::of(Spoil::LoseAnswer).on(put));
        let events = json!({"events": [event, {"event": "invoice.paid", "data": {}, "id": "again"}]});
        let answer = tenant.api.post("/v1/events/batch", &events).await.ok(202);
        let messages = [0, 1].map(|n: usize| text(&answer["results"][n]["error"], "message").to_owned());
        assert!(messages[0].contains("may have been carried out") && !messages[0].contains("request is safe"));
        assert!(messages[1].contains("repeating the request is safe"), "{messages:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn herd_cold_start() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let proxy = Proxy::start(world.stack).await;
    with_short_visibility(
        &world,
        2,
        with_proxy(&world, "deliver", &proxy, async {
            let events: Vec<_> = (0..25).map(|_| json!({"event": "invoice.paid", "data": {}})).collect();
            let publish = || async {
                for _ in 0..2 {
                    tenant.api.post("/v1/events/batch", &json!({"events": events})).await.ok(202);
                }
            };
            publish().await;
            receiver.wait_for(50, SOON).await;
            let (calls, processes) = (proxy.calls("GetSecretValue"), world.aws.functions.processes("deliver").len());
            assert!(calls as usize <= processes.max(1), "{calls} calls in {processes} processes");

            // While Secrets Manager is down, each process asks it now and then, not for each delivery.
            world.aws.functions.kill_all("deliver");
            proxy.add(Fault::of(Spoil::Refuse(500, "InternalServiceError")).service("secretsmanager"));
            let (begun, before) = (Instant::now(), proxy.calls("GetSecretValue"));
            publish().await;
            tokio::time::sleep(Duration::from_secs(10)).await;
            let (asked, seconds) = (proxy.calls("GetSecretValue") - before, begun.elapsed().as_secs() + 1);
            proxy.heal();
            let processes = u64::try_from(world.aws.functions.processes("deliver").len().max(1)).expect("a few");
            // A load is three calls, and a failure stands for a second.
            let most = processes * seconds * u64::from(TRIES);
            assert!(u64::from(asked) <= most, "{asked} calls in {seconds} s by {processes} processes");
            until("all to be delivered", 2 * MINUTE, || async {
                sweep(&world).await;
                let left = tenant.deliveries(&webhook, "limit=100").await;
                let left: Vec<_> = left.into_iter().filter(|delivery| delivery["status"] != "succeeded").collect();
                if left.is_empty() { Ok(()) } else { Err(format!("{} left, such as {}", left.len(), left[0])) }
            })
            .await;
        }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_clock_that_is_minutes_off_goes_by_awss() {
    let Some((world, _guard)) = alone().await else { return };
    // Without a secret: the emulator's Secrets Manager goes by its own clock, and would refuse what AWS takes.
    let tenant = world.tenant().await;
    let body = |receiver: &Receiver| json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]});
    // The emulator takes a signature of minutes ago, but not of more than five to come, whatever its answers' clock says.
    for ahead in [240, -600] {
        let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
        let webhook = tenant.create(&body(&receiver)).await;
        let proxy = Proxy::start(world.stack).await;
        proxy.set_clock_ahead(ahead);
        with_proxy(&world, "deliver", &proxy, async {
            let (_, id) = delivery_to(&tenant, &webhook).await;
            let delivery = tenant.settled(&id, "retrying", 1).await;
            let due = crate::support::time::instant(text(&delivery, "next_attempt_at"));
            let in_seconds = due.as_second() - jiff::Timestamp::now().as_second();
            let off = in_seconds - 3600 - ahead;
            assert!((-60..10).contains(&off), "{in_seconds} s, while AWS is {ahead} s ahead: {delivery}");
            assert_eq!(receiver.requests().len(), 1, "it comes neither at once nor never");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_letter_that_nobody_can_place_holds_up_no_other() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600, 3600]});
    let (_, broken) = delivery_to(&tenant, &tenant.create(&body).await).await;
    let (_, good) = delivery_to(&tenant, &tenant.create(&body).await).await;
    let messages = [world.aws.message(&broken, 2).await, world.aws.message(&good, 2).await];
    let webhook = text(&tenant.delivery(&broken).await, "webhook_id").to_owned();
    world.aws.rows.amend(&tenant.id, &format!("WEBHOOK#{webhook}"), "headers", n(7)).await;
    for message in &messages {
        world.aws.send(&world.stack.queues.dead, message).await;
    }
    let quarantine = &world.stack.queues.quarantine;
    let note = until("the note about what cannot be read", MINUTE, || async {
        sweep(&world).await;
        world.aws.take(quarantine, &broken).await.ok_or_else(|| "none".to_owned())
    })
    .await;
    assert!(note.contains("cannot be read"), "{note}");
    tenant.settled(&good, "retrying", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn _410_lost_answer() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(410)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let told = Receiver::start(world.stack).await;
    tenant.webhook(&told.url("/"), &["webhook.disabled"]).await;
    let proxy = Proxy::start(world.stack).await;
    let table = &world.stack.tables.deliveries;
    proxy.add(Fault::of(Spoil::LoseAnswer).on("UpdateItem").table(table).about(core_of(&webhook)).times(1));
    with_proxy(&world, "deliver", &proxy, async {
        let (_, id) = delivery_to(&tenant, &webhook).await;
        let delivery = tenant.settled(&id, "failed", 1).await;
        assert_eq!(delivery["reason"], "endpoint_gone", "{delivery}");
        until("the webhook to be disabled", SOON, || async {
            let shown = tenant.api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200);
            if shown["status"] == "disabled" { Ok(()) } else { Err(shown.to_string()) }
        })
        .await;
        assert_eq!(told.only(SOON).await.json()["type"], "webhook.disabled");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_disabling_whose_answer_is_lost_is_told_of_once() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(410)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let told = Receiver::start(world.stack).await;
    tenant.webhook(&told.url("/"), &["webhook.disabled"]).await;
    let proxy = Proxy::start(world.stack).await;
    proxy.add(Fault::of(Spoil::LoseAnswer).on("TransactWriteItems").about(core_of(&webhook)).times(1));
    with_proxy(&world, "deliver", &proxy, async {
        let (_, id) = delivery_to(&tenant, &webhook).await;
        tenant.settled(&id, "failed", 1).await;
        assert_eq!(told.only(SOON).await.json()["type"], "webhook.disabled");
        assert_eq!(proxy.hits(), 1);
        until("deliver to know that it did it", SOON, || async {
            let log = world.aws.functions.log("deliver").await;
            let is_so = |line: &&String| line.contains("webhook.disabled") && line.contains(&webhook);
            if log.iter().filter(is_so).count() == 1 { Ok(()) } else { Err("no line".to_owned()) }
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn retry_lost_answer() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(410)], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []});
    let webhook = tenant.create(&body).await;
    let (_, id) = delivery_to(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &json!({"status": "active"})).await.ok(200);
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "deliveries", &proxy, async {
        proxy.add(Fault::of(Spoil::LoseAnswer).on("UpdateItem").times(1));
        tenant.api.post(&format!("/v1/deliveries/{id}/retry"), &json!({})).await.ok(202);
        receiver.wait_for(2, Duration::from_secs(10)).await;
        tenant.settled(&id, "succeeded", 2).await;
        assert_eq!(proxy.hits(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_cancel_whose_answer_is_lost_is_a_202() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let (_, id) = one_delivery(&tenant, &receiver).await;
    tenant.settled(&id, "retrying", 1).await;
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "deliveries", &proxy, async {
        proxy.add(Fault::of(Spoil::LoseAnswer).on("UpdateItem").times(1));
        let cancelled = tenant.api.post(&format!("/v1/deliveries/{id}/cancel"), &json!({})).await.ok(202);
        assert_eq!((&cancelled["status"], proxy.hits()), (&json!("cancelled"), 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn tenant_rotate_lost_answer() {
    let Some((world, _guard)) = alone().await else { return };
    // Once, and as often as the SDK tries.
    for times in [1, TRIES] {
        let tenant = world.tenant().await;
        let path = format!("/v1/tenants/{}/secret/rotate", tenant.id);
        // One that was shown, so that it counts until its grace ends.
        world.admin.post(&path, &json!({"grace_seconds": 0})).await.ok(200);
        let proxy = Proxy::start(world.stack).await;
        with_proxy(&world, "tenants", &proxy, async {
            proxy.add(Fault::of(Spoil::LoseAnswer).on("UpdateItem").times(times));
            let shown = world.admin.post(&path, &json!({})).await.ok(200);
            assert!(!text(&shown, "secret").is_empty());
            assert_eq!(proxy.hits(), times);
        })
        .await;
        let row = world.aws.rows.of_tenant(&tenant.id).await;
        let secrets = row["secrets"].as_l().expect("a tenant has secrets");
        assert_eq!(secrets.len(), 2, "the old one and the one that was shown");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn changes_of_webhooks_and_jobs_whose_answers_are_lost_are_made_once() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let webhook = tenant.webhook("https://hooks.example/", &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    let proxy = Proxy::start(world.stack).await;
    let lose = |times| proxy.add(Fault::of(Spoil::LoseAnswer).on("TransactWriteItems").times(times));
    with_proxy(&world, "webhooks", &proxy, async {
        lose(1);
        tenant.api.patch(&path, &json!({"description": "a"})).await.ok(200);
        lose(1);
        let rotated = tenant.api.post(&format!("{path}/secret/rotate"), &json!({})).await.ok(200);
        assert!(text(&rotated, "secret").starts_with("whsec_"));
        let row = world.aws.rows.webhook(&tenant.id, &webhook).await;
        assert_eq!(row["secrets"].as_l().map(Vec::len).ok(), Some(2));
        lose(1);
        tenant.api.delete(&path).await.ok(204);
        lose(1);
        tenant.webhook("https://hooks.example/", &["*"]).await;
    })
    .await;
    assert_eq!(proxy.hits(), 4);
    let customer = world.netraflow("pro").await;
    with_proxy(&world, "jobs", &proxy, async {
        let task = crate::support::customer::task_body("https://hooks.example/");
        for key in [None, Some("mine")] {
            lose(1);
            let call = customer.tenant.api.call(Method::POST, "/v1/jobs").json(&task);
            let call = if let Some(key) = key { call.header("idempotency-key", key) } else { call };
            let job = text(&call.send().await.data(201), "job_id").to_owned();
            lose(1);
            customer.report_task(&job, &json!({"status": "completed", "credits_charged": 1})).await.data(200);
            assert_eq!(customer.task(&job).await["status"], "completed");
        }
    })
    .await;
    assert_eq!(proxy.hits(), 8);
    with_proxy(&world, "tenants", &proxy, async {
        lose(1);
        let made = world.admin.post("/v1/tenants", &json!({"name": "heard", "plan": "pro"})).await.ok(201);
        lose(1);
        let keys = format!("/v1/tenants/{}/keys", text(&made, "id"));
        world.admin.post(&keys, &json!({"dialect": "standard"})).await.ok(201);
        let listed = world.admin.get(&keys).await.ok(200);
        assert_eq!(listed["keys"].as_array().map(Vec::len), Some(1), "{listed}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_recovery_counts_what_it_sent_however_answers_are_lost() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []});
    let webhook = tenant.create(&body).await;
    for id in published(&tenant, &webhook, 5).await {
        tenant.settled(&id, "failed", 1).await;
    }
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "deliveries", &proxy, async {
        proxy.add(Fault::of(Spoil::LoseAnswer).on("UpdateItem").times(2));
        proxy.add(Fault::of(Spoil::LoseAnswer).on("TransactWriteItems").times(2));
        let asked = json!({"since": "2020-01-01T00:00:00Z"});
        let path = format!("/v1/webhooks/{webhook}/recover");
        let begun = tenant.api.post(&path, &asked).await.ok(202);
        let path = format!("{path}/{}", text(&begun, "recovery_id"));
        let done = until("the recovery to be done", MINUTE, || async {
            sweep(&world).await;
            let shown = tenant.api.get(&path).await.ok(200);
            if shown["status"] == "done" { Ok(shown) } else { Err(shown.to_string()) }
        })
        .await;
        assert_eq!((&done["found"], &done["requeued"]), (&json!(5), &json!(5)), "{done}");
    })
    .await;
    for delivery in tenant.deliveries(&webhook, "limit=100").await {
        tenant.settled(text(&delivery, "id"), "failed", 2).await;
    }
}

/// POSTs that came after a receiver had answered the same event with a 2xx.
fn surplus(receivers: &[Receiver]) -> usize {
    receivers
        .iter()
        .map(|receiver| {
            let requests = receiver.requests();
            let events: std::collections::BTreeSet<_> =
                requests.iter().map(|request| request.header("webhook-id").map(str::to_owned)).collect();
            requests.len() - events.len()
        })
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn fanout_rerun_twice() {
    let Some((world, _guard)) = alone().await else { return };
    let tenant = standard(&world).await;
    let mut receivers = Vec::new();
    for _ in 0..5 {
        let receiver = Receiver::start(world.stack).await;
        tenant.webhook(&receiver.url("/"), &["*"]).await;
        receivers.push(receiver);
    }
    let proxy = Proxy::start(world.stack).await;
    // One chunk of every few fails for good at first: the whole batch is run again.
    proxy.add(Fault::of(NO_CAPACITY).on("BatchExecuteStatement").percent(60));
    proxy.add(Fault::of(Spoil::InPart).on("BatchExecuteStatement").percent(50));
    proxy.add(Fault::of(Spoil::Half).on("BatchGetItem"));
    let work = with_proxy(&world, "fanout", &proxy, async {
        for _ in 0..4 {
            let events: Vec<_> = (0..25).map(|_| json!({"event": "invoice.paid", "data": {}})).collect();
            tenant.api.post("/v1/events/batch", &json!({"events": events})).await.ok(202);
        }
        let came = || receivers.iter().map(|receiver| receiver.wait_for(100, 3 * MINUTE));
        futures::future::join_all(came()).await;
        let log = world.aws.functions.log("fanout").await;
        log.iter().filter(|line| line.contains("BatchExecuteStatement deliveries")).count()
    });
    let failures = with_short_visibility(&world, 15, work).await;
    // What a rerun announces it announces later than the first run: long enough for it to have come.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let surplus = surplus(&receivers);
    crate::support::stack::say(&format!("{failures} lines about failed puts, {surplus} surplus POSTs of 500"));
    assert!(proxy.hits() > 0);
    assert!(surplus <= 10, "{surplus} POSTs after a 2xx");
}
