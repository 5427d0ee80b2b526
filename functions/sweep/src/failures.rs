//! Failed deliveries that are told of together: counted for each tenant of whose failures some are.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use postrider_aws::config_table::ConfigTable;
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::notices::Notices;
use postrider_aws::sdk::SdkConfig;
use postrider_domain::id::TenantId;
use postrider_host::env::BadSetting;
use postrider_host::metrics::{self, Metric};
use postrider_host::{deadline, entropy};

use crate::done::{Failures as Failed, Swept};

/// What a tenant's look takes at the most. With less left, none is begun.
const FOR_A_LOOK: Duration = Duration::from_secs(5);
const LOOKS_AT_ONCE: usize = 8;

/// Tells of failures.
pub(crate) struct Failures {
    config: ConfigTable,
    deliveries: DeliveriesTable,
    notices: Notices,
}

impl Failures {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            config: ConfigTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            notices: Notices::from_env(sdk)?,
        })
    }

    /// Tells each tenant in the list of what failed, as far as the time goes, from another one on each time; how many notices that
    /// made.
    pub(crate) async fn tell_all(&self) -> Swept<usize> {
        let mut failures = Failed::default();
        let mut tenants = match self.config.counted_tenants().await {
            Ok(tenants) => tenants,
            Err(error) => {
                failures.add(error);
                return failures.beside(0);
            }
        };
        if !tenants.is_empty() {
            let first = usize::try_from(entropy::bits64() % tenants.len() as u64).unwrap_or_default();
            tenants.rotate_left(first);
        }
        let looks = stream::iter(&tenants).map(|tenant| self.tell(tenant)).buffer_unordered(LOOKS_AT_ONCE);
        let mut told = 0;
        for look in looks.collect::<Vec<_>>().await {
            match look {
                Ok(notices) => told += notices,
                Err(error) => failures.add(error),
            }
        }
        metrics::count(Metric::AcceptedEvents, told);
        failures.beside(told)
    }

    async fn tell(&self, tenant: &TenantId) -> Result<usize, postrider_aws::Failure> {
        if deadline::left() <= FOR_A_LOOK {
            return Ok(0);
        }
        let told = deadline::at_most(FOR_A_LOOK, self.notices.tell_together(tenant, &self.deliveries)).await;
        let tenant_id = tenant.as_str();
        match &told {
            Ok(0) => {}
            Ok(notices) => tracing::info!(tenant_id, notices, "sweep.failures_told"),
            Err(error) => tracing::error!(tenant_id, %error, "sweep.failures_not_told"),
        }
        told
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::iter::repeat_with;

    use jiff::{SignedDuration, Timestamp};
    use postrider_domain::id::{DeliveryId, EndpointId, EventId};
    use postrider_domain::time;
    use postrider_host::clock;
    use replay::{Said, Script, keyed};
    use serde_json::{Value, json};

    use super::*;
    use crate::sample;

    pub(crate) fn failures(script: &Script) -> Failures {
        let sdk = script.sdk(postrider_aws::sdk::over);
        let (config, deliveries) = (ConfigTable::of(&sdk, "config"), DeliveriesTable::of(&sdk, "deliveries"));
        Failures { config, deliveries, notices: sample::notices(script) }
    }

    fn tenant(number: u64) -> TenantId {
        TenantId::new(Timestamp::UNIX_EPOCH, number)
    }

    /// An AWS in which of these tenants' deliveries one failed two minutes ago each.
    fn script(tenants: &[u64]) -> Script {
        let ago = time::wire(clock::now() - SignedDuration::from_secs(120));
        let listed: Vec<Value> = tenants.iter().map(|number| json!({"sk": tenant(*number)})).collect();
        let id = DeliveryId::new(Timestamp::UNIX_EPOCH, &EndpointId::new(Timestamp::UNIX_EPOCH, 1), &EventId::fresh(1));
        let failed = move || Said::rows(&[json!({"id": id, "due_at": ago})]);
        let known = |number: &u64| {
            let row = json!({"counted_at": time::wire(clock::now()), "changed_by": "us"});
            keyed(format!("TENANT#{}", tenant(*number)), "FAILURES", &row)
        };
        Script::default()
            .saying_about("Query", "FAILURES", [Said::rows(&listed)])
            .holding("config", tenants.iter().map(known))
            .saying_about("Query", "#7\"", repeat_with(failed))
            .saying("Query", repeat_with(|| Said::rows::<Value>(&[])))
    }

    #[tokio::test(start_paused = true)]
    async fn each_tenant_is_told_and_what_fails_at_one_is_no_others() {
        let throttled = Said::throttled();
        let script = script(&[1, 2, 3])
            .saying_about("TransactWriteItems", tenant(2).as_str(), repeat_with(move || throttled.clone()))
            .saying("TransactWriteItems", repeat_with(Said::done));
        let swept = failures(&script).tell_all().await;
        assert_eq!((swept.done, swept.failure.is_some()), (2, true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_is_begun_only_where_there_is_time_for_it() {
        let script = script(&[1]);
        let swept = deadline::at_most(FOR_A_LOOK, failures(&script).tell_all()).await;
        assert_eq!((swept.done, swept.failure.is_none()), (0, true));
        assert!(script.asked("GetItem").is_empty());
    }
}
