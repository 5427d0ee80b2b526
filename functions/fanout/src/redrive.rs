//! Bringing back what was set aside, once its cause is mended: the row put right, or a newer version deployed.

use std::str::FromStr;
use std::time::Duration;

use lambda_runtime::Error;
use postrider_aws::events_table::EventsTable;
use postrider_aws::queue::Queue;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::set_aside::{Fate, Limits, SetAsideMessage, SetAsideQueue};
use postrider_aws::{Failure, event_row};
use postrider_domain::id::{EventId, TenantId};
use postrider_domain::message::Message;
use postrider_domain::time;
use postrider_host::clock;
use postrider_host::env::{self, BadSetting, Retention};
use serde_dynamo::Item;
use serde_json::{Value, json};

use crate::catalogued::{self, By};
use crate::handler::Fanout;
use crate::record::{self, NoEvent};
use crate::stretch::{Left, Stretch, Work};
use crate::to_do::ToDo;
use crate::turn::Turn;

/// Time kept back at the end, so that whatever was begun is finished.
pub const RESERVE: Duration = Duration::from_secs(15);
/// A turn of an event is bounded by itself.
const EACH: Duration = Duration::MAX;

/// Brings back what lies in quarantine.
pub(crate) struct Redrive {
    quarantine: SetAsideQueue,
    events: EventsTable,
    retry_queue: Queue,
    retention: Retention,
}

impl Redrive {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            quarantine: SetAsideQueue::quarantine(sdk)?,
            events: EventsTable::from_env(sdk)?,
            retry_queue: Queue::retry(sdk)?,
            retention: env::retention()?,
        })
    }

    /// Tries everything in quarantine once. What can be done now is done and leaves it; the rest stays.
    ///
    /// # Errors
    /// When a call failed, after all else had its turn; what was brought back stays so, and running it again is harmless.
    pub(crate) async fn run(&self, fanout: &Fanout) -> Result<Value, Error> {
        let seen = self
            .quarantine
            .see_to_each(Limits { each: EACH, reserve: RESERVE }, async |set_aside| {
                self.bring_back(fanout, set_aside).await
            })
            .await;
        let (redriven, left) = (seen.done, seen.left);
        tracing::info!(redriven, left, "redrive.done");
        match seen.failure {
            Some(error) => Err(error.into()),
            None => Ok(json!({"redriven": redriven, "left": left})),
        }
    }

    async fn bring_back(&self, fanout: &Fanout, set_aside: &SetAsideMessage) -> Result<Fate, Failure> {
        let brought = self.try_to_bring_back(fanout, set_aside).await?;
        Ok(brought.map_or_else(
            |reason| {
                tracing::warn!(message_id = set_aside.id, reason, "redrive.left");
                Fate::Stays
            },
            |()| Fate::Done,
        ))
    }

    /// The outer error is ours; the inner one says why the message must stay.
    async fn try_to_bring_back(
        &self,
        fanout: &Fanout,
        set_aside: &SetAsideMessage,
    ) -> Result<Result<(), String>, Failure> {
        let note: Value = serde_json::from_str(&set_aside.body).unwrap_or_default();
        match note["source"].as_str() {
            Some(record::SOURCE) => match self.fan_out(fanout, &note, Turn::of_stream()).await? {
                Ok(left) => settle(fanout, &note, left).await.map(Ok),
                Err(no_event) => Ok(Err(no_event.logged())),
            },
            Some("dead letters") => match Message::parse(note["body"].as_str().unwrap_or_default()) {
                Ok(message) => self.retry_queue.send(&message, Duration::ZERO).await.map(Ok),
                Err(reason) => Ok(Err(reason)),
            },
            _ => Ok(Err("it is no note of ours; see the runbook".to_owned())),
        }
    }

    /// Fans out the event that a note is about, or the part of its webhooks that the note names; what is left of that. The outer error
    /// is ours; the inner one says why nothing will come of it.
    pub(crate) async fn fan_out(
        &self,
        fanout: &Fanout,
        note: &Value,
        turn: Turn,
    ) -> Result<Result<Left, NoEvent>, Failure> {
        let (Some(tenant), Some(id)) = (key::<TenantId>(note, "tenant_id"), key::<EventId>(note, "id")) else {
            return Ok(Err(NoEvent::NoKeys));
        };
        let item = self.events.get_item(&tenant, &id).await?;
        // The row has stood since then: a redrive weeks later must not find its time odd.
        let written = note["written_at"].as_str().and_then(|text| time::parse("written_at", text).ok());
        // Without a row nothing is left to bring back.
        let Some(row) = item.map(Item::from) else { return Ok(Ok(Left::default())) };
        let was_refused = event_row::refusal(&row).is_some();
        // What was refused is asked for again once it is mended, its row or its type's schema: nothing of it is done.
        let by = if was_refused { By::Today } else { By::ItsTime(written) };
        // What it said is gone, and nothing of it is judged any more: what an earlier run has put of it is announced, and called off.
        let event = match event_row::expunged(&row) {
            Some(event) => Ok(event),
            None => match record::event_of(row, written, self.retention.seconds) {
                Ok(event) => catalogued::judged(&fanout.catalogue, event, by).await?,
                Err(no_event) => Err(no_event),
            },
        };
        match event {
            Ok(event) => {
                let to_do = ToDo::of(note);
                let work = Work::part(&event, Stretch::of(note)).written(written);
                let left = match to_do {
                    ToDo::List => Left::default(),
                    ToDo::FanOut | ToDo::Both => fanout.fan_out(&[work], turn).await.pop().unwrap_or_default(),
                };
                if to_do != ToDo::FanOut
                    && let Some(error) = fanout.list(&[&event]).await.pop().flatten()
                {
                    return Err(error);
                }
                if was_refused && left.failed.is_none() {
                    self.events.note_refusal(&tenant, &id, None).await?;
                }
                Ok(Ok(left))
            }
            Err(no_event) => {
                fanout.note_refusal(&no_event).await;
                Ok(Err(no_event))
            }
        }
    }
}

/// Leaves what a turn has left of a note, so that the note itself is done with.
///
/// # Errors
/// When all that is left is what failed: then the note says it already, and is to come again; or when it could not be left.
pub(crate) async fn settle(fanout: &Fanout, note: &Value, left: Left) -> Result<(), Failure> {
    match left {
        Left { failed: None, rest: None } => Ok(()),
        Left { failed: Some((_, error)), rest: None } => Err(error),
        left => leave(fanout, note, left).await,
    }
}

/// The same where the note is done with in any case.
///
/// # Errors
/// When it could not be left; or when nothing of it was done: then the note says it already, and counts how often it came.
pub(crate) async fn leave(fanout: &Fanout, note: &Value, Left { failed, rest }: Left) -> Result<(), Failure> {
    if rest.as_ref() == Some(&Stretch::of(note)) {
        return Err(Failure::OutOfTime);
    }
    // It has been listed by now.
    let again = |why: &str| ToDo::FanOut.named_in(record::again(note, why));
    let failed = failed.map(|(part, error)| {
        tracing::warn!(error = %error, keys = %note["keys"], "fanout.part_unfinished");
        part.named_in(again(&error.to_string()))
    });
    let rest = rest.map(|part| {
        let since = record::since(note).unwrap_or_else(clock::now);
        part.named_in(record::going_on_since(again(record::GOES_ON), since))
    });
    fanout.leave(failed.as_slice(), rest.as_slice()).await
}

fn key<T: FromStr>(note: &Value, name: &str) -> Option<T> {
    note["keys"][name].as_str()?.parse().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::iter::repeat_with;

    use postrider_domain::catalogue::{About, CataloguedType};
    use postrider_domain::delivery::Delivery;
    use postrider_domain::event::Event;
    use postrider_domain::id::EndpointId;
    use replay::{Said, Script};

    use super::*;
    use crate::handler::tests::{event, fanout, script, sent, taking};

    pub(crate) fn redrive(script: &Script) -> Redrive {
        let sdk = script.sdk(postrider_aws::sdk::over);
        Redrive {
            quarantine: SetAsideQueue::at(&sdk, "quarantine"),
            events: EventsTable::of(&sdk, "events"),
            retry_queue: Queue::at(&sdk, "retry"),
            retention: Retention { seconds: 90 * 86_400 },
        }
    }

    /// The same AWS with these notes in quarantine.
    fn holding(script: Script, notes: &[Value]) -> Script {
        let message = |(n, note): (usize, &Value)| json!({"MessageId": n.to_string(), "ReceiptHandle": format!("receipt of {n}"), "Body": note.to_string()});
        let messages: Vec<Value> = notes.iter().enumerate().map(message).collect();
        script.saying("ReceiveMessage", [json!({"Messages": messages}), json!({})].map(Said::body))
    }

    #[tokio::test]
    async fn what_can_be_brought_back_leaves_quarantine_and_the_rest_stays() {
        let mended = event(1);
        let letter =
            Message::next(&Delivery::pending(&mended, EndpointId::of_jobs(&mended.tenant_id), mended.timestamp, 0));
        let notes = [
            json!({"source": record::SOURCE, "keys": {"tenant_id": mended.tenant_id, "id": mended.id}}),
            json!({"source": "dead letters", "body": json!(letter).to_string()}),
            json!({"source": "dead letters", "body": "canary"}),
            json!({"source": "somebody"}),
        ];
        let script = holding(taking(script(&[1])).holding("events", [json!(mended)]), &notes)
            .saying("SendMessage", [Said::done()])
            .saying("DeleteMessage", repeat_with(Said::done).take(2))
            .saying("ChangeMessageVisibilityBatch", [Said::done()]);
        let answer = redrive(&script).run(&fanout(&script)).await.unwrap();
        assert_eq!(answer, json!({"redriven": 2, "left": 2}));
        assert_eq!((sent(&script, "deliver").len(), &script.asked("SendMessage")[0]["QueueUrl"]), (1, &json!("retry")));
        let released = script.asked("ChangeMessageVisibilityBatch").remove(0);
        assert_eq!(released["Entries"].as_array().unwrap().len(), 2, "so that they show again at once");
    }

    #[tokio::test]
    async fn a_row_that_was_refused_and_is_mended_is_refused_no_more() {
        let mended = event(1);
        let mut row = json!(mended);
        row["refused"] = json!("expected `timestamp` to be another");
        let note = json!({"source": record::SOURCE, "keys": {"tenant_id": mended.tenant_id, "id": mended.id}});
        let script = holding(taking(script(&[1])).holding("events", [row]), &[note])
            .saying("UpdateItem", [Said::done()])
            .saying("DeleteMessage", [Said::done()]);
        redrive(&script).run(&fanout(&script)).await.unwrap();
        assert_eq!(script.asked("UpdateItem")[0]["UpdateExpression"], "REMOVE #refused");
    }

    /// What is asked for of an event's note that says what is still to be done.
    #[tokio::test]
    async fn a_note_is_done_as_far_as_it_says() {
        for (to_do, puts, lists) in [("list", 0, 1), ("fan out", 1, 0), ("", 1, 1)] {
            let note = json!({"source": record::SOURCE, "to_do": to_do,
                "keys": {"tenant_id": event(1).tenant_id, "id": event(1).id}});
            let script = taking(script(&[1])).holding("events", [json!(event(1))]);
            assert!(redrive(&script).fan_out(&fanout(&script), &note, Turn::of_stream()).await.unwrap().is_ok());
            let asked = |operation| script.asked(operation).len();
            assert_eq!((asked("BatchExecuteStatement"), asked("BatchWriteItem")), (puts, lists), "{to_do}");
        }
    }

    #[tokio::test]
    async fn of_an_expunged_event_what_an_earlier_run_put_is_announced_and_nothing_is_made() {
        let mut row = json!(event(1));
        row.as_object_mut().unwrap().remove("data");
        row["expunged_at"] = json!("2026-01-15T12:00:00.000Z");
        let note = json!({"source": record::SOURCE, "keys": {"tenant_id": event(1).tenant_id, "id": event(1).id}});
        let timestamp = time::parse("timestamp", row["timestamp"].as_str().unwrap()).unwrap();
        let before = Event { timestamp, ..event(1) };
        let webhook = EndpointId::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let pending = Delivery::pending(&before, webhook, timestamp, 0);
        for (there, announced) in [(vec![json!(pending)], 1), (Vec::new(), 0)] {
            let script = taking(script(&[1])).holding("events", [row.clone()]).holding("deliveries", there);
            assert!(redrive(&script).fan_out(&fanout(&script), &note, Turn::of_stream()).await.unwrap().is_ok());
            assert_eq!(sent(&script, "deliver").len(), announced);
            assert_eq!(script.asked("BatchExecuteStatement").len(), 0);
        }
    }

    /// What becomes of a row that its time's schema does not take, and today's does, when it is brought back, and when it is tried again.
    #[tokio::test]
    async fn what_was_refused_is_brought_back_once_it_is_mended_and_tried_again_as_it_was() {
        let hours_ago = |hours: i64| clock::now() - jiff::SignedDuration::from_hours(hours);
        let about = |schema: &str| About { schema: Some(schema.to_owned()), ..About::default() };
        let kept = |then: &str, now: &str| {
            let strict = CataloguedType::new("ping".parse().unwrap(), about(then), None, hours_ago(90));
            strict.changed(about(now), hours_ago(1))
        };
        let row = |refused: bool| {
            let mut row = json!(Event { counted: false, ..event(1) });
            if refused {
                row["refused"] = json!("expected `data` to be another");
            }
            row
        };
        for (then, now, refused, hours, done) in [
            ("false", "true", true, 5, true),
            ("false", "false", true, 5, false),
            ("false", "true", false, 5, false),
            // It was taken, and something of it is done: it is judged by its time again, or by nothing.
            ("true", "false", false, 5, true),
            ("true", "false", false, 80, true),
            // What lay there for long is not taken unseen.
            ("false", "false", true, 80, false),
        ] {
            let note = json!({"source": record::SOURCE, "written_at": time::wire(hours_ago(hours)),
                "keys": {"tenant_id": event(1).tenant_id, "id": event(1).id}});
            let mut there = row(refused);
            there["timestamp"] = note["written_at"].clone();
            let script = taking(script(&[1]))
                .holding("events", [there])
                .holding("config", [replay::keyed("EVENT_TYPES", "TYPE#ping", &kept(then, now))])
                .saying("UpdateItem", repeat_with(Said::done));
            let brought = redrive(&script).fan_out(&fanout(&script), &note, Turn::of_stream()).await.unwrap();
            assert_eq!(
                (brought.is_ok(), sent(&script, "deliver").len()),
                (done, usize::from(done)),
                "{then} {now} {refused} {hours}"
            );
        }
    }
}
