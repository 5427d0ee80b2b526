//! What deliveries wait for that wait for their webhook as a whole, and when that is asked next whether it is back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::endpoint::parking::{Cause, Parking, State};
use postrider_domain::id::EndpointId;

/// How the webhooks of some deliveries are parked, while they are.
#[derive(Debug, Default)]
pub(crate) struct Waits<'a>(BTreeMap<&'a EndpointId, &'a Parking>);

impl<'a> Waits<'a> {
    /// As these webhooks say, all of one tenant. Of one that is not among them the time is not told.
    pub(crate) fn of(endpoints: impl Iterator<Item = (&'a EndpointId, &'a Endpoint)>) -> Self {
        Self(endpoints.filter_map(|(id, endpoint)| Some((id, endpoint.parking.as_ref()?))).collect())
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
