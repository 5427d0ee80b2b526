//! What changes an endpoint's parking, under the conditions that the AWS layer writes it under, and what must hold then and always.

use jiff::Timestamp;

use super::world::{FUNCTION, Saw, Told, World, at};
use crate::endpoint::Endpoint;
use crate::endpoint::parking::Parking;

/// Between two probes, less what their tickets may come too early.
const BETWEEN_PROBES: i64 = 58;

impl World {
    /// Begins to park, as `begin_parking` does; whether it was written.
    pub(super) fn begin(&mut self, read: &Endpoint, parking: &Parking) -> bool {
        let holds = self.is_sent_to()
            && self.endpoint.url_version == read.url_version
            && self.is_at(read.parking.as_ref())
            && (read.down_since.is_none() || read.down_since == self.endpoint.down_since);
        if !holds {
            self.saw(Saw::Overtaken);
            return false;
        }
        let is_sent_to = self.is_sent_to();
        self.rule(is_sent_to, "nothing begins for who is not sent to");
        if parking.holds_back() {
            let down_for = read.down_since.map_or(0, |since| self.now - since.as_second());
            self.rule(down_for >= 300, "it is parked before its time");
            let since = self.endpoint.down_since.map_or(0, Timestamp::as_second);
            self.rule(since + FUNCTION >= self.alive_at, "an endpoint that answers is not parked");
            // Less what an attempt takes that was out when he changed it.
            let since_it_changed = self.now - self.changed_at;
            self.rule(since_it_changed >= 300 - FUNCTION, "what its owner changes has its five minutes");
            self.down_at = self.now;
        }
        if parking.is_news(read.parking.as_ref()) {
            self.told.push(Told::Failing(parking.since));
        }
        self.endpoint.parking = Some(parking.clone());
        self.endpoint.revision += 1;
        self.listed = Some(parking.since);
        true
    }

    /// Goes on to a step, as `change_parking` does; whether it was written.
    pub(super) fn change(&mut self, before: &Parking, after: &Parking, alive: Option<bool>, tells: bool) -> bool {
        if !self.is_at(Some(before)) {
            self.saw(Saw::Overtaken);
            return false;
        }
        if let Some(took) = alive {
            self.endpoint.down_since = None;
            if took {
                self.endpoint.failing_since = None;
            }
        }
        if tells {
            // Of whom was asked just before it was down, that may be noted afterwards.
            let is_heard = self.answered_at + FUNCTION >= self.down_at;
            self.rule(is_heard, "nobody is told that it is over before somebody has answered");
            self.told.push(Told::Recovered(after.since));
        }
        self.endpoint.parking = Some(after.clone());
        self.endpoint.revision += 1;
        true
    }

    /// Claims a probe's step.
    pub(super) fn claimed(&mut self) {
        self.saw(Saw::Probed);
        let apart = self.now - self.claimed_at;
        self.rule(apart >= BETWEEN_PROBES, "probes have their interval between them");
        self.claimed_at = self.now;
    }

    /// What holds after every write.
    pub(super) fn check(&mut self) {
        let since = self.endpoint.parking.as_ref().map(|parking| parking.since);
        let parking = self.endpoint.parking.as_ref();
        let is_quiet = self.listed.is_none() && parking.is_some_and(|parking| parking.is_quiet(at(self.now)));
        self.rule(self.listed == since || is_quiet, "the list has what is parking, and nothing else");
        self.rule(self.parked() == 0 || self.listed.is_some(), "the list leads to everything that is parked");
        let (mut open, mut is_ended) = (None, false);
        for told in self.told.clone() {
            let follows = match told {
                Told::Failing(since) => open.replace(since).is_none() || std::mem::take(&mut is_ended),
                Told::Recovered(since) => open.take() == Some(since),
                Told::Ended => {
                    is_ended = true;
                    true
                }
            };
            self.rule(follows, "its beginning and its end are told in turn");
        }
        let times: Vec<usize> =
            self.told.iter().map(|told| self.told.iter().filter(|other| *other == told).count()).collect();
        let once = self.told.iter().zip(times).all(|(told, times)| *told == Told::Ended || times == 1);
        self.rule(once, "and once");
        for row in 0..self.rows.len() {
            let (fate, most) = (self.fates[row], u32::try_from(self.attempts_of_a_round()).unwrap());
            self.rule(fate.used <= most, "no delivery has more attempts than its schedule");
            self.rule(self.rows[row].probes == fate.probes, "its row counts its probes");
            let is_due = self.rows[row].is_parked() && self.rows[row].next_attempt_at.is_some();
            self.rule(!is_due, "what is parked is not due");
        }
    }

    /// How much was sent in the worst span of time beyond what the limit lets through.
    pub(super) fn keeps_the_limit(&self) -> bool {
        // What comes late does so by less than a second, and another may pass until its POST.
        let (rate, late) = (i64::from(self.highest_limit), 2);
        let mut times: Vec<i64> = self.sent.iter().map(|(_, at)| *at).collect();
        times.sort_unstable();
        let in_time = self.sent.iter().all(|(slot, at)| slot.as_second() <= *at && at - slot.as_second() <= late + 1);
        let spans = times.iter().enumerate().all(|(n, from)| {
            times
                .iter()
                .enumerate()
                .skip(n)
                .all(|(m, to)| i64::try_from(m - n).unwrap() < rate * (to - from + 1 + late) + 1)
        });
        in_time && spans
    }
}
