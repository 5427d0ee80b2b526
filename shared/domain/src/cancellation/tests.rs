//! Who is meant by a cancellation, however it dies in between and whoever acts meanwhile.

use proptest::prelude::*;

use super::*;
use crate::delivery::{Reason, Status};
use crate::id::RecoveryId;
use crate::time::plus_millis;

fn at(minutes: i64) -> Timestamp {
    plus_millis("2026-01-15T12:00:00Z".parse().unwrap(), minutes * 60_000)
}

/// The first row of a delivery that was put then, of an event of that time.
fn put(number: u64, minutes: i64) -> Delivery {
    let row = Delivery::pending(&crate::delivery::an_event(at(minutes)), EndpointId::new(at(0), 2), at(minutes), 0);
    Delivery {
        id: DeliveryId::new(plus_millis(at(minutes), i64::try_from(number).unwrap()), &row.endpoint_id, &row.event_id),
        ..row
    }
}

fn asked_for(minutes: i64) -> Cancellation {
    Cancellation {
        id: CancellationId::new(at(minutes), 1),
        tenant_id: TenantId::new(at(0), 1),
        endpoint_id: EndpointId::new(at(0), 2),
        at: at(minutes),
        status: Progress::Running,
        found: 0,
        cancelled: 0,
        after: None,
        expires_at: 0,
    }
}

fn called_off(row: &Delivery, by: &Cancellation) -> Delivery {
    Delivery {
        status: Status::Cancelled,
        reason: Some(Reason::CancelledByRequest),
        next_attempt_at: None,
        waits_until: None,
        called_off_by: Some(by.id.clone()),
        ..row.clone()
    }
}

#[test]
fn what_waits_is_meant_however_it_waits() {
    let all = asked_for(60);
    let pending = put(0, 0);
    let retrying =
        Delivery { status: Status::Retrying, next_attempt_at: Some(at(90)), attempts_made: 2, ..pending.clone() };
    let parked = Delivery { waits_until: Some(at(90)), ..pending.clone() };
    let clock_ahead = Delivery { created_at: at(61), ..pending.clone() };
    let of_an_earlier_version = Delivery { put_at: None, ..pending.clone() };
    for row in [&pending, &retrying, &parked, &clock_ahead, &of_an_earlier_version] {
        assert!(all.is_for(row), "{row:?}");
    }
    for status in [Status::Succeeded, Status::Failed, Status::Cancelled] {
        assert!(!all.is_for(&Delivery { status, ..pending.clone() }), "{status:?}");
    }
}

#[test]
fn what_came_later_or_was_asked_for_later_is_not_meant() {
    let all = asked_for(60);
    let old_event = Delivery { created_at: at(0), ..put(0, 61) };
    assert!(!all.is_for(&put(0, 61)) && !all.is_for(&old_event), "its row was not there");
    let failed = Delivery { status: Status::Failed, ..put(0, 0) };
    let recovery = RecoveryId::new(at(0), 1);
    assert!(all.is_for(&failed.asked_again(at(59)).unwrap()) && all.is_for(&failed.recovered(&recovery, at(59))));
    assert!(!all.is_for(&failed.asked_again(at(61)).unwrap()) && !all.is_for(&failed.recovered(&recovery, at(61))));
    assert!(all.is_for(&put(0, 0).in_new_round(at(61))), "a round that begins by itself was asked for by nobody");
}

#[test]
fn a_page_that_is_seen_twice_is_called_off_once_and_counted_once() {
    let all = asked_for(60);
    let other = Cancellation { id: CancellationId::new(at(60), 2), ..all.clone() };
    let waiting = put(0, 0);
    let mine = called_off(&put(1, 0), &all);
    let asked_for_since = mine.asked_again(at(62)).unwrap();
    let page = [waiting.clone(), mine, asked_for_since, called_off(&put(2, 0), &other)];
    let look = all.look(&page);
    assert_eq!((look.waiting, look.called_off_before), (vec![&waiting], 2));
}

/// What somebody does to a row between a carrier's steps.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// A carrier takes the page, calls off so many of it, and dies.
    Carry(usize),
    /// A carrier takes the page to its end and notes it.
    CarryAll,
    /// An attempt of a row fails, or succeeds.
    Fail(usize),
    Succeed(usize),
    /// Its owner asks for a row again.
    Retry(usize),
    /// An event comes.
    Publish,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let row = 0..6_usize;
    let one = prop_oneof![
        (0..5_usize).prop_map(Deed::Carry),
        Just(Deed::CarryAll),
        row.clone().prop_map(Deed::Fail),
        row.clone().prop_map(Deed::Succeed),
        row.prop_map(Deed::Retry),
        Just(Deed::Publish),
    ];
    proptest::collection::vec(one, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever dies and whoever acts in between: at the end all that waited at its call has ended or was asked for since, nothing
    /// that came later was called off, and each that was called off is counted once.
    #[test]
    fn whoever_dies_and_whoever_acts_what_waited_is_called_off_once(deeds in deeds(), before in 1..6_u64) {
        let mut rows: Vec<Delivery> = (0..before).map(|number| put(number, 0)).collect();
        let (all, mut now, mut counted, mut ever) = (asked_for(1), 2, None, std::collections::BTreeSet::new());
        for deed in deeds.into_iter().chain([Deed::CarryAll]) {
            now += 1;
            let number = rows.len();
            match deed {
                Deed::Carry(_) | Deed::CarryAll if counted.is_some() => {}
                Deed::Carry(_) | Deed::CarryAll => {
                    let most = if let Deed::Carry(most) = deed { most } else { usize::MAX };
                    let page = rows.clone();
                    let look = all.look(&page);
                    let (waiting, before) = (look.waiting.len(), look.called_off_before);
                    for row in look.waiting.into_iter().take(most) {
                        prop_assert!(ever.insert(row.id.clone()), "it was called off before");
                        let place = rows.iter().position(|one| one.id == row.id).unwrap();
                        rows[place] = called_off(row, &all);
                    }
                    if let Deed::CarryAll = deed {
                        counted = Some(waiting as u64 + before);
                    }
                }
                Deed::Publish => rows.push(put(number as u64, now)),
                Deed::Fail(at) | Deed::Succeed(at) if rows[at % number].status.is_final() => {}
                Deed::Fail(place) => {
                    let row = &mut rows[place % number];
                    (row.status, row.next_attempt_at, row.attempts_made) = (Status::Retrying, Some(at(now + 5)), row.attempts_made + 1);
                }
                Deed::Succeed(place) => rows[place % number].status = Status::Succeeded,
                Deed::Retry(place) => {
                    let row = &mut rows[place % number];
                    *row = row.asked_again(at(now)).unwrap_or_else(|_| row.clone());
                }
            }
        }
        prop_assert_eq!(counted, Some(ever.len() as u64));
        for row in &rows {
            let came_later = row.put_at.unwrap() > all.at;
            prop_assert!(!(came_later && all.has_called_off(row)), "{row:?}");
            prop_assert!(!all.is_for(row), "it still waits: {row:?}");
        }
    }
}
