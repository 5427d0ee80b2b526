//! Counts tenants' events in a warm process, and settles them with each tenant's row now and then.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use postrider_domain::event_rate::{EventRate, Passed, Tally};
use postrider_domain::id::TenantId;
use postrider_host::{clock, deadline};

use crate::config_table::ConfigTable;

/// Tenants that a process counts at once. Beyond that all are forgotten: each may then get again what a process does not settle.
pub const MOST_TENANTS: usize = 2_000;
/// How long a call waits for its tenant's row. Nobody is refused because it cannot be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a process has counted.
pub struct EventMeter {
    config: ConfigTable,
    tallies: Mutex<HashMap<TenantId, Tally>>,
}

impl EventMeter {
    /// Over the config table.
    pub fn new(config: ConfigTable) -> Self {
        Self { config, tallies: Mutex::default() }
    }

    /// Lets pass as many of a tenant's events as its quota has room for.
    pub async fn pass(&self, tenant: &TenantId, rate: EventRate, events: u32) -> Passed {
        self.settle_if_due(tenant, rate, events).await;
        let passed = self.of(tenant, |tally| tally.pass(rate, events, clock::now()));
        if let Some(wait) = passed.wait {
            let (tenant_id, wait_ms) = (tenant.as_str(), wait.as_millis());
            tracing::info!(tenant_id, passed = passed.events, of = events, wait_ms, "quota.events_refused");
        }
        passed
    }

    /// Counts a tenant's events that are not refused, whatever the quota.
    pub async fn count(&self, tenant: &TenantId, rate: EventRate, events: u32) {
        self.settle_if_due(tenant, rate, 0).await;
        self.of(tenant, |tally| tally.count(rate, events, clock::now()));
    }

    async fn settle_if_due(&self, tenant: &TenantId, rate: EventRate, own: u32) {
        let now = clock::now();
        let (due, before) = self.of(tenant, |tally| (tally.take_due(rate, own, now), tally.seen(rate)));
        let Some(unsettled) = due else { return };
        // Beside the request: that this was written says nothing about whether the request has.
        let write = deadline::beside(self.config.settle_events(tenant, rate, unsettled, (before, now)));
        match tokio::time::timeout(PATIENCE, write).await {
            Ok(Ok(until)) => self.of(tenant, |tally| tally.settled(until, rate)),
            Ok(Err(error)) => {
                tracing::warn!(tenant_id = tenant.as_str(), error = %error, "quota.events_not_settled");
                self.of(tenant, |tally| tally.not_settled(unsettled, now));
            }
            Err(_) => {
                tracing::warn!(tenant_id = tenant.as_str(), "quota.events_not_answered");
                self.of(tenant, |tally| tally.may_be_settled(now));
            }
        }
    }

    fn of<T>(&self, tenant: &TenantId, act: impl FnOnce(&mut Tally) -> T) -> T {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        if tallies.len() >= MOST_TENANTS && !tallies.contains_key(tenant) {
            tallies.clear();
        }
        act(tallies.entry(tenant.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_with;

    use jiff::Timestamp;
    use replay::{Said, Script};

    use super::*;
    use crate::sdk;

    fn tenant(n: u64) -> TenantId {
        TenantId::new(Timestamp::UNIX_EPOCH, n)
    }

    fn meter(script: &Script) -> EventMeter {
        EventMeter::new(ConfigTable::of(&script.sdk(sdk::over), "config"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_whose_row_cannot_be_written_is_not_refused_for_that() {
        let script = Script::default().saying("UpdateItem", repeat_with(Said::throttled));
        let meter = meter(&script);
        let mut passed = 0;
        for _ in 0..4 {
            passed += meter.pass(&tenant(1), EventRate::new(10), 25).await.events;
        }
        assert_eq!(passed, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_that_does_not_answer_costs_a_call_one_second() {
        let script = Script::default().saying("UpdateItem", [Said::done().after(3_600)]);
        let meter = meter(&script);
        let begun = tokio::time::Instant::now();
        for _ in 0..2 {
            assert_eq!(meter.pass(&tenant(1), EventRate::new(10), 25).await.events, 25);
        }
        assert_eq!(begun.elapsed().as_secs(), 1);
    }

    #[tokio::test]
    async fn tenants_are_counted_apart_and_so_many_at_the_most() {
        let script = Script::default().saying("UpdateItem", repeat_with(Said::done));
        let meter = meter(&script);
        for n in 0..10 {
            assert_eq!(meter.pass(&tenant(n), EventRate::new(1), 25).await.events, 25);
            assert_eq!(meter.pass(&tenant(n), EventRate::new(1), 25).await.events, 0);
        }
        for n in 0..3 * MOST_TENANTS as u64 {
            meter.count(&tenant(n), EventRate::new(1), 1).await;
            assert!(meter.tallies.lock().unwrap().len() <= MOST_TENANTS);
        }
    }
}
