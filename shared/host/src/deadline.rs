//! One deadline for a request or an invocation: whatever it asks of AWS shares it, and it ends a moment before Lambda would
//! end the function, so that the caller has an answer and the log a line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::metrics;

/// Kept back from Lambda's own time-out for the answer.
const MARGIN: Duration = Duration::from_secs(1);
/// What a caller's first write needs, and each one that brings what is to be shown: one try of a call and its answer. With less,
/// nothing is begun: a secret that is replaced and cannot be shown any more would be nobody's.
const FIRST_WRITE: Duration = Duration::from_secs(5);

/// Longer than any function runs.
const LONGEST: Duration = Duration::from_secs(3600);

tokio::task_local! {
    static CURRENT: Arc<Work>;
}

struct Work {
    until: Instant,
    reserve: Duration,
    /// Whether each write needs the reserve, and not the first alone.
    is_to_be_shown: bool,
    has_written: AtomicBool,
    /// What has written whenever this has.
    whole: Option<Arc<Work>>,
}

impl Work {
    fn note_write(&self) {
        self.has_written.store(true, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.note_write();
        }
    }
}

/// Who waits for the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A caller, who is to be told what became of his request.
    Caller,
    /// Nobody: what is not done comes again.
    Nobody,
}

/// Does an invocation's work within its time; `deadline` is Lambda's own, in milliseconds since 1970.
pub async fn within<T>(deadline: u64, waiting: Waiting, work: impl Future<Output = T>) -> T {
    metrics::emit_clock_difference();
    let left = time_left(deadline, Timestamp::now(), limit());
    let reserve = if waiting == Waiting::Caller { FIRST_WRITE } else { Duration::ZERO };
    let until = Instant::now() + left.saturating_sub(MARGIN);
    let whole = Work { until, reserve, is_to_be_shown: false, has_written: AtomicBool::new(false), whole: None };
    CURRENT.scope(Arc::new(whole), work).await
}

/// Does one of several parts of the work under the same deadline: whether it has written depends on its own writes alone.
pub async fn apart<T>(work: impl Future<Output = T>) -> T {
    scoped(|part| part, work).await
}

/// Does what brings a secret or a key that its caller is shown this once: none of its writes, nor a second try of one, is begun
/// without the time to show it.
pub async fn to_be_shown<T>(work: impl Future<Output = T>) -> T {
    scoped(|part| Work { is_to_be_shown: true, ..part }, work).await
}

/// Does the work under a deadline that comes so much sooner: what is kept back is for what has to follow.
pub async fn but_for<T>(kept: Duration, work: impl Future<Output = T>) -> T {
    scoped(|part| Work { until: part.until.checked_sub(kept).unwrap_or(part.until), ..part }, work).await
}

/// Does what is nobody's request under the same deadline: its writes are none of the request's.
pub async fn beside<T>(work: impl Future<Output = T>) -> T {
    scoped(|part| Work { whole: None, ..part }, work).await
}

/// Does a part of the work that may take so long at the most, and no longer than the whole: what it asks of AWS ends then, and
/// nothing is written after that. So a part that hangs takes no other's time.
pub async fn at_most<T>(limit: Duration, work: impl Future<Output = T>) -> T {
    let whole = CURRENT.try_with(Arc::clone).ok();
    let until = Instant::now() + limit.min(left()).min(LONGEST);
    let (reserve, is_to_be_shown) =
        whole.as_ref().map_or((Duration::ZERO, false), |whole| (whole.reserve, whole.is_to_be_shown));
    let part = Work { until, reserve, is_to_be_shown, has_written: AtomicBool::new(false), whole };
    CURRENT.scope(Arc::new(part), work).await
}

async fn scoped<T>(scope: impl FnOnce(Work) -> Work, work: impl Future<Output = T>) -> T {
    let Ok(whole) = CURRENT.try_with(Arc::clone) else { return work.await };
    let Work { until, reserve, is_to_be_shown, .. } = *whole;
    let part = Work { until, reserve, is_to_be_shown, has_written: AtomicBool::new(false), whole: Some(whole) };
    CURRENT.scope(Arc::new(scope(part)), work).await
}

/// How much time is left; plenty where nothing was said about it.
pub fn left() -> Duration {
    CURRENT.try_with(|work| work.until.saturating_duration_since(Instant::now())).unwrap_or(Duration::MAX)
}

/// Whether a write has been begun: then it may have been carried out, whatever came back.
pub fn has_written() -> bool {
    CURRENT.try_with(|work| work.has_written.load(Ordering::Relaxed)).unwrap_or(true)
}

/// Whether a write may be begun now; if so, one has been.
pub fn may_write() -> bool {
    let may = |work: &Arc<Work>| {
        let is_free = work.has_written.load(Ordering::Relaxed) && !work.is_to_be_shown;
        let needed = if is_free { Duration::ZERO } else { work.reserve };
        let may = work.until.saturating_duration_since(Instant::now()) > needed;
        if may {
            work.note_write();
        }
        may
    };
    CURRENT.try_with(may).unwrap_or(true)
}

/// The longest that this function runs, `TIMEOUT_SECONDS`.
fn limit() -> Duration {
    let seconds = std::env::var("TIMEOUT_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(15))
}

/// What is left until Lambda's deadline, by a clock that may be wrong: no function begins with less than nothing, or with more
/// than its time-out. Where the clock says so it is the clock that is wrong, and the time-out counts from now.
fn time_left(deadline: u64, now: Timestamp, limit: Duration) -> Duration {
    let left = i64::try_from(deadline).unwrap_or(i64::MAX).saturating_sub(now.as_millisecond());
    match u64::try_from(left) {
        Ok(left) if left > 0 => Duration::from_millis(left).min(limit),
        _ => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(15);

    #[test]
    fn a_wrong_clock_leaves_neither_no_time_nor_hours() {
        let now = Timestamp::from_second(1_768_000_000).unwrap();
        let at = |seconds: i64| u64::try_from(now.as_millisecond() + seconds * 1000).unwrap();
        for (deadline, left) in [(9, 9), (15, 15), (15 + 600, 15), (15 - 600, 15), (0, 15)] {
            assert_eq!(time_left(at(deadline), now, LIMIT), Duration::from_secs(left), "{deadline}");
        }
    }

    fn in_seconds(seconds: u64) -> u64 {
        u64::try_from(Timestamp::now().as_millisecond()).unwrap() + seconds * 1000
    }

    #[tokio::test]
    async fn a_callers_first_write_is_begun_only_while_there_is_time_to_tell_of_it() {
        within(in_seconds(10), Waiting::Caller, async {
            assert!(!has_written() && may_write() && has_written());
            assert!(left() <= Duration::from_secs(9));
        })
        .await;
        within(in_seconds(5), Waiting::Caller, async { assert!(!may_write() && !has_written()) }).await;
        within(in_seconds(5), Waiting::Nobody, async { assert!(may_write()) }).await;
        within(in_seconds(1), Waiting::Nobody, async { assert!(!may_write()) }).await;
        assert!(may_write(), "without a deadline all may be done");
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_ends_when_its_share_does_and_the_whole_goes_on() {
        within(in_seconds(13), Waiting::Nobody, async {
            at_most(Duration::from_secs(4), async {
                assert!(left() <= Duration::from_secs(4) && may_write());
                tokio::time::sleep(Duration::from_secs(4)).await;
                assert!(left().is_zero() && !may_write());
            })
            .await;
            assert!(has_written() && may_write() && left() > Duration::from_secs(7), "{:?}", left());
            at_most(Duration::MAX, async { assert!(left() <= Duration::from_secs(8)) }).await;
        })
        .await;
        at_most(Duration::from_secs(4), async { assert!(left() <= Duration::from_secs(4)) }).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_to_be_shown_needs_its_time_at_every_write() {
        within(in_seconds(10), Waiting::Caller, async {
            assert!(may_write());
            tokio::time::advance(Duration::from_secs(3)).await;
            to_be_shown(async { assert!(may_write(), "six seconds are left") }).await;
            tokio::time::advance(Duration::from_secs(2)).await;
            // The SDK's second try of the same call, or another write of the same request.
            to_be_shown(async { assert!(!may_write(), "four are too few to show it") }).await;
            assert!(may_write(), "what nobody is shown may go on");
        })
        .await;
        within(in_seconds(10), Waiting::Caller, async {
            to_be_shown(async { assert!(may_write()) }).await;
            assert!(has_written(), "it counts for what the caller is told");
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_back_is_there_afterwards() {
        within(in_seconds(10), Waiting::Nobody, async {
            but_for(Duration::from_secs(5), async {
                tokio::time::advance(Duration::from_secs(6)).await;
                assert!(!may_write() && left().is_zero());
            })
            .await;
            assert!(may_write());
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_done_apart_does_not_count_for_the_rest() {
        within(in_seconds(10), Waiting::Caller, async {
            beside(async { assert!(may_write() && has_written()) }).await;
            assert!(!has_written());
            apart(async { assert!(!has_written()) }).await;
            apart(async { assert!(may_write() && has_written()) }).await;
            apart(async { assert!(!has_written()) }).await;
            assert!(has_written(), "a part's write is the whole's, too");
        })
        .await;
    }
}
