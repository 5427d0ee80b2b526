//! Jobs in pages, and a wall between tenants.

use serde_json::{Value, json};

use crate::support::World;
use crate::support::api::{keys, text};
use crate::support::customer::project_report;

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_in_pages_the_newest_first() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let api = &customer.tenant.api;
    let first = api.get("/v1/jobs").await;
    let empty = first.ok(200);
    first.assert_meta(&empty);
    assert_eq!((&empty["data"], &empty["pagination"]["has_more"]), (&json!([]), &json!(false)));
    assert_eq!(keys(&empty), ["data", "meta", "pagination"]);

    let mut started = Vec::new();
    for _ in 0..5 {
        started.push(customer.start("https://your-server.invalid/").await);
        // An id tells its millisecond.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    customer.report_task(&started[2], &json!({"status": "failed"})).await.data(200);
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/v1/jobs?limit=2{cursor}")).await.ok(200);
        let jobs = page["data"].as_array().expect("a page lists jobs");
        assert!(jobs.len() <= 2, "{page}");
        listed.extend(jobs.iter().cloned());
        if page["pagination"]["has_more"] == false {
            break;
        }
        cursor = format!("&cursor={}", text(&page["pagination"], "next_cursor"));
    }
    let ids: Vec<_> = listed.iter().map(|job| text(job, "job_id").to_owned()).collect();
    assert_eq!(ids, started.iter().rev().cloned().collect::<Vec<_>>());
    assert_eq!(listed[2], customer.task(&started[2]).await, "the list shows what a job's own path shows");
    let of_status = async |status: &str| {
        let page = api.get(&format!("/v1/jobs?status={status}")).await.ok(200);
        page["data"].as_array().expect("a page lists jobs").iter().map(|job| job["job_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of_status("failed").await, [json!(started[2])]);
    assert_eq!(of_status("pending").await.len(), 4);
    assert!(of_status("processing").await.is_empty());
    for bad in ["limit=0", "limit=x", "cursor=x", "status=running", "stauts=failed"] {
        let field = bad.split('=').next().unwrap_or_default();
        let message = api.get(&format!("/v1/jobs?{bad}")).await.refused_with_meta(400, "invalid_request");
        assert!(message.contains(field), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn generations_are_listed_in_pages_the_newest_first() {
    let world = World::open();
    let customer = world.nouvel().await;
    let api = &customer.tenant.api;
    let empty = api.get("/api/v1/jobs").await.ok(200);
    assert_eq!(empty, json!({"jobs": [], "hasMore": false, "nextCursor": null}));
    let mut started = Vec::new();
    for _ in 0..5 {
        started.push(customer.generate(1, 1, "https://your-server.invalid/").await);
        // An id tells its millisecond.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    customer.report_project(&started[2].id, &started[2].projects[0], "failed").await.ok(200);
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/api/v1/jobs?limit=2{cursor}")).await.ok(200);
        listed.extend(page["jobs"].as_array().expect("a page lists jobs").iter().cloned());
        if page["hasMore"] == false {
            break;
        }
        cursor = format!("&cursor={}", text(&page, "nextCursor"));
    }
    let ids: Vec<_> = listed.iter().map(|job| text(job, "jobId")).collect();
    assert_eq!(ids, started.iter().rev().map(|job| job.id.as_str()).collect::<Vec<_>>());
    assert_eq!(listed[2], customer.generation(&started[2].id).await, "the list shows what a job's own path shows");
    let failed = api.get("/api/v1/jobs?status=failed").await.ok(200);
    assert_eq!((&failed["jobs"][0]["jobId"], failed["jobs"].as_array().map(Vec::len)), (&json!(ids[2]), Some(1)));
    let stranger = world.nouvel().await;
    assert_eq!(stranger.tenant.api.get("/api/v1/jobs").await.ok(200)["jobs"], json!([]));
    // A tenant of both providers sees each one's jobs in its own place.
    let key = world.key(&customer.tenant.id, &json!({"dialect": "netraflow"})).await;
    let other = world.anonymous.with_api_key(text(&key, "key"));
    assert_eq!(other.get("/v1/jobs").await.ok(200)["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_jobs_do_not_exist() {
    let world = World::open();
    let (owner, stranger) = (world.netraflow("pro").await, world.netraflow("pro").await);
    let id = owner.start("https://your-server.invalid/").await;
    let api = &stranger.tenant.api;
    let theirs = api.get(&format!("/v1/jobs/{id}")).await.refused_with_meta(404, "not_found");
    let nobodys = api.get("/v1/jobs/job_0000000000000000").await.refused_with_meta(404, "not_found");
    assert_eq!(theirs, nobodys);
    api.post(&format!("/v1/jobs/{id}/cancel"), &json!({})).await.refused_with_meta(404, "not_found");
    api.get(&format!("/v1/deliveries?job_id={id}")).await.refused(404, "not_found");
    assert_eq!(api.get("/v1/jobs").await.ok(200)["data"], json!([]));
    // Nor may another tenant's worker say anything about it.
    let key = world.key(&stranger.tenant.id, &json!({"dialect": "netraflow", "scopes": ["jobs:report"]})).await;
    let worker = world.anonymous.with_api_key(text(&key, "key"));
    let path = format!("/v1/jobs/{id}/report");
    worker.post(&path, &json!({"status": "failed"})).await.refused_with_meta(404, "not_found");
    assert_eq!(owner.task(&id).await["status"], "pending");

    let (owner, stranger) = (world.nouvel().await, world.nouvel().await);
    let job = owner.generate(1, 1, "https://your-server.invalid/").await;
    stranger.tenant.api.get(&format!("/api/v1/jobs/{}", job.id)).await.refused_plainly(404, "not_found");
    let key = world.key(&stranger.tenant.id, &json!({"dialect": "nouvel", "scopes": ["jobs:report"]})).await;
    let worker = world.anonymous.with_key(text(&key, "key"));
    let report = json!({"projects": [project_report(&job.projects[0], "failed")]});
    worker.post(&format!("/api/v1/jobs/{}/report", job.id), &report).await.refused_plainly(404, "not_found");
    assert_eq!(owner.generation(&job.id).await["failedProjects"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_found_under_its_own_path_only() {
    let world = World::open();
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    let generation = nouvel.generate(1, 1, "https://your-server.invalid/").await.id;
    let task = netraflow.start("https://your-server.invalid/").await;
    // A provider key may report on both kinds, but on each where it belongs.
    let worker = &netraflow.worker;
    let path = format!("/v1/jobs/{generation}/report");
    worker.post(&path, &json!({"status": "failed"})).await.refused_with_meta(404, "not_found");
    let path = format!("/api/v1/jobs/{task}/report");
    worker.post(&path, &json!({"status": "cancelled"})).await.refused_plainly(404, "not_found");
    assert_eq!(netraflow.task(&task).await["status"], "pending");
    assert_eq!(nouvel.generation(&generation).await["status"], "running");
    let listed: Value = netraflow.tenant.api.get("/v1/jobs").await.ok(200);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
}
