//! What deliveries wait for that wait for their webhook as a whole, and when that is asked next whether it is back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::endpoint::parking::{Cause, Parking};
use postrider_domain::id::EndpointId;
use postrider_domain::waits;

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
        waits::cause(row, self.parking(row))
    }

    /// When its next attempt is due, or its webhook is asked next whether it is back.
    pub(crate) fn next_attempt_at(&self, row: &Delivery) -> Option<Timestamp> {
        waits::next_attempt_at(row, self.parking(row))
    }

    fn parking(&self, row: &Delivery) -> Option<&Parking> {
        self.0.get(&row.endpoint_id).copied()
    }
}
