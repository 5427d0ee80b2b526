//! What no log may tell: payloads, secrets, keys, URLs' queries, headers, answers.
//!
//! The whole suite carries canaries where a customer's secrets would be. This search comes after everything else
//! (`make test` runs it last; by hand: `cargo test --workspace --test e2e -- --ignored logs::`), since it reads what all
//! the other tests have made the functions write.

use std::fs;

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::customer::task_body;
use crate::support::openssl::self_signed;
use crate::support::stack::{Stack, say};
use crate::support::{Gate, Receiver, Reply, SOON, Tenant, World, canary, until};

const SECRET: &str = concat!("whsec_", canary!("secret"), "0123456789abcdef0123456789");
/// The same as Standard Webhooks has it, where no canary fits in.
const STANDARD_SECRET: &str = "whsec_OKaV1l0dX7zH2mQe9Jc4Tn6RuYbWgPsD0fGhKxLvMwE=";
/// What every key begins with that Postrider makes, and every session and link of the portal.
const KEY_PREFIXES: [&str; 8] = ["nur_", "nvl_", "sk_live_", "pr_", "prv_", "prs_", "prl_", "acme_"];
/// Shorter than any key, longer than any word that begins so.
const KEY_CHARS: usize = 20;
/// Parts of what is sent beside the body, and of a secret however it was made.
const NEVER: [&str; 10] = [
    "CANARY",
    "OKaV1l0dX7zH2mQe9Jc4Tn6RuYbWgPsD0fGhKxLvMwE=",
    "whsec_",
    "sha256=",
    "X-Nur-Signature",
    "X-Nouvel-Signature",
    "X-NetraFlow-Signature",
    "webhook-signature",
    "authorization",
    "x-api-key",
];

async fn webhook(tenant: &Tenant, url: &str) -> String {
    let body = json!({
        "url": url,
        "events": ["*"],
        "secret": SECRET,
        "description": canary!("description"),
        "headers": {"x-token": canary!("header")},
        "timeout_seconds": 1,
    });
    tenant.create(&body).await
}

/// An event that carries a canary goes to receivers of every temper, in two attempts each.
async fn deliveries(world: &World, tenant: &Tenant) {
    let gate = Gate::shut();
    let answer = || canary!("answer").as_bytes().to_vec();
    let location = vec![("location", format!("https://localhost/?{}", canary!("location")))];
    let (cert, key) = self_signed("logs");
    let receivers = [
        (Receiver::start(world.stack).await, "succeeded"),
        (Receiver::scripted(world.stack, [], Reply::Full(500, vec![], answer())).await, "status_500"),
        (Receiver::scripted(world.stack, [], Reply::Full(302, location, answer())).await, "status_302"),
        (Receiver::scripted(world.stack, [], Reply::Raw(answer())).await, "invalid_response"),
        (Receiver::scripted(world.stack, [], Reply::Hangup).await, "reset"),
        (Receiver::scripted(world.stack, [], Reply::Held(gate)).await, "timed_out"),
        (Receiver::with_certificate(&cert, &key, [].into(), Reply::Status(200)).await, "tls_failed"),
    ];
    let mut webhooks = Vec::new();
    for (receiver, outcome) in &receivers {
        webhooks.push((webhook(tenant, &receiver.url("/")).await, *outcome));
    }
    let nowhere = concat!("https://your-app.invalid/?token=", canary!("query"));
    webhooks.push((webhook(tenant, nowhere).await, "dns_failed"));
    let event = tenant.publish("dubbing.completed", &json!({"card": canary!("data")})).await;
    for (webhook, outcome) in webhooks {
        let id = tenant.delivery_of(&event, &webhook).await;
        if outcome == "succeeded" {
            tenant.settled(&id, outcome, 1).await;
            continue;
        }
        let delivery = tenant.settled(&id, "retrying", 1).await;
        assert_eq!(delivery["attempts"][0]["outcome"], outcome, "{delivery}");
        world.aws.attempt_now(&id, 2).await;
        tenant.settled(&id, "retrying", 2).await;
    }
}

/// Requests that are refused, each with a canary in what is wrong with it.
async fn refusals(world: &World, tenant: &Tenant) {
    let api = &tenant.api;
    api.post_text("/v1/events", concat!(r#"{"event":"dubbing.completed","data":{"#, canary!("data"))).await.ok(400);
    let event = |event: &str, data: Value| json!({"event": event, "data": data});
    api.post("/v1/events", &event(canary!("type"), json!({}))).await;
    api.post("/v1/events", &event("dubbing.completed", json!(canary!("data")))).await;
    let large = format!("{}{}", canary!("data"), "x".repeat(300 * 1024));
    api.post("/v1/events", &event("dubbing.completed", json!({"text": large}))).await.ok(413);
    for data in [canary!("data"), concat!(canary!("data"), "2")] {
        let call = api.call(reqwest::Method::POST, "/v1/events").header("idempotency-key", canary!("key"));
        call.json(&event("dubbing.completed", json!({"text": data}))).send().await;
    }
    let wrong = [
        json!({"url": concat!("https://user:", canary!("password"), "@your-app.invalid/"), "events": ["*"]}),
        json!({"url": concat!("https://10.0.0.1/?", canary!("query")), "events": ["*"], "secret": SECRET}),
        json!({"url": "https://your-app.invalid/", "events": ["*"], "secret": {"a": canary!("secret")}}),
        json!({"url": "https://your-app.invalid/", "events": ["*"], "headers": {"host": canary!("header")}}),
        json!({"url": "https://your-app.invalid/", "events": ["*"], canary!("field"): 1}),
    ];
    for body in wrong {
        api.post("/v1/webhooks/create", &body).await.ok(400);
    }
    for key in [canary!("key"), concat!("nur_", canary!("key"), "0123456789")] {
        world.anonymous.with_key(key).get("/v1/webhooks").await.ok(401);
    }
    api.get(concat!("/v1/webhooks?cursor=", canary!("cursor"))).await;
    api.get(concat!("/v1/", canary!("path"), "?token=", canary!("query"))).await;
}

/// What a visitor opens and posts at the portal, with a canary wherever he may write, and a link's page.
async fn pages(world: &World, tenant: &Tenant) {
    let reader = world.reader_who(&tenant.id, &["view", "edit"]).await;
    let list = reader.opens(concat!("webhooks?after=", canary!("query"))).await;
    assert_eq!(reader.opens(concat!("webhooks/", canary!("path"))).await.status, 404);
    let typed = [("url", concat!("https://your-app.invalid/?", canary!("query"))), ("events", canary!("event"))];
    assert!(reader.posts(&list, "webhooks/new", &typed).await.status >= 400);
    reader.opens(&format!("enter/prl_{}", "5f0c9a7e".repeat(8))).await;
    tenant.api.get(concat!("/v1/openapi.json?", canary!("query"))).await;
}

/// Jobs and what comes over the bus, good and refused, each with a canary wherever its sender may write.
async fn jobs(world: &World) {
    let customer = world.netraflow("pro").await;
    world.set_secret(&customer.tenant, SECRET).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let mut body = task_body(&receiver.url("/"));
    body["url"] = json!(concat!("https://vimeo.com/?", canary!("query")));
    body["capabilities"] = json!([canary!("capability")]);
    body[canary!("field")] = json!(canary!("data"));
    let call = customer.tenant.api.call(reqwest::Method::POST, "/v1/jobs").header("idempotency-key", canary!("key"));
    let started = call.json(&body).send().await.data(201);
    let job = text(&started, "job_id");
    body["webhook_url"] = json!(concat!("http://your-app.invalid/?", canary!("query")));
    customer.tenant.api.post("/v1/jobs", &body).await.refused_with_meta(400, "invalid_request");
    customer.report_task(job, &json!({"status": canary!("status")})).await.refused_with_meta(400, "invalid_request");
    customer.report_task(job, &json!({"status": "failed"})).await.data(200);
    customer.settled(job, "retrying", 1).await;

    let nouvel = world.nouvel().await;
    let job = nouvel.generate(1, 1, &receiver.url("/")).await;
    let report = |project: &str, status: &str| json!({"projects": [{"projectId": project, "status": status, "title": canary!("title"), "videoUrl": concat!("https://cdn.example/?", canary!("url"))}]});
    nouvel.report(&job.id, &report(canary!("project"), "failed")).await.refused_plainly(400, "invalid_request");
    nouvel.report(&job.id, &report(&job.projects[0], "completed")).await.ok(200);
    nouvel.settled(&job.id, "failed", 1).await;

    let tenant = &customer.tenant.id;
    for (function, detail_type, detail) in [
        ("events", "Postrider Event", json!({"tenant_id": canary!("tenant"), "event": "a.b", "data": {}})),
        ("events", "Postrider Event", json!({"tenant_id": tenant, "event": concat!(canary!("type"), " "), "data": {}})),
        ("events", "Postrider Event", json!({"tenant_id": tenant, "event": "a.b", "data": canary!("data")})),
        ("events", "Postrider Event", json!({"tenant_id": tenant, "event": "a.b", "data": {}, canary!("field"): 1})),
        ("events", canary!("type"), json!({"tenant_id": tenant, "event": "a.b"})),
        ("jobs", "Postrider Job", json!({"tenant_id": tenant, "job_id": canary!("job"), "status": "failed"})),
        ("jobs", "Postrider Job", json!({"tenant_id": nouvel.tenant.id, "job_id": job.id, canary!("field"): 1})),
        ("jobs", "Postrider Job", {
            let mut detail = report(canary!("project"), "failed");
            detail["tenant_id"] = json!(nouvel.tenant.id);
            detail["job_id"] = json!(job.id);
            detail
        }),
    ] {
        let envelope = json!({"id": "6a7e8feb", "detail-type": detail_type, "detail": detail});
        assert_eq!(world.aws.functions.invoke(function, &envelope).await, Value::Null);
        let direct = world.aws.functions.invoke("events", &detail).await;
        assert!(direct["error"].is_object(), "{direct}");
    }
}

/// The lines in which something stands that must not.
fn telling<'a>(lines: impl Iterator<Item = &'a str>, never: &[String]) -> Vec<&'a str> {
    let is_key = |word: &str| {
        KEY_PREFIXES.iter().any(|prefix| word.strip_prefix(prefix).is_some_and(|rest| rest.len() >= KEY_CHARS))
    };
    let tells = |line: &&str| {
        never.iter().any(|part| line.contains(part.as_str()))
            || line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(is_key)
    };
    lines.filter(tells).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "comes after all the others"]
async fn no_log_line_of_the_whole_suite_tells_what_is_private() {
    let world = World::open();
    let tenant = world.tenant().await;
    deliveries(&world, &tenant).await;
    refusals(&world, &tenant).await;
    jobs(&world).await;
    pages(&world, &tenant).await;

    let mut never: Vec<String> = NEVER.map(str::to_owned).to_vec();
    never.push(world.stack.admin_key.clone());
    never.push(world.stack.webhook_signing_secret.clone());
    let environment = world.aws.functions.environment("deliver").await;
    let encryption = world.aws.functions.secret(text(&json!(environment), "ENCRYPTION_KEY_SECRET")).await;
    let encryption: Value = serde_json::from_str(&encryption).expect("the encryption keys are JSON");
    never.push(text(&encryption, text(&encryption, "current")).to_owned());

    let mut counted = 0;
    for function in world.stack.functions.keys() {
        let lines = world.aws.functions.log(function).await;
        assert!(!lines.is_empty(), "{function} has written nothing");
        let found = telling(lines.iter().map(String::as_str), &never);
        assert!(found.is_empty(), "{} lines of {function} tell, such as {:?}", found.len(), found[0]);
        counted += lines.len();
    }
    let log = Stack::folder().join("emulator.log");
    let whole = String::from_utf8_lossy(&fs::read(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display())))
        .into_owned();
    assert!(whole.contains("delivery.attempted"), "the emulator's log has the functions' output");
    let found = telling(whole.lines(), &never);
    assert!(found.is_empty(), "{} lines of the emulator's log tell, such as {:?}", found.len(), found[0]);
    say(&format!("searched {counted} log lines of the functions, {} of the emulator", whole.lines().count()));
}

/// A webhook of the standard dialect with headers of its own, through all that can be done with it: whatever its receivers answer, and
/// with one beside it that is told of everything. What they were sent of all this, as text.
async fn own_headers(world: &World) -> Vec<String> {
    let tenant = world.tenant_on("standard", "pro").await;
    let listener = Receiver::start(world.stack).await;
    tenant.webhook(&listener.url("/"), &["webhook.*"]).await;
    let (cert, key) = self_signed("headers");
    let headers = json!({"authorization": concat!("Bearer ", canary!("header")), "x-token": canary!("header")});
    for (receiver, outcome) in [
        (Receiver::start(world.stack).await, "succeeded"),
        (Receiver::scripted(world.stack, [], Reply::Echo(500)).await, "failed"),
        (Receiver::scripted(world.stack, [], Reply::Echo(302)).await, "failed"),
        (Receiver::scripted(world.stack, [], Reply::Echo(410)).await, "failed"),
        (Receiver::scripted(world.stack, [], Reply::Held(Gate::shut())).await, "failed"),
        (Receiver::with_certificate(&cert, &key, [].into(), Reply::Echo(500)).await, "failed"),
    ] {
        let body = json!({
            "url": receiver.url("/"),
            "events": ["invoice.*"],
            "secret": STANDARD_SECRET,
            "headers": headers,
            "retry_schedule": [],
            "timeout_seconds": 1,
        });
        let webhook = tenant.create(&body).await;
        let path = format!("/v1/webhooks/{webhook}");
        let change = json!({"headers": {"authorization": "***", "x-other": canary!("header")}});
        tenant.api.patch(&path, &change).await.ok(200);
        let event = tenant.publish("invoice.paid", &json!({})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&id, outcome, 1).await;
        let wrong = json!({"headers": {"authorization": concat!(canary!("header"), "\n")}});
        tenant.api.patch(&path, &wrong).await.ok(400);
        let rotation = json!({"secret": STANDARD_SECRET, "grace_seconds": 60});
        tenant.api.post(&format!("{path}/secret/rotate"), &rotation).await.ok(200);
        let shown = [
            tenant.api.get(&path).await.body,
            tenant.api.get("/v1/webhooks?limit=100").await.body,
            tenant.api.get(&format!("{path}/deliveries")).await.body,
            tenant.api.get(&format!("/v1/deliveries/{id}")).await.body,
            tenant.api.get(&format!("/v1/events/{event}")).await.body,
        ];
        let found = telling(shown.iter().map(String::as_str), &hidden());
        assert!(found.is_empty(), "{outcome}: {found:?}");
        assert_eq!(tenant.api.delete(&path).await.status, 204);
    }
    // Seven creations, six of each change but for the disabling, and that of the 410 and what was given up.
    let told = listener.wait_for(7 + 3 * 6, SOON).await;
    told.iter().map(|post| post.text().to_owned()).collect()
}

/// A header's value, and a secret.
fn hidden() -> Vec<String> {
    let standard = STANDARD_SECRET.trim_start_matches("whsec_");
    [canary!("header"), canary!("secret"), standard].map(str::to_owned).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "comes after all the others"]
async fn no_row_no_message_and_nothing_that_is_told_has_a_headers_value_or_a_secret() {
    let world = World::open();
    let told = own_headers(&world).await;
    let found = telling(told.iter().map(String::as_str), &hidden());
    assert!(found.is_empty(), "a webhook is told {}", found[0]);
    let rows = world.aws.rows.all().await;
    let found = telling(rows.iter().map(String::as_str), &hidden());
    assert!(found.is_empty(), "{} rows tell, such as {}", found.len(), found[0]);
    let queues = &world.stack.queues;
    let mut messages = 0;
    for queue in [
        &queues.deliver,
        &queues.retry,
        &queues.slow,
        &queues.dead,
        &queues.quarantine,
        &queues.unfinished,
        &queues.continuation,
        &queues.triggers,
    ] {
        let bodies = world.aws.all_of(queue).await;
        let found = telling(bodies.iter().map(String::as_str), &hidden());
        assert!(found.is_empty(), "{queue} tells {}", found[0]);
        messages += bodies.len();
    }
    say(&format!("searched {} rows and {messages} messages", rows.len()));
}

/// Whether a function has written a count of this name.
async fn counts(world: &World, function: &str, metric: &str) -> bool {
    let lines = world.aws.functions.log(function).await;
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let counted = |line: &Value| {
        line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] == metric && line[metric].as_f64() > Some(0.0)
    };
    lines.into_iter().any(|line| counted(&line))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "comes after all the others"]
async fn events_are_counted_where_they_come_in_and_where_they_are_taken() {
    let world = World::open();
    let tenant = world.tenant().await;
    tenant.publish("dubbing.completed", &json!({})).await;
    let receiver = Receiver::start(world.stack).await;
    world.nouvel().await.generate(1, 1, &receiver.url("/")).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["voice.*"]).await;
    tenant.api.post(&format!("/v1/webhooks/{webhook}/test"), &json!({})).await.ok(202);
    let doors = ["events", "jobs", "webhooks"].map(|function| (function, "AcceptedEvents"));
    for (function, metric) in doors.into_iter().chain([("fanout", "TakenEvents")]) {
        until(&format!("{function} to count"), SOON, || async {
            if counts(&world, function, metric).await { Ok(()) } else { Err(format!("no {metric}")) }
        })
        .await;
    }
}

#[test]
fn the_search_finds_what_it_is_for() {
    let never = ["CANARY".to_owned()];
    let lines = [
        r#"{"message":"api.answered","status":200}"#,
        concat!("url: https://localhost/?token=", canary!("query")),
        "key: nur_0123456789abcdefghijABCD",
        "a pr_number and nur_dialect, and key_0123456789abcdefghij",
    ];
    assert_eq!(telling(lines.into_iter(), &never), [lines[1], lines[2]]);
}
