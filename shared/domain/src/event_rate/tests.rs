use proptest::prelude::*;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

/// Processes that share a tenant's row, and what became of its events.
struct World {
    rate: EventRate,
    processes: Vec<Tally>,
    filled_until: Option<Timestamp>,
    writes: u32,
    passed: u32,
    refused: u32,
}

impl World {
    fn new(per_second: u32, processes: usize) -> Self {
        let (rate, processes) = (EventRate::new(per_second), vec![Tally::default(); processes]);
        Self { rate, processes, filled_until: None, writes: 0, passed: 0, refused: 0 }
    }

    fn settle_if_due(&mut self, process: usize, own: u32, now: Timestamp) {
        let tally = &mut self.processes[process];
        if let Some(unsettled) = tally.take_due(self.rate, own, now) {
            let until = self.rate.filled_until(self.filled_until, unsettled, now);
            self.filled_until = Some(until);
            self.writes += 1;
            tally.settled(until, self.rate);
        }
    }

    fn publish(&mut self, process: usize, events: u32, now: Timestamp) -> Passed {
        self.settle_if_due(process, events, now);
        let passed = self.processes[process].pass(self.rate, events, now);
        self.passed += passed.events;
        self.refused += events - passed.events;
        passed
    }

    fn count(&mut self, process: usize, events: u32, now: Timestamp) {
        self.settle_if_due(process, 0, now);
        self.processes[process].count(self.rate, events, now);
    }
}

/// Which process a call comes to: any of them, in no order.
fn any_of(processes: usize, call: i64) -> usize {
    let scattered = u64::try_from(call).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    usize::try_from(scattered).unwrap() % processes
}

const PROCESSES: [usize; 3] = [1, 10, 100];

#[test]
fn a_flood_gets_its_burst_its_quota_and_what_each_process_does_not_know_of_the_others() {
    let seconds = 30;
    for per_second in [1, 10, 100, 1_000] {
        for processes in PROCESSES {
            let mut world = World::new(per_second, processes);
            let each = u32::try_from(processes).unwrap();
            let flood = (world.rate.quiet() * 4.0).ceil() * f64::from(each);
            let flood = i64::from((flood as u32).max(per_second * 4));
            for call in 0..seconds * flood {
                world.publish(any_of(processes, call), 1, at(call * 1_000 / flood));
            }
            let quota = world.rate.burst() + per_second * u32::try_from(seconds).unwrap();
            // What is quiet is forgiven until a process settles for the first time: a third more, where it gets four times as much.
            let unknown = each * world.rate.unsettled() * 4 / 3;
            assert!(world.passed <= quota + unknown + each, "{per_second}/s, {processes}: {} of {quota}", world.passed);
            assert!(world.passed >= quota * 9 / 10, "{per_second}/s, {processes}: {} of {quota}", world.passed);
            if processes == 1 {
                assert!(
                    world.passed <= quota + 1 + unknown / 3,
                    "one process knows of all: {} of {quota}",
                    world.passed
                );
            }
            // Each at most once in its two seconds, and refusals cost none.
            assert!(world.writes <= each * 16 + world.passed / 25, "{per_second}/s, {processes}: {}", world.writes);
        }
    }
}

#[test]
fn whoever_stays_below_half_is_never_refused_nor_written_for() {
    for (per_second, in_a_second) in [(2, 1), (10, 4), (10, 5), (100, 50), (1_000, 50)] {
        for processes in PROCESSES {
            let mut world = World::new(per_second, processes);
            for second in 0..600 {
                for call in 0..i64::from(in_a_second) {
                    // At once, or one after another; to one process, or to any.
                    let within = if second % 2 == 0 { 0 } else { call * 1_000 / i64::from(in_a_second) };
                    let process = if second % 3 == 0 { 0 } else { any_of(processes, second * 100 + call) };
                    world.publish(process, 1, at(second * 1_000 + within));
                }
            }
            assert_eq!((world.refused, world.writes), (0, 0), "{per_second}/s, {processes}");
        }
    }
}

#[test]
fn above_what_is_quiet_a_large_plan_is_written_for_once_in_two_seconds_and_not_refused() {
    let mut world = World::new(1_000, 1);
    for call in 0..60 * 400 {
        world.publish(0, 1, at(call * 1_000 / 400));
    }
    assert_eq!(world.refused, 0);
    assert!(world.writes * 100 <= world.passed, "{} for {}", world.writes, world.passed);
}

#[test]
fn calls_that_are_spread_to_look_quiet_get_what_is_quiet_from_each_process_and_no_more() {
    for processes in PROCESSES {
        let (mut world, quiet) = (World::new(10, processes), 5);
        for second in 0..120 {
            for process in 0..processes {
                world.publish(process, quiet, at(second * 1_000 + 7 * i64::try_from(process).unwrap()));
            }
        }
        assert_eq!((world.refused, world.writes), (0, 0), "which is why it is called quiet");
        let before = world.passed;
        for second in 120..240 {
            for process in 0..processes {
                world.publish(process, 3 * quiet, at(second * 1_000 + 7 * i64::try_from(process).unwrap()));
            }
        }
        let unknown = u32::try_from(processes).unwrap() * world.rate.unsettled() * 3 / 2;
        assert!(
            world.passed - before <= world.rate.burst() + 1_200 + unknown,
            "{processes}: {}",
            world.passed - before
        );
    }
}

#[test]
fn a_flood_of_batches_is_written_for_by_what_passes_and_not_by_what_is_asked() {
    for per_second in [1, 10, 100] {
        let mut world = World::new(per_second, 1);
        for call in 0..120 * 50 {
            world.publish(0, 25, at(call * 20));
        }
        assert!(world.passed <= world.rate.burst() + 120 * per_second + 1);
        let most = 61 + world.passed / world.rate.unsettled();
        assert!(world.writes <= most, "{per_second}/s: {} of {most}", world.writes);
    }
}

#[test]
fn whoever_is_given_more_need_not_wait_for_what_was_used_up_of_the_less() {
    let (less, more) = (EventRate::new(1), EventRate::new(100));
    let mut tally = Tally::default();
    tally.settled(at(200_000), less);
    assert_eq!(tally.pass(less, 1, at(0)).events, 0);
    assert_eq!(tally.seen(less), Some(at(200_000)));
    assert_eq!(tally.seen(more), None, "the row has to be read again");
    assert_eq!(tally.pass(more, 25, at(0)).events, 25, "200 events are two seconds of the new burst");
    assert_eq!(more.rescaled(at(200_000), less, at(0)), at(2_000));
    assert_eq!(more.rescaled(at(-5), less, at(0)), at(0));
}

#[test]
fn what_may_have_been_added_is_not_added_again() {
    let (rate, mut tally) = (EventRate::new(10), Tally::default());
    let mut added = 0.0;
    for call in 0..300 {
        let now = at(call * 1_000);
        if let Some(unsettled) = tally.take_due(rate, 9, now) {
            added += unsettled.own;
            tally.may_be_settled(now);
        }
        assert_eq!(tally.pass(rate, 9, now).events, 9);
    }
    assert!(added <= 2_700.0, "no more than has passed: {added}");
}

#[test]
fn who_is_refused_is_told_when_there_is_room_again() {
    let mut world = World::new(10, 1);
    for _ in 0..4 {
        assert_eq!(world.publish(0, 25, at(0)), Passed { events: 25, wait: None });
    }
    assert_eq!(world.publish(0, 1, at(0)), Passed { events: 0, wait: Some(Duration::from_millis(100)) });
    assert_eq!(world.publish(0, 1, at(99)).events, 0);
    assert_eq!(world.publish(0, 1, at(100)).events, 1);
    assert_eq!(world.publish(0, 25, at(1_100)).events, 10, "a batch of which a part fits");
    let writes = world.writes;
    for _ in 0..1_000 {
        assert_eq!(world.publish(0, 25, at(1_101)).events, 0);
    }
    assert_eq!(world.writes, writes, "what is refused costs none");
}

#[test]
fn the_smallest_quota_takes_a_whole_batch() {
    let mut world = World::new(1, 1);
    assert_eq!(world.publish(0, 25, at(0)).events, 25);
    assert_eq!(world.publish(0, 25, at(0)), Passed { events: 0, wait: Some(Duration::from_secs(1)) });
    assert_eq!(world.publish(0, 25, at(25_000)).events, 25);
}

#[test]
fn what_the_provider_publishes_counts_and_locks_nobody_out_for_longer_than_the_burst() {
    let mut world = World::new(10, 2);
    for call in 0..6_000 {
        world.count(0, 1, at(call * 10));
    }
    assert!(world.writes <= 12, "once in five seconds: {}", world.writes);
    while world.publish(1, 25, at(60_000)).wait.is_none() {}
    assert!((25..=75).contains(&world.passed), "the first batch, which it does not know better of: {}", world.passed);
    assert_eq!(world.publish(1, 25, at(64_900)).events, 25);
}

#[test]
fn a_row_that_cannot_be_written_refuses_nobody_and_is_asked_again_after_two_seconds() {
    let (rate, mut tally) = (EventRate::new(10), Tally::default());
    let mut asked = Vec::new();
    for call in 0..95 {
        let now = at(call * 50);
        if let Some(unsettled) = tally.take_due(rate, 1, now) {
            asked.push(call * 50);
            tally.not_settled(unsettled, now);
        }
        assert_eq!(tally.pass(rate, 1, now).events, 1);
    }
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[1] - asked[0] >= 2_000, "{asked:?}");
}

proptest! {
    #[test]
    fn no_order_of_calls_passes_the_bound(
        per_second in 1_u32..300,
        processes in 1_usize..20,
        calls in prop::collection::vec((0_usize..20, 1_u32..=25, 0_i64..800, any::<bool>()), 1..400),
    ) {
        let mut world = World::new(per_second, processes);
        let mut now = 0;
        for (process, events, wait, is_counted) in calls {
            now += wait;
            let before = world.passed;
            if is_counted {
                world.count(process % processes, events, at(now));
                prop_assert_eq!(world.passed, before);
            } else {
                let passed = world.publish(process % processes, events, at(now));
                prop_assert_eq!(passed.wait.is_some(), passed.events < events);
                prop_assert!(passed.wait.is_none_or(|wait| wait > Duration::ZERO));
            }
        }
        let elapsed = f64::from(i32::try_from(now).unwrap()) / 1_000.0;
        let of_each = f64::from(world.rate.unsettled()) + world.rate.quiet() * elapsed;
        let bound = f64::from(world.rate.burst()) + f64::from(per_second) * elapsed
            + f64::from(u32::try_from(processes).unwrap()) * of_each;
        prop_assert!(f64::from(world.passed) <= bound + 1.0, "{} of {bound}", world.passed);
    }
}
