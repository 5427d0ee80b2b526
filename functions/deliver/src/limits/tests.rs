//! A batch of messages, the rows that were read for it, and an AWS that says what becomes of the claims.

use std::iter::repeat_with;

use jiff::{SignedDuration, Timestamp};
use postrider_aws::batch_reader::BatchReader;
use postrider_aws::queue::Queue;
use postrider_aws::sdk;
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::dialect::STANDARD;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::id::EventId;
use replay::{Caller, Said, Script, item, keyed, sample};
use serde_json::{Value, json};

use super::*;

const DELIVER: &str = "arn:aws:sqs:eu-central-1:1:deliver";
const RETRY: &str = "arn:aws:sqs:eu-central-1:1:retry";

fn limits(script: &Script) -> Limits {
    let sdk = script.sdk(sdk::over);
    let [retry, slow] = ["https://sqs.example/1/retry", "https://sqs.example/1/slow"].map(|url| Queue::at(&sdk, url));
    Limits { config: ConfigTable::of(&sdk, "config"), lanes: Lanes::of(retry, slow), given: Mutex::default() }
}

fn soon(seconds: i64) -> Timestamp {
    clock::now() + SignedDuration::from_secs(seconds)
}

fn slot(seconds: i64) -> Slot {
    Slot { at: soon(seconds), limit: 5.try_into().unwrap() }
}

/// A webhook that takes five a second.
fn limited() -> Endpoint {
    Endpoint { rate_limit: Some(5.try_into().unwrap()), ..sample::endpoint(owner().tenant_id()) }
}

fn owner() -> Caller {
    Caller::of_tenant(1, &STANDARD, &[])
}

/// So many deliveries of a webhook's, in this state, each with its record, and what was read of them and of who is slow.
async fn read(endpoint: &Endpoint, deliveries: u32, status: Status, slow: Option<Value>) -> (Vec<Received>, Snapshot) {
    let (mut script, mut messages) = (Script::default().holding("config", owner().rows()), Vec::new());
    for number in 1..=deliveries {
        let event = postrider_domain::event::Event {
            id: EventId::fresh(u128::from(number)),
            ..sample::event(endpoint.tenant_id.clone())
        };
        let row = Delivery::pending(&event, endpoint.id.clone(), Timestamp::UNIX_EPOCH, 0);
        let row = Delivery { status, ..row };
        messages.push(Message::new(&row, 1));
        script = script.holding("events", [json!(event)]).holding("deliveries", [json!(row)]);
    }
    let webhook = keyed(format!("TENANT#{}", endpoint.tenant_id), format!("WEBHOOK#{}", endpoint.id), endpoint);
    let script = script.holding("config", [webhook]).holding("config", slow).holding("jobs", []);
    let tables = ["config", "events", "deliveries", "jobs"].map(str::to_owned);
    let snapshot = BatchReader::of(&script.sdk(sdk::over), tables).read(&messages).await.unwrap();
    let records = messages.into_iter().enumerate().map(|(n, message)| (record(&n.to_string(), 0), message));
    (records.collect(), snapshot)
}

/// A record of this id that waited for so many seconds in its queue.
fn record(id: &str, lag: i64) -> SqsMessage {
    let attributes = json!({
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "0",
        "ApproximateFirstReceiveTimestamp": (lag * 1_000).to_string(),
    });
    serde_json::from_value(json!({"messageId": id, "attributes": attributes, "messageAttributes": {}})).unwrap()
}

/// The endpoint's row after a claim: slots are given until so many seconds from now.
fn given(until: i64) -> Said {
    let row = json!({"next_free": soon(until).as_microsecond(), "per_second": 5});
    Said::body(json!({"Attributes": item(&row)}))
}

async fn sorted(limits: &Limits, records: Vec<Received>, from: &str, snapshot: &Snapshot) -> Sorted {
    let (restrained, free) = part(records, snapshot);
    assert!(free.is_empty(), "all of them are held back by something");
    limits.sort(restrained, Place { from, snapshot }).await
}

fn delays(sorted: &Sorted) -> Vec<u64> {
    sorted.later.iter().map(|(.., delay)| delay.as_secs()).collect()
}

fn ids(records: &[SqsMessage]) -> Vec<&str> {
    records.iter().filter_map(|record| record.message_id.as_deref()).collect()
}

#[tokio::test]
async fn a_batch_takes_its_slots_with_one_write_and_sends_those_that_are_due() {
    let (records, snapshot) = read(&limited(), 10, Status::Pending, None).await;
    // Ten slots, a fifth of a second apart, the last of them in 1.8 seconds.
    let script = Script::default().saying("UpdateItem", [given(2)]).saying("SendMessageBatch", repeat_with(Said::done));
    let limits = limits(&script);
    let sorted = sorted(&limits, records, DELIVER, &snapshot).await;
    assert_eq!((sorted.now.len(), delays(&sorted)), (2, vec![1, 1, 1, 1, 1, 2, 2, 2]), "in as many queue's seconds");
    assert_eq!(script.asked("UpdateItem")[0]["ExpressionAttributeValues"][":takes"], json!(2_000_000));
    let left = limits.send_back(sorted.later, Place { from: DELIVER, snapshot: &snapshot }).await;
    let asked = script.asked("SendMessageBatch");
    assert_eq!((left.len(), asked.len(), &asked[0]["QueueUrl"]), (0, 1, &json!("https://sqs.example/1/retry")));
    for entry in asked[0]["Entries"].as_array().unwrap() {
        let message: Message = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
        assert_eq!(entry["DelaySeconds"], json!(message.delay_seconds));
        assert_eq!(entry["MessageGroupId"], json!(message.tenant_id));
        assert!(message.slot.is_some_and(|slot| slot.at > clock::now()));
    }
}

#[tokio::test]
async fn who_comes_at_his_slot_is_sent_and_who_comes_before_it_waits_on_and_neither_costs_a_write() {
    let (mut records, snapshot) = read(&limited(), 3, Status::Pending, None).await;
    for ((_, message), seconds) in records.iter_mut().zip([0, -1, 30]) {
        message.slot = Some(slot(seconds));
    }
    let sorted = sorted(&limits(&Script::default()), records, RETRY, &snapshot).await;
    assert_eq!((sorted.now.len(), delays(&sorted)), (2, vec![30]));
}

#[tokio::test]
async fn who_is_late_in_a_queue_that_is_behind_is_to_come_sooner_the_next_time() {
    for (from, delay) in [(RETRY, 16), (DELIVER, 20)] {
        let (mut records, snapshot) = read(&limited(), 1, Status::Pending, None).await;
        records[0] = (record("0", 4), records[0].1.clone().with_slot(Some(slot(-4))));
        let script = Script::default().saying("UpdateItem", [given(20)]);
        // Its slot is a fifth of a second before the row's next one, and it aims for a quarter before that.
        assert_eq!(delays(&sorted(&limits(&script), records, from, &snapshot).await), [delay], "{from}");
    }
}

#[tokio::test]
async fn where_slots_run_too_far_ahead_messages_are_to_be_parked() {
    let (records, snapshot) = read(&limited(), 3, Status::Pending, None).await;
    let there = json!({"next_free": soon(901).as_microsecond(), "per_second": 5});
    let script = Script::default().saying("UpdateItem", [Said::refused(&there)]);
    let sorted = sorted(&limits(&script), records, DELIVER, &snapshot).await;
    assert_eq!((sorted.too_far_ahead.len(), sorted.later.len(), sorted.now.len()), (3, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn where_no_slot_can_be_taken_that_endpoints_messages_are_handed_back() {
    let (records, snapshot) = read(&limited(), 2, Status::Pending, None).await;
    let script = Script::default().saying("UpdateItem", repeat_with(Said::throttled));
    let sorted = sorted(&limits(&script), records, DELIVER, &snapshot).await;
    assert_eq!((sorted.now.len(), sorted.later.len(), ids(&sorted.handed_back)), (0, 0, vec!["0", "1"]));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_back_is_handed_back() {
    let (records, snapshot) = read(&limited(), 3, Status::Pending, None).await;
    let refusal = json!({"Successful": [], "Failed": [{"Id": "1", "Code": "Busy", "SenderFault": false}]});
    let script = Script::default()
        .saying("UpdateItem", [given(60)])
        .saying("SendMessageBatch", repeat_with(move || Said::body(refusal.clone())));
    let limits = limits(&script);
    let later = sorted(&limits, records, DELIVER, &snapshot).await.later;
    assert_eq!(ids(&limits.send_back(later, Place { from: DELIVER, snapshot: &snapshot }).await), ["1"]);
}

#[tokio::test]
async fn what_is_for_a_slow_webhook_waits_in_the_queue_of_those() {
    let endpoint = limited();
    let until = soon(600).as_second();
    let slow = json!({"pk": format!("TENANT#{}", endpoint.tenant_id), "sk": "SLOW", endpoint.id.as_str(): until});
    let (records, snapshot) = read(&endpoint, 1, Status::Pending, Some(slow)).await;
    let script =
        Script::default().saying("UpdateItem", [given(60)]).saying("SendMessageBatch", repeat_with(Said::done));
    let limits = limits(&script);
    let later = sorted(&limits, records, "arn:aws:sqs:eu-central-1:1:slow", &snapshot).await.later;
    limits.send_back(later, Place { from: DELIVER, snapshot: &snapshot }).await;
    assert_eq!(script.asked("SendMessageBatch")[0]["QueueUrl"], json!("https://sqs.example/1/slow"));
}

#[tokio::test]
async fn a_process_that_was_given_slots_knows_where_the_next_ones_begin() {
    let script = Script::default().saying("UpdateItem", [given(60), given(61)]);
    let limits = limits(&script);
    for _ in 0..2 {
        let (records, snapshot) = read(&limited(), 1, Status::Pending, None).await;
        sorted(&limits, records, DELIVER, &snapshot).await;
    }
    let begins: Vec<bool> =
        script.asked("UpdateItem").iter().map(|asked| asked.to_string().contains("next_free + :takes")).collect();
    assert_eq!(begins, [false, true], "a write each");
}

#[tokio::test]
async fn a_paused_webhooks_messages_wait_for_the_end_of_it_and_come_back_one_by_one() {
    let paused = Endpoint { rate_limit: None, paused_until: Some(soon(100)), ..limited() };
    let (records, snapshot) = read(&paused, 40, Status::Pending, None).await;
    let sorted = sorted(&limits(&Script::default()), records, DELIVER, &snapshot).await;
    let mut delays = delays(&sorted);
    assert!(delays.iter().all(|delay| (100..=151).contains(delay)), "{delays:?}");
    delays.sort_unstable();
    delays.dedup();
    assert!(delays.len() > 5, "all at one edge would be the next storm: {delays:?}");
}

#[tokio::test]
async fn a_paused_webhook_with_a_limit_gives_its_slots_from_the_end_of_the_pause_on() {
    let until = soon(100);
    let paused = Endpoint { paused_until: Some(until), ..limited() };
    let (mut records, snapshot) = read(&paused, 2, Status::Pending, None).await;
    // One has a slot within the pause.
    records[0].1.slot = Some(slot(50));
    let script = Script::default().saying("UpdateItem", [given(101)]);
    let sorted = sorted(&limits(&script), records, RETRY, &snapshot).await;
    let earliest = &script.asked("UpdateItem")[0]["ExpressionAttributeValues"][":earliest"];
    let until = until.as_millisecond() * 1_000;
    assert_eq!((earliest, sorted.later.len()), (&json!(until), 2));
}

#[tokio::test]
async fn what_nothing_holds_back_or_leads_to_no_post_goes_its_way_without_a_slot() {
    let plain = Endpoint { rate_limit: None, paused_until: Some(soon(-1)), ..limited() };
    for (endpoint, status) in [(plain, Status::Pending), (limited(), Status::Succeeded)] {
        let (mut records, snapshot) = read(&endpoint, 1, status, None).await;
        records[0].1.slot = Some(slot(0));
        let (restrained, free) = part(records, &snapshot);
        assert_eq!((restrained.len(), free.len()), (0, 1));
        assert_eq!(free[0].1.slot, None, "its limit is gone");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_his_slot_in_a_function_does_so_for_a_quarter_of_a_second_at_the_most() {
    let began = tokio::time::Instant::now();
    wait_for(None).await;
    wait_for(Some(slot(-1))).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    wait_for(Some(slot(60))).await;
    assert_eq!(began.elapsed().as_millis() / 10, 25);
}
