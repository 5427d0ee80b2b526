//! A job of projects, the deployment's secret, and the page's two handlers, which write the JSON anew before they verify.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use super::{other_than, page};
use crate::jobs::titles::{NASTY, video_named};
use crate::support::api::text;
use crate::support::request::Received;
use crate::support::verifier::{root, run, words};
use crate::support::{Customer, Receiver, SOON, World};

/// One run of the page's programs.
struct Trial<'a> {
    page: &'a Path,
    secret: &'a str,
    api: &'a str,
    key: &'a str,
}

impl Trial<'_> {
    fn judge(&self, which: &str, signature: &str, mode: &str, body: &[u8]) -> Output {
        let program = root().join("tests/verifiers/nouvel_page.mjs");
        let mut command = Command::new("node");
        command.arg(program).arg(self.page).args([which, signature, mode]);
        run(command.env("WEBHOOK_SECRET", self.secret).env("API", self.api).env("NOUVEL_API_KEY", self.key), body)
    }
}

/// What a job's customer receives whose projects' titles and videos are these texts.
async fn received(world: &World, customer: &Customer, texts: &[&str]) -> Received {
    let receiver = Receiver::start(world.stack).await;
    let job = customer.generate(3, 3, &receiver.url("/webhooks/nouvel")).await;
    let reports = job.projects.iter().enumerate().map(|(number, project)| {
        let (text, status) = (texts[number % texts.len()], if number == 4 { "failed" } else { "completed" });
        json!({"projectId": project, "status": status, "title": text, "videoUrl": video_named(text)})
    });
    customer.report(&job.id, &json!({"projects": reports.collect::<Vec<_>>()})).await.ok(200);
    receiver.only(SOON).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_own_programs_accept_what_was_received_and_no_other_bit() {
    let world = World::open();
    let Some(page) = page("nouvel.txt") else { return };
    let customer = world.nouvel().await;
    let secret = world.stack.webhook_signing_secret.as_str();
    let trial = Trial { page: &page, secret, api: &world.stack.api_url, key: "" };
    for texts in NASTY.chunks(9) {
        let received = received(&world, &customer, texts).await;
        let signature = received.header("X-Nouvel-Signature").expect("it should be signed");
        let verdict = trial.judge("verification", signature, "", &received.body);
        assert!(verdict.status.success(), "{}\n{}", words(&verdict), received.text());
        let id = text(&received.json(), "jobId").to_owned();
        assert_eq!(words(&verdict).trim(), format!("Job {id}: partial (9 projects)\nanswered: 200"));

        let verdict = trial.judge("verification", signature, "every-bit", &received.body);
        assert!(verdict.status.success(), "{}", words(&verdict));
        for signature in [other_than(signature), signature[1..].to_owned(), format!("sha256={signature}")] {
            assert!(!trial.judge("verification", &signature, "", &received.body).status.success(), "{signature}");
        }
        let stranger = Trial { secret: "another secret", ..trial };
        assert!(!stranger.judge("verification", signature, "", &received.body).status.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_full_example_starts_a_job_and_accepts_its_end() {
    let world = World::open();
    let Some(page) = page("nouvel.txt") else { return };
    let customer = world.nouvel().await;
    let received = received(&world, &customer, &["a", "b"]).await;
    let signature = received.header("X-Nouvel-Signature").expect("it should be signed");
    let key = world.key(&customer.tenant.id, &json!({"dialect": "nouvel"})).await;
    let secret = world.stack.webhook_signing_secret.as_str();
    let trial = Trial { page: &page, secret, api: &world.stack.api_url, key: text(&key, "key") };
    let before = world.aws.rows.jobs_of(&customer.tenant.id).await.len();

    let verdict = trial.judge("integration", signature, "", &received.body);
    let said = words(&verdict);
    assert!(verdict.status.success(), "{said}");
    assert!(said.contains(" started. Waiting for webhook..."), "{said}");
    assert_eq!(said.matches("Video ready: ").count(), 8, "{said}");
    assert!(!said.contains("Job undefined"), "{said}");
    assert_eq!(world.aws.rows.jobs_of(&customer.tenant.id).await.len(), before + 1, "the page's own call made a job");
    assert!(!trial.judge("integration", &other_than(signature), "", &received.body).status.success());
}
