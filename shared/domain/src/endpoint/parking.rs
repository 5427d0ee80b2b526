//! Parking: what is for an endpoint that is down waits in the table instead of being tried again and again.
//!
//! An endpoint that is down costs probes, not every delivery's retries. It stands in its row, so whoever reads the endpoint knows:
//!
//! ```text
//! (none) --no answer for five minutes, and an attempt now fails as an outage does--> down
//! down --a probe is answered, or the owner changes what may have been the cause--> draining
//! draining --all that is parked was sent--> closing --half an hour--> (none)
//! draining, closing --no answer for five minutes once more--> down
//! ```
//!
//! An endpoint whose rate limit has more waiting than a queue can hold back is parked too, and drained from the beginning.
//!
//! Every change counts a step on, and is written only over the step that it was made from. The next step is brought by a ticket in a
//! queue, or by the sweep should that be lost; one of a step that is over is stale.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::{Outcome, Sign};
use crate::delivery::Delivery;
use crate::endpoint::{Endpoint, EndpointStatus};
use crate::id::DeliveryId;
use crate::named;
use crate::named::stored_by_name;
use crate::rate_limit::{FURTHEST, RateLimit};
use crate::time::{plus_millis, to_millis};

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;

/// How long an endpoint answers nothing before an attempt that fails parks what is for it.
const OPENS_AFTER: Duration = Duration::from_secs(5 * 60);
/// The wait before each probe; the last one again and again. No more than an SQS message can be delayed.
const PROBE_INTERVALS: [u32; 5] = [60, 2 * 60, 5 * 60, 10 * 60, 15 * 60];
/// The longest delay of an SQS message.
const MOST_DELAY_SECONDS: i64 = 900;
/// How long fan-out's hint lasts beyond the next probe, which renews it.
const HINT_GRACE: Duration = Duration::from_secs(5 * 60);
/// How long it is looked after once it is drained: longer than any hint to fan-out lasts and any function runs, so that what was
/// parked by one that knew no better is found.
pub const CLOSING: Duration = Duration::from_secs(30 * 60);
/// Parked rows among which probes rotate: the oldest ones.
pub const PROBED: u32 = 100;
/// Probes of one row in a round. One more would ask for more room than a delivery's attempts have.
pub const MAX_PROBES: u32 = 100;
/// How many of them may be made as soon as it is their turn.
const FREE_PROBES: u32 = 40;
/// Deliveries of the first page that is drained: whoever has just come back is not run over.
pub const FIRST_PAGE: u32 = 50;
/// Deliveries that are drained by such pages, so in their order but for what is under way at once. Pages grow after that: who has more
/// parked is served sooner, and in less order.
const IN_ORDER: u64 = 500;
/// Deliveries of the largest page; each is up to twice as large as the one before it.
pub const LAST_PAGE: u32 = 1_000;
/// From one page to the next, where no rate limit says otherwise.
const PAGE_INTERVAL: Duration = Duration::from_secs(1);
/// The same while the endpoint fails again: then a page is one delivery.
const CAREFUL_INTERVAL: Duration = Duration::from_secs(15);
/// For how long nobody has answered by then.
const CAREFUL_AFTER: Duration = Duration::from_secs(5);
/// How soon it is looked again whether all that was sent is on record.
const WAITING_INTERVAL: Duration = Duration::from_secs(2);
/// After which what was sent must be on record, or is lost: longer than any attempt takes.
const UNDER_WAY: Duration = Duration::from_secs(45);
/// How long what waits in the queue is sent before what is parked behind it, where a rate limit is the cause: a part of what a queue
/// holds back at the most, or it would be parked again.
pub const BEFORE_A_LIMITED_DRAIN: Duration = Duration::from_secs(10 * 60);
/// What a page of an endpoint with a rate limit is sent in.
const LIMITED_PAGE_SECONDS: u32 = 10;
/// How long a delivery waits at the least once it is parked: longer than from one probe to the next.
const AT_LEAST_ONE_PROBE: Duration = Duration::from_secs(20 * 60);
/// The same from its first attempt on, where its own schedule is shorter: nobody's events fail between two probes of an endpoint that is
/// back.
pub const SHORTEST_WAIT: Duration = Duration::from_secs(3600);
/// How long after its time a step counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(60);
/// How soon it begins, and how often it is asked whether it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    opens_after: Duration,
    /// One interval for every probe, where somebody cannot wait.
    always: Option<Duration>,
}

impl Default for Times {
    fn default() -> Self {
        Self { opens_after: OPENS_AFTER, always: None }
    }
}

impl Times {
    /// Begins after so long, and probes as often: for a local stack, whose user cannot wait.
    pub fn short(every: Duration) -> Self {
        Self { opens_after: every, always: Some(every) }
    }

    /// The wait before the probe that comes after so many.
    fn interval(&self, probes: u32) -> Duration {
        let last = PROBE_INTERVALS.len() - 1;
        let place = usize::try_from(probes).unwrap_or(last).min(last);
        self.always.unwrap_or(Duration::from_secs(PROBE_INTERVALS[place].into()))
    }
}

named! {
    /// How it stands, by its name in the API and the tables.
    pub enum State {
        /// Only probes are sent.
        Down = "down",
        /// What is parked is sent, page by page; what is new is parked behind it.
        Draining = "draining",
        /// All was sent, and what is new goes the ordinary way. It is still looked for what somebody parked meanwhile.
        Closing = "closing",
    }
}

stored_by_name!(State);

named! {
    /// Why deliveries are parked, by its name in the API and the tables.
    pub enum Cause {
        /// Nobody answers there.
        EndpointOutage = "endpoint_outage",
        /// More waits than its rate limit lets through in the time for which a queue can hold it back.
        RateLimit = "rate_limit",
    }
}

stored_by_name!(Cause);

/// Where a parked delivery stands among those of its endpoint: the one that waits longest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Until when it waits at the most.
    #[serde(with = "crate::time::as_wire")]
    pub waits_until: Timestamp,
    /// Which delivery.
    pub id: DeliveryId,
}

/// An endpoint's parking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parking {
    /// When it began, which tells it from those before it.
    #[serde(with = "crate::time::as_wire")]
    pub since: Timestamp,
    /// Counts its changes.
    pub step: u32,
    /// How it stands.
    pub state: State,
    /// Why.
    pub cause: Cause,
    /// When its next step is due: a probe, a page, or its end.
    #[serde(with = "crate::time::as_wire")]
    pub next_at: Timestamp,
    /// Probes so far.
    #[serde(default)]
    pub probes: u32,
    /// The last one that was drained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Place>,
    /// Deliveries of the next page.
    #[serde(default)]
    pub page: u32,
    /// Deliveries that were sent again so far, with the probe that was answered.
    #[serde(default)]
    pub drained: u64,
    /// When the last page was sent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub sent_at: Option<Timestamp>,
    /// Whether somebody has answered since it was down last.
    #[serde(default)]
    pub answered: bool,
    /// Whether its owner was told that it is over, or has nothing to be told.
    #[serde(default)]
    pub told: bool,
}

/// What a page takes, and how long the next one waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Deliveries at the most.
    pub rows: u32,
    /// The wait.
    pub pause: Duration,
}

impl Parking {
    /// What an attempt at this endpoint begins that ended so at `now`, if it is the one too many.
    pub fn begun_by(endpoint: &Endpoint, outcome: &Outcome, now: Timestamp, times: &Times) -> Option<Self> {
        if outcome.sign() != Sign::Down || !endpoint.dialect.parks || !is_sent_to(endpoint) {
            return None;
        }
        let down_for = now.duration_since(endpoint.down_since?).unsigned_abs();
        if down_for < times.opens_after {
            return None;
        }
        match &endpoint.parking {
            None => Some(Self::new(now, State::Down, Cause::EndpointOutage, later(now, times.interval(0)))),
            Some(parking) => parking.down_again(now, times),
        }
    }

    /// What begins for an endpoint whose rate limit lets nothing more through before `free_at`: it is drained from then on. Nothing
    /// where something is parked already. One that is closing goes back, or it might be over before what is parked now is found; its
    /// owner still has the end of an outage to hear.
    pub fn begun_by_limit(before: Option<&Self>, now: Timestamp, free_at: Timestamp) -> Option<Self> {
        let Some(before) = before else {
            return Some(Self::new(now, State::Draining, Cause::RateLimit, free_at));
        };
        let draining = Self { cause: Cause::RateLimit, next_at: free_at, ..before.draining(now) };
        (before.state == State::Closing).then_some(draining)
    }

    fn new(since: Timestamp, state: State, cause: Cause, next_at: Timestamp) -> Self {
        Self {
            since: to_millis(since),
            step: 0,
            state,
            cause,
            next_at,
            probes: 0,
            after: None,
            page: FIRST_PAGE,
            drained: 0,
            sent_at: None,
            answered: false,
            told: cause == Cause::RateLimit,
        }
    }

    /// What follows when an endpoint is down again for which something is parked; nothing where it still is. As long as its owner has
    /// not heard that it is over, it goes on as the same outage.
    fn down_again(&self, now: Timestamp, times: &Times) -> Option<Self> {
        if self.state == State::Down {
            return None;
        }
        let next_at = later(now, times.interval(0));
        if self.told {
            let anew = Self::new(now, State::Down, Cause::EndpointOutage, next_at);
            return Some(Self { step: self.step + 1, ..anew });
        }
        Some(Self { state: State::Down, next_at, probes: 0, answered: false, ..self.next() })
    }

    /// Whether it begins something that its owner is to be told of, as the follower of `before`.
    pub fn is_news(&self, before: Option<&Self>) -> bool {
        self.state == State::Down && before.is_none_or(|before| before.told)
    }

    fn next(&self) -> Self {
        Self { step: self.step + 1, ..self.clone() }
    }

    /// Whether a step of this number is still to be made.
    pub fn awaits(&self, since: Timestamp, step: u32) -> bool {
        self.since == since && step >= self.step
    }

    /// Whether it holds back what is not a probe.
    pub fn holds_back(&self) -> bool {
        self.state == State::Down
    }

    /// Whether what is new is parked behind the rest.
    pub fn parks_what_is_new(&self) -> bool {
        matches!(self.state, State::Down | State::Draining)
    }

    /// Whether its next step is so late that its ticket must be lost.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.state != State::Closing && now > later(self.next_at, LOST_AFTER)
    }

    /// Whether nothing parked by anybody who knew no better can turn up any more, although its owner has not heard that it is over.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        self.state == State::Closing && now >= self.next_at
    }

    /// Whether it is over. It is not before its owner was told, should nobody have been sent anything who could answer: or he would
    /// hear of the next outage before the end of this one. Who is not sent to any more hears nothing.
    pub fn is_over(&self, endpoint: &Endpoint, now: Timestamp) -> bool {
        self.is_quiet(now) && (self.told || !is_sent_to(endpoint))
    }

    /// How long a queue keeps the ticket for its next step back: whole seconds, as many as it can at the most.
    pub fn delay(&self, now: Timestamp) -> Duration {
        let seconds = self.next_at.as_second() - now.as_second();
        Duration::from_secs(seconds.clamp(0, MOST_DELAY_SECONDS).unsigned_abs())
    }

    /// Until when fan-out may park what is new by a hint that is given now.
    pub fn hint_until(&self) -> Timestamp {
        later(self.next_at, HINT_GRACE)
    }

    /// After a probe that was claimed at `now`.
    #[must_use]
    pub fn probed(&self, now: Timestamp, times: &Times) -> Self {
        let probes = self.probes + 1;
        Self { probes, next_at: later(now, times.interval(probes)), ..self.next() }
    }

    /// Which of so many parked rows a probe is made with: another one each time.
    pub fn probed_row(&self, rows: usize) -> usize {
        usize::try_from(self.probes).unwrap_or_default() % rows.max(1)
    }

    /// Sends what is parked, from its beginning, from `now` on, if it is down: the owner has changed what may have been the cause.
    #[must_use]
    pub fn given_another_chance(&self, now: Timestamp) -> Self {
        if self.state == State::Down { self.draining(now) } else { self.clone() }
    }

    /// The same under another rate limit: what waited for a slot of the one before waits no longer.
    #[must_use]
    pub fn under_another_limit(&self, now: Timestamp) -> Self {
        let waits = self.state == State::Draining && self.next_at > now;
        if waits { Self { next_at: now, ..self.next() } } else { self.clone() }
    }

    /// The same since somebody has answered, by which one delivery is seen to.
    fn answered(&self, now: Timestamp) -> Self {
        Self { drained: self.drained + 1, answered: true, ..self.draining(now) }
    }

    /// What follows from an answer, whatever it was, and whether its owner is told that the outage is over; nothing where it says
    /// nothing new.
    pub fn after_an_answer(&self, now: Timestamp) -> Option<(Self, bool)> {
        match self.state {
            State::Down => Some((self.answered(now), false)),
            State::Draining if !self.told && !self.answered => Some((Self { answered: true, ..self.next() }, false)),
            State::Closing if !self.told => Some((Self { answered: true, told: true, ..self.next() }, true)),
            State::Draining | State::Closing => None,
        }
    }

    fn draining(&self, now: Timestamp) -> Self {
        Self { state: State::Draining, next_at: now, after: None, page: FIRST_PAGE, ..self.next() }
    }

    /// What its next page may take.
    pub fn page(&self, endpoint: &Endpoint, times: &Times, now: Timestamp) -> Page {
        if !is_sent_to(endpoint) {
            // It is called off, and nobody is asked.
            return Page { rows: self.page, pause: PAGE_INTERVAL };
        }
        if let Some(since) = endpoint.down_since {
            // One that fails by chance is soon found to answer the next.
            let is_young = now < later(since, CAREFUL_AFTER);
            let pause = times.always.unwrap_or(CAREFUL_INTERVAL).min(CAREFUL_INTERVAL);
            return Page { rows: 1, pause: if is_young { PAGE_INTERVAL } else { pause } };
        }
        match endpoint.rate_limit {
            None => Page { rows: self.page, pause: PAGE_INTERVAL },
            Some(limit) => {
                let rows = (limit.per_second() * LIMITED_PAGE_SECONDS).min(LAST_PAGE);
                Page { rows, pause: pace(rows, limit) }
            }
        }
    }

    /// How much of a page may be sent while so many of those before it are not on record yet.
    #[must_use]
    pub fn beside(page: Page, under_way: usize) -> Page {
        let under_way = u32::try_from(under_way).unwrap_or(u32::MAX);
        Page { rows: page.rows.saturating_sub(under_way), ..page }
    }

    /// After a page of so many, the last of which is this, was sent at `now`.
    #[must_use]
    pub fn page_sent(&self, last: Place, sent: usize, page: Page, now: Timestamp) -> Self {
        let drained = self.drained + sent as u64;
        let is_to_grow = page.rows >= self.page && drained >= IN_ORDER;
        Self {
            after: Some(last),
            page: if is_to_grow { self.page.saturating_mul(2).min(LAST_PAGE) } else { FIRST_PAGE },
            drained,
            next_at: later(now, page.pause),
            sent_at: Some(now),
            ..self.next()
        }
    }

    /// While some of what was sent is not on record yet. After a while it is gone through once more: somebody may have parked another
    /// before the place that was reached. What is for an endpoint with a limit may wait in a queue for its slot before: sent again, it
    /// would take another one. Nor is anything sent again to a queue that is behind, which would only be further behind.
    #[must_use]
    pub fn waiting(&self, endpoint: &Endpoint, is_behind: bool, now: Timestamp) -> Self {
        let in_a_queue = endpoint.rate_limit.map(|_| FURTHEST).unwrap_or_default();
        let is_long = self.sent_at.is_none_or(|sent_at| now > later(sent_at, UNDER_WAY + in_a_queue));
        let after = if is_long && !is_behind { None } else { self.after.clone() };
        Self { after, next_at: later(now, WAITING_INTERVAL), ..self.next() }
    }

    /// Once nothing is parked any more, at `now`; whether its owner is told that the outage is over. He is not while nobody has answered,
    /// but as soon as somebody does.
    pub fn drained(&self, endpoint: &Endpoint, now: Timestamp) -> (Self, bool) {
        let tells = !self.told && self.answered && endpoint.down_since.is_none() && is_sent_to(endpoint);
        let next_at = later(now, CLOSING);
        let told = self.told || tells;
        (Self { state: State::Closing, next_at, after: None, told, ..self.next() }, tells)
    }
}

fn is_sent_to(endpoint: &Endpoint) -> bool {
    endpoint.status == EndpointStatus::Active && endpoint.deleted_at.is_none()
}

/// How long an endpoint with a rate limit takes for so many.
fn pace(rows: u32, limit: RateLimit) -> Duration {
    Duration::from_secs(u64::from(rows.div_ceil(limit.per_second())))
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    plus_millis(at, i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}

impl Delivery {
    /// Until when it waits, parked at `now`: as long as its schedule would have taken. That begins with the first attempt of its round,
    /// however long the event or its message was on the way before, and does not begin again when it is parked once more.
    pub fn would_wait_until(&self, horizon: Duration, now: Timestamp) -> Timestamp {
        if let Some(waits_until) = self.waits_until {
            return waits_until;
        }
        let of_its_round = self.attempts.iter().filter(|attempt| attempt.number >= self.round_from);
        let scheduled = later(of_its_round.map(|attempt| attempt.at).min().unwrap_or(now), horizon);
        // A receiver's Retry-After can have put an attempt off beyond that: it is still to come, and a probe before it.
        scheduled.max(self.next_attempt_at.unwrap_or(now)).max(later(now, AT_LEAST_ONE_PROBE))
    }

    /// Whether it is parked.
    pub fn is_parked(&self) -> bool {
        self.waits_until.is_some() && !self.status.is_final()
    }

    /// Whether a probe may be made with it now, if it waits for this long in all. Some may be at any time; the others are spread over
    /// the time for which it waits. Or one that waits alone would have had all of them long before that is over, and nobody would find
    /// out any more whether its endpoint is back.
    pub fn may_be_probed(&self, horizon: Duration, now: Timestamp) -> bool {
        let Some(waits_until) = self.waits_until.filter(|_| self.is_parked()) else { return false };
        let left = Duration::try_from(waits_until.duration_since(now)).unwrap_or_default();
        let passed = horizon.saturating_sub(left).as_secs_f64() / horizon.as_secs_f64().max(1.0);
        f64::from(self.probes) < f64::from(FREE_PROBES) + f64::from(MAX_PROBES - FREE_PROBES) * passed
    }
}
