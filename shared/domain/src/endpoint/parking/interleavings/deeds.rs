//! What functions do, one call after another, each from what was read before: as deliver, fan-out and the sweep do it.

use std::time::Duration;

use jiff::Timestamp;

use super::world::{Asked, Body, FOR_A_POST, FRESH, Function, Saw, World, at};
use crate::attempt::{Attempt, Mark, Outcome, Sign};
use crate::delivery::{Delivery, Gate, Reason, Status};
use crate::endpoint::parking::{BEFORE_A_LIMITED_DRAIN, PROBED, Parking, State, later};
use crate::endpoint::{Endpoint, EndpointStatus};
use crate::rate_limit::{Begins, Claim, Given, Restraint, Slot, Turn};
use crate::slow::{ParkedHint, SlowByTenant};

/// How often a change is made anew that others overtake.
const TRIES: u32 = 3;

/// What was read for a message.
#[derive(Debug, Clone)]
pub(super) struct Read {
    asked: Asked,
    row: Delivery,
    endpoint: Endpoint,
    at: i64,
}

#[derive(Debug)]
pub(super) enum Deed {
    // Deliver, with a message.
    Look(Asked),
    Park(usize, Delivery, Timestamp),
    Cancel(usize, Delivery, Reason),
    Claim(Box<Read>),
    Post(Box<Read>),
    Record(Box<Read>, Outcome, i64),
    BringBack(Asked, Timestamp),
    Note(Box<Read>, Status, Outcome, i64),
    Answered { read: Box<Read>, there: Endpoint, status: Status, outcome: Outcome, ended: i64, tries: u32 },
    Health(Box<Read>, Status, Outcome, i64),
    HealthNoted(u32, i64, Sign),
    Begin(Endpoint, Parking),
    Limit(Box<Read>, Parking, Box<Deed>),
    // Deliver, with a ticket.
    Take { since: Timestamp, step: u32 },
    Ticket(Parking),
    Hint(Option<ParkedHint>),
    ClaimProbe(Endpoint, Parking),
    FindProbe(Endpoint, Parking, u32),
    FindPage(Endpoint, i64),
    LastLook(Endpoint, i64),
    Send(Vec<Asked>),
    Change { before: Parking, after: Parking, tells: bool, then: Option<Parking> },
    // Fan-out.
    Hinted(u64, i64),
    Make(u64, i64, SlowByTenant),
    Put(Delivery),
    // The sweep.
    Sweep,
    LookAfter(Timestamp),
    FailParked(usize, Delivery),
    Unlist(Timestamp),
    End(Parking),
}

impl World {
    /// Does one thing; what follows from it.
    pub(super) fn perform(&mut self, deed: Deed, function: &mut Function) -> Vec<Deed> {
        match deed {
            Deed::Look(asked) => self.look(asked),
            Deed::Park(row, read, until) => self.park(row, &read, until),
            Deed::Cancel(row, read, reason) => self.end_row(row, &read, (Status::Cancelled, reason)),
            Deed::Claim(read) => self.claim(*read),
            Deed::Post(read) => self.post(*read, function),
            Deed::Record(read, outcome, ended) => {
                function.probe = None;
                self.record(*read, outcome, ended)
            }
            Deed::BringBack(asked, due) => {
                self.send(Body::Message(asked), due.as_second());
                Vec::new()
            }
            Deed::Note(read, status, outcome, ended) => self.note(read, status, outcome, ended),
            Deed::Answered { read, there, status, outcome, ended, tries } => {
                self.answered(read, there, (status, outcome, ended), tries)
            }
            Deed::Health(read, status, outcome, ended) => self.health(&read, status, &outcome, ended),
            Deed::HealthNoted(url, read_at, Sign::Alive) if url == self.endpoint.url_version => {
                self.alive_at = self.alive_at.max(read_at);
                Vec::new()
            }
            Deed::HealthNoted(..) => Vec::new(),
            Deed::Begin(read, parking) => self.begin_parking(&read, parking),
            Deed::Limit(read, parking, park) => {
                let mut deeds = self.begin_parking(&read.endpoint, parking);
                // Overtaken, it sees how the endpoint stands now.
                let is_begun = !deeds.is_empty();
                deeds.insert(0, if is_begun { *park } else { Deed::Look(Asked { slot: None, ..read.asked }) });
                deeds
            }
            Deed::Take { since, step } => self.take_ticket(since, step),
            Deed::Ticket(parking) => {
                self.send_ticket(&parking);
                Vec::new()
            }
            Deed::Hint(hint) => {
                self.hint = hint;
                Vec::new()
            }
            Deed::ClaimProbe(endpoint, after) => self.claim_probe(endpoint, after, function),
            Deed::FindProbe(endpoint, after, probes) => self.find_probe(&endpoint, &after, probes, function),
            Deed::FindPage(endpoint, now) => self.find_page(endpoint, now),
            Deed::LastLook(endpoint, now) => self.last_look(&endpoint, now),
            Deed::Send(all) => {
                all.into_iter().for_each(|asked| self.send(Body::Message(asked), self.now));
                Vec::new()
            }
            Deed::Change { before, after, tells, then } => {
                let written = self.change(&before, &after, None, tells);
                then.filter(|_| written).map(Deed::Ticket).into_iter().collect()
            }
            Deed::Hinted(..) | Deed::Make(..) | Deed::Put(_) => self.fan_out(deed),
            Deed::Sweep | Deed::LookAfter(_) | Deed::FailParked(..) | Deed::Unlist(_) | Deed::End(_) => {
                self.look_after(deed)
            }
        }
    }

    fn look(&mut self, asked: Asked) -> Vec<Deed> {
        let (row, endpoint) = (self.rows[asked.row].clone(), self.endpoint.clone());
        match row.gate(asked.attempt, Some(asked.round), at(self.now)) {
            Gate::Stale => return Vec::new(),
            Gate::Reschedule { attempt, at } => {
                let again = Asked { attempt, probe: false, slot: None, ..asked };
                return vec![Deed::BringBack(again, at)];
            }
            Gate::Attempt => {}
        }
        if endpoint.deleted_at.is_some() {
            return vec![Deed::Cancel(asked.row, row, Reason::WebhookDeleted)];
        }
        if endpoint.status == EndpointStatus::Disabled {
            return vec![Deed::Cancel(asked.row, row, Reason::WebhookDisabled)];
        }
        if !asked.probe && endpoint.parking.as_ref().is_some_and(Parking::holds_back) {
            if row.is_parked() {
                return Vec::new();
            }
            let until = row.would_wait_until(endpoint.horizon(), at(self.now));
            return vec![Deed::Park(asked.row, row, until)];
        }
        let is_limited = endpoint.rate_limit.is_some() && !asked.probe;
        let read = Box::new(Read { asked, row, endpoint, at: self.now });
        let restraint = Restraint { limit: read.endpoint.rate_limit.filter(|_| is_limited), paused_until: None };
        match restraint.turn(asked.slot, at(self.now)) {
            Turn::Ask => vec![Deed::Claim(read)],
            Turn::Later(slot) => self.wait_for(asked, slot),
            Turn::Now(_) | Turn::Paused(_) => vec![Deed::Post(read)],
        }
    }

    /// Takes a slot of a limited endpoint's.
    fn claim(&mut self, read: Read) -> Vec<Deed> {
        let Some(limit) = read.endpoint.rate_limit else { return Vec::new() };
        let claim = limit.claim(1, at(self.now), None);
        let Some(given) = self.give_slots(&claim) else {
            let until = read.row.would_wait_until(read.endpoint.horizon(), at(self.now));
            let free_at = later(at(self.now), BEFORE_A_LIMITED_DRAIN);
            let begun = Parking::begun_by_limit(read.endpoint.parking.as_ref(), at(self.now), free_at);
            let park = Deed::Park(read.asked.row, read.row.clone(), until);
            // Parked before that is written, nobody would find it.
            return vec![match begun {
                Some(parking) => Deed::Limit(Box::new(read), parking, Box::new(park)),
                None => park,
            }];
        };
        let slot = claim.slots(given.next_free)[0];
        match slot.turn(at(self.now)) {
            Turn::Later(slot) => self.wait_for(read.asked, slot),
            _ => vec![Deed::Post(Box::new(Read { asked: Asked { slot: Some(slot), ..read.asked }, ..read }))],
        }
    }

    /// What the row of an endpoint's slots holds after a claim; nothing where it goes too far ahead.
    pub(super) fn give_slots(&mut self, claim: &Claim) -> Option<Given> {
        let start = match claim.begins(self.given) {
            Begins::Earliest => claim.earliest,
            Begins::Given => self.given?.next_free,
            Begins::Nowhere => return None,
        };
        self.given = Some(Given { next_free: start + claim.takes(), limit: claim.limit });
        self.given
    }

    fn wait_for(&mut self, asked: Asked, slot: Slot) -> Vec<Deed> {
        let seconds = i64::try_from(slot.delay(at(self.now), Duration::ZERO).as_secs()).unwrap();
        self.send(Body::Message(Asked { slot: Some(slot), ..asked }), self.now + seconds);
        self.saw(Saw::WaitedForASlot);
        Vec::new()
    }

    fn park(&mut self, row: usize, read: &Delivery, until: Timestamp) -> Vec<Deed> {
        if !self.rows[row].stands_as(read) || self.rows[row].waits_until.is_some() {
            return Vec::new();
        }
        self.rows[row].waits_until = Some(until);
        self.rows[row].next_attempt_at = None;
        self.fates[row].parked_at = self.now;
        self.saw(Saw::ParkedAtWork);
        Vec::new()
    }

    pub(super) fn end_row(&mut self, row: usize, read: &Delivery, (status, reason): (Status, Reason)) -> Vec<Deed> {
        if self.rows[row].stands_as(read) {
            let there = &mut self.rows[row];
            (there.status, there.reason) = (status, Some(reason));
            (there.next_attempt_at, there.waits_until) = (None, None);
        }
        Vec::new()
    }

    fn post(&mut self, read: Read, function: &mut Function) -> Vec<Deed> {
        if self.now - function.began + FOR_A_POST > super::world::FUNCTION {
            // It comes again; a probe does not, its next step does.
            let from = function.from.take().filter(|_| function.probe.take().is_none());
            self.queue.extend(from);
            return Vec::new();
        }
        if self.now - read.at > FRESH {
            return vec![Deed::Look(read.asked)];
        }
        self.posts += 1;
        let now = self.now;
        let is_new = |since: i64| now - since <= FRESH;
        let may_be_sent = self.is_sent_to() || is_new(self.status_at);
        self.rule(may_be_sent, "nothing is sent to who is disabled or deleted");
        let is_held_back = self.endpoint.parking.as_ref().is_some_and(Parking::holds_back);
        let may_be_sent = read.asked.probe || !is_held_back || is_new(self.down_at);
        self.rule(may_be_sent, "nothing but probes is sent to who is down");
        if let Some(claimed) = function.probe {
            let last = self.claimed_at;
            self.rule(claimed == last, "one probe at a time");
        }
        if let Some(slot) = read.asked.slot.filter(|_| !read.asked.probe && read.endpoint.rate_limit.is_some()) {
            self.sent.push((slot.at, self.now.max(slot.at.as_second())));
            self.saw(Saw::SentInASlot);
        }
        let outcome = self.answer();
        self.note_alive(&outcome);
        vec![Deed::Record(Box::new(read), outcome, self.now)]
    }

    fn record(&mut self, read: Read, outcome: Outcome, ended: i64) -> Vec<Deed> {
        let (policy, endpoint) = (read.endpoint.retry_policy(), &read.endpoint);
        let holds_back = endpoint.parking.as_ref().is_some_and(Parking::holds_back);
        let transition = if holds_back {
            let until = read.row.would_wait_until(endpoint.horizon(), at(ended));
            read.row.after_probe((&policy, until), &outcome, at(ended), 0.5)
        } else {
            read.row.after(&policy, &outcome, at(ended), 0.5)
        };
        let (row, status) = (read.asked.row, transition.status);
        let mut deeds = Vec::new();
        if self.rows[row].stands_as(&read.row) {
            let was_parked = read.row.waits_until;
            let there = &mut self.rows[row];
            if read.row.next_attempt() == read.row.round_from {
                // Of the others nothing is asked here.
                there.attempts.push(attempt_at(read.asked.attempt, ended, &outcome));
            }
            there.attempts_made = read.row.attempts_made + 1;
            (there.status, there.reason) = (status, transition.reason);
            (there.next_attempt_at, there.waits_until) = (transition.next_attempt_at, transition.waits_until);
            (there.internal, there.probes) = (transition.internal, transition.probes);
            let is_probe = holds_back && outcome.sign() == Sign::Down;
            let fate = &mut self.fates[row];
            if is_probe {
                fate.probes += 1;
                fate.parked_at = self.now;
                self.rule(status == Status::Retrying, "a probe that fails ends nothing");
                let waits_on = was_parked.is_none() || was_parked == transition.waits_until;
                self.rule(waits_on, "and its delivery waits on as before");
            } else {
                fate.used += 1;
            }
            if transition.reason == Some(Reason::AttemptsExhausted) {
                let used = self.fates[row].used as usize;
                self.rule(used == self.attempts_of_a_round(), "no schedule ends before its last attempt");
            }
            if let Some(due) = transition.next_attempt_at {
                let attempt = read.row.next_attempt() + 1;
                deeds.push(Deed::BringBack(Asked { attempt, probe: false, slot: None, ..read.asked }, due));
            }
        } else {
            self.saw(Saw::LateRecord);
            self.rows[row].take_late(attempt_at(read.asked.attempt, ended, &outcome));
        }
        deeds.push(Deed::Note(Box::new(read), status, outcome, ended));
        deeds
    }

    fn note(&mut self, read: Box<Read>, status: Status, outcome: Outcome, ended: i64) -> Vec<Deed> {
        let endpoint = &read.endpoint;
        if let Some(parking) = Parking::begun_by(endpoint, &outcome, at(ended), &self.times) {
            return vec![Deed::Begin(endpoint.clone(), parking)];
        }
        if outcome.sign() == Sign::Alive && endpoint.parking.is_some() {
            let there = endpoint.clone();
            return vec![Deed::Answered { read, there, status, outcome, ended, tries: TRIES }];
        }
        vec![Deed::Health(read, status, outcome, ended)]
    }

    fn answered(
        &mut self,
        read: Box<Read>,
        there: Endpoint,
        (status, outcome, ended): (Status, Outcome, i64),
        tries: u32,
    ) -> Vec<Deed> {
        let took = status == Status::Succeeded;
        let is_same = there.url_version == read.endpoint.url_version;
        let before = there.parking.as_ref().filter(|_| tries > 0 && is_same);
        let Some((before, after, tells)) = before.and_then(|before| {
            let (after, tells) = before.after_an_answer(at(ended))?;
            Some((before.clone(), after, tells))
        }) else {
            return vec![Deed::Health(read, status, outcome, ended)];
        };
        let is_where_it_was = self.endpoint.url_version == there.url_version;
        if is_where_it_was && self.change(&before, &after, Some(took), tells) {
            if tells {
                self.saw(Saw::ToldLate);
            }
            let noted = Deed::HealthNoted(read.endpoint.url_version, read.at, outcome.sign());
            let ticket = (after.state == State::Draining).then_some(Deed::Ticket(after));
            return ticket.into_iter().chain([noted]).collect();
        }
        let there = self.endpoint.clone();
        vec![Deed::Answered { read, there, status, outcome, ended, tries: tries - 1 }]
    }

    fn health(&mut self, read: &Read, status: Status, outcome: &Outcome, ended: i64) -> Vec<Deed> {
        let (was_failing, was_down) = (read.endpoint.failing_since.is_some(), read.endpoint.down_since.is_some());
        let there = &mut self.endpoint;
        let is_where_it_was = there.url_version == read.endpoint.url_version;
        let failing_since = there.failing_since.or(Some(at(ended)));
        match outcome.sign() {
            _ if !is_where_it_was => {}
            Sign::Alive if status == Status::Succeeded && (was_failing || was_down) => {
                (there.failing_since, there.down_since) = (None, None);
            }
            Sign::Alive if status != Status::Succeeded && (was_down || !was_failing) => {
                (there.failing_since, there.down_since) = (failing_since, None);
            }
            Sign::Down if !was_down && there.down_since.is_none() => {
                (there.failing_since, there.down_since) = (failing_since, Some(at(ended)));
            }
            Sign::Nothing if !was_failing => there.failing_since = failing_since,
            _ => {}
        }
        there.revision += 1;
        vec![Deed::HealthNoted(read.endpoint.url_version, read.at, outcome.sign())]
    }

    fn begin_parking(&mut self, read: &Endpoint, parking: Parking) -> Vec<Deed> {
        let before = read.parking.as_ref().map(|before| (before.state, before.told, before.cause));
        if !self.begin(read, &parking) {
            return Vec::new();
        }
        self.saw(match (before, parking.holds_back()) {
            (_, false) => Saw::Limited,
            (None, _) => Saw::Opened,
            (Some((_, _, crate::endpoint::parking::Cause::RateLimit)), _) => Saw::LimitedThenDown,
            (Some((_, true, _)), _) => Saw::OutageAfterRecovery,
            (Some((State::Closing, ..)), _) => Saw::ReopenedWhileClosing,
            (Some(_), _) => Saw::ReopenedWhileDraining,
        });
        vec![Deed::Hint(Some(hint(read, &parking))), Deed::Ticket(parking)]
    }

    fn take_ticket(&mut self, since: Timestamp, step: u32) -> Vec<Deed> {
        let endpoint = self.endpoint.clone();
        let Some(parking) = endpoint.parking.clone().filter(|parking| parking.awaits(since, step)) else {
            return Vec::new();
        };
        if parking.next_at.as_second() > self.now + 1 {
            self.saw(Saw::CameEarly);
            return vec![Deed::Ticket(parking)];
        }
        match parking.state {
            State::Down => {
                let after = parking.probed(at(self.now), &self.times);
                vec![Deed::Ticket(after.clone()), Deed::ClaimProbe(endpoint, after)]
            }
            State::Draining => vec![Deed::FindPage(endpoint, self.now)],
            State::Closing => Vec::new(),
        }
    }

    fn claim_probe(&mut self, endpoint: Endpoint, after: Parking, function: &mut Function) -> Vec<Deed> {
        let Some(before) = endpoint.parking.clone() else { return Vec::new() };
        if !self.change(&before, &after, None, false) {
            return Vec::new();
        }
        self.claimed();
        function.probe = Some(self.now);
        let hint = hint(&endpoint, &after);
        vec![Deed::Hint(Some(hint)), Deed::FindProbe(endpoint, after, before.probes)]
    }

    fn find_probe(&mut self, endpoint: &Endpoint, after: &Parking, probes: u32, function: &mut Function) -> Vec<Deed> {
        let mut rows = self.index(None, PROBED);
        rows.retain(|row| self.rows[*row].is_parked());
        if rows.is_empty() {
            function.probe = None;
            self.saw(Saw::NothingToProbe);
            let draining = after.given_another_chance(at(self.now));
            let then = Some(draining.clone());
            return vec![Deed::Change { before: after.clone(), after: draining, tells: false, then }];
        }
        rows.retain(|row| self.rows[*row].may_be_probed(endpoint.horizon(), at(self.now)));
        let before = Parking { probes, ..after.clone() };
        let Some(row) = rows.get(before.probed_row(rows.len())).copied() else {
            function.probe = None;
            return Vec::new();
        };
        vec![Deed::Look(Asked { probe: true, ..self.next(row) })]
    }

    fn find_page(&mut self, endpoint: Endpoint, now: i64) -> Vec<Deed> {
        let Some(before) = endpoint.parking.clone() else { return Vec::new() };
        let page = before.page(&endpoint, &self.times, at(self.now));
        if page.rows == 1 {
            self.saw(Saw::Careful);
        }
        let under_way = before
            .after
            .as_ref()
            .map_or(0, |after| self.index(None, page.rows).iter().filter(|row| self.place(**row) <= *after).count());
        let rows = Parking::beside(page, under_way).rows;
        if rows == 0 {
            return self.wait(&endpoint, before, now);
        }
        let found = self.index(before.after.as_ref(), rows);
        let Some(last) = found.last().map(|row| self.place(*row)) else { return vec![Deed::LastLook(endpoint, now)] };
        let all: Vec<Asked> = found.iter().map(|row| self.next(*row)).collect();
        let after = before.page_sent(last, all.len(), page, at(now));
        let (ticket, hint) = (Deed::Ticket(after.clone()), Deed::Hint(Some(hint(&endpoint, &after))));
        vec![Deed::Send(all), ticket, Deed::Change { before, after, tells: false, then: None }, hint]
    }

    fn wait(&mut self, endpoint: &Endpoint, before: Parking, now: i64) -> Vec<Deed> {
        let after = before.waiting(endpoint, false, at(now));
        if before.after.is_some() && after.after.is_none() {
            self.saw(Saw::WalkedAgain);
        }
        vec![Deed::Ticket(after.clone()), Deed::Change { before, after, tells: false, then: None }]
    }

    fn last_look(&mut self, endpoint: &Endpoint, now: i64) -> Vec<Deed> {
        let Some(before) = endpoint.parking.clone() else { return Vec::new() };
        if !self.index(None, 1).is_empty() {
            return self.wait(endpoint, before, now);
        }
        let (after, tells) = before.drained(endpoint, at(now));
        vec![Deed::Hint(None), Deed::Change { before, after, tells, then: None }]
    }
}

fn hint(endpoint: &Endpoint, parking: &Parking) -> ParkedHint {
    let horizon = i64::try_from(endpoint.horizon().as_secs()).unwrap();
    ParkedHint { until: parking.hint_until().as_second(), horizon }
}

fn attempt_at(number: u32, ended: i64, outcome: &Outcome) -> Attempt {
    Attempt::answered(number, Mark::new(number.into()), at(ended), outcome.status().unwrap_or(504))
}
