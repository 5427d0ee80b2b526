//! Noisy tenants and a quiet one at functions that really share a queue: how long the quiet one waits.
//!
//! The queue hands out messages as they came (the emulator's does), or by AWS's documented rule of fair queues: whose messages are
//! more than a tenth of those in flight, and thirty or more, or hold more than a tenth of the recent processing time, is noisy; quiet
//! groups come first, then the noisy one with the fewest in flight.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::*;
use crate::slow::{PATIENCE, SlowEndpoints};

const FUNCTIONS: usize = 20;
const BATCH: usize = 10;
/// A step, in milliseconds.
const STEP: u64 = 10;
/// What it takes to move a batch aside.
const MOVING: u64 = 20;

/// One who has so much sent, to so many endpoints that take so long to answer.
struct Sender {
    number: u64,
    endpoints: u64,
    millis: u64,
    per_second: u64,
}

const QUIET: Sender = Sender { number: 9, endpoints: 3, millis: 50, per_second: 5 };
/// More than twenty functions carry: 105 a second of these.
const ALMOST_TWO_SECONDS: Sender = Sender { number: 1, endpoints: 1_000, millis: 1_900, per_second: 300 };
/// Eight of them are more than the functions carry, and none is more than an eighth.
fn one_of_eight(number: u64) -> Sender {
    Sender { number, endpoints: 100, millis: 400, per_second: 100 }
}

const TARPITS: Sender = Sender { number: 2, endpoints: 5, millis: 30_000, per_second: 20 };
const FLOOD: Sender = Sender { number: 3, endpoints: 100, millis: 100, per_second: 2_200 };

/// In which order a queue hands out.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    AsTheyCame,
    /// Fair to groups, and what is a group.
    Fair(Group),
}

#[derive(Clone, Copy, PartialEq)]
enum Group {
    Tenant,
    Endpoint,
}

#[derive(Clone, Copy)]
struct Sent {
    tenant: u64,
    endpoint: u64,
    millis: u64,
    at: u64,
}

/// A group's messages, and what it takes up.
#[derive(Default)]
struct Lane {
    waiting: BTreeMap<(u64, u64), VecDeque<Sent>>,
    in_flight: HashMap<(u64, u64), usize>,
    /// Message-seconds of processing, fading.
    took: HashMap<(u64, u64), f64>,
}

impl Lane {
    fn take(&mut self, order: Order) -> Vec<Sent> {
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            let Some(group) = self.next(order) else { break };
            let queue = self.waiting.get_mut(&group).unwrap();
            batch.push(queue.pop_front().unwrap());
            if queue.is_empty() {
                self.waiting.remove(&group);
            }
            *self.in_flight.entry(group).or_default() += 1;
        }
        batch
    }

    fn next(&self, order: Order) -> Option<(u64, u64)> {
        let oldest = |queue: &VecDeque<Sent>| queue.front().map(|sent| sent.at);
        if order == Order::AsTheyCame {
            return self.waiting.iter().min_by_key(|(_, queue)| oldest(queue)).map(|(group, _)| *group);
        }
        let all = self.in_flight.values().sum::<usize>();
        let took: f64 = self.took.values().sum();
        let rank = |group: &(u64, u64)| {
            let own = self.in_flight.get(group).copied().unwrap_or_default();
            let recent = self.took.get(group).copied().unwrap_or_default();
            let is_noisy = (own >= 30 && own * 10 > all) || (took > 0.0 && recent * 10.0 > took);
            if is_noisy { 1 + own } else { 0 }
        };
        self.waiting.iter().min_by_key(|(group, queue)| (rank(group), oldest(queue))).map(|(group, _)| *group)
    }
}

struct Function {
    busy_until: u64,
    /// What it took, and what of it it attempts itself.
    batch: Vec<Sent>,
    own: Vec<Sent>,
    shares: TimeShares,
}

/// What a run told.
struct Told {
    /// Of each quiet message, when it was sent and how long it waited, in milliseconds.
    waits: Vec<(u64, u64)>,
    /// Tenants that were noted, and endpoints, with when.
    noted: Vec<(u64, Holder)>,
    /// Who held more than a quarter of the functions while others waited, by the second.
    holding: Vec<(u64, u64)>,
}

impl Told {
    /// The 95th percentile of what was sent in these seconds; what never came has waited to the end.
    fn p95(&self, seconds: std::ops::Range<u64>) -> u64 {
        let within = |at: u64| seconds.contains(&(at / 1_000));
        let mut waits: Vec<u64> = self.waits.iter().filter(|(at, _)| within(*at)).map(|(_, wait)| *wait).collect();
        waits.sort_unstable();
        waits[waits.len() * 95 / 100]
    }
}

/// A tenant's row of who is slow: endpoints, and all that he has.
type Row = (HashMap<EndpointId, i64>, Option<i64>);

/// Twenty functions at a queue, and the rows that they share. What is moved aside is out of the picture: it has functions of its own.
struct Simulation {
    order: Order,
    /// Whether functions note who holds too much, beside who takes two seconds.
    judges: bool,
    functions: Vec<Function>,
    lane: Lane,
    rows: HashMap<u64, Row>,
    /// When whose endpoint will have taken two seconds.
    notes: Vec<(u64, u64, EndpointId)>,
    told: Told,
}

fn at(millis: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_millis(millis)
}

fn tenant(number: u64) -> TenantId {
    TenantId::new(Timestamp::UNIX_EPOCH, number)
}

fn endpoint(sent: &Sent) -> EndpointId {
    EndpointId::new(Timestamp::UNIX_EPOCH, sent.tenant * 1_000_000 + sent.endpoint)
}

/// Until when somebody counts as slow who is noted now.
fn ten_minutes_after(millis: u64) -> i64 {
    (millis / 1_000 + 600).cast_signed()
}

/// So many seconds of these senders.
fn run(senders: &[Sender], seconds: u64, order: Order, judges: bool) -> Told {
    // One after another, as Lambda starts them; so they do not march in step.
    let fresh = |number| Function {
        busy_until: number * 100,
        batch: Vec::new(),
        own: Vec::new(),
        shares: TimeShares::default(),
    };
    let mut simulation = Simulation {
        order,
        judges,
        functions: (0..FUNCTIONS as u64).map(fresh).collect(),
        lane: Lane::default(),
        rows: HashMap::new(),
        notes: Vec::new(),
        told: Told { waits: Vec::new(), noted: Vec::new(), holding: Vec::new() },
    };
    let mut sent = vec![0_u64; senders.len()];
    for now in (0..seconds * 1_000).step_by(STEP as usize) {
        for (sender, sent) in senders.iter().zip(&mut sent) {
            while *sent * 1_000 < sender.per_second * (now + STEP) {
                simulation.send(sender, *sent, now);
                *sent += 1;
            }
        }
        simulation.note_who_took_long(now);
        if now % 1_000 == 0 {
            simulation.look(now);
        }
        for number in 0..FUNCTIONS {
            simulation.step(number, now);
        }
    }
    let left = simulation.lane.waiting.values().flatten().filter(|one| one.tenant == QUIET.number);
    simulation.told.waits.extend(left.map(|one| (one.at, seconds * 1_000 - one.at)));
    simulation.told
}

impl Simulation {
    fn send(&mut self, sender: &Sender, number: u64, now: u64) {
        // A twentieth more or less.
        let millis = sender.millis * (95 + number * 7 % 11) / 100;
        let sent = Sent { tenant: sender.number, endpoint: number % sender.endpoints, millis, at: now };
        self.lane.waiting.entry(self.group_of(&sent)).or_default().push_back(sent);
    }

    fn group_of(&self, sent: &Sent) -> (u64, u64) {
        match self.order {
            Order::AsTheyCame => (0, 0),
            Order::Fair(Group::Tenant) => (sent.tenant, 0),
            Order::Fair(Group::Endpoint) => (sent.tenant, sent.endpoint),
        }
    }

    fn note_who_took_long(&mut self, now: u64) {
        let (over, later) = std::mem::take(&mut self.notes).into_iter().partition(|(when, _, _)| *when <= now);
        self.notes = later;
        for (_, tenant, endpoint) in over {
            self.rows.entry(tenant).or_default().0.insert(endpoint, ten_minutes_after(now));
        }
    }

    /// Once a second: what fades, and who holds too much.
    fn look(&mut self, now: u64) {
        self.lane.took.values_mut().for_each(|took| *took *= 0.95);
        self.lane.took.retain(|_, took| *took > 0.001);
        self.told.holding.extend(holding(&self.functions, &self.lane, now).map(|tenant| (now / 1_000, tenant)));
    }

    fn is_slow(&self, one: &Sent, now: u64) -> bool {
        self.rows.get(&one.tenant).is_some_and(|(endpoints, all)| {
            let own = endpoints.get_key_value(&endpoint(one)).map(|(id, until)| (id.clone(), *until));
            SlowEndpoints::new(own, *all).has(&endpoint(one), at(now))
        })
    }

    fn step(&mut self, number: usize, now: u64) {
        if self.functions[number].busy_until > now {
            return;
        }
        self.end(number, now);
        for one in std::mem::take(&mut self.functions[number].batch) {
            let group = self.group_of(&one);
            *self.lane.in_flight.get_mut(&group).unwrap() -= 1;
        }
        self.lane.in_flight.retain(|_, count| *count > 0);
        let batch = self.lane.take(self.order);
        if batch.is_empty() {
            return;
        }
        let (aside, own): (Vec<Sent>, Vec<Sent>) = batch.iter().partition(|one| self.is_slow(one, now));
        for one in &aside {
            let is_all = self.rows.get(&one.tenant).is_some_and(|row| row.1.is_some());
            let holder = Holder { tenant: tenant(one.tenant), endpoint: (!is_all).then(|| endpoint(one)) };
            self.functions[number].shares.forget(&holder);
        }
        let came = own.iter().map(|one| Came {
            tenant: tenant(one.tenant),
            endpoint: endpoint(one),
            waited: Duration::from_millis(now - one.at),
        });
        let holder = self.functions[number].shares.before(&came.collect::<Vec<_>>(), at(now));
        self.note(number, holder, &own, now);
        let own: Vec<Sent> = own.into_iter().filter(|one| !self.judges || !self.is_slow(one, now)).collect();
        let longest = own.iter().map(|one| one.millis).max().unwrap_or(MOVING);
        let patience = PATIENCE.as_millis() as u64;
        for one in &own {
            *self.lane.took.entry(self.group_of(one)).or_default() += longest as f64 / 1_000.0;
            if one.tenant == QUIET.number {
                self.told.waits.push((one.at, now - one.at));
            }
            if one.millis > patience {
                self.notes.push((now + patience, one.tenant, endpoint(one)));
            }
        }
        self.functions[number].busy_until = now + longest;
        self.functions[number].batch = batch;
        self.functions[number].own = own;
    }

    /// What a function has seen once its batch has ended.
    fn end(&mut self, number: usize, now: u64) {
        let own = std::mem::take(&mut self.functions[number].own);
        let held = own.iter().map(|one| Held {
            tenant: tenant(one.tenant),
            endpoint: endpoint(one),
            time: Duration::from_millis(one.millis),
        });
        let holder = self.functions[number].shares.after(&held.collect::<Vec<_>>(), at(now));
        self.note(number, holder, &own, now);
        for one in own.iter().filter(|one| one.millis > PATIENCE.as_millis() as u64) {
            let slow = Holder { tenant: tenant(one.tenant), endpoint: Some(endpoint(one)) };
            self.functions[number].shares.forget(&slow);
        }
    }

    fn note(&mut self, number: usize, holder: Option<Holder>, own: &[Sent], now: u64) {
        let Some(holder) = holder.filter(|_| self.judges) else { return };
        let whose = own.iter().find(|one| tenant(one.tenant) == holder.tenant).unwrap().tenant;
        let (until, row) = (ten_minutes_after(now), self.rows.entry(whose).or_default());
        match &holder.endpoint {
            Some(endpoint) => _ = row.0.insert(endpoint.clone(), until),
            None => row.1 = Some(until),
        }
        self.functions[number].shares.forget(&holder);
        self.told.noted.push((now, holder));
    }
}

/// The tenants who hold more than a quarter of the functions while somebody else's messages wait.
fn holding(functions: &[Function], lane: &Lane, now: u64) -> impl Iterator<Item = u64> {
    let mut held: BTreeMap<u64, f64> = BTreeMap::new();
    for function in functions {
        let times: Vec<Duration> = function.batch.iter().map(|one| Duration::from_millis(one.millis)).collect();
        let all: f64 = parts(&times).iter().sum();
        for (one, part) in function.batch.iter().zip(parts(&times)) {
            *held.entry(one.tenant).or_default() += part / all;
        }
    }
    let waits = |one: &Sent| now - one.at > PROMPT.as_millis() as u64;
    let waiting: Vec<u64> = lane.waiting.values().flatten().filter(|one| waits(one)).map(|one| one.tenant).collect();
    let others_wait = move |tenant: u64| waiting.iter().any(|other| *other != tenant);
    held.into_iter()
        .filter(move |(tenant, part)| *part > SHARE * FUNCTIONS as f64 && others_wait(*tenant))
        .map(|(tenant, _)| tenant)
}

#[test]
fn after_a_minute_a_quiet_tenant_waits_for_nobody() {
    let noisy = [ALMOST_TWO_SECONDS, TARPITS, FLOOD, QUIET];
    let told = run(&noisy, 80, Order::AsTheyCame, true);
    let without = run(&noisy, 80, Order::AsTheyCame, false);
    let (before, after) = (without.p95(60..75), told.p95(60..80));
    println!("p95 of the quiet tenant's wait after a minute: {after} ms, judged by two seconds alone {before} ms");
    assert!(before > 10_000, "{before}");
    assert!(after < 500, "{after}");
    assert!(told.noted.iter().all(|(at, _)| *at < 60_000), "all is said within a minute: {:?}", told.noted.last());
    let later = |told: &Told| told.holding.iter().any(|(second, _)| *second >= 60);
    assert_eq!((later(&told), later(&without)), (false, true), "nobody holds more than a quarter while others wait");
}

#[test]
fn equals_who_wait_for_each_other_are_left_alone() {
    let told = run(&[1, 2, 3, 4, 5, 6, 7, 8].map(one_of_eight), 30, Order::AsTheyCame, true);
    assert_eq!((told.noted, told.holding), (Vec::new(), Vec::new()));
}

#[test]
fn a_tenant_who_is_alone_keeps_every_function() {
    for sender in [ALMOST_TWO_SECONDS, FLOOD] {
        let told = run(&[sender], 60, Order::AsTheyCame, true);
        assert_eq!(told.noted, []);
    }
}

#[test]
fn fair_queues_are_fair_to_tenants_and_not_to_their_webhooks() {
    // SQS alone, without our judgement: what it does for a quiet tenant until we have said who is slow.
    let noisy = [ALMOST_TWO_SECONDS, QUIET];
    let [by_tenant, by_endpoint] =
        [Group::Tenant, Group::Endpoint].map(|group| run(&noisy, 30, Order::Fair(group), false).p95(5..25));
    println!(
        "p95 of the quiet tenant's wait beside 1,000 webhooks: groups by tenant {by_tenant} ms, by webhook {by_endpoint} ms"
    );
    assert!(by_tenant < 500, "it waits for a batch's end: {by_tenant}");
    assert!(by_endpoint > 5_000, "1,000 quiet neighbours: {by_endpoint}");
}
