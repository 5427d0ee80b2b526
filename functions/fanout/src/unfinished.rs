//! Events of whose fan-out something is left, one by one until it is done. What failed waits and is tried again: what fails for one
//! tenant, such as a partition that is throttled, holds up no other, and not the stream. What was too much for a turn goes on at
//! once, from a queue of its own, a turn at a time.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use futures::future::join_all;
use jiff::Timestamp;
use postrider_api::trigger;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::set_aside::SetAsideQueue;
use postrider_host::env::BadSetting;
use postrider_host::metrics::{self, Metric};
use postrider_host::{clock, deadline};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::handler::{Fanout, TO_LEAVE};
use crate::record;
use crate::redrive::{self, Redrive};
use crate::stretch::Stretch;
use crate::turn::Turn;

/// How long one waits after its first failure, in seconds; twice as long after each one more.
pub const FIRST_WAIT: u64 = 5;
/// How long one waits at the most, in seconds.
pub const LONGEST_WAIT: u64 = 300;

/// Takes up what was left.
pub(crate) struct Unfinished {
    queue: SetAsideQueue,
    continuation: SetAsideQueue,
    quarantine: SetAsideQueue,
}

impl Unfinished {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            queue: SetAsideQueue::unfinished(sdk)?,
            continuation: SetAsideQueue::continuation(sdk)?,
            quarantine: SetAsideQueue::quarantine(sdk)?,
        })
    }

    /// Tries each; those that are to come again.
    pub(crate) async fn handle(&self, batch: &[Box<RawValue>], fanout: &Fanout, redrive: &Redrive) -> SqsBatchResponse {
        let tries = batch.iter().map(|record| async move {
            match trigger::message(record) {
                Ok(message) => self.take_up(message, fanout, redrive).await,
                Err(id) => Some(Failed { id, age_s: None }),
            }
        });
        let failed: Vec<Failed> = join_all(tries).await.into_iter().flatten().collect();
        // CloudWatch's own age of a queue leaves out what has been received three times.
        if let Some(age_s) = failed.iter().filter_map(|failed| failed.age_s).max_by(f64::total_cmp) {
            metrics::emit(Metric::UnfinishedAge, &[], &[age_s]);
        }
        trigger::handing_back(failed.into_iter().map(|failed| failed.id))
    }

    /// The message, if it is to come again.
    async fn take_up(&self, message: SqsMessage, fanout: &Fanout, redrive: &Redrive) -> Option<Failed> {
        let note: Value = serde_json::from_str(message.body.as_deref().unwrap_or_default()).unwrap_or_default();
        let goes_on = message.event_source_arn.as_deref().is_some_and(|arn| self.continuation.has_arn(arn));
        if let Some(age_s) = seconds_on_its_way(&note, clock::now()).filter(|_| goes_on) {
            tracing::info!(keys = %note["keys"], after = note["after"].as_str(), age_s, "fanout.goes_on");
            metrics::emit(Metric::ContinuationAge, &[], &[age_s]);
        }
        let turn = if goes_on { Turn::going_on() } else { Turn::of_stream() };
        let result = match deadline::but_for(TO_LEAVE, redrive.fan_out(fanout, &note, turn)).await {
            // What failed of it waits elsewhere, so that the rest goes on.
            Ok(Ok(left)) if goes_on => redrive::leave(fanout, &note, left).await,
            Ok(Ok(left)) => redrive::settle(fanout, &note, left).await,
            Ok(Err(no_event)) => {
                tracing::error!(reason = no_event.logged(), keys = %note["keys"], "fanout.quarantined");
                let note =
                    Stretch::of(&note).named_in(record::again(&note, &no_event.reason())).amiss(no_event.faults());
                self.quarantine.put(&note).await
            }
            Err(error) => Err(error),
        };
        let error = result.err()?;
        let queue = if goes_on { &self.continuation } else { &self.queue };
        let age_s = seconds_since_it_was_sent(&message, clock::now());
        let receives = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let wait = wait_after(receives.unwrap_or(1));
        tracing::warn!(error = %error, keys = %note["keys"], wait_s = wait.as_secs(), "fanout.still_unfinished");
        if let Err(error) = queue.put_off(message.receipt_handle.as_deref().unwrap_or_default(), wait).await {
            tracing::warn!(error = %error, "fanout.not_put_off");
        }
        Some(Failed { id: message.message_id.unwrap_or_default(), age_s })
    }
}

/// A message that is to come again.
struct Failed {
    id: String,
    age_s: Option<f64>,
}

/// How long a message has been in its queue, by SQS's clock and ours.
fn seconds_since_it_was_sent(message: &SqsMessage, now: Timestamp) -> Option<f64> {
    let sent = message.attributes.get("SentTimestamp")?.parse().ok()?;
    let sent = Timestamp::from_millisecond(sent).ok()?;
    Some(now.duration_since(sent).as_secs_f64().max(0.0))
}

/// For how long a note's fan-out has gone on: its messages are new ones each turn, and none of them old.
fn seconds_on_its_way(note: &Value, now: Timestamp) -> Option<f64> {
    record::since(note).map(|since| now.duration_since(since).as_secs_f64().max(0.0))
}

/// How long one waits that has come so often.
fn wait_after(receives: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << receives.clamp(1, 16).saturating_sub(1));
    Duration::from_secs(doubled.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_with;

    use postrider_domain::event::Event;
    use replay::{Said, Script};
    use serde_json::json;

    use super::*;
    use crate::handler::tests::{event, fanout, script, sent, subscriptions, taking, tenant};
    use crate::redrive::tests::redrive;
    use crate::turn::ROWS_GOING_ON;
    use crate::world::{World, webhook};

    /// A message about an event that was left before, received so often.
    fn message(id: &str, event: &Event, receives: u32) -> Box<RawValue> {
        message_from("unfinished", id, &note_of(event), receives)
    }

    fn note_of(event: &Event) -> Value {
        json!({"source": record::SOURCE, "to_do": "fan out", "keys": {"tenant_id": event.tenant_id, "id": event.id}})
    }

    /// A message of a queue's.
    fn message_from(queue: &str, id: &str, note: &Value, receives: u32) -> Box<RawValue> {
        raw(&json!({
            "messageId": id,
            "receiptHandle": format!("receipt of {id}"),
            "body": note.to_string(),
            "attributes": {"ApproximateReceiveCount": receives.to_string()},
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:{queue}"),
        }))
    }

    fn raw(record: &Value) -> Box<RawValue> {
        RawValue::from_string(record.to_string()).unwrap()
    }

    /// The messages that are to come again.
    async fn handed_back(script: &Script, batch: &[Box<RawValue>]) -> Vec<String> {
        let sdk = script.sdk(postrider_aws::sdk::over);
        let queues = ["unfinished", "continuation", "quarantine"].map(|url| SetAsideQueue::at(&sdk, url));
        let [queue, continuation, quarantine] = queues;
        let unfinished = Unfinished { queue, continuation, quarantine };
        let response = unfinished.handle(batch, &fanout(script), &redrive(script)).await;
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_still_fails_is_put_off_and_comes_again_and_the_others_are_done() {
        let unread =
            Script::default().saying_about("Query", subscriptions(&tenant(2), "*"), repeat_with(Said::throttled));
        let script = taking(unread.saying("Query", repeat_with(|| Said::rows::<Value>(&[]))))
            .holding("events", [json!(event(1)), json!(event(2))])
            .saying("ChangeMessageVisibility", repeat_with(Said::done));
        let batch =
            [message("1", &event(1), 1), message("2", &event(2), 3), raw(&json!({"messageId": "3", "body": 7}))];
        assert_eq!(handed_back(&script, &batch).await, ["2", "3"]);
        let put_off = script.asked("ChangeMessageVisibility").remove(0);
        assert_eq!((&put_off["ReceiptHandle"], &put_off["VisibilityTimeout"]), (&json!("receipt of 2"), &json!(20)));
    }

    #[test]
    fn a_message_is_as_old_as_its_stay_in_the_queue() {
        let aged = |sent: Option<&str>| {
            let attributes: Value = sent.map_or(json!({}), |sent| json!({"SentTimestamp": sent}));
            let message = serde_json::from_value(json!({"attributes": attributes, "messageAttributes": {}})).unwrap();
            seconds_since_it_was_sent(&message, Timestamp::from_second(1_900).unwrap())
        };
        assert_eq!(aged(Some("1000500")), Some(899.5));
        assert_eq!(aged(Some("1901000")), Some(0.0), "SQS's clock is ahead of ours");
        assert_eq!([aged(None), aged(Some("soon"))], [None, None]);
    }

    #[tokio::test]
    async fn what_can_be_done_now_is_done_and_what_is_gone_too() {
        let script = taking(script(&[1])).holding("events", [json!(event(1))]);
        let batch = [message("1", &event(1), 1), message("2", &event(2), 1)];
        assert_eq!(handed_back(&script, &batch).await, [""; 0]);
        assert_eq!(sent(&script, "deliver").len(), 1);
    }

    #[tokio::test]
    async fn what_nothing_will_come_of_goes_to_quarantine() {
        let no_event = json!({"tenant_id": tenant(1), "id": event(1).id, "event": "ping"});
        let script = Script::default().holding("events", [no_event]).saying("SendMessage", [Said::done()]);
        assert_eq!(handed_back(&script, &[message("1", &event(1), 1)]).await, [""; 0]);
        let note = script.asked("SendMessage").remove(0);
        assert_eq!(note["QueueUrl"], "quarantine");
        assert!(note["MessageBody"].as_str().unwrap().contains("`data`"), "{note}");
    }

    #[tokio::test]
    async fn what_goes_on_does_its_part_alone_and_leaves_what_is_too_much_for_its_turn() {
        let count = u64::try_from(ROWS_GOING_ON).unwrap() + 7;
        let world = World::default().subscribed(&tenant(1), "*", 0..count + 3);
        let script = world.aws().holding("events", [json!(event(1))]);
        let mut note = note_of(&event(1));
        (note["after"], note["through"]) = (json!(webhook(2)), json!(webhook(count)));
        assert_eq!(handed_back(&script, &[message_from("continuation", "1", &note, 1)]).await, [""; 0]);
        let left = sent(&script, "continuation").remove(0).0;
        let stands = u64::try_from(ROWS_GOING_ON).unwrap() + 2;
        assert_eq!((&left["after"], &left["through"]), (&json!(webhook(stands)), &json!(webhook(count))));
        assert_eq!((&left["keys"], world.served().len()), (&note["keys"], ROWS_GOING_ON));
        assert_eq!(handed_back(&script, &[message_from("continuation", "2", &left, 1)]).await, [""; 0]);
        assert_eq!(sent(&script, "continuation").len(), 1, "it is done");
        let served = world.served();
        assert_eq!(served.len(), usize::try_from(count - 2).unwrap());
        assert!(!served.contains(webhook(2).as_str()) && !served.contains(webhook(count + 1).as_str()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_where_others_go_on_waits_elsewhere_and_holds_up_nothing() {
        let world = World::default().subscribed(&tenant(1), "*", 0..30);
        let unput = format!(r#""{}""#, webhook(25));
        let failing = Script::default().saying_about("BatchExecuteStatement", unput, repeat_with(Said::lost));
        let script = world
            .behind(failing)
            .holding("events", [json!(event(1))])
            .saying("ChangeMessageVisibility", repeat_with(Said::done));
        assert_eq!(handed_back(&script, &[message_from("continuation", "1", &note_of(&event(1)), 1)]).await, [""; 0]);
        let part = sent(&script, "unfinished").remove(0).0;
        assert_eq!((&part["after"], &part["keys"]["id"]), (&json!(webhook(19)), &json!(event(1).id)));
        // There it is tried as it is until it is done, and leaves nothing more.
        assert_eq!(handed_back(&script, &[message_from("unfinished", "2", &part, 1)]).await, ["2"]);
        assert_eq!((sent(&script, "unfinished").len(), sent(&script, "continuation").len()), (1, 0));
    }

    #[tokio::test]
    async fn an_event_that_is_gone_goes_on_no_more_and_one_that_is_none_keeps_its_place_in_quarantine() {
        let mut note = note_of(&event(1));
        note["after"] = json!(webhook(2));
        let gone = Script::default().holding("events", []);
        assert_eq!(handed_back(&gone, &[message_from("continuation", "1", &note, 1)]).await, [""; 0]);
        let no_event = json!({"tenant_id": tenant(1), "id": event(1).id, "event": "ping"});
        let script = Script::default().holding("events", [no_event]).saying("SendMessage", [Said::done()]);
        assert_eq!(handed_back(&script, &[message_from("continuation", "1", &note, 1)]).await, [""; 0]);
        let note = script.asked("SendMessage").remove(0);
        assert!(
            note["MessageBody"].as_str().unwrap().contains(webhook(2).as_str()),
            "a redrive goes on from there: {note}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_in_which_nothing_gets_on_is_put_off_and_counted() {
        // Page after page of which no row can be read, each just fast enough.
        let key = replay::item(&json!({"pk": subscriptions(&tenant(1), "*"), "sk": webhook(9)}));
        let nobody = move || Said::body(json!({"Items": [], "LastEvaluatedKey": key})).after(4);
        let script = Script::default()
            .holding("config", [])
            .holding("events", [json!(event(1))])
            .saying_about("Query", subscriptions(&tenant(1), "*"), repeat_with(nobody))
            .saying("Query", repeat_with(|| Said::rows::<Value>(&[])))
            .saying("ChangeMessageVisibility", repeat_with(Said::done));
        let mut note = note_of(&event(1));
        note["after"] = json!(webhook(2));
        assert_eq!(handed_back(&script, &[message_from("continuation", "1", &note, 4)]).await, ["1"]);
        assert_eq!(script.asked("ChangeMessageVisibility")[0]["VisibilityTimeout"], 40);
    }

    #[tokio::test]
    async fn how_long_a_fan_out_has_gone_on_is_known_through_all_its_turns() {
        let count = u64::try_from(ROWS_GOING_ON).unwrap() + 1;
        let world = World::default().subscribed(&tenant(1), "*", 0..count);
        let script = world.aws().holding("events", [json!(event(1))]);
        let mut note = note_of(&event(1));
        note["since"] = json!("2026-01-10T00:00:00.000Z");
        assert_eq!(handed_back(&script, &[message_from("continuation", "1", &note, 1)]).await, [""; 0]);
        let left = sent(&script, "continuation").remove(0).0;
        assert_eq!(left["since"], note["since"]);
        let now = "2026-01-10T02:30:00Z".parse().unwrap();
        assert_eq!(seconds_on_its_way(&left, now), Some(9_000.0));
        assert_eq!(seconds_on_its_way(&note_of(&event(1)), now), None, "it has not gone on yet");
    }

    #[test]
    fn waits_grow_to_five_minutes() {
        let waits: Vec<u64> = [0, 1, 2, 3, 6, 7, 8, 300, u32::MAX].map(|n| wait_after(n).as_secs()).into();
        assert_eq!(waits, [5, 5, 10, 20, 160, 300, 300, 300, 300]);
    }
}
