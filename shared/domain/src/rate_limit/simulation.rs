//! Messages of one limited endpoint, functions that take them in batches, and a queue between: when each is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

fn limit(per_second: u32) -> RateLimit {
    per_second.try_into().unwrap()
}

/// What a table would hold after a claim.
fn after(claim: &Claim, given: Option<Given>) -> Option<Given> {
    let start = match claim.begins(given) {
        Begins::Earliest => claim.earliest,
        Begins::Given => given?.next_free,
        Begins::Nowhere => return None,
    };
    Some(Given { next_free: start + claim.takes(), limit: claim.limit })
}

/// How a simulated endpoint and its queue are.
#[derive(Clone, Copy)]
struct World {
    per_second: u32,
    messages: usize,
    functions: usize,
    /// By how much each wait in the queue is longer than it was to be, in milliseconds.
    lag: i64,
    paused_until: Option<i64>,
    /// How often functions look into the queue.
    every: i64,
}

impl World {
    fn of(per_second: u32, messages: usize, functions: usize) -> Self {
        Self { per_second, messages, functions, lag: 30, paused_until: None, every: 50 }
    }

    /// Sends its messages, all of which are there at once, ten in a batch; when each was sent, in milliseconds.
    fn run(self) -> Vec<i64> {
        let (mut given, mut sent, mut now) = (None, Vec::new(), 0);
        let mut have_waited = BTreeSet::new();
        // By when each can be received: its slot, if it has one, and how long it has waited for a function.
        let mut queue: BTreeMap<(i64, usize), Option<Slot>> =
            (0..self.messages).map(|number| ((0, number), None)).collect();
        while sent.len() < self.messages {
            assert!(now < 10_000_000, "somebody starves: {} of {} are sent", sent.len(), self.messages);
            for _ in 0..self.functions {
                let keys: Vec<_> = queue.range(..(now + 1, 0)).take(10).map(|(key, _)| *key).collect();
                let batch: Vec<_> = keys.into_iter().map(|key| (key.1, queue.remove(&key).unwrap())).collect();
                for (number, step) in self.turns(batch, &mut given, now) {
                    match step {
                        Turn::Now(slot) => sent.push(now.max(slot.at.as_millisecond() - at(0).as_millisecond())),
                        Turn::Later(slot) => {
                            // What comes from another queue knows nothing of this one.
                            let is_first = have_waited.insert(number);
                            let lag = Duration::from_millis(if is_first { 0 } else { self.lag.unsigned_abs() });
                            let delay = i64::try_from(slot.delay(at(now), lag).as_millis()).unwrap();
                            queue.insert((now + delay + self.lag, number), Some(slot));
                        }
                        Turn::Ask | Turn::Paused(_) => {
                            let delay = i64::try_from(LONGEST_DELAY.as_millis()).unwrap();
                            queue.insert((now + delay + self.lag, number), None);
                        }
                    }
                }
            }
            now += self.every;
        }
        sent.sort_unstable();
        sent
    }

    fn turns(self, batch: Vec<(usize, Option<Slot>)>, given: &mut Option<Given>, now: i64) -> Vec<(usize, Turn)> {
        let paused_until = self.paused_until.map(at).filter(|until| *until > at(now));
        let restraint = Restraint { limit: Some(limit(self.per_second)), paused_until };
        let had_slots: Vec<bool> = batch.iter().map(|(_, slot)| slot.is_some()).collect();
        let mut turns: Vec<_> =
            batch.into_iter().map(|(number, slot)| (number, restraint.turn(slot, at(now)))).collect();
        let asking = turns.iter().filter(|(_, turn)| *turn == Turn::Ask).count();
        let is_late = turns.iter().zip(&had_slots).any(|((_, turn), had)| *turn == Turn::Ask && *had);
        let lag = Duration::from_millis(self.lag.unsigned_abs());
        let in_reach = if is_late { in_reach(*given, lag, at(now)) } else { None };
        let claim = limit(self.per_second).claim(asking, at(now), paused_until.max(in_reach));
        if asking > 0
            && let Some(taken) = after(&claim, *given)
        {
            *given = Some(taken);
            let slots = claim.slots(taken.next_free).into_iter().map(|slot| slot.turn(at(now)));
            let asking = turns.iter_mut().filter(|(_, turn)| *turn == Turn::Ask);
            asking.zip(slots).for_each(|((_, turn), given)| *turn = given);
        }
        turns
    }
}

/// The most that were sent within any span of so many milliseconds.
fn most_within(sent: &[i64], span: i64) -> usize {
    let count = |from: &i64| sent.iter().filter(|at| (*from..*from + span).contains(at)).count();
    sent.iter().map(count).max().unwrap_or_default()
}

#[test]
fn five_a_second_are_five_a_second_whoever_sends_them() {
    for functions in [1, 2, 10] {
        let sent = World::of(5, 200, functions).run();
        assert_eq!(sent[0], 0, "the first at once");
        assert!(most_within(&sent, 1_000) <= 10 && most_within(&sent, 10_000) <= 55, "{functions} functions");
        assert!(*sent.last().unwrap() <= 42_000, "and no slower than the limit: {:?}", sent.last());
    }
}

#[test]
fn more_than_slots_are_given_for_are_all_sent_and_no_slower_than_the_limit() {
    let sent = World { every: 100, ..World::of(2, 4_000, 20) }.run();
    assert_eq!(sent.len(), 4_000);
    assert!(*sent.last().unwrap() <= 2_010_000, "{:?}", sent.last());
    assert!(most_within(&sent, 60_000) <= 2 * 61 + 2);
}

#[test]
fn who_comes_late_each_time_has_his_turn_all_the_same() {
    for lag in [1_500, 3_700, 20_000, 90_000] {
        let sent = World { lag, ..World::of(5, 100, 2) }.run();
        let last = *sent.last().unwrap();
        assert!(last <= 45_000 + 3 * lag, "a queue that is {lag} ms behind: {last}");
    }
}

#[test]
fn as_many_as_wait_for_as_long_as_their_queue_takes_have_their_turn_too() {
    // As many slots as their way takes: given the next ones each time, all of them would come too late for those for ever.
    for (per_second, lag) in [(3, 2_951), (3, 4_951), (2, 8_951)] {
        let messages = usize::try_from(lag + 1_049).unwrap() * per_second as usize / 1_000;
        let sent = World { lag, paused_until: Some(1_001), ..World::of(per_second, messages, 1) }.run();
        assert!(*sent.last().unwrap() < 10 * lag, "{lag}: {sent:?}");
    }
}

#[test]
fn a_pause_is_a_pause_and_no_burst_ends_it() {
    let sent = World { paused_until: Some(30_000), ..World::of(5, 100, 2) }.run();
    assert!(sent[0] >= 30_000, "{}", sent[0]);
    assert!(most_within(&sent, 1_000) <= 10 && *sent.last().unwrap() <= 52_000);
}

#[test]
fn another_limit_counts_from_the_next_claim_on() {
    let slow = limit(1).claim(100, at(0), None);
    let given = after(&slow, None);
    let fast = limit(100).claim(1, at(0), None);
    assert_eq!(fast.begins(given), Begins::Earliest, "nobody waits behind slots of a limit that is no more");
    assert!(fast.slots(after(&fast, given).unwrap().next_free)[0].at <= at(0));
}

#[test]
fn slots_are_given_for_a_quarter_of_an_hour() {
    let claim = limit(1).claim(1, at(0), None);
    let given = |seconds: i64| Some(Given { next_free: at(seconds * 1_000).as_microsecond(), limit: limit(1) });
    let begins = [-1, 0, 899, 900].map(|seconds| claim.begins(given(seconds)));
    assert_eq!(begins, [Begins::Earliest, Begins::Given, Begins::Given, Begins::Nowhere]);
    let paused = limit(1).claim(1, at(0), Some(at(1_200_000)));
    assert_eq!(paused.begins(given(1_000)), Begins::Earliest, "who is paused for longer has his slots after that");
}

#[test]
fn limits_are_bounded() {
    for bad in [0, 1_001, u32::MAX] {
        assert_eq!(RateLimit::try_from(bad).unwrap_err().field, "rate_limit");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_span_of_time_has_more_slots_than_its_share_and_the_burst(
        per_second in 1_u32..=MOST,
        claims in prop::collection::vec((1_usize..=10, 0_i64..3_000), 1..100),
    ) {
        let (limit, mut given, mut now) = (limit(per_second), None, 0);
        let mut times = Vec::new();
        for (messages, wait) in claims {
            now += wait;
            let claim = limit.claim(messages, at(now), None);
            given = after(&claim, given);
            let slots = claim.slots(given.unwrap().next_free);
            prop_assert_eq!(slots.len(), messages);
            times.extend(slots.into_iter().map(|slot| slot.at.max(at(now))));
        }
        times.sort();
        for (n, from) in times.iter().enumerate() {
            for (m, to) in times.iter().enumerate().skip(n) {
                let span = to.duration_since(*from).as_secs_f64();
                prop_assert!((m - n) as f64 <= f64::from(per_second) * (span + 1.0) + 1e-6);
            }
        }
    }

    #[test]
    fn whatever_the_queue_does_the_limit_holds_and_nobody_starves(
        per_second in 1_u32..=50,
        messages in 1_usize..=200,
        functions in 1_usize..=10,
        lag in prop_oneof![0_i64..=1_000, 1_000_i64..10_000],
        paused_until in prop::option::of(0_i64..60_000),
    ) {
        let world = World { lag, paused_until, ..World::of(per_second, messages, functions) };
        let sent = world.run();
        prop_assert_eq!(sent.len(), messages);
        // Slots of this span, and of the second before it: neither a burst nor a message that is late goes back further.
        for span in [1_000, 5_000, 20_000] {
            let most = f64::from(per_second) * (span as f64 / 1_000.0 + 1.0);
            prop_assert!(most_within(&sent, span) as f64 <= most);
        }
        // In a queue that is further behind slots are lost, and time with them; all are sent in the end. In one that is a little behind
        // each message loses its first one at the most, since nobody knew then how far.
        if lag <= 1_000 {
            let needed = messages as f64 / f64::from(per_second) * 1_000.0 * if lag <= 100 { 1.0 } else { 2.0 };
            let until = needed + paused_until.unwrap_or_default() as f64 + 4_000.0;
            prop_assert!((*sent.last().unwrap() as f64) <= until, "{} of {until}", sent.last().unwrap());
        }
    }

    #[test]
    fn a_message_that_a_prompt_queue_brings_is_at_most_a_second_late(
        per_second in 1_u32..=MOST, wait in 251_i64..800_000, lag in 0_i64..250,
    ) {
        let slot = Slot { at: at(wait), limit: limit(per_second) };
        let comes = i64::try_from(slot.delay(at(0), Duration::ZERO).as_millis()).unwrap() + lag;
        let early = i64::try_from(slot.early().as_millis()).unwrap();
        prop_assert!((wait - early..=wait + 1_000).contains(&comes) || wait <= early, "{comes}");
    }
}
