//! SQS queues of attempts: fair, a message group per tenant, so that no tenant's backlog holds up the others, however many
//! endpoints he has. A batch call can succeed in part: every entry that failed is seen to.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use aws_types::SdkConfig;
use futures::stream::{self, StreamExt as _};
use postrider_domain::id::TenantId;
use postrider_domain::message::Message;
use postrider_domain::ticket::Ticket;
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

/// A message, and after how long it is to be seen.
type Delayed<'a> = (&'a Message, Duration);

/// What a send left.
#[derive(Debug, Default)]
pub struct Left {
    /// The places of those that were not taken, as far as SQS told: where its answer was lost, they may have been.
    pub places: Vec<usize>,
    /// Why; the first failure.
    pub why: Option<Failure>,
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
        self.send_body(body(message, delay)?, &message.tenant_id, delay).await
    }

    /// Sends a ticket for a step of an endpoint's parking, to be seen after `delay` (15 minutes at the most).
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn send_ticket(&self, ticket: &Ticket, delay: Duration) -> Result<(), Failure> {
        let body = serde_json::to_string(ticket).map_err(unwritable("a ticket"))?;
        self.send_body(body, &ticket.tenant_id, delay).await
    }

    async fn send_body(&self, body: String, tenant: &TenantId, delay: Duration) -> Result<(), Failure> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(seconds(delay))
            .message_group_id(tenant.as_str())
            .send()
            .await
            .map_err(failed("SendMessage"))?;
        Ok(())
    }

    /// Sends as many as are taken, in batches side by side: how many, and the first failure.
    pub async fn send_each(&self, messages: &[Message]) -> (usize, Option<Failure>) {
        let left = self.send_each_later(messages, Duration::ZERO).await;
        (messages.len() - left.places.len(), left.why)
    }

    /// Sends as many as are taken, in batches side by side: what is left.
    pub async fn send_what_it_takes(&self, messages: &[Message]) -> Left {
        self.send_each_later(messages, Duration::ZERO).await
    }

    /// The same, each to be seen after a delay of its own (15 minutes at the most).
    pub async fn send_each_after(&self, messages: &[(Message, Duration)]) -> Left {
        let messages: Vec<Delayed<'_>> = messages.iter().map(|(message, delay)| (message, *delay)).collect();
        self.send_delayed(&messages).await
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
        self.send_each_later(messages, delay).await.why.map_or(Ok(()), Err)
    }

    async fn send_each_later(&self, messages: &[Message], delay: Duration) -> Left {
        let messages: Vec<Delayed<'_>> = messages.iter().map(|message| (message, delay)).collect();
        self.send_delayed(&messages).await
    }

    async fn send_delayed(&self, messages: &[Delayed<'_>]) -> Left {
        let sent = stream::iter(messages.chunks(BATCH)).map(|batch| self.send_batch(batch));
        let sent: Vec<Left> = sent.buffered(BATCHES_AT_ONCE).collect().await;
        let mut all = Left::default();
        for (number, batch) in sent.into_iter().enumerate() {
            all.places.extend(batch.places.into_iter().map(|place| number * BATCH + place));
            all.why = all.why.or(batch.why);
        }
        all
    }

    async fn send_batch(&self, messages: &[Delayed<'_>]) -> Left {
        let mut left = match entries(messages) {
            Ok(entries) => entries,
            Err(error) => return Left { places: (0..messages.len()).collect(), why: Some(error) },
        };
        let why = self.send_entries(&mut left).await.err();
        // An entry's id is its place.
        Left { places: left.iter().filter_map(|entry| entry.id().parse().ok()).collect(), why }
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
}

fn entries(messages: &[Delayed<'_>]) -> Result<Vec<SendMessageBatchRequestEntry>, Failure> {
    messages.iter().enumerate().map(|(i, (message, delay))| entry(i, message, *delay)).collect()
}

fn entry(i: usize, message: &Message, delay: Duration) -> Result<SendMessageBatchRequestEntry, Failure> {
    SendMessageBatchRequestEntry::builder()
        .id(i.to_string())
        .message_body(body(message, delay)?)
        .set_delay_seconds((!delay.is_zero()).then(|| seconds(delay)))
        .message_group_id(message.tenant_id.as_str())
        .build()
        .map_err(unwritable("a message"))
}

fn seconds(delay: Duration) -> i32 {
    i32::try_from(delay.as_secs()).unwrap_or(900)
}

/// A message says itself how long it was kept back: SQS tells whoever receives it only when it was sent.
fn body(message: &Message, delay: Duration) -> Result<String, Failure> {
    serde_json::to_string(&message.delayed(seconds(delay).unsigned_abs())).map_err(unwritable("a message"))
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
