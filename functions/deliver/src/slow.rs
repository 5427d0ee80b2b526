//! Endpoints that keep connections waiting: noted as soon as one is seen, and what stands for them among first attempts or
//! retries is moved to a queue of their own, so that they occupy none of the functions that others wait for. What is in that queue
//! is attempted there, so a message is moved once.
//!
//! What takes two seconds is noted by the clock, and who holds too much of the time by what is counted (`shares.rs`).
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
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::message::Message;
use postrider_domain::slow::{Note, PATIENCE};
use postrider_domain::snapshot::Snapshot;
use postrider_domain::time_share::{Held, Holder};
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

    /// Moves messages of the queue `from` to the queue of slow endpoints.
    pub(crate) async fn move_aside(&self, messages: &[Message], from: &str, batch: &Batch) -> Result<(), Failure> {
        if messages.is_empty() {
            return Ok(());
        }
        let now = clock::now();
        let is_all = |tenant: &TenantId| batch.seen.snapshot.slow.get(tenant).is_some_and(|slow| slow.has_all(now));
        for message in messages {
            let tenant = message.tenant_id.clone();
            let endpoint = (!is_all(&tenant)).then(|| message.endpoint_id.clone());
            self.shares.forget(from, &Holder { tenant, endpoint });
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
        tell("time", &row.tenant_id, Some(&row.endpoint_id), &note);
        Ok(())
    }

    /// Counts what a batch of the queue `from` held, and notes who held too much while others waited. A note that cannot be written
    /// is due again with the next batch.
    pub(crate) async fn count(&self, from: &str, held: &[Held], batch: &Batch) {
        if self.is_apart(from) {
            return;
        }
        let Some(holder) = self.shares.after(from, held, clock::now()) else { return };
        let slow = batch.seen.snapshot.slow.get(&holder.tenant).cloned().unwrap_or_default();
        let note = match &holder.endpoint {
            Some(endpoint) => slow.note(endpoint, clock::now()),
            None => slow.note_all(clock::now()),
        };
        let Some(note) = note else { return };
        match self.config.note_slow(&holder.tenant, &note).await {
            Ok(()) => {
                self.shares.forget(from, &holder);
                tell("share", &holder.tenant, holder.endpoint.as_ref(), &note);
            }
            Err(error) => {
                tracing::warn!(tenant_id = holder.tenant.as_str(), error = %error, "webhook.slowness_not_noted");
            }
        }
    }
}

/// Says who is slow, and why: an attempt took its time, or all of them too large a share.
fn tell(why: &str, tenant: &TenantId, endpoint: Option<&EndpointId>, note: &Note) {
    let (tenant_id, webhook_id) = (tenant.as_str(), endpoint.map(|endpoint| endpoint.as_str()));
    tracing::info!(webhook_id, tenant_id, why, all = note.endpoint.is_none(), "webhook.slow");
}
