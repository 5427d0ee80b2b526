//! Rows that producers put themselves: counted against their tenants' quotas as what comes by the API is, and never refused.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use postrider_aws::Failure;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::event_meter::{EventMeter, MOST_TENANTS};
use postrider_domain::event::Event;
use postrider_domain::id::TenantId;
use postrider_domain::quota::Quotas;
use postrider_host::deadline;
use postrider_host::remembered::RememberedByKey;

/// How long a tenant's quotas are good for: the API remembers them for as long.
const REMEMBERED: Duration = Duration::from_secs(45);
/// How long the stream's lane waits for all tenants together: whose quotas are not there by then is not counted.
const PATIENCE: Duration = Duration::from_secs(2);
const TENANTS_AT_ONCE: usize = 16;

/// Counts producers' rows.
pub(crate) struct Producers {
    config: ConfigTable,
    meter: EventMeter,
    quotas: RememberedByKey<Quotas, Failure>,
}

impl Producers {
    pub(crate) fn new(config: ConfigTable) -> Self {
        let quotas = RememberedByKey::new(REMEMBERED, MOST_TENANTS);
        Self { meter: EventMeter::new(config.clone()), quotas, config }
    }

    /// Counts those of a batch's events that nobody has counted yet. A batch that comes again is counted again: that errs towards
    /// the quota, and refuses nobody who stays below half of it.
    pub(crate) async fn count(&self, events: &[&Event]) {
        let mut uncounted: BTreeMap<&TenantId, u32> = BTreeMap::new();
        for event in events.iter().filter(|event| event.is_its_producers_own()) {
            *uncounted.entry(&event.tenant_id).or_default() += 1;
        }
        let each = stream::iter(uncounted).for_each_concurrent(TENANTS_AT_ONCE, |(tenant, events)| async move {
            let look_up = async { Ok(self.config.tenant_if_readable(tenant).await?.flatten().map(|it| it.quotas())) };
            match self.quotas.get(tenant.as_str(), look_up).await {
                Ok(Some(quotas)) => self.meter.count(tenant, quotas.event_rate(), events).await,
                // A tenant without a row that can be read has no quota to count against.
                Ok(None) => {}
                Err(error) => tracing::warn!(tenant_id = tenant.as_str(), error = %error, "quota.events_not_counted"),
            }
        });
        deadline::at_most(PATIENCE, each).await;
    }
}
