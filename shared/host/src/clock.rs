//! The clock, put right by AWS's own: each of its answers says what time it is there.
//!
//! A machine whose clock is minutes off would sign webhooks with a time that receivers refuse, and give schedules an instant
//! that has passed. (What it signs for AWS the SDK puts right by itself.) Within half a minute nothing is touched: an answer's
//! `Date` knows whole seconds, and was written on its way.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use postrider_domain::time;

/// A difference up to this is no difference.
const TOLERATED_MS: i64 = 30_000;
/// By so much a difference may change before it counts as another one.
const STEADY_MS: i64 = 5_000;
/// An answer that took longer says too little about the time.
const PROMPT: Duration = Duration::from_secs(10);

/// What has to be added to this machine's clock, in milliseconds.
static DIFFERENCE_MS: AtomicI64 = AtomicI64::new(0);

/// Now, to the millisecond, which is all that is stored or shown; by AWS's clock where this machine's is wrong.
pub fn now() -> Timestamp {
    time::to_millis(Timestamp::try_from(system_now()).unwrap_or_else(|_| Timestamp::now()))
}

/// The same as the standard library has it.
pub fn system_now() -> SystemTime {
    let difference = DIFFERENCE_MS.load(Ordering::Relaxed);
    let by = Duration::from_millis(difference.unsigned_abs());
    if difference < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
}

/// By how much this machine's clock is wrong, in whole seconds; 0 while it is right.
pub fn difference_seconds() -> i64 {
    DIFFERENCE_MS.load(Ordering::Relaxed) / 1000
}

/// Takes in the `Date` of an answer to what was sent at `sent`, by this machine's clock; whether that changed what is known.
pub fn learn(date: &str, sent: SystemTime) -> bool {
    let (Ok(theirs), Ok(took)) = (httpdate::parse_http_date(date), sent.elapsed()) else { return false };
    if took > PROMPT {
        return false;
    }
    let known = DIFFERENCE_MS.load(Ordering::Relaxed);
    let Some(other) = corrected(known, difference_ms(theirs, sent + took / 2)) else { return false };
    DIFFERENCE_MS.store(other, Ordering::Relaxed);
    tracing::error!(seconds = other / 1000, "clock.wrong");
    true
}

/// Their clock less ours, in milliseconds; a whole second that was written stands for its middle.
fn difference_ms(theirs: SystemTime, ours: SystemTime) -> i64 {
    let ms = |at: SystemTime| {
        i64::try_from(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
    };
    ms(theirs) + 500 - ms(ours)
}

/// The correction from now on, where it is another than the known one.
fn corrected(known: i64, difference: i64) -> Option<i64> {
    let wanted = if difference.abs() <= TOLERATED_MS { 0 } else { difference };
    let is_another = (wanted - known).abs() > STEADY_MS && wanted != known;
    is_another.then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_far_off_is_corrected_and_it_stays_so() {
        for (known, difference, expected) in [
            (0, 29_000, None),
            (0, -29_000, None),
            (0, 600_000, Some(600_000)),
            (0, -600_000, Some(-600_000)),
            (600_000, 601_500, None),
            (600_000, 700_000, Some(700_000)),
            (600_000, 900, Some(0)),
        ] {
            assert_eq!(corrected(known, difference), expected, "{known} {difference}");
        }
    }

    #[test]
    fn a_date_is_compared_with_the_middle_of_the_call() {
        let theirs = httpdate::parse_http_date("Thu, 15 Jan 2026 12:10:00 GMT").unwrap();
        assert_eq!(difference_ms(theirs, theirs - Duration::from_secs(600)), 600_500);
        assert_eq!(difference_ms(theirs, theirs + Duration::from_secs(600)), -599_500);
    }
}
