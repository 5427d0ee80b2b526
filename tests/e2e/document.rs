//! The API's document, and what all operations in it refuse alike. That every answer is as it says, the support of these tests sees to.

use reqwest::Method;
use serde_json::Value;

use crate::support::api::text;
use crate::support::openapi::{Operation, operations};
use crate::support::{Answer, Api, World};

/// Who may call what, and one of each thing that a path can name.
struct Everything {
    world: World,
    tenant: Api,
    nouvel: Api,
    netraflow: Api,
    worker: Api,
    visitor: Api,
    places: Vec<(&'static str, String)>,
}

impl Everything {
    async fn there_is() -> Self {
        let world = World::open();
        let (tenant, nouvel, netraflow) = (world.tenant().await, world.nouvel().await, world.netraflow("pro").await);
        let webhook = tenant.webhook("https://your-app.invalid/", &["*"]).await;
        let event = tenant.publish("dubbing.completed", &serde_json::json!({})).await;
        let delivery = tenant.delivery_of(&event, &webhook).await;
        let generation = nouvel.generate(1, 1, "https://your-server.invalid/").await.id;
        let task = netraflow.start("https://your-server.invalid/").await;
        let places = vec![
            ("/v1/webhooks/{id}", format!("/v1/webhooks/{webhook}")),
            ("/v1/tenants/{id}", format!("/v1/tenants/{}", tenant.id)),
            ("/v1/deliveries/{id}", format!("/v1/deliveries/{delivery}")),
            ("/api/v1/jobs/{jobId}", format!("/api/v1/jobs/{generation}")),
            ("/v1/jobs/{id}", format!("/v1/jobs/{task}")),
        ];
        let worker = world.provider(&["jobs:report"]).await;
        let visitor = world.visitor(&tenant.id, &serde_json::json!({})).await.api;
        let (nouvel, netraflow) = (nouvel.tenant.api, netraflow.tenant.api);
        Self { tenant: tenant.api, nouvel, netraflow, worker, visitor, places, world }
    }

    /// Whoever may call an operation.
    fn caller(&self, operation: &Operation) -> &Api {
        match operation.path {
            _ if operation.wants("session") && !operation.wants("key") => &self.visitor,
            _ if operation.wants("operator") => &self.world.admin,
            _ if operation.scope() == Some("jobs:report") => &self.worker,
            path if path.starts_with("/api/v1/") => &self.nouvel,
            path if path.starts_with("/v1/jobs") => &self.netraflow,
            _ => &self.tenant,
        }
    }

    /// The path of an operation, of what there is; what there is none of is as the document's example has it.
    fn path(&self, operation: &Operation) -> String {
        let place =
            self.places.iter().find_map(|(name, there)| Some(there.clone() + operation.path.strip_prefix(name)?));
        operation.filled(place.as_deref().unwrap_or(operation.path))
    }
}

async fn sent(api: &Api, operation: &Operation, path: &str, content_type: &str) -> Answer {
    let method: Method = operation.method.to_uppercase().parse().expect("a method");
    let call = api.call(method, path);
    match operation.example() {
        Some(body) => call.body(content_type, &body.to_string()).send().await,
        None => call.send().await,
    }
}

fn code(answer: &Answer) -> String {
    let body: Value = answer.json();
    body.get("reason").or(body["error"].get("code")).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_tells_strangers_the_same() {
    let all = Everything::there_is().await;
    // None of a customer's calls are for these.
    let (reads, publishes) = (all.world.provider(&["jobs:read"]).await, all.world.provider(&["events:write"]).await);
    for operation in operations().filter(|operation| operation.is_for_somebody()) {
        let path = all.path(&operation);
        let stranger = sent(&all.world.anonymous, &operation, &path, "application/json").await;
        assert_eq!((stranger.status, code(&stranger).as_str()), (401, "unauthorized"), "{operation:?}");
        // Any key will do where nobody's scope is asked for.
        if operation.wants("key") && operation.scope().is_none() {
            continue;
        }
        let other = if operation.scope() == Some("jobs:read") { &publishes } else { &reads };
        let other = if operation.scope() == Some("events:write") { &reads } else { other };
        let without = sent(other, &operation, &path, "application/json").await;
        assert_eq!((without.status, code(&without).as_str()), (403, "forbidden"), "{operation:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_refuses_what_it_does_not_know() {
    let all = Everything::there_is().await;
    for operation in operations() {
        let (caller, path) = (all.caller(&operation), all.path(&operation));
        let answer = sent(caller, &operation, &format!("{path}?nobody=1"), "application/json").await;
        assert_eq!((answer.status, code(&answer).as_str()), (400, "invalid_request"), "{operation:?}");
        if operation.example().is_some() {
            let answer = sent(caller, &operation, &path, "text/plain").await;
            assert_eq!((answer.status, code(&answer).as_str()), (415, "unsupported_media_type"), "{operation:?}");
        }
        // A PUT makes what is not there.
        if operation.path.contains('{') && operation.method != "put" {
            let nothing = operation.filled(operation.path);
            let answer = sent(caller, &operation, &nothing, "application/json").await;
            assert_eq!((answer.status, code(&answer).as_str()), (404, "not_found"), "{operation:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_reads_the_document_that_the_tests_hold_answers_to() {
    let world = World::open();
    let path = "/v1/openapi.json";
    let answer = world.anonymous.get(path).await;
    let document = answer.ok(200);
    assert_eq!(text(&document, "openapi"), "3.1.1");
    let told: Vec<_> = document["paths"].as_object().expect("paths").keys().cloned().collect();
    let mut held: Vec<_> = operations().map(|operation| operation.path.to_owned()).collect();
    held.dedup();
    assert_eq!(told, held, "the stack is of another time: make up");
    let tag = answer.header("etag").expect("it is told apart from others").to_owned();
    let again = world.anonymous.call(Method::GET, path).header("if-none-match", &tag).send().await;
    assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", Some(tag.as_str())));
}
