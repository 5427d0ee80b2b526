//! Queues that no mapping empties: the dead-letter queue, which is the sweep's, the quarantine, which an operator
//! redrives, and the triggers that were refused; and those of unfinished events and of fan-outs that go on, which fan-out reads.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, SendMessageBatchRequestEntry};
use aws_types::SdkConfig;
use futures::future::{join_all, try_join_all};
use postrider_domain::note::Note;
use postrider_host::deadline;
use postrider_host::env::{self, BadSetting};

use crate::error::{AwsError, Failure, failed, unwritable};

/// Messages of one call.
const BATCH: usize = 10;

/// Such a queue.
#[derive(Clone)]
pub struct SetAsideQueue {
    client: Client,
    url: String,
}

/// A message of such a queue.
#[derive(Debug)]
pub struct SetAsideMessage {
    /// SQS's own id of it.
    pub id: String,
    /// What it says.
    pub body: String,
    receipt: String,
}

/// What becomes of a message that was seen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It leaves the queue.
    Done,
    /// Nothing can be done about it for now.
    Stays,
}

/// How much time there is for messages.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For each of them, at the most.
    pub each: Duration,
    /// With no more than this left, none is begun.
    pub reserve: Duration,
}

/// What became of a queue's messages.
#[derive(Debug, Default)]
pub struct Seen {
    /// How many left the queue.
    pub done: usize,
    /// How many stay.
    pub left: usize,
    /// The first failure; all are in the log.
    pub failure: Option<Failure>,
}

impl SetAsideQueue {
    /// The dead-letter queue, `DEAD_QUEUE_URL`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn dead(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::at(sdk, &env::var("DEAD_QUEUE_URL")?))
    }

    /// The quarantine, `QUARANTINE_QUEUE_URL`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn quarantine(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::at(sdk, &env::var("QUARANTINE_QUEUE_URL")?))
    }

    /// The queue of triggers that were refused, `TRIGGERS_QUEUE_URL`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn triggers(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::at(sdk, &env::var("TRIGGERS_QUEUE_URL")?))
    }

    /// The queue of events whose fan-out is not finished, `UNFINISHED_QUEUE_URL`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn unfinished(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::at(sdk, &env::var("UNFINISHED_QUEUE_URL")?))
    }

    /// The queue of fan-outs that go on from where they stand, `CONTINUATION_QUEUE_URL`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn continuation(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::at(sdk, &env::var("CONTINUATION_QUEUE_URL")?))
    }

    /// The queue at this URL.
    pub fn at(sdk: &SdkConfig, url: &str) -> Self {
        Self { client: Client::new(sdk), url: url.to_owned() }
    }

    /// Whether a message that Lambda brought comes from this queue, by the ARN that it names.
    pub fn has_arn(&self, arn: &str) -> bool {
        let (name, named) = (self.url.rsplit('/').next(), arn.rsplit(':').next());
        name == named
    }

    /// Sets something aside, with what is needed to find it and why.
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn put(&self, note: &Note) -> Result<(), Failure> {
        let sent = self.client.send_message().queue_url(&self.url).message_body(note.text()).send().await;
        sent.map_err(failed("SendMessage set aside"))?;
        Ok(())
    }

    /// Shows every message once, as far as the time goes, ten side by side; those that are done leave the queue. One that fails
    /// holds up no other, and one that hangs takes no more than its own time.
    pub async fn see_to_each(
        &self,
        Limits { each, reserve }: Limits,
        see_to: impl AsyncFn(&SetAsideMessage) -> Result<Fate, Failure>,
    ) -> Seen {
        let (mut seen, mut met, mut left) = (Seen::default(), HashSet::new(), Vec::new());
        while deadline::left() > reserve {
            let messages = match self.receive().await {
                Ok(messages) => messages,
                Err(error) => {
                    seen.failure.get_or_insert(error);
                    break;
                }
            };
            let messages: Vec<SetAsideMessage> =
                messages.into_iter().filter(|message| met.insert(message.id.clone())).collect();
            // None, or only such as have come around again.
            if messages.is_empty() {
                break;
            }
            let fates = messages.iter().map(|message| deadline::at_most(each, self.see_to_one(message, &see_to)));
            for (fate, message) in join_all(fates).await.into_iter().zip(messages) {
                match fate {
                    Ok(Fate::Done) => seen.done += 1,
                    Ok(Fate::Stays) => left.push(message),
                    Err(error) => {
                        tracing::error!(message_id = message.id, error = %error, "set_aside.not_seen_to");
                        seen.failure.get_or_insert(error);
                        left.push(message);
                    }
                }
            }
        }
        seen.left = left.len();
        // Only now, or they would come around at once, before others.
        if let Err(error) = self.release(&left).await {
            seen.failure.get_or_insert(error);
        }
        seen
    }

    async fn see_to_one(
        &self,
        message: &SetAsideMessage,
        see_to: &impl AsyncFn(&SetAsideMessage) -> Result<Fate, Failure>,
    ) -> Result<Fate, Failure> {
        let fate = see_to(message).await?;
        if fate == Fate::Done {
            // Only now, so that a crash leaves it there.
            self.delete(message).await?;
        }
        Ok(fate)
    }

    /// Leaves these for whoever reads the queue, to be seen after `delay` (15 minutes at the most).
    ///
    /// # Errors
    /// When one was not taken; others may have been, and leaving them again is harmless.
    pub async fn put_for_later(&self, notes: &[Note], delay: Duration) -> Result<(), Failure> {
        const CALL: &str = "SendMessageBatch notes";
        let delay = i32::try_from(delay.as_secs()).unwrap_or(900);
        let batches = notes.chunks(BATCH).map(|notes| async move {
            let entry = |(n, note): (usize, &Note)| {
                let entry = SendMessageBatchRequestEntry::builder().id(n.to_string());
                let entry = entry.message_body(note.text()).delay_seconds(delay);
                let entry = entry.set_message_group_id(note.group().map(str::to_owned)).build();
                entry.map_err(unwritable("a batch"))
            };
            let entries = notes.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
            let answer = call.send().await.map_err(failed(CALL))?;
            match answer.failed().first() {
                None => Ok(()),
                Some(refused) => Err(AwsError::busy(CALL, format!("some were not taken: {}", refused.code()))),
            }
        });
        try_join_all(batches).await.map(|_| ())
    }

    /// Lets a message that Lambda brought show again after `delay`, if it is not deleted before.
    ///
    /// # Errors
    /// When it was not put off; it shows again at the queue's own time.
    pub async fn put_off(&self, receipt: &str, delay: Duration) -> Result<(), Failure> {
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(900);
        let call = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        call.visibility_timeout(seconds).send().await.map_err(failed("ChangeMessageVisibility"))?;
        Ok(())
    }

    /// Up to ten messages; they show again later unless deleted.
    async fn receive(&self) -> Result<Vec<SetAsideMessage>, Failure> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            // A short poll asks some of SQS's servers only, and may find nothing where there is something.
            .wait_time_seconds(1)
            .send()
            .await;
        let messages = answer.map_err(failed("ReceiveMessage"))?.messages.unwrap_or_default();
        let message = |message: aws_sdk_sqs::types::Message| SetAsideMessage {
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
        };
        Ok(messages.into_iter().map(message).collect())
    }

    /// Lets messages show again at once that could not be seen to; without that they show by themselves, later.
    async fn release(&self, messages: &[SetAsideMessage]) -> Result<(), Failure> {
        for messages in messages.chunks(BATCH) {
            let entry = |(n, message): (usize, &SetAsideMessage)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(n.to_string());
                let entry = entry.receipt_handle(&message.receipt).visibility_timeout(0).build();
                entry.map_err(unwritable("a message"))
            };
            let entries = messages.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            let change = self.client.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries));
            change.send().await.map_err(failed("ChangeMessageVisibilityBatch"))?;
        }
        Ok(())
    }

    /// Deletes a message that was seen to; one that was not deleted will show again.
    async fn delete(&self, message: &SetAsideMessage) -> Result<(), Failure> {
        let deleted = self.client.delete_message().queue_url(&self.url).receipt_handle(&message.receipt).send().await;
        deleted.map_err(failed("DeleteMessage"))?;
        Ok(())
    }
}
