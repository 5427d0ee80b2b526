//! The quota of events: a tenant's own calls are refused beyond it, and what its provider publishes is counted.

use postrider_api::ApiError;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::event_meter::EventMeter;
use postrider_domain::event_rate::Passed;
use postrider_domain::id::TenantId;
use postrider_domain::quota::{Exceeded, Quotas};

use crate::publish::Producer;

/// Holds tenants to their quotas.
pub(crate) struct Quota {
    meter: EventMeter,
}

impl Quota {
    pub(crate) fn new(config: ConfigTable) -> Self {
        Self { meter: EventMeter::new(config) }
    }

    /// Room for so many events of one call.
    pub(crate) async fn admit(&self, producer: &Producer, events: usize) -> Room {
        let asked = u32::try_from(events).unwrap_or(u32::MAX);
        match producer {
            Producer::Tenant(tenant, _, rate) => {
                Room { passed: self.meter.pass(tenant, *rate, asked).await, limit: rate.per_second() }
            }
            Producer::Provider => Room { passed: Passed { events: asked, wait: None }, limit: u32::MAX },
        }
    }

    /// Counts an event that the provider has published for this tenant.
    pub(crate) async fn count(&self, tenant: &TenantId, quotas: &Quotas) {
        self.meter.count(tenant, quotas.event_rate(), 1).await;
    }
}

/// What a call may publish.
pub(crate) struct Room {
    passed: Passed,
    limit: u32,
}

impl Room {
    /// Room for one more event.
    ///
    /// # Errors
    /// 429 where there is none.
    pub(crate) fn next(&mut self) -> Result<(), ApiError> {
        match self.passed.events.checked_sub(1) {
            Some(left) => {
                self.passed.events = left;
                Ok(())
            }
            None => Err(self.exceeded().into()),
        }
    }

    /// When to come again, in seconds, where there is not room for all.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.passed.wait.map(|_| self.exceeded().retry_after_seconds())
    }

    fn exceeded(&self) -> Exceeded {
        let quota = postrider_domain::quota::Quota::EventsPerSecond;
        let retry_after = self.passed.wait.unwrap_or_default();
        Exceeded { quota, limit: u64::from(self.limit), retry_after }
    }
}
