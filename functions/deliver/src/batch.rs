//! A batch of attempts: what it was told, until when it must be done, and what it has noted about endpoints.

use std::time::Duration;

use jiff::Timestamp;
use postrider_domain::delivery::Delivery;
use postrider_domain::id::EndpointId;
use postrider_domain::snapshot::Snapshot;
use postrider_host::{clock, deadline};

use crate::health::Fact;
use crate::noted::Noted;

/// Time that must be left after an attempt's time-out, so that its outcome can be recorded.
pub const MARGIN: Duration = Duration::from_secs(15);

/// How old a read may be when a POST starts: what was asked for since is seen before the next one.
const FRESH: Duration = Duration::from_secs(1);

/// Rows, and since when they may be out of date, by the wall clock: a frozen function's other clocks stand still.
pub(crate) struct Seen {
    pub(crate) snapshot: Snapshot,
    since: Timestamp,
}

impl Seen {
    /// Rows that were asked for at this time.
    pub(crate) fn since(at: Timestamp, snapshot: Snapshot) -> Self {
        Self { snapshot, since: at }
    }

    /// Rows that were asked for once all else was there. However slow AWS is, nothing newer can be had: they count from when
    /// they came.
    pub(crate) fn anew(snapshot: Snapshot) -> Self {
        Self { snapshot, since: clock::now() }
    }

    /// Whether nothing may be sent on the strength of it any more.
    pub(crate) fn is_too_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.since).unsigned_abs() > FRESH
    }
}

/// What the attempts of a batch share.
pub(crate) struct Batch {
    pub(crate) seen: Seen,
    pub(crate) slow: Noted<EndpointId>,
    pub(crate) health: Noted<(Fact, EndpointId)>,
    pub(crate) paused: Noted<EndpointId>,
    pub(crate) parked: Noted<EndpointId>,
}

impl Batch {
    pub(crate) fn new(seen: Seen) -> Self {
        Self {
            seen,
            slow: Noted::default(),
            health: Noted::default(),
            paused: Noted::default(),
            parked: Noted::default(),
        }
    }

    /// Whether a delivery's endpoint counts as slow, by what was read or by what this batch has seen since.
    pub(crate) fn is_slow(&self, row: &Delivery) -> bool {
        let known = &self.seen.snapshot.slow;
        known.has(&row.tenant_id, &row.endpoint_id, clock::now()) || self.slow.has(&row.endpoint_id)
    }

    /// Whether an attempt that starts now can time out and still be recorded.
    pub(crate) fn has_time_for(timeout: Duration) -> bool {
        deadline::left() >= timeout + MARGIN
    }
}
