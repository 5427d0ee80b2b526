//! Customers whose webhooks come with jobs, and the workers who report on those.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::{Answer, Api, text};
use super::poll::{SOON, until};
use super::world::{Tenant, World, publishing};

/// A tenant that starts jobs, and a worker's credential for them.
#[derive(Debug)]
pub(crate) struct Customer {
    pub(crate) tenant: Tenant,
    pub(crate) worker: Api,
}

/// A job of projects that was started.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) id: String,
    pub(crate) projects: Vec<String>,
}

impl World {
    /// A customer of `/api/v1`.
    pub(crate) async fn nouvel(&self) -> Customer {
        let tenant = self.tenant_on("nouvel", "free").await;
        Customer { tenant, worker: self.provider(&["jobs:report"]).await }
    }

    /// A customer of `/v1/jobs`.
    pub(crate) async fn netraflow(&self, plan: &str) -> Customer {
        let tenant = self.tenant_on("netraflow", plan).await;
        Customer { tenant, worker: self.provider(&["jobs:report"]).await }
    }

    /// A new tenant on a plan, with a key of a dialect, sent as that dialect's customers send theirs.
    pub(crate) async fn tenant_on(&self, dialect: &str, plan: &str) -> Tenant {
        let made = self.admin.post("/v1/tenants", &json!({"name": dialect, "plan": plan})).await.ok(201);
        let id = text(&made, "id").to_owned();
        let made = self.key(&id, &publishing(dialect)).await;
        let (key, key_id) = (text(&made, "key"), text(&made, "id").to_owned());
        let by_header = dialect == "netraflow";
        let api = if by_header { self.anonymous.with_api_key(key) } else { self.anonymous.with_key(key) };
        Tenant { id, key_id, api }
    }

    /// Gives a tenant a secret that the test knows, at once.
    pub(crate) async fn set_secret(&self, tenant: &Tenant, secret: &str) {
        let path = format!("/v1/tenants/{}/secret/rotate", tenant.id);
        let rotated = self.admin.post(&path, &json!({"secret": secret, "grace_seconds": 0})).await.ok(200);
        assert_eq!(rotated, json!({"secret": secret}));
    }
}

/// The body that starts a job of `urls` x `variants` projects.
pub(crate) fn generate_body(urls: usize, variants: usize, webhook_url: &str) -> Value {
    let urls: Vec<_> = (0..urls).map(|number| format!("https://shop.example/products/{number}")).collect();
    json!({"urls": urls, "variantCount": variants, "webhookUrl": webhook_url})
}

/// The body that starts a job of one task.
pub(crate) fn task_body(webhook_url: &str) -> Value {
    let url = "https://www.youtube.com/watch?v=dQw4w9WgXcQ";
    json!({"url": url, "capabilities": ["transcription"], "webhook_url": webhook_url})
}

impl Customer {
    /// Starts a job of projects.
    pub(crate) async fn generate(&self, urls: usize, variants: usize, webhook_url: &str) -> Generation {
        let body = generate_body(urls, variants, webhook_url);
        let made = self.tenant.api.post("/api/v1/generate", &body).await.ok(200);
        let id = text(&made, "jobId").to_owned();
        let shown = self.generation(&id).await;
        let projects = shown["projects"].as_array().expect("a job should have projects");
        let projects = projects.iter().map(|project| text(project, "id").to_owned()).collect();
        Generation { id, projects }
    }

    /// A job of projects as its customer sees it.
    pub(crate) async fn generation(&self, id: &str) -> Value {
        self.tenant.api.get(&format!("/api/v1/jobs/{id}")).await.ok(200)
    }

    /// Reports on a job of projects.
    pub(crate) async fn report(&self, id: &str, report: &Value) -> Answer {
        self.worker.post(&format!("/api/v1/jobs/{id}/report"), report).await
    }

    /// Reports on one project.
    pub(crate) async fn report_project(&self, id: &str, project: &str, status: &str) -> Answer {
        self.report(id, &json!({"projects": [project_report(project, status)]})).await
    }

    /// Starts a job of one task; returns its id.
    pub(crate) async fn start(&self, webhook_url: &str) -> String {
        text(&self.tenant.api.post("/v1/jobs", &task_body(webhook_url)).await.data(201), "job_id").to_owned()
    }

    /// A job of one task as its customer sees it.
    pub(crate) async fn task(&self, id: &str) -> Value {
        self.tenant.api.get(&format!("/v1/jobs/{id}")).await.data(200)
    }

    /// Reports on a job of one task.
    pub(crate) async fn report_task(&self, id: &str, report: &Value) -> Answer {
        self.worker.post(&format!("/v1/jobs/{id}/report"), report).await
    }

    /// The deliveries of a job.
    pub(crate) async fn deliveries(&self, job_id: &str) -> Vec<Value> {
        let found = self.tenant.api.get(&format!("/v1/deliveries?job_id={job_id}")).await.ok(200);
        found["deliveries"].as_array().expect("deliveries should be listed").clone()
    }

    /// The one delivery of a job, once it has the status and `attempts` attempts.
    pub(crate) async fn settled(&self, job_id: &str, status: &str, attempts: usize) -> Value {
        self.settled_within(job_id, status, attempts, SOON).await
    }

    pub(crate) async fn settled_within(&self, job: &str, status: &str, attempts: usize, within: Duration) -> Value {
        until(&format!("the delivery of {job} to be {status} after {attempts} attempts"), within, || async {
            let found = self.deliveries(job).await;
            assert!(found.len() <= 1, "a job has one delivery: {found:?}");
            let delivery = found.first().ok_or("none")?;
            let made = delivery["attempts"].as_array().map_or(0, Vec::len);
            let is_so = delivery["status"] == status && made == attempts;
            if is_so { Ok(delivery.clone()) } else { Err(delivery.to_string()) }
        })
        .await
    }
}

/// What a worker says about a project; a completed one has a video.
pub(crate) fn project_report(project: &str, status: &str) -> Value {
    let mut report = json!({"projectId": project, "status": status});
    if status == "completed" {
        report["videoUrl"] = json!(video_of(project));
    }
    report
}

/// Where a completed project's video lies.
pub(crate) fn video_of(project: &str) -> String {
    format!("https://cdn.example/{project}.mp4")
}
