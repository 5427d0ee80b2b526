//! What jobs told nobody, sent again by one call: each kind on its own paths, in its own words.

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::customer::project_report;
use crate::support::{Receiver, Reply, World};

const EVER: &str = "2020-01-01T00:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_task_told_nobody_is_counted_and_sent_again() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let job = customer.start(&receiver.url("/")).await;
    customer.report_task(&job, &json!({"status": "completed", "credits_charged": 1})).await.data(200);
    customer.settled(&job, "retrying", 1).await;
    let api = &customer.tenant.api;
    let asked = |of: Value| {
        let mut body = json!({"since": EVER});
        body.as_object_mut().expect("an object").extend(of.as_object().expect("an object").clone());
        body
    };
    let counting = asked(json!({"count_only": true}));
    assert_eq!(api.post("/v1/jobs/recover", &counting).await.data(200), json!({"found": 0, "complete": true}));
    let retrying = json!({"count_only": true, "statuses": ["retrying"], "events": ["job.completed"]});
    assert_eq!(api.post("/v1/jobs/recover", &asked(retrying)).await.data(200)["found"], 1);
    let others = json!({"count_only": true, "statuses": ["retrying"], "events": ["job.failed"]});
    assert_eq!(api.post("/v1/jobs/recover", &asked(others)).await.data(200)["found"], 0);
    let begun = api.post("/v1/jobs/recover", &asked(json!({"statuses": ["retrying"]}))).await.data(202);
    let shown = format!("jobs/recover/{}", text(&begun, "recovery_id"));
    let progress = api.get(&format!("/v1/{shown}")).await.data(200);
    assert_eq!(
        (&progress["status"], &progress["found"], &progress["requeued"]),
        (&json!("done"), &json!(1), &json!(1))
    );
    customer.settled(&job, "succeeded", 2).await;
    let received = receiver.requests();
    assert_eq!((received.len(), &received[0].body), (2, &received[1].body));

    // Nor does anybody else see it, or on another path.
    let (stranger, nouvel) = (world.netraflow("pro").await, world.nouvel().await);
    stranger.tenant.api.get(&format!("/v1/{shown}")).await.refused_with_meta(404, "not_found");
    nouvel.tenant.api.get(&format!("/api/v1/{shown}")).await.refused_plainly(404, "not_found");
    api.get("/v1/jobs/recover/rec_none").await.refused_with_meta(404, "not_found");
    let put = api.get("/v1/jobs/recover").await;
    put.refused_with_meta(405, "method_not_allowed");
    api.post("/v1/jobs/recover", &asked(json!({"never_matched": true}))).await.refused_with_meta(422, "unprocessable");
    api.post("/v1/jobs/recover", &json!({})).await.refused_with_meta(400, "invalid_request");
    nouvel.tenant.api.post("/v1/jobs/recover", &json!({"since": EVER})).await.refused_with_meta(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_generation_told_nobody_comes_again_only_when_it_is_asked_for() {
    let world = World::open();
    let customer = world.nouvel().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(204)).await;
    let job = customer.generate(1, 1, &receiver.url("/")).await;
    customer.report(&job.id, &json!({"projects": [project_report(&job.projects[0], "completed")]})).await.ok(200);
    customer.settled(&job.id, "failed", 1).await;
    let api = &customer.tenant.api;
    let counted = api.post("/api/v1/jobs/recover", &json!({"since": EVER, "count_only": true})).await.ok(200);
    assert_eq!(counted, json!({"found": 1, "complete": true}));
    let begun = api.post("/api/v1/jobs/recover", &json!({"since": EVER})).await.ok(202);
    let path = format!("/api/v1/jobs/recover/{}", text(&begun, "recovery_id"));
    let progress = api.get(&path).await.ok(200);
    assert_eq!(
        (&progress["status"], &progress["found"], &progress["requeued"]),
        (&json!("done"), &json!(1), &json!(1))
    );
    customer.settled(&job.id, "succeeded", 2).await;
    assert_eq!(receiver.requests().len(), 2);
    let again = api.post("/api/v1/jobs/recover", &json!({"since": EVER, "count_only": true})).await.ok(200);
    assert_eq!(again["found"], 0);
    let refused = api.post("/api/v1/jobs/recover", &json!({"since": EVER, "never_matched": true})).await;
    assert!(refused.refused_plainly(422, "unprocessable").contains("never_matched"));
    api.get("/api/v1/jobs/recover").await.refused_plainly(405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn recoveries_of_jobs_have_the_places_of_recoveries() {
    let world = World::open();
    let (tasks, generations) = (world.netraflow("pro").await, world.nouvel().await);
    for customer in [&tasks, &generations] {
        let path = format!("/v1/tenants/{}", customer.tenant.id);
        world.admin.patch(&path, &json!({"quotas": {"recoveries": 0}})).await.ok(200);
    }
    let body = json!({"since": EVER});
    tasks.tenant.api.post("/v1/jobs/recover", &body).await.refused_with_meta(429, "quota_exceeded");
    generations.tenant.api.post("/api/v1/jobs/recover", &body).await.refused_plainly(429, "quota_exceeded");
    let counting = json!({"since": EVER, "count_only": true});
    assert_eq!(
        tasks.tenant.api.post("/v1/jobs/recover", &counting).await.data(200)["found"],
        0,
        "a count takes no place"
    );
}
