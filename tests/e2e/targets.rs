//! Where webhooks may point: HTTPS to the public Internet, and here, by a parameter, to this machine's loopback.

use serde_json::json;

use crate::jobs::refusals::assert_no_job;
use crate::support::World;
use crate::support::customer::{generate_body, task_body};
use crate::support::stack::Stack;

/// Refused by every stack.
pub(crate) const NEVER: [&str; 22] = [
    "http://your-app.invalid/",
    "https://user:password@your-app.invalid/",
    "https://user@your-app.invalid/",
    "https://",
    "https:///path",
    "//your-app.invalid/",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "https://10.0.0.1/",
    "https://10.1.2.3:8443/hook",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::]/",
];

/// Refused where private targets are; spellings of loopback, the last three as only a URL parser sees them.
pub(crate) const LOOPBACK: [&str; 10] = [
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/hook",
    "https://127.1.2.3/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://localhost/",
    "https://LOCALHOST:8443/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
];

async fn assert_refused(world: &World, urls: &[&str]) {
    let tenant = world.tenant().await;
    for url in urls {
        tenant.api.post("/v1/webhooks/create", &json!({"url": url, "events": ["*"]})).await.invalid("url");
    }
    assert_eq!(tenant.api.get("/v1/webhooks").await.body, r#"{"webhooks":[]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_or_odd_target_is_refused() {
    let Some(world) = World::open() else { return };
    assert_refused(&world, &NEVER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_does_not_repeat_a_password() {
    let Some(world) = World::open() else { return };
    let tenant = world.tenant().await;
    let body = json!({"url": "https://user:canary@your-app.invalid/", "events": ["*"]});
    let answer = tenant.api.post("/v1/webhooks/create", &body).await;
    answer.invalid("url");
    assert!(!answer.body.contains("canary"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_stacks_refuse_this_machine_too() {
    let Some(stack) = Stack::strict() else { return };
    let world = World::of(stack);
    assert_refused(&world, &NEVER).await;
    assert_refused(&world, &LOOPBACK).await;
    world.tenant().await.webhook("https://your-app.invalid/", &["*"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_stacks_refuse_this_machine_in_jobs_too() {
    let Some(stack) = Stack::strict() else { return };
    let world = World::of(stack);
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    for url in LOOPBACK {
        let answer = nouvel.tenant.api.post("/api/v1/generate", &generate_body(1, 1, url)).await;
        assert!(answer.refused_plainly(400, "invalid_request").contains("webhookUrl"), "{url}: {}", answer.body);
        let answer = netraflow.tenant.api.post("/v1/jobs", &task_body(url)).await;
        assert!(answer.refused_with_meta(400, "invalid_request").contains("webhook_url"), "{url}: {}", answer.body);
    }
    assert_no_job(&world, &nouvel).await;
    assert_no_job(&world, &netraflow).await;
    // What does not resolve yet is taken, and checked again when it is connected to.
    nouvel.generate(1, 1, "https://your-server.invalid/").await;
    netraflow.start("https://your-server.invalid/").await;
}
