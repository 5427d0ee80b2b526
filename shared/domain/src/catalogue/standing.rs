//! How a type stood, and since when. A row of a producer's is judged by what counted when it was written, however late, and however
//! often, fan-out comes to it: the same row always gets the same verdict, so no fan-out that runs again leaves undone what it began.
//!
//! A change counts for rows only a minute after it was made. By then no process that judges rows goes by what was before.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// From a change until it counts for rows, in seconds.
pub const COUNTS_AFTER_SECONDS: i64 = 60;
/// How long it is known how a type stood, in seconds: a stream holds a row for a day, and what fails of its fan-out is tried again for
/// another one.
pub const KEPT_SECONDS: i64 = 2 * 86_400;
/// Earlier standings that are kept of a type.
pub const MAX_EARLIER: usize = 16;
/// What their schemas may have together, in bytes.
pub const MAX_EARLIER_BYTES: usize = 128 * 1024;

/// How a type stood from some time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing<S> {
    /// When it was changed to this.
    #[serde(with = "crate::time::as_wire")]
    pub since: Timestamp,
    /// Whether it was in the catalogue.
    pub known: bool,
    /// Its schema.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub schema: Option<S>,
}

fn none<S>() -> Option<S> {
    None
}

impl<S> Standing<S> {
    fn counts_from(&self) -> Timestamp {
        self.since.saturating_add(SignedDuration::from_secs(COUNTS_AFTER_SECONDS)).unwrap_or(Timestamp::MAX)
    }
}

/// How a type stands, and how it stood before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standings<S> {
    now: Standing<S>,
    /// The oldest first.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Standing<S>>,
    /// Whether there were others before these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    forgotten: bool,
}

impl<S> Standings<S> {
    /// Those of a type that was in no catalogue before.
    pub fn new(now: Standing<S>) -> Self {
        Self { now, earlier: Vec::new(), forgotten: false }
    }

    /// How it stands.
    pub fn now(&self) -> &Standing<S> {
        &self.now
    }

    /// How it stood for a row that was written then; nothing where that is not known any more.
    pub fn at(&self, written: Timestamp) -> Option<Standing<&S>> {
        let all = self.earlier.iter().chain([&self.now]);
        match all.rev().find(|standing| standing.counts_from() <= written) {
            Some(Standing { since, known, schema }) => {
                Some(Standing { since: *since, known: *known, schema: schema.as_ref() })
            }
            None if self.forgotten => None,
            None => Some(Standing { since: Timestamp::MIN, known: false, schema: None }),
        }
    }

    /// The same with the schemas as something else.
    pub fn map<T>(self, mut schema: impl FnMut(S) -> T) -> Standings<T> {
        let mut of = |standing: Standing<S>| Standing {
            since: standing.since,
            known: standing.known,
            schema: standing.schema.map(&mut schema),
        };
        Standings {
            earlier: self.earlier.into_iter().map(&mut of).collect(),
            now: of(self.now),
            forgotten: self.forgotten,
        }
    }

    /// All schemas.
    pub fn schemas(&self) -> impl Iterator<Item = &S> {
        self.earlier.iter().chain([&self.now]).filter_map(|standing| standing.schema.as_ref())
    }
}

impl Standings<String> {
    /// The same with another one that follows. What counts for nothing any more is forgotten, and of the rest the oldest where it is
    /// too much. Whoever's clock is behind changes nothing of the order.
    #[must_use]
    pub fn followed_by(&self, mut next: Standing<String>) -> Self {
        next.since = next.since.max(self.now.since);
        let kept = SignedDuration::from_secs(KEPT_SECONDS);
        let oldest = next.since.saturating_sub(kept).unwrap_or(Timestamp::MIN);
        let mut earlier: Vec<_> = self.earlier.iter().chain([&self.now]).cloned().collect();
        let bytes = |all: &[Standing<String>]| -> usize {
            all.iter().filter_map(|one| one.schema.as_ref()).map(String::len).sum()
        };
        let mut forgotten = self.forgotten;
        while let Some(follower) = earlier.get(1).or(Some(&next)).filter(|_| !earlier.is_empty()) {
            let is_over = follower.counts_from() <= oldest;
            if !is_over && earlier.len() <= MAX_EARLIER && bytes(&earlier) <= MAX_EARLIER_BYTES {
                break;
            }
            earlier.remove(0);
            forgotten = true;
        }
        Self { now: next, earlier, forgotten }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_768_000_000 + second).unwrap()
    }

    fn standing(second: i64, schema: &str) -> Standing<String> {
        Standing { since: at(second), known: true, schema: Some(schema.to_owned()) }
    }

    fn schema(standings: &Standings<String>, written: i64) -> Option<Option<String>> {
        standings.at(at(written)).map(|standing| standing.schema.cloned())
    }

    #[test]
    fn a_change_counts_after_a_minute_and_not_before() {
        let one = Standings::new(standing(0, "1"));
        let three = one.followed_by(standing(100, "2")).followed_by(standing(130, "3"));
        let found = |written: i64| schema(&three, written).unwrap();
        for (written, expected) in
            [(59, None), (60, Some("1")), (159, Some("1")), (160, Some("2")), (189, Some("2")), (190, Some("3"))]
        {
            assert_eq!(found(written).as_deref(), expected, "{written}");
        }
        assert_eq!(three.now().schema.as_deref(), Some("3"), "a call is judged by it at once");
    }

    #[test]
    fn what_is_over_is_forgotten_and_too_much_as_well() {
        let day = 86_400;
        let old = Standings::new(standing(0, "1")).followed_by(standing(10, "2"));
        let later = old.followed_by(standing(3 * day, "3"));
        assert_eq!(later.schemas().count(), 2, "what counted two days ago is known");
        assert_eq!((schema(&later, 65), schema(&later, 75)), (None, Some(Some("2".to_owned()))));
        let mut many = Standings::new(standing(0, "0"));
        for n in 1..100 {
            many = many.followed_by(standing(n, &n.to_string()));
        }
        assert_eq!(many.schemas().count(), MAX_EARLIER + 1);
        assert_eq!((schema(&many, 70), schema(&many, 60 + 98)), (None, Some(Some("98".to_owned()))));
        let large = "x".repeat(MAX_EARLIER_BYTES / 2);
        let two = Standings::new(standing(0, &large)).followed_by(standing(1, &large)).followed_by(standing(2, &large));
        assert_eq!(two.schemas().count(), 3);
        assert_eq!(two.followed_by(standing(3, "")).schemas().count(), 3, "the oldest is gone");
    }

    #[test]
    fn a_clock_that_is_behind_changes_nothing_of_the_order() {
        let two = Standings::new(standing(100, "1")).followed_by(standing(50, "2"));
        assert_eq!(schema(&two, 160), Some(Some("2".to_owned())));
        assert_eq!(schema(&two, 159), Some(None));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whoever looked less than a minute before a row was written finds what whoever looks later does, as long as it is known.
        #[test]
        fn who_looks_later_finds_the_same(
            changes in proptest::collection::vec(1_i64..100_000, 1..40),
            seen in 0_usize..40,
            after in 0_i64..59,
        ) {
            let (mut second, mut standings) = (0, vec![Standings::new(standing(0, "0"))]);
            let mut times = vec![0];
            for (n, change) in changes.iter().enumerate() {
                second += change;
                times.push(second);
                standings.push(standings[n].followed_by(standing(second, &(n + 1).to_string())));
            }
            let seen = seen.min(changes.len());
            // Written less than a minute after it was looked, and that was before the next change.
            let looked = times.get(seen + 1).map_or(times[seen], |next| next - 1);
            let written = at(looked + after);
            let found = standings[seen].at(written).map(|standing| standing.schema.cloned());
            for later in &standings[seen..] {
                let now = later.now().since;
                let again = later.at(written).map(|standing| standing.schema.cloned());
                if again.is_some() {
                    prop_assert_eq!(&again, &found);
                } else {
                    let two_days_ago = now.saturating_sub(SignedDuration::from_secs(KEPT_SECONDS)).unwrap();
                    let is_crowded = later.schemas().count() > MAX_EARLIER;
                    prop_assert!(found.is_none() || is_crowded || written < two_days_ago);
                }
            }
        }
    }
}
