//! Notices of deliveries that failed: for webhooks that ask for them by name, and on the stack's bus.
//!
//! The first of a webhook's failures has a notice of its own, which is written in one transaction with what it tells of: both or neither,
//! whatever dies. Those that follow within a minute are counted, and told of together (`domain::failures` has the rules). Where nobody can
//! say which it is, a failure is told of at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_types::SdkConfig;
use jiff::Timestamp;
use postrider_domain::attempt::Attempt;
use postrider_domain::delivery::{Delivery, Reason, Status, Transition};
use postrider_domain::event::Event;
use postrider_domain::failures::Known;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::own_event::OwnEvent;
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::{clock, entropy};
use tokio::time::timeout;

use crate::config_table::ConfigTable;
use crate::deliveries_table::DeliveriesTable;
use crate::error::Failure;
use crate::events_table::EventsTable;
use crate::tell::Notice;
pub use crate::tell::Tell;

/// Tenants of which a process remembers that their failures are counted.
const MOST_TENANTS: usize = 2_000;
/// What a record waits to be told whether it is told of at once: only the record knows what the receiver said.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often others may claim something just when this process does.
const TRIES: usize = 3;
/// For how long what is known of a tenant's failures outlasts what was counted last.
const KEPT_SECONDS: i64 = 7 * 24 * 3600;

type Remembered = Arc<tokio::sync::Mutex<Option<Known>>>;

/// Makes notices.
pub struct Notices {
    config: ConfigTable,
    events: EventsTable,
    retention: Retention,
    /// Each held by whoever asks about that tenant: the others then know what he was told.
    known: Mutex<HashMap<TenantId, Remembered>>,
}

impl Notices {
    /// From `CONFIG_TABLE`, `EVENTS_TABLE` and `RETENTION_DAYS`.
    ///
    /// # Errors
    /// When a setting is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::of(ConfigTable::from_env(sdk)?, EventsTable::from_env(sdk)?, env::retention()?))
    }

    /// Made of these parts.
    pub fn of(config: ConfigTable, events: EventsTable, retention: Retention) -> Self {
        Self { config, events, retention, known: Mutex::default() }
    }

    /// How what this attempt's record makes of its delivery is told of. Whoever tries a record again tries it with the same.
    pub async fn of_record(&self, row: &Delivery, attempt: &Attempt, transition: &Transition) -> Tell {
        match transition.reason.filter(|_| transition.status == Status::Failed) {
            Some(reason) => self.of_failure(row, Some(attempt), reason, attempt.ended_at()).await,
            None => Tell::Nobody,
        }
    }

    /// How it is told of that a delivery is given up at `at`, by its row as it was read and the attempt, if any, that ends it.
    pub async fn of_failure(&self, row: &Delivery, last: Option<&Attempt>, reason: Reason, at: Timestamp) -> Tell {
        let Some(event) = OwnEvent::delivery_failed(row, last, reason, at) else { return Tell::Nobody };
        let (tenant, webhook) = (&row.tenant_id, &row.endpoint_id);
        // Cut off as a whole: whoever waits for somebody else's look waits no longer than for his own.
        let claimed = timeout(PATIENCE, self.claims(tenant, webhook, clock::now())).await;
        match claimed.unwrap_or(Err(Failure::OutOfTime)) {
            Ok(true) => {}
            Ok(false) => return Tell::Together,
            Err(error) => tracing::warn!(tenant_id = tenant.as_str(), %error, "notice.not_claimed"),
        }
        let (event, put) = match self.put(event, at) {
            Ok(put) => put,
            Err(error) => {
                tracing::error!(delivery_id = row.id.as_str(), %error, "notice.unwritable");
                return Tell::Nobody;
            }
        };
        Tell::AtOnce(Box::new(Notice { event_id: event.id, put }))
    }

    /// Whether a webhook is told of at once; if not, it is said that its failures are counted.
    async fn claims(&self, tenant: &TenantId, webhook: &EndpointId, now: Timestamp) -> Result<bool, Failure> {
        let remembered = self.remembered(tenant);
        let mut known = remembered.lock().await;
        if known.as_ref().is_some_and(|known| known.counts(webhook, now)) {
            return Ok(false);
        }
        let mut there = self.config.failures(tenant).await?;
        for _ in 0..TRIES {
            let Some(told) = there.telling.at_once(webhook, now) else { break };
            match self.config.claim_notice(tenant, &there, &told, self.kept_until(now)).await? {
                Ok(()) => return Ok(true),
                Err(others) => there = others,
            }
        }
        *known = Some(Known::new(now, self.config.count_failures(tenant, now, self.kept_until(now)).await?));
        Ok(false)
    }

    fn remembered(&self, tenant: &TenantId) -> Remembered {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_TENANTS && !known.contains_key(tenant) {
            known.clear();
        }
        Arc::clone(known.entry(tenant.clone()).or_default())
    }

    /// Counts what failed of a tenant's and is settled, and tells of it; how many notices that makes.
    ///
    /// # Errors
    /// When a call failed; the next look does it again.
    pub async fn tell_together(&self, tenant: &TenantId, deliveries: &DeliveriesTable) -> Result<usize, Failure> {
        let now = clock::now();
        let mut before = self.config.failures(tenant).await?;
        let Some(look) = before.telling.look(now) else { return Ok(0) };
        let (tally, look) = deliveries.count_failed(tenant, look).await?;
        for _ in 0..TRIES {
            let (named, others) = before.telling.named(tally.clone(), now);
            let after = before.telling.after(look, &named, now);
            let told = named.iter().map(|group| OwnEvent::deliveries_failed(tenant.clone(), group));
            let told = told.chain(others.iter().map(|others| OwnEvent::others_failed(tenant.clone(), others)));
            let puts: Vec<TransactWriteItem> =
                told.map(|event| Ok(self.put(event, now)?.1)).collect::<Result<_, Failure>>()?;
            let number = puts.len();
            let written = self.config.tell_failures(tenant, (&before, &after), puts, self.kept_until(now)).await?;
            if written == crate::Recorded::Yes {
                return Ok(number);
            }
            // Somebody has claimed or counted meanwhile; where somebody has told, that is no look of ours any more.
            before = self.config.failures(tenant).await?;
            if before.telling.look(now).is_none_or(|again| again.from != look.from) {
                return Ok(0);
            }
        }
        Err(Failure::Overtaken("what is known of a tenant's failures"))
    }

    fn put(&self, event: OwnEvent, at: Timestamp) -> Result<(Event, TransactWriteItem), Failure> {
        let event = event.into_event(entropy::bits128(), at, at.as_second() + self.retention.seconds);
        let put = self.events.put_in_transaction(&event)?;
        Ok((event, put))
    }

    /// Longer than any delivery that is counted, or what is told already would be told anew.
    fn kept_until(&self, now: Timestamp) -> i64 {
        now.as_second() + self.retention.seconds + KEPT_SECONDS
    }
}

#[cfg(test)]
mod tests;
