//! How many requests a second an endpoint takes: a limit of its owner's, kept by all functions together.
//!
//! A row for each limited endpoint holds the next slot that is free (a generic cell rate, GCRA). A batch takes as many slots as it
//! has messages for the endpoint, with one write. Whoever's slot is now is sent; the others wait for theirs in a queue, which is no
//! attempt. One second's worth may be sent at once. A slot that nobody uses is lost, and costs the endpoint that much time.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

mod restraint;
#[cfg(test)]
mod simulation;

pub use restraint::{Restraint, Turn, in_reach};

/// Requests a second; 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct RateLimit(u32);

/// The highest limit.
pub const MOST: u32 = 1_000;
/// How late a message may come to its slot: a little less than the second for which a burst counts, so that no span of time has more
/// than the limit and that burst, whoever is late. After more than that the slot is somebody else's time.
pub const LATEST: Duration = Duration::from_millis(900);
/// How early a message may come to its slot and wait for it where it is: a hop through a queue costs as much, and a queue that aims
/// for this moment before the slot brings most messages at their slot's second. No more than many a receiver takes to answer, so
/// whoever limits his endpoints holds no function for longer than others do.
pub const EARLY: Duration = Duration::from_millis(250);
/// The same where the limit is low: queues count whole seconds, and to lose a slot costs such an endpoint most.
pub const EARLY_OF_FEW: Duration = Duration::from_secs(1);
/// Requests a second up to which a limit is low: so few wait that they hold few functions.
pub const FEW_PER_SECOND: u32 = 20;
/// How far ahead slots are given. Who comes when they run further than that has none yet.
pub const FURTHEST: Duration = Duration::from_secs(15 * 60);
/// The longest that a message waits in a queue at a time. SQS takes a minute more, but the alarms for what waits too long begin there,
/// and they may count from when it was sent. A minute less than [`FURTHEST`], so whoever waits for slots to be given comes back before
/// the last of those that are given is over.
pub const LONGEST_DELAY: Duration = Duration::from_secs(14 * 60);

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

    /// So many slots, from `now` on. An endpoint that is paused has none before the end of it, and then no burst.
    pub fn claim(self, messages: usize, now: Timestamp, paused_until: Option<Timestamp>) -> Claim {
        let interval = self.interval();
        let burst = i64::from(self.0 - 1) * interval;
        let earliest = now.as_microsecond() - burst;
        Claim {
            earliest: paused_until.map_or(earliest, |until| until.as_microsecond().max(earliest)),
            furthest: now.saturating_add(FURTHEST).unwrap_or(Timestamp::MAX).as_microsecond(),
            limit: self,
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

/// When a message may be sent, by which limit. Once the owner has set another, it is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// When.
    #[serde(with = "crate::time::as_wire")]
    pub at: Timestamp,
    /// The limit that it was given by.
    pub limit: RateLimit,
}

/// What an endpoint's row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The next slot that is free, in microseconds since 1970.
    pub next_free: i64,
    /// The limit that slots were given by.
    pub limit: RateLimit,
}

/// What a batch asks an endpoint's row for. Times are in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The earliest slot that may still be given: who sent nothing for a while has a second's worth, and no more.
    pub earliest: i64,
    /// Once the next free slot is as far as this, none is given.
    pub furthest: i64,
    /// The limit that it is made by.
    pub limit: RateLimit,
    messages: i64,
}

/// Where a claim's slots begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// At the earliest: the endpoint is not behind, or has another limit now.
    Earliest,
    /// After those that are given.
    Given,
    /// Nowhere yet: those that are given run too far ahead.
    Nowhere,
}

/// What a claim comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// As many slots as it asked for.
    Slots(Vec<Slot>),
    /// None: slots run further ahead than messages wait for. Nothing was taken.
    TooFarAhead,
}

impl Claim {
    /// By how much the row's next free slot moves on.
    pub fn takes(&self) -> i64 {
        self.limit.interval().saturating_mul(self.messages)
    }

    /// Where it begins, from what the row holds.
    pub fn begins(&self, given: Option<Given>) -> Begins {
        match given {
            Some(given) if given.limit == self.limit && given.next_free >= self.furthest.max(self.earliest) => {
                Begins::Nowhere
            }
            Some(given) if given.limit == self.limit && given.next_free >= self.earliest => Begins::Given,
            _ => Begins::Earliest,
        }
    }

    /// The slots, from what the row holds after the claim.
    pub fn slots(&self, next_free: i64) -> Vec<Slot> {
        let (first, interval) = (next_free.saturating_sub(self.takes()), self.limit.interval());
        let at = |n: i64| Timestamp::from_microsecond(first.saturating_add(n.saturating_mul(interval)));
        (0..self.messages).map(|n| Slot { at: at(n).unwrap_or(Timestamp::MAX), limit: self.limit }).collect()
    }
}
