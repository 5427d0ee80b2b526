//! Requests that are wrong, one to a line: the status, the code and the field that their sender reads. Nothing comes of any.

use futures::stream::{self, StreamExt as _};
use reqwest::Method;
use serde_json::Value;

use crate::support::api::{keys, text};
use crate::support::customer::{generate_body, task_body};
use crate::support::{Answer, Api, World};

mod event_types;
mod filters;
mod jobs;
mod portal;
mod recoveries;
mod rows;
mod verify;
mod webhooks;

/// All of them.
const ALL: [&[Row]; 8] = [
    rows::ROWS,
    jobs::ROWS,
    webhooks::ROWS,
    filters::ROWS,
    event_types::ROWS,
    verify::ROWS,
    recoveries::ROWS,
    portal::ROWS,
];

const AT_ONCE: usize = 8;

/// Who, what, with which body; then the status, the code and the field.
type Row = (By, &'static str, &'static str, u16, &'static str, &'static str);

/// Who asks: keys of tenants in three dialects, a provider's, a worker's, the operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum By {
    Nur,
    Standard,
    Nouvel,
    NetraFlow,
    Provider,
    Worker,
    Operator,
}

/// What an error says, in whichever shape its path has: its code, and the field that it names.
fn told(answer: &Answer, field: &str) -> (String, bool) {
    if answer.status < 400 {
        return (String::new(), false);
    }
    let body: Value = answer.json();
    if let Some(plain) = body["error"].as_str() {
        return (text(&body, "reason").to_owned(), plain.starts_with(&format!("`{field}`")));
    }
    let error = &body["error"];
    let names = match error.get("details") {
        Some(details) => details["field"] == field,
        None => text(error, "message").starts_with(&format!("`{field}`")),
    };
    (text(error, "code").to_owned(), names)
}

async fn ask(api: &Api, line: &str, body: &str) -> Answer {
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let method: Method = method.parse().expect("a method");
    let has_body = matches!(method, Method::POST | Method::PATCH | Method::PUT);
    let call = api.call(method, path);
    // The body of these may be left out, and then nothing says what it is.
    let is_test = path.contains("/test") && !path.contains("/filter/");
    let is_optional = is_test || ["rotate", "retry", "cancel", "able"].iter().any(|name| path.contains(name));
    if has_body && !(body.is_empty() && is_optional) {
        call.body("application/json", body).send().await
    } else {
        call.send().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_request_is_told_its_status_code_and_field() {
    let world = World::open();
    let count: usize = ALL.iter().map(|rows| rows.len()).sum();
    assert!(count >= 150, "{count}");
    let (nur, standard) = (world.tenant().await, world.tenant_on("standard", "pro").await);
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    let provider = world.provider(&["events:write"]).await;
    let worker = world.provider(&["jobs:report", "jobs:read"]).await;
    // Whose jobs are reported on: others than those who start none.
    let (projects, tasks) = (world.nouvel().await, world.netraflow("pro").await);
    let generation = projects.generate(1, 1, "https://your-server.invalid/").await;
    let task = tasks.start("https://your-server.invalid/").await;
    let stood = (projects.generation(&generation.id).await, tasks.task(&task).await);
    let webhook = nur.webhook("https://your-app.invalid/", &["*"]).await;
    let webhook_path = format!("/v1/webhooks/{webhook}");
    let tenant_path = format!("/v1/tenants/{}", nur.id);
    let before = nur.api.get(&webhook_path).await.body;
    let by = |who: By| match who {
        By::Nur => &nur.api,
        By::Standard => &standard.api,
        By::Nouvel => &nouvel.tenant.api,
        By::NetraFlow => &netraflow.tenant.api,
        By::Provider => &provider,
        By::Worker => &worker,
        By::Operator => &world.admin,
    };
    let places = [
        ("{webhook}", webhook_path.as_str()),
        ("{tenant}", &tenant_path),
        ("{generation}", &generation.id),
        ("{project}", &generation.projects[0]),
        ("{task}", &task),
    ];
    let placed = |text: &str| places.iter().fold(text.to_owned(), |text, (name, place)| text.replace(name, place));
    let tries = stream::iter(ALL.into_iter().flatten()).map(|(who, line, body, status, code, field)| {
        let (line, body) = (placed(line), placed(body));
        let api = by(*who).clone();
        async move {
            let answer = ask(&api, &line, &body).await;
            let (said, names) = told(&answer, field);
            let is_right = answer.status == *status && said == *code && (names || field.is_empty());
            (!is_right).then(|| format!("{line} {body}\n   expected {status} {code} `{field}`: {answer:?}"))
        }
    });
    let wrong: Vec<String> = tries.buffer_unordered(AT_ONCE).filter_map(|wrong| async { wrong }).collect().await;
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), count, wrong.join("\n"));

    assert_eq!(nur.api.get(&webhook_path).await.body, before, "nothing was changed");
    let listed = nur.api.get("/v1/webhooks").await.ok(200);
    assert_eq!(listed["webhooks"].as_array().map(Vec::len), Some(1), "nor made");
    for tenant in [&nur.id, &standard.id, &nouvel.tenant.id, &netraflow.tenant.id] {
        assert_eq!(world.aws.rows.all_events_of(tenant).await, 0, "nor published");
        assert!(world.aws.rows.jobs_of(tenant).await.is_empty(), "nor started");
    }
    let stands = (projects.generation(&generation.id).await, tasks.task(&task).await);
    assert_eq!(stands, stood, "nor reported");
    // null is a value where the page on it says so: a webhook's fields are its dialect's then, as in a PATCH.
    let nothing = r#"{"url":"https://your-app.invalid/","events":["*"],"description":null,"headers":null,
        "name":null,"metadata":null,"content_type":null,
        "timeout_seconds":null,"retry_schedule":null,"rate_limit":null,"filter":null,"trace":null}"#;
    let made = nur.api.post_text("/v1/webhooks/create", nothing).await.ok(201);
    assert_eq!(keys(&made), ["created_at", "events", "id", "status", "url"], "{made}");
    let report =
        format!(r#"{{"projects":[{{"projectId":"{}","status":"failed","videoUrl":null}}]}}"#, generation.projects[0]);
    projects.worker.post_text(&format!("/api/v1/jobs/{}/report", generation.id), &report).await.ok(200);
    // The same with everything right is taken.
    let good = generate_body(1, 1, "https://your-server.invalid/");
    nouvel.tenant.api.post("/api/v1/generate", &good).await.ok(200);
    netraflow.tenant.api.post("/v1/jobs", &task_body("https://your-server.invalid/")).await.data(201);
}
