//! Notices of deliveries that failed, to webhooks that ask for them by name.
//!
//! A notice is written in one transaction with what it tells of: both or neither, whatever dies. That costs twice as much as the
//! record alone, and an event that most tenants never ask for. So there is first a look whether anybody may ask for it, which a warm
//! process remembers. Where it fails the notice is written: one that nobody asks for goes to nobody.

use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_types::SdkConfig;
use jiff::Timestamp;
use postrider_domain::attempt::Attempt;
use postrider_domain::delivery::{Delivery, Reason, Status, Transition};
use postrider_domain::event::OwnType;
use postrider_domain::id::{EventId, TenantId};
use postrider_domain::own_event::OwnEvent;
use postrider_host::entropy;
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::remembered::RememberedByKey;
use tokio::time::timeout;

use crate::config_table::ConfigTable;
use crate::error::Failure;
use crate::events_table::EventsTable;

/// For how long it is known whether a tenant's webhooks ask for notices: one that begins to ask may miss those of so long.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Tenants of which it is known.
const MOST_TENANTS: usize = 2_000;
/// What a record waits for that look: only the record knows what the receiver said.
const PATIENCE: Duration = Duration::from_secs(1);

/// The row of an event that tells of one failure, to be put together with that.
pub struct Notice {
    pub(crate) event_id: EventId,
    pub(crate) put: TransactWriteItem,
}

/// Makes notices.
pub struct Notices {
    config: ConfigTable,
    events: EventsTable,
    retention: Retention,
    asked_for: RememberedByKey<bool, Failure>,
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
        Self { config, events, retention, asked_for: RememberedByKey::new(REMEMBERED, MOST_TENANTS) }
    }

    /// The notice of what this attempt's record makes of its delivery; none where that goes on or ends well, or where nobody is told.
    /// Whoever tries a record again tries it with the same notice.
    pub async fn of_record(&self, row: &Delivery, attempt: &Attempt, transition: &Transition) -> Option<Notice> {
        let reason = transition.reason.filter(|_| transition.status == Status::Failed)?;
        self.of_failure(row, Some(attempt), reason, attempt.ended_at()).await
    }

    /// The notice that a delivery is given up at `at`, by its row as it was read and the attempt, if any, that ends it; none where
    /// nobody is told.
    pub async fn of_failure(
        &self,
        row: &Delivery,
        last: Option<&Attempt>,
        reason: Reason,
        at: Timestamp,
    ) -> Option<Notice> {
        let event = OwnEvent::delivery_failed(row, last, reason, at)?;
        if !self.may_be_asked_for(&row.tenant_id).await {
            return None;
        }
        let event = event.into_event(entropy::bits128(), at, at.as_second() + self.retention.seconds);
        let put = self.events.put_in_transaction(&event);
        let put = put.inspect_err(|error| tracing::error!(delivery_id = row.id.as_str(), %error, "notice.unwritable"));
        Some(Notice { event_id: event.id, put: put.ok()? })
    }

    async fn may_be_asked_for(&self, tenant: &TenantId) -> bool {
        let notice = OwnType::DeliveryFailed.into();
        let look = async { self.config.is_asked_for(tenant, &notice).await.map(Some) };
        // Cut off as a whole: whoever waits for somebody else's look waits no longer than for his own.
        let looked = timeout(PATIENCE, self.asked_for.get(tenant.as_str(), look)).await;
        match looked.unwrap_or(Err(Failure::OutOfTime)) {
            Ok(asked_for) => asked_for != Some(false),
            Err(error) => {
                tracing::warn!(tenant_id = tenant.as_str(), %error, "notice.asked_for_or_not");
                true
            }
        }
    }
}

#[cfg(test)]
mod tests;
