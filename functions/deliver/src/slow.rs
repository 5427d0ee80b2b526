//! Endpoints that keep connections waiting: noted as soon as one is seen, and what stands for them among first attempts or
//! retries is moved to a queue of their own, so that they occupy none of the functions that others wait for. What is in that queue
//! is attempted there, so a message is moved once.
//!
//! What a schedule sent is sent on before anything else is done with it: it has no group, and fairness goes by groups.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;

use futures::future::join;
use lambda_runtime::Error;
use postrider_aws::Failure;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::lanes::Lanes;
use postrider_aws::sdk::SdkConfig;
use postrider_domain::attempt::Outcome;
use postrider_domain::delivery::Delivery;
use postrider_domain::id::TenantId;
use postrider_domain::message::Message;
use postrider_domain::slow::PATIENCE;
use postrider_domain::snapshot::Snapshot;
use postrider_host::clock;
use postrider_host::env::BadSetting;
use tokio::time::timeout;

use crate::batch::Batch;
use crate::sender::Sent;

/// Keeps slow endpoints apart.
pub(crate) struct Slow {
    config: ConfigTable,
    lanes: Lanes,
}

impl Slow {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { config: ConfigTable::from_env(sdk)?, lanes: Lanes::from_env(sdk)? })
    }

    /// Whether a message of the queue `from` is to wait elsewhere: it stands among others', and its endpoint is slow.
    pub(crate) fn stands_in_the_way(&self, message: &Message, from: Option<&str>, snapshot: &Snapshot) -> bool {
        !from.is_some_and(|arn| self.lanes.queue(true).is_at(arn)) && snapshot.is_slow(message, clock::now())
    }

    /// Sends what schedules sent on to the queue where it belongs, now with its group. Who is slow is a hint: where it cannot be
    /// read, nobody is.
    pub(crate) async fn send_on(&self, messages: &[Message]) -> Result<(), Failure> {
        if messages.is_empty() {
            return Ok(());
        }
        let tenants: BTreeSet<&TenantId> = messages.iter().map(|message| &message.tenant_id).collect();
        let tenants: Vec<&TenantId> = tenants.into_iter().collect();
        let slow = self.config.slow_endpoints(&tenants).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "deliver.slow_unknown");
            HashMap::new()
        });
        let now = clock::now();
        let is_slow = |to: &Message| slow.get(&to.tenant_id).is_some_and(|slow| slow.has(&to.endpoint_id, now));
        let (slow, others): (Vec<Message>, Vec<Message>) = messages.iter().map(Message::sent_on).partition(is_slow);
        let (slow, others) =
            join(self.lanes.queue(true).send_all(&slow), self.lanes.queue(false).send_all(&others)).await;
        slow.and(others)
    }

    /// Moves messages to the queue of slow endpoints.
    pub(crate) async fn move_aside(&self, messages: &[Message]) -> Result<(), Failure> {
        if messages.is_empty() {
            return Ok(());
        }
        self.lanes.queue(true).send_all(messages).await?;
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
