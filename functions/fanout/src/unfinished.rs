//! Events whose fan-out failed, one by one until it is done: what fails for one tenant, such as a partition that is throttled,
//! holds up no other, and not the stream.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use futures::future::join_all;
use postrider_api::trigger;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::set_aside::SetAsideQueue;
use postrider_domain::note::Note;
use postrider_host::deadline;
use postrider_host::env::BadSetting;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::handler::{Fanout, TO_LEAVE};
use crate::record;
use crate::redrive::Redrive;

/// How long one waits after its first failure, in seconds; twice as long after each one more.
pub const FIRST_WAIT: u64 = 5;
/// How long one waits at the most, in seconds.
pub const LONGEST_WAIT: u64 = 300;

/// Takes up what was left.
pub(crate) struct Unfinished {
    queue: SetAsideQueue,
    quarantine: SetAsideQueue,
}

impl Unfinished {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { queue: SetAsideQueue::unfinished(sdk)?, quarantine: SetAsideQueue::quarantine(sdk)? })
    }

    /// Tries each; those that are to come again.
    pub(crate) async fn handle(&self, batch: &[Box<RawValue>], fanout: &Fanout, redrive: &Redrive) -> SqsBatchResponse {
        let tries = batch.iter().map(|record| async move {
            match trigger::message(record) {
                Ok(message) => self.take_up(message, fanout, redrive).await,
                Err(id) => Some(id),
            }
        });
        trigger::handing_back(join_all(tries).await.into_iter().flatten())
    }

    /// The message's id, if it is to come again.
    async fn take_up(&self, message: SqsMessage, fanout: &Fanout, redrive: &Redrive) -> Option<String> {
        let note: Value = serde_json::from_str(message.body.as_deref().unwrap_or_default()).unwrap_or_default();
        let result = match deadline::but_for(TO_LEAVE, redrive.fan_out(fanout, &note)).await {
            Ok(Ok(())) => return None,
            Ok(Err(reason)) => {
                tracing::error!(reason, keys = %note["keys"], "fanout.quarantined");
                self.quarantine.put(&set_aside(&note, &reason)).await
            }
            Err(error) => Err(error),
        };
        let error = result.err()?;
        let receives = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let wait = wait_after(receives.unwrap_or(1));
        tracing::warn!(error = %error, keys = %note["keys"], wait_s = wait.as_secs(), "fanout.still_unfinished");
        if let Err(error) = self.queue.put_off(message.receipt_handle.as_deref().unwrap_or_default(), wait).await {
            tracing::warn!(error = %error, "fanout.not_put_off");
        }
        Some(message.message_id.unwrap_or_default())
    }
}

/// The note as it lies in quarantine, where it can be redriven.
fn set_aside(note: &Value, reason: &str) -> Note {
    Note::new(record::SOURCE)
        .with("keys", note["keys"].clone())
        .with("sequence_number", note["sequence_number"].clone())
        .with("written_at", note["written_at"].clone())
        .because(reason)
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

    /// A message about an event that was left before, received so often.
    fn message(id: &str, event: &Event, receives: u32) -> Box<RawValue> {
        let note = json!({"source": record::SOURCE, "keys": {"tenant_id": event.tenant_id, "id": event.id}});
        raw(&json!({
            "messageId": id,
            "receiptHandle": format!("receipt of {id}"),
            "body": note.to_string(),
            "attributes": {"ApproximateReceiveCount": receives.to_string()},
            "eventSource": "aws:sqs",
        }))
    }

    fn raw(record: &Value) -> Box<RawValue> {
        RawValue::from_string(record.to_string()).unwrap()
    }

    /// The messages that are to come again.
    async fn handed_back(script: &Script, batch: &[Box<RawValue>]) -> Vec<String> {
        let sdk = script.sdk(postrider_aws::sdk::over);
        let [queue, quarantine] = ["unfinished", "quarantine"].map(|url| SetAsideQueue::at(&sdk, url));
        let unfinished = Unfinished { queue, quarantine };
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

    #[test]
    fn waits_grow_to_five_minutes() {
        let waits: Vec<u64> = [0, 1, 2, 3, 6, 7, 8, 300, u32::MAX].map(|n| wait_after(n).as_secs()).into();
        assert_eq!(waits, [5, 5, 10, 20, 160, 300, 300, 300, 300]);
    }
}
