//! AWS does what it is asked, and nobody hears of it: what was done is recognised as our own, and callers are told the truth.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::chaos::{MINUTE, TRIES, alone, core_of, delivery_to, one_delivery, published, standard, sweep, with_proxy};
use crate::support::api::text;
use crate::support::proxy::{Fault, Proxy, Spoil};
use crate::support::{Api, Receiver, Reply, SOON, Tenant, World, until};

/// A tenant with a webhook that is gone and a receiver that hears of it: both receivers live as long as they are held.
async fn with_one_that_is_gone(world: &World) -> (Tenant, String, [Receiver; 2]) {
    let tenant = standard(world).await;
    let gone = Receiver::scripted(world.stack, [], Reply::Status(410)).await;
    let webhook = tenant.webhook(&gone.url("/"), &["*"]).await;
    let told = Receiver::start(world.stack).await;
    tenant.webhook(&told.url("/"), &["webhook.disabled"]).await;
    (tenant, webhook, [gone, told])
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn _410_lost_answer() {
    let (world, _guard) = alone().await;
    let (tenant, webhook, [_gone, told]) = with_one_that_is_gone(&world).await;
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
    let (world, _guard) = alone().await;
    let (tenant, webhook, [_gone, told]) = with_one_that_is_gone(&world).await;
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
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(410)], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []});
    let webhook = tenant.create(&body).await;
    let (_, id) = delivery_to(&tenant, &webhook).await;
    tenant.settled(&id, "failed", 1).await;
    tenant.api.patch(&format!("/v1/webhooks/{webhook}"), &json!({"status": "active"})).await.ok(200);
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "ledger", &proxy, async {
        proxy.add(Fault::of(Spoil::LoseAnswer).on("UpdateItem").times(1));
        tenant.api.post(&format!("/v1/deliveries/{id}/retry"), &json!({})).await.ok(202);
        receiver.wait_for(2, SOON).await;
        tenant.settled(&id, "succeeded", 2).await;
        assert_eq!(proxy.hits(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_cancel_whose_answer_is_lost_is_a_202() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let (_, id) = one_delivery(&tenant, &receiver).await;
    tenant.settled(&id, "retrying", 1).await;
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "ledger", &proxy, async {
        proxy.add(Fault::of(Spoil::LoseAnswer).on("UpdateItem").times(1));
        let cancelled = tenant.api.post(&format!("/v1/deliveries/{id}/cancel"), &json!({})).await.ok(202);
        assert_eq!((&cancelled["status"], proxy.hits()), (&json!("cancelled"), 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn tenant_rotate_lost_answer() {
    let (world, _guard) = alone().await;
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
    let (world, _guard) = alone().await;
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
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []});
    let webhook = tenant.create(&body).await;
    for id in published(&tenant, &webhook, 5).await {
        tenant.settled(&id, "failed", 1).await;
    }
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "ledger", &proxy, async {
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
    let (world, _guard) = alone().await;
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

/// What AWS answers so late that the SDK has given the try up.
const TOO_LATE: Spoil = Spoil::Delay(Duration::from_millis(4_500));

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_was_asked_for_is_known_as_done_though_somebody_else_wrote_before_the_second_try() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    // What waits for long is neither due nor under way when it is asked for.
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [86_400]});
    let (_, id) = delivery_to(&tenant, &tenant.create(&body).await).await;
    let proxy = Proxy::start(world.stack).await;
    let (retry, cancel) = (format!("/v1/deliveries/{id}/retry"), format!("/v1/deliveries/{id}/cancel"));
    with_proxy(&world, "ledger", &proxy, async {
        for (attempts, asked, meanwhile) in [(1, &cancel, &retry), (2, &retry, &cancel)] {
            let before = tenant.settled(&id, "retrying", attempts).await;
            let hits = proxy.hits();
            proxy.add(Fault::of(TOO_LATE).on("UpdateItem").times(1));
            let (body, first) = (json!({}), async {
                until("the change to be made", SOON, || async {
                    let now = tenant.delivery(&id).await;
                    let made = proxy.hits() > hits && now["next_attempt_at"] != before["next_attempt_at"];
                    if made { Ok(()) } else { Err(now.to_string()) }
                })
                .await;
                // Somebody else's change, which its own second try finds there.
                tenant.api.post(meanwhile, &json!({})).await.ok(202);
            });
            let (answer, ()) = futures::future::join(tenant.api.post(asked, &body), first).await;
            answer.ok(202);
            assert_eq!(proxy.hits(), hits + 1);
        }
    })
    .await;
    assert_eq!(tenant.delivery(&id).await["status"], "cancelled", "as it was asked last");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_write_that_aws_answers_with_500_may_have_been_carried_out() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "events", &proxy, async {
        proxy.add(Fault::of(Spoil::Refuse(500, "InternalServerError")).on("PutItem"));
        let event = json!({"event": "invoice.paid", "data": {}});
        let error = tenant.api.post("/v1/events", &event).await.refused(500, "internal");
        assert!(text(&error, "message").contains("may have been carried out"), "{error}");
        let event = json!({"event": "invoice.paid", "data": {}, "id": "mine"});
        let error = tenant.api.post("/v1/events", &event).await.refused(500, "internal");
        assert!(text(&error, "message").contains("repeating the request is safe"), "{error}");
        // A service that is unavailable, or about the same row for somebody else, is so for now.
        for (status, code) in [(503, "ServiceUnavailable"), (400, "TransactionConflictException")] {
            proxy.heal();
            proxy.add(Fault::of(Spoil::Refuse(status, code)).on("PutItem"));
            let answer = tenant.api.post("/v1/events", &event).await;
            answer.refused(503, "unavailable");
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
        }
    })
    .await;
}
