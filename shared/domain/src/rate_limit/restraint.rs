//! What holds an endpoint's messages back, and what is to be done with each of them.

use std::time::Duration;

use jiff::Timestamp;

use super::{EARLY, EARLY_OF_FEW, FEW_PER_SECOND, Given, LATEST, LONGEST_DELAY, RateLimit, Slot};

/// What holds an endpoint's messages back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restraint {
    /// Its owner's limit.
    pub limit: Option<RateLimit>,
    /// Until when its receiver asked to be left alone, if that is not over.
    pub paused_until: Option<Timestamp>,
}

/// What is to be done with a message for such an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Its slot is now, or so close that it is waited for.
    Now(Slot),
    /// Its slot is to come: it waits for it in a queue.
    Later(Slot),
    /// It has no slot that is still good: it asks for one.
    Ask,
    /// It waits for the end of a pause, and no limit tells it when after that.
    Paused(Timestamp),
}

impl Restraint {
    /// What a message with this slot does at `now`.
    pub fn turn(&self, slot: Option<Slot>, now: Timestamp) -> Turn {
        let Some(limit) = self.limit else { return Turn::Paused(self.paused_until.unwrap_or(now)) };
        match slot {
            Some(slot) if slot.limit == limit && self.paused_until.is_none_or(|until| slot.at >= until) => {
                turn_of(slot, now)
            }
            _ => Turn::Ask,
        }
    }
}

fn turn_of(slot: Slot, now: Timestamp) -> Turn {
    if slot.at > now.saturating_add(slot.early()).unwrap_or(Timestamp::MAX) {
        Turn::Later(slot)
    } else if now.duration_since(slot.at) <= LATEST.try_into().unwrap_or(jiff::SignedDuration::MAX) {
        Turn::Now(slot)
    } else {
        Turn::Ask
    }
}

impl Slot {
    /// What a message does that was given it just now: it is not late.
    pub fn turn(self, now: Timestamp) -> Turn {
        if self.at <= now { Turn::Now(self) } else { turn_of(self, now) }
    }

    /// How long is left until it.
    pub fn left(self, now: Timestamp) -> Duration {
        Duration::try_from(self.at.duration_since(now)).unwrap_or_default()
    }

    /// How early a message may come to it and wait.
    pub fn early(self) -> Duration {
        if self.limit.per_second() <= FEW_PER_SECOND { EARLY_OF_FEW } else { EARLY }
    }

    /// How long a message waits for it in a queue: whole seconds, so that it comes from so early before it on, and less than a second
    /// after that. `lag` is how long it last waited for a function, in a queue that is behind: it has to be
    /// there as much earlier, or it would come late each time and lose every slot. One whose slot is further off than a queue keeps
    /// it comes back before, and waits again.
    pub fn delay(self, now: Timestamp, lag: Duration) -> Duration {
        whole_seconds(self.left(now).saturating_sub(self.early() + lag))
    }
}

/// From when on slots are of use to whoever has just missed one since his queue is so far behind, where others wait already: sooner ones
/// he would miss as well. Those who come after him have theirs after that.
pub fn in_reach(given: Option<Given>, lag: Duration, now: Timestamp) -> Option<Timestamp> {
    let others_wait = given.is_some_and(|given| given.next_free > now.as_microsecond());
    others_wait.then(|| now.saturating_add(whole_seconds(Duration::ZERO) + lag).unwrap_or(Timestamp::MAX))
}

/// A wait in a queue: at least a second, since less than that is no wait.
fn whole_seconds(wait: Duration) -> Duration {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Duration::from_secs(seconds.max(1)).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    fn slot(millis: i64, per_second: u32) -> Slot {
        Slot { at: at(millis), limit: per_second.try_into().unwrap() }
    }

    fn limited(per_second: u32, paused_until: Option<i64>) -> Restraint {
        Restraint { limit: Some(per_second.try_into().unwrap()), paused_until: paused_until.map(at) }
    }

    #[test]
    fn whoever_comes_late_asks_anew_and_whoever_comes_early_waits() {
        let own = slot(10_000, 5);
        let turn = |now| limited(5, None).turn(Some(own), at(now));
        assert_eq!((turn(0), turn(8_999)), (Turn::Later(own), Turn::Later(own)));
        assert_eq!((turn(9_000), turn(10_000), turn(10_900)), (Turn::Now(own), Turn::Now(own), Turn::Now(own)));
        assert_eq!(turn(10_901), Turn::Ask);
        let of_many = slot(10_000, 21);
        let turn = |now| limited(21, None).turn(Some(of_many), at(now));
        assert_eq!((turn(9_749), turn(9_750)), (Turn::Later(of_many), Turn::Now(of_many)), "many would hold functions");
        assert_eq!(limited(5, None).turn(None, at(0)), Turn::Ask);
    }

    #[test]
    fn a_slot_by_another_limit_is_worth_nothing() {
        assert_eq!(limited(6, None).turn(Some(slot(0, 5)), at(0)), Turn::Ask);
    }

    #[test]
    fn a_pause_takes_the_slots_within_it_and_leaves_those_after_it() {
        let paused = limited(5, Some(30_000));
        assert_eq!(paused.turn(Some(slot(0, 5)), at(0)), Turn::Ask);
        assert_eq!(paused.turn(Some(slot(29_999, 5)), at(0)), Turn::Ask);
        assert_eq!(paused.turn(Some(slot(30_000, 5)), at(0)), Turn::Later(slot(30_000, 5)));
        let unlimited = Restraint { limit: None, paused_until: Some(at(30_000)) };
        assert_eq!(unlimited.turn(Some(slot(0, 5)), at(0)), Turn::Paused(at(30_000)));
    }

    #[test]
    fn who_is_given_a_slot_of_his_burst_is_sent_however_long_ago_it_was() {
        assert_eq!(slot(-60_000, 5).turn(at(0)), Turn::Now(slot(-60_000, 5)));
        assert_eq!(slot(250, 50).turn(at(0)), Turn::Now(slot(250, 50)));
        assert_eq!(slot(251, 50).turn(at(0)), Turn::Later(slot(251, 50)));
    }

    #[test]
    fn a_wait_is_whole_seconds_and_ends_about_the_slot() {
        let cases = [(0, 1), (251, 1), (1_250, 1), (1_251, 2), (840_250, 840), (2_000_000, 840), (-5, 1)];
        for (wait, seconds) in cases {
            assert_eq!(slot(wait, 50).delay(at(0), Duration::ZERO).as_secs(), seconds, "{wait}");
        }
    }

    #[test]
    fn what_waits_in_a_queue_that_is_behind_is_there_the_sooner() {
        let delay = |lag| slot(10_250, 50).delay(at(0), Duration::from_millis(lag)).as_secs();
        assert_eq!((delay(999), delay(1_000), delay(3_900), delay(60_000)), (10, 9, 7, 1));
    }
}
