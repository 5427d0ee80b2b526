//! What deliveries wait for that wait for their webhook as a whole, and when that is asked next whether it is back.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use postrider_aws::Failure;
use postrider_aws::config_table::ConfigTable;
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::parking::{Cause, Parking, State};
use postrider_domain::id::{EndpointId, TenantId};

const READS_AT_ONCE: usize = 16;

/// How the webhooks of some deliveries are parked, while they are.
#[derive(Debug, Default)]
pub(crate) struct Waits(BTreeMap<EndpointId, Parking>);

impl Waits {
    /// Of these deliveries of one tenant's, each webhook that one waits for read once; where none waits, none is.
    ///
    /// # Errors
    /// When a read failed. A webhook that cannot be read hides no delivery.
    pub(crate) async fn of(config: &ConfigTable, tenant: &TenantId, all: &[Delivery]) -> Result<Self, Failure> {
        let parked: BTreeSet<&EndpointId> =
            all.iter().filter(|row| row.is_parked()).map(|row| &row.endpoint_id).collect();
        let reads: Vec<_> = parked
            .into_iter()
            .map(|id| async move {
                let found = config.present_url(tenant, id).await;
                let found = found.or_else(|error| if error.is_unreadable() { Ok(None) } else { Err(error) })?;
                Ok::<_, Failure>(found.and_then(|found| found.parking).map(|parking| (id.clone(), parking)))
            })
            .collect();
        let found: Vec<_> = stream::iter(reads).buffer_unordered(READS_AT_ONCE).try_collect().await?;
        Ok(Self(found.into_iter().flatten().collect()))
    }

    /// Why this one waits, if it does.
    pub(crate) fn cause(&self, row: &Delivery) -> Option<Cause> {
        let parking = self.0.get(&row.endpoint_id);
        row.is_parked().then(|| parking.map_or(Cause::EndpointOutage, |parking| parking.cause))
    }

    /// When its next attempt is due; while it waits for its webhook, when that is asked next. Drained, it waits for its turn and for no
    /// probe.
    pub(crate) fn next_attempt_at(&self, row: &Delivery) -> Option<Timestamp> {
        if !row.is_parked() {
            return row.next_attempt_at;
        }
        let parking = self.0.get(&row.endpoint_id).filter(|parking| parking.state == State::Down);
        parking.map(|parking| parking.next_at)
    }
}
