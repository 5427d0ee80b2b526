//! How the record of an attempt is tried again. Only there is it known what the receiver said: where it is given up, the message comes
//! back, and the receiver gets its event once more.

use std::time::Duration;

/// The longest pause before the second try; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// Tries in vain after which an error that does not pass by itself is given up: others wait for the function meanwhile.
const TRIES: u32 = 4;
/// What one try needs, the SDK's own among them, and the attempts that move beforehand. With less left none is begun.
const TRY: Duration = Duration::from_secs(5);
/// Kept back from every try for what follows: the schedule of the next attempt, and the batch's answer.
pub const TO_FOLLOW: Duration = Duration::from_secs(2);

/// How long to wait before the next try, after so many in vain and with so much time left; none where it is given up. Half of a pause
/// at the least, or those whom one moment throttled would all be back at one.
///
/// `is_busy` says that AWS had too much to do, which passes. Then it is tried for as long as there is time.
pub fn pause(tries: u32, is_busy: bool, left: Duration, jitter: f64) -> Option<Duration> {
    if tries >= TRIES && !is_busy {
        return None;
    }
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)));
    let pause = doubled.min(LONGEST_PAUSE).mul_f64(0.5 + jitter / 2.0);
    (left > pause + TRY + TO_FOLLOW).then_some(pause)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// The pauses of one record with so much time at first, where each try takes so long.
    fn pauses(is_busy: bool, time: Duration, each: Duration, jitters: &[f64]) -> Vec<(Duration, Duration)> {
        let (mut left, mut pauses) = (time, Vec::new());
        for (tries, jitter) in (1..).zip(jitters.iter().cycle()) {
            left = left.saturating_sub(each);
            let Some(pause) = pause(tries, is_busy, left, *jitter) else { break };
            left -= pause;
            pauses.push((pause, left));
        }
        pauses
    }

    #[test]
    fn what_is_throttled_is_tried_for_as_long_as_there_is_time() {
        let each = Duration::from_millis(100);
        let longest = pauses(true, MINUTE, each, &[1.0]);
        let seconds: Vec<f64> = longest.iter().map(|(pause, _)| pause.as_secs_f64()).collect();
        assert_eq!(seconds[..5], [0.5, 1.0, 2.0, 4.0, 4.0]);
        assert!(longest.last().unwrap().1 <= LONGEST_PAUSE + TRY + TO_FOLLOW + each, "{longest:?}");
    }

    #[test]
    fn what_is_refused_for_another_reason_is_tried_a_few_times() {
        assert_eq!(pauses(false, MINUTE, Duration::ZERO, &[1.0]).len() as u32 + 1, TRIES);
    }

    proptest! {
        #[test]
        fn no_try_is_begun_without_its_time_and_what_follows(
            is_busy: bool,
            millis in 0_u64..900_000,
            each in 0_u64..4_000,
            jitters in prop::collection::vec(0.0..1.0_f64, 1..8),
        ) {
            let tried = pauses(is_busy, Duration::from_millis(millis), Duration::from_millis(each), &jitters);
            for (pause, left) in &tried {
                prop_assert!(*left > TRY + TO_FOLLOW, "{left:?} are left");
                prop_assert!((FIRST_PAUSE / 2..=LONGEST_PAUSE).contains(pause), "{pause:?}");
            }
        }

        #[test]
        fn pauses_grow_and_those_who_failed_together_come_apart(tries in 1_u32..1_000, one in 0.0..1.0_f64, other in 0.0..1.0_f64) {
            let at = |tries, jitter| pause(tries, true, Duration::MAX, jitter).unwrap();
            prop_assert!(at(tries, one) <= at(tries + 1, one));
            prop_assert_eq!(at(tries, one) < at(tries, other), one < other && at(tries, one) != at(tries, other));
            prop_assert!(at(tries, 1.0) == at(tries, 0.0) * 2);
        }
    }
}
