//! Requests that are refused: the status, the error's shape, the field by name, and nothing half-written.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{Api, text};
use crate::support::{Answer, Receiver, SOON, World, until};

const URL: &str = "https://your-app.invalid/hook";

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_webhook_is_refused_by_field_and_nothing_is_kept_of_it() {
    let world = World::open();
    let tenant = world.tenant().await;
    let bad = [
        ("url", json!({"events": ["*"]})),
        ("url", json!({"url": null, "events": ["*"]})),
        ("url", json!({"url": 7, "events": ["*"]})),
        ("url", json!({"url": "", "events": ["*"]})),
        ("url", json!({"url": "your-app.invalid/hook", "events": ["*"]})),
        ("url", json!({"url": "http://your-app.invalid/hook", "events": ["*"]})),
        ("url", json!({"url": "ftp://your-app.invalid/hook", "events": ["*"]})),
        ("events", json!({"url": URL})),
        ("events", json!({"url": URL, "events": []})),
        ("events", json!({"url": URL, "events": "dubbing.completed"})),
        ("events", json!({"url": URL, "events": [1]})),
        ("events", json!({"url": URL, "events": ["dubbing.completed", "dubbing.started"]})),
        ("events", json!({"url": URL, "events": ["invoice.*"]})),
        ("events", json!({"url": URL, "events": ["webhook.disabled"]})),
        ("events", json!({"url": URL, "events": ["webhook.delivery_failed"]})),
        ("events", json!({"url": URL, "events": ["dub*"]})),
        ("secret", json!({"url": URL, "events": ["*"], "secret": 7})),
        ("secret", json!({"url": URL, "events": ["*"], "secret": ""})),
    ];
    for (field, body) in bad {
        tenant.api.post("/v1/webhooks/create", &body).await.invalid(field);
    }
    assert_eq!(tenant.api.get("/v1/webhooks").await.body, r#"{"webhooks":[]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_object_is_refused() {
    let world = World::open();
    let tenant = world.tenant().await;
    for path in ["/v1/webhooks/create", "/v1/events"] {
        for body in ["", "{", "[]", "null", "\"text\"", "{\"url\":}", "{} {}"] {
            tenant.api.post_text(path, body).await.refused(400, "invalid_request");
        }
    }
    assert_eq!(tenant.api.get("/v1/webhooks").await.body, r#"{"webhooks":[]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_event_is_refused_by_field_and_nobody_receives_it() {
    let world = World::open();
    let tenant = world.tenant().await;
    let webhook = tenant.webhook(URL, &["*"]).await;
    let bad = [
        ("event", json!({"data": {}})),
        ("event", json!({"event": 7, "data": {}})),
        ("event", json!({"event": "", "data": {}})),
        ("event", json!({"event": "dubbing completed", "data": {}})),
        ("event", json!({"event": "dubbing..completed", "data": {}})),
        ("event", json!({"event": "webhook.disabled", "data": {}})),
        ("event", json!({"event": "webhook.delivery_failed", "data": {}})),
        ("data", json!({"event": "dubbing.completed"})),
        ("data", json!({"event": "dubbing.completed", "data": null})),
        ("data", json!({"event": "dubbing.completed", "data": "text"})),
        ("data", json!({"event": "dubbing.completed", "data": []})),
        ("id", json!({"event": "dubbing.completed", "data": {}, "id": 7})),
        ("id", json!({"event": "dubbing.completed", "data": {}, "id": ""})),
        ("tenant_id", json!({"event": "dubbing.completed", "data": {}, "tenant_id": tenant.id})),
    ];
    for (field, body) in bad {
        tenant.api.post("/v1/events", &body).await.invalid(field);
    }
    let good = tenant.publish("dubbing.completed", &json!({})).await;
    tenant.delivery_of(&good, &webhook).await;
    let events: Vec<_> = tenant.deliveries(&webhook, "").await.iter().map(|row| row["event_id"].clone()).collect();
    assert_eq!(events, [good], "only the good one has a row");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_must_say_that_it_is_json() {
    let world = World::open();
    let tenant = world.tenant().await;
    let event = json!({"event": "dubbing.completed", "data": {}}).to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        let call = tenant.api.call(Method::POST, "/v1/events").body(content_type, &event);
        call.send().await.refused(415, "unsupported_media_type");
    }
    for content_type in ["application/json; charset=utf-8", "APPLICATION/JSON"] {
        tenant.api.call(Method::POST, "/v1/events").body(content_type, &event).send().await.ok(202);
    }
}

async fn assert_allow(api: &Api, method: Method, path: &str, allowed: &[&str]) {
    let answer = api.call(method, path).json(&json!({})).send().await;
    answer.refused(405, "method_not_allowed");
    let header = answer.header("allow").expect("a 405 should carry Allow");
    let mut methods: Vec<_> = header.split(',').map(str::trim).collect();
    methods.sort_unstable();
    for method in allowed {
        assert!(methods.contains(method), "{path} should allow {method}: {header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_is_told_the_right_ones() {
    let world = World::open();
    let tenant = world.tenant().await;
    let webhook = tenant.webhook(URL, &["*"]).await;
    assert_allow(&tenant.api, Method::POST, "/v1/webhooks", &["GET"]).await;
    assert_allow(&tenant.api, Method::PUT, "/v1/webhooks/create", &["POST"]).await;
    assert_allow(&tenant.api, Method::PUT, &format!("/v1/webhooks/{webhook}"), &["DELETE", "GET"]).await;
    assert_allow(&tenant.api, Method::PUT, &format!("/v1/webhooks/{webhook}/deliveries"), &["GET"]).await;
    assert_allow(&tenant.api, Method::DELETE, "/v1/events", &["POST"]).await;
    assert_allow(&tenant.api, Method::DELETE, "/v1/events/evt_00000000000000000000", &["GET"]).await;
    assert_allow(&tenant.api, Method::DELETE, "/v1/deliveries/dlv_0", &["GET"]).await;
    assert_allow(&world.admin, Method::PUT, "/v1/tenants", &["GET", "POST"]).await;
    assert_allow(&world.admin, Method::PUT, "/v1/keys", &["GET", "POST"]).await;
    // The operator's paths are told to nobody else.
    for path in ["/v1/tenants", "/v1/tenants/ten_0000000000000000/keys", "/v1/keys"] {
        world.anonymous.call(Method::PUT, path).send().await.refused(401, "unauthorized");
        tenant.api.call(Method::PUT, path).send().await.refused(403, "forbidden");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_not_found() {
    let world = World::open();
    let tenant = world.tenant().await;
    let paths = [
        "/",
        "/v1",
        "/v1/nothing",
        "/v1/webhooks/wh_0000000000000000",
        "/v1/webhooks/not-an-id",
        "/v1/webhooks/wh_0000000000000000/deliveries",
        "/v1/events/evt_00000000000000000000",
        "/v1/events/not-an-id",
        "/v1/deliveries/dlv_00000000000000000000000000000000000000000000",
        "/v1/deliveries/not-an-id",
    ];
    for path in paths {
        tenant.api.get(path).await.refused(404, "not_found");
    }
    world.admin.get("/v1/tenants/ten_000000").await.refused(404, "not_found");
    world.admin.post("/v1/tenants/ten_000000/keys", &json!({"dialect": "nur"})).await.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_a_request_id_of_its_own() {
    let world = World::open();
    let tenant = world.tenant().await;
    let id = |answer: &Answer| answer.header("x-request-id").map(str::to_owned);
    let (first, second) = (tenant.api.get("/v1/webhooks").await, tenant.api.get("/v1/webhooks").await);
    assert_ne!(id(&first), id(&second));
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_are_measured_in_bytes_and_the_largest_arrives_whole() {
    const LIMIT: usize = 256 * 1024;
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/large"), &["*"]).await;
    // Two bytes a letter, so that a count of characters would let twice as much through.
    let data_of = |bytes: usize| {
        let frame = r#"{"text":""}"#.len();
        let (letters, rest) = ((bytes - frame) / 2, (bytes - frame) % 2);
        format!(r#"{{"text":"{}{}"}}"#, "é".repeat(letters), "x".repeat(rest))
    };
    let body_of = |data: &str| format!(r#"{{"event":"dubbing.completed","data":{data}}}"#);

    let too_large = data_of(LIMIT + 1);
    assert_eq!(too_large.len(), LIMIT + 1);
    tenant.api.post_text("/v1/events", &body_of(&too_large)).await.refused(413, "payload_too_large");

    let largest = data_of(LIMIT);
    let published = tenant.api.post_text("/v1/events", &body_of(&largest)).await.ok(202);
    let received = receiver.only(SOON).await;
    assert_eq!(received.event_id(), text(&published, "id"));
    assert!(received.text().contains(&largest), "the data should arrive whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_means_nothing_is_refused_by_name() {
    let world = World::open();
    let tenant = world.tenant().await;
    let webhook = tenant.webhook(URL, &["*"]).await;
    let deliveries = format!("/v1/webhooks/{webhook}/deliveries");
    for (path, field) in [
        (format!("{deliveries}?limit=0"), "limit"),
        (format!("{deliveries}?limit=x"), "limit"),
        (format!("{deliveries}?limit=-1"), "limit"),
        (format!("{deliveries}?status=lost"), "status"),
        (format!("{deliveries}?since=yesterday"), "since"),
        (format!("{deliveries}?cursor=rubbish"), "cursor"),
        ("/v1/webhooks?limit=0".to_owned(), "limit"),
        ("/v1/webhooks?cursor=rubbish".to_owned(), "cursor"),
    ] {
        tenant.api.get(&path).await.invalid(field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_tells_nothing_of_the_inside() {
    let world = World::open();
    let tenant = world.tenant().await;
    let answers = [
        tenant.api.post_text("/v1/events", "{").await,
        tenant.api.get("/v1/webhooks/wh_%00%ff").await,
        tenant.api.get("/v1/webhooks?limit=99999999999999999999").await,
        tenant.api.get(&format!("/v1/events/{}", "e".repeat(3000))).await,
        world.anonymous.with_key(&"k".repeat(5000)).get("/v1/webhooks").await,
    ];
    for answer in answers {
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let body: Value = answer.json();
        let message = text(&body["error"], "message").to_lowercase();
        for inner in ["dynamo", "serde", "aws", "panicked", "table", "arn:", ".rs"] {
            assert!(!message.contains(inner), "{message}");
        }
    }
    // Still at work after all that.
    until("the API", SOON, || async {
        let answer = tenant.api.get("/v1/webhooks").await;
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    })
    .await;
}
