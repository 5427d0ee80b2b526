//! What there is: the endpoint's row, the deliveries' rows, the list, the hint, a queue, a receiver, the time, and the functions that
//! run.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::deeds::Deed;
use crate::attempt::{Outcome, Sign};
use crate::delivery::{Delivery, Status, an_event};
use crate::dialect::{DialectRef, STANDARD};
use crate::endpoint::Endpoint;
use crate::endpoint::parking::{Parking, Place, Times};
use crate::id::{EndpointId, EventId, TenantId};
use crate::rate_limit::{Given, Slot};
use crate::slow::ParkedHint;

/// How long a function runs, and after how long what it had taken shows again.
pub(super) const FUNCTION: i64 = 60;
const VISIBILITY: i64 = 360;
/// How long a function must still run when it begins a POST: its time-out and what it takes to record it.
pub(super) const FOR_A_POST: i64 = 35;
/// How old a read may be when a POST begins.
pub(super) const FRESH: i64 = 1;
/// From one sweep to the next, and how late a row must be for it.
const SWEEPS: i64 = 180;
pub(super) const OVERDUE: i64 = 120;

/// Functions: two that deliver, one that fans out, one that sweeps.
pub(super) const DELIVERING: [usize; 2] = [0, 1];
pub(super) const FANOUT: usize = 2;
pub(super) const SWEEP: usize = 3;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// How the receiver answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiver {
    Up,
    Silent,
    Busy,
    /// It answers, and takes nothing.
    Refusing,
    /// Three in ten fail.
    Flaky,
    /// Its name leads where nothing may be sent.
    Blocked,
}

/// A message for an attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) row: usize,
    pub(super) attempt: u32,
    pub(super) round: u32,
    pub(super) probe: bool,
    pub(super) slot: Option<Slot>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    Message(Asked),
    Ticket { since: Timestamp, step: u32 },
    Event(u64, i64),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Queued {
    pub(super) due: i64,
    pub(super) body: Body,
}

/// A function that runs: what it took, and what it is still to do.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) began: i64,
    pub(super) from: Option<Queued>,
    pub(super) deeds: VecDeque<Deed>,
    /// When the probe was claimed that it makes.
    pub(super) probe: Option<i64>,
}

/// What the owner was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Failing(Timestamp),
    Recovered(Timestamp),
    /// He ended it himself: he disabled or deleted the webhook.
    Ended,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fate {
    /// Attempts of the present round on record that were no probes, and those that were.
    pub(super) used: u32,
    pub(super) probes: u32,
    /// When its row was parked last.
    pub(super) parked_at: i64,
    /// Since when it was there, or asked for again.
    pub(super) from: i64,
}

/// How often something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Saw {
    Opened,
    Probed,
    NothingToProbe,
    ReopenedWhileDraining,
    ReopenedWhileClosing,
    OutageAfterRecovery,
    Straggler,
    ParkedByAnOldHint,
    TicketRenewed,
    Expired,
    ChangedWhileDown,
    ChangedWhileAProbeIsOut,
    DisabledWhileParked,
    DeletedWhileParked,
    RetriedWhileParked,
    Limited,
    LimitedThenDown,
    Overtaken,
    KilledWithAProbe,
    CameEarly,
    WalkedAgain,
    Careful,
    ToldLate,
    Ended,
    ParkedAtWork,
    LateRecord,
    SentInASlot,
    WaitedForASlot,
    LimitLifted,
}

pub(super) struct World {
    pub(super) now: i64,
    pub(super) times: Times,
    pub(super) endpoint: Endpoint,
    pub(super) rows: Vec<Delivery>,
    pub(super) fates: Vec<Fate>,
    pub(super) queue: Vec<Queued>,
    pub(super) listed: Option<Timestamp>,
    pub(super) hint: Option<ParkedHint>,
    pub(super) given: Option<Given>,
    pub(super) functions: [Option<Function>; 4],
    pub(super) receiver: Receiver,
    pub(super) told: Vec<Told>,
    pub(super) saw: Vec<Saw>,
    /// Rules that were broken.
    pub(super) wrong: Vec<String>,
    /// When somebody answered last.
    pub(super) answered_at: i64,
    pub(super) posts: u32,
    /// When it was read that proved to be answered, as far as that was noted.
    pub(super) alive_at: i64,
    /// When its status was last changed, or anything that may have been the cause, and when it was down last.
    pub(super) status_at: i64,
    pub(super) changed_at: i64,
    pub(super) down_at: i64,
    /// When the last probe was claimed.
    pub(super) claimed_at: i64,
    /// The highest limit so far.
    pub(super) highest_limit: u32,
    /// Slots in which something was sent, and when.
    pub(super) sent: Vec<(Timestamp, i64)>,
    pub(super) events: u64,
    next_sweep: i64,
    chance: u64,
}

impl World {
    pub(super) fn new(schedule: Option<Vec<u32>>, limit: Option<u32>, chance: u64) -> Self {
        let now = 1_800_000_000;
        let (id, tenant) = (EndpointId::new(at(now), 1), TenantId::new(at(now), 1));
        let bare = Endpoint::bare(id, tenant, "https://hooks.example/".to_owned(), DialectRef(&STANDARD), at(now));
        let rate_limit = limit.map(|limit| limit.try_into().unwrap());
        Self {
            now,
            times: Times::default(),
            endpoint: Endpoint { retry_schedule: schedule, rate_limit, ..bare },
            rows: Vec::new(),
            fates: Vec::new(),
            queue: Vec::new(),
            listed: None,
            hint: None,
            given: None,
            functions: [const { None }; 4],
            receiver: Receiver::Up,
            told: Vec::new(),
            saw: Vec::new(),
            wrong: Vec::new(),
            answered_at: 0,
            posts: 0,
            alive_at: 0,
            status_at: 0,
            changed_at: 0,
            down_at: 0,
            claimed_at: 0,
            highest_limit: limit.unwrap_or_default(),
            sent: Vec::new(),
            events: 0,
            next_sweep: now + SWEEPS,
            chance: chance | 1,
        }
    }

    /// A number below this.
    pub(super) fn chance(&mut self, below: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance % below
    }

    pub(super) fn saw(&mut self, what: Saw) {
        self.saw.push(what);
    }

    pub(super) fn rule(&mut self, holds: bool, what: &str) {
        if !holds {
            let parking = &self.endpoint.parking;
            self.wrong.push(format!("{what}, at {}: {parking:?}, {:?}", self.now, self.told));
        }
    }

    pub(super) fn is_sent_to(&self) -> bool {
        self.endpoint.status == crate::endpoint::EndpointStatus::Active && self.endpoint.deleted_at.is_none()
    }

    pub(super) fn parked(&self) -> usize {
        self.rows.iter().filter(|row| row.is_parked()).count()
    }

    pub(super) fn attempts_of_a_round(&self) -> usize {
        self.endpoint.retry_policy().delays.len() + 1
    }

    /// What the receiver says.
    pub(super) fn answer(&mut self) -> Outcome {
        let status = |status| Outcome::Responded { status, retry_after: None };
        match self.receiver {
            Receiver::Up => status(200),
            Receiver::Silent => Outcome::TimedOut,
            Receiver::Busy => status(503),
            Receiver::Refusing => status(422),
            Receiver::Flaky => status(if self.chance(10) < 3 { 500 } else { 200 }),
            Receiver::Blocked => Outcome::Blocked,
        }
    }

    /// The index, which may not know yet what was parked just now.
    pub(super) fn index(&mut self, after: Option<&Place>, limit: u32) -> Vec<usize> {
        let lag = if self.chance(4) == 0 { 2 } else { 0 };
        let known = |row: usize| lag == 0 || self.fates[row].parked_at + lag < self.now;
        let mut found: Vec<(Place, usize)> = (0..self.rows.len())
            .filter(|row| known(*row))
            .filter_map(|row| {
                Some((Place { waits_until: self.rows[row].waits_until?, id: self.rows[row].id.clone() }, row))
            })
            .filter(|(place, _)| after.is_none_or(|after| place > after))
            .collect();
        found.sort();
        found.truncate(limit as usize);
        found.into_iter().map(|(_, row)| row).collect()
    }

    pub(super) fn place(&self, row: usize) -> Place {
        let id = self.rows[row].id.clone();
        Place { waits_until: self.rows[row].waits_until.unwrap_or(at(self.now)), id }
    }

    /// The message for a row's next attempt.
    pub(super) fn next(&self, row: usize) -> Asked {
        let of = &self.rows[row];
        Asked { row, attempt: of.next_attempt(), round: of.round, probe: false, slot: None }
    }

    pub(super) fn send(&mut self, body: Body, due: i64) {
        self.queue.push(Queued { due, body });
    }

    pub(super) fn send_ticket(&mut self, parking: &Parking) {
        let due = self.now + i64::try_from(parking.delay(at(self.now)).as_secs()).unwrap();
        self.send(Body::Ticket { since: parking.since, step: parking.step }, due);
    }

    /// Whether the endpoint's row is at this step of this parking.
    pub(super) fn is_at(&self, read: Option<&Parking>) -> bool {
        let step = |parking: &Parking| (parking.since, parking.step);
        self.endpoint.parking.as_ref().map(step) == read.map(step)
    }

    /// Starts a function, with what it takes.
    pub(super) fn start(&mut self, function: usize, from: Option<Queued>, deed: Deed) {
        let deeds = VecDeque::from([deed]);
        self.functions[function] = Some(Function { began: self.now, from, deeds, probe: None });
    }

    /// Ends a function; what it had taken shows again.
    pub(super) fn kill(&mut self, function: usize) {
        let Some(killed) = self.functions[function].take() else { return };
        if killed.probe.is_some() {
            self.saw(Saw::KilledWithAProbe);
        }
        self.queue.extend(killed.from.map(|from| Queued { due: killed.began + VISIBILITY, ..from }));
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now += seconds;
        for function in 0..self.functions.len() {
            if self.functions[function].as_ref().is_some_and(|running| self.now - running.began > FUNCTION) {
                self.kill(function);
            }
        }
    }

    /// Does the next thing that a function has to do.
    pub(super) fn act(&mut self, function: usize) {
        let Some(mut running) = self.functions[function].take() else { return };
        if let Some(deed) = running.deeds.pop_front() {
            let then = self.perform(deed, &mut running);
            then.into_iter().rev().for_each(|deed| running.deeds.push_front(deed));
        }
        if !running.deeds.is_empty() {
            self.functions[function] = Some(running);
        }
        self.check();
    }

    /// Hands something that is due to a function, or to the one that fans out, if that is free; whether there was any.
    pub(super) fn take(&mut self, function: usize, item: usize) -> bool {
        let takes = |queued: &Queued| {
            let function = if matches!(queued.body, Body::Event(..)) { FANOUT } else { function };
            queued.due <= self.now && self.functions[function].is_none()
        };
        let due: Vec<usize> = (0..self.queue.len()).filter(|n| takes(&self.queue[*n])).collect();
        let Some(one) = due.get(item % due.len().max(1)).copied() else { return false };
        let queued = self.queue.swap_remove(one);
        let (function, deed) = match queued.body {
            Body::Message(asked) => (function, Deed::Look(asked)),
            Body::Ticket { since, step } => (function, Deed::Take { since, step }),
            Body::Event(number, created) => (FANOUT, Deed::Hinted(number, created)),
        };
        self.start(function, Some(queued), deed);
        true
    }

    pub(super) fn sweep(&mut self) {
        if self.functions[SWEEP].is_none() {
            self.start(SWEEP, None, Deed::Sweep);
        }
    }

    /// Lets everybody do what he has begun, side by side.
    fn finish(&mut self, held: Option<usize>) {
        let others: Vec<usize> = (0..self.functions.len()).filter(|function| Some(*function) != held).collect();
        while others.iter().any(|function| self.functions[*function].is_some()) {
            others.iter().for_each(|function| self.act(*function));
        }
    }

    fn is_overdue(&self, row: &Delivery) -> bool {
        let late = |due: Timestamp| due.as_second() + OVERDUE < self.now;
        row.status == Status::Retrying && row.next_attempt_at.is_some_and(late)
    }

    pub(super) fn overdue(&self) -> Vec<usize> {
        (0..self.rows.len()).filter(|row| self.is_overdue(&self.rows[*row])).collect()
    }

    /// Lets everything go its way for so long, but for a function that hangs, until it is ended.
    pub(super) fn run(&mut self, seconds: i64, held: Option<usize>) {
        let end = self.now + seconds;
        for _ in 0..20_000 {
            self.pass(0);
            self.finish(held.filter(|held| self.functions[*held].is_some()));
            if DELIVERING.map(|function| self.take(function, 0)).contains(&true) {
                continue;
            }
            if self.now >= self.next_sweep {
                self.next_sweep = self.now + SWEEPS;
                self.sweep();
                continue;
            }
            let retries =
                self.rows.iter().filter(|row| row.status == Status::Retrying).filter_map(|row| row.next_attempt_at);
            let overdue = retries.map(|due| due.as_second() + OVERDUE + 1).min();
            // Only what is listed or overdue makes a sweep do anything.
            let swept = if self.listed.is_some() { Some(0) } else { overdue };
            let sweep = swept.map(|from| from.max(self.next_sweep));
            let due = self.queue.iter().filter(|queued| queued.due > self.now).map(|queued| queued.due).min();
            let hung = held.and_then(|held| Some(self.functions[held].as_ref()?.began + FUNCTION + 1));
            match due.into_iter().chain(sweep).chain(hung).min().filter(|next| *next <= end) {
                Some(next) => self.now = self.now.max(next),
                None => {
                    self.now = end;
                    return;
                }
            }
        }
        self.rule(false, "it comes to rest");
    }

    /// An event that is so many seconds old.
    pub(super) fn publish(&mut self, age: i64) {
        self.events += 1;
        self.send(Body::Event(self.events, self.now - age), self.now);
    }

    /// The first row of an event's delivery.
    pub(super) fn row_of(&self, number: u64, created: i64) -> Delivery {
        let event = crate::event::Event { id: EventId::fresh(number.into()), ..an_event(at(created)) };
        Delivery::pending(&event, self.endpoint.id.clone(), at(self.now), 0)
    }

    pub(super) fn note_alive(&mut self, outcome: &Outcome) {
        if outcome.sign() == Sign::Alive {
            self.answered_at = self.now;
        }
    }
}
