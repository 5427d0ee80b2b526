//! Which of a tenant's endpoints keep connections waiting.
//!
//! A receiver that answers nothing occupies a connection, a place in a batch and a running function for its whole
//! time-out. Whoever does that is remembered for ten minutes, and meanwhile everything for it goes by the queue of slow endpoints,
//! whose functions are neither those of first attempts nor those of retries. Its deliveries are made all the same; nobody else waits
//! for them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use crate::id::{EndpointId, TenantId};

/// How long an attempt may take before its endpoint counts as slow; a time-out counts whenever it comes. Long before most
/// time-outs, since what is published until then still stands among first attempts.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// How long it is remembered, in seconds.
const REMEMBERED: i64 = 10 * 60;
/// Endpoints of one tenant that are remembered at once: what a single read unit holds. A tenant who has more of them is
/// slow as a whole: his other endpoints wait behind them, and no other tenant's do.
const MOST: usize = 64;
/// Parked endpoints of one tenant that fan-out is told of at once, beside those: what is for the others is parked one by one.
const MOST_PARKED: usize = 24;

/// A tenant's slow endpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlowEndpoints {
    until: BTreeMap<EndpointId, i64>,
    /// Until when all of them count as slow.
    all_until: Option<i64>,
    /// Those for which what is new is parked.
    parked: BTreeMap<EndpointId, ParkedHint>,
}

/// That what is new for an endpoint is parked at once. Whoever does not know sends a message, and it is parked by whoever takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParkedHint {
    /// Until when this holds, in seconds since 1970.
    pub until: i64,
    /// For how long a delivery waits at the most, in seconds.
    pub horizon: i64,
}

/// Slow endpoints by tenant. One that is missing has none, or was not read in time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlowByTenant(HashMap<TenantId, SlowEndpoints>);

impl SlowByTenant {
    /// A tenant's.
    pub fn of(&self, tenant: &TenantId) -> Option<&SlowEndpoints> {
        self.0.get(tenant)
    }

    /// For how long what is new for this endpoint is parked now, if it is.
    pub fn parks(&self, tenant: &TenantId, endpoint: &EndpointId, now: Timestamp) -> Option<Duration> {
        let hint = self.of(tenant)?.parked.get(endpoint).filter(|hint| now.as_second() < hint.until)?;
        Some(Duration::from_secs(hint.horizon.unsigned_abs()))
    }

    /// Whether this endpoint of this tenant's counts as slow now.
    pub fn has(&self, tenant: &TenantId, endpoint: &EndpointId, now: Timestamp) -> bool {
        self.of(tenant).is_some_and(|slow| slow.has(endpoint, now))
    }
}

impl Extend<(TenantId, SlowEndpoints)> for SlowByTenant {
    fn extend<T: IntoIterator<Item = (TenantId, SlowEndpoints)>>(&mut self, rows: T) {
        self.0.extend(rows);
    }
}

/// What is to be written for an endpoint that was slow just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Who: one endpoint, or all of the tenant's.
    pub endpoint: Option<EndpointId>,
    /// Until when it counts as slow, in seconds since 1970.
    pub until: i64,
    /// Who no longer does, to be removed along with it.
    pub over: Vec<EndpointId>,
}

impl SlowEndpoints {
    /// From what was written: until when each counts as slow, in seconds since 1970.
    pub fn new(until: impl IntoIterator<Item = (EndpointId, i64)>, all_until: Option<i64>) -> Self {
        Self { until: until.into_iter().collect(), all_until, parked: BTreeMap::new() }
    }

    /// The same beside what was written of parked endpoints.
    #[must_use]
    pub fn parking(self, parked: impl IntoIterator<Item = (EndpointId, ParkedHint)>) -> Self {
        Self { parked: parked.into_iter().collect(), ..self }
    }

    /// Whose hints are over, if there is room for one of this endpoint's beside the others; nothing where there is none.
    pub fn room_to_park(&self, endpoint: &EndpointId, now: Timestamp) -> Option<Vec<EndpointId>> {
        let is_over = |other: &EndpointId, hint: &ParkedHint| other != endpoint && hint.until <= now.as_second();
        let over: Vec<EndpointId> =
            self.parked.iter().filter(|(other, hint)| is_over(other, hint)).map(|(other, _)| other.clone()).collect();
        let others = self.parked.len() - over.len() - usize::from(self.parked.contains_key(endpoint));
        (others < MOST_PARKED).then_some(over)
    }

    /// Whether this endpoint counts as slow now.
    pub fn has(&self, endpoint: &EndpointId, now: Timestamp) -> bool {
        self.until.get(endpoint).copied().max(self.all_until).is_some_and(|until| now.as_second() < until)
    }

    /// Whether all of the tenant's endpoints count as slow now.
    pub fn has_all(&self, now: Timestamp) -> bool {
        self.all_until.is_some_and(|until| now.as_second() < until)
    }

    /// What to write for a tenant all of whose endpoints together hold too much; nothing when that was written less than half its time
    /// ago.
    pub fn note_all(&self, now: Timestamp) -> Option<Note> {
        let now = now.as_second();
        let is_known = self.all_until.is_some_and(|until| until - now > REMEMBERED / 2);
        (!is_known).then(|| Note { endpoint: None, until: now + REMEMBERED, over: self.over(now) })
    }

    /// Who counts as slow no more.
    fn over(&self, now: i64) -> Vec<EndpointId> {
        self.until.iter().filter(|(_, until)| **until <= now).map(|(endpoint, _)| endpoint.clone()).collect()
    }

    /// What to write for an endpoint that was slow just now; nothing when that was written less than half its time ago.
    pub fn note(&self, endpoint: &EndpointId, now: Timestamp) -> Option<Note> {
        let (now, half) = (now.as_second(), REMEMBERED / 2);
        if self.until.get(endpoint).copied().max(self.all_until).is_some_and(|until| until - now > half) {
            return None;
        }
        let over: Vec<EndpointId> = self.over(now).into_iter().filter(|other| other != endpoint).collect();
        let is_new = !self.until.contains_key(endpoint);
        let is_one_too_many = is_new && self.until.len() - over.len() >= MOST;
        Some(Note { endpoint: (!is_one_too_many).then(|| endpoint.clone()), until: now + REMEMBERED, over })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn endpoint(n: u64) -> EndpointId {
        EndpointId::new(Timestamp::UNIX_EPOCH, n)
    }

    #[test]
    fn an_endpoint_is_slow_for_ten_minutes() {
        let note = SlowEndpoints::default().note(&endpoint(1), at(1000)).unwrap();
        let slow = SlowEndpoints::new([(endpoint(1), note.until)], None);
        assert!(slow.has(&endpoint(1), at(1599)));
        assert!(!slow.has(&endpoint(1), at(1600)));
        assert!(!slow.has(&endpoint(2), at(1001)));
    }

    #[test]
    fn one_that_stays_slow_is_written_again_only_after_half_its_time() {
        let slow = SlowEndpoints::new([(endpoint(1), 1600)], None);
        assert_eq!(slow.note(&endpoint(1), at(1299)), None);
        assert_eq!(slow.note(&endpoint(1), at(1300)).unwrap().until, 1900);
    }

    #[test]
    fn a_tenant_who_holds_too_much_is_slow_with_all_that_he_has() {
        let note = SlowEndpoints::new([(endpoint(1), 900)], None).note_all(at(1000)).unwrap();
        assert_eq!((note.endpoint, note.over), (None, vec![endpoint(1)]));
        let slow = SlowEndpoints::new([], Some(note.until));
        assert!(slow.has(&endpoint(7), at(1599)) && slow.has_all(at(1599)) && !slow.has_all(at(1600)));
        assert_eq!((slow.note_all(at(1299)), slow.note_all(at(1300)).is_some()), (None, true));
    }

    #[test]
    fn who_is_slow_no_more_goes_when_the_next_one_comes() {
        let slow = SlowEndpoints::new([(endpoint(1), 1000), (endpoint(2), 1001)], None);
        assert_eq!(slow.note(&endpoint(3), at(1000)).unwrap().over, [endpoint(1)]);
        assert_eq!(slow.note(&endpoint(1), at(1000)).unwrap().over, []);
    }

    #[test]
    fn a_tenant_of_more_slow_endpoints_than_a_read_unit_holds_is_slow_as_a_whole() {
        let list: Vec<_> = (0..MOST as u64).map(|n| (endpoint(n), 2000)).collect();
        let full = SlowEndpoints::new(list.clone(), None);
        let note = full.note(&endpoint(99), at(1000)).unwrap();
        assert_eq!((note.endpoint, note.until), (None, 1600));
        assert_eq!(full.note(&endpoint(3), at(1900)).unwrap().endpoint, Some(endpoint(3)));
        assert_eq!(
            full.note(&endpoint(99), at(2000)).unwrap().endpoint,
            Some(endpoint(99)),
            "those that are over make room"
        );

        let whole = SlowEndpoints::new(list, Some(note.until));
        assert!(whole.has(&endpoint(99), at(1599)) && whole.has(&endpoint(100), at(1001)));
        assert_eq!(whole.note(&endpoint(100), at(1001)), None);
        assert!(!whole.has(&endpoint(99), at(1600)));
    }
}
