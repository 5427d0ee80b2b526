//! Endpoints that keep connections waiting: noted as soon as one is seen, and what stands for them among first attempts or
//! retries is moved to a queue of their own, so that they occupy none of the functions that others wait for. What is in that queue
//! is attempted there, so a message is moved once.
//!
//! What takes two seconds is noted by the clock, and who holds too much of the time by what is counted (`shares.rs`).
//!
//! What a schedule sent is sent on before anything else is done with it: it has no group, and fairness goes by groups.

use std::pin::pin;
use std::time::Duration;

use futures::future::join;
use lambda_runtime::Error;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::lanes::Lanes;
use postrider_aws::queue::Left;
use postrider_aws::sdk::SdkConfig;
use postrider_domain::attempt::Outcome;
use postrider_domain::delivery::Delivery;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::message::Message;
use postrider_domain::slow::{Note, PATIENCE, SlowByTenant};
use postrider_domain::snapshot::Snapshot;
use postrider_domain::time_share::{Came, Held, Holder};
use postrider_host::clock;
use postrider_host::env::BadSetting;
use tokio::time::timeout;

use crate::batch::Batch;
use crate::sender::Sent;
use crate::shares::Shares;

/// Keeps slow endpoints apart.
pub(crate) struct Slow {
    config: ConfigTable,
    lanes: Lanes,
    shares: Shares,
}

impl Slow {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { config: ConfigTable::from_env(sdk)?, lanes: Lanes::from_env(sdk)?, shares: Shares::default() })
    }

    /// Whether a message of the queue `from` is to wait elsewhere: it stands among others', and its endpoint is slow.
    pub(crate) fn stands_in_the_way(&self, message: &Message, from: &str, snapshot: &Snapshot) -> bool {
        !self.is_apart(from) && snapshot.is_slow(message, clock::now())
    }

    /// Whether what is in this queue stands in nobody's way.
    fn is_apart(&self, queue: &str) -> bool {
        self.lanes.queue(true).is_at(queue)
    }

    /// Sends what schedules sent on to the queue where it belongs, now with its group; what was not taken. Who is slow is a hint:
    /// where it cannot be read, nobody is.
    pub(crate) async fn send_on(&self, messages: &[Message]) -> Left {
        if messages.is_empty() {
            return Left::default();
        }
        let tenants = messages.iter().map(|message| &message.tenant_id);
        let slow = self.config.slow_endpoints(tenants).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "deliver.slow_unknown");
            SlowByTenant::default()
        });
        let now = clock::now();
        let messages = messages.iter().map(|message| (message.sent_on(), Duration::ZERO)).collect();
        self.lanes.send(messages, |to| slow.has(&to.tenant_id, &to.endpoint_id, now)).await
    }

    /// Moves messages to the queue of slow endpoints; what was not taken.
    pub(crate) async fn move_aside(&self, messages: &[Message]) -> Left {
        if messages.is_empty() {
            return Left::default();
        }
        let left = self.lanes.queue(true).send_what_it_takes(messages).await;
        tracing::info!(messages = messages.len() - left.places.len(), "deliver.moved_aside");
        left
    }

    /// Takes in which messages of the queue `from` go another way, since theirs are known to be slow.
    pub(crate) fn forget(&self, messages: impl Iterator<Item = Message>, from: &str, batch: &Batch) {
        let now = clock::now();
        let is_all = |tenant: &TenantId| batch.seen.snapshot.slow.of(tenant).is_some_and(|slow| slow.has_all(now));
        for Message { tenant_id: tenant, endpoint_id, .. } in messages {
            let endpoint = (!is_all(&tenant)).then_some(endpoint_id);
            self.shares.forget(from, &Holder { tenant, endpoint });
        }
    }

    /// Sees a POST through, and notes its endpoint as slow once it has waited too long.
    pub(crate) async fn watch(
        &self,
        row: &Delivery,
        batch: &Batch,
        sending: impl Future<Output = Result<Sent, Error>>,
    ) -> Result<Sent, Error> {
        let mut sending = pin!(sending);
        match timeout(PATIENCE, &mut sending).await {
            Ok(sent) => {
                if sent.as_ref().is_ok_and(|sent| sent.outcome == Outcome::TimedOut) {
                    self.note(row, batch).await;
                }
                sent
            }
            // Both to their end: a note that is dropped half-way may not be written, and nobody else of this batch writes it.
            Err(_) => join(sending, self.note(row, batch)).await.0,
        }
    }

    /// A note that cannot be written costs others some waiting, not this attempt its record.
    async fn note(&self, row: &Delivery, batch: &Batch) {
        if let Err(error) = self.try_note(row, batch).await {
            tracing::warn!(webhook_id = row.endpoint_id.as_str(), error = %error, "webhook.slowness_not_noted");
        }
    }

    async fn try_note(&self, row: &Delivery, batch: &Batch) -> Result<(), Error> {
        let slow = batch.seen.snapshot.slow.of(&row.tenant_id).cloned().unwrap_or_default();
        let Some(note) = slow.note(&row.endpoint_id, clock::now()) else { return Ok(()) };
        if !batch.slow.is_new(row.endpoint_id.clone()) {
            return Ok(());
        }
        self.config.note_slow(&row.tenant_id, &note).await?;
        tell("time", &row.tenant_id, Some(&row.endpoint_id), &note);
        Ok(())
    }

    /// Counts who has waited for a batch of the queue `from`, and notes who holds too much meanwhile: his is not to be begun here.
    pub(crate) async fn count_waiting(&self, from: &str, came: &[Came], batch: &Batch) -> Option<Holder> {
        let holder = (!self.is_apart(from)).then(|| self.shares.before(from, came, clock::now()))??;
        self.note_holder(from, holder, batch).await
    }

    /// Counts what a batch of the queue `from` held, and notes who holds too much.
    pub(crate) async fn count_held(&self, from: &str, held: &[Held], batch: &Batch) {
        if self.is_apart(from) {
            return;
        }
        if let Some(holder) = self.shares.after(from, held, clock::now()) {
            self.note_holder(from, holder, batch).await;
        }
        for Held { tenant, endpoint, .. } in held.iter().filter(|held| batch.slow.has(&held.endpoint)) {
            self.shares.forget(from, &Holder { tenant: tenant.clone(), endpoint: Some(endpoint.clone()) });
        }
    }

    /// Whoever it is, once he is noted. A note that cannot be written is due again with the next batch.
    async fn note_holder(&self, from: &str, holder: Holder, batch: &Batch) -> Option<Holder> {
        let slow = batch.seen.snapshot.slow.of(&holder.tenant).cloned().unwrap_or_default();
        let note = match &holder.endpoint {
            Some(endpoint) if batch.slow.has(endpoint) => None,
            Some(endpoint) => slow.note(endpoint, clock::now()),
            None => slow.note_all(clock::now()),
        };
        if let Some(note) = note {
            if let Err(error) = self.config.note_slow(&holder.tenant, &note).await {
                tracing::warn!(tenant_id = holder.tenant.as_str(), error = %error, "webhook.slowness_not_noted");
                return None;
            }
            tell("share", &holder.tenant, holder.endpoint.as_ref(), &note);
        }
        self.shares.forget(from, &holder);
        Some(holder)
    }
}

/// Says who is slow, and why: an attempt took its time, or all of them too large a share.
fn tell(why: &str, tenant: &TenantId, endpoint: Option<&EndpointId>, note: &Note) {
    let (tenant_id, webhook_id) = (tenant.as_str(), endpoint.map(|endpoint| endpoint.as_str()));
    tracing::info!(webhook_id, tenant_id, why, all = note.endpoint.is_none(), "webhook.slow");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::iter::repeat_with;

    use jiff::Timestamp;
    use postrider_aws::queue::Queue;
    use replay::{Said, Script, sample};
    use serde_json::{Value, json};

    use super::*;
    use crate::batch::Seen;

    const DELIVER: &str = "arn:aws:sqs:eu-central-1:1:deliver";
    const SLOW: &str = "arn:aws:sqs:eu-central-1:1:slow";

    fn slow_over(script: &Script) -> Slow {
        let sdk = script.sdk(postrider_aws::sdk::over);
        let [retry, slow] =
            ["https://sqs.example/1/retry", "https://sqs.example/1/slow"].map(|url| Queue::at(&sdk, url));
        Slow { config: ConfigTable::of(&sdk, "config"), lanes: Lanes::of(retry, slow), shares: Shares::default() }
    }

    fn tenant(number: u64) -> TenantId {
        TenantId::new(Timestamp::UNIX_EPOCH, number)
    }

    fn endpoint(number: u64) -> EndpointId {
        EndpointId::new(Timestamp::UNIX_EPOCH, number)
    }

    /// A message of a tenant's for his endpoint, both of this number.
    fn message(number: u64) -> Message {
        let event = sample::event(tenant(number));
        Message::new(&Delivery::pending(&event, endpoint(number), Timestamp::UNIX_EPOCH, 0), 1)
    }

    fn row(number: u64) -> Value {
        let until = clock::now().as_second() + 600;
        json!({"pk": format!("TENANT#{}", tenant(number)), "sk": "SLOW", endpoint(number).as_str(): until})
    }

    /// What was sent: to which queue, in whose group, and the message.
    fn sent(script: &Script) -> BTreeSet<(String, String, String)> {
        let batches = script.asked("SendMessageBatch").into_iter().flat_map(|batch| {
            let queue = batch["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let entries = batch["Entries"].as_array().unwrap().clone();
            entries.into_iter().map(move |entry| (queue.clone(), entry))
        });
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        batches.map(|(queue, entry)| (queue, text(&entry["MessageGroupId"]), text(&entry["MessageBody"]))).collect()
    }

    fn as_sent(queue: &str, number: u64) -> (String, String, String) {
        (queue.to_owned(), tenant(number).to_string(), serde_json::to_string(&message(number)).unwrap())
    }

    #[tokio::test]
    async fn what_schedules_sent_goes_on_in_its_tenants_group_to_where_it_belongs() {
        let script = Script::default().holding("config", [row(2)]).saying("SendMessageBatch", repeat_with(Said::done));
        let scheduled = [1, 2, 3].map(|number| message(number).scheduled());
        assert!(slow_over(&script).send_on(&scheduled).await.places.is_empty());
        assert_eq!(sent(&script), [as_sent("retry", 1), as_sent("slow", 2), as_sent("retry", 3)].into());
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_knows_who_is_slow_nobody_is() {
        let script = Script::default()
            .saying("BatchGetItem", repeat_with(Said::throttled))
            .saying("SendMessageBatch", repeat_with(Said::done));
        assert!(slow_over(&script).send_on(&[message(1).scheduled()]).await.places.is_empty());
        assert_eq!(sent(&script), [as_sent("retry", 1)].into());
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_sent_on_is_told() {
        let refusing =
            Script::default().holding("config", [row(1)]).saying("SendMessageBatch", repeat_with(Said::lost));
        let left = slow_over(&refusing).send_on(&[message(1).scheduled()]).await;
        assert_eq!((left.places, left.why.is_some()), (vec![0], true));
    }

    /// An AWS whose queues never take the entry of this place.
    fn refusing(entry: &'static str) -> Script {
        let refusal = json!({"Successful": [], "Failed": [{"Id": entry, "Code": "Busy", "SenderFault": false}]});
        Script::default().saying("SendMessageBatch", repeat_with(move || Said::body(refusal.clone())))
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_was_not_taken_comes_again() {
        let messages: Vec<Message> = (1..=12).map(message).collect();
        let left = slow_over(&refusing("1")).move_aside(&messages).await;
        assert_eq!((left.places, left.why.is_some()), (vec![1, 11], true), "the second of either call");
        let scheduled: Vec<Message> = (1..=4).map(|number| message(number).scheduled()).collect();
        let script = refusing("1").holding("config", [row(2), row(4)]);
        let left = slow_over(&script).send_on(&scheduled).await;
        let places: BTreeSet<usize> = left.places.into_iter().collect();
        assert_eq!((places, left.why.is_some()), ([2, 3].into(), true), "the second of either queue's");
    }

    #[tokio::test]
    async fn what_is_in_the_queue_of_slow_endpoints_is_moved_no_more() {
        let mut snapshot = Snapshot::default();
        let until = clock::now().as_second() + 600;
        let row = postrider_domain::slow::SlowEndpoints::new([(endpoint(1), until)], None);
        snapshot.slow.extend([(tenant(1), row)]);
        let slow = slow_over(&Script::default());
        assert!(slow.stands_in_the_way(&message(1), DELIVER, &snapshot));
        assert!(!slow.stands_in_the_way(&message(1), SLOW, &snapshot));
        assert!(!slow.stands_in_the_way(&message(2), DELIVER, &snapshot));
    }

    fn came(number: u64, seconds: u64) -> Came {
        Came { tenant: tenant(number), endpoint: endpoint(number), waited: Duration::from_secs(seconds) }
    }

    fn held(number: u64, seconds: u64) -> Held {
        Held { tenant: tenant(number), endpoint: endpoint(number), time: Duration::from_secs(seconds) }
    }

    fn batch() -> Batch {
        Batch::new(Seen::since(clock::now(), Snapshot::default()))
    }

    #[tokio::test]
    async fn who_holds_too_much_is_noted_once_another_waits_and_his_is_not_begun() {
        let script = Script::default().saying("UpdateItem", [Said::done()]);
        let slow = slow_over(&script);
        for (queue, waits) in
            [(SLOW, [came(1, 9), came(2, 9), came(2, 9)]), (DELIVER, [came(1, 9), came(2, 0), came(2, 0)])]
        {
            assert_eq!(slow.count_waiting(queue, &waits, &batch()).await, None);
            slow.count_held(queue, &[held(1, 6), held(2, 0)], &batch()).await;
        }
        assert!(
            script.operations().is_empty(),
            "in a queue of their own they wait for nobody else's, and here nobody waits"
        );
        let holder = slow.count_waiting(DELIVER, &[came(1, 9), came(2, 9), came(2, 9)], &batch()).await;
        assert_eq!(holder, Some(Holder { tenant: tenant(1), endpoint: Some(endpoint(1)) }));
        assert_eq!(script.asked("UpdateItem")[0]["ExpressionAttributeNames"]["#who"], endpoint(1).as_str());
        slow.count_waiting(DELIVER, &[came(1, 9), came(2, 9), came(2, 9)], &batch()).await;
        slow.count_held(DELIVER, &[held(1, 1), held(2, 0)], &batch()).await;
        assert_eq!(script.operations().len(), 1, "he is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn whom_no_note_could_be_written_of_goes_the_ordinary_way() {
        let script = Script::default().saying("UpdateItem", repeat_with(Said::lost));
        let slow = slow_over(&script);
        slow.count_held(DELIVER, &[held(1, 6)], &batch()).await;
        assert_eq!(slow.count_waiting(DELIVER, &[came(1, 9), came(2, 9), came(2, 9)], &batch()).await, None);
    }

    #[tokio::test]
    async fn who_took_two_seconds_is_noted_by_that_alone() {
        let script = Script::default();
        let slow = slow_over(&script);
        let batch = batch();
        batch.slow.is_new(endpoint(1));
        slow.count_waiting(DELIVER, &[came(1, 0), came(2, 9), came(2, 9)], &batch).await;
        slow.count_held(DELIVER, &[held(1, 6), held(2, 0)], &batch).await;
        assert!(script.operations().is_empty());
    }
}
