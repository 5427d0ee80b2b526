//! The page on AWS: an end of a stack and of all that it leaves behind, played with a small one that leaves as much.

use serde_json::{Value, json};

use super::blocks;
use super::shell::Shell;
use crate::support::World;
use crate::support::cli::{aws, try_aws};

const PAGE: &str = "docs/aws.md";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_on_aws_works_as_printed() {
    let world = World::open();
    let (stack, name) = (world.stack, format!("ended-{}", std::process::id()));
    let neighbour = format!("{name}-staging");
    for name in [&name, &neighbour] {
        let template = template(name).to_string();
        aws(stack, &["cloudformation", "create-stack", "--stack-name", name, "--template-body", &template]);
        aws(stack, &["cloudformation", "wait", "stack-create-complete", "--stack-name", name]);
    }
    // An operator's own, which would keep the bus from being deleted.
    let rule = ["--rule", "my-workers", "--event-bus-name", &name];
    let pattern = r#"{"detail-type": ["Postrider Job Created"]}"#;
    aws(stack, &["events", "put-rule", "--name", "my-workers", "--event-bus-name", &name, "--event-pattern", pattern]);
    let target = "Id=workers,Arn=arn:aws:sqs:us-east-1:000000000000:workers";
    aws(stack, &[&["events", "put-targets", "--targets", target], &rule[..]].concat());

    let shell = Shell::new(stack, "aws").given("STACK_NAME", &name);
    let said = shell.run(&[blocks::before_you_begin()[..1].to_vec(), blocks::run(PAGE)].concat());
    let [_, metrics, ended, left, gone, failed] = &said[..] else { panic!("what does each block say? {said:?}") };
    assert!(metrics.starts_with('['), "{metrics}");
    assert!(ended.contains("\"FailedEntryCount\": 0"), "a rule of the operator's goes: {ended}");
    assert!(gone.contains("DeletionDate"), "the secret goes last: {gone}");
    for what in ["-ConfigTable-", "-SlowQueue-", "secret"] {
        assert!(left.contains(what), "the stack left a {what}: {left}");
    }
    assert!(!left.contains(&neighbour), "another stack, which runs: {left}");
    assert!(failed.starts_with('['), "{failed}");

    let filter = format!("Key=description,Values=Postrider {name}");
    for (call, own) in [
        (&["dynamodb", "list-tables"][..], "-ConfigTable-"),
        (&["sqs", "list-queues", "--queue-name-prefix", &name, "--endpoint-url", &stack.endpoint_url], "-SlowQueue-"),
        (&["events", "list-event-buses", "--name-prefix", &name], "\""),
        (&["secretsmanager", "list-secrets", "--filters", &filter], ", a key"),
    ] {
        let there = try_aws(stack, &[call]).to_string();
        assert!(!there.contains(&format!("{name}{own}")), "the stack's is left: {there}");
        assert!(there.contains(&format!("{neighbour}{own}")), "another stack's is gone: {there}");
    }
    try_aws(stack, &[&["cloudformation", "delete-stack", "--stack-name", &neighbour]]);
}

fn template(name: &str) -> Value {
    let kept =
        |kind: &str, properties: Value| json!({"Type": kind, "DeletionPolicy": "Retain", "Properties": properties});
    let table = json!({"BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": true,
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]});
    json!({"Resources": {
        "ConfigTable": kept("AWS::DynamoDB::Table", table),
        "SlowQueue": kept("AWS::SQS::Queue", json!({})),
        "Key": kept("AWS::SecretsManager::Secret", json!({"Description": format!("Postrider {name}, a key"), "SecretString": "x"})),
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": name}},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {
            "EventBusName": {"Ref": "Bus"}, "EventPattern": {"detail-type": ["Postrider Event"]}}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
            "AlarmName": format!("{name}-quarantine"), "Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent",
            "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Period": 300, "Statistic": "Sum",
            "Threshold": 0}},
    }})
}
