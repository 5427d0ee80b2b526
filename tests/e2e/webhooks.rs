//! Registering webhooks, listing, reading and deleting them: the bodies exactly as nur's page shows them.

use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::time::instant;
use crate::support::{Tenant, World};

const FIELDS: [&str; 5] = ["created_at", "events", "id", "status", "url"];
const SECRET: &str = "whsec_your_signing_secret";

fn page_example() -> Value {
    json!({
        "url": "https://your-app.invalid/webhooks/nur",
        "events": ["dubbing.completed", "voice.clone.completed", "agent.session.ended"],
        "secret": SECRET,
    })
}

async fn list(tenant: &Tenant) -> Vec<Value> {
    let body = tenant.api.get("/v1/webhooks").await.ok(200);
    assert_eq!(keys(&body), ["webhooks"], "without parameters the list is all there is: {body}");
    body["webhooks"].as_array().expect("webhooks should be an array").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_answers_with_the_five_fields_and_never_the_secret() {
    let world = World::open();
    let tenant = world.tenant().await;
    let answer = tenant.api.post("/v1/webhooks/create", &page_example()).await;
    let made = answer.ok(201);
    assert_eq!(keys(&made), FIELDS);
    assert!(text(&made, "id").starts_with("wh_"), "{made}");
    assert_eq!(made["url"], page_example()["url"]);
    assert_eq!(made["events"], page_example()["events"], "in the order given");
    assert_eq!(made["status"], "active");
    instant(text(&made, "created_at"));
    assert!(!answer.body.contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_and_the_single_webhook_show_what_create_answered_and_no_secret() {
    let world = World::open();
    let tenant = world.tenant().await;
    assert_eq!(tenant.api.get("/v1/webhooks").await.body, r#"{"webhooks":[]}"#);

    let signed = tenant.api.post("/v1/webhooks/create", &page_example()).await.ok(201);
    let unsigned = json!({"url": "https://your-app.invalid/b?x=1", "events": ["*"]});
    let unsigned = tenant.api.post("/v1/webhooks/create", &unsigned).await.ok(201);

    let listed = list(&tenant).await;
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&signed) && listed.contains(&unsigned), "{listed:?}");
    for made in [&signed, &unsigned] {
        let single = tenant.api.get(&format!("/v1/webhooks/{}", text(made, "id"))).await;
        assert_eq!(&single.ok(200), made);
        assert!(!single.body.contains("secret"), "{}", single.body);
    }
    let listed = tenant.api.get("/v1/webhooks").await.body;
    assert!(!listed.contains("secret") && !listed.contains("whsec_"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_webhook_is_gone_from_everywhere() {
    let world = World::open();
    let tenant = world.tenant().await;
    let kept = tenant.webhook("https://your-app.invalid/kept", &["*"]).await;
    let gone = tenant.webhook("https://your-app.invalid/gone", &["*"]).await;
    let path = format!("/v1/webhooks/{gone}");

    let deleted = tenant.api.delete(&path).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    tenant.api.get(&path).await.refused(404, "not_found");
    tenant.api.delete(&path).await.refused(404, "not_found");
    let ids: Vec<_> = list(&tenant).await.iter().map(|webhook| text(webhook, "id").to_owned()).collect();
    assert_eq!(ids, [kept]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_a_limit_comes_in_pages() {
    let world = World::open();
    let tenant = world.tenant().await;
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(tenant.webhook(&format!("https://your-app.invalid/{number}"), &["*"]).await);
    }
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = tenant.api.get(&format!("/v1/webhooks{query}")).await.ok(200);
        assert_eq!(keys(&page), ["pagination", "webhooks"]);
        let webhooks = page["webhooks"].as_array().expect("webhooks should be an array");
        assert!(webhooks.len() <= 2, "{page}");
        seen.extend(webhooks.iter().map(|webhook| text(webhook, "id").to_owned()));
        if page["pagination"]["has_more"] == false {
            break;
        }
        query = format!("?limit=2&cursor={}", text(&page["pagination"], "next_cursor"));
    }
    seen.sort();
    made.sort();
    assert_eq!(seen, made, "each webhook on one page");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_the_page_and_its_wildcards_can_be_asked_for() {
    let world = World::open();
    let tenant = world.tenant().await;
    let events = [
        "dubbing.completed",
        "dubbing.failed",
        "voice.clone.completed",
        "voice.clone.failed",
        "agent.session.started",
        "agent.session.ended",
        "music.generation.completed",
        "dubbing.*",
        "voice.*",
        "voice.clone.*",
        "*",
    ];
    let body = json!({"url": "https://your-app.invalid/all", "events": events});
    assert_eq!(tenant.api.post("/v1/webhooks/create", &body).await.ok(201)["events"], json!(events));
}
