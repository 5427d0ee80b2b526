//! The timer that starts a sweep every few minutes, switched off while a test wants no sweep but its own.

use std::thread;

use reqwest::Method;
use serde_json::{Value, json};

use super::aws::Aws;
use super::signed::Signed;
use super::stack::{Stack, say};

/// The timer, switched off. It is on again once this is dropped, however the test ended.
#[derive(Debug)]
pub(crate) struct Stilled {
    stack: &'static Stack,
    rules: Vec<String>,
}

impl Aws {
    /// Switches the timer off, and ends a sweep that it may just have begun.
    pub(crate) async fn still_timer(&self) -> Stilled {
        let listed = call(&self.functions.signed, "ListRules", &json!({})).await;
        let all = listed["Rules"].as_array().expect("rules should be listed").iter();
        let timers = all.filter(|rule| rule["ScheduleExpression"].is_string());
        let name = |rule: &Value| rule["Name"].as_str().expect("a rule has a name").to_owned();
        let rules: Vec<String> = timers.map(name).collect();
        assert!(!rules.is_empty(), "the stack has a timer: {listed}");
        for rule in &rules {
            call(&self.functions.signed, "DisableRule", &json!({"Name": rule})).await;
        }
        self.functions.kill_all("sweep");
        Stilled { stack: self.stack, rules }
    }
}

impl Drop for Stilled {
    fn drop(&mut self) {
        let (stack, rules) = (self.stack, std::mem::take(&mut self.rules));
        // On a thread and a runtime of its own: the test's may be coming to its end, and what fails here must not panic in there.
        let put_back = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime should start").block_on(async {
                let signed = Signed::of(stack);
                for rule in rules {
                    call(&signed, "EnableRule", &json!({"Name": rule})).await;
                }
            });
        });
        if put_back.join().is_err() {
            say("the stack's timer is still switched off; the next test that wants it still puts it back");
        }
    }
}

async fn call(signed: &Signed, operation: &str, body: &Value) -> Value {
    signed.call("events", (Method::POST, "/"), &format!("AWSEvents.{operation}"), body).await
}
