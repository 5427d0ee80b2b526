//! A bucket of tokens that is one time: until when what was taken is used up. It fills by itself as that passes, so nobody has to put
//! anything back, and a row of a bucket that is full can go.

use std::time::Duration;

/// So many at once, and one more at each interval.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// What a full one holds.
    pub at_once: u64,
    /// When one comes back, in milliseconds.
    pub interval_millis: i64,
}

/// Retries by hand of one webhook's deliveries.
pub const RETRIES: Bucket = Bucket { at_once: super::RETRIES_AT_ONCE, interval_millis: 1000 };

/// What becomes of one who takes a token. Times are in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// The bucket was full: it is used up until an interval from now, whatever stood there.
    Fresh,
    /// It was not, and is used up for an interval more.
    More,
    /// It is empty, until then.
    Empty {
        /// When there is one again.
        until: i64,
    },
}

impl Bucket {
    /// What becomes of one who takes a token `now` from a bucket that is used up until then.
    pub fn take(self, used_until: Option<i64>, now: i64) -> Taking {
        match used_until {
            Some(until) if until > self.latest(now) => {
                Taking::Empty { until: until - self.span() + self.interval_millis }
            }
            Some(until) if until > now => Taking::More,
            _ => Taking::Fresh,
        }
    }

    /// Until when it may be used up, for one to be left to take.
    pub fn latest(self, now: i64) -> i64 {
        now + self.span() - self.interval_millis
    }

    /// How long an empty one takes to be full.
    pub fn span(self) -> i64 {
        self.interval_millis * i64::try_from(self.at_once).unwrap_or(i64::MAX / self.interval_millis)
    }
}

/// The wait from now to then, if it is to come.
pub fn wait(now: i64, until: i64) -> Duration {
    Duration::from_millis(u64::try_from(until - now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Takes one, as a row would have it.
    fn taken(used_until: &mut Option<i64>, now: i64) -> Result<(), i64> {
        *used_until = Some(match RETRIES.take(*used_until, now) {
            Taking::Fresh => now + RETRIES.interval_millis,
            Taking::More => used_until.unwrap() + RETRIES.interval_millis,
            Taking::Empty { until } => return Err(until),
        });
        Ok(())
    }

    #[test]
    fn sixty_at_once_and_then_one_a_second() {
        let mut used = None;
        assert!((0..60).all(|_| taken(&mut used, 5000).is_ok()));
        assert_eq!(taken(&mut used, 5000), Err(6000));
        assert_eq!(taken(&mut used, 5999), Err(6000), "exactly then, and no moment before");
        assert_eq!(taken(&mut used, 6000), Ok(()));
        assert_eq!(taken(&mut used, 6000), Err(7000));
        assert!((0..60).all(|_| taken(&mut used, 67_000).is_ok()), "a minute later it is full");
        assert!(taken(&mut used, 67_000).is_err());
    }

    proptest! {
        /// In no window are there more than a full bucket and what comes back in it; who waits as he was told gets one; and
        /// nobody waits while fewer than a bucket's were taken within the time that it takes to fill.
        #[test]
        fn no_window_has_more_than_a_bucket_and_what_comes_back(gaps in prop::collection::vec(0..3000_i64, 1..400)) {
            let (mut used, mut now, mut takings) = (None, 1_000_000_i64, Vec::new());
            for gap in gaps {
                now += gap / 4;
                match taken(&mut used, now) {
                    Ok(()) => takings.push(now),
                    Err(until) => {
                        prop_assert!(until > now && until <= now + RETRIES.interval_millis);
                        let recent = takings.iter().filter(|at| **at > now - RETRIES.span()).count();
                        prop_assert!(recent as u64 >= RETRIES.at_once / 2, "{recent}");
                        let mut later = used;
                        prop_assert!(taken(&mut later, until).is_ok() && taken(&mut used.clone(), until - 1).is_err());
                    }
                }
            }
            for (first, start) in takings.iter().enumerate() {
                for (last, end) in takings.iter().enumerate().skip(first) {
                    let comes_back = (end - start) / RETRIES.interval_millis;
                    let most = i64::try_from(RETRIES.at_once).unwrap() + comes_back;
                    prop_assert!(i64::try_from(last - first + 1).unwrap() <= most, "{start} to {end}");
                }
            }
        }
    }
}
