//! A small stack whose outputs have the names of Postrider's, with queues, a table and a group of schedules of its own.

use serde_json::{Map, Value, json};

use crate::support::cli::{aws, try_aws};
use crate::support::{World, stack};

const QUEUES: [&str; 7] = [
    "ContinuationQueue",
    "UnfinishedQueue",
    "SlowQueue",
    "RetryQueue",
    "DeadQueue",
    "QuarantineQueue",
    "TriggersQueue",
];

/// It is gone once this is dropped, however the test ended.
pub(super) struct Stack {
    pub(super) name: String,
    outputs: Vec<Value>,
    real: &'static stack::Stack,
}

impl Stack {
    pub(super) fn make(world: &World) -> Self {
        let (real, name) = (world.stack, "stand-in".to_owned());
        let mut resources: Map<String, Value> =
            QUEUES.iter().map(|queue| ((*queue).to_owned(), json!({"Type": "AWS::SQS::Queue"}))).collect();
        let key = |name, kind| json!({"AttributeName": name, "KeyType": kind});
        let text = |name| json!({"AttributeName": name, "AttributeType": "S"});
        let table = json!({"Type": "AWS::DynamoDB::Table", "Properties": {
            "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [text("tenant_id"), text("id")],
            "KeySchema": [key("tenant_id", "HASH"), key("id", "RANGE")]}});
        resources.insert("EventsTable".to_owned(), table);
        let mut outputs: Map<String, Value> =
            resources.keys().map(|name| (name.clone(), json!({"Value": {"Ref": name}}))).collect();
        outputs.insert("EventBus".to_owned(), json!({"Value": real.event_bus}));
        let template = json!({"Resources": resources, "Outputs": outputs}).to_string();
        let mut stack = Self { name, outputs: Vec::new(), real };
        stack.remove();
        let named = ["--stack-name", &stack.name];
        aws(real, &[&["cloudformation", "create-stack", "--template-body", &template], &named[..]].concat());
        aws(real, &[&["cloudformation", "wait", "stack-create-complete"], &named[..]].concat());
        aws(real, &["scheduler", "create-schedule-group", "--name", &stack.name]);
        let described = aws(real, &[&["cloudformation", "describe-stacks"], &named[..]].concat());
        stack.outputs = described["Stacks"][0]["Outputs"].as_array().cloned().unwrap_or_default();
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

    pub(super) fn store_event(&self, timestamp: &str, tenant: &str, id: &str) {
        let item = json!({"tenant_id": {"S": tenant}, "id": {"S": id}, "timestamp": {"S": timestamp}}).to_string();
        aws(self.real, &["dynamodb", "put-item", "--table-name", self.output("EventsTable"), "--item", &item]);
    }

    /// A schedule of a time to come, as a retry has one.
    pub(super) fn schedule(&self) {
        let target =
            r#"{"Arn": "arn:aws:sqs:us-east-1:000000000000:q", "RoleArn": "arn:aws:iam::000000000000:role/r"}"#;
        let when = ["--schedule-expression", "at(2099-01-01T00:00:00)", "--flexible-time-window", "Mode=OFF"];
        let named = ["scheduler", "create-schedule", "--group-name", &self.name, "--name", "retry", "--target", target];
        aws(self.real, &[&named[..], &when[..]].concat());
    }

    fn remove(&self) {
        let named = ["--group-name", &self.name];
        try_aws(self.real, &[&["scheduler", "delete-schedule", "--name", "retry"], &named[..]]);
        try_aws(self.real, &[&["scheduler", "delete-schedule-group", "--name", &self.name]]);
        try_aws(self.real, &[&["cloudformation", "delete-stack", "--stack-name", &self.name]]);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.remove();
    }
}

/// A disabled mapping of one of our functions, from a queue of its own in which there is nothing: whoever enables it brings nothing
/// about. Both are gone once this is dropped.
pub(super) struct Mapping {
    uuid: String,
    queue: String,
    stack: &'static stack::Stack,
}

impl Mapping {
    pub(super) fn disabled(world: &World, function: &str) -> Self {
        let stack = world.stack;
        let name = format!("nothing-for-{function}");
        let endpoint = ["--endpoint-url", stack.endpoint_url.as_str()];
        let made = aws(stack, &[&["sqs", "create-queue", "--queue-name", &name], &endpoint[..]].concat());
        let queue = made["QueueUrl"].as_str().expect("a queue has a URL").to_owned();
        let arn = format!("arn:aws:sqs:{}:000000000000:{name}", stack.region);
        let from = ["--event-source-arn", &arn, "--no-enabled", "--function-name", &stack.functions[function]];
        let mapping = aws(stack, &[&["lambda", "create-event-source-mapping"], &from[..]].concat());
        Self { uuid: mapping["UUID"].as_str().expect("a mapping has an id").to_owned(), queue, stack }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        try_aws(self.stack, &[&["lambda", "delete-event-source-mapping", "--uuid", &self.uuid]]);
        let endpoint = ["--endpoint-url", self.stack.endpoint_url.as_str()];
        try_aws(self.stack, &[&["sqs", "delete-queue", "--queue-url", &self.queue], &endpoint]);
    }
}
