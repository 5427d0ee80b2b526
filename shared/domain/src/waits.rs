//! What a delivery waits for that waits for its webhook as a whole.

use jiff::Timestamp;

use crate::delivery::Delivery;
use crate::endpoint::parking::{Cause, Parking, State};

/// Why a delivery waits, if it does, by how its webhook is parked, as far as that is known.
pub fn cause(row: &Delivery, parking: Option<&Parking>) -> Option<Cause> {
    row.is_parked().then(|| parking.map_or(Cause::EndpointOutage, |parking| parking.cause))
}

/// When its next attempt is due; while it waits for its webhook, when that is asked next whether it is back. Drained, it waits for its
/// turn and for no probe.
pub fn next_attempt_at(row: &Delivery, parking: Option<&Parking>) -> Option<Timestamp> {
    if !row.is_parked() {
        return row.next_attempt_at;
    }
    parking.filter(|parking| parking.state == State::Down).map(|parking| parking.next_at)
}
