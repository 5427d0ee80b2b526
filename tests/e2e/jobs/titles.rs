//! Titles that are hard to carry: what a worker says is what the customer gets, character for character.

use serde_json::json;

use crate::support::{Receiver, SOON, World};

/// Texts that some program in between could take for something else.
pub(crate) const NASTY: [&str; 14] = [
    "Ünïcode – Ω≈ç√ 日本語 العربية",
    "emoji 🙂 👩‍👩‍👧‍👦 🏳️‍🌈 \u{1F468}\u{1F3FD}",
    r#"quotes " and ' and ` and “these”"#,
    r"back\slash \n \u0041 \\ \",
    "slash / </script><!-- ]]> &amp; <b>",
    "line\u{2028}and paragraph\u{2029}separators",
    "controls \u{1}\u{8}\t\n\u{b}\u{c}\r\u{1b}\u{1f} and delete \u{7f} and next line \u{85}",
    "1234567890",
    "-0",
    "1e5",
    "null",
    "",
    "  spaces  \u{a0}\u{feff}\u{200b}\u{202e}",
    "edges \u{fffd}\u{ffff}\u{10ffff}\u{e000}\u{d7ff}",
];

/// A video's URL with a text in it, escaped where it would be no URL as it stands: what parsers would make of the rest is nobody's
/// business, it is told as it was reported.
pub(crate) fn video_named(text: &str) -> String {
    let escaped = |c: char| match c {
        c if c.is_alphanumeric() || "\"'`“”<>{}|^;&!?=[]-–≈√🙂".contains(c) => c.to_string(),
        c => c.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
    };
    format!("https://cdn.example/{}.mp4", text.chars().map(escaped).collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_arrives_as_it_was_reported() {
    let world = World::open();
    let customer = world.nouvel().await;
    for titles in NASTY.chunks(9) {
        let receiver = Receiver::start(world.stack).await;
        let job = customer.generate(3, 3, &receiver.url("/")).await;
        let reports = job.projects.iter().enumerate().map(|(number, project)| {
            let title = titles[number % titles.len()];
            json!({"projectId": project, "status": "completed", "title": title, "videoUrl": video_named(title)})
        });
        customer.report(&job.id, &json!({"projects": reports.collect::<Vec<_>>()})).await.ok(200);
        let body = receiver.only(SOON).await.json();
        for (number, project) in body["projects"].as_array().expect("projects").iter().enumerate() {
            let title = titles[number % titles.len()];
            assert_eq!((&project["title"], &project["videoUrl"]), (&json!(title), &json!(video_named(title))));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_that_is_no_text_is_refused() {
    let world = World::open();
    let customer = world.nouvel().await;
    let job = customer.generate(1, 1, "https://your-server.invalid/").await;
    for title in [r#""\ud800""#, r#""\udc00x""#, r#""a\u0000b""#, "7", "[]"] {
        let report =
            format!(r#"{{"projects":[{{"projectId":{:?},"status":"failed","title":{title}}}]}}"#, job.projects[0]);
        let answer = customer.worker.post_text(&format!("/api/v1/jobs/{}/report", job.id), &report).await;
        answer.refused_plainly(400, "invalid_request");
    }
    assert_eq!(customer.generation(&job.id).await["status"], "running");
}
