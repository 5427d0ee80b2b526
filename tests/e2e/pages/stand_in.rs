//! A small stack whose outputs have the names of Postrider's, with queues, a table and a group of schedules of its own.

use serde_json::{Map, Value, json};

use crate::support::cli::{aws, try_aws};
use crate::support::{World, stack};

const QUEUES: [&str; 9] = [
    "ContinuationQueue",
    "UnfinishedQueue",
    "SlowQueue",
    "RetryQueue",
    "DeadQueue",
    "QuarantineQueue",
    "TriggersQueue",
    "NothingForDeliver",
    "NothingForFanout",
];

/// It is gone once this is dropped, however the test ended.
pub(super) struct Stack {
    pub(super) name: String,
    outputs: Vec<Value>,
    real: &'static stack::Stack,
}

impl Stack {
    pub(super) async fn make(world: &World) -> Self {
        let (real, name) = (world.stack, format!("stand-in-{}", std::process::id()));
        let template = template(&name, real).to_string();
        let mut stack = Self { name, outputs: Vec::new(), real };
        let named = ["--stack-name", &stack.name];
        aws(real, &[&["cloudformation", "create-stack", "--template-body", &template], &named[..]].concat());
        aws(real, &[&["cloudformation", "wait", "stack-create-complete"], &named[..]].concat());
        let described = aws(real, &[&["cloudformation", "describe-stacks"], &named[..]].concat());
        stack.outputs = described["Stacks"][0]["Outputs"].as_array().cloned().unwrap_or_default();
        for (function, source) in [("deliver", "NothingForDeliver"), ("fanout", "NothingForFanout")] {
            world.aws.functions.set_mapping(function, source, false).await;
        }
        stack
    }

    pub(super) fn output(&self, name: &str) -> &str {
        let found = self.outputs.iter().find(|output| output["OutputKey"] == name);
        found.and_then(|output| output["OutputValue"].as_str()).unwrap_or_else(|| panic!("no output {name}"))
    }

    /// Puts a message into the queue of triggers, as EventBridge does that could not deliver it.
    pub(super) fn refuse(&self, detail: &str) {
        let attributes = r#"{"ERROR_CODE": {"DataType": "String", "StringValue": "NO_PERMISSIONS"}}"#;
        let queue = ["--queue-url", self.output("TriggersQueue"), "--endpoint-url", &self.real.endpoint_url];
        let message = ["--message-body", detail, "--message-attributes", attributes];
        aws(self.real, &[&["sqs", "send-message"], &queue[..], &message[..]].concat());
    }

    /// Puts events into the table, by their times and ids.
    pub(super) fn store(&self, tenant: &str, events: &[(&str, &str)]) {
        let text = |text: &str| json!({"S": text});
        let rows = events.iter().map(|(timestamp, id)| {
            json!({"PutRequest": {"Item": {"tenant_id": text(tenant), "id": text(id), "timestamp": text(timestamp)}}})
        });
        let request = json!({self.output("EventsTable"): rows.collect::<Vec<_>>()}).to_string();
        aws(self.real, &["dynamodb", "batch-write-item", "--request-items", &request]);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        try_aws(self.real, &[&["cloudformation", "delete-stack", "--stack-name", &self.name]]);
    }
}

fn template(name: &str, real: &stack::Stack) -> Value {
    let mut resources: Map<String, Value> =
        QUEUES.iter().map(|queue| ((*queue).to_owned(), json!({"Type": "AWS::SQS::Queue"}))).collect();
    let (key, text) = (
        |name, kind| json!({"AttributeName": name, "KeyType": kind}),
        |name| json!({"AttributeName": name, "AttributeType": "S"}),
    );
    let table = json!({"Type": "AWS::DynamoDB::Table", "Properties": {
        "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [text("tenant_id"), text("id")],
        "KeySchema": [key("tenant_id", "HASH"), key("id", "RANGE")]}});
    resources.insert("EventsTable".to_owned(), table);
    let mut outputs: Map<String, Value> =
        resources.keys().map(|name| (name.clone(), json!({"Value": {"Ref": name}}))).collect();
    outputs.insert("EventBus".to_owned(), json!({"Value": real.event_bus}));

    // There is never anything in these queues, so whoever enables their mappings brings nothing about. They are named as Postrider's are.
    for (function, name) in [("deliver", "Deliver"), ("fanout", "Fanout")] {
        let queue = format!("NothingFor{name}");
        let mapping = json!({"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
            "FunctionName": real.functions[function], "EventSourceArn": {"Fn::GetAtt": [queue, "Arn"]}}});
        resources.insert(format!("{name}FromNothing"), mapping);
    }
    let group = json!({"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": name}});
    resources.insert("Schedules".to_owned(), group);
    let target = json!({"Arn": {"Fn::GetAtt": ["RetryQueue", "Arn"]}, "RoleArn": "arn:aws:iam::000000000000:role/any"});
    let schedule = json!({"Type": "AWS::Scheduler::Schedule", "Properties": {
        "GroupName": {"Ref": "Schedules"}, "ScheduleExpression": "at(2099-01-01T00:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}});
    resources.insert("Retry".to_owned(), schedule);
    json!({"Resources": resources, "Outputs": outputs})
}
