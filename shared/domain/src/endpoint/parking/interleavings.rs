//! One endpoint whose receiver comes and goes, its deliveries, two functions that deliver, one that fans out by a hint that may be
//! old, the sweep, and an owner who changes, disables, deletes, retries and cancels at any moment: driven through random
//! interleavings of their calls, of kills, of doubles and of losses. Every decision is the real one of this crate; what functions do
//! around it is written out in [`deeds`], [`others`] and [`owner`], and what the tables refuse in [`rules`].

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use self::world::{Body, FANOUT, Queued, Receiver, SWEEP, Saw, Told, World, at};
use crate::delivery::{Delivery, Reason, Status};
use crate::endpoint::EndpointStatus;
use crate::endpoint::parking::MAX_PROBES;

mod deeds;
mod others;
mod owner;
mod rules;
mod world;

#[derive(Debug, Clone)]
enum Step {
    /// A function does the next thing that it has to do.
    Act(usize),
    /// A delivering function takes something that is due.
    Take(usize, usize),
    Kill(usize),
    Double(usize),
    /// A ticket is lost, or a message that something else brings back.
    Lose(usize),
    Sweep,
    Publish {
        age: i64,
    },
    Wait(i64),
    /// Everything goes its way for so long.
    Run(i64),
    /// The same while a function hangs in what it has begun.
    RunBeside(i64, usize),
    /// So many events, each so many seconds after the one before.
    Traffic(usize, i64),
    /// The next ticket's time comes; it is taken, and so many things are done for it.
    Half(usize, usize),
    /// An event's fan-out has read the hint, and hangs.
    Hinted,
    /// Its receiver is back and its owner says so, and all is drained while a function hangs, which then goes on.
    Behind(usize),
    /// The receiver is silent for long enough, and events come.
    Outage,
    Receiver(Receiver),
    /// What he changes may have mended it: the URL, or else a header. His ticket may be lost.
    Change {
        url: bool,
        ticket: bool,
    },
    /// He lifts the limit, or sets one.
    Limit {
        per_second: Option<u32>,
        ticket: bool,
    },
    Disable {
        ticket: bool,
    },
    Enable,
    Delete {
        ticket: bool,
    },
    Retry {
        row: usize,
        sent: bool,
    },
    Cancel(usize),
    /// Others take so many seconds' slots.
    Crowd(i64),
}

impl World {
    fn step(&mut self, step: Step) {
        match step {
            Step::Act(function) => self.act(function),
            Step::Take(function, item) => {
                self.take(function, item);
            }
            Step::RunBeside(seconds, held) => self.run(seconds, Some(held)),
            Step::Traffic(events, every) => {
                for _ in 0..events {
                    self.publish(0);
                    self.run(every, None);
                }
            }
            Step::Half(function, deeds) => self.half(function, deeds),
            Step::Hinted => self.hinted(),
            Step::Behind(held) => {
                self.hinted();
                self.receiver = Receiver::Up;
                self.change_it(false, true);
                self.run(50, Some(held));
                (0..4).for_each(|_| self.act(held));
            }
            Step::Outage => {
                self.receiver = Receiver::Silent;
                self.step(Step::Traffic(3, 160));
            }
            Step::Kill(function) => self.kill(function),
            Step::Double(item) => {
                if let Some(one) = self.queue.get(item % self.queue.len().max(1)).copied() {
                    self.queue.push(one);
                }
            }
            Step::Lose(item) => self.lose(item),
            Step::Sweep => self.sweep(),
            Step::Publish { age } => self.publish(age),
            Step::Wait(seconds) => self.pass(seconds),
            Step::Run(seconds) => self.run(seconds, None),
            Step::Receiver(receiver) => self.receiver = receiver,
            Step::Change { url, ticket } => self.change_it(url, ticket),
            Step::Limit { per_second, ticket } => self.limit_it(per_second, ticket),
            Step::Disable { ticket } => self.set_status(EndpointStatus::Disabled, ticket),
            Step::Enable => self.set_status(EndpointStatus::Active, true),
            Step::Delete { ticket } => self.delete(ticket),
            Step::Retry { row, sent } => self.retry(row, sent),
            Step::Cancel(row) => {
                if let Some(read) = self.rows.get(row).cloned() {
                    self.end_row(row, &read, (Status::Cancelled, Reason::CancelledByRequest));
                }
            }
            Step::Crowd(seconds) => {
                let ahead = self.given.map_or(0, |given| given.next_free / 1_000_000) - self.now;
                if let Some(limit) = self.endpoint.rate_limit.filter(|_| ahead < 600) {
                    let slots = usize::try_from(seconds).unwrap() * limit.per_second() as usize;
                    let claim = limit.claim(slots, at(self.now), None);
                    self.give_slots(&claim);
                }
            }
        }
        self.check();
    }

    fn hinted(&mut self) {
        self.kill(FANOUT);
        self.publish(0);
        let last = self.queue.len() - 1;
        let due = (0..last).filter(|n| self.queue[*n].due <= self.now).count();
        self.take(0, due);
        self.act(FANOUT);
    }

    fn half(&mut self, function: usize, deeds: usize) {
        let tickets = self.queue.iter().filter(|queued| matches!(queued.body, Body::Ticket { .. }));
        let Some(due) = tickets.map(|queued| queued.due).min() else { return };
        self.kill(function);
        self.pass((due - self.now).max(0));
        let first = self.queue.iter().filter(|queued| queued.due <= self.now);
        let is_ticket = |queued: &Queued| matches!(queued.body, Body::Ticket { .. });
        let Some(item) = first.into_iter().position(is_ticket) else { return };
        self.take(function, item);
        (0..deeds).for_each(|_| self.act(function));
    }

    fn lose(&mut self, item: usize) {
        let Some(one) = self.queue.get(item % self.queue.len().max(1)).copied() else { return };
        let may_be_lost = match one.body {
            Body::Ticket { .. } => true,
            Body::Message(asked) => {
                let row = &self.rows[asked.row];
                row.is_parked() || row.next_attempt_at.is_some()
            }
            Body::Event(..) => false,
        };
        if may_be_lost {
            self.queue.swap_remove(item % self.queue.len());
        }
    }

    /// What happens once nothing goes wrong any more: the receiver is up.
    fn settle(&mut self) {
        self.receiver = Receiver::Up;
        self.run(3600, None);
        let parked = self.parked();
        self.rule(parked == 0, "what is parked is sent once its endpoint is back");
        self.publish(0);
        self.run(8 * 3600, None);
        let open: Vec<_> = self.rows.iter().filter(|row| !row.status.is_final()).cloned().collect();
        self.rule(open.is_empty(), &format!("every delivery comes to its end: {open:?}"));
        // What was silent for long is in no list any more, and parks nothing.
        let is_over = self.endpoint.parking.as_ref().is_none_or(|parking| parking.is_quiet(at(self.now)));
        self.rule(is_over && self.listed.is_none(), "nothing stays of it");
        let last = self.rows.last().map(|row| row.status);
        if self.is_sent_to() {
            self.rule(last == Some(Status::Succeeded), "what is new goes the ordinary way");
            let last = self.told.iter().rev().find(|told| **told != Told::Ended);
            let is_open = matches!(last, Some(Told::Failing(_))) && self.told.last() != Some(&Told::Ended);
            self.rule(!is_open, "its owner hears that it is over");
        }
        self.rule(self.rows.len() as u64 == self.events, "every event has its delivery");
        let keeps = self.keeps_the_limit();
        self.rule(keeps, "no span of time has more than its share and the burst");
    }
}

fn receivers() -> impl Strategy<Value = Receiver> {
    prop_oneof![
        4 => Just(Receiver::Up),
        4 => Just(Receiver::Silent),
        2 => Just(Receiver::Busy),
        1 => Just(Receiver::Refusing),
        1 => Just(Receiver::Flaky),
        1 => Just(Receiver::Blocked),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = || 0_usize..8;
    let work = prop_oneof![
        20 => (0_usize..4).prop_map(Step::Act),
        8 => (0_usize..2, index()).prop_map(|(function, item)| Step::Take(function, item)),
        2 => (0_usize..4).prop_map(Step::Kill),
        1 => index().prop_map(Step::Double),
        2 => index().prop_map(Step::Lose),
        2 => Just(Step::Sweep),
        2 => prop_oneof![4 => Just(0), 1 => Just(1_800), 1 => Just(7_200)].prop_map(|age| Step::Publish { age }),
    ];
    let time = prop_oneof![
        4 => (1_i64..20).prop_map(Step::Wait),
        2 => (20_i64..400).prop_map(Step::Wait),
        3 => (30_i64..900).prop_map(Step::Run),
        4 => (5_i64..65, 0_usize..4).prop_map(|(seconds, held)| Step::RunBeside(seconds, held)),
        2 => Just(Step::Hinted),
        2 => (0_usize..4).prop_map(Step::Behind),
        2 => Just(Step::Outage),
        5 => (0_usize..2, 2_usize..7).prop_map(|(function, deeds)| Step::Half(function, deeds)),
        1 => (900_i64..5_400).prop_map(Step::Run),
        1 => (10_usize..40, 3_i64..20).prop_map(|(events, every)| Step::Traffic(events, every)),
        3 => receivers().prop_map(Step::Receiver),
        3 => (500_i64..1_500).prop_map(Step::Crowd),
    ];
    let owner = prop_oneof![
        4 => (any::<bool>(), any::<bool>()).prop_map(|(url, ticket)| Step::Change { url, ticket }),
        2 => (prop_oneof![Just(None), (1_u32..4).prop_map(Some)], any::<bool>())
            .prop_map(|(per_second, ticket)| Step::Limit { per_second, ticket }),
        1 => any::<bool>().prop_map(|ticket| Step::Disable { ticket }),
        2 => Just(Step::Enable),
        4 => (index(), any::<bool>()).prop_map(|(row, sent)| Step::Retry { row, sent }),
        2 => index().prop_map(Step::Cancel),
    ];
    let end = any::<bool>().prop_map(|ticket| Step::Delete { ticket });
    proptest::collection::vec(prop_oneof![200 => work, 60 => time, 12 => owner, 1 => end], 0..160)
}

/// Where it begins: with which schedule, which limit, and how many events during an outage.
fn beginnings() -> impl Strategy<Value = (Option<Vec<u32>>, Option<u32>, usize, u64)> {
    let schedules = prop_oneof![
        3 => Just(Some(vec![5, 300, 1_800, 7_200])),
        2 => Just(Some(vec![30])),
        1 => Just(Some(Vec::new())),
    ];
    let limits = prop_oneof![2 => Just(None), 1 => (1_u32..4).prop_map(Some)];
    (schedules, limits, 0_usize..5, any::<u64>())
}

fn begun((schedule, limit, events, chance): (Option<Vec<u32>>, Option<u32>, usize, u64)) -> World {
    let mut world = World::new(schedule, limit, chance);
    if events > 0 {
        world.receiver = Receiver::Silent;
    }
    for _ in 0..events {
        world.publish(0);
        world.run(100, None);
    }
    world
}

/// How often each thing happened over all cases.
fn counted(saw: &RefCell<BTreeMap<Saw, u32>>, world: &World) {
    for what in &world.saw {
        *saw.borrow_mut().entry(*what).or_default() += 1;
    }
}

#[test]
fn whoever_dies_and_whoever_acts_nothing_is_stuck_and_nothing_is_lost() {
    let saw = RefCell::new(BTreeMap::new());
    let is_missing = |what: &Saw| !saw.borrow().contains_key(what);
    // Chance decides what comes: what has not come yet has further rounds.
    for _ in 0..ROUNDS {
        play(&saw);
        if !EVERYTHING.iter().any(is_missing) {
            break;
        }
    }
    let missing: Vec<&Saw> = EVERYTHING.iter().filter(|what| is_missing(what)).collect();
    println!("{:?}", saw.borrow());
    assert!(missing.is_empty(), "what never came: {missing:?}");
}

/// A round of cases.
fn play(saw: &RefCell<BTreeMap<Saw, u32>>) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) };
    let run = TestRunner::new(config).run(&(beginnings(), steps()), |(beginning, steps)| {
        let mut world = begun(beginning);
        for step in steps {
            world.step(step);
            prop_assert!(world.wrong.is_empty(), "{:#?}", &world.wrong[..1]);
        }
        world.settle();
        prop_assert!(world.wrong.is_empty(), "{:#?}", &world.wrong[..1]);
        counted(saw, &world);
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

const CASES: u32 = 1_200;
/// Rounds of so many.
const ROUNDS: u32 = 6;
/// All that is to come in some cases at least.
const EVERYTHING: [Saw; 29] = [
    Saw::Opened,
    Saw::Probed,
    Saw::NothingToProbe,
    Saw::ReopenedWhileDraining,
    Saw::ReopenedWhileClosing,
    Saw::OutageAfterRecovery,
    Saw::Straggler,
    Saw::ParkedByAnOldHint,
    Saw::TicketRenewed,
    Saw::Expired,
    Saw::ChangedWhileDown,
    Saw::ChangedWhileAProbeIsOut,
    Saw::DisabledWhileParked,
    Saw::DeletedWhileParked,
    Saw::RetriedWhileParked,
    Saw::Limited,
    Saw::LimitedThenDown,
    Saw::Overtaken,
    Saw::KilledWithAProbe,
    Saw::CameEarly,
    Saw::WalkedAgain,
    Saw::Careful,
    Saw::ToldLate,
    Saw::Ended,
    Saw::ParkedAtWork,
    Saw::LateRecord,
    Saw::SentInASlot,
    Saw::WaitedForASlot,
    Saw::LimitLifted,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// However little he takes.
    #[test]
    fn who_refuses_everything_is_never_parked(events in 1_usize..40, every in 1_i64..400, chance in any::<u64>()) {
        let mut world = World::new(None, None, chance);
        world.receiver = Receiver::Refusing;
        world.step(Step::Traffic(events, every));
        world.run(100 * 3600, None);
        prop_assert!(world.wrong.is_empty(), "{:#?}", &world.wrong[..1]);
        prop_assert!(!world.saw.contains(&Saw::Opened) && world.rows.iter().all(|row| row.status == Status::Failed));
    }

    /// As long as there is traffic: of whoever fails only now and then somebody is answered in five minutes.
    #[test]
    fn who_fails_three_times_in_ten_is_never_parked(events in 40_usize..160, every in 1_i64..15, chance in any::<u64>()) {
        let mut world = World::new(None, None, chance);
        world.receiver = Receiver::Flaky;
        world.step(Step::Traffic(events, every));
        prop_assert!(world.wrong.is_empty(), "{:#?}", &world.wrong[..1]);
        prop_assert!(!world.saw.contains(&Saw::Opened));
    }
}

/// One delivery alone, whose endpoint is down for longer than it can wait: there are probes to the end, its schedule stands still,
/// and whoever is back on the second day hears of it within hours.
#[test]
fn one_delivery_alone_is_probed_for_as_long_as_it_waits() {
    let silent = || {
        let mut world = World::new(None, None, 1);
        world.receiver = Receiver::Silent;
        // By the first one it is down, and what that is due again for comes later.
        world.publish(0);
        world.run(310, None);
        world.publish(0);
        world.run(1, None);
        assert_eq!((world.saw.contains(&Saw::Opened), world.parked()), (true, 1));
        world.rows[0].status = Status::Cancelled;
        world
    };
    let mut world = silent();
    let horizon = i64::try_from(world.endpoint.horizon().as_secs()).unwrap();
    let began = world.now - 1;
    while world.now < began + horizon {
        assert!(world.parked() == 1, "{:?}", world.rows);
        let posts = world.posts;
        world.run((2 * 3_600).min(began + horizon - world.now).max(1), None);
        let is_last = world.now + 3_600 > began + horizon;
        assert!(world.posts > posts || is_last, "no probe in two hours, {} s after it began", world.now - began);
    }
    world.run(3_600, None);
    let row = &world.rows[1];
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::EndpointDown)), "{row:?}");
    assert!(world.fates[1].used == 0 && row.probes <= MAX_PROBES && row.probes > 90, "{row:?}");
    assert!(world.wrong.is_empty(), "{:?}", world.wrong);
    let mut world = silent();
    world.run(40 * 3_600, None);
    world.receiver = Receiver::Up;
    world.run(2 * 3_600, None);
    assert_eq!(world.rows[1].status, Status::Succeeded);
    assert!(matches!(world.told[..], [Told::Failing(_), Told::Recovered(_)]), "{:?}", world.told);
}

/// However many there are, and however long nobody has answered.
#[test]
fn what_is_parked_for_a_deleted_webhook_is_called_off_at_once() {
    for is_deleted in [true, false] {
        let mut world = World::new(None, Some(1), 1);
        world.step(Step::Outage);
        world.step(Step::Traffic(150, 2));
        assert!(world.parked() > 140, "{}", world.parked());
        world.step(if is_deleted { Step::Delete { ticket: true } } else { Step::Disable { ticket: true } });
        // Deliver disables it too, and forgets no failure.
        world.endpoint.down_since = Some(at(world.now));
        let posts = world.posts;
        world.run(120, None);
        assert_eq!((world.parked(), world.posts), (0, posts));
        let is_called_off = |row: &Delivery| row.status == Status::Cancelled || row.next_attempt_at.is_some();
        assert!(world.rows.iter().all(is_called_off), "{:?}", world.rows);
        world.run(2 * 3_600, None);
        assert!(world.endpoint.parking.is_none() && world.wrong.is_empty(), "{:?}", world.wrong);
    }
}

/// An outage with so many deliveries parked at least.
fn an_outage(parked: usize) -> World {
    let mut world = World::new(None, None, 1);
    world.step(Step::Outage);
    world.step(Step::Traffic(parked, 1));
    assert!(world.parked() >= parked);
    world
}

#[test]
fn whoever_asks_for_a_parked_delivery_has_it_tried_now() {
    for receiver in [Receiver::Silent, Receiver::Up] {
        let mut world = an_outage(3);
        let asked = (0..world.rows.len()).find(|row| world.rows[*row].is_parked()).unwrap();
        let posts = world.posts;
        world.receiver = receiver;
        world.step(Step::Retry { row: asked, sent: true });
        world.run(0, None);
        let row = &world.rows[asked];
        assert!(world.posts > posts && row.round == 2, "{row:?}");
        match receiver {
            Receiver::Up => assert_eq!((row.status, world.parked()), (Status::Succeeded, 0), "and so are the others"),
            _ => assert!(row.is_parked() && row.probes == 1, "{row:?}"),
        }
        assert!(world.wrong.is_empty(), "{:?}", world.wrong);
    }
}

/// The sweep has looked and found nothing, and before it says that it is over an attempt fails that is the one too many.
#[test]
fn what_begins_between_the_last_look_and_the_end_goes_on() {
    let mut world = an_outage(1);
    world.receiver = Receiver::Up;
    world.step(Step::Change { url: false, ticket: true });
    world.run(60, None);
    let closing = world.endpoint.parking.clone().unwrap();
    assert!(closing.told && world.parked() == 0, "{closing:?}");
    world.receiver = Receiver::Silent;
    world.now = closing.next_at.as_second() + 1;
    world.endpoint.down_since = Some(at(world.now - 400));
    world.queue.clear();
    world.publish(0);
    world.take(0, 0);
    (0..4).for_each(|_| world.act(FANOUT));
    world.take(0, 0);
    // It has read, posted and recorded; the sweep has looked.
    (0..3).for_each(|_| world.act(0));
    world.sweep();
    (0..3).for_each(|_| world.act(SWEEP));
    assert!(world.endpoint.parking.as_ref() == Some(&closing) && world.functions[SWEEP].is_some());
    // It brings its delivery back, and begins.
    (0..3).for_each(|_| world.act(0));
    world.act(SWEEP);
    let begun = world.endpoint.parking.as_ref().unwrap();
    assert!(begun.holds_back() && world.listed == Some(begun.since), "{begun:?}");
    assert!(world.wrong.is_empty(), "{:?}", world.wrong);
}
