use proptest::prelude::*;

use super::*;
use crate::dialect::NUR;
use crate::retry::MAX_INTERNAL;

fn noon() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn fresh() -> Delivery {
    let at = noon();
    Delivery::pending(&crate::delivery::an_event(at), EndpointId::new(at, 2), at, 0)
}

/// What the store does with a transition: the row as it stands after the conditional write.
fn record(row: &mut Delivery, outcome: &Outcome) {
    let transition = row.after(&NUR.retry, outcome, noon(), 0.0);
    row.attempts_made += 1;
    row.status = transition.status;
    row.reason = transition.reason;
    row.next_attempt_at = transition.next_attempt_at;
    row.internal = transition.internal;
}

fn failed() -> Outcome {
    Outcome::Responded { status: 500, retry_after: None }
}

#[test]
fn a_fresh_row_waits_for_its_first_attempt_alone() {
    assert_eq!(fresh().gate(1, Some(1), noon()), Gate::Attempt);
    assert_eq!(fresh().gate(0, Some(1), noon()), Gate::Stale);
    assert_eq!(fresh().gate(2, Some(1), noon()), Gate::Stale);
}

#[test]
fn a_message_for_the_next_attempt_is_good_before_its_time() {
    let mut row = fresh();
    record(&mut row, &failed());
    assert_eq!(row.gate(2, Some(1), noon()), Gate::Attempt);
}

#[test]
fn a_message_for_the_recorded_attempt_only_schedules_its_successor() {
    let mut row = fresh();
    record(&mut row, &failed());
    let due = row.next_attempt_at.unwrap();
    assert_eq!(row.gate(1, Some(1), noon()), Gate::Reschedule { attempt: 2, at: due });
    assert_eq!(row.gate(1, Some(1), due), Gate::Stale, "its time has come: the schedule or the sweep has it");
}

#[test]
fn a_final_row_sends_nothing_whatever_comes() {
    let mut row = fresh();
    record(&mut row, &Outcome::Responded { status: 200, retry_after: None });
    assert_eq!(row.status, Status::Succeeded);
    for number in 0..4 {
        assert_eq!(row.gate(number, Some(1), noon()), Gate::Stale);
    }
}

#[test]
fn the_sixth_failure_is_the_last() {
    let mut row = fresh();
    for _ in 0..5 {
        record(&mut row, &failed());
        assert_eq!(row.status, Status::Retrying);
    }
    record(&mut row, &failed());
    assert_eq!((row.status, row.reason, row.next_attempt_at), (Status::Failed, Some(Reason::AttemptsExhausted), None));
}

#[test]
fn a_new_round_has_the_whole_retry_schedule_again_and_numbers_on() {
    let mut row = fresh();
    for _ in 0..6 {
        record(&mut row, &failed());
    }
    row = row.asked_again(noon()).unwrap();
    let transition = row.after(&NUR.retry, &failed(), noon(), 0.0);
    assert_eq!(transition.next_attempt_at.unwrap().as_second() - noon().as_second(), 60);
    assert_eq!(row.gate(7, Some(2), noon()), Gate::Attempt);
    assert_eq!(row.gate(7, Some(1), noon()), Gate::Stale, "a message of the round before");
    assert_eq!(row.gate(7, None, noon()), Gate::Attempt, "one of a version that knew no rounds");
}

fn with(status: Status, due_in_millis: Option<i64>) -> Delivery {
    let due = due_in_millis.map(|millis| crate::time::plus_millis(noon(), millis));
    Delivery { status, next_attempt_at: due, ..fresh() }
}

#[test]
fn a_round_is_begun_where_no_attempt_is_due() {
    let at = crate::time::plus_millis(noon(), 1);
    for (row, refusal) in [
        (with(Status::Pending, None), Some(NoNewRound::Pending)),
        (with(Status::Retrying, Some(-5_000)), Some(NoNewRound::UnderWay)),
        (with(Status::Retrying, Some(1_000)), Some(NoNewRound::UnderWay)),
        (with(Status::Retrying, Some(2_000)), None),
        (with(Status::Failed, None), None),
        (with(Status::Cancelled, None), None),
        (with(Status::Succeeded, None), None),
        (Delivery { round: 99, ..with(Status::Failed, None) }, None),
        (Delivery { round: 100, ..with(Status::Failed, None) }, Some(NoNewRound::TooManyAttempts)),
        (Delivery { attempts_made: 181, ..with(Status::Failed, None) }, Some(NoNewRound::TooManyAttempts)),
    ] {
        assert_eq!(row.asked_again(at).err(), refusal, "{row:?}");
    }
}

#[test]
fn late_attempts_fill_a_row_too() {
    let late = vec![an_attempt(1, 500); 181];
    assert_eq!(
        Delivery { late, ..with(Status::Failed, None) }.asked_again(noon()).err(),
        Some(NoNewRound::TooManyAttempts)
    );
}

fn an_attempt(second: i64, status: u16) -> Attempt {
    let at = crate::time::plus_millis(noon(), second * 1000);
    Attempt::answered(1, Mark::new(second.unsigned_abs()), at, status)
}

#[test]
fn a_late_failure_is_on_record_and_changes_nothing_else() {
    let before = with(Status::Cancelled, None);
    let mut row = before.clone();
    row.take_late(an_attempt(1, 500));
    assert_eq!(row.history(), [&an_attempt(1, 500)]);
    assert_eq!(Delivery { late: Vec::new(), ..row }, before);
}

#[test]
fn a_late_success_ends_a_delivery_wherever_it_stands() {
    for status in [Status::Retrying, Status::Failed, Status::Cancelled, Status::Succeeded] {
        let mut row = with(status, Some(60_000));
        row.reason = Some(Reason::CancelledByRequest);
        row.take_late(an_attempt(1, 200));
        assert_eq!((row.status, row.reason, row.next_attempt_at), (Status::Succeeded, None, None));
    }
}

#[test]
fn attempts_are_told_by_when_they_began() {
    let mut row = with(Status::Failed, None);
    row.attempts = vec![an_attempt(1, 500), an_attempt(9, 500)];
    row.take_late(an_attempt(5, 200));
    row.take_late(an_attempt(12, 200));
    let seconds: Vec<_> = row.history().iter().map(|attempt| attempt.at.as_second() - noon().as_second()).collect();
    assert_eq!(seconds, [1, 5, 9, 12]);
    assert_eq!(row.delivered_at(), Some(crate::time::plus_millis(noon(), 5_007)));
}

#[test]
fn what_is_sent_again_after_a_success_is_not_undelivered() {
    let mut row = with(Status::Succeeded, None);
    row.attempts = vec![an_attempt(1, 200)];
    let again = row.asked_again(noon()).unwrap();
    assert_eq!(again.delivered_at, Some(crate::time::plus_millis(noon(), 1_007)));
    for status in [Status::Retrying, Status::Failed, Status::Cancelled] {
        assert!(!again.counts_as_undelivered(status));
        assert!(with(status, None).counts_as_undelivered(status));
    }
}

#[derive(Debug, Clone)]
enum Move {
    /// A message is delivered, and the worker dies before it has recorded.
    Crash,
    /// A message for this attempt is delivered and its outcome recorded.
    Deliver(u32, u16),
    /// An internal failure is recorded for this attempt.
    Internal(u32),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        Just(Move::Crash),
        (1_u32..14, prop_oneof![Just(200_u16), Just(500)]).prop_map(|(n, s)| Move::Deliver(n, s)),
        (1_u32..14).prop_map(Move::Internal),
    ];
    proptest::collection::vec(one, 0..60)
}

proptest! {
    /// Whatever order messages come in, however often, and whoever dies: no number is recorded twice, none is skipped,
    /// no row goes on after its end, and every row that has not ended has a message that moves it.
    #[test]
    fn no_interleaving_records_twice_or_gets_stuck(moves in moves()) {
        let mut row = fresh();
        let mut recorded = Vec::new();
        for step in moves {
            let was_final = row.status.is_final();
            let (number, outcome) = match step {
                Move::Crash => continue,
                Move::Deliver(number, status) => (number, Outcome::Responded { status, retry_after: None }),
                Move::Internal(number) => (number, Outcome::Internal),
            };
            if row.gate(number, Some(1), noon()) == Gate::Attempt {
                prop_assert!(!was_final);
                record(&mut row, &outcome);
                recorded.push(number);
            }
        }
        let expected: Vec<u32> = (1..=row.attempts_made).collect();
        prop_assert_eq!(recorded, expected);
        prop_assert!(row.attempts_made <= 6 + MAX_INTERNAL + 1);
        if !row.status.is_final() {
            prop_assert_eq!(row.gate(row.next_attempt(), Some(1), noon()), Gate::Attempt);
            prop_assert_eq!(row.status == Status::Retrying, row.next_attempt_at.is_some());
        }
    }
}

#[test]
fn the_last_attempt_is_the_one_that_nothing_would_follow() {
    let mut row = fresh();
    let retries = u32::try_from(NUR.retry.delays.len()).unwrap();
    for number in 0..retries {
        assert!(!row.is_last_attempt(&NUR.retry), "attempt {} of {}", number + 1, retries + 1);
        record(&mut row, &failed());
    }
    assert!(row.is_last_attempt(&NUR.retry), "the retry schedule's end");
    // Our own failures use up none of its attempts: it stays the last one.
    record(&mut row, &Outcome::Internal);
    assert!(row.is_last_attempt(&NUR.retry));

    let once = NUR.retry.with_schedule(Some(&[]));
    assert!(fresh().is_last_attempt(&once), "no retry schedule at all");
}

#[test]
fn the_last_attempt_that_our_own_failures_leave_is_the_last() {
    let mut row = fresh();
    for _ in 0..MAX_INTERNAL {
        assert!(!row.is_last_attempt(&NUR.retry));
        record(&mut row, &Outcome::Internal);
    }
    assert!(row.is_last_attempt(&NUR.retry));
}

#[test]
fn a_new_round_has_a_last_attempt_of_its_own() {
    let mut row = fresh();
    while !row.status.is_final() {
        record(&mut row, &failed());
    }
    (row.status, row.round_from, row.internal) = (Status::Retrying, row.next_attempt(), 0);
    assert!(!row.is_last_attempt(&NUR.retry));
}
