//! Whether a subscription takes an event: by what stood when the event happened, and not by what stands now. A fan-out that runs again,
//! hours later, has to find whom it put rows for.
//!
//! At the edges nobody knows what an earlier run saw: clocks differ, and a change counts a moment after the time that it was given. There
//! a judgement that says no makes no row, and still finds one that is there.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far from a change an earlier run may have seen what stood before it, or what came after it.
pub const UNSURE: SignedDuration = SignedDuration::from_secs(60);
/// How long what stood before is kept: twice the day for which a stream can run again, in seconds.
pub const KEPT_SECONDS: i64 = 2 * 24 * 3600;
/// Of the filters that stood before, together, in bytes. Of more the oldest go first, so that no row grows with its owner's changes.
pub const MAX_EARLIER_BYTES: usize = 4 * 1024 + OVERHEAD;
/// What a filter that stood before takes beside its text, at least: so they are some sixty at the most.
const OVERHEAD: usize = 64;
/// Times in which a subscription held before that are kept: whoever turns one on and off more often in two days loses the oldest.
pub const MOST_SPANS: usize = 8;

/// Whether an event is for a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// It is not.
    Passes,
    /// An earlier run may have put a row for it: that one is looked after, and none is made.
    OnlyIfThere,
    /// It is.
    Takes,
}

/// When a subscription held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// From when on. Rows of earlier versions do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub since: Option<Timestamp>,
    /// Until when.
    #[serde(with = "crate::time::as_wire")]
    pub until: Timestamp,
}

/// When it holds, and held before.
#[derive(Debug, Clone, Copy)]
pub struct Spans<'a> {
    /// When it began.
    pub since: Timestamp,
    /// When it ended, if it has.
    pub until: Option<Timestamp>,
    /// When it held before, the newest last.
    pub earlier: &'a [Span],
    /// Until when there were others that are kept no more.
    pub forgotten: Option<Timestamp>,
}

impl Spans<'_> {
    /// Whether it took an event of this time.
    pub fn judge(&self, at: Timestamp) -> Judgement {
        let ends = || self.until.into_iter().chain(self.earlier.iter().map(|span| span.until));
        let holds = |since: Option<Timestamp>, until: Option<Timestamp>| {
            since.is_none_or(|since| at >= since) && until.is_none_or(|until| at <= until)
        };
        if holds(Some(self.since), self.until) || self.earlier.iter().any(|span| holds(span.since, Some(span.until))) {
            return Judgement::Takes;
        }
        let is_just_over = ends().any(|end| at > end && at.duration_since(end) <= UNSURE);
        let is_forgotten = self.forgotten.is_some_and(|until| at.duration_since(until) <= UNSURE);
        if is_just_over || is_forgotten { Judgement::OnlyIfThere } else { Judgement::Passes }
    }
}

/// Spans without those that are kept no more at `now`, and until when there were such.
pub fn kept(mut spans: Vec<Span>, forgotten: Option<Timestamp>, now: Timestamp) -> (Vec<Span>, Option<Timestamp>) {
    let is_old = |span: &Span| now.as_second() - span.until.as_second() > KEPT_SECONDS;
    let few = spans.len().saturating_sub(MOST_SPANS);
    let gone = few.max(spans.iter().take_while(|span| is_old(span)).count());
    let forgotten = spans.drain(..gone).map(|span| span.until).chain(forgotten).max();
    (spans, forgotten)
}

/// The filter of a subscription, and those that stood before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filters {
    /// The one that stands, as JSON; none lets everything through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    now: Option<String>,
    /// Those before, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Earlier>,
    /// Until when there were others that are kept no more.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    forgotten: Option<Timestamp>,
}

/// A filter that stood before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Earlier {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(with = "crate::time::as_wire")]
    until: Timestamp,
}

impl Earlier {
    fn bytes(&self) -> usize {
        OVERHEAD + self.filter.as_ref().map_or(0, String::len)
    }
}

impl Filters {
    /// Those of a subscription that begins with this one.
    pub fn of(filter: Option<String>) -> Self {
        Self { now: filter, ..Self::default() }
    }

    /// Whether there is none, and was none.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// The same with another one from `now` on.
    #[must_use]
    pub fn changed(mut self, filter: Option<String>, now: Timestamp) -> Self {
        if self.now != filter {
            self.earlier.push(Earlier { filter: std::mem::replace(&mut self.now, filter), until: now });
        }
        let is_old = |earlier: &Earlier| now.as_second() - earlier.until.as_second() > KEPT_SECONDS;
        let mut gone = self.earlier.iter().take_while(|earlier| is_old(earlier)).count();
        let bytes = |earlier: &[Earlier]| earlier.iter().map(Earlier::bytes).sum::<usize>();
        while bytes(&self.earlier[gone..]) > MAX_EARLIER_BYTES {
            gone += 1;
        }
        self.forgotten = self.earlier.drain(..gone).map(|earlier| earlier.until).chain(self.forgotten).max();
        self
    }

    /// Whether a subscription takes an event of this time, if it held as it did then. `matches` says whether a filter lets the event
    /// through, and is asked only where that matters.
    ///
    /// # Errors
    /// What `matches` says.
    pub fn judge<E>(
        &self,
        held: Judgement,
        at: Timestamp,
        matches: impl FnOnce(&str) -> Result<bool, E>,
    ) -> Result<Judgement, E> {
        let earlier = self.earlier.iter().find(|earlier| at < earlier.until);
        let filter = earlier.map_or(self.now.as_deref(), |earlier| earlier.filter.as_deref());
        let Some(filter) = filter.filter(|_| held != Judgement::Passes) else { return Ok(held) };
        let if_not = if self.is_sure(at) { Judgement::Passes } else { Judgement::OnlyIfThere };
        Ok(if held == if_not || matches(filter)? { held } else { if_not })
    }

    fn is_sure(&self, at: Timestamp) -> bool {
        let is_near = |earlier: &Earlier| at.duration_since(earlier.until).abs() <= UNSURE;
        !self.earlier.iter().any(is_near) && self.forgotten.is_none_or(|until| at.duration_since(until) > UNSURE)
    }

    /// The bytes of the filters that it holds.
    pub fn bytes(&self) -> usize {
        self.now.as_ref().map_or(0, String::len) + self.earlier.iter().map(Earlier::bytes).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter;
    use proptest::prelude::*;
    use std::convert::Infallible;

    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Judged for an event that only the filter `yes` lets through.
    fn judged(filters: &Filters, held: Judgement, second: i64) -> Judgement {
        filters.judge::<Infallible>(held, at(second), |filter| Ok(filter.starts_with("yes"))).unwrap()
    }

    fn filter(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn an_event_is_judged_by_the_filter_of_its_time() {
        use Judgement::{OnlyIfThere, Passes, Takes};
        let filters = Filters::of(filter("yes")).changed(filter("no"), at(1_000)).changed(None, at(2_000));
        let of_its_time = [(900, Takes), (950, Takes), (1_000, OnlyIfThere), (1_060, OnlyIfThere), (1_061, Passes)];
        let later = [(1_939, Passes), (1_940, OnlyIfThere), (2_000, Takes), (9_000, Takes)];
        for (second, expected) in of_its_time.into_iter().chain(later) {
            assert_eq!(judged(&filters, Takes, second), expected, "{second}");
            assert_eq!(judged(&filters, OnlyIfThere, second), expected.min(OnlyIfThere), "{second}");
            assert_eq!(judged(&filters, Passes, second), Passes);
        }
        assert_eq!(filters.clone().changed(None, at(3_000)), filters, "nothing has changed");
    }

    #[test]
    fn what_is_kept_no_more_makes_no_row_and_finds_one() {
        let changed_often =
            (1..=200).fold(Filters::default(), |filters, n| filters.changed(filter(&format!("no{n}")), at(n * 1_000)));
        assert!(changed_often.earlier.len() <= 64 && changed_often.bytes() <= 2 * MAX_EARLIER_BYTES);
        assert_eq!(judged(&changed_often, Judgement::Takes, 500), Judgement::OnlyIfThere);
        assert_eq!(judged(&changed_often, Judgement::Takes, 199_500), Judgement::Passes);
        let old = Filters::of(filter("no")).changed(filter("no more"), at(0)).changed(None, at(3 * DAY));
        assert_eq!((old.earlier.len(), old.forgotten), (1, Some(at(0))));
        assert_eq!(judged(&old, Judgement::Takes, -100), Judgement::OnlyIfThere);
        assert_eq!(judged(&old, Judgement::Takes, DAY), Judgement::Passes);
    }

    #[test]
    fn the_largest_filter_is_kept_when_it_is_changed() {
        let largest = || filter(&"n".repeat(filter::MAX_BYTES));
        let filters = Filters::of(largest()).changed(filter("yes"), at(1_000));
        assert_eq!((filters.earlier.len(), judged(&filters, Judgement::Takes, 10)), (1, Judgement::Passes));
        let both = filters.changed(largest(), at(2_000));
        assert_eq!(judged(&both, Judgement::Takes, 1_500), Judgement::Takes);
        let third = both.changed(None, at(3_000));
        assert_eq!((third.earlier.len(), third.forgotten), (1, Some(at(2_000))));
        assert!(third.bytes() <= filter::MAX_BYTES + MAX_EARLIER_BYTES);
    }

    #[test]
    fn it_took_what_happened_while_it_held_and_just_after_it_nobody_knows() {
        use Judgement::{OnlyIfThere, Passes, Takes};
        let earlier = [Span { since: Some(at(100)), until: at(200) }];
        let spans = Spans { since: at(1_000), until: Some(at(1_100)), earlier: &earlier, forgotten: Some(at(0)) };
        for (second, expected) in [
            (-10, OnlyIfThere),
            (60, OnlyIfThere),
            (99, Passes),
            (100, Takes),
            (200, Takes),
            (260, OnlyIfThere),
            (261, Passes),
            (999, Passes),
            (1_100, Takes),
            (1_101, OnlyIfThere),
            (1_161, Passes),
        ] {
            assert_eq!(spans.judge(at(second)), expected, "{second}");
        }
    }

    #[test]
    fn spans_are_few_and_of_two_days() {
        let span = |n: i64| Span { since: Some(at(n * 100)), until: at(n * 100 + 50) };
        let (few, forgotten) = kept((0..12).map(span).collect(), None, at(1_200));
        assert_eq!((few.len(), few[0].clone(), forgotten), (MOST_SPANS, span(4), Some(at(350))));
        assert_eq!(kept(few, forgotten, at(3 * DAY)), (Vec::new(), Some(at(1_150))));
        assert_eq!(kept(vec![span(1)], None, at(200)), (vec![span(1)], None));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is changed and whenever: what an earlier run made of an event is made of it again, or it was at an edge and is found.
        #[test]
        fn whoever_judges_again_finds_what_was_judged_before(
            changes in prop::collection::vec((1_i64..400, prop::sample::select(vec![None, Some("yes"), Some("no")])), 0..40),
            happened in 0_i64..6_000,
            seen_after in 0_i64..30,
            commits_after in 0_i64..30,
        ) {
            let (mut filters, mut now, mut first) = (Filters::of(filter("no")), 0, None);
            for (pause, to) in changes {
                now += pause;
                // The first run sees what is there by then: not what commits later.
                if first.is_none() && now + commits_after > happened + seen_after {
                    first = Some(judged(&filters, Judgement::Takes, happened));
                }
                filters = filters.changed(to.map(str::to_owned), at(now));
            }
            let again = judged(&filters, Judgement::Takes, happened);
            if first == Some(Judgement::Takes) {
                prop_assert_ne!(again, Judgement::Passes, "its row would be pending for ever");
            }
            if first == Some(Judgement::Passes) && again == Judgement::Takes {
                let forgotten = filters.forgotten.is_some_and(|until| at(happened) <= until);
                prop_assert!(forgotten || !filters.is_sure(at(happened)), "a row that was not asked for");
            }
        }
    }
}
