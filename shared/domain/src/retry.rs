//! When a failed attempt comes back, if it does. Clock and entropy come in as arguments.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

use crate::attempt::{Outcome, SLOWEST_TIMEOUT};
use crate::invalid::Invalid;
use crate::time;

/// Internal failures that one round of attempts survives; the next one ends it.
pub const MAX_INTERNAL: u32 = 3;
/// The wait after an internal failure where the retry schedule names none: before the first retry, or without retries.
const INTERNAL_PAUSE_SECONDS: u32 = 60;
/// The longest that a receiver's Retry-After is obeyed: a day, the longest interval of any dialect's retry schedule.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Retries that a retry schedule has at the most.
pub const MAX_RETRIES: usize = 16;
/// The longest wait of a schedule, in seconds.
pub const MAX_DELAY_SECONDS: u32 = 7 * 24 * 3600;

/// A retry schedule, and which of a receiver's hints count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Seconds from the end of each failed attempt to the next one; when they are used up the delivery has failed.
    pub delays: Cow<'static, [u32]>,
    /// How far a delay may stray to either side, in percent of itself.
    pub jitter_percent: u8,
    /// Which hints count.
    pub hints: Hints,
}

/// Which of a receiver's hints count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// `Retry-After` on 429 and 503 puts the next attempt off, by a day at most.
    pub retry_after: bool,
    /// 410 Gone ends the delivery and disables the endpoint.
    pub gone: bool,
}

/// Where in its round an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Attempts of this round so far, this one included.
    pub attempts: u32,
    /// How many of those failed for reasons of our own, this one included.
    pub internal: u32,
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// It was delivered.
    Succeed,
    /// It comes back then, on a whole second.
    RetryAt(Timestamp),
    /// It has failed for good.
    Exhaust,
    /// It has failed for good, and the receiver asked to hear no more.
    DisableEndpoint,
}

/// Decides what follows from an attempt that ended at `now`; `jitter` is random, from 0 up to but not including 1.
pub fn next_step(policy: &RetryPolicy, at: Position, outcome: &Outcome, now: Timestamp, jitter: f64) -> NextStep {
    let used = at.attempts.saturating_sub(at.internal) as usize;
    match outcome {
        Outcome::Responded { status: 200..=299, .. } => NextStep::Succeed,
        Outcome::Responded { status: 410, .. } if policy.hints.gone => NextStep::DisableEndpoint,
        Outcome::Internal if at.internal > MAX_INTERNAL => NextStep::Exhaust,
        // Our fault costs the customer no attempt: the last interval once more.
        Outcome::Internal => {
            let seconds = used.checked_sub(1).and_then(|last| policy.delays.get(last).copied());
            NextStep::RetryAt(due(now, Duration::from_secs(seconds.unwrap_or(INTERNAL_PAUSE_SECONDS).into())))
        }
        failure => match used.checked_sub(1).and_then(|last| policy.delays.get(last)) {
            None => NextStep::Exhaust,
            Some(&seconds) => {
                let planned = policy.stray(seconds, jitter);
                let asked = failure.retry_after().filter(|_| policy.hints.retry_after).unwrap_or_default();
                NextStep::RetryAt(due(now, planned.max(asked.min(MAX_RETRY_AFTER))))
            }
        },
    }
}

impl RetryPolicy {
    fn stray(&self, seconds: u32, jitter: f64) -> Duration {
        let share = f64::from(self.jitter_percent) / 100.0 * jitter.clamp(0.0, 1.0).mul_add(2.0, -1.0);
        Duration::from_secs_f64(f64::from(seconds) * (1.0 + share))
    }

    /// The same policy with an endpoint's own retry schedule, if it has one.
    #[must_use]
    pub fn with_schedule(&self, schedule: Option<&[u32]>) -> Self {
        match schedule {
            Some(delays) => Self { delays: Cow::Owned(delays.to_vec()), ..self.clone() },
            None => self.clone(),
        }
    }
}

fn due(now: Timestamp, delay: Duration) -> Timestamp {
    time::ceil_second(time::plus_millis(now, i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)))
}

/// Takes a webhook's own `retry_schedule`, in seconds.
///
/// # Errors
/// [`Invalid`] for more than 16 entries or one outside 1 second to 7 days.
pub fn check_schedule(schedule: &[u32]) -> Result<(), Invalid> {
    let fits = |seconds: &u32| (1..=MAX_DELAY_SECONDS).contains(seconds);
    if schedule.len() <= MAX_RETRIES && schedule.iter().all(fits) {
        return Ok(());
    }
    Err(Invalid::new("retry_schedule", format!("0 to {MAX_RETRIES} numbers of seconds, each 1 to {MAX_DELAY_SECONDS}")))
}

/// Seconds that a whole round can take: every delay at its longest, plus room for the attempts themselves.
pub fn horizon_seconds(policy: &RetryPolicy) -> u64 {
    let stretch = 100 + u64::from(policy.jitter_percent);
    let delays: u64 = policy.delays.iter().map(|&seconds| u64::from(seconds)).sum();
    let attempts = policy.delays.len() as u64 + 1 + u64::from(MAX_INTERNAL);
    delays * stretch / 100 + attempts * SLOWEST_TIMEOUT.as_secs()
}

#[cfg(test)]
#[path = "retry/tests.rs"]
mod tests;
