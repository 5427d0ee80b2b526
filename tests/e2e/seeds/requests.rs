//! The pages' requests, run as they are printed, and what they are answered with, field by field and in order.

use std::process::Command;

use serde_json::{Value, json};

use super::page;
use crate::answers::in_order;
use crate::support::api::text;
use crate::support::verifier::{run, words};
use crate::support::{Receiver, SOON, World};

fn read(name: &str) -> Option<String> {
    page(name).map(|path| std::fs::read_to_string(path).expect("the page should be readable"))
}

/// A page from the first line that begins so to where it first says `last` after that. A page with numbers before the lines of its
/// programs is read without them.
fn excerpt(page: &str, first: &str, last: &str) -> String {
    let unnumbered = |line: &str| line.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
    let lines = page.lines().map(unnumbered).skip_while(|line| !line.trim_start().starts_with(first));
    let mut taken = String::new();
    for line in lines {
        if let Some((before, _)) = line.split_once(last) {
            return taken + before + last;
        }
        taken += &format!("{line}\n");
    }
    panic!("no {first:?} to {last:?} on the page")
}

/// Runs a page's command with our address and key in the places of the page's own; its answer.
fn run_as_printed(command: &str, places: [(&str, &str); 2]) -> Value {
    let mut command = command.replace("curl ", "curl -sS ");
    for (printed, ours) in places {
        assert!(command.contains(printed), "{printed} is not in {command}");
        command = command.replace(printed, ours);
    }
    let output = run(Command::new("bash").arg("-c").arg(&command), b"");
    assert!(output.status.success(), "{command}\n{}", words(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{command}\n{}: {error}", words(&output)))
}

/// Holds a value to another's fields, in their order, and to their types.
fn assert_shaped(ours: &Value, printed: &Value) {
    match (ours, printed) {
        (Value::Object(_), Value::Object(fields)) => {
            assert_eq!(in_order(ours), in_order(printed), "{ours}");
            for (name, value) in fields {
                assert_shaped(&ours[name], value);
            }
        }
        (Value::Array(items), Value::Array(printed)) => {
            for item in items {
                assert_shaped(item, &printed[0]);
            }
        }
        _ => assert_eq!(std::mem::discriminant(ours), std::mem::discriminant(printed), "{ours} and {printed}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nurs_requests_are_answered_as_its_page_shows() {
    let world = World::open();
    let Some(page) = read("nur.txt") else { return };
    let tenant = world.tenant().await;
    let key = world.key(&tenant.id, &json!({"dialect": "nur"})).await;
    let places = [("https://api.nur.ai", world.stack.api_url.as_str()), ("nur_your_api_key", text(&key, "key"))];
    let made = run_as_printed(&excerpt(&page, "curl -X POST https://api.nur.ai", "}'"), places);
    let listed = run_as_printed(&excerpt(&page, "curl https://api.nur.ai/v1/webhooks", "_key\""), places);
    let response = page.split("# Response").nth(1).expect("the page shows a response");
    let response: String = response
        .lines()
        .skip(1)
        .map(|line| line.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned() + "\n")
        .collect();
    let response: Value = serde_json::from_str(response.trim()).expect("the page's response is JSON");
    assert_shaped(&listed, &response);
    assert_eq!(listed["webhooks"], json!([made]));
    assert_eq!(
        (&made["url"], &made["events"], &made["status"]),
        (
            &json!("https://your-app.com/webhooks/nur"),
            &json!(["dubbing.completed", "voice.clone.completed", "agent.session.ended"]),
            &json!("active")
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nouvels_request_is_answered_and_its_end_told_as_its_page_shows() {
    let world = World::open();
    let Some(page) = read("nouvel.txt") else { return };
    let customer = world.nouvel().await;
    let receiver = Receiver::start(world.stack).await;
    let key = world.key(&customer.tenant.id, &json!({"dialect": "nouvel"})).await;
    let command = excerpt(&page, "curl -X POST https://app.nouvel.ai", "}'");
    let places = [("https://app.nouvel.ai", world.stack.api_url.as_str()), ("nvl_xxxx", text(&key, "key"))];
    let made = run_as_printed(&command, places);
    assert_shaped(&made, &json!({"jobId": "", "totalProjects": 2, "status": "running"}));
    assert_eq!((&made["totalProjects"], &made["status"]), (&json!(2), &json!("running")));
    let shown = customer.generation(text(&made, "jobId")).await;
    assert_eq!(in_order(&shown)[..4], ["jobId", "status", "overallProgress", "stage"]);
    assert_eq!(in_order(&shown["projects"][0]), ["id", "title", "status", "progress"]);

    let job = customer.generate(1, 2, &receiver.url("/webhooks/nouvel")).await;
    for project in &job.projects {
        customer.report_project(&job.id, project, "completed").await.ok(200);
    }
    let payload = page.split("X-Nouvel-Signature: a1b2c3d4e5f6...").nth(1).expect("the page shows a payload");
    let payload = serde_json::Deserializer::from_str(payload.trim()).into_iter::<Value>().next();
    let payload = payload.expect("a payload").expect("the page's payload is JSON");
    assert_shaped(&receiver.only(SOON).await.json(), &payload);
    let shown = customer.generation(&job.id).await;
    let details = ["projectId", "title", "finalOutputUrl", "status"];
    assert_eq!(in_order(&shown["completedDetails"][0]), details);
}

#[tokio::test(flavor = "multi_thread")]
async fn netraflows_request_is_answered_and_its_end_told_as_its_page_shows() {
    let world = World::open();
    let Some(page) = read("netraflow.txt") else { return };
    let customer = world.netraflow("pro").await;
    let receiver = Receiver::start(world.stack).await;
    let key = world.key(&customer.tenant.id, &json!({"dialect": "netraflow"})).await;
    let command = excerpt(&page, "curl -X POST https://api.netraflow.com", "}'");
    let places =
        [("https://api.netraflow.com", world.stack.api_url.as_str()), ("sk_live_your_key_here", text(&key, "key"))];
    let made = run_as_printed(&command, places);
    assert_eq!(in_order(&made), ["data", "meta"]);
    let names = [
        "job_id",
        "status",
        "url",
        "platform",
        "capabilities",
        "credits_estimated",
        "credits_charged",
        "created_at",
        "started_at",
        "completed_at",
    ];
    assert_eq!(in_order(&made["data"]), names);
    assert_eq!((&made["data"]["status"], &made["data"]["platform"]), (&json!("pending"), &json!("youtube")));

    let job = customer.start(&receiver.url("/webhooks/netraflow")).await;
    customer.report_task(&job, &json!({"status": "completed", "credits_charged": 5})).await.data(200);
    let payload = page.split("Payload\n").nth(1).expect("the page shows a payload");
    let payload = serde_json::Deserializer::from_str(payload).into_iter::<Value>().next();
    let payload = payload.expect("a payload").expect("the page's payload is JSON");
    assert_shaped(&receiver.only(SOON).await.json(), &payload);
}
