use super::*;
use crate::attempt::{Attempt, Mark, Unreachable};
use crate::delivery::{Status, an_event};
use crate::dialect::{DialectRef, NUR, STANDARD};
use crate::id::{EndpointId, TenantId};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn endpoint(down_since: Option<i64>) -> Endpoint {
    let (now, url) = (at(0), "https://hooks.example/".to_owned());
    let bare = Endpoint::bare(EndpointId::new(now, 1), TenantId::new(now, 1), url, DialectRef(&STANDARD), now);
    Endpoint { down_since: down_since.map(at), ..bare }
}

fn status(status: u16) -> Outcome {
    Outcome::Responded { status, retry_after: None }
}

fn begun() -> Parking {
    Parking::begun_by(&endpoint(Some(0)), &status(500), at(300), &Times::default()).unwrap()
}

#[test]
fn what_nobody_answers_for_five_minutes_is_parked_and_what_is_refused_is_not() {
    let times = Times::default();
    let begins = |since, outcome: &Outcome, second| Parking::begun_by(&endpoint(since), outcome, at(second), &times);
    for outcome in [status(429), status(500), status(503), Outcome::TimedOut, Outcome::Unreachable(Unreachable::Reset)]
    {
        assert!(begins(Some(0), &outcome, 299).is_none() && begins(None, &outcome, 900).is_none(), "{outcome:?}");
        let parking = begins(Some(0), &outcome, 300).unwrap();
        assert_eq!((parking.state, parking.next_at, parking.step), (State::Down, at(360), 0), "{outcome:?}");
    }
    for outcome in [status(200), status(301), status(404), status(422), Outcome::Blocked, Outcome::Internal] {
        assert_eq!(begins(Some(0), &outcome, 300), None, "{outcome:?}");
    }
}

#[test]
fn a_page_with_a_schedule_of_its_own_and_who_is_not_sent_to_are_never_parked() {
    let begins =
        |endpoint: &Endpoint| Parking::begun_by(endpoint, &Outcome::TimedOut, at(900), &Times::default()).is_some();
    let standard = endpoint(Some(0));
    assert!(begins(&standard));
    assert!(!begins(&Endpoint { dialect: DialectRef(&NUR), ..standard.clone() }));
    assert!(!begins(&Endpoint { status: EndpointStatus::Disabled, ..standard.clone() }));
    assert!(!begins(&Endpoint { deleted_at: Some(at(1)), ..standard.clone() }));
    assert!(!begins(&Endpoint { parking: Some(begun()), ..standard }), "it is already");
}

#[test]
fn probes_become_rarer_and_rotate() {
    let times = Times::default();
    let (mut parking, mut waits) = (begun(), Vec::new());
    for probe in 0..7 {
        assert_eq!(parking.probed_row(3), probe % 3);
        let now = parking.next_at;
        parking = parking.probed(now, &times);
        waits.push(parking.next_at.as_second() - now.as_second());
    }
    assert_eq!(waits, [120, 300, 600, 900, 900, 900, 900]);
    assert_eq!((parking.step, parking.probes), (7, 7));
    assert!(parking.awaits(parking.since, 7) && parking.awaits(parking.since, 8) && !parking.awaits(parking.since, 6));
    assert!(!parking.awaits(at(0), 7));
}

#[test]
fn what_is_drained_begins_with_few_and_goes_back_to_one_at_a_time_when_it_fails_again() {
    let (times, well) = (Times::default(), endpoint(None));
    let place = Place { waits_until: at(1), id: row().id };
    let mut parking = begun().answered(at(400));
    let mut pages = Vec::new();
    for _ in 0..16 {
        let page = parking.page(&well, &times, at(420));
        pages.push(page.rows);
        parking = parking.page_sent(place.clone(), 50, page, at(401));
    }
    let (first, later) = pages.split_at(10);
    assert_eq!(
        (first, later),
        (&[50; 10][..], &[100, 200, 400, 800, 1_000, 1_000][..]),
        "in order as long as they are few"
    );
    assert_eq!((parking.drained, parking.after.is_some()), (801, true));
    let page = parking.page(&well, &times, at(420));
    assert_eq!([0, 400, 1_000, 2_000].map(|under_way| Parking::beside(page, under_way).rows), [1_000, 600, 0, 0]);
    let careful = parking.page(&endpoint(Some(401)), &times, at(420));
    assert_eq!((careful.rows, careful.pause), (1, Duration::from_secs(15)));
    let young = parking.page(&endpoint(Some(401)), &times, at(405));
    assert_eq!((young.rows, young.pause), (1, PAGE_INTERVAL), "the next may be answered");
    assert_eq!(parking.page_sent(place, 1, careful, at(402)).page, 50);
}

#[test]
fn an_endpoint_with_a_limit_is_drained_at_its_pace() {
    for (limit, rows, seconds) in [(1_u32, 10, 10), (5, 50, 10), (70, 700, 10), (1_000, 1_000, 1)] {
        let limited = Endpoint { rate_limit: Some(RateLimit::try_from(limit).unwrap()), ..endpoint(None) };
        let page = begun().answered(at(400)).page(&limited, &Times::default(), at(420));
        assert_eq!((page.rows, page.pause.as_secs()), (rows, seconds), "{limit}");
    }
}

#[test]
fn what_was_sent_and_is_not_on_record_is_sent_again_after_a_while_and_not_while_it_waits_for_its_slot() {
    let limited = Endpoint { rate_limit: Some(RateLimit::try_from(1).unwrap()), ..endpoint(None) };
    let place = Place { waits_until: at(1), id: row().id };
    for (endpoint, seconds) in [(endpoint(None), 45_i64), (limited, 945)] {
        let page = begun().page(&endpoint, &Times::default(), at(420));
        let sent = begun().answered(at(400)).page_sent(place.clone(), 1, page, at(401));
        let waits = |second: i64, is_behind| sent.waiting(&endpoint, is_behind, at(401 + second)).after.is_some();
        assert!(waits(seconds, false) && !waits(seconds + 1, false), "{seconds}");
        assert!(waits(seconds + 1, true), "a queue that is behind has them still");
    }
}

#[test]
fn its_owner_is_told_once_that_it_is_over_and_only_when_somebody_has_answered() {
    let down = Endpoint { down_since: Some(at(0)), ..endpoint(None) };
    let (closing, tells) = begun().answered(at(400)).drained(&endpoint(None), at(500));
    assert!(tells && closing.told && !closing.drained(&endpoint(None), at(501)).1);
    assert_eq!(closing.after_an_answer(at(501)), None);
    let silent = begun().given_another_chance(at(400));
    assert!(!silent.drained(&endpoint(None), at(500)).1, "nobody has answered");
    let (heard, tells) = silent.after_an_answer(at(450)).unwrap();
    assert!(!tells && heard.step == silent.step + 1 && heard.after_an_answer(at(451)).is_none());
    assert!(heard.drained(&endpoint(None), at(500)).1);
    let (closing, tells) = begun().answered(at(400)).drained(&down, at(500));
    let (told, tells_now) = closing.after_an_answer(at(501)).unwrap();
    assert!(!tells && tells_now && told.after_an_answer(at(502)).is_none());
    let limited = Parking::begun_by_limit(None, at(0), at(900)).unwrap();
    assert!(limited.after_an_answer(at(900)).is_none() && !limited.drained(&endpoint(None), at(901)).1);
}

#[test]
fn it_is_not_over_before_its_owner_has_heard_so_unless_nobody_is_sent_to_any_more() {
    let (untold, _) = begun().given_another_chance(at(400)).drained(&endpoint(None), at(500));
    let is_over = |parking: &Parking, endpoint: &Endpoint, second| parking.is_over(endpoint, at(second));
    assert!(!is_over(&untold, &endpoint(None), 1_000_000));
    assert!(is_over(&untold, &Endpoint { status: EndpointStatus::Disabled, ..endpoint(None) }, 2_300));
    assert!(is_over(&untold, &Endpoint { deleted_at: Some(at(600)), ..endpoint(None) }, 2_300));
    let (told, _) = untold.after_an_answer(at(600)).unwrap();
    assert!(is_over(&told, &endpoint(None), 2_300) && !is_over(&told, &endpoint(None), 2_299));
}

#[test]
fn a_limit_parks_where_nothing_is_parked_and_keeps_the_end_of_an_outage() {
    let limited = |before| Parking::begun_by_limit(before, at(600), at(2_000));
    let (down, draining) = (begun(), begun().answered(at(400)));
    assert_eq!((limited(Some(&down)), limited(Some(&draining))), (None, None));
    let (untold, _) = begun().given_another_chance(at(400)).drained(&endpoint(None), at(500));
    let again = limited(Some(&untold)).unwrap();
    assert_eq!((again.state, again.next_at, again.step), (State::Draining, at(2_000), untold.step + 1));
    assert!(!again.told && again.since == untold.since && !again.is_news(Some(&untold)));
    let lifted = again.under_another_limit(at(700));
    assert_eq!((lifted.next_at, lifted.step, lifted.state), (at(700), again.step + 1, State::Draining));
    assert_eq!((again.under_another_limit(at(2_000)), down.under_another_limit(at(0))), (again.clone(), down));
    assert!(again.after_an_answer(at(2_001)).unwrap().0.drained(&endpoint(None), at(2_002)).1);
}

#[test]
fn what_is_called_off_waits_for_no_limit_and_no_answer() {
    let limited = Endpoint { rate_limit: Some(RateLimit::try_from(1).unwrap()), ..endpoint(Some(0)) };
    for gone in [
        Endpoint { status: EndpointStatus::Disabled, ..limited.clone() },
        Endpoint { deleted_at: Some(at(1)), ..limited },
    ] {
        let page = begun().given_another_chance(at(400)).page(&gone, &Times::default(), at(420));
        assert_eq!((page.rows, page.pause), (FIRST_PAGE, PAGE_INTERVAL));
    }
}

#[test]
fn an_outage_of_which_nobody_heard_the_end_goes_on_as_the_same() {
    let again = |parking: &Parking| {
        let endpoint = Endpoint { parking: Some(parking.clone()), ..endpoint(Some(100)) };
        Parking::begun_by(&endpoint, &Outcome::TimedOut, at(2_000), &Times::default()).unwrap()
    };
    let drained = begun().answered(at(400));
    let (over, _) = drained.drained(&endpoint(None), at(500));
    for (before, is_news) in
        [(&drained, false), (&over, true), (&Parking::begun_by_limit(None, at(0), at(1)).unwrap(), true)]
    {
        let next = again(before);
        assert_eq!((next.is_news(Some(before)), next.step), (is_news, before.step + 1), "{before:?}");
    }
    assert!(begun().is_news(None));
    let silent = again(&drained).given_another_chance(at(2_100)).drained(&endpoint(None), at(2_101));
    assert!(!silent.1, "who answered before it says nothing of this time");
    let place = Place { waits_until: at(1), id: row().id };
    let half = drained.page_sent(place, 50, drained.page(&endpoint(None), &Times::default(), at(420)), at(401));
    let back = again(&half).answered(at(2_100));
    assert!(half.after.is_some() && back.after.is_none() && back.drained == 52, "drained from its beginning");
}

fn row() -> Delivery {
    Delivery::pending(&an_event(at(100)), EndpointId::new(at(0), 1), at(101), 0)
}

#[test]
fn it_waits_as_long_as_its_schedule_would_take() {
    let horizon = Duration::from_secs(5_000);
    let waits = |row: &Delivery| row.would_wait_until(horizon, at(1_000)).as_second();
    assert_eq!(waits(&row()), 6_000, "untried, it has all of its time, however late its message comes");
    assert_eq!(waits(&Delivery { waits_until: Some(at(7)), ..row() }), 7, "parked once more, no longer than before");
    let attempt = |number, second| Attempt::answered(number, Mark::new(1), at(second), 503);
    let tried = Delivery { attempts: vec![attempt(1, 200), attempt(2, 205)], attempts_made: 2, ..row() };
    assert_eq!(waits(&tried), 5_200, "from its first attempt");
    let put_off = Delivery { next_attempt_at: Some(at(90_000)), ..tried.clone() };
    assert_eq!(waits(&put_off), 90_000, "its receiver has put the next one off");
    assert_eq!(tried.would_wait_until(horizon, at(9_000)), at(10_200), "and never less than until a probe");
    let again = Delivery { round: 2, round_from: 3, ..tried.clone() };
    assert_eq!(waits(&again), 6_000, "somebody asked for it again");
    assert_eq!(waits(&Delivery { attempts: vec![attempt(2, 205), attempt(3, 800)], ..again }), 5_800);
}

#[test]
fn a_probe_that_fails_costs_its_delivery_nothing_and_one_that_is_answered_goes_by_its_schedule() {
    let policy = &STANDARD.retry;
    let parked = Delivery { waits_until: Some(at(1_100)), ..row() };
    let after = |outcome: &Outcome| parked.after_probe((policy, at(1_100)), outcome, at(200), 0.5);
    let failed = after(&Outcome::TimedOut);
    assert_eq!((failed.status, failed.next_attempt_at, failed.probes), (Status::Retrying, None, 1));
    assert_eq!(failed.waits_until, Some(at(1_100)));
    let mut probed = Delivery { status: Status::Retrying, probes: 3, attempts_made: 3, ..parked.clone() };
    assert_eq!(probed.after(policy, &status(404), at(200), 0.5).next_attempt_at, Some(at(205)), "its first attempt");
    let may_be = |row: &Delivery, second| row.may_be_probed(Duration::from_secs(1_000), at(second));
    assert!(may_be(&parked, 100) && !may_be(&row(), 100));
    for (probes, from) in [(39, 100), (40, 101), (70, 601), (99, 1_084)] {
        probed.probes = probes;
        assert!(may_be(&probed, from) && (probes < 40 || !may_be(&probed, from - 1)), "{probes}");
    }
    probed.probes = MAX_PROBES;
    assert!(!may_be(&probed, 1_100));
    let refused = after(&status(422));
    assert_eq!((refused.status, refused.next_attempt_at, refused.waits_until), (Status::Retrying, Some(at(205)), None));
    assert_eq!(after(&status(204)).status, Status::Succeeded);
}

#[test]
fn what_is_parked_can_be_asked_for_and_is_not_lost() {
    let parked = Delivery { waits_until: Some(at(1_100)), ..row() };
    let mut taken = parked.clone();
    taken.take_late(Attempt::answered(1, Mark::new(1), at(200), 200));
    assert_eq!((taken.status, taken.waits_until), (Status::Succeeded, None), "nobody looks for it any more");
    let again = parked.asked_again(at(300)).unwrap();
    assert_eq!((again.waits_until, again.probes, again.round), (None, 0, 2));
    assert!(!crate::recovery::Chosen::default().takes(&parked, at(9_000)));
    assert!(crate::recovery::Chosen::default().takes(&row(), at(9_000)));
}
