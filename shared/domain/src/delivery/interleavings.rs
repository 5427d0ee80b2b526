//! One delivery, three workers, a queue, schedules, a dead-letter queue, a sweep, a recovery and an owner who retries,
//! cancels, moves, disables and deletes at any moment, also while a POST is out: driven through random interleavings of
//! crashes, lost answers, duplicates and losses. The rules are the real ones of this crate; what the store does with a
//! refused record is written out in [`World::record`], and how a row makes room in [`World::make_room`], as deliver does it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::attempt::FIRST_URL_VERSION;
use crate::dialect::NUR;
use crate::own_event::OwnEvent;
use crate::recovery::Chosen;
use crate::retry::MAX_INTERNAL;

/// The queue's maxReceiveCount in the template.
const MAX_RECEIVES: u32 = 5;
const MOST_ATTEMPTS: u32 = 6 + MAX_INTERNAL + 1;
/// What a row takes without its attempts, and each of those: three fit in.
const BARE_BYTES: usize = 800;
const ATTEMPT_BYTES: usize = 400;

#[derive(Debug, Clone)]
struct Queued {
    attempt: u32,
    round: Option<u32>,
    receives: u32,
    posts: u32,
}

/// A worker between its POST and its record.
#[derive(Debug, Clone)]
struct Busy {
    message: Queued,
    read: Delivery,
    attempt: Attempt,
    status: u16,
}

/// A row that was read, with the attempts that lie in rows of their own taken out of it, and those.
#[derive(Debug, Clone)]
struct Roomy {
    row: Delivery,
    gone: Vec<Attempt>,
}

/// What becomes of a worker when it has recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// It schedules what comes next.
    GoesOn,
    /// It dies; its message shows again.
    Dies,
    /// It hears nothing of its record, and tries again at once or whenever it comes to it.
    HearsNothing,
    TriesLater,
}

#[derive(Debug, Clone)]
enum Step {
    /// A worker takes a message, reads the rows and, if it is the row's next attempt, posts.
    Take {
        worker: usize,
        message: usize,
        status: u16,
    },
    /// It records what came of it.
    Record {
        worker: usize,
        after: After,
    },
    /// It puts what its row has no room for into rows of its own, and comes to its record later, if ever.
    MakeRoom {
        worker: usize,
    },
    /// It dies between POST and record; its message shows again.
    Crash {
        worker: usize,
    },
    DoubleMessage(usize),
    /// A retry's message is lost. A first message is not: SQS keeps it, or gives it to the dead-letter queue.
    LoseRetry(usize),
    /// A message of a version that knew no rounds comes once more.
    OfAnEarlierVersion(usize),
    Fire {
        schedule: usize,
        twice: bool,
    },
    LoseSchedule(usize),
    Sweep,
    Wait {
        seconds: i64,
    },
    /// Somebody asks for a new round.
    Retry,
    /// The same, and the function dies or is overtaken before it writes the round.
    HalfARetry,
    Cancel,
    Recover,
    /// A recovery of whatever stands in any way that can be asked for: what waits for its next attempt, too.
    RecoverEverything,
    /// The webhook's URL changes.
    Move,
    Disable,
    Enable,
    Delete,
    /// The row's time is over.
    Expire,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Webhook {
    Active,
    Disabled,
    Deleted,
}

struct World {
    row: Delivery,
    row_is_there: bool,
    /// Rows of moved attempts, by what they are named by.
    moved: BTreeMap<u32, Vec<Attempt>>,
    webhook: Webhook,
    url_version: u32,
    queue: Vec<Queued>,
    schedules: Vec<Queued>,
    dead: Vec<Queued>,
    workers: [Option<Busy>; 3],
    /// Every POST that a receiver saw.
    posted: Vec<Attempt>,
    /// Those whose worker died before its record.
    unrecorded: Vec<Mark>,
    /// What was recorded under the row's counter, in order.
    recorded: Vec<u32>,
    /// The rounds that failed, as webhooks that ask for it are told of them.
    told: Vec<u32>,
    most_posts: u32,
    needless_posts: u32,
    forbidden_posts: u32,
    /// Attempts that were counted for a round that they were not made in.
    misfiled: u32,
    asked_at: Option<usize>,
    rounds: u32,
    marks: u64,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        Self {
            row: Delivery::pending(&crate::delivery::an_event(now), EndpointId::new(now, 2), now, 0),
            row_is_there: true,
            moved: BTreeMap::new(),
            webhook: Webhook::Active,
            url_version: FIRST_URL_VERSION,
            queue: vec![Queued { attempt: 1, round: Some(1), receives: 0, posts: 0 }],
            schedules: Vec::new(),
            dead: Vec::new(),
            workers: [const { None }; 3],
            posted: Vec::new(),
            unrecorded: Vec::new(),
            recorded: Vec::new(),
            told: Vec::new(),
            most_posts: 0,
            needless_posts: 0,
            forbidden_posts: 0,
            misfiled: 0,
            asked_at: None,
            rounds: 0,
            marks: 0,
            now,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Take { worker, message, status } => self.take(worker, message, status),
            Step::Record { worker, after } => self.finish(worker, after),
            Step::Crash { worker } => {
                if let Some(busy) = self.workers[worker].take() {
                    // Its record may have been made, and its answer lost.
                    self.unrecorded.extend(busy.attempt.mark.filter(|mark| !self.is_on_record(mark, 0)));
                    self.queue.push(busy.message);
                }
            }
            Step::MakeRoom { worker } => {
                if let Some(Busy { read, .. }) = self.workers[worker].clone() {
                    self.make_room(&read, ATTEMPT_BYTES);
                }
            }
            Step::DoubleMessage(i) => {
                if let Some(one) = pick(&self.queue, i) {
                    self.queue.push(Queued { receives: 0, posts: 0, ..self.queue[one].clone() });
                }
            }
            Step::LoseRetry(i) => {
                if let Some(one) = pick(&self.queue, i).filter(|one| self.queue[*one].attempt > 1) {
                    self.queue.remove(one);
                }
            }
            Step::OfAnEarlierVersion(i) => {
                if let Some(one) = pick(&self.queue, i) {
                    self.queue.push(Queued { round: None, receives: 0, posts: 0, ..self.queue[one].clone() });
                }
            }
            Step::Fire { schedule, twice } => {
                if let Some(one) = pick(&self.schedules, schedule) {
                    let message = self.schedules.remove(one);
                    self.queue.extend(std::iter::repeat_n(message, 1 + usize::from(twice)));
                }
            }
            Step::LoseSchedule(i) => {
                if let Some(one) = pick(&self.schedules, i) {
                    self.schedules.remove(one);
                }
            }
            Step::Sweep => self.sweep(),
            Step::Wait { seconds } => self.now = crate::time::plus_millis(self.now, seconds * 1000),
            Step::Retry => self.retry(),
            Step::HalfARetry => {
                self.make_room(&self.row.in_new_round(self.now), 0);
            }
            Step::Cancel => self.cancel(Reason::CancelledByRequest),
            Step::Recover => self.recover(&Chosen::default()),
            Step::RecoverEverything => {
                self.recover(&Chosen { statuses: Chosen::STATUSES.to_vec(), ..Chosen::default() });
            }
            Step::Move => self.url_version += 1,
            Step::Disable if self.webhook == Webhook::Active => self.webhook = Webhook::Disabled,
            Step::Enable if self.webhook == Webhook::Disabled => self.webhook = Webhook::Active,
            Step::Disable | Step::Enable => {}
            Step::Delete => self.webhook = Webhook::Deleted,
            Step::Expire => self.row_is_there = false,
        }
    }

    fn take(&mut self, worker: usize, i: usize, status: u16) {
        let Some(one) = pick(&self.queue, i).filter(|_| self.workers[worker].is_none()) else { return };
        let mut message = self.queue.remove(one);
        message.receives += 1;
        if message.receives > MAX_RECEIVES {
            self.dead.push(message);
            return;
        }
        if !self.row_is_there {
            return;
        }
        match self.row.gate(message.attempt, message.round, self.now) {
            Gate::Stale => {}
            Gate::Reschedule { attempt, .. } => self.schedule(attempt, self.row.round),
            Gate::Attempt => match self.webhook {
                Webhook::Active => self.post(worker, message, status),
                Webhook::Disabled => self.cancel(Reason::WebhookDisabled),
                Webhook::Deleted => self.cancel(Reason::WebhookDeleted),
            },
        }
    }

    fn post(&mut self, worker: usize, mut message: Queued, status: u16) {
        message.posts += 1;
        self.marks += 1;
        self.most_posts = self.most_posts.max(message.posts);
        let of_another_round = message.round.is_some_and(|round| round != self.row.round);
        self.needless_posts += u32::from(of_another_round || self.recorded.contains(&message.attempt));
        self.forbidden_posts += u32::from(self.row.status.is_final());
        let answered = Attempt::answered(message.attempt, Mark::new(self.marks), self.now, status);
        // Nothing passes while it is out but what the model lets pass.
        let attempt = Attempt { url_version: self.url_version, duration_ms: 0, ..answered };
        self.posted.push(attempt.clone());
        self.workers[worker] = Some(Busy { message, read: self.row.clone(), attempt, status });
    }

    fn finish(&mut self, worker: usize, after: After) {
        let Some(busy) = self.workers[worker].clone() else { return };
        if after != After::TriesLater {
            self.workers[worker] = None;
        }
        let outcome = Outcome::Responded { status: busy.status, retry_after: None };
        let mut next = self.record(&busy.read, &outcome, Some(&busy.attempt));
        if after == After::HearsNothing {
            next = self.record(&busy.read, &outcome, Some(&busy.attempt));
        }
        match (after, next) {
            (After::TriesLater, _) => {}
            (After::Dies, _) => self.queue.push(busy.message),
            (_, Some(attempt)) => self.schedule(attempt, busy.read.round),
            _ => {}
        }
    }

    /// The conditional update, and what its refusal leads to; the attempt to schedule next, if any.
    fn record(&mut self, read: &Delivery, outcome: &Outcome, attempt: Option<&Attempt>) -> Option<u32> {
        let made = read.after(&NUR.retry, outcome, self.now, 0.0);
        let next = made.next_attempt_at.map(|_| read.next_attempt() + 1);
        let roomy = self.make_room(read, ATTEMPT_BYTES);
        if !self.row_is_there {
            return None;
        }
        if self.row.stands_as(read) {
            self.misfiled += u32::from(read.round != self.row.round);
            self.take_out(roomy);
            self.row.attempts_made = read.attempts_made + 1;
            self.row.status = made.status;
            self.row.reason = made.reason;
            self.row.next_attempt_at = made.next_attempt_at;
            self.row.internal = made.internal;
            self.row.attempts.extend(attempt.cloned());
            self.recorded.push(self.row.attempts_made);
            // In one transaction with all of that.
            let reason = made.reason.filter(|_| made.status == Status::Failed);
            let notice = reason.and_then(|reason| OwnEvent::delivery_failed(read, attempt, reason, self.now));
            self.told.extend(notice.map(|_| read.round));
            return next;
        }
        let attempt = attempt?;
        if attempt.mark.as_ref().is_some_and(|mark| self.is_on_record(mark, read.moved)) {
            return next;
        }
        self.row.take_late(attempt.clone());
        None
    }

    /// Whether an attempt is in the row, or has moved since so many had.
    fn is_on_record(&self, mark: &Mark, since: u32) -> bool {
        let mut moved = self.moved.range(since..self.row.moved.max(since)).flat_map(|(_, attempts)| attempts);
        self.row.has(mark) || moved.any(|attempt| attempt.mark.as_ref() == Some(mark))
    }

    /// Puts what a row that was read has no room for into rows of its own. What is there already stays, and counts.
    fn make_room(&mut self, read: &Delivery, more: usize) -> Roomy {
        let mut roomy = Roomy { row: read.clone(), gone: Vec::new() };
        loop {
            let excess = (bytes_of(&roomy.row) + more).saturating_sub(ROW_BYTES);
            let moving = roomy.row.outgrown(excess, |_| ATTEMPT_BYTES);
            if moving.is_empty() {
                return roomy;
            }
            let there = self.moved.entry(roomy.row.moved).or_insert(moving).clone();
            roomy.row = roomy.row.without(&there);
            roomy.gone.extend(there);
        }
    }

    /// Takes out of the row what has moved, as a part of a write whose condition holds.
    fn take_out(&mut self, Roomy { row, gone }: Roomy) {
        (self.row.attempts, self.row.moved, self.row.delivered_at) = (row.attempts, row.moved, row.delivered_at);
        self.row.late.retain(|late| !gone.iter().any(|moved| moved.is(late)));
    }

    /// The row as somebody sees it who reads those along that have moved.
    fn whole(&self) -> Delivery {
        let earlier = self.moved.range(..self.row.moved).flat_map(|(_, attempts)| attempts.clone()).collect();
        Delivery { earlier, ..self.row.clone() }
    }

    fn retry(&mut self) {
        if self.webhook != Webhook::Active || !self.row_is_there {
            return;
        }
        let Ok(after) = self.row.asked_again(self.now) else { return };
        self.begin(after);
    }

    fn recover(&mut self, chosen: &Chosen) {
        if self.webhook != Webhook::Active || !self.row_is_there {
            return;
        }
        if chosen.takes(&self.row, self.now) {
            self.begin(self.row.in_new_round(self.now));
        }
    }

    fn begin(&mut self, after: Delivery) {
        self.rounds += 1;
        self.asked_at = Some(self.posted.len());
        let roomy = self.make_room(&after, 0);
        self.row = after;
        self.take_out(roomy);
        self.queue.push(self.message(self.row.next_attempt()));
    }

    fn cancel(&mut self, reason: Reason) {
        if self.row.status.is_final() || !self.row_is_there {
            return;
        }
        (self.row.status, self.row.reason, self.row.next_attempt_at) = (Status::Cancelled, Some(reason), None);
    }

    fn message(&self, attempt: u32) -> Queued {
        Queued { attempt, round: Some(self.row.round), receives: 0, posts: 0 }
    }

    /// A schedule's name is its attempt's: making it twice makes one. It is of the round that was read.
    fn schedule(&mut self, attempt: u32, round: u32) {
        if !self.schedules.iter().any(|schedule| schedule.attempt == attempt) {
            self.schedules.push(Queued { round: Some(round), ..self.message(attempt) });
        }
    }

    fn sweep(&mut self) {
        for letter in std::mem::take(&mut self.dead) {
            if self.row_is_there && self.row.gate(letter.attempt, letter.round, self.now) == Gate::Attempt {
                let read = self.row.clone();
                if let Some(next) = self.record(&read, &Outcome::Internal, None) {
                    self.schedule(next, read.round);
                }
            }
        }
        if let Some(due) = self.row.next_attempt_at.filter(|_| self.row.status == Status::Retrying) {
            self.now = self.now.max(due);
            self.queue.push(self.message(self.row.next_attempt()));
        }
    }

    /// What happens when nothing goes wrong any more.
    fn come_to_rest(&mut self) -> bool {
        for _ in 0..300 {
            for worker in 0..self.workers.len() {
                self.finish(worker, After::GoesOn);
            }
            if self.row.status.is_final() || !self.row_is_there {
                return true;
            }
            if self.queue.is_empty() {
                self.sweep();
            }
            self.take(0, 0, 500);
        }
        false
    }

    /// Each POST that did not lose its worker is on record once, with the URL that it went to; nothing else is.
    fn check_the_record(&self) -> Result<(), TestCaseError> {
        let whole = self.whole();
        let mut on_record: Vec<&Mark> = whole.history().iter().filter_map(|one| one.mark.as_ref()).collect();
        let mut posts: Vec<&Mark> = self.posted.iter().filter_map(|one| one.mark.as_ref()).collect();
        posts.retain(|mark| !self.unrecorded.contains(mark));
        on_record.sort();
        posts.sort();
        prop_assert_eq!(on_record, posts, "attempts on record = POSTs made");
        for attempt in whole.history() {
            let post = self.posted.iter().find(|post| post.mark == attempt.mark);
            prop_assert_eq!(post, Some(attempt), "told as it was made");
        }
        Ok(())
    }
}

fn bytes_of(row: &Delivery) -> usize {
    BARE_BYTES + ATTEMPT_BYTES * (row.attempts.len() + row.late.len())
}

fn pick<T>(from: &[T], i: usize) -> Option<usize> {
    (!from.is_empty()).then(|| i % from.len())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let any_index = 0_usize..8;
    let status = prop_oneof![1 => Just(200_u16), 8 => Just(500)];
    let lost = prop_oneof![Just(After::HearsNothing), Just(After::TriesLater)];
    let after = prop_oneof![4 => Just(After::GoesOn), 2 => Just(After::Dies), 3 => lost];
    let messages = prop_oneof![
        12 => (0_usize..3, any_index.clone(), status)
            .prop_map(|(worker, message, status)| Step::Take { worker, message, status }),
        8 => (0_usize..3, after).prop_map(|(worker, after)| Step::Record { worker, after }),
        3 => (0_usize..3).prop_map(|worker| Step::Crash { worker }),
        2 => (0_usize..3).prop_map(|worker| Step::MakeRoom { worker }),
        3 => any_index.clone().prop_map(Step::DoubleMessage),
        2 => any_index.clone().prop_map(Step::LoseRetry),
        1 => any_index.clone().prop_map(Step::OfAnEarlierVersion),
        5 => (any_index.clone(), any::<bool>()).prop_map(|(schedule, twice)| Step::Fire { schedule, twice }),
        2 => any_index.prop_map(Step::LoseSchedule),
        3 => Just(Step::Sweep),
        3 => (1_i64..7200).prop_map(|seconds| Step::Wait { seconds }),
    ];
    let owner = prop_oneof![
        6 => Just(Step::Retry),
        1 => Just(Step::HalfARetry),
        4 => Just(Step::Cancel),
        4 => Just(Step::Recover),
        4 => Just(Step::RecoverEverything),
        2 => Just(Step::Move),
        2 => Just(Step::Disable),
        3 => Just(Step::Enable),
    ];
    let ends = prop_oneof![1 => Just(Step::Delete), 1 => Just(Step::Expire)];
    proptest::collection::vec(prop_oneof![60 => messages, 20 => owner, 1 => ends], 0..160)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn whatever_dies_and_whoever_acts_every_post_is_on_record(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            let was = world.row.clone();
            let rounds = world.rounds;
            let told = world.told.len();
            let (is_retry, late) = (matches!(step, Step::Retry), world.row.late.len());
            world.step(step);
            let row = &world.row;
            if was.status.is_final() && world.rounds == rounds {
                prop_assert_eq!(row.attempts_made, was.attempts_made, "a final row's counter stands still");
                let ended_otherwise = row.status != was.status;
                prop_assert!(!ended_otherwise || (row.status == Status::Succeeded && row.late.len() > late));
            }
            let has_failed = row.status == Status::Failed && (was.status, was.round) != (row.status, row.round);
            prop_assert_eq!(world.told.len() - told, usize::from(has_failed), "each round that fails is told of once");
            prop_assert!(row.status != Status::Failed || world.told.last() == Some(&row.round));
            if was.status == Status::Pending && is_retry {
                prop_assert_eq!(row, &was, "a refused retry writes nothing");
            }
            if row.attempts_made > was.attempts_made {
                // Late ones that came since the record's row was read leave it with the next write.
                let in_turn = Delivery { late: Vec::new(), ..row.clone() };
                prop_assert!(bytes_of(&in_turn) <= ROW_BYTES, "no record makes a row outgrow its bounds");
            }
            let whole = world.whole();
            prop_assert_eq!(whole.history().len(), row.attempts_on_record(), "all are found, and none twice");
            if world.row_is_there {
                let taken = whole.history().iter().any(|attempt| attempt.succeeded());
                prop_assert!(!taken || row.delivered_at().is_some());
                let undelivered = row.counts_as_undelivered(row.status);
                prop_assert!(!taken || !undelivered, "what a receiver took is not undelivered: {:?}", row);
            }
        }
        let gone = (!world.row_is_there).then(|| world.row.clone());
        prop_assert!(world.come_to_rest(), "stuck: {:?}", world.row);
        prop_assert_eq!(world.needless_posts, 0, "what is on record, or of another round, is not posted again");
        prop_assert_eq!(world.forbidden_posts, 0, "no POST starts at what has ended");
        prop_assert_eq!(world.misfiled, 0, "no attempt uses up one of another round");
        prop_assert!(world.most_posts <= MAX_RECEIVES, "POSTs of one message are bounded");
        if let Some(gone) = gone {
            prop_assert_eq!(&world.row, &gone, "a row that is gone is not made again");
            return Ok(());
        }
        world.check_the_record()?;
        let expected: Vec<u32> = (1..=world.row.attempts_made).collect();
        prop_assert_eq!(&world.recorded, &expected, "each number is recorded once, in order");
        prop_assert!(world.row.attempts_made <= MOST_ATTEMPTS * (1 + world.rounds));
        let ended_before_its_post = matches!(world.row.status, Status::Cancelled | Status::Succeeded);
        let made = world.asked_at.is_none_or(|asked| world.posted.len() > asked || world.row.internal > MAX_INTERNAL);
        prop_assert!(made || ended_before_its_post, "a round that was asked for is made: {:?}", world.row);
    }

    /// However fast somebody asks, there is one round until its attempt has ended.
    #[test]
    fn a_storm_of_retries_is_one_round(millis in proptest::collection::vec(0_i64..1500, 1..200)) {
        let mut world = World::new();
        world.take(0, 0, 500);
        world.finish(0, After::GoesOn);
        world.cancel(Reason::CancelledByRequest);
        for wait in millis {
            world.now = crate::time::plus_millis(world.now, wait);
            world.retry();
        }
        prop_assert_eq!((world.rounds, world.queue.len(), world.row.round), (1, 1, 2));
    }
}

/// Who was frozen knows less of the row than who has moved its attempts meanwhile: what he puts then is not put over theirs.
#[test]
fn what_has_moved_stays_as_it_was_put() {
    let mut world = World::new();
    let attempt = |number, mark| Attempt::answered(number, Mark::new(mark), world.now, 500);
    world.row.attempts = (1..=3).map(|number| attempt(number, number.into())).collect();
    world.row.attempts_made = 3;
    let (late, next) = ([attempt(3, 11), attempt(3, 12)], attempt(4, 4));
    let frozen = world.row.clone();
    late.into_iter().for_each(|attempt| world.row.take_late(attempt));
    let read = world.row.clone();
    world.record(&read, &Outcome::Internal, Some(&next));
    world.make_room(&frozen, ATTEMPT_BYTES);
    assert_eq!((world.whole().history().len(), world.row.attempts_on_record()), (6, 6));
    assert_eq!(
        world.record(&frozen, &Outcome::Internal, Some(&read.attempts[2])),
        world.row.next_attempt_at.map(|_| 5)
    );
}
