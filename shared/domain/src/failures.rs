//! Which failed deliveries their tenant is told of at once, and which together with others.
//!
//! An outage fails deliveries by the thousand, and each notice goes to each webhook that asks. So a webhook is told of at once only
//! when it was not told of just now. What else fails is *counted*: its row says so in the very write that makes it failed, and every
//! few minutes whoever looks counts those rows and tells of them together. Nobody adds to a counter, which all would have to write:
//!
//! ```text
//! a failure --nobody was told of its webhook within a minute--> a notice, in one transaction with its record
//!     \---> otherwise: "somebody counts" is noted, once in half a minute a process; then the record, which says "to be counted"
//! a look --> counts what was recorded since the last one and a minute ago, and tells of it in the transaction that says "told until"
//! ```
//!
//! Who dies before his record has counted nothing; who dies after it is counted. Two looks at once tell once, since "told until" is
//! written over what was read.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{DeliveryId, EndpointId};
use crate::time::plus_millis;

#[cfg(test)]
mod interleavings;
mod tally;
#[cfg(test)]
mod tests;

pub use tally::{Group, Tally};

/// How long a webhook is told of no more once it was.
pub const QUIET: Duration = Duration::from_secs(60);
/// Webhooks of a tenant that are told of at once in that time, and those that one look tells of one by one: as many as the smallest plan
/// has, so that a small tenant hears of each of its own. What else failed is told in one notice.
pub const MOST_WEBHOOKS: usize = 20;
/// How soon a process that counts says so again.
const SAID_EVERY: Duration = Duration::from_secs(30);
/// For how long after it was said a record may still be written on the strength of it: as long as a process believes its own word, and
/// then as long as a function runs.
const BELIEVED: Duration = Duration::from_secs(90);
/// How old a record is when it is counted: older than any write is on its way, any index lags and any two clocks differ.
pub const SETTLED_AFTER: Duration = Duration::from_secs(60);

/// What is known of a tenant's failures: one row for each that has any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// When each webhook was told of last, in seconds since 1970; those of long ago are gone.
    #[serde(default)]
    pub told: BTreeMap<EndpointId, i64>,
    /// When somebody last said that failures are counted; nothing where none are.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub counted_at: Option<Timestamp>,
    /// What was recorded before is told.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub told_until: Option<Timestamp>,
}

/// What a look counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Records from this time on.
    pub from: Timestamp,
    /// Before this time.
    pub until: Timestamp,
}

impl Telling {
    /// Tells of a webhook's failure at once: what is known after that. None where that failure is to be counted, since the webhook
    /// was told of just now, more of its failures wait to be told, or so many others were.
    #[must_use]
    pub fn at_once(&self, webhook: &EndpointId, now: Timestamp) -> Option<BTreeMap<EndpointId, i64>> {
        let mut told = self.recent(now);
        if told.contains_key(webhook) || told.len() >= MOST_WEBHOOKS {
            return None;
        }
        told.insert(webhook.clone(), now.as_second());
        Some(told)
    }

    /// Those that are told of no more for now. While failures are counted nobody knows whose they are, so none of them is forgotten:
    /// or a webhook would be told of at once and then together with what went before, within the minute.
    fn recent(&self, now: Timestamp) -> BTreeMap<EndpointId, i64> {
        let mut told = self.told.clone();
        told.retain(|_, at| self.counted_at.is_some() || is_recent(*at, now));
        told
    }

    /// What a look counts at `now`; nothing where nothing is counted, or too little time has gone by since the last one.
    pub fn look(&self, now: Timestamp) -> Option<Look> {
        self.counted_at?;
        let (from, until) = (self.told_until.unwrap_or(Timestamp::UNIX_EPOCH), earlier(now, SETTLED_AFTER));
        (earlier(until, QUIET) >= from).then_some(Look { from, until })
    }

    /// What is known after a look that told of these webhooks. Nothing is counted any more once nobody can have written a record that
    /// this look did not see.
    ///
    /// Until then a webhook that was told of is remembered, since nobody knows whether more of its failures are counted: as many as are told of
    /// at once, of whom nobody is while there are so many.
    #[must_use]
    pub fn after(&self, look: Look, named: &[Group], now: Timestamp) -> Self {
        let is_over = self.counted_at.is_none_or(|at| later(at, BELIEVED) <= look.until);
        let mut told = self.told.clone();
        told.extend(named.iter().map(|group| (group.webhook.clone(), now.as_second())));
        let mut of_long_ago: Vec<_> =
            told.iter().filter(|(_, at)| !is_recent(**at, now)).map(|(id, at)| (*at, id.clone())).collect();
        of_long_ago.sort();
        let recent = told.len() - of_long_ago.len();
        let kept = if is_over { 0 } else { MOST_WEBHOOKS.saturating_sub(recent) };
        for (_, id) in of_long_ago.iter().rev().skip(kept) {
            told.remove(id);
        }
        Self { told, counted_at: self.counted_at.filter(|_| !is_over), told_until: Some(look.until) }
    }

    /// Those of what a look has found that are told of one by one, the largest first, and all others. A webhook that was told of
    /// just now is among the others.
    pub fn named(&self, tally: Tally, now: Timestamp) -> (Vec<Group>, Option<Others>) {
        let is_quiet = |group: &Group| self.told.get(&group.webhook).is_some_and(|at| is_recent(*at, now));
        let (recent, mut named): (Vec<Group>, Vec<Group>) = tally.groups().into_iter().partition(is_quiet);
        named.sort_by_key(|group| std::cmp::Reverse(group.count));
        let others = named.split_off(named.len().min(MOST_WEBHOOKS));
        (named, Others::of(others.into_iter().chain(recent)))
    }
}

/// Failures of several webhooks that are told in one notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Others {
    /// How many webhooks.
    pub webhooks: usize,
    /// All of theirs; its webhook is one of them.
    pub all: Group,
}

impl Others {
    fn of(groups: impl Iterator<Item = Group>) -> Option<Self> {
        let one = |group: Group| Self { webhooks: 1, all: group };
        groups.map(one).reduce(|sum, other| Self { webhooks: sum.webhooks + 1, all: sum.all.with(other.all) })
    }
}

/// What a process knows of a tenant's failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    said_at: Timestamp,
    told: BTreeMap<EndpointId, i64>,
}

impl Known {
    /// What stood there when this process said at `now` that failures are counted.
    pub fn new(now: Timestamp, there: Telling) -> Self {
        Self { said_at: now, told: there.told }
    }

    /// Whether a webhook's failure is to be counted, without a further word: this process has said so just now, and the webhook would not
    /// be told of at once.
    pub fn counts(&self, webhook: &EndpointId, now: Timestamp) -> bool {
        let age = now.duration_since(self.said_at).unsigned_abs();
        age < SAID_EVERY && (self.told.contains_key(webhook) || self.told.len() >= MOST_WEBHOOKS)
    }
}

fn is_recent(at: i64, now: Timestamp) -> bool {
    now.as_second() - at < QUIET.as_secs().cast_signed()
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    plus_millis(at, i64::try_from(by.as_millis()).unwrap_or_default())
}

fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    plus_millis(at, -i64::try_from(by.as_millis()).unwrap_or_default())
}
