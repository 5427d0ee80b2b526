//! An instant by both clocks of a process.
//!
//! Lambda freezes a function between its invocations. The steady clock, by which timers and pools go, may stand still
//! meanwhile; the wall clock does not, and neither do receivers.

use std::time::{Duration, Instant, SystemTime};

/// What the clocks may differ by without a freeze: the wall clock is set right now and then.
const DRIFT: Duration = Duration::from_millis(100);

/// An instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) steady: Instant,
    pub(crate) wall: SystemTime,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { steady: Instant::now(), wall: SystemTime::now() }
    }

    /// How long ago it was, by the clock that has seen more.
    pub(crate) fn age(self, now: Self) -> Duration {
        self.steady_age(now).max(self.wall_age(now))
    }

    /// Whether time has passed since that the steady clock has not seen.
    pub(crate) fn was_frozen(self, now: Self) -> bool {
        self.wall_age(now).saturating_sub(self.steady_age(now)) > DRIFT
    }

    fn steady_age(self, now: Self) -> Duration {
        now.steady.saturating_duration_since(self.steady)
    }

    /// None where the wall clock was set back.
    fn wall_age(self, now: Self) -> Duration {
        now.wall.duration_since(self.wall).unwrap_or_default()
    }
}

#[cfg(test)]
impl Moment {
    /// So much later, of which a freeze took a part.
    pub(crate) fn later(self, awake: Duration, frozen: Duration) -> Self {
        Self { steady: self.steady + awake, wall: self.wall + awake + frozen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freeze_is_what_the_wall_clock_alone_has_seen() {
        let (begin, second) = (Moment::now(), Duration::from_secs(1));
        assert!(!begin.was_frozen(begin.later(60 * second, DRIFT)));
        assert!(begin.was_frozen(begin.later(second, second)));
        assert_eq!(begin.age(begin.later(second, second)), 2 * second);
        let set_back = Moment { wall: begin.wall - second, ..begin.later(second, Duration::ZERO) };
        assert!(!begin.was_frozen(set_back));
        assert_eq!(begin.age(set_back), second);
    }
}
