//! A job's delivery in the ledger: the page's retry schedule or none, found by its job, retried by hand, under one event id.

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::customer::project_report;
use crate::support::schedule::assert_schedule;
use crate::support::{Receiver, Reply, World};

/// 1, 4, 16, 64 and 256 minutes.
const INTERVALS: [i64; 5] = [60, 240, 960, 3_840, 15_360];

#[tokio::test(flavor = "multi_thread")]
async fn a_tasks_webhook_is_tried_six_times_in_powers_of_four_minutes() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    world.set_secret(&customer.tenant, "one secret for all of it").await;
    // Neither hint counts here.
    let later = vec![("retry-after", "7200".to_owned())];
    let script = [Reply::Full(503, later, vec![]), Reply::Status(410)];
    let receiver = Receiver::scripted(world.stack, script, Reply::Status(500)).await;
    let job = customer.start(&receiver.url("/")).await;
    customer.report_task(&job, &json!({"status": "completed", "credits_charged": 1})).await.data(200);
    let mut id = String::new();
    for (number, interval) in (1..).zip(INTERVALS) {
        let delivery = customer.settled(&job, "retrying", number as usize).await;
        text(&delivery, "id").clone_into(&mut id);
        assert_eq!((&delivery["webhook_id"], &delivery["job_id"]), (&Value::Null, &json!(job)), "{delivery}");
        assert_schedule(&world, &delivery, number, interval).await;
        world.aws.attempt_now(&id, number + 1).await;
    }
    let delivery = customer.settled(&job, "failed", 6).await;
    assert_eq!((&delivery["reason"], &delivery["next_attempt_at"]), (&json!("attempts_exhausted"), &Value::Null));
    assert_eq!(world.aws.find_schedule(&id, 7).await, None);
    let received = receiver.requests();
    assert_eq!(received.len(), 6);
    for request in &received {
        assert_eq!(request.body, received[0].body, "every attempt sends the same bytes");
        assert_eq!(request.header("X-NetraFlow-Signature"), received[0].header("X-NetraFlow-Signature"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generations_webhook_is_tried_once_and_again_only_by_hand() {
    let world = World::open();
    let customer = world.nouvel().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(204)).await;
    let url = receiver.url("/");
    let job = customer.generate(1, 1, &url).await;
    customer.report(&job.id, &json!({"projects": [project_report(&job.projects[0], "completed")]})).await.ok(200);
    let delivery = customer.settled(&job.id, "failed", 1).await;
    let id = text(&delivery, "id");
    assert_eq!(delivery["next_attempt_at"], Value::Null);
    assert_eq!(world.aws.find_schedule(id, 2).await, None, "nothing will try it again");

    // The ledger has it by its id, by its job, by its event and among the undelivered, with the job's URL.
    let api = &customer.tenant.api;
    assert_eq!(api.get(&format!("/v1/deliveries/{id}")).await.ok(200), delivery);
    let undelivered = api.get("/v1/deliveries?status=failed").await.ok(200);
    assert_eq!(undelivered["deliveries"], json!([delivery]));
    assert_eq!((&delivery["url"], &delivery["event"]), (&json!(url), &json!("job.completed")));
    let event = api.get(&format!("/v1/events/{}", text(&delivery, "event_id"))).await.ok(200);
    let row = &event["deliveries"][0];
    assert_eq!((&row["id"], &row["webhook_id"]), (&json!(id), &Value::Null), "{event}");

    let retried = api.post(&format!("/v1/deliveries/{id}/retry"), &json!({})).await.ok(202);
    assert_eq!(retried["id"], id);
    let delivery = customer.settled(&job.id, "succeeded", 2).await;
    assert_eq!(delivery["attempts"][1]["number"], 2);
    let received = receiver.requests();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].header("X-Nouvel-Signature"), received[1].header("X-Nouvel-Signature"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_event_goes_to_its_own_url_alone() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let (own, registered) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    let key = world.key(&customer.tenant.id, &json!({"dialect": "standard"})).await;
    let api = world.anonymous.with_key(text(&key, "key"));
    let webhook = json!({"url": registered.url("/"), "events": ["*", "job.*", "job.completed"]});
    let webhook = api.post("/v1/webhooks/create", &webhook).await.ok(201);
    let job = customer.start(&own.url("/")).await;
    customer.report_task(&job, &json!({"status": "completed"})).await.data(200);
    customer.settled(&job, "succeeded", 1).await;
    let path = format!("/v1/webhooks/{}/deliveries", text(&webhook, "id"));
    assert_eq!(api.get(&path).await.ok(200)["deliveries"], json!([]));
    assert_eq!(registered.requests(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenants_job_is_told_once_it_may_be_again() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let receiver = Receiver::start(world.stack).await;
    let job = customer.start(&receiver.url("/")).await;
    let status = async |status: &str| {
        let path = format!("/v1/tenants/{}", customer.tenant.id);
        world.admin.patch(&path, &json!({"status": status})).await.ok(200);
    };
    status("suspended").await;
    customer.report_task(&job, &json!({"status": "completed"})).await.data(200);
    let id = crate::support::until("the delivery to be cancelled", crate::support::SOON, || async {
        world.aws.rows.cancelled_of(&customer.tenant.id).await.ok_or_else(|| "none".to_owned())
    })
    .await;
    assert_eq!(receiver.requests(), []);
    status("active").await;
    // The key's own function may remember the suspension for a while; a new key is remembered by nobody.
    let key = world.key(&customer.tenant.id, &json!({"dialect": "netraflow"})).await;
    let api = world.anonymous.with_api_key(text(&key, "key"));
    assert_eq!(api.get(&format!("/v1/deliveries/{id}")).await.ok(200)["reason"], "tenant_suspended");
    api.post(&format!("/v1/deliveries/{id}/retry"), &json!({})).await.ok(202);
    assert_eq!(receiver.only(crate::support::SOON).await.json()["job_id"], job);
}
