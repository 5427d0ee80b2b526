//! How many events a second a tenant may publish, counted without a write per event.
//!
//! A process counts by itself what it lets pass, and adds it now and then to the tenant's row: *settles* it. The row holds one
//! instant (a generic cell rate, GCRA): until when the bucket is filled. What a process has not settled nobody else knows of,
//! so a tenant may get, beyond its quota and burst, [`EventRate::unsettled`] events from each process, and
//! [`EventRate::quiet`] a second from each that has no cause to settle.
//!
//! A tenant that stays below half of its quota gives no process that cause: nothing is written for it, and it is never
//! refused. Above [`QUIET_MOST`] a second in one process it is written for, a hundredth of a write for each event, but still
//! not refused: otherwise the quota of a large plan would bind nobody whose calls are spread over many processes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How long a tenant may publish at once what it then must make up for, in seconds.
pub const BURST_SECONDS: u32 = 10;
/// Events that every tenant may publish at once: a whole batch.
pub const SMALLEST_BURST: u32 = 25;
/// Events a second that a process lets pass unsettled at the most, however large the quota.
pub const QUIET_MOST: u32 = 50;
/// How often a process settles what can be refused.
const SETTLED_EVERY: SignedDuration = SignedDuration::from_secs(2);
/// The same where nothing of it can be refused.
const COUNTED_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// A tenant's quota of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRate {
    per_second: u32,
}

impl EventRate {
    /// So many events a second; at least one.
    pub fn new(per_second: u32) -> Self {
        Self { per_second: per_second.max(1) }
    }

    /// Events a second.
    pub fn per_second(self) -> u32 {
        self.per_second
    }

    /// Events that may come at once.
    pub fn burst(self) -> u32 {
        self.per_second.saturating_mul(BURST_SECONDS).max(SMALLEST_BURST)
    }

    /// Events a second that a process lets pass and forgets: half of the quota, but no more than [`QUIET_MOST`].
    pub fn quiet(self) -> f64 {
        f64::from(self.per_second.min(2 * QUIET_MOST)) / 2.0
    }

    /// Events that a process lets pass before it settles them.
    pub fn unsettled(self) -> u32 {
        self.per_second.clamp(SMALLEST_BURST, 2 * QUIET_MOST)
    }

    /// The time that so many events take at the quota.
    fn time_of(self, events: f64) -> SignedDuration {
        SignedDuration::from_secs_f64(events / f64::from(self.per_second))
    }

    /// The events that so much time allows for.
    fn events_in(self, time: SignedDuration) -> f64 {
        time.as_secs_f64() * f64::from(self.per_second)
    }

    /// Until when a bucket is filled at this rate that is filled until then at another: what was published weighs what it weighs
    /// now, so that whoever is given more need not wait for what was used up of the less.
    pub fn rescaled(self, until: Timestamp, from: Self, now: Timestamp) -> Timestamp {
        let left = until.duration_since(now).max(SignedDuration::ZERO);
        if self == from { until } else { after(now, self.time_of(from.events_in(left))) }
    }

    /// Until when the bucket is filled, once these are added to it. What is only counted fills it to the brim and no further:
    /// a provider who publishes for a tenant shall not lock the tenant itself out for hours.
    pub fn filled_until(self, before: Option<Timestamp>, unsettled: Unsettled, now: Timestamp) -> Timestamp {
        let start = before.map_or(now, |until| until.max(now));
        let own = after(start, self.time_of(unsettled.own));
        let brim = after(now, self.time_of(f64::from(self.burst())));
        own.max(after(own, self.time_of(unsettled.counted)).min(brim))
    }
}

/// Events that a process let pass and that do not stand in the tenant's row yet. Of a quiet tenant some are forgiven, so that
/// they are no whole number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Unsettled {
    /// Published with a key of the tenant's, so that more of them could be refused.
    pub own: f64,
    /// Published by the provider, which is counted and never refused.
    pub counted: f64,
}

impl Unsettled {
    fn all(self) -> f64 {
        self.own + self.counted
    }
}

/// How many of a call's events may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// So many, the first ones.
    pub events: u32,
    /// When the next one may, where that is not all of them.
    pub wait: Option<Duration>,
}

/// What one process knows of one tenant's events.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    unsettled: Unsettled,
    /// Up to when quiet events were forgiven.
    forgiven_at: Option<Timestamp>,
    settled_at: Option<Timestamp>,
    /// Not to be asked for before then: it could not be written.
    given_up_until: Option<Timestamp>,
    /// As the row said last, at the rate of that time. It may be filled for longer by now, never for less.
    filled_until: Option<(Timestamp, EventRate)>,
}

impl Tally {
    /// Takes out what is to be settled before more events pass, if anything is.
    pub fn take_due(&mut self, rate: EventRate, own: u32, now: Timestamp) -> Option<Unsettled> {
        self.forgive(rate, now);
        if self.unsettled.all() <= 0.0 || self.given_up_until.is_some_and(|until| now < until) {
            return None;
        }
        let is_old = |every| self.settled_at.is_none_or(|at| now.duration_since(at) >= every);
        // What there is no room for, by all that is known, fills nothing: a flood that is refused is not written for at each call.
        let room = self.room(rate, now).max(0.0);
        let is_full = self.unsettled.all() + f64::from(own).min(room) > f64::from(rate.unsettled());
        let is_due = if self.unsettled.own + f64::from(own) > 0.0 {
            let is_wanted = self.is_watched(now) || f64::from(own) > room;
            is_full || (is_wanted && is_old(SETTLED_EVERY))
        } else {
            (is_full || self.is_watched(now)) && is_old(COUNTED_EVERY)
        };
        is_due.then(|| {
            self.settled_at = Some(now);
            std::mem::take(&mut self.unsettled)
        })
    }

    /// Takes in until when the row is filled, now that what was taken out is added to it.
    pub fn settled(&mut self, filled_until: Timestamp, rate: EventRate) {
        self.filled_until = Some((filled_until, rate));
    }

    /// Takes back what could not be added: nobody is refused for that, and it is tried again after a while.
    pub fn not_settled(&mut self, unsettled: Unsettled, now: Timestamp) {
        self.unsettled.own += unsettled.own;
        self.unsettled.counted += unsettled.counted;
        self.given_up_until = Some(after(now, SETTLED_EVERY));
    }

    /// Forgets what may have been added, or not: to add it again and again would lock a tenant out.
    pub fn may_be_settled(&mut self, now: Timestamp) {
        self.given_up_until = Some(after(now, SETTLED_EVERY));
    }

    /// Lets pass what there is room for; what is being settled just now takes none.
    pub fn pass(&mut self, rate: EventRate, asked: u32, now: Timestamp) -> Passed {
        self.forgive(rate, now);
        let room = self.room(rate, now);
        // What was rounded on its way to the row and back is no reason to refuse.
        let fits = (1..=asked).rev().find(|events| f64::from(*events) <= room + 0.001).unwrap_or(0);
        self.unsettled.own += f64::from(fits);
        let lacking = rate.time_of(1.0 - (room - f64::from(fits)));
        let wait = (fits < asked).then(|| Duration::try_from(lacking).unwrap_or_default());
        Passed { events: fits, wait }
    }

    /// Events that may still pass, by what is known here.
    fn room(&self, rate: EventRate, now: Timestamp) -> f64 {
        let filled = self.filled_until(rate, now).map_or(SignedDuration::ZERO, |until| until.duration_since(now));
        f64::from(rate.burst()) - rate.events_in(filled.max(SignedDuration::ZERO)) - self.unsettled.own
    }

    /// Counts events that nobody refuses.
    pub fn count(&mut self, rate: EventRate, events: u32, now: Timestamp) {
        self.forgive(rate, now);
        self.unsettled.counted += f64::from(events);
    }

    /// What the row held when it was seen last, if it was written at this rate.
    pub fn seen(&self, rate: EventRate) -> Option<Timestamp> {
        self.filled_until.filter(|(_, written)| *written == rate).map(|(until, _)| until)
    }

    fn filled_until(&self, rate: EventRate, now: Timestamp) -> Option<Timestamp> {
        self.filled_until.map(|(until, written)| rate.rescaled(until, written, now))
    }

    /// Whether the tenant was lately above what is quiet: then all is settled, and nothing forgiven.
    fn is_watched(&self, now: Timestamp) -> bool {
        self.filled_until.is_some_and(|(until, _)| until > now)
    }

    fn forgive(&mut self, rate: EventRate, now: Timestamp) {
        let since = self.forgiven_at.replace(now).unwrap_or(now);
        if self.is_watched(now) || self.unsettled.all() <= 0.0 {
            return;
        }
        // Not for the time in which it was watched.
        let since = self.filled_until.map_or(since, |(until, _)| until.max(since));
        let quiet = rate.quiet() * now.duration_since(since).max(SignedDuration::ZERO).as_secs_f64();
        let left = (1.0 - quiet / self.unsettled.all()).max(0.0);
        self.unsettled = Unsettled { own: self.unsettled.own * left, counted: self.unsettled.counted * left };
    }
}

fn after(at: Timestamp, time: SignedDuration) -> Timestamp {
    at.checked_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "event_rate/tests.rs"]
mod tests;
