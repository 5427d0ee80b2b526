//! API keys: shown once, limited to a tenant's scopes, revoked and expired within a minute.

use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::{Answer, Api, World, until};

/// The minute that the contract allows, and a little for the machine.
const MINUTE: Duration = Duration::from_secs(65);

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_never_again() {
    let world = World::open();
    let tenant = world.tenant().await;
    let path = format!("/v1/tenants/{}/keys", tenant.id);
    let made = world.admin.post(&path, &json!({"dialect": "nur", "name": "laptop"})).await.ok(201);
    for field in ["created_at", "dialect", "id", "key", "scopes"] {
        assert!(keys(&made).contains(&field.to_owned()), "no {field}: {made}");
    }
    assert!(text(&made, "id").starts_with("key_"), "{made}");
    assert!(text(&made, "key").starts_with("nur_"), "{made}");
    let mut scopes: Vec<_> = made["scopes"].as_array().expect("scopes should be an array").clone();
    scopes.sort_by_key(ToString::to_string);
    let all = ["deliveries:read", "deliveries:write", "jobs:read", "jobs:write"];
    assert_eq!(scopes, all.iter().chain(&["webhooks:read", "webhooks:write"]).map(|s| json!(s)).collect::<Vec<_>>());

    let listed = world.admin.get(&path).await;
    listed.ok(200);
    assert!(listed.body.contains(text(&made, "id")) && listed.body.contains(&tenant.key_id), "{}", listed.body);
    assert!(!listed.body.contains(text(&made, "key")) && !listed.body.contains("nur_"), "{}", listed.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_key_is_never_more_than_a_customers() {
    let world = World::open();
    let tenant = world.tenant().await;
    let path = format!("/v1/tenants/{}/keys", tenant.id);
    for (field, body) in [
        ("scopes", json!({"dialect": "nur", "scopes": ["admin"]})),
        ("scopes", json!({"dialect": "nur", "scopes": ["webhooks:read", "admin"]})),
        ("scopes", json!({"dialect": "nur", "scopes": ["everything"]})),
        ("scopes", json!({"dialect": "nur", "scopes": "webhooks:read"})),
        ("dialect", json!({"dialect": "klingon"})),
        ("dialect", json!({})),
        ("expires_at", json!({"dialect": "nur", "expires_at": "tomorrow"})),
    ] {
        world.admin.post(&path, &body).await.invalid(field);
    }
    let yesterday = Timestamp::now() - SignedDuration::from_hours(24);
    let answer = world.admin.post(&path, &json!({"dialect": "nur", "expires_at": yesterday.to_string()})).await;
    assert_eq!(answer.refused(422, "unprocessable")["details"]["field"], "expires_at");
}

/// Calls at once: enough for every busy instance of the function to answer one, each of which remembers keys by itself.
const WAVE: usize = 8;

async fn wave(api: &Api) -> Vec<Answer> {
    join_all((0..WAVE).map(|_| api.get("/v1/webhooks"))).await
}

/// Three waves in a row of which every call is refused; an instance that still remembers the key would answer one.
async fn refused_by_all(api: &Api) -> Result<(), String> {
    for _ in 0..3 {
        let answers = wave(api).await;
        let refused = answers.iter().filter(|answer| answer.status == 401).count();
        if refused < answers.len() {
            // So many calls at once are a load, which other tests need not bear all the time.
            tokio::time::sleep(Duration::from_secs(1)).await;
            return Err(format!("{refused} of {} refused", answers.len()));
        }
        answers.iter().for_each(|answer| {
            answer.refused(401, "unauthorized");
        });
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_stops_within_a_minute_and_the_others_go_on() {
    let world = World::open();
    let tenant = world.tenant().await;
    let other = world.key(&tenant.id, &json!({"dialect": "nur"})).await;
    let other = world.anonymous.with_key(text(&other, "key"));
    wave(&tenant.api).await.iter().for_each(|answer| {
        answer.ok(200);
    });

    let path = format!("/v1/tenants/{}/keys/{}", tenant.id, tenant.key_id);
    assert_eq!(world.admin.delete(&path).await.status, 204);
    until("the revoked key to be refused", MINUTE, || refused_by_all(&tenant.api)).await;
    other.get("/v1/webhooks").await.ok(200);
    world.admin.delete(&path).await.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_key_can_be_listed_and_revoked() {
    let world = World::open();
    let tenant = world.tenant().await;
    let made = world.admin.post("/v1/keys", &json!({"scopes": ["events:write"], "name": "billing"})).await.ok(201);
    let (id, key) = (text(&made, "id"), text(&made, "key"));
    assert!(key.starts_with("prv_"), "{made}");
    assert_eq!(made["scopes"], json!(["events:write"]));
    let listed = world.admin.get("/v1/keys").await;
    listed.ok(200);
    assert!(listed.body.contains(id) && !listed.body.contains(key), "{}", listed.body);

    let provider = world.anonymous.with_key(key);
    let event = json!({"event": "dubbing.completed", "data": {}, "tenant_id": tenant.id});
    provider.post("/v1/events", &event).await.ok(202);
    assert_eq!(world.admin.delete(&format!("/v1/keys/{id}")).await.status, 204);
    until("the revoked key to be refused", MINUTE, || async {
        let answer = provider.post("/v1/events", &event).await;
        if answer.status == 401 { Ok(()) } else { Err(answer.body) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_key_stops_by_itself() {
    let world = World::open();
    let tenant = world.tenant().await;
    let expires_at = Timestamp::now() + SignedDuration::from_secs(5);
    let start = Instant::now();
    let key = world.key(&tenant.id, &json!({"dialect": "nur", "expires_at": expires_at.to_string()})).await;
    let api = world.anonymous.with_key(text(&key, "key"));
    let first = api.get("/v1/webhooks").await;
    if start.elapsed() < Duration::from_secs(4) {
        first.ok(200);
    }
    until("the expired key to be refused", MINUTE, || refused_by_all(&api)).await;
    assert!(Timestamp::now() >= expires_at, "the key was refused before its time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_keys_comes_in_pages() {
    let world = World::open();
    let tenant = world.tenant().await;
    let mut made = vec![tenant.key_id.clone()];
    for _ in 0..4 {
        made.push(text(&world.key(&tenant.id, &json!({"dialect": "nur"})).await, "id").to_owned());
    }
    let path = format!("/v1/tenants/{}/keys", tenant.id);
    let ids = |page: &Value| -> Vec<String> {
        let keys = page["keys"].as_array().expect("keys");
        keys.iter().map(|key| text(key, "id").to_owned()).collect()
    };
    let all = world.admin.get(&path).await.ok(200);
    assert_eq!(all["pagination"], json!({"has_more": false, "next_cursor": null}));
    let mut listed = ids(&all);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.admin.get(&format!("{path}?limit=2{cursor}")).await.ok(200);
        assert!(ids(&page).len() <= 2, "{page}");
        paged.extend(ids(&page));
        match page["pagination"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, listed, "the oldest first, both ways");
    made.sort();
    listed.sort();
    assert_eq!(listed, made);
    let first = world.admin.get("/v1/keys?limit=1").await.ok(200);
    assert_eq!(ids(&first).len(), 1, "{first}");
    world.admin.get(&format!("{path}?cursor=d2hfMDAwMDAwMDAwMDAwMDAwMA")).await.invalid("cursor");
}
