use super::*;
use crate::attempt::Unreachable;
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
    for _ in 0..7 {
        let page = parking.page(&well, &times);
        pages.push(page.rows);
        parking = parking.page_sent(place.clone(), 1, page, at(401));
    }
    assert_eq!(pages, [50, 100, 200, 400, 800, 1_000, 1_000]);
    assert_eq!((parking.drained, parking.after.is_some()), (8, true));
    let careful = parking.page(&endpoint(Some(401)), &times);
    assert_eq!((careful.rows, careful.pause), (1, Duration::from_secs(15)));
    assert_eq!(parking.page_sent(place, 1, careful, at(402)).page, 50);
}

#[test]
fn an_endpoint_with_a_limit_is_drained_at_its_pace() {
    for (limit, rows, seconds) in [(1_u32, 10, 10), (5, 50, 10), (70, 700, 10), (1_000, 1_000, 1)] {
        let limited = Endpoint { rate_limit: Some(RateLimit::try_from(limit).unwrap()), ..endpoint(None) };
        let page = begun().answered(at(400)).page(&limited, &Times::default());
        assert_eq!((page.rows, page.pause.as_secs()), (rows, seconds), "{limit}");
    }
}

#[test]
fn its_owner_is_told_once_that_it_is_over_and_only_when_somebody_has_answered() {
    let down = Endpoint { down_since: Some(at(0)), ..endpoint(None) };
    let (closing, tells) = begun().answered(at(400)).drained(&endpoint(None), at(500));
    assert!(tells && closing.told && !closing.drained(&endpoint(None), at(501)).1);
    let silent = begun().given_another_chance(at(400));
    assert!(!silent.drained(&endpoint(None), at(500)).1, "nothing was sent");
    let (closing, tells) = begun().answered(at(400)).drained(&down, at(500));
    assert!(!tells && closing.is_to_be_told() && !closing.told().is_to_be_told());
    let limited = Parking::begun_by_rate_limit(&endpoint(None), at(0)).unwrap();
    assert!(!limited.is_to_be_told() && !limited.drained(&endpoint(None), at(901)).1);
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
        [(&drained, false), (&over, true), (&Parking::begun_by_rate_limit(&endpoint(None), at(0)).unwrap(), true)]
    {
        let next = again(before);
        assert_eq!((next.is_news(Some(before)), next.step), (is_news, before.step + 1), "{before:?}");
    }
    assert!(begun().is_news(None));
}

fn row() -> Delivery {
    Delivery::pending(&an_event(at(100)), EndpointId::new(at(0), 1), at(101), 0)
}

#[test]
fn it_waits_as_long_as_its_schedule_would_take() {
    let horizon = Duration::from_secs(1_000);
    let waits = |row: &Delivery| row.would_wait_until(horizon, at(9_000)).as_second();
    assert_eq!(waits(&row()), 1_100);
    assert_eq!(waits(&Delivery { put_at: Some(at(50_000)), ..row() }), 51_000, "an old event's, from when it came");
    assert_eq!(waits(&Delivery { round: 2, ..row() }), 10_000);
    assert_eq!(waits(&Delivery { waits_until: Some(at(7)), ..row() }), 7, "parked once more, no longer than before");
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
    probed.probes = MAX_PROBES;
    assert!(!probed.may_be_probed() && parked.may_be_probed());
    let refused = after(&status(422));
    assert_eq!((refused.status, refused.next_attempt_at, refused.waits_until), (Status::Retrying, Some(at(205)), None));
    assert_eq!(after(&status(204)).status, Status::Succeeded);
}

#[test]
fn what_is_parked_can_be_asked_for_and_is_not_lost() {
    let parked = Delivery { waits_until: Some(at(1_100)), ..row() };
    let again = parked.asked_again(at(300)).unwrap();
    assert_eq!((again.waits_until, again.probes, again.round), (None, 0, 2));
    assert!(!crate::recovery::is_missed(&parked, at(9_000)));
    assert!(crate::recovery::is_missed(&row(), at(9_000)));
}

#[test]
fn what_a_limit_cannot_hold_back_is_parked_once_and_by_no_outages_end() {
    let limited =
        |parking: Option<Parking>| Parking::begun_by_rate_limit(&Endpoint { parking, ..endpoint(None) }, at(9));
    let begun_by_limit = limited(None).unwrap();
    assert_eq!((begun_by_limit.state, begun_by_limit.next_at), (State::Draining, at(609)));
    let (told, _) = begun().answered(at(400)).drained(&endpoint(None), at(500));
    let (untold, _) = begun().answered(at(400)).drained(&endpoint(Some(450)), at(500));
    assert_eq!(limited(Some(told.clone())).map(|parking| parking.step), Some(told.step + 1));
    for parking in [begun(), begun().answered(at(400)), begun_by_limit, untold] {
        assert_eq!(limited(Some(parking)), None);
    }
}
