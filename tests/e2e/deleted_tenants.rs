//! Tenants that are deleted: what their keys, their provider and their operator are told, until nothing is left.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::customer::task_body;
use crate::support::rows::s;
use crate::support::{Receiver, Reply, SOON, World, until};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_tenants_keys_end_within_a_minute_and_nothing_of_it_can_be_changed() {
    let world = World::open();
    let (admin, tenant) = (&world.admin, world.tenant_on("standard", "pro").await);
    let external_id = format!("leaving-{}", tenant.id);
    let path = format!("/v1/tenants/{}", tenant.id);
    admin.patch(&path, &json!({"external_id": external_id})).await.ok(200);
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(422)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]});
    let webhook = tenant.create(&body).await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let waiting = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&waiting, "retrying", 1).await;
    let stats = admin.get(&format!("{path}/stats")).await.ok(200);
    let one = json!({"retrying": 1, "failed": 0, "cancelled": 0});
    assert_eq!(stats, json!({"deliveries": one, "seen": 1, "complete": true}));

    let begun = admin.delete(&path).await.ok(202);
    assert_eq!((&begun["status"], &begun["deletion"]["stage"]), (&json!("deleting"), &Value::Null));
    // Whatever a process remembers of the key.
    until("the key to be none", MINUTE, || async {
        let answers = [tenant.api.get("/v1/webhooks").await, tenant.api.get("/v1/deliveries?status=failed").await];
        if answers.iter().all(|answer| answer.status == 401) { Ok(()) } else { Err(format!("{answers:?}")) }
    })
    .await;
    let provider = world.provider(&["events:write"]).await;
    let publication = json!({"event": "invoice.paid", "data": {}, "tenant_id": tenant.id});
    until("nobody to publish for it", MINUTE, || async {
        let answer = provider.post("/v1/events", &publication).await;
        if answer.status == 404 { Ok(()) } else { Err(answer.body) }
    })
    .await;
    let by_name = format!("/v1/tenants/ext:{external_id}");
    let whole = json!({"name": "Acme", "plan": "pro"});
    for (method, path, body) in [
        (Method::PATCH, path.clone(), json!({"status": "active"})),
        (Method::PUT, by_name.clone(), whole.clone()),
        (Method::POST, format!("{path}/keys"), json!({"dialect": "standard"})),
        (Method::GET, format!("{path}/keys"), Value::Null),
        (Method::DELETE, format!("{path}/keys/{}", tenant.key_id), Value::Null),
        (Method::GET, format!("{path}/stats"), Value::Null),
        (Method::POST, format!("{path}/secret/rotate"), json!({})),
    ] {
        let call = admin.call(method, &path);
        let answer = if body.is_null() { call.send().await } else { call.json(&body).send().await };
        answer.refused(409, "conflict");
    }
    assert_eq!(admin.get(&by_name).await.ok(200)["status"], "deleting");
    assert_eq!(admin.delete(&by_name).await.ok(202)["deletion"]["since"], begun["deletion"]["since"], "it goes on");

    // A try of its own that is due now is called off, though nothing was taken away yet.
    world.aws.attempt_now(&waiting, 2).await;
    until("it to be called off", SOON, || async {
        let row = world.aws.rows.delivery(&waiting).await.expect("the row is there");
        if row["status"] == s("cancelled") { Ok(row) } else { Err(format!("{row:?}")) }
    })
    .await;
    assert_eq!(receiver.requests().len(), 1);

    world.aws.rows.deletion_asked_for_ago(&tenant.id, 600).await;
    until("nothing to be left", MINUTE, || async {
        world.aws.functions.sweep().await;
        let answer = admin.get(&path).await;
        if answer.status == 404 { Ok(()) } else { Err(answer.body) }
    })
    .await;
    admin.get(&by_name).await.refused(404, "not_found");
    admin.delete(&path).await.refused(404, "not_found");
    let left = world.aws.rows.left_of(&tenant.id).await;
    assert_eq!((left.config.len(), &left.config[0]["sk"]), (1, &s("TENANT")), "{left:?}");
    assert!(!left.config[0].contains_key("name"), "a tombstone says nothing of whose it was: {left:?}");
    // Its name is free.
    let anew = admin.put(&by_name, &whole).await.ok(201);
    assert_ne!(text(&anew, "id"), tenant.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ends_after_its_tenants_deletion_tells_nobody() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let receiver = Receiver::start(world.stack).await;
    let job = text(&customer.tenant.api.post("/v1/jobs", &task_body(&receiver.url("/"))).await.data(201), "job_id")
        .to_owned();
    let path = format!("/v1/tenants/{}", customer.tenant.id);
    world.admin.delete(&path).await.ok(202);
    // Its end is an event, whose delivery finds that its tenant is gone.
    customer.report_task(&job, &json!({"status": "completed"})).await;
    until("the delivery to be called off", SOON, || async {
        let found = world.aws.rows.left_of(&customer.tenant.id).await.deliveries;
        let is_off =
            |row: &crate::support::rows::Row| row["status"] == s("cancelled") && row["reason"] == s("tenant_deleted");
        if found.len() == 1 && is_off(&found[0]) { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    assert_eq!(receiver.requests().len(), 0);
    world.aws.rows.deletion_asked_for_ago(&customer.tenant.id, 600).await;
    until("nothing to be left", MINUTE, || async {
        world.aws.functions.sweep().await;
        let answer = world.admin.get(&path).await;
        if answer.status == 404 { Ok(()) } else { Err(answer.body) }
    })
    .await;
    assert_eq!(world.aws.rows.jobs_of(&customer.tenant.id).await.len(), 0);
    customer.report_task(&job, &json!({"status": "completed"})).await.refused_with_meta(404, "not_found");
}
