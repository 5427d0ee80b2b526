//! SQS queues of attempts: fair, a message group per tenant, so that no tenant's backlog holds up the others, however many
//! endpoints he has. A batch call can succeed in part: every entry that failed is seen to.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use aws_types::SdkConfig;
use futures::stream::{self, StreamExt as _};
use postrider_domain::message::Message;
use postrider_host::env::{self, BadSetting};

use crate::error::{AwsError, Failure, failed, unwritable};

/// Entries of one SendMessageBatch.
const BATCH: usize = 10;
const BATCHES_AT_ONCE: usize = 16;
const ROUNDS: u32 = 4;

/// A queue of [`Message`]s.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue of first attempts, `DELIVER_QUEUE_URL`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn deliver(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::at(sdk, &env::var("DELIVER_QUEUE_URL")?))
    }

    /// The queue of later attempts, `RETRY_QUEUE_URL`, where schedules send theirs.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn retry(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::at(sdk, &env::var("RETRY_QUEUE_URL")?))
    }

    /// The queue of all that is for slow endpoints, `SLOW_QUEUE_URL`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn slow(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::at(sdk, &env::var("SLOW_QUEUE_URL")?))
    }

    /// The queue at this URL.
    pub fn at(sdk: &SdkConfig, url: &str) -> Self {
        Self { client: Client::new(sdk), url: url.to_owned() }
    }

    /// Whether it is the queue of this ARN, as what a function is handed names it.
    pub fn is_at(&self, arn: &str) -> bool {
        arn.rsplit(':').next() == Some(self.name())
    }

    /// Its ARN, from that of another of the stack's queues, which differs in its name alone: a function's environment holds four
    /// kibibytes, and deliver's is full.
    pub fn arn_beside(&self, arn: &str) -> String {
        let place = arn.rsplit_once(':').map_or("", |(place, _)| place);
        format!("{place}:{}", self.name())
    }

    /// With which its URL and its ARN end.
    fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// How many messages wait to be received, as far as SQS knows.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn waiting(&self) -> Result<u64, Failure> {
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
    pub async fn send(&self, message: &Message, delay: Duration) -> Result<(), Failure> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body(message)?)
            .delay_seconds(seconds(delay))
            .message_group_id(message.tenant_id.as_str())
            .send()
            .await
            .map_err(failed("SendMessage"))?;
        Ok(())
    }

    /// Sends as many as are taken, in batches side by side: how many, and the first failure.
    pub async fn send_each(&self, messages: &[Message]) -> (usize, Option<Failure>) {
        self.send_each_later(messages, Duration::ZERO).await
    }

    /// Sends them all, in batches side by side; one that fails holds up none of the others.
    ///
    /// # Errors
    /// When one was not taken after several tries; others may have been, and sending them again is harmless.
    pub async fn send_all(&self, messages: &[Message]) -> Result<(), Failure> {
        self.send_all_later(messages, Duration::ZERO).await
    }

    /// The same, to be seen after `delay` (15 minutes at the most).
    ///
    /// # Errors
    /// As [`Queue::send_all`].
    pub async fn send_all_later(&self, messages: &[Message], delay: Duration) -> Result<(), Failure> {
        self.send_each_later(messages, delay).await.1.map_or(Ok(()), Err)
    }

    async fn send_each_later(&self, messages: &[Message], delay: Duration) -> (usize, Option<Failure>) {
        let sent = stream::iter(messages.chunks(BATCH)).map(|batch| self.send_batch(batch, delay));
        let sent: Vec<(usize, Option<Failure>)> = sent.buffer_unordered(BATCHES_AT_ONCE).collect().await;
        let taken = sent.iter().map(|(taken, _)| taken).sum();
        (taken, sent.into_iter().find_map(|(_, failure)| failure))
    }

    async fn send_batch(&self, messages: &[Message], delay: Duration) -> (usize, Option<Failure>) {
        let mut left = match self.entries(messages, delay) {
            Ok(entries) => entries,
            Err(error) => return (0, Some(error)),
        };
        let failure = self.send_entries(&mut left).await.err();
        (messages.len() - left.len(), failure)
    }

    /// Leaves those that were not taken.
    async fn send_entries(&self, entries: &mut Vec<SendMessageBatchRequestEntry>) -> Result<(), Failure> {
        let mut why = String::new();
        for round in 0..ROUNDS {
            postrider_host::pause::pause(round).await;
            let answer = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries.clone()))
                .send()
                .await
                .map_err(failed("SendMessageBatch"))?;
            let Some(first) = answer.failed().first() else {
                entries.clear();
                return Ok(());
            };
            why = format!("{} of {} entries failed: {}", answer.failed().len(), entries.len(), first.code());
            entries.retain(|entry| answer.failed().iter().any(|failed| failed.id() == entry.id()));
        }
        Err(AwsError::busy("SendMessageBatch", why))
    }

    fn entries(&self, messages: &[Message], delay: Duration) -> Result<Vec<SendMessageBatchRequestEntry>, Failure> {
        messages.iter().enumerate().map(|(i, message)| self.entry(i, message, delay)).collect()
    }

    fn entry(&self, i: usize, message: &Message, delay: Duration) -> Result<SendMessageBatchRequestEntry, Failure> {
        SendMessageBatchRequestEntry::builder()
            .id(i.to_string())
            .message_body(body(message)?)
            .set_delay_seconds((!delay.is_zero()).then(|| seconds(delay)))
            .message_group_id(message.tenant_id.as_str())
            .build()
            .map_err(unwritable("a message"))
    }
}

fn seconds(delay: Duration) -> i32 {
    i32::try_from(delay.as_secs()).unwrap_or(900)
}

fn body(message: &Message) -> Result<String, Failure> {
    serde_json::to_string(message).map_err(unwritable("a message"))
}

#[cfg(test)]
mod tests {
    use replay::Script;

    use super::*;

    #[test]
    fn a_queues_arn_is_that_of_its_neighbour_but_for_the_name() {
        let sdk = Script::default().sdk(crate::sdk::over);
        let queue = Queue::at(&sdk, "https://sqs.eu-west-1.amazonaws.com/123456789012/stack-RetryQueue-1");
        let arn = queue.arn_beside("arn:aws-cn:sqs:eu-west-1:123456789012:stack-DeadQueue-2");
        assert_eq!(arn, "arn:aws-cn:sqs:eu-west-1:123456789012:stack-RetryQueue-1");
        assert!(queue.is_at(&arn) && !queue.is_at("arn:aws-cn:sqs:eu-west-1:123456789012:stack-DeadQueue-2"));
    }
}
