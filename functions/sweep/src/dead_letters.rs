//! The dead-letter queue's consumer: what SQS or Scheduler gave up on becomes a recorded internal failure, which costs the
//! endpoint no attempt, and the delivery goes on by its retry schedule. What nobody can read goes to quarantine. What AWS refuses
//! us now stays where it is, for fourteen days: how often it was received says nothing, since a letter brings its count
//! along from the queue that gave it up.
//!
//! Where a row of the delivery's is missing, its attempt would fail again, and so would its letter: the delivery waits in the
//! index of what is due instead, where every sweep looks after it. Of a tenant that is being deleted, or was, it is called off.

use std::time::Duration;

use jiff::Timestamp;
use postrider_aws::batch_reader::BatchReader;
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::notices::Notices;
use postrider_aws::retries::Retries;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::set_aside::{Fate, Limits, SetAsideMessage, SetAsideQueue};
use postrider_aws::{Failure, Recorded, rows};
use postrider_domain::attempt::{Attempt, Outcome};
use postrider_domain::delivery::{Delivery, Gate, Reason, Status, Transition};
use postrider_domain::message::Message;
use postrider_domain::note::Note;
use postrider_domain::snapshot::{Snapshot, Verdict};
use postrider_domain::ticket::Ticket;
use postrider_host::env::BadSetting;
use postrider_host::metrics::{self, Metric};
use postrider_host::{clock, entropy};

use crate::done::Swept;

const UNREADABLE: &str = "a row of it cannot be read";
/// What a letter takes at the most, a read and a write or three; ten are seen to at once.
const EACH: Duration = Duration::from_secs(5);
/// What ten letters take at the most, with those before and after them put where they belong. With less left, none is begun.
pub const RESERVE: Duration = Duration::from_secs(8);

/// Records dead letters.
pub(crate) struct DeadLetters {
    queue: SetAsideQueue,
    reader: BatchReader,
    deliveries: DeliveriesTable,
    notices: Notices,
    retries: Retries,
    quarantine: SetAsideQueue,
}

impl DeadLetters {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            queue: SetAsideQueue::dead(sdk)?,
            reader: BatchReader::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            notices: Notices::from_env(sdk)?,
            retries: Retries::from_env(sdk)?,
            quarantine: SetAsideQueue::quarantine(sdk)?,
        })
    }

    /// Sees to every letter once, as far as the time goes; how many left the queue.
    pub(crate) async fn record(&self) -> Swept<usize> {
        let seen = self
            .queue
            .see_to_each(Limits { each: EACH, reserve: RESERVE }, async |letter| {
                self.see_to(letter).await.map(|()| Fate::Done)
            })
            .await;
        Swept { done: seen.done, failure: seen.failure }
    }

    /// Recording a letter twice is ruled out by the row's counter.
    async fn see_to(&self, letter: &SetAsideMessage) -> Result<(), Failure> {
        if Ticket::parse(&letter.body).is_some() {
            // The sweep itself sends another for its step.
            return Ok(());
        }
        let message = match Message::parse(&letter.body) {
            Ok(message) => message,
            Err(reason) => return self.set_aside(letter, &reason).await,
        };
        let snapshot = self.reader.read(std::slice::from_ref(&message)).await?;
        match snapshot.delivery(&message) {
            Some(row) => self.go_on(row, &message, &snapshot, letter).await,
            None if snapshot.is_broken_for(&message) => self.set_aside(letter, UNREADABLE).await,
            // A row that is gone has nothing to record.
            None => Ok(()),
        }
    }

    async fn go_on(
        &self,
        row: &Delivery,
        message: &Message,
        snapshot: &Snapshot,
        letter: &SetAsideMessage,
    ) -> Result<(), Failure> {
        let now = clock::now();
        match row.gate(message.attempt, message.round, now) {
            Gate::Stale => Ok(()),
            Gate::Reschedule { attempt, at } => {
                let is_slow = snapshot.is_slow(message, now);
                self.retries.bring_back(&Message::new(row, attempt), is_slow, at, now).await
            }
            Gate::Attempt if snapshot.is_broken_for(message) => {
                self.set_aside(letter, UNREADABLE).await?;
                self.let_wait(row, now).await
            }
            Gate::Attempt if snapshot.verdict(message, row) == Verdict::Missing => {
                rows::missing_for(row);
                self.let_wait(row, now).await
            }
            Gate::Attempt if snapshot.verdict(message, row) == Verdict::Cancel(Reason::TenantDeleted) => {
                // As our failure it would be told of, in rows that nobody takes away any more. Overtaken, it is called off at its next attempt.
                self.deliveries.cancel(row, Reason::TenantDeleted, &entropy::mark()).await.map(drop)
            }
            Gate::Attempt => {
                let policy = snapshot.endpoint_of(row).map(|endpoint| endpoint.retry_policy());
                let policy = policy.unwrap_or_else(|| postrider_domain::dialect::STANDARD.retry.clone());
                let transition = row.after(&policy, &Outcome::Internal, now, entropy::jitter());
                self.record_internal(row, &transition, snapshot.is_slow(message, now), now).await
            }
        }
    }

    /// Has the delivery wait among what is due. One that was never tried, or is parked, gets there by a new round; overtaken, it has gone
    /// on. Left parked, it would be drained again and again, and make a letter each time.
    async fn let_wait(&self, row: &Delivery, now: Timestamp) -> Result<(), Failure> {
        if row.status == Status::Pending || row.is_parked() {
            self.deliveries.begin_round(row, &row.in_new_round(now), &entropy::mark()).await?;
        }
        Ok(())
    }

    async fn set_aside(&self, letter: &SetAsideMessage, reason: &str) -> Result<(), Failure> {
        tracing::error!(reason, "dead_letter.quarantined");
        let note = Note::new("dead letters").because(reason).holding("body", &letter.body);
        self.quarantine.put(&note).await
    }

    async fn record_internal(
        &self,
        row: &Delivery,
        transition: &Transition,
        is_slow: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let why = "Postrider failed to make this attempt; it costs the endpoint none of its own";
        let attempt = Attempt::internal(row.next_attempt(), entropy::mark(), now, why);
        let tell = self.notices.of_record(row, &attempt, transition).await;
        let recorded = self.deliveries.record_and_tell(row, &attempt, transition, &tell).await?;
        if recorded == Recorded::Yes {
            metrics::count(Metric::AcceptedEvents, tell.events());
        }
        tracing::error!(
            delivery_id = row.id.as_str(),
            attempt = attempt.number,
            ?recorded,
            "delivery.failed_internally"
        );
        // Overtaken, the row has gone on: its own next attempt has this one's name, and must not find it taken.
        match transition.next_attempt_at.filter(|_| recorded == Recorded::Yes) {
            Some(at) => self.retries.bring_back(&Message::after_next(row), is_slow, at, now).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::iter::repeat_with;

    use postrider_aws::lanes::Lanes;
    use postrider_aws::queue::Queue;
    use postrider_aws::retries::Schedules;
    use postrider_domain::id::EndpointId;
    use replay::{Said, Script, expression, keyed};
    use serde_json::{Value, json};

    use super::*;
    use crate::sample;

    pub(crate) fn dead_letters(script: &Script) -> DeadLetters {
        let sdk = script.sdk(postrider_aws::sdk::over);
        let [group, role, queue_arn, dead_arn] = ["group", "role", "retry arn", "dead arn"].map(str::to_owned);
        let schedules = Schedules { group, role, queue_arn, dead_arn };
        DeadLetters {
            queue: SetAsideQueue::at(&sdk, "dead"),
            reader: sample::reader(script),
            deliveries: DeliveriesTable::of(&sdk, "deliveries"),
            notices: sample::notices(script),
            retries: Retries::of(&sdk, Lanes::of(Queue::at(&sdk, "retry"), Queue::at(&sdk, "slow")), schedules),
            quarantine: SetAsideQueue::at(&sdk, "quarantine"),
        }
    }

    /// The same AWS with one letter in the dead-letter queue.
    fn holding(script: Script, letter: &str) -> Script {
        let letter = json!({"MessageId": "1", "ReceiptHandle": "receipt", "Body": letter});
        let letters = [json!({"Messages": [letter]}), json!({})].map(Said::body);
        script.saying("ReceiveMessage", letters)
    }

    fn letter(row: &Delivery) -> String {
        serde_json::to_string(&Message::next(row)).unwrap()
    }

    /// What was done with the letter, after it was received and its rows were read.
    fn done(script: &Script) -> Vec<String> {
        let reads = ["ReceiveMessage", "BatchGetItem", "GetItem"];
        script.operations().into_iter().filter(|operation| !reads.contains(&operation.as_str())).collect()
    }

    #[tokio::test]
    async fn what_sqs_gave_up_on_is_recorded_as_our_failure_and_goes_on() {
        let row = sample::pending();
        let script = holding(sample::script(&row), &letter(&row))
            .saying("UpdateItem", [Said::done()])
            .saying("CreateSchedule", [Said::body(json!({"ScheduleArn": "arn"}))])
            .saying("DeleteMessage", [Said::done()]);
        assert_eq!(dead_letters(&script).record().await.done, 1);
        assert_eq!(
            done(&script),
            ["UpdateItem", "CreateSchedule", "DeleteMessage"],
            "the letter goes when all is done"
        );
        let update = script.asked("UpdateItem").remove(0);
        assert_eq!(update["ExpressionAttributeValues"][":attempts"][0]["outcome"], "internal");
        let change = expression(&update, "UpdateExpression");
        assert!(change.starts_with(r#"SET status = "retrying""#) && change.contains("internal = 1"), "{change}");
        let target = script.asked("CreateSchedule")[0]["Target"].clone();
        assert_eq!(target["Arn"], "retry arn");
        let sent: Value = serde_json::from_str(target["Input"].as_str().unwrap()).unwrap();
        assert_eq!((&sent["delivery_id"], &sent["attempt"]), (&json!(row.id), &json!(2)));
    }

    #[tokio::test]
    async fn the_fourth_failure_of_ours_ends_a_round_and_is_told_of() {
        let row = Delivery { attempts_made: 3, internal: 3, status: Status::Retrying, ..sample::pending() };
        let script = holding(sample::script(&row), &letter(&row))
            .saying("UpdateItem", [Said::done()])
            .saying("TransactWriteItems", [Said::done()])
            .saying("DeleteMessage", [Said::done()]);
        assert_eq!(dead_letters(&script).record().await.done, 1);
        assert_eq!(done(&script), ["UpdateItem", "TransactWriteItems", "DeleteMessage"], "claimed, then written");
        let told: Value = script.asked("TransactWriteItems")[0]["TransactItems"][1]["Put"]["Item"].clone();
        assert_eq!(told["event"], "webhook.delivery_failed");
        let data: Value = serde_json::from_str(told["data"].as_str().unwrap()).unwrap();
        assert_eq!((&data["delivery_id"], &data["attempts"]), (&json!(row.id), &json!(4)));
        assert_eq!((&data["reason"], &data["last_outcome"]), (&json!("internal_failures"), &json!("internal")));
    }

    /// Its fourth failure would be told of, and leave what is known of it beside the tombstone.
    #[tokio::test]
    async fn a_letter_of_a_deleted_tenants_is_called_off_and_told_to_nobody() {
        let row = Delivery { attempts_made: 3, internal: 3, status: Status::Retrying, ..sample::pending() };
        let partition = format!("TENANT#{}", row.tenant_id);
        let tombstone = json!({"status": "deleting", "deleting_since": "2026-01-15T14:00:00.000Z"});
        // What stands there first counts.
        let script = Script::default().holding("config", [keyed(partition, "TENANT", &tombstone)]);
        let script = holding(sample::holding(script, &row), &letter(&row))
            .saying("UpdateItem", [Said::done()])
            .saying("DeleteMessage", [Said::done()]);
        assert_eq!(dead_letters(&script).record().await.done, 1);
        assert_eq!(done(&script), ["UpdateItem", "DeleteMessage"]);
        let change = expression(&script.asked("UpdateItem")[0], "UpdateExpression");
        assert!(
            change.contains(r#"status = "cancelled""#) && change.contains(r#"reason = "tenant_deleted""#),
            "{change}"
        );
    }

    #[tokio::test]
    async fn a_letter_that_nobody_can_read_goes_to_quarantine() {
        let script = holding(Script::default(), "canary");
        let script = script.saying("SendMessage", [Said::done()]).saying("DeleteMessage", [Said::done()]);
        assert_eq!(dead_letters(&script).record().await.done, 1);
        assert_eq!(done(&script), ["SendMessage", "DeleteMessage"]);
        let note = &script.asked("SendMessage")[0];
        assert_eq!(note["QueueUrl"], "quarantine");
        assert!(note["MessageBody"].as_str().unwrap().contains("canary"), "{note}");
    }

    #[tokio::test]
    async fn a_letter_that_is_stale_says_nothing_any_more() {
        let (row, ended) = (sample::pending(), Delivery { status: Status::Succeeded, ..sample::pending() });
        let script = holding(sample::script(&ended), &letter(&row)).saying("DeleteMessage", [Said::done()]);
        assert_eq!((dead_letters(&script).record().await.done, done(&script)), (1, vec!["DeleteMessage".to_owned()]));
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_recorded_now_stays_where_it_is() {
        let row = sample::pending();
        let script = holding(sample::script(&row), &letter(&row))
            .saying("UpdateItem", repeat_with(Said::lost).take(3))
            .saying("ChangeMessageVisibilityBatch", [Said::done()]);
        let swept = dead_letters(&script).record().await;
        assert_eq!((swept.done, swept.failure.is_some()), (0, true));
        assert!(script.asked("DeleteMessage").is_empty());
    }

    #[tokio::test]
    async fn a_delivery_whose_webhook_is_lost_waits_among_what_is_due() {
        let elsewhere = EndpointId::new(Timestamp::UNIX_EPOCH, 9);
        let row = sample::moved(&Delivery { endpoint_id: elsewhere, ..sample::pending() });
        let script = holding(sample::script(&row), &letter(&row));
        let script = script.saying("UpdateItem", [Said::done()]).saying("DeleteMessage", [Said::done()]);
        assert_eq!(dead_letters(&script).record().await.done, 1);
        let change = expression(&script.asked("UpdateItem")[0], "UpdateExpression");
        assert!(change.contains("round = 2") && change.contains("due_at = "), "{change}");
        assert!(script.asked("SendMessage").is_empty(), "its message would only fail again");
    }
}
