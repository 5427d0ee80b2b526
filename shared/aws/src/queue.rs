//! SQS queues of attempts. A batch call can succeed in part: every entry that failed is seen to.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use postrider_domain::message::Message;

use crate::AwsError;
use crate::env::{self, BadSetting};
use crate::error::failed;

/// Entries of one SendMessageBatch.
const BATCH: usize = 10;
const BATCHES_AT_ONCE: usize = 16;
const ROUNDS: u32 = 4;

/// A queue of [`Message`]s.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    url: String,
    groups: bool,
}

impl Queue {
    /// The queue of first attempts, `DELIVER_QUEUE_URL`: fair, a group per endpoint, so that a slow endpoint's backlog
    /// does not hold up the others.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn deliver(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { client: Client::new(sdk), url: env::var("DELIVER_QUEUE_URL")?, groups: true })
    }

    /// The queue of later attempts, `RETRY_QUEUE_URL`, where schedules send theirs.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn retry(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { client: Client::new(sdk), url: env::var("RETRY_QUEUE_URL")?, groups: false })
    }

    /// How many messages wait to be received, as far as SQS knows.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn waiting(&self) -> Result<u64, AwsError> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(name.clone())
            .send()
            .await
            .map_err(failed("GetQueueAttributes"))?;
        let waiting = answer.attributes().and_then(|attributes| attributes.get(&name)?.parse().ok());
        Ok(waiting.unwrap_or_default())
    }

    /// Sends one message, to be seen after `delay` (15 minutes at the most).
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn send(&self, message: &Message, delay: Duration) -> Result<(), AwsError> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body(message)?)
            .delay_seconds(i32::try_from(delay.as_secs()).unwrap_or(900))
            .set_message_group_id(self.groups.then(|| message.endpoint_id.to_string()))
            .send()
            .await
            .map_err(failed("SendMessage"))?;
        Ok(())
    }

    /// Sends them all, in batches side by side.
    ///
    /// # Errors
    /// When one was not taken after several tries; others may have been, and sending them again is harmless.
    pub async fn send_all(&self, messages: &[Message]) -> Result<(), AwsError> {
        stream::iter(messages.chunks(BATCH))
            .map(|batch| self.send_batch(batch))
            .buffer_unordered(BATCHES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn send_batch(&self, messages: &[Message]) -> Result<(), AwsError> {
        let mut entries: Vec<SendMessageBatchRequestEntry> =
            messages.iter().enumerate().map(|(i, message)| self.entry(i, message)).collect::<Result<_, _>>()?;
        let mut why = String::new();
        for round in 0..ROUNDS {
            crate::briefing::pause(round).await;
            let answer = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries.clone()))
                .send()
                .await
                .map_err(failed("SendMessageBatch"))?;
            let Some(first) = answer.failed().first() else { return Ok(()) };
            why = format!("{} of {} entries failed: {}", answer.failed().len(), entries.len(), first.code());
            entries.retain(|entry| answer.failed().iter().any(|failed| failed.id() == entry.id()));
        }
        Err(AwsError::new("SendMessageBatch", why))
    }

    fn entry(&self, i: usize, message: &Message) -> Result<SendMessageBatchRequestEntry, AwsError> {
        SendMessageBatchRequestEntry::builder()
            .id(i.to_string())
            .message_body(body(message)?)
            .set_message_group_id(self.groups.then(|| message.endpoint_id.to_string()))
            .build()
            .map_err(|error| AwsError::new("SendMessageBatch", error.to_string()))
    }
}

fn body(message: &Message) -> Result<String, AwsError> {
    serde_json::to_string(message).map_err(|error| AwsError::new("writing a message", error.to_string()))
}

/// A queue that no mapping empties: the dead-letter queue, which is the sweep's, or the quarantine, which an operator
/// redrives.
#[derive(Clone)]
pub struct Letters {
    client: Client,
    url: String,
}

/// A message of such a queue.
#[derive(Debug)]
pub struct Letter {
    /// SQS's own id of it.
    pub id: String,
    /// What it says.
    pub body: String,
    receipt: String,
}

impl Letters {
    /// The dead-letter queue, `DEAD_QUEUE_URL`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn dead(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { client: Client::new(sdk), url: env::var("DEAD_QUEUE_URL")? })
    }

    /// The quarantine, `QUARANTINE_QUEUE_URL`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn quarantine(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { client: Client::new(sdk), url: env::var("QUARANTINE_QUEUE_URL")? })
    }

    /// The queue of triggers that were refused, `TRIGGERS_QUEUE_URL`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn triggers(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { client: Client::new(sdk), url: env::var("TRIGGERS_QUEUE_URL")? })
    }

    /// Sets something aside, with what is needed to find it and why.
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn set_aside(&self, note: &serde_json::Value) -> Result<(), AwsError> {
        let sent = self.client.send_message().queue_url(&self.url).message_body(note.to_string()).send().await;
        sent.map_err(failed("SendMessage quarantine"))?;
        Ok(())
    }

    /// Up to ten letters; they show again later unless deleted.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn receive(&self) -> Result<Vec<Letter>, AwsError> {
        let answer = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10).send().await;
        let letters = answer.map_err(failed("ReceiveMessage"))?.messages.unwrap_or_default();
        let letter = |message: aws_sdk_sqs::types::Message| Letter {
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
        };
        Ok(letters.into_iter().map(letter).collect())
    }

    /// Deletes a letter that was seen to.
    ///
    /// # Errors
    /// When it was not deleted; it will show again.
    pub async fn delete(&self, letter: &Letter) -> Result<(), AwsError> {
        let deleted = self.client.delete_message().queue_url(&self.url).receipt_handle(&letter.receipt).send().await;
        deleted.map_err(failed("DeleteMessage"))?;
        Ok(())
    }
}
