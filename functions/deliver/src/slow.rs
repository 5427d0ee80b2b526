//! Endpoints that keep connections waiting: noted as soon as one is seen, and what stands among first attempts for them is
//! moved to the retry queue, so that they occupy none of the functions that others wait for.

use std::pin::pin;

use futures::future::join;
use lambda_runtime::Error;
use postrider_aws::Failure;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::queue::Queue;
use postrider_aws::sdk::SdkConfig;
use postrider_domain::attempt::Outcome;
use postrider_domain::delivery::Delivery;
use postrider_domain::message::Message;
use postrider_domain::slow::PATIENCE;
use postrider_domain::snapshot::Snapshot;
use postrider_host::clock;
use postrider_host::env::{self, BadSetting};
use tokio::time::timeout;

use crate::batch::Batch;
use crate::sender::Sent;

/// Keeps slow endpoints apart.
pub(crate) struct Slow {
    config: ConfigTable,
    retry_queue: Queue,
    retry_queue_arn: String,
}

impl Slow {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            config: ConfigTable::from_env(sdk)?,
            retry_queue: Queue::retry(sdk)?,
            retry_queue_arn: env::var("RETRY_QUEUE_ARN")?,
        })
    }

    /// Whether a message of the queue `from` is to wait elsewhere: it came among first attempts, and its endpoint is slow.
    pub(crate) fn stands_in_the_way(&self, message: &Message, from: Option<&str>, snapshot: &Snapshot) -> bool {
        from != Some(self.retry_queue_arn.as_str()) && snapshot.is_slow(message, clock::now())
    }

    /// Moves messages to the retry queue.
    pub(crate) async fn move_aside(&self, messages: &[Message]) -> Result<(), Failure> {
        if messages.is_empty() {
            return Ok(());
        }
        self.retry_queue.send_all(messages).await?;
        tracing::info!(messages = messages.len(), "deliver.moved_aside");
        Ok(())
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
        let slow = batch.seen.snapshot.slow.get(&row.tenant_id).cloned().unwrap_or_default();
        let Some(note) = slow.note(&row.endpoint_id, clock::now()) else { return Ok(()) };
        if !batch.slow.is_new(row.endpoint_id.clone()) {
            return Ok(());
        }
        self.config.note_slow(&row.tenant_id, &note).await?;
        let (webhook_id, tenant_id) = (row.endpoint_id.as_str(), row.tenant_id.as_str());
        tracing::info!(webhook_id, tenant_id, all = note.endpoint.is_none(), "webhook.slow");
        Ok(())
    }
}
