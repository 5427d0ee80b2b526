//! How many requests a second an endpoint takes: a limit of its owner's, kept by all functions together.
//!
//! A row for each limited endpoint holds the next slot that is free (a generic cell rate, GCRA). A batch takes as many slots as it
//! has messages for the endpoint, with one write. Whoever's slot is now is sent; the others wait for theirs in a queue, which is no
//! attempt. One second's worth may be sent at once. A slot that nobody uses is lost, and costs the endpoint that much time.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// Requests a second; 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct RateLimit(u32);

/// The highest limit.
pub const MOST: u32 = 1_000;
/// How late a message may come to its slot. Queues count whole seconds; after more than that the slot is somebody else's time.
pub const LATEST: Duration = Duration::from_secs(2);

impl RateLimit {
    /// What an owner is told who sets something else.
    pub const EXPECTED: &str = "a whole number of requests a second, 1 to 1000";

    /// Requests a second.
    pub fn per_second(self) -> u32 {
        self.0
    }

    /// Between two slots, in microseconds: rounded up, so that no second has one more than the limit.
    fn interval(self) -> i64 {
        1_000_000_i64.div_euclid(i64::from(self.0)) + i64::from(1_000_000 % self.0 > 0)
    }

    /// So many slots, from `now` on.
    pub fn claim(self, messages: usize, now: Timestamp) -> Claim {
        let burst = i64::from(self.0 - 1) * self.interval();
        let interval = self.interval();
        Claim {
            earliest: now.as_microsecond() - burst,
            interval,
            messages: i64::try_from(messages).unwrap_or(i64::MAX),
        }
    }
}

impl TryFrom<u32> for RateLimit {
    type Error = Invalid;

    fn try_from(per_second: u32) -> Result<Self, Invalid> {
        if (1..=MOST).contains(&per_second) {
            return Ok(Self(per_second));
        }
        Err(Invalid::new("rate_limit", Self::EXPECTED))
    }
}

impl From<RateLimit> for u32 {
    fn from(limit: RateLimit) -> Self {
        limit.0
    }
}

/// What a batch asks an endpoint's row for. Times are in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The earliest slot that may still be given: who sent nothing for a while has a second's worth, and no more.
    pub earliest: i64,
    interval: i64,
    messages: i64,
}

impl Claim {
    /// By how much the row's next free slot moves on.
    pub fn takes(&self) -> i64 {
        self.interval.saturating_mul(self.messages)
    }

    /// What the row holds after this claim, from what it held before.
    pub fn next_free(&self, before: Option<i64>) -> i64 {
        before.map_or(self.earliest, |next| next.max(self.earliest)).saturating_add(self.takes())
    }

    /// The slots, from what the row holds after the claim.
    pub fn slots(&self, next_free: i64) -> Vec<Timestamp> {
        let first = next_free - self.takes();
        let slot = |n| Timestamp::from_microsecond(first.saturating_add(n * self.interval)).unwrap_or(Timestamp::MAX);
        (0..self.messages).map(slot).collect()
    }
}

/// What is to be done with a message for a limited endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Its slot is now.
    Now,
    /// It has none that is still good.
    Ask,
    /// Its slot is to come.
    Wait(Timestamp),
}

/// What a message's slot says at `now`.
pub fn turn(slot: Option<Timestamp>, now: Timestamp) -> Turn {
    match slot {
        None => Turn::Ask,
        Some(slot) if slot > now => Turn::Wait(slot),
        Some(slot) if now.duration_since(slot).unsigned_abs() <= LATEST => Turn::Now,
        Some(_) => Turn::Ask,
    }
}

/// The longest delay of a queue.
pub const LONGEST_DELAY: Duration = Duration::from_secs(900);

/// How long a message waits in a queue for its slot: whole seconds, and no less than it takes. One whose slot is further off comes
/// back before, and waits again.
pub fn delay(slot: Timestamp, now: Timestamp) -> Duration {
    let wait = Duration::try_from(slot.duration_since(now)).unwrap_or_default();
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Duration::from_secs(seconds.max(1)).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    fn limit(per_second: u32) -> RateLimit {
        per_second.try_into().unwrap()
    }

    /// Sends so many messages for one endpoint by functions that take ten at a time, all there at once; when each was sent.
    fn sent(per_second: u32, messages: usize, functions: usize) -> Vec<i64> {
        let (limit, mut next, mut sent) = (limit(per_second), None, Vec::new());
        // By when each is visible: its slot, if it has one.
        let mut queue: BTreeMap<(i64, usize), Option<Timestamp>> = (0..messages).map(|n| ((0, n), None)).collect();
        let mut now = 0;
        while sent.len() < messages {
            for _ in 0..functions {
                let batch: Vec<(i64, usize)> = queue.range(..(now + 1, 0)).take(10).map(|(key, _)| *key).collect();
                let batch: Vec<_> = batch.into_iter().map(|key| (key.1, queue.remove(&key).unwrap())).collect();
                let (asking, slotted): (Vec<_>, Vec<_>) =
                    batch.into_iter().partition(|(_, slot)| turn(*slot, at(now)) == Turn::Ask);
                let claim = limit.claim(asking.len(), at(now));
                if !asking.is_empty() {
                    next = Some(claim.next_free(next));
                }
                let given = asking.iter().map(|(n, _)| *n).zip(claim.slots(next.unwrap_or_default()));
                for (n, slot) in slotted.into_iter().map(|(n, slot)| (n, slot.unwrap())).chain(given) {
                    if slot <= at(now) {
                        sent.push(now);
                    } else {
                        let seen = now + i64::try_from(delay(slot, at(now)).as_millis()).unwrap();
                        queue.insert((seen, n), Some(slot));
                    }
                }
            }
            now += 50;
        }
        sent
    }

    #[test]
    fn five_a_second_are_five_a_second_whoever_sends_them() {
        for functions in [1, 2, 10] {
            let sent = sent(5, 200, functions);
            assert_eq!(sent.len(), 200, "none is dropped");
            assert_eq!(sent[0], 0, "the first at once");
            for window in [(1_000, 10), (10_000, 55)] {
                let most =
                    sent.iter().map(|from| sent.iter().filter(|at| (*from..*from + window.0).contains(*at)).count());
                assert!(most.max().unwrap() <= window.1, "{functions} functions, {window:?}");
            }
            assert!(*sent.last().unwrap() <= 42_000, "and no slower than the limit: {:?}", sent.last());
        }
    }

    #[test]
    fn whoever_comes_late_asks_anew_and_whoever_comes_early_waits() {
        assert_eq!(turn(None, at(0)), Turn::Ask);
        assert_eq!(turn(Some(at(10)), at(9)), Turn::Wait(at(10)));
        assert_eq!(turn(Some(at(10)), at(10)), Turn::Now);
        assert_eq!(turn(Some(at(10)), at(2_010)), Turn::Now);
        assert_eq!(turn(Some(at(10)), at(2_011)), Turn::Ask);
    }

    #[test]
    fn a_wait_is_whole_seconds_of_a_queue() {
        for (wait, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (900_000, 900), (2_000_000, 900), (-5, 1)] {
            assert_eq!(delay(at(wait), at(0)).as_secs(), seconds, "{wait}");
        }
    }

    #[test]
    fn limits_are_bounded() {
        for bad in [0, 1_001, u32::MAX] {
            assert_eq!(RateLimit::try_from(bad).unwrap_err().field, "rate_limit");
        }
    }

    proptest! {
        #[test]
        fn no_span_of_time_has_more_slots_than_its_share_and_the_burst(
            per_second in 1_u32..=MOST,
            claims in prop::collection::vec((1_usize..=10, 0_i64..3_000), 1..100),
        ) {
            let (limit, mut next, mut now) = (limit(per_second), None, 0);
            let mut times = Vec::new();
            for (messages, wait) in claims {
                now += wait;
                let claim = limit.claim(messages, at(now));
                next = Some(claim.next_free(next));
                let slots = claim.slots(next.unwrap());
                prop_assert_eq!(slots.len(), messages);
                times.extend(slots.into_iter().map(|slot| slot.max(at(now))));
            }
            times.sort();
            for (n, from) in times.iter().enumerate() {
                for (m, to) in times.iter().enumerate().skip(n) {
                    let span = to.duration_since(*from).as_secs_f64();
                    prop_assert!((m - n) as f64 <= f64::from(per_second) * (span + 1.0) + 1e-6);
                }
            }
        }

        #[test]
        fn a_row_that_moved_on_and_one_that_did_not_are_the_two_forms_of_its_update(
            per_second in 1_u32..=MOST, messages in 1_usize..=10, before in prop::option::of(-5_000_000_i64..5_000_000),
        ) {
            let claim = limit(per_second).claim(messages, at(0));
            let before = before.map(|before| at(0).as_microsecond() + before);
            let expected = match before {
                Some(next) if next >= claim.earliest => next + claim.takes(),
                _ => claim.earliest + claim.takes(),
            };
            prop_assert_eq!(claim.next_free(before), expected);
        }
    }
}
