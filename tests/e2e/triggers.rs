//! Events and reports of other services: put on the stack's bus, or handed to the function itself. What is wrong is set
//! aside with its reason, and what comes twice counts once.

use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::bus::{put, put_all};
use crate::support::customer::{project_report, task_body};
use crate::support::openssl::hmac_sha256;
use crate::support::time::instant;
use crate::support::{Receiver, SOON, World, canary, until};

const EVENT: &str = "Postrider Event";
const JOB: &str = "Postrider Job";
const SECRET: &str = "whsec_your_signing_secret";

/// The note in the triggers queue that mentions `part`.
async fn set_aside(world: &World, part: &str) -> Value {
    let note = until(&format!("a note about {part}"), SOON, || async {
        world.aws.take(&world.stack.queues.triggers, part).await.ok_or_else(|| "none".to_owned())
    })
    .await;
    serde_json::from_str(&note).expect("a note should be JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_put_on_the_bus_arrives_signed() {
    let world = World::open();
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let (receiver, bystander) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "secret": SECRET})).await;
    other.webhook(&bystander.url("/"), &["*"]).await;
    let data = json!({"job_id": "dub_789xyz", "title": "é 🙂", "private": canary!("data")});
    put(world.stack, EVENT, &json!({"tenant_id": tenant.id, "event": "dubbing.completed", "data": data})).await;
    let received = receiver.only(SOON).await;
    let body = received.json();
    assert_eq!((&body["event"], &body["data"]), (&json!("dubbing.completed"), &data));
    let signature = format!("sha256={}", hmac_sha256(SECRET, &received.body));
    assert_eq!(received.header("X-Nur-Signature"), Some(signature.as_str()));
    assert_eq!(bystander.requests(), []);
    // It is an event like any other.
    let shown = tenant.api.get(&format!("/v1/events/{}", received.event_id())).await.ok(200);
    assert_eq!(shown["data"], data);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_makes_an_event_of_the_bus_one_and_so_does_its_envelope() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let detail = |id: &str| json!({"tenant_id": tenant.id, "event": "dubbing.completed", "data": {"id": id}, "id": id});
    put_all(world.stack, EVENT, &["one", "one", "two"].map(|id| detail(id).to_string())).await;
    receiver.wait_for(2, SOON).await;

    // The bus delivers at least once; an envelope that comes again is known by its id.
    let envelope = |id: &str| {
        json!({
            "version": "0",
            "id": id,
            "detail-type": EVENT,
            "source": "tests.postrider",
            "detail": {"tenant_id": tenant.id, "event": "dubbing.failed", "data": {"of": id}},
        })
    };
    let (first, second) = ("6a7e8feb-b491-4cf7-a9f1-bf3703467718", "6a7e8feb-b491-4cf7-a9f1-bf3703467719");
    for id in [first, first, second, first] {
        assert_eq!(world.aws.functions.invoke("events", &envelope(id)).await, Value::Null);
    }
    let received = receiver.wait_for(4, SOON).await;
    let mut failed: Vec<_> = received.iter().map(|request| request.json()["data"].to_string()).collect();
    failed.sort();
    let expected = [json!({"id": "one"}), json!({"id": "two"}), json!({"of": first}), json!({"of": second})];
    assert_eq!(failed, expected.map(|data| data.to_string()));
    assert_eq!(world.aws.rows.all_events_of(&tenant.id).await, 4);

    // The same id over HTTP is another producer's, and another event.
    let event = json!({"event": "dubbing.completed", "data": {"id": "one"}, "id": "one"});
    tenant.api.post("/v1/events", &event).await.ok(202);
    receiver.wait_for(5, SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_wrong_is_set_aside_with_its_reason() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let id = tenant.id.as_str();
    let (event, nobody) = ("dubbing.completed", "ten_0000000000000000");
    put(world.stack, EVENT, &json!({"tenant_id": id, "event": event, "data": {}, "id": "conflict"})).await;
    receiver.only(SOON).await;
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let wrong = [
        ("no-tenant", "tenant_id", json!({"event": event, "data": {}})),
        ("bad-tenant", "tenant_id", json!({"tenant_id": "acme", "event": event, "data": {}})),
        ("unknown-tenant", "tenant", json!({"tenant_id": nobody, "event": event, "data": {}})),
        ("no-event", "event", json!({"tenant_id": id, "data": {}})),
        ("bad-event", "event", json!({"tenant_id": id, "event": "Not a type", "data": {}})),
        ("reserved", "webhook.", json!({"tenant_id": id, "event": "webhook.disabled", "data": {}})),
        ("no-data", "data", json!({"tenant_id": id, "event": event})),
        ("data-is-a-list", "data", json!({"tenant_id": id, "event": event, "data": [1]})),
        ("odd-id", "id", json!({"tenant_id": id, "event": event, "data": {}, "id": "line\nfeed"})),
        ("too-deep", "nesting", json!({"tenant_id": id, "event": event, "data": {"deep": "DEEP"}})),
        ("extra", "extra", json!({"tenant_id": id, "event": event, "data": {}, "extra": 1})),
        ("conflict", "before", json!({"tenant_id": id, "event": event, "data": {"other": 1}, "id": "conflict"})),
    ];
    // Each is marked where it may hold any text and is wrong all the same: in its data, its id or its type.
    let wrong = wrong.map(|(mark, reason, mut detail)| {
        let mark = format!("mark-{mark}-{id}");
        if detail.get("extra").is_none() && detail["data"].is_object() {
            detail["data"]["mark"] = json!(mark);
        } else if detail.get("id").is_none() {
            detail["id"] = json!(mark);
        }
        (mark, reason, detail.to_string().replace("\"DEEP\"", &deep))
    });
    put_all(world.stack, EVENT, &wrong.each_ref().map(|(_, _, detail)| detail.clone())).await;
    for (mark, reason, detail) in wrong {
        let note = set_aside(&world, &mark).await;
        assert_eq!(keys(&note), ["detail", "detail_type", "id", "reason", "source", "v"]);
        assert_eq!((&note["source"], &note["detail_type"]), (&json!("bus"), &json!(EVENT)));
        assert!(text(&note, "reason").contains(reason), "{mark}: {note}");
        let [kept, put] =
            [text(&note, "detail"), &detail].map(|text| serde_json::from_str::<Value>(text).expect("JSON"));
        assert_eq!(kept, put, "what was put is kept whole");
    }
    receiver.only(SOON).await;
    assert_eq!(world.aws.rows.all_events_of(id).await, 1, "only the good one is an event");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_on_the_bus_end_jobs_of_both_kinds() {
    let world = World::open();
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    let (first, second) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    let generation = nouvel.generate(1, 2, &first.url("/")).await;
    let reports = generation.projects.iter().zip(["completed", "failed"]);
    let reports: Vec<_> = reports.map(|(project, status)| project_report(project, status)).collect();
    let report = json!({"tenant_id": nouvel.tenant.id, "job_id": generation.id, "projects": reports});
    put(world.stack, JOB, &report).await;
    let body = first.only(SOON).await.json();
    assert_eq!((&body["jobId"], &body["status"]), (&json!(generation.id), &json!("partial")));

    let task = netraflow.start(&second.url("/")).await;
    let report = |rest: Value| {
        let mut report = json!({"tenant_id": netraflow.tenant.id, "job_id": task});
        let fields = rest.as_object().expect("an object").clone();
        report.as_object_mut().expect("an object").extend(fields);
        report
    };
    put(world.stack, JOB, &report(json!({"status": "processing"}))).await;
    until("the task to be processing", SOON, || async {
        let shown = netraflow.task(&task).await;
        if shown["status"] == "processing" { Ok(()) } else { Err(shown.to_string()) }
    })
    .await;
    let end = report(json!({"status": "completed", "credits_charged": 3}));
    put(world.stack, JOB, &end).await;
    let body = second.only(SOON).await.json();
    assert_eq!((&body["job_id"], &body["credits_charged"]), (&json!(task), &json!(3)));

    // Again is as good as once, and what would change it is set aside.
    put(world.stack, JOB, &end).await;
    put(world.stack, JOB, &report(json!({"status": "failed"}))).await;
    let note = set_aside(&world, &task).await;
    assert!(text(&note, "reason").contains("has ended"), "{note}");
    assert_eq!(serde_json::from_str::<Value>(text(&note, "detail")).expect("JSON")["status"], "failed");
    netraflow.settled(&task, "succeeded", 1).await;
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_wrong_is_set_aside_with_its_reason() {
    let world = World::open();
    let (owner, stranger) = (world.netraflow("pro").await, world.netraflow("pro").await);
    let job = owner.start("https://your-server.invalid/").await;
    let before = owner.task(&job).await;
    let (id, foreign) = (owner.tenant.id.as_str(), stranger.tenant.id.as_str());
    let wrong = [
        ("no-tenant", "tenant_id", json!({"job_id": job, "status": "completed"})),
        ("no-job", "job_id", json!({"tenant_id": id, "status": "completed"})),
        ("odd-job", "job_id", json!({"tenant_id": id, "job_id": "7", "status": "completed"})),
        ("unknown-job", "job", json!({"tenant_id": id, "job_id": "job_0000000000000000", "status": "completed"})),
        ("anothers", "job", json!({"tenant_id": foreign, "job_id": job, "status": "completed"})),
        ("no-status", "status", json!({"tenant_id": id, "job_id": job})),
        ("odd-status", "status", json!({"tenant_id": id, "job_id": job, "status": "done"})),
        (
            "credits",
            "credits_charged",
            json!({"tenant_id": id, "job_id": job, "status": "failed", "credits_charged": -1}),
        ),
        ("projects", "status", json!({"tenant_id": id, "job_id": job, "projects": []})),
    ];
    let marked = wrong.map(|(mark, reason, mut detail)| {
        let mark = format!("mark-{mark}-{id}");
        detail["mark"] = json!(mark);
        (mark, reason, detail)
    });
    put_all(world.stack, JOB, &marked.each_ref().map(|(_, _, detail)| detail.to_string())).await;
    for (mark, reason, detail) in marked {
        let note = set_aside(&world, &mark).await;
        assert_eq!((&note["source"], &note["detail_type"]), (&json!("bus"), &json!(JOB)), "{mark}");
        assert!(text(&note, "reason").contains(reason), "{mark}: {note}");
        assert_eq!(serde_json::from_str::<Value>(text(&note, "detail")).expect("JSON"), detail, "{mark}");
    }
    assert_eq!(owner.task(&job).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_created_job_is_announced_to_workers() {
    let world = World::open();
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    let tenants = json!([nouvel.tenant.id, netraflow.tenant.id]);
    let pattern = json!({
        "source": ["postrider"],
        "detail-type": ["Postrider Job Created"],
        "detail": {"tenant_id": tenants},
    });
    let name = format!("workers-{}", nouvel.tenant.id.trim_start_matches("ten_"));
    let ear = world.aws.listen(&name, &pattern).await;
    let heard = async |part: &str| -> Value {
        let message = until(&format!("word of {part}"), SOON, || async {
            world.aws.take(&ear.queue, part).await.ok_or_else(|| "none".to_owned())
        })
        .await;
        serde_json::from_str::<Value>(&message).expect("an event should be JSON")["detail"].clone()
    };

    let generation = nouvel.generate(1, 2, "https://your-server.invalid/").await;
    let detail = heard(&generation.id).await;
    assert_eq!((&detail["tenant_id"], &detail["dialect"]), (&json!(nouvel.tenant.id), &json!("nouvel")));
    let ids: Vec<_> = detail["projects"].as_array().expect("projects").iter().map(|p| p["id"].clone()).collect();
    assert_eq!(json!(ids), json!(generation.projects), "a worker learns what to report on");
    instant(text(&detail, "created_at"));

    let started = netraflow.tenant.api.post("/v1/jobs", &task_body("https://your-server.invalid/")).await.data(201);
    let detail = heard(text(&started, "job_id")).await;
    let request = &detail["request"];
    assert_eq!((&request["url"], &request["capabilities"]), (&started["url"], &started["capabilities"]));
    assert!(request["webhook_url"].is_null(), "whom to tell is nobody else's business: {detail}");
    assert!(!detail.to_string().contains("your-server"), "where the webhook goes is no worker's business: {detail}");

    // What it was told is enough to report, by the way it was told.
    let report = json!({"tenant_id": detail["tenant_id"], "job_id": detail["job_id"], "status": "completed"});
    put(world.stack, JOB, &report).await;
    until("the job to end", SOON, || async {
        let shown = netraflow.task(text(&started, "job_id")).await;
        if shown["status"] == "completed" { Ok(()) } else { Err(shown.to_string()) }
    })
    .await;
    assert_eq!(world.aws.waiting(&ear.queue).await, 0, "each was announced once");
    world.aws.stop_listening(ear).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_function_itself_takes_events_and_says_what_is_wrong() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let publish = async |event: &Value| world.aws.functions.invoke("events", event).await;
    let event = json!({"tenant_id": tenant.id, "event": "dubbing.completed", "data": {"a": 1}, "id": "direct 1"});
    let answer = publish(&event).await;
    assert_eq!(keys(&answer), ["event", "id", "timestamp"]);
    assert_eq!(receiver.only(SOON).await.event_id(), text(&answer, "id"));
    assert_eq!(publish(&event).await, answer, "the same again is the same event");
    assert_eq!(world.aws.rows.all_events_of(&tenant.id).await, 1);

    for (code, field, event) in [
        ("invalid_request", "tenant_id", json!({"event": "dubbing.completed", "data": {}})),
        ("invalid_request", "data", json!({"tenant_id": tenant.id, "event": "dubbing.completed", "data": 7})),
        ("invalid_request", "event", json!({"tenant_id": tenant.id, "event": "webhook.disabled", "data": {}})),
        ("invalid_request", "event", json!({})),
    ] {
        let answer = publish(&event).await;
        let error = &answer["error"];
        assert_eq!((&error["code"], &error["details"]["field"]), (&json!(code), &json!(field)), "{answer}");
        assert!(text(error, "message").contains(field), "{answer}");
    }
    let nobody = json!({"tenant_id": "ten_0000000000000000", "event": "dubbing.completed", "data": {}});
    assert_eq!(publish(&nobody).await["error"]["code"], "not_found");
    let other = json!({"tenant_id": tenant.id, "event": "dubbing.completed", "data": {"a": 2}, "id": "direct 1"});
    assert_eq!(publish(&other).await["error"]["code"], "conflict");
    assert_eq!(world.aws.rows.all_events_of(&tenant.id).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_caller_has_read_is_not_set_aside_as_well() {
    let world = World::open();
    let tenant = world.tenant().await;
    let publish = async |event: &Value| world.aws.functions.invoke("events", event).await;
    let mark = format!("mark-direct-{}", tenant.id);
    let refused = publish(&json!({"tenant_id": tenant.id, "event": "Not a type", "data": {}, "id": mark})).await;
    assert_eq!(refused["error"]["details"]["field"], "event", "{refused}");
    // Too much data is told as it is over HTTP.
    let large = json!({"mark": mark, "text": "x".repeat(1_200_000)});
    let large = publish(&json!({"tenant_id": tenant.id, "event": "dubbing.completed", "data": large})).await;
    assert_eq!(large["error"]["code"], "payload_too_large", "{large}");
    // One from the bus is set aside, and with it all that came before.
    put(world.stack, EVENT, &json!({"tenant_id": tenant.id, "event": "Not a type", "data": {}, "id": "bus"})).await;
    let note = set_aside(&world, &tenant.id).await;
    assert_eq!(note["source"], "bus", "{note}");
    assert_eq!(world.aws.take(&world.stack.queues.triggers, &mark).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_queue_does_not_hold_is_set_aside_by_its_size_and_digest() {
    let world = World::open();
    let tenant = world.tenant().await;
    let detail = json!({"tenant_id": tenant.id, "event": "dubbing.completed", "id": "order 1",
        "data": {"text": "x".repeat(1_200_000)}});
    let envelope = json!({"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467720", "detail-type": EVENT,
        "source": "tests.postrider", "detail": detail});
    assert_eq!(world.aws.functions.invoke("events", &envelope).await, Value::Null);
    let note = set_aside(&world, &tenant.id).await;
    assert_eq!((&note["tenant_id"], &note["event_id"]), (&json!(tenant.id), &json!("order 1")), "{note}");
    assert!(text(&note, "reason").contains("`data`"), "{note}");
    assert_eq!((note["detail_bytes"].as_u64() > Some(1_200_000), text(&note, "detail_sha256").len()), (true, 64));
    assert_eq!(note.get("detail"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_bounded_whatever_its_envelope_is_called() {
    let world = World::open();
    let tenant = world.tenant().await;
    let envelope = json!({"version": "0", "id": "i".repeat(600_000), "detail-type": "d".repeat(600_000),
        "source": "tests.postrider", "detail": {"tenant_id": tenant.id}});
    assert_eq!(world.aws.functions.invoke("events", &envelope).await, Value::Null, "it is not tried again for ever");
    let note = set_aside(&world, &tenant.id).await;
    for name in ["id", "detail_type"] {
        assert!((1..=64).contains(&text(&note, name).chars().count()), "{note}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_detail_type_is_set_aside_and_not_lost() {
    let world = World::open();
    let tenant = world.tenant().await;
    for odd in ["Postrider event", "postrider.event", "Postrider Jobs", "Event"] {
        let mark = format!("mark-{}-{}", odd.replace(' ', "-"), tenant.id);
        put(world.stack, odd, &json!({"tenant_id": tenant.id, "event": "dubbing.completed", "data": {"mark": mark}}))
            .await;
        let note = set_aside(&world, &mark).await;
        assert_eq!((&note["source"], &note["detail_type"]), (&json!("bus"), &json!(odd)), "{note}");
        assert!(text(&note, "reason").contains("`detail-type`"), "{note}");
    }
    assert_eq!(world.aws.rows.all_events_of(&tenant.id).await, 0);
}
