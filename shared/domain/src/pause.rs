//! A receiver that answers 429 and says for how long: all of its endpoint's deliveries wait, not only the one that it refused.
//! Whatever it says, each answer counts for a quarter of an hour at the most.

use std::time::Duration;

use jiff::Timestamp;

use crate::attempt::Outcome;
use crate::rate_limit::LONGEST_DELAY;
use crate::retry::RetryPolicy;
use crate::time;

/// The longest pause that one answer can bring.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);
/// What waits for the end of a pause comes back over half as long again as it had to wait: all at one edge would be the next storm.
const SPREAD: f64 = 0.5;

/// Until when an endpoint is left alone after an attempt that ended at `now`, where its dialect heeds Retry-After.
pub fn asked_for(policy: &RetryPolicy, outcome: &Outcome, now: Timestamp) -> Option<Timestamp> {
    let Outcome::Responded { status: 429, retry_after: Some(asked) } = outcome else { return None };
    if !policy.hints.retry_after || asked.is_zero() {
        return None;
    }
    let millis = i64::try_from(asked.min(&LONGEST).as_millis()).unwrap_or(i64::MAX);
    Some(time::ceil_second(time::plus_millis(now, millis)))
}

/// How long a message waits in a queue for the end of a pause, and a little; `jitter` is random, from 0 up to but not including 1.
/// Where a queue does not keep it for so long it comes back at half of it, not when the queue's time is over: that is an edge as well.
pub fn delay(until: Timestamp, now: Timestamp, jitter: f64) -> Duration {
    let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
    let wait = left.mul_f64(SPREAD.mul_add(jitter.clamp(0.0, 1.0), 1.0));
    let wait = if wait > LONGEST_DELAY { wait / 2 } else { wait };
    Duration::from_secs(wait.as_secs() + 1).min(LONGEST_DELAY)
}

/// By when all that waited for the end of a pause has come back.
pub fn is_over(until: Timestamp, now: Timestamp) -> bool {
    now.duration_since(until) >= LONGEST.mul_f64(SPREAD).try_into().unwrap_or(jiff::SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dialect::{NUR, STANDARD};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn answer(status: u16, seconds: u64) -> Outcome {
        Outcome::Responded { status, retry_after: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn only_a_429_that_says_how_long_pauses_and_for_a_quarter_of_an_hour_at_the_most() {
        let until = |outcome| asked_for(&STANDARD.retry, &outcome, at(1_000));
        assert_eq!(until(answer(429, 30)), Some(at(1_030)));
        assert_eq!(until(answer(429, 86_400)), Some(at(1_900)));
        assert_eq!(until(answer(429, u64::MAX)), Some(at(1_900)));
        assert_eq!((until(answer(429, 0)), until(answer(503, 30)), until(answer(200, 30))), (None, None, None));
        assert_eq!(until(Outcome::Responded { status: 429, retry_after: None }), None);
    }

    #[test]
    fn where_a_dialect_ignores_the_hint_nothing_pauses() {
        assert_eq!(asked_for(&NUR.retry, &answer(429, 30), at(0)), None);
    }

    #[test]
    fn what_waits_comes_back_after_the_pause_and_not_at_once() {
        let delay = |jitter| delay(at(60), at(0), jitter).as_secs();
        assert_eq!((delay(0.0), delay(0.5), delay(0.999)), (61, 76, 90));
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_a_queue_keeps_it_or_than_the_sweep_waits_for(left in 1_i64..=900, jitter in 0.0..1.0) {
            let wait = i64::try_from(delay(at(left), at(0), jitter).as_secs()).unwrap();
            prop_assert!(wait <= 840);
            prop_assert!(wait >= left || wait >= 420, "before its end only where a queue does not keep it so long");
            prop_assert!(!is_over(at(left), at(wait - 1)));
        }
    }
}
