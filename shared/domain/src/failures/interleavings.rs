//! Three processes that record failures of a tenant's webhooks and two sweeps that tell of them, in any order, with deaths, lost
//! answers and any waits: every failure that is on record is told of, once.

use proptest::prelude::*;

use super::*;
use crate::id::EventId;

/// How long a function runs at the most, in seconds.
const RUNS: i64 = 60;
/// How far each process's clock is from the sweeps', and how long a record is on its way into the index, in seconds.
const CLOCKS: [i64; 3] = [-12, 0, 12];
const LAG: i64 = 30;

/// What a process has decided about a failure, and not yet put on record.
#[derive(Debug, Clone)]
enum Deciding {
    /// It has read what is known.
    Read(Telling, u64),
    AtOnce,
    Together,
}

#[derive(Debug, Clone)]
struct Recording {
    webhook: u64,
    begun: Timestamp,
    deciding: Deciding,
}

#[derive(Debug, Default)]
struct Process {
    known: Option<Known>,
    recording: Option<Recording>,
}

/// A look that has counted, and not yet told.
#[derive(Debug, Clone)]
struct Counted {
    read: Telling,
    version: u64,
    look: Look,
    tally: Tally,
}

#[derive(Debug, Clone)]
enum Step {
    /// A delivery fails: the process reads what is known, unless it knows that it is to be counted.
    Fail {
        process: usize,
        webhook: u64,
    },
    /// It claims to tell, or says that it counts.
    Claim {
        process: usize,
    },
    /// It puts the failure on record; without hearing of that, it does so once more.
    Record {
        process: usize,
    },
    Die {
        process: usize,
    },
    Count {
        sweep: usize,
    },
    Tell {
        sweep: usize,
    },
    DieSweeping {
        sweep: usize,
    },
    Wait {
        seconds: i64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (process, sweep) = (0_usize..3, 0_usize..2);
    let step = prop_oneof![
        6 => (process.clone(), 0_u64..30).prop_map(|(process, webhook)| Step::Fail { process, webhook }),
        6 => (process.clone(), 0_u64..2).prop_map(|(process, webhook)| Step::Fail { process, webhook }),
        9 => process.clone().prop_map(|process| Step::Claim { process }),
        12 => process.clone().prop_map(|process| Step::Record { process }),
        1 => process.prop_map(|process| Step::Die { process }),
        3 => sweep.clone().prop_map(|sweep| Step::Count { sweep }),
        3 => sweep.clone().prop_map(|sweep| Step::Tell { sweep }),
        1 => sweep.prop_map(|sweep| Step::DieSweeping { sweep }),
        3 => (0_i64..10).prop_map(|seconds| Step::Wait { seconds }),
        2 => (0_i64..100).prop_map(|seconds| Step::Wait { seconds }),
    ];
    prop::collection::vec(step, 0..300)
}

struct World {
    now: Timestamp,
    row: Telling,
    version: u64,
    is_listed: bool,
    /// Rows that are to be counted, and since when they were written.
    to_count: Vec<(Timestamp, DeliveryId, Timestamp)>,
    recorded: u64,
    processes: [Process; 3],
    sweeps: [Option<Counted>; 2],
    /// When webhooks were told of by their names.
    named: Vec<(Timestamp, EndpointId)>,
    at_once: Vec<Timestamp>,
    looks: Vec<Look>,
    told: u64,
}

impl World {
    fn new() -> Self {
        Self {
            now: "2026-01-15T12:00:00Z".parse().unwrap(),
            row: Telling::default(),
            version: 0,
            is_listed: false,
            to_count: Vec::new(),
            recorded: 0,
            processes: Default::default(),
            sweeps: Default::default(),
            named: Vec::new(),
            at_once: Vec::new(),
            looks: Vec::new(),
            told: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Fail { process, webhook } => self.fail(process, webhook),
            Step::Claim { process } => self.claim(process),
            Step::Record { process } => self.record(process),
            Step::Die { process } => self.processes[process] = Process::default(),
            Step::Count { sweep } => self.count(sweep),
            Step::Tell { sweep } => self.tell(sweep),
            Step::DieSweeping { sweep } => self.sweeps[sweep] = None,
            Step::Wait { seconds } => self.wait(seconds),
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.now = plus_millis(self.now, seconds * 1000);
        let now = self.now;
        // A function that has run for too long is ended with what it was about.
        for process in &mut self.processes {
            if process.recording.as_ref().is_some_and(|it| now.as_second() - it.begun.as_second() > RUNS) {
                *process = Process::default();
            }
        }
    }

    /// What time it is for a process.
    fn clock(&self, process: usize) -> Timestamp {
        plus_millis(self.now, CLOCKS[process] * 1000)
    }

    fn fail(&mut self, process: usize, webhook: u64) {
        let (now, begun, row, version) = (self.clock(process), self.now, self.row.clone(), self.version);
        let process = &mut self.processes[process];
        if process.recording.is_some() {
            return;
        }
        let counts = process.known.as_ref().is_some_and(|known| known.counts(&of(webhook), now));
        let deciding = if counts { Deciding::Together } else { Deciding::Read(row, version) };
        process.recording = Some(Recording { webhook, begun, deciding });
    }

    fn claim(&mut self, process: usize) {
        let now = self.clock(process);
        let Some(recording) = &mut self.processes[process].recording else { return };
        let Deciding::Read(read, version) = recording.deciding.clone() else { return };
        let webhook = of(recording.webhook);
        match read.at_once(&webhook, now) {
            Some(told) if version == self.version => {
                (self.row.told, self.version) = (told, self.version + 1);
                self.named.push((now, webhook));
                self.at_once.push(now);
                recording.deciding = Deciding::AtOnce;
            }
            // Refused, it sees what stands there.
            Some(_) => recording.deciding = Deciding::Read(self.row.clone(), self.version),
            None => {
                self.row.counted_at = Some(now);
                self.is_listed = true;
                recording.deciding = Deciding::Together;
                self.processes[process].known = Some(Known::new(now, self.row.clone()));
            }
        }
    }

    fn record(&mut self, process: usize) {
        let Some(recording) = self.processes[process].recording.take() else { return };
        match recording.deciding {
            Deciding::Read(..) => self.processes[process].recording = Some(recording),
            Deciding::AtOnce => (self.recorded, self.told) = (self.recorded + 1, self.told + 1),
            Deciding::Together => {
                self.recorded += 1;
                let id = DeliveryId::new(self.now, &of(recording.webhook), &EventId::fresh(self.recorded.into()));
                self.to_count.push((self.clock(process), id, self.now));
            }
        }
    }

    fn count(&mut self, sweep: usize) {
        let Some(look) = self.row.look(self.now).filter(|_| self.is_listed) else { return };
        let mut tally = Tally::default();
        let arrived = |written: Timestamp| plus_millis(written, LAG * 1000) <= self.now;
        let counted =
            self.to_count.iter().filter(|(at, _, written)| *at >= look.from && *at < look.until && arrived(*written));
        counted.for_each(|(at, id, _)| tally.add(*at, id.clone()));
        self.sweeps[sweep] = Some(Counted { read: self.row.clone(), version: self.version, look, tally });
    }

    /// As the transaction has it: over "told until" and the version, and over "counted at" where it ends that.
    fn tell(&mut self, sweep: usize) {
        let Some(Counted { read, version, look, tally }) = self.sweeps[sweep].take() else { return };
        let (named, others) = read.named(tally, self.now);
        let after = read.after(look, &named, self.now);
        let ends = after.counted_at.is_none();
        let stands = self.row.told_until == read.told_until && self.version == version;
        if !stands || (ends && self.row.counted_at != read.counted_at) {
            return;
        }
        self.told += named.iter().map(|group| group.count).sum::<u64>() + others.map_or(0, |others| others.all.count);
        self.named.extend(named.into_iter().map(|group| (self.now, group.webhook)));
        self.looks.push(look);
        self.row = Telling { counted_at: self.row.counted_at.filter(|_| !ends), ..after };
        self.is_listed &= !ends;
        self.version += 1;
    }

    /// Everybody comes to an end, and sweeps go on.
    fn settle(&mut self) {
        for process in 0..self.processes.len() {
            self.claim(process);
            self.claim(process);
            self.record(process);
        }
        for _ in 0..6 {
            self.wait(60);
            self.count(0);
            self.tell(0);
        }
    }
}

fn of(webhook: u64) -> EndpointId {
    EndpointId::new(Timestamp::UNIX_EPOCH, webhook)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_dies_and_whoever_acts_every_failure_on_record_is_told_of_once(steps in steps()) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.step(step));
        world.settle();
        prop_assert_eq!(world.told, world.recorded, "{:?}", world.row);
        prop_assert!(world.row.counted_at.is_none() && !world.is_listed, "each sweep would look for nothing");
        for (place, (at, webhook)) in world.named.iter().enumerate() {
            let before = world.named[..place].iter().rfind(|(_, other)| other == webhook);
            let since = before.map_or(i64::MAX, |(before, _)| at.as_second() - before.as_second());
            prop_assert!(since >= 60 - 2 * CLOCKS[2], "{webhook} is told of again after {since} s");
        }
        for at in &world.at_once {
            let within = 0..60 - 2 * CLOCKS[2];
            let minute = world.at_once.iter().filter(|other| within.contains(&(other.as_second() - at.as_second())));
            prop_assert!(minute.count() <= MOST_WEBHOOKS);
        }
        for pair in world.looks.windows(2) {
            prop_assert!(pair[0].until <= earlier(pair[1].until, QUIET) && pair[0].until == pair[1].from, "{pair:?}");
        }
    }
}
