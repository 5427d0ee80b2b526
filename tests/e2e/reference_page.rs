//! The page that shows the API's document: its examples run as they are printed. `tests/portal` opens it in a browser.

use std::process::Command;

use serde_json::Value;

use crate::support::World;
use crate::support::api::text;
use crate::support::stack::Stack;
use crate::support::verifier::{run, words};
use crate::support::world::publishing;

/// What is written for an example's language.
const LANGUAGES: [(&str, &str, &[&str]); 3] =
    [("curl", "bash", &["-ec"]), ("python", "python3", &["-c"]), ("node", "node", &["--input-type=module", "-e"])];

/// The example of an operation, as its reader copies it.
fn example(page: &str, operation: &str, language: &str) -> String {
    let (_, section) = page.split_once(&format!(" id=\"{operation}\"")).expect("the page has the operation");
    let (_, code) = section.split_once(&format!("data-example=\"{language}\">")).expect("it has an example");
    let (code, _) = code.split_once("</code>").expect("it ends");
    code.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// A reader at a shell.
struct Reader<'a> {
    page: &'a str,
    key: &'a str,
    language: (&'static str, &'static str, &'static [&'static str]),
}

impl Reader<'_> {
    /// Runs an example as it is printed; what was answered.
    fn does(&self, operation: &str, id: &str) -> Value {
        let (language, program, options) = self.language;
        let example = example(self.page, operation, language);
        let mut command = Command::new(program);
        command.args(options).arg(&example);
        command.env("API", &Stack::running().api_url).env("KEY", self.key).env("ID", id);
        let output = run(&mut command, b"");
        assert!(output.status.success(), "{example}\n{}", words(&output));
        let told = String::from_utf8_lossy(&output.stdout);
        if told.trim().is_empty() { Value::Null } else { serde_json::from_str(&told).expect("it prints JSON") }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_examples_run_as_they_are_printed() {
    let world = World::open();
    let page = world.anonymous.get("/docs").await.body;
    for language in LANGUAGES {
        let tenant = world.tenant_on("standard", "pro").await;
        let key = world.key(&tenant.id, &publishing("standard")).await;
        let reader = Reader { page: &page, key: text(&key, "key"), language };
        // Before there is a webhook: nothing is sent to where the example points.
        let published = reader.does("publishEvent", "");
        assert_eq!(published["event"], "invoice.paid", "{language:?}");
        assert_eq!(reader.does("getEvent", text(&published, "id"))["id"], published["id"], "{language:?}");
        let made = reader.does("createWebhook", "");
        let id = text(&made, "id");
        assert_eq!(reader.does("listWebhooks", "")["webhooks"][0]["id"], id, "{language:?}");
        assert_eq!(reader.does("getWebhook", id)["url"], made["url"], "{language:?}");
        let rotated = reader.does("rotateWebhookSecret", id);
        assert!(rotated["secret"].is_string() && rotated["secret"] != made["secret"], "{language:?}: {rotated}");
        assert_eq!(reader.does("listWebhookDeliveries", id)["deliveries"], Value::Array(vec![]), "{language:?}");
        assert_eq!(reader.does("deleteWebhook", id), Value::Null, "{language:?}");
        tenant.api.get(&format!("/v1/webhooks/{id}")).await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_reads_it_and_who_has_it_reads_it_once() {
    let world = World::open();
    let plain = world.anonymous.get("/docs").await;
    assert_eq!((plain.status, plain.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(plain.body.starts_with("<!DOCTYPE html>") && plain.body.ends_with("</html>"), "{}", plain.body);
    let small = world.anonymous.call(reqwest::Method::GET, "/docs").header("accept-encoding", "gzip").send().await;
    assert_eq!((small.status, small.header("content-encoding")), (200, Some("gzip")));
    let tag = small.header("etag").expect("it is told apart from others").to_owned();
    let again = world.anonymous.call(reqwest::Method::GET, "/docs").header("if-none-match", &tag).send().await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
}
