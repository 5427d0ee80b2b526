//! The deployed functions: their settings, their event sources, and their processes on this machine.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::api::text;
use super::processes;
use super::signed::Signed;
use super::stack::Stack;

/// The stack's functions.
#[derive(Debug)]
pub(crate) struct Functions {
    stack: &'static Stack,
    pub(super) signed: Signed,
}

impl Functions {
    pub(crate) fn of(stack: &'static Stack) -> Self {
        Self { stack, signed: Signed::of(stack) }
    }

    /// Runs a function once, as its timer or an operator would, and returns its answer.
    pub(crate) async fn invoke(&self, function: &str, input: &Value) -> Value {
        let path = format!("/2015-03-31/functions/{}/invocations", self.name(function));
        self.signed.call("lambda", (Method::POST, &path), "", input).await
    }

    /// Sweeps once.
    pub(crate) async fn sweep(&self) -> Value {
        let summary = self.invoke("sweep", &json!({})).await;
        assert!(summary["recoveries"].is_u64(), "the sweep failed: {summary}");
        summary
    }

    /// A function's environment variables as they are deployed.
    pub(crate) async fn environment(&self, function: &str) -> Map<String, Value> {
        let path = format!("/2015-03-31/functions/{}/configuration", self.name(function));
        let answer = self.signed.call("lambda", (Method::GET, &path), "", &Value::Null).await;
        answer["Environment"]["Variables"].as_object().expect("a function of ours has an environment").clone()
    }

    /// Gives a function another environment; its processes are replaced.
    pub(crate) async fn set_environment(&self, function: &str, variables: Map<String, Value>) {
        let path = format!("/2015-03-31/functions/{}/configuration", self.name(function));
        let body = json!({"Environment": {"Variables": variables}});
        self.signed.call("lambda", (Method::PUT, &path), "", &body).await;
    }

    /// The seconds that a function may run.
    pub(crate) async fn timeout(&self, function: &str) -> u64 {
        let path = format!("/2015-03-31/functions/{}/configuration", self.name(function));
        let answer = self.signed.call("lambda", (Method::GET, &path), "", &Value::Null).await;
        answer["Timeout"].as_u64().expect("a function has a time-out")
    }

    /// Gives a function another time-out.
    pub(crate) async fn set_timeout(&self, function: &str, seconds: u64) {
        let path = format!("/2015-03-31/functions/{}/configuration", self.name(function));
        self.signed.call("lambda", (Method::PUT, &path), "", &json!({"Timeout": seconds})).await;
    }

    /// Switches a function's event source on or off; `source` is a part of the source's ARN.
    pub(crate) async fn set_mapping(&self, function: &str, source: &str, enabled: bool) {
        self.change_mapping(function, source, &json!({"Enabled": enabled})).await;
    }

    /// Lets so many of a function's processes read a queue at once; how many it were before.
    pub(crate) async fn set_concurrency(&self, function: &str, source: &str, most: u64) -> u64 {
        let change = json!({"ScalingConfig": {"MaximumConcurrency": most}});
        let before = self.change_mapping(function, source, &change).await;
        before["ScalingConfig"]["MaximumConcurrency"].as_u64().expect("a mapping has a limit")
    }

    /// The mapping as it was before.
    async fn change_mapping(&self, function: &str, source: &str, change: &Value) -> Value {
        let path = "/2015-03-31/event-source-mappings/";
        let answer = self.signed.call("lambda", (Method::GET, path), "", &Value::Null).await;
        let all = answer["EventSourceMappings"].as_array().expect("mappings should be listed").clone();
        let mut found = all.iter().filter(|mapping| {
            text(mapping, "FunctionArn").ends_with(self.name(function))
                && text(mapping, "EventSourceArn").contains(source)
        });
        let mapping = found.next().unwrap_or_else(|| panic!("no mapping of {source} to {function}: {all:?}"));
        assert!(found.next().is_none(), "{source} is mapped to {function} twice");
        let path = format!("{path}{}", text(mapping, "UUID"));
        self.signed.call("lambda", (Method::PUT, &path), "", change).await;
        mapping.clone()
    }

    /// The messages of a function's log; a few may come twice.
    pub(crate) async fn log(&self, function: &str) -> Vec<String> {
        const PAGE: usize = 10_000;
        let group = format!("/aws/lambda/{}", self.name(function));
        let (mut lines, mut since) = (Vec::new(), 0);
        loop {
            // The emulator ends at a page without saying so; the next one begins at the last one's last millisecond.
            let query = json!({"logGroupName": group, "limit": PAGE, "startTime": since});
            let line = (Method::POST, "/");
            let page = self.signed.call("logs", line, "Logs_20140328.FilterLogEvents", &query).await;
            let events = page["events"].as_array().expect("log events should be listed");
            lines.extend(events.iter().map(|event| text(event, "message").to_owned()));
            let last = events.last().and_then(|event| event["timestamp"].as_u64()).unwrap_or_default();
            if events.len() < PAGE {
                return lines;
            }
            since = last.max(since + 1);
        }
    }

    /// A secret's text.
    pub(crate) async fn secret(&self, arn: &str) -> String {
        let (line, target) = ((Method::POST, "/"), "secretsmanager.GetSecretValue");
        let answer = self.signed.call("secretsmanager", line, target, &json!({"SecretId": arn})).await;
        text(&answer, "SecretString").to_owned()
    }

    /// Kills every process of a function without a warning; how many there were.
    pub(crate) fn kill_all(&self, function: &str) -> usize {
        let found = self.processes(function);
        for &process in &found {
            self.kill(process);
        }
        found.len()
    }

    /// The living processes of a function: children of this stack's emulator, and nobody else's.
    pub(crate) fn processes(&self, function: &str) -> Vec<u32> {
        processes::children(&self.stack.pids, ("AWS_LAMBDA_FUNCTION_NAME", self.name(function)))
    }

    /// Kills one process of a function; returns the remote port of each connection that it held.
    pub(crate) fn kill(&self, pid: u32) -> Vec<u16> {
        // Stopped first, so that it opens and closes none while they are counted.
        self.stop(pid);
        let held = processes::connections(pid);
        self.signal(pid, "-KILL");
        held
    }

    /// Stops a process of a function where it stands.
    pub(crate) fn stop(&self, pid: u32) {
        self.signal(pid, "-STOP");
    }

    /// Lets a process that was stopped go on.
    pub(crate) fn go_on(&self, pid: u32) {
        self.signal(pid, "-CONT");
    }

    fn signal(&self, pid: u32, signal: &str) {
        assert!(!self.stack.pids.contains(&pid), "the emulator itself must live");
        processes::signal(pid, signal);
    }

    fn name(&self, function: &str) -> &str {
        self.stack.functions.get(function).unwrap_or_else(|| panic!("no function {function} in the stack"))
    }
}
