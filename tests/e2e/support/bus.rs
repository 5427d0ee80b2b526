//! The stack's bus: what other services put on it, and a rule of the test's own that hears what Postrider puts there.

use reqwest::Method;
use serde_json::{Value, json};

use super::aws::Aws;
use super::cli;
use super::stack::Stack;

/// What one call of the bus takes.
const AT_ONCE: usize = 10;

/// Puts one event on the stack's bus with the AWS CLI.
pub(crate) async fn put(stack: &'static Stack, detail_type: &str, detail: &Value) {
    put_all(stack, detail_type, &[detail.to_string()]).await;
}

/// The same with many, each the very text of a detail.
pub(crate) async fn put_all(stack: &'static Stack, detail_type: &str, details: &[String]) {
    for details in details.chunks(AT_ONCE) {
        let entry = |detail: &String| {
            json!({
                "EventBusName": stack.event_bus,
                "Source": "tests.postrider",
                "DetailType": detail_type,
                "Detail": detail,
            })
        };
        let entries = json!(details.iter().map(entry).collect::<Vec<_>>()).to_string();
        let put = move || cli::aws(stack, &["events", "put-events", "--entries", &entries]);
        let answer = tokio::task::spawn_blocking(put).await.expect("the CLI should end");
        assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
    }
}

/// A rule with a queue of its own.
#[derive(Debug)]
pub(crate) struct Ear {
    bus: String,
    name: String,
    pub(crate) queue: String,
}

impl Aws {
    /// Hears what the pattern lets through, from now on.
    pub(crate) async fn listen(&self, name: &str, pattern: &Value) -> Ear {
        let made = self.sqs.create_queue().queue_name(name).send().await.expect("a queue should be made");
        let queue = made.queue_url.expect("a queue has a URL");
        let target = json!([{"Id": "ear", "Arn": self.queue_arn(&queue).await}]);
        let bus = self.stack.event_bus.clone();
        let rule = json!({"Name": name, "EventBusName": bus, "EventPattern": pattern.to_string()});
        self.call_events("PutRule", &rule).await;
        self.call_events("PutTargets", &json!({"Rule": name, "EventBusName": bus, "Targets": target})).await;
        Ear { bus, name: name.to_owned(), queue }
    }

    /// Takes rule and queue away again.
    pub(crate) async fn stop_listening(&self, ear: Ear) {
        let rule = json!({"Rule": ear.name, "EventBusName": ear.bus, "Ids": ["ear"]});
        self.call_events("RemoveTargets", &rule).await;
        self.call_events("DeleteRule", &json!({"Name": ear.name, "EventBusName": ear.bus})).await;
        self.sqs.delete_queue().queue_url(ear.queue).send().await.expect("the queue should be deleted");
    }

    async fn call_events(&self, operation: &str, body: &Value) {
        let target = format!("AWSEvents.{operation}");
        self.functions.signed.call("events", (Method::POST, "/"), &target, body).await;
    }
}
