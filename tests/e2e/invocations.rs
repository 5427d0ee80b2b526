//! Functions invoked with what is none of theirs: each answers in its own words, and nothing that is good is lost.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::{Receiver, Reply, SOON, World, canary, until};

const ALL: [&str; 11] = [
    "webhooks",
    "tenants",
    "events",
    "jobs",
    "ledger",
    "catalogue",
    "reference",
    "portal",
    "fanout",
    "deliver",
    "sweep",
];

/// A payload that is nobody's: a list, a number, a text, nothing, and some that nearly are.
fn odd() -> Vec<Value> {
    vec![
        json!([]),
        json!([canary!("payload")]),
        json!([{"Records": []}]),
        json!(7),
        json!(-1.5e300),
        json!(canary!("payload")),
        json!("{\"Records\": []}"),
        json!(true),
        json!({"canary": canary!("payload")}),
        json!({"text": "\"Records\""}),
        json!({"redrive": "yes"}),
        json!({"detail-type": 7, "detail": canary!("payload")}),
        Value::Null,
        json!({}),
    ]
}

/// Whether an answer shows what a function is made of, or what it was handed.
fn assert_own_words(function: &str, payload: &Value, answer: &Value) {
    let said = answer.to_string();
    for part in ["::", "serde", "Deserialize", "EOF", "column", "RawValue", "CANARY", "invalid type"] {
        assert!(!said.contains(part), "{function} {payload}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_answers_what_is_none_of_its_own_in_its_own_words() {
    let world = World::open();
    for function in ALL {
        for payload in odd() {
            let answer = world.aws.functions.invoke(function, &payload).await;
            assert_own_words(function, &payload, &answer);
            // It has pages for people alone.
            if function == "portal" {
                assert!(
                    [400, 404, 405].contains(&answer["statusCode"].as_u64().unwrap_or_default()),
                    "{payload}: {answer}"
                );
                continue;
            }
            // Who asks a sweep for nothing else, or hands over nothing at all, gets one.
            if function == "sweep" && (payload.is_null() || payload == json!({})) {
                assert!(answer["rescued"].is_u64(), "{answer}");
                continue;
            }
            let error = if answer["statusCode"].is_number() {
                serde_json::from_str::<Value>(text(&answer, "body")).expect("JSON")["error"].clone()
            } else {
                answer["error"].clone()
            };
            let code = error["code"].as_str().unwrap_or_else(|| panic!("{function} {payload}: {answer}"));
            assert!(["invalid_request", "not_found", "unauthorized"].contains(&code), "{function} {payload}: {answer}");
        }
        // What might be an event source's is no answer's to settle: it would be taken for done.
        for records in [json!(5), json!("x"), json!({}), json!(true)] {
            let payload = json!({"Records": records, "canary": canary!("payload")});
            let answer = world.aws.functions.invoke(function, &payload).await;
            assert_own_words(function, &payload, &answer);
            if ["fanout", "deliver"].contains(&function) {
                assert_eq!(
                    answer["errorMessage"], "the payload has `Records` that are no list",
                    "{function}: {answer}"
                );
            } else if answer["statusCode"].is_number() {
                assert_eq!(answer["statusCode"].as_u64().map(|status| status / 100), Some(4), "{answer}");
            } else {
                assert_eq!(answer["error"]["code"], "invalid_request", "{function}: {answer}");
            }
        }
    }
    for function in ALL {
        let log = world.aws.functions.log(function).await;
        let shown = log.iter().find(|line| line.contains(canary!("payload")) || line.contains("deserialization"));
        assert_eq!(shown, None, "{function} logged what it was handed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misshapen_message_comes_back_and_the_good_ones_are_sent() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let good = json!({"messageId": "good", "body": world.aws.message(&id, 2).await, "eventSource": "aws:sqs"});
    let batch = json!({"Records": [
        {"messageId": "number", "body": 7},
        5,
        {"messageId": "none"},
        good,
        {"messageId": "attributes", "body": "{}", "messageAttributes": []},
        {"messageId": "text", "body": canary!("message")},
    ]});
    let answer = world.aws.functions.invoke("deliver", &batch).await;
    tenant.settled(&id, "succeeded", 2).await;
    assert_eq!(receiver.requests().len(), 2);
    let failures = answer["batchItemFailures"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let mut named: Vec<_> = failures.iter().map(|failure| text(failure, "itemIdentifier")).collect();
    named.sort_unstable();
    // Without an id SQS brings the whole batch again, of which the good one is stale by then.
    assert_eq!(named, ["", "attributes", "none", "number", "text"], "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misshapen_record_is_set_aside_and_the_good_ones_are_fanned_out() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("dubbing.completed", &json!({})).await;
    receiver.only(SOON).await;
    let shown = tenant.api.get(&format!("/v1/events/{event}")).await.ok(200);
    let record = |id: &str| {
        let texts = json!({
            "tenant_id": {"S": tenant.id}, "id": {"S": id}, "event": {"S": "dubbing.completed"}, "data": {"S": "{}"},
            "timestamp": {"S": shown["timestamp"]}, "expires_at": {"N": "4102444800"},
        });
        json!({
            "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
            "dynamodb": {"ApproximateCreationDateTime": jiff::Timestamp::now().as_second(), "NewImage": texts,
                "Keys": {"tenant_id": {"S": tenant.id}, "id": {"S": id}}, "SequenceNumber": "1", "SizeBytes": 1,
                "StreamViewType": "NEW_IMAGE"},
        })
    };
    let id = format!("{event}-beside");
    let batch = json!({"Records": [7, {"eventID": canary!("record")}, record(&id), "x"]});
    let answer = world.aws.functions.invoke("fanout", &batch).await;
    assert_eq!(answer, Value::Null, "the batch is done");
    let delivery = until("the good record's delivery", SOON, || async {
        let all = tenant.api.get("/v1/webhooks").await.ok(200);
        let webhook = text(&all["webhooks"][0], "id").to_owned();
        let rows = tenant.deliveries(&webhook, "").await;
        rows.into_iter().find(|row| row["event_id"] == json!(id)).ok_or_else(|| "none".to_owned())
    })
    .await;
    assert_eq!(delivery["event"], "dubbing.completed");
    // What the stream left for later comes from a queue, and is told by what each message says of itself.
    let note = json!({"source": "events stream", "keys": {"tenant_id": tenant.id, "id": id}}).to_string();
    let of_queue = |id: &str, body: Value| json!({"messageId": id, "eventSource": "aws:sqs", "body": body});
    let batch =
        json!({"Records": [of_queue("bad", json!(7)), of_queue("good", json!(note)), of_queue("odd", json!([]))]});
    let answer = world.aws.functions.invoke("fanout", &batch).await;
    let failures = ["bad", "odd"].map(|id| json!({"itemIdentifier": id}));
    assert_eq!(answer["batchItemFailures"], json!(failures), "{answer}");
    let quarantine = &world.stack.queues.quarantine;
    // Others look into this queue as well, and whoever looks hides what is there for a second.
    let taken = AtomicU64::new(0);
    until("a note of each, and none with its text", SOON, || async {
        let notes = world.aws.take_all(quarantine, "no record of the events table's stream").await;
        let all = taken.fetch_add(notes, Ordering::Relaxed) + notes;
        if all == 3 { Ok(()) } else { Err(all.to_string()) }
    })
    .await;
}
