//! What a session may do: every route of the API's document, by one table.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _};
use reqwest::Method;
use serde_json::json;

use crate::support::World;
use crate::support::openapi::{Operation, operations};

/// A capability; and whether a session has to be for all of the tenant's webhooks.
type Needs = Option<(&'static str, bool)>;

const VIEW: Needs = Some(("view", false));
const EDIT: Needs = Some(("edit", false));
const SEND: Needs = Some(("send", false));
const SECRETS: Needs = Some(("secrets", false));
const VIEW_ALL: Needs = Some(("view", true));
const EDIT_ALL: Needs = Some(("edit", true));
const SEND_ALL: Needs = Some(("send", true));
/// Not for visitors.
const NEVER: Needs = None;

/// Every route that takes a credential.
const ROUTES: &[(&str, Needs)] = &[
    ("POST /v1/webhooks/create", EDIT_ALL),
    ("GET /v1/webhooks", VIEW),
    ("POST /v1/webhooks/filter/test", VIEW),
    ("GET /v1/webhooks/{id}", VIEW),
    ("PATCH /v1/webhooks/{id}", EDIT),
    ("DELETE /v1/webhooks/{id}", EDIT),
    ("POST /v1/webhooks/{id}/enable", EDIT),
    ("POST /v1/webhooks/{id}/disable", EDIT),
    ("POST /v1/webhooks/{id}/secret/rotate", SECRETS),
    ("POST /v1/webhooks/{id}/test", SEND),
    ("POST /v1/webhooks/{id}/preview", SEND),
    ("POST /v1/verify", VIEW),
    ("GET /v1/webhooks/{id}/deliveries", VIEW),
    ("GET /v1/webhooks/{id}/stats", VIEW),
    ("POST /v1/webhooks/{id}/recover", SEND),
    ("GET /v1/webhooks/{id}/recover/{recovery_id}", VIEW),
    ("POST /v1/webhooks/{id}/cancel-pending", SEND),
    ("GET /v1/webhooks/{id}/cancel-pending/{cancellation_id}", VIEW),
    ("GET /v1/deliveries", VIEW),
    ("GET /v1/deliveries/{id}", VIEW),
    ("POST /v1/deliveries/{id}/retry", SEND),
    ("POST /v1/deliveries/{id}/cancel", SEND),
    ("POST /v1/events", NEVER),
    ("POST /v1/events/batch", NEVER),
    ("GET /v1/events", VIEW),
    ("GET /v1/events/{id}", VIEW),
    ("POST /v1/events/{id}/send", SEND),
    ("DELETE /v1/events/{id}/data", NEVER),
    ("POST /api/v1/generate", NEVER),
    ("GET /api/v1/jobs", VIEW_ALL),
    ("GET /api/v1/jobs/{jobId}", VIEW_ALL),
    ("POST /api/v1/jobs/{jobId}/report", NEVER),
    ("POST /api/v1/jobs/recover", SEND_ALL),
    ("GET /api/v1/jobs/recover/{recovery_id}", VIEW_ALL),
    ("POST /v1/jobs", NEVER),
    ("GET /v1/jobs", VIEW_ALL),
    ("GET /v1/jobs/{id}", VIEW_ALL),
    ("POST /v1/jobs/{id}/cancel", NEVER),
    ("POST /v1/jobs/{id}/report", NEVER),
    ("POST /v1/jobs/recover", SEND_ALL),
    ("GET /v1/jobs/recover/{recovery_id}", VIEW_ALL),
    ("GET /v1/event-types", VIEW),
    ("POST /v1/event-types", NEVER),
    ("POST /v1/event-types/import", NEVER),
    ("GET /v1/event-types/{name}", VIEW),
    ("PATCH /v1/event-types/{name}", NEVER),
    ("DELETE /v1/event-types/{name}", NEVER),
    ("GET /v1/tenants", NEVER),
    ("POST /v1/tenants", NEVER),
    ("GET /v1/tenants/{id}", NEVER),
    ("PATCH /v1/tenants/{id}", NEVER),
    ("PUT /v1/tenants/{id}", NEVER),
    ("DELETE /v1/tenants/{id}", NEVER),
    ("GET /v1/tenants/{id}/stats", NEVER),
    ("GET /v1/tenants/{id}/keys", NEVER),
    ("POST /v1/tenants/{id}/keys", NEVER),
    ("DELETE /v1/tenants/{id}/keys/{key_id}", NEVER),
    ("POST /v1/tenants/{id}/secret/rotate", NEVER),
    ("POST /v1/tenants/{id}/portal", NEVER),
    ("DELETE /v1/tenants/{id}/portal", NEVER),
    ("DELETE /v1/tenants/{id}/portal/{session_id}", NEVER),
    ("GET /v1/keys", NEVER),
    ("POST /v1/keys", NEVER),
    ("DELETE /v1/keys/{key_id}", NEVER),
    ("POST /v1/smoke/receivers", NEVER),
    ("GET /v1/portal/session", VIEW),
    // The last one: it ends the session.
    ("DELETE /v1/portal/session", VIEW),
];

/// Calls that are made side by side.
const AT_ONCE: usize = 8;

/// What takes no credential at all.
const OPEN: [&str; 4] =
    ["GET /v1/openapi.json", "GET /docs", "POST /v1/portal/sessions", "POST /v1/smoke/receive/{token}"];

fn line(operation: &Operation) -> String {
    format!("{} {}", operation.method.to_uppercase(), operation.path)
}

#[test]
fn every_route_says_whether_it_lets_a_visitor_in_and_the_table_says_the_same() {
    let told: BTreeMap<&str, Needs> = ROUTES.iter().copied().collect();
    let documented: BTreeMap<String, Operation> = operations().map(|one| (line(&one), one)).collect();
    let lacking: Vec<_> =
        documented.keys().filter(|route| !told.contains_key(&***route) && !OPEN.contains(&&***route)).collect();
    assert!(lacking.is_empty(), "the table lacks {lacking:?}");
    for (route, needs) in told {
        let operation = documented.get(route).unwrap_or_else(|| panic!("there is no {route}"));
        assert_eq!(operation.capability(), needs.map(|(capability, _)| capability), "{route}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_does_what_its_capabilities_say_and_nothing_else() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let webhook = tenant.webhook("https://hooks.example.com/a", &["invoice.*"]).await;
    let documented: BTreeMap<String, Operation> = operations().map(|one| (line(&one), one)).collect();
    let bodies = [json!({}), json!({"webhook_ids": [webhook]})];
    for (capability, link) in
        ["view", "edit", "send", "secrets"].into_iter().flat_map(|one| bodies.iter().map(move |body| (one, body)))
    {
        let mut link = link.clone();
        link["capabilities"] = json!([capability]);
        let is_for_all = link.get("webhook_ids").is_none();
        let visitor = world.visitor(&tenant.id, &link).await;
        let calls = ROUTES.iter().map(|(route, needs)| (*route, *needs));
        let tries = calls.map(async |(route, needs)| {
            let (method, path) = route.split_once(' ').expect("a method and a path");
            let method: Method = method.parse().expect("a method");
            let call = visitor.api.call(method.clone(), &documented[route].filled(path));
            // What is let in is refused for what it asks.
            let answer = match method {
                Method::GET | Method::DELETE => call.send().await,
                _ => call.json(&json!({"?": 1})).send().await,
            };
            let is_let_in = needs
                .is_some_and(|(needed, of_all)| (needed == "view" || needed == capability) && (is_for_all || !of_all));
            let is_as_told = if is_let_in { ![401, 403].contains(&answer.status) } else { answer.status == 403 };
            assert!(is_as_told, "{capability} {link}: {answer:?}");
        });
        // In their order, so that the session ends with the last one.
        let mut tries: Vec<_> = tries.collect();
        let last = tries.pop().expect("there are some");
        stream::iter(tries).buffer_unordered(AT_ONCE).collect::<()>().await;
        last.await;
    }
}
