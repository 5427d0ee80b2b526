//! What became of a webhook's deliveries in a span of time, added up delivery by delivery: none is held, however many there are.
//!
//! A delivery counts once, where it stands now, at its event's time. What its last attempt came to is its outcome, and how long that
//! took its duration, so that an endpoint that is tried ten times for one event does not count ten times.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::attempt::{Attempt, Code};
use crate::delivery::{Delivery, Status};

/// Buckets of a span at the most.
pub const MOST_BUCKETS: i64 = 48;
/// The widths that buckets may have, in seconds; a span that wants wider ones has them in whole weeks.
const WIDTHS: [i64; 12] = [
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
];
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// A span of events' times, in which buckets of one width begin at multiples of that width since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    since: Timestamp,
    until: Timestamp,
    width: i64,
}

/// A bucket of a span: what has ended of the events of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// When it begins.
    pub from: Timestamp,
    /// Deliveries that have succeeded.
    pub succeeded: u64,
    /// Deliveries that have failed.
    pub failed: u64,
}

impl Span {
    /// From `since` on up to before `until`, in the narrowest buckets of which it has at most [`MOST_BUCKETS`].
    pub fn of(since: Timestamp, until: Timestamp) -> Self {
        let (from, to) = (since.as_second(), until.as_second().max(since.as_second()));
        let buckets = |width: i64| to.div_euclid(width) - from.div_euclid(width) + 1;
        let narrowest = WIDTHS.into_iter().find(|width| buckets(*width) <= MOST_BUCKETS);
        let weeks = || (1 + (to - from) / WEEK / (MOST_BUCKETS - 1)) * WEEK;
        Self { since, until, width: narrowest.unwrap_or_else(weeks) }
    }

    /// Where it begins.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Where it ends; that instant is no part of it.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// How wide its buckets are, in seconds.
    pub fn bucket_seconds(&self) -> i64 {
        self.width
    }

    fn bucket_of(&self, at: Timestamp) -> i64 {
        at.as_second().div_euclid(self.width)
    }

    /// When a bucket begins; one that began before there were times begins with them.
    fn beginning(&self, bucket: i64) -> Timestamp {
        Timestamp::from_second(bucket * self.width).unwrap_or(self.since)
    }
}

/// What has been added up so far.
#[derive(Debug, Default)]
pub struct Tally {
    statuses: BTreeMap<&'static str, u64>,
    outcomes: BTreeMap<String, u64>,
    durations: Vec<u64>,
    ended: BTreeMap<i64, (u64, u64)>,
    earliest: Option<Timestamp>,
    seen: u64,
}

impl Tally {
    /// Adds a delivery of this span.
    pub fn take(&mut self, span: &Span, row: &Delivery) {
        self.seen += 1;
        self.earliest = Some(self.earliest.map_or(row.created_at, |earliest| earliest.min(row.created_at)));
        *self.statuses.entry(row.status.as_str()).or_default() += 1;
        if matches!(row.status, Status::Succeeded | Status::Failed) {
            let (succeeded, failed) = self.ended.entry(span.bucket_of(row.created_at)).or_default();
            *(if row.status == Status::Succeeded { succeeded } else { failed }) += 1;
        }
        if let Some(last) = row.history().last() {
            *self.outcomes.entry(last.outcome.clone()).or_default() += 1;
            if asked_somebody(last) {
                self.durations.push(last.duration_ms);
            }
        }
    }

    /// How many deliveries were added.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How many stand so.
    pub fn of_status(&self, status: Status) -> u64 {
        self.statuses.get(status.as_str()).copied().unwrap_or_default()
    }

    /// What last attempts came to, by the outcome's name.
    pub fn outcomes(&self) -> &BTreeMap<String, u64> {
        &self.outcomes
    }

    /// The part that has succeeded of what has succeeded or failed, from 0 to 1; nothing where nothing has.
    pub fn success_rate(&self) -> Option<f64> {
        let (succeeded, failed) = (self.of_status(Status::Succeeded), self.of_status(Status::Failed));
        (succeeded + failed > 0).then(|| succeeded as f64 / (succeeded + failed) as f64)
    }

    /// The duration, in milliseconds, that so many in a hundred last attempts did not exceed (the nearest rank); nothing where there
    /// was none. What was not sent took no time of the endpoint's.
    pub fn percentile(&mut self, percent: usize) -> Option<u64> {
        self.durations.sort_unstable();
        let rank = (self.durations.len() * percent).div_ceil(100).max(1);
        self.durations.get(rank - 1).copied()
    }

    /// The span's buckets in their order, those without any delivery too. Where not all deliveries were added, the newest were: then
    /// the buckets begin with the earliest of these, since nobody has looked at what lies before.
    pub fn buckets(&self, span: &Span, is_complete: bool) -> Vec<Bucket> {
        if span.since >= span.until {
            return Vec::new();
        }
        let first = if is_complete { span.since } else { self.earliest.unwrap_or(span.since) };
        let last = crate::time::plus_millis(span.until, -1);
        let counted = |bucket: i64| {
            let (succeeded, failed) = self.ended.get(&bucket).copied().unwrap_or_default();
            Bucket { from: span.beginning(bucket), succeeded, failed }
        };
        (span.bucket_of(first)..=span.bucket_of(last)).map(counted).collect()
    }
}

/// Whether an attempt was the endpoint's to answer: neither one that we failed to make, nor one to an address that we do not send to.
fn asked_somebody(attempt: &Attempt) -> bool {
    ![Code::Internal, Code::Blocked].iter().any(|code| attempt.outcome == code.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::attempt::Mark;
    use crate::id::EndpointId;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn row(second: i64, status: Status, attempts: &[(i64, &str, u64)]) -> Delivery {
        let row = Delivery::pending(&crate::delivery::an_event(at(second)), EndpointId::new(at(0), 2), at(second), 0);
        let attempt = |(number, (began, outcome, duration_ms)): (u32, &(i64, &str, u64))| Attempt {
            outcome: (*outcome).to_owned(),
            duration_ms: *duration_ms,
            ..Attempt::internal(number, Mark::new(number.into()), at(*began), "")
        };
        Delivery { status, attempts: (1..).zip(attempts).map(attempt).collect(), ..row }
    }

    fn tally(span: &Span, rows: &[Delivery]) -> Tally {
        let mut tally = Tally::default();
        rows.iter().for_each(|row| tally.take(span, row));
        tally
    }

    #[test]
    fn a_day_has_a_bucket_an_hour_and_a_year_one_a_fortnight() {
        let width = |seconds: i64| Span::of(at(7), at(7 + seconds)).bucket_seconds();
        for (span, expected) in [
            (60, MINUTE),
            (HOUR, 5 * MINUTE),
            (DAY, HOUR),
            (7 * DAY, 6 * HOUR),
            (30 * DAY, DAY),
            (365 * DAY, 14 * DAY),
            (4000 * DAY, 13 * WEEK),
        ] {
            assert_eq!(width(span), expected, "{span}");
        }
    }

    #[test]
    fn each_delivery_counts_once_by_where_it_stands_and_by_its_last_attempt() {
        let span = Span::of(at(0), at(DAY));
        let retried = row(10, Status::Succeeded, &[(10, "status_500", 9_000), (20, "succeeded", 40)]);
        let late = Delivery { late: row(0, Status::Pending, &[(30, "timed_out", 20_000)]).attempts, ..retried.clone() };
        let rows = [
            retried,
            late,
            row(HOUR, Status::Failed, &[(HOUR, "internal", 0)]),
            row(HOUR, Status::Cancelled, &[(HOUR, "blocked", 3)]),
            row(HOUR, Status::Pending, &[]),
        ];
        let mut tally = tally(&span, &rows);
        let outcomes: Vec<_> = tally.outcomes().iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(outcomes, [("blocked", 1), ("internal", 1), ("succeeded", 1), ("timed_out", 1)]);
        assert_eq!(tally.success_rate(), Some(2.0 / 3.0), "what was called off, or still waits, is neither");
        assert_eq!((tally.percentile(50), tally.percentile(95)), (Some(40), Some(20_000)));
        let buckets = tally.buckets(&span, true);
        assert_eq!(buckets.len(), 24);
        assert_eq!(buckets[0], Bucket { from: at(0), succeeded: 2, failed: 0 });
        assert_eq!(buckets[1], Bucket { from: at(HOUR), succeeded: 0, failed: 1 });
    }

    #[test]
    fn nothing_has_no_rate_and_no_durations() {
        let mut nothing = Tally::default();
        assert_eq!((nothing.success_rate(), nothing.percentile(50), nothing.seen()), (None, None, 0));
        assert_eq!(nothing.buckets(&Span::of(at(60), at(60)), true), []);
        assert_eq!(nothing.buckets(&Span::of(at(60), at(120)), false).len(), 1);
    }

    #[test]
    fn where_not_all_was_read_no_bucket_tells_of_what_was_not() {
        let span = Span::of(at(0), at(DAY));
        let tally = tally(&span, &[row(20 * HOUR, Status::Succeeded, &[]), row(5 * HOUR + 7, Status::Pending, &[])]);
        assert_eq!((tally.buckets(&span, false)[0].from, tally.buckets(&span, true)[0].from), (at(5 * HOUR), at(0)));
    }

    /// What a reader would do who holds all rows and knows no tally.
    fn naive(rows: &[Delivery], from: i64, width: i64) -> (u64, u64) {
        let within = |row: &&Delivery| (from..from + width).contains(&row.created_at.as_second());
        let count = |status| rows.iter().filter(within).filter(|row| row.status == status).count() as u64;
        (count(Status::Succeeded), count(Status::Failed))
    }

    /// The smallest duration that at least so many in a hundred do not exceed.
    fn naive_percentile(durations: &[u64], percent: usize) -> Option<u64> {
        let enough =
            |most: &&u64| durations.iter().filter(|one| one <= most).count() * 100 >= durations.len() * percent;
        durations.iter().filter(enough).min().copied()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_tally_says_what_all_rows_say(
            rows in proptest::collection::vec(
                (0..3_000_000_i64, 0..5_usize, proptest::collection::vec((0..9_i64, 0..4_usize, 0..50_u64), 0..4)),
                0..60,
            ),
        ) {
            const OUTCOMES: [&str; 4] = ["succeeded", "status_503", "internal", "blocked"];
            let rows: Vec<Delivery> = rows
                .iter()
                .map(|(second, status, attempts)| {
                    let attempts: Vec<_> = attempts.iter().map(|(at, outcome, took)| (*at, OUTCOMES[*outcome], *took)).collect();
                    row(*second, Status::ALL[*status], &attempts)
                })
                .collect();
            let span = Span::of(at(0), at(3_000_000));
            let mut tally = tally(&span, &rows);
            prop_assert_eq!(tally.seen(), rows.len() as u64);
            for &status in Status::ALL {
                prop_assert_eq!(tally.of_status(status), rows.iter().filter(|row| row.status == status).count() as u64);
            }
            let last = |row: &Delivery| row.attempts.iter().max_by_key(|attempt| (attempt.at, attempt.number)).cloned();
            let last: Vec<Attempt> = rows.iter().filter_map(last).collect();
            prop_assert_eq!(tally.outcomes().values().sum::<u64>(), last.len() as u64);
            for outcome in OUTCOMES {
                let naive = last.iter().filter(|attempt| attempt.outcome == outcome).count() as u64;
                prop_assert_eq!(tally.outcomes().get(outcome).copied().unwrap_or_default(), naive);
            }
            let asked = last.iter().filter(|attempt| !["internal", "blocked"].contains(&attempt.outcome.as_str()));
            let durations: Vec<u64> = asked.map(|attempt| attempt.duration_ms).collect();
            for percent in [50, 95] {
                prop_assert_eq!(tally.percentile(percent), naive_percentile(&durations, percent));
            }
            let buckets = tally.buckets(&span, true);
            for bucket in &buckets {
                let naive = naive(&rows, bucket.from.as_second(), span.bucket_seconds());
                prop_assert_eq!((bucket.succeeded, bucket.failed), naive);
            }
            let ended = buckets.iter().map(|bucket| bucket.succeeded + bucket.failed).sum::<u64>();
            prop_assert_eq!(ended, tally.of_status(Status::Succeeded) + tally.of_status(Status::Failed), "none is in no bucket");
        }

        /// Whatever is asked, there are few buckets, side by side, over all of it.
        #[test]
        fn a_span_has_few_buckets(since in -62_135_596_800..253_402_207_200_i64, seconds in prop_oneof![0..400_000_i64, 0..253_402_207_200_i64]) {
            let until = (since + seconds).min(253_402_207_200);
            let span = Span::of(at(since), at(until));
            let buckets = Tally::default().buckets(&span, true);
            prop_assert!(buckets.len() as i64 <= MOST_BUCKETS);
            for two in buckets.windows(2).skip(1) {
                prop_assert_eq!(two[1].from.as_second() - two[0].from.as_second(), span.bucket_seconds());
            }
            if since < until {
                prop_assert!(buckets[0].from <= at(since));
                prop_assert!(buckets.last().unwrap().from.as_second() + span.bucket_seconds() >= until);
            }
        }
    }
}
