//! One delivery, two workers, a queue, schedules, a dead-letter queue and a sweep, driven through random interleavings of
//! crashes, duplicates and losses. The rules are the real ones of this crate; the table's one condition ("the counter
//! stands where it was read, and the row is not final") is written out in [`World::record`], as the store writes it.

use super::*;
use crate::dialect::NUR;
use crate::retry::MAX_INTERNAL;
use proptest::prelude::*;

/// The queue's maxReceiveCount in the template.
const MAX_RECEIVES: u32 = 5;
/// Rounds that are asked for in a run.
const MOST_ROUNDS: u32 = 3;
const MOST_ATTEMPTS: u32 = 6 + MAX_INTERNAL + 1;

#[derive(Debug, Clone)]
struct Queued {
    attempt: u32,
    receives: u32,
    posts: u32,
}

/// A worker between its read and its record.
#[derive(Debug, Clone)]
struct Busy {
    message: Queued,
    read: Delivery,
    status: u16,
}

#[derive(Debug, Clone)]
enum Step {
    /// A worker takes a message, reads the row and, if it is the row's next attempt, posts.
    Take {
        worker: usize,
        message: usize,
        status: u16,
    },
    /// It records what came of it and, unless it dies just then, brings the next attempt back.
    Record {
        worker: usize,
        dies_before_scheduling: bool,
    },
    /// It dies; its message shows again.
    Crash {
        worker: usize,
    },
    DoubleMessage(usize),
    /// A retry's message is lost. A first message is not: SQS keeps it, or gives it to the dead-letter queue.
    LoseRetry(usize),
    Fire {
        schedule: usize,
        twice: bool,
    },
    LoseSchedule(usize),
    Sweep,
    /// Somebody asks for a new round.
    RetryByHand,
}

struct World {
    row: Delivery,
    queue: Vec<Queued>,
    schedules: Vec<u32>,
    dead: Vec<u32>,
    workers: [Option<Busy>; 2],
    recorded: Vec<u32>,
    most_posts: u32,
    needless_posts: u32,
    posted: u32,
    asked_at: u32,
    rounds: u32,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        Self {
            row: Delivery::pending(&crate::delivery::an_event(now), EndpointId::new(now, 2), 0),
            queue: vec![message(1)],
            schedules: Vec::new(),
            dead: Vec::new(),
            workers: [None, None],
            recorded: Vec::new(),
            most_posts: 0,
            needless_posts: 0,
            posted: 0,
            asked_at: 0,
            rounds: 0,
            now,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Take { worker, message, status } => self.take(worker % 2, message, status),
            Step::Record { worker, dies_before_scheduling } => {
                if let Some(busy) = self.workers[worker % 2].take() {
                    let outcome = Outcome::Responded { status: busy.status, retry_after: None };
                    self.record(&busy.read, &outcome, dies_before_scheduling);
                    if dies_before_scheduling {
                        self.queue.push(busy.message);
                    }
                }
            }
            Step::Crash { worker } => self.queue.extend(self.workers[worker % 2].take().map(|busy| busy.message)),
            Step::DoubleMessage(i) => {
                if let Some(one) = pick(&self.queue, i) {
                    let double = message(self.queue[one].attempt);
                    self.queue.push(double);
                }
            }
            Step::LoseRetry(i) => {
                if let Some(one) = pick(&self.queue, i).filter(|one| self.queue[*one].attempt > 1) {
                    self.queue.remove(one);
                }
            }
            Step::Fire { schedule, twice } => {
                if let Some(one) = pick(&self.schedules, schedule) {
                    let attempt = self.schedules.remove(one);
                    self.queue.extend(std::iter::repeat_n(message(attempt), 1 + usize::from(twice)));
                }
            }
            Step::LoseSchedule(i) => {
                if let Some(one) = pick(&self.schedules, i) {
                    self.schedules.remove(one);
                }
            }
            Step::Sweep => self.sweep(),
            Step::RetryByHand => self.begin_round(),
        }
    }

    fn take(&mut self, worker: usize, i: usize, status: u16) {
        let Some(one) = pick(&self.queue, i).filter(|_| self.workers[worker].is_none()) else { return };
        let mut message = self.queue.remove(one);
        message.receives += 1;
        if message.receives > MAX_RECEIVES {
            self.dead.push(message.attempt);
            return;
        }
        match self.row.gate(message.attempt, self.now) {
            Gate::Stale => {}
            Gate::Reschedule { attempt, .. } => self.schedule(attempt),
            Gate::Attempt => {
                message.posts += 1;
                self.posted += 1;
                let on_record = self.row.status.is_final() || self.recorded.contains(&message.attempt);
                self.needless_posts += u32::from(on_record);
                self.most_posts = self.most_posts.max(message.posts);
                self.workers[worker] = Some(Busy { message, read: self.row.clone(), status });
            }
        }
    }

    /// The conditional update.
    fn record(&mut self, read: &Delivery, outcome: &Outcome, dies_before_scheduling: bool) {
        let moved = (self.row.attempts_made, self.row.round_from) != (read.attempts_made, read.round_from);
        if moved || self.row.status.is_final() {
            return;
        }
        let made = read.after(&NUR.retry, outcome, self.now, 0.0);
        self.row.attempts_made = read.attempts_made + 1;
        self.row.status = made.status;
        self.row.reason = made.reason;
        self.row.next_attempt_at = made.next_attempt_at;
        self.row.internal = made.internal;
        self.recorded.push(self.row.attempts_made);
        if made.next_attempt_at.is_some() && !dies_before_scheduling {
            self.schedule(self.row.attempts_made + 1);
        }
    }

    fn begin_round(&mut self) {
        if self.row.status == Status::Pending || self.rounds == MOST_ROUNDS {
            return;
        }
        self.rounds += 1;
        // Asked for twice before its first attempt is on record, a round is one round.
        if self.row.round_from != self.row.attempts_made + 1 {
            self.asked_at = self.posted;
        }
        self.row.status = Status::Retrying;
        self.row.round_from = self.row.attempts_made + 1;
        self.row.internal = 0;
        self.row.reason = None;
        self.row.next_attempt_at = Some(self.now);
        self.queue.push(message(self.row.attempts_made + 1));
    }

    /// A schedule's name is its attempt's: making it twice makes one.
    fn schedule(&mut self, attempt: u32) {
        if !self.schedules.contains(&attempt) {
            self.schedules.push(attempt);
        }
    }

    fn sweep(&mut self) {
        for attempt in std::mem::take(&mut self.dead) {
            if self.row.gate(attempt, self.now) == Gate::Attempt {
                let read = self.row.clone();
                self.record(&read, &Outcome::Internal, false);
            }
        }
        if let Some(due) = self.row.next_attempt_at.filter(|_| self.row.status == Status::Retrying) {
            self.now = self.now.max(due);
            self.queue.push(message(self.row.attempts_made + 1));
        }
    }

    /// What happens when nothing goes wrong any more.
    fn come_to_rest(&mut self) -> bool {
        for _ in 0..200 {
            if self.row.status.is_final() {
                return true;
            }
            for worker in 0..2 {
                self.step(Step::Record { worker, dies_before_scheduling: false });
            }
            if self.queue.is_empty() {
                self.sweep();
            }
            self.take(0, 0, 500);
        }
        false
    }
}

fn message(attempt: u32) -> Queued {
    Queued { attempt, receives: 0, posts: 0 }
}

fn pick<T>(from: &[T], i: usize) -> Option<usize> {
    (!from.is_empty()).then(|| i % from.len())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let any_index = 0_usize..8;
    let status = prop_oneof![1 => Just(200_u16), 8 => Just(500)];
    let step = prop_oneof![
        6 => (0_usize..2, any_index.clone(), status)
            .prop_map(|(worker, message, status)| Step::Take { worker, message, status }),
        4 => (0_usize..2, any::<bool>())
            .prop_map(|(worker, dies)| Step::Record { worker, dies_before_scheduling: dies }),
        3 => (0_usize..2).prop_map(|worker| Step::Crash { worker }),
        1 => any_index.clone().prop_map(Step::DoubleMessage),
        1 => any_index.clone().prop_map(Step::LoseRetry),
        3 => (any_index.clone(), any::<bool>()).prop_map(|(schedule, twice)| Step::Fire { schedule, twice }),
        1 => any_index.prop_map(Step::LoseSchedule),
        1 => Just(Step::RetryByHand),
        2 => Just(Step::Sweep),
    ];
    proptest::collection::vec(step, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn whatever_dies_every_delivery_comes_to_one_end(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            let (was, rounds) = ((world.row.status, world.row.attempts_made), world.rounds);
            world.step(step);
            if was.0.is_final() && world.rounds == rounds {
                prop_assert_eq!((world.row.status, world.row.attempts_made), was, "a final row goes no further");
            }
        }
        prop_assert!(world.come_to_rest(), "stuck: {:?}", world.row);
        let expected: Vec<u32> = (1..=world.row.attempts_made).collect();
        prop_assert_eq!(&world.recorded, &expected, "each attempt is recorded once, in order");
        prop_assert_eq!(world.needless_posts, 0, "what is on record is not posted again");
        prop_assert!(world.row.attempts_made <= MOST_ATTEMPTS * (1 + world.rounds));
        prop_assert!(world.rounds == 0 || world.posted > world.asked_at, "a round that was asked for is made");
        prop_assert!(world.most_posts <= MAX_RECEIVES, "POSTs of one message are bounded");
    }
}
