use proptest::prelude::*;

use super::*;
use crate::attempt::Unreachable;
use crate::dialect::{NUR, STANDARD};

const FAILED: Outcome = Outcome::Responded { status: 500, retry_after: None };

fn noon() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn first(attempts: u32) -> Position {
    Position { attempts, internal: 0 }
}

fn seconds_until(step: NextStep) -> i64 {
    match step {
        NextStep::RetryAt(at) => at.as_second() - noon().as_second(),
        other => panic!("no retry but {other:?}"),
    }
}

#[test]
fn nur_retries_after_its_five_intervals_and_no_more() {
    let outcomes = [FAILED, Outcome::TimedOut, Outcome::Unreachable(Unreachable::DnsFailed), Outcome::Blocked];
    for outcome in outcomes {
        for (attempt, expected) in (1..).zip([60, 300, 1_800, 7_200, 86_400]) {
            assert_eq!(seconds_until(next_step(&NUR.retry, first(attempt), &outcome, noon(), 0.9)), expected);
        }
        assert_eq!(next_step(&NUR.retry, first(6), &outcome, noon(), 0.9), NextStep::Exhaust);
    }
}

#[test]
fn the_whole_retry_schedule_of_nur_runs_26_hours_and_36_minutes() {
    let (mut now, mut attempt) = (noon(), 1);
    while let NextStep::RetryAt(at) = next_step(&NUR.retry, first(attempt), &FAILED, now, 0.0) {
        (now, attempt) = (at, attempt + 1);
    }
    assert_eq!((now.as_second() - noon().as_second(), attempt), (26 * 3600 + 36 * 60, 6));
}

#[test]
fn any_2xx_succeeds_and_nothing_else_does() {
    for status in [200, 201, 204, 299] {
        let outcome = Outcome::Responded { status, retry_after: None };
        assert_eq!(next_step(&NUR.retry, first(1), &outcome, noon(), 0.0), NextStep::Succeed);
    }
    for status in [199, 300, 302, 400, 410, 429, 500] {
        let outcome = Outcome::Responded { status, retry_after: Some(Duration::from_secs(9_999)) };
        assert_eq!(seconds_until(next_step(&NUR.retry, first(1), &outcome, noon(), 0.0)), 60, "{status}");
    }
}

#[test]
fn hints_count_where_the_dialect_says_so() {
    let asked = |seconds| Outcome::Responded { status: 429, retry_after: Some(Duration::from_secs(seconds)) };
    assert_eq!(seconds_until(next_step(&STANDARD.retry, first(1), &asked(90), noon(), 0.5)), 90);
    assert_eq!(seconds_until(next_step(&STANDARD.retry, first(2), &asked(90), noon(), 0.5)), 300);
    assert_eq!(seconds_until(next_step(&STANDARD.retry, first(1), &asked(u64::MAX), noon(), 0.5)), 86_400);
    let gone = Outcome::Responded { status: 410, retry_after: None };
    assert_eq!(next_step(&STANDARD.retry, first(1), &gone, noon(), 0.5), NextStep::DisableEndpoint);
}

#[test]
fn our_own_failures_cost_no_attempt_but_three_of_them_are_all_that_a_round_takes() {
    let none = RetryPolicy { delays: Cow::Borrowed(&[]), ..NUR.retry.clone() };
    for internal in 1..=MAX_INTERNAL {
        let at = Position { attempts: internal, internal };
        assert_eq!(seconds_until(next_step(&none, at, &Outcome::Internal, noon(), 0.0)), 60);
    }
    let at = Position { attempts: 4, internal: 4 };
    assert_eq!(next_step(&none, at, &Outcome::Internal, noon(), 0.0), NextStep::Exhaust);
    let second_failed_internally = Position { attempts: 3, internal: 1 };
    assert_eq!(seconds_until(next_step(&NUR.retry, second_failed_internally, &FAILED, noon(), 0.0)), 300);
}

#[test]
fn a_retry_is_due_on_the_next_whole_second() {
    let late = time::plus_millis(noon(), 1);
    assert_eq!(seconds_until(next_step(&NUR.retry, first(1), &FAILED, late, 0.0)), 61);
}

#[test]
fn schedules_of_a_webhooks_own_are_bounded() {
    assert!(check_schedule(&[]).is_ok());
    assert!(check_schedule(&[1; 16]).is_ok());
    assert!(check_schedule(&[604_800]).is_ok());
    for bad in [vec![0], vec![604_801], vec![1; 17]] {
        assert_eq!(check_schedule(&bad).unwrap_err().field, "retry_schedule");
    }
}

proptest! {
    #[test]
    fn a_retry_is_never_due_before_its_attempt_ended(
        attempts in 1_u32..20, internal in 0_u32..5, millis in 0_i64..2_000_000_000_000,
        jitter in 0.0..1.0_f64, status in 100_u16..600, hint in proptest::option::of(any::<u64>()),
    ) {
        let now = Timestamp::from_millisecond(millis).unwrap();
        let outcome = Outcome::Responded { status, retry_after: hint.map(Duration::from_secs) };
        for policy in [&NUR.retry, &STANDARD.retry] {
            if let NextStep::RetryAt(at) = next_step(policy, Position { attempts, internal }, &outcome, now, jitter) {
                prop_assert!(at > now);
                prop_assert!(at.as_second() - now.as_second() <= 27 * 3600);
                prop_assert_eq!(at.subsec_nanosecond(), 0);
            }
        }
    }

    #[test]
    fn every_round_ends(jitter in 0.0..1.0_f64, faults in proptest::collection::vec(any::<bool>(), 40)) {
        let mut at = Position { attempts: 0, internal: 0 };
        let mut ended = false;
        for fault in faults {
            at.attempts += 1;
            at.internal += u32::from(fault);
            let outcome = if fault { Outcome::Internal } else { FAILED };
            if next_step(&STANDARD.retry, at, &outcome, noon(), jitter) == NextStep::Exhaust {
                ended = true;
                break;
            }
        }
        prop_assert!(ended, "40 failures did not end a round of 10");
        prop_assert!(at.attempts <= 10 + MAX_INTERNAL);
    }
}
