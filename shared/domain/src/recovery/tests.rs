use proptest::prelude::*;

use super::*;
use crate::delivery::{Reason, Status};
use crate::dialect::JobKind;
use crate::event::EventPattern;
use crate::id::JobId;

fn row(status: Status, reason: Option<Reason>) -> Delivery {
    let at: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
    let row = Delivery::pending(&crate::delivery::an_event(at), EndpointId::new(at, 2), at, 0);
    Delivery { status, reason, ..row }
}

fn after(minutes: i64) -> Timestamp {
    crate::time::plus_millis("2026-01-15T12:00:00Z".parse().unwrap(), minutes * 60_000)
}

fn is_missed(delivery: &Delivery, now: Timestamp) -> bool {
    Chosen::default().takes(delivery, now)
}

fn of(statuses: &[Status]) -> Chosen {
    Chosen { statuses: statuses.to_vec(), ..Chosen::default() }
}

fn recovery(chosen: Chosen) -> Recovery {
    let at = after(0);
    Recovery {
        id: RecoveryId::new(at, 1),
        tenant_id: TenantId::new(at, 1),
        endpoint_id: EndpointId::new(at, 2),
        since: at,
        until: at,
        chosen,
        status: Progress::Running,
        found: 0,
        requeued: 0,
        after: None,
        listed_after: None,
        probed: false,
        expires_at: 0,
    }
}

#[test]
fn what_failed_or_was_held_up_is_sent_again() {
    for (status, reason) in [
        (Status::Failed, Some(Reason::AttemptsExhausted)),
        (Status::Failed, Some(Reason::InternalFailures)),
        (Status::Cancelled, Some(Reason::WebhookDisabled)),
        (Status::Cancelled, Some(Reason::TenantSuspended)),
        (Status::Cancelled, Some(Reason::WebhookDeleted)),
    ] {
        assert!(is_missed(&row(status, reason), after(1)), "{reason:?}");
    }
}

#[test]
fn what_was_called_off_delivered_or_is_on_its_way_is_not() {
    for (status, reason) in [
        (Status::Cancelled, Some(Reason::CancelledByRequest)),
        (Status::Cancelled, Some(Reason::EventExpired)),
        (Status::Succeeded, None),
        (Status::Retrying, None),
    ] {
        assert!(!is_missed(&row(status, reason), after(600)), "{status:?} {reason:?}");
    }
}

#[test]
fn what_was_delivered_before_is_not_sent_again_by_a_recovery() {
    let failed = row(Status::Failed, Some(Reason::AttemptsExhausted));
    let resent = Delivery { delivered_at: Some(failed.created_at), ..failed };
    assert!(!is_missed(&resent, after(600)));
}

#[test]
fn a_test_is_not_sent_again_by_a_recovery() {
    let failed = row(Status::Failed, Some(Reason::AttemptsExhausted));
    assert!(!is_missed(&Delivery { test: true, ..failed }, after(600)));
    assert!(!is_missed(&Delivery { test: true, ..row(Status::Pending, None) }, after(600)));
}

#[test]
fn an_old_events_row_has_an_hour_like_any_other() {
    let fresh = row(Status::Pending, None);
    let of_an_old_event = Delivery { put_at: Some(after(600)), ..fresh };
    assert!(!is_missed(&of_an_old_event, after(601)));
    assert!(is_missed(&of_an_old_event, after(661)));
}

#[test]
fn pending_is_lost_after_an_hour() {
    for chosen in [Chosen::default(), of(&[Status::Pending])] {
        assert!(!chosen.takes(&row(Status::Pending, None), after(59)));
        assert!(chosen.takes(&row(Status::Pending, None), after(61)));
        let parked = Delivery { waits_until: Some(after(600)), ..row(Status::Pending, None) };
        assert!(!chosen.takes(&parked, after(61)), "it waits for its endpoint, and is not lost");
    }
}

#[test]
fn who_asks_for_what_was_cancelled_means_all_that_can_still_be_sent() {
    let asked = of(&[Status::Cancelled]);
    let gone = [Reason::EventExpired, Reason::EventExpunged];
    for reason in Reason::ALL.iter().copied().filter(|reason| !gone.contains(reason)) {
        assert!(asked.takes(&row(Status::Cancelled, Some(reason)), after(1)), "{reason:?}");
    }
    for reason in gone {
        assert!(!asked.takes(&row(Status::Cancelled, Some(reason)), after(1)), "nothing is left to send");
    }
    assert!(!asked.takes(&row(Status::Failed, Some(Reason::AttemptsExhausted)), after(1)));
}

#[test]
fn what_waits_for_its_next_try_comes_at_once_and_what_is_due_is_not_tried_twice() {
    let waiting =
        |minutes| Delivery { next_attempt_at: Some(after(minutes)), attempts_made: 3, ..row(Status::Retrying, None) };
    let asked = of(&[Status::Retrying]);
    assert!(asked.takes(&waiting(60), after(1)));
    assert!(!asked.takes(&waiting(1), after(1)), "its message is on its way");
    assert!(!Chosen::default().takes(&waiting(60), after(1)), "only where somebody asks for it");
    let hastened = waiting(60).recovered(&RecoveryId::new(after(0), 1), after(1));
    assert_eq!((hastened.next_attempt_at, hastened.round, hastened.round_from), (Some(after(1)), 2, 4));
    assert!(!asked.takes(&hastened, after(1)), "a second one does not double it");
}

#[test]
fn of_what_is_parked_one_is_tried_and_the_others_are_found() {
    let parked = |n| Delivery {
        id: DeliveryId::new(after(n), &EndpointId::new(after(0), 2), &crate::id::EventId::fresh(1)),
        waits_until: Some(after(600)),
        ..row(Status::Retrying, None)
    };
    let page = [parked(1), parked(2), parked(3)];
    let asked = recovery(of(&[Status::Retrying]));
    let look = asked.look(&page, after(4), true);
    assert_eq!((look.probe, look.missed.len(), look.parked, look.found()), (Some(&page[0]), 0, 2, 3));
    let later = Recovery { probed: true, ..asked.clone() };
    let look = later.look(&page, after(4), true);
    assert_eq!((look.probe, look.found()), (None, 3), "one is enough to find out whether the endpoint is back");
    let look = asked.look(&page, after(4), false);
    assert_eq!((look.probe, look.found()), (None, 3), "somebody has answered, and all of it is being sent");
    assert_eq!(recovery(Chosen::default()).look(&page, after(4), true).found(), 0);
}

#[test]
fn a_page_that_is_seen_twice_is_sent_again_once_and_counted_once() {
    let recovery = recovery(Chosen::default());
    let failed = row(Status::Failed, Some(Reason::AttemptsExhausted));
    let sent = failed.recovered(&recovery.id, after(1));
    // It may have failed once more by the second look.
    let sent_and_failed = Delivery { status: Status::Failed, next_attempt_at: None, ..sent.clone() };
    let of_another = failed.recovered(&RecoveryId::new(after(0), 2), after(1));
    let page = [failed.clone(), sent, sent_and_failed, of_another, failed.clone()];
    let look = recovery.look(&page, after(2), false);
    assert_eq!((look.missed, look.requeued_before), (vec![&failed, &failed], 2));
}

#[test]
fn a_row_of_an_earlier_version_asks_for_all_and_one_that_asks_for_all_is_as_it_was() {
    let usual = serde_json::to_value(recovery(Chosen::default())).unwrap();
    let mut names: Vec<_> = usual.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let before = ["endpoint_id", "expires_at", "found", "id", "requeued", "since", "status", "tenant_id", "until"];
    assert_eq!(names, before);
    assert_eq!(serde_json::from_value::<Recovery>(usual).unwrap(), recovery(Chosen::default()));
    let chosen = Chosen {
        events: vec!["invoice.*".parse().unwrap()],
        statuses: vec![Status::Retrying],
        jobs: Some(JobKind::Task),
        never_matched: true,
    };
    let written = serde_json::to_value(recovery(chosen.clone())).unwrap();
    assert_eq!(
        written["chosen"],
        serde_json::json!({"events": ["invoice.*"], "statuses": ["retrying"], "jobs": "task", "never_matched": true})
    );
    assert_eq!(serde_json::from_value::<Recovery>(written).unwrap().chosen, chosen);
}

fn any_row() -> impl Strategy<Value = Delivery> {
    let job = prop::sample::select(vec![None, Some(JobId::uuid(after(0), 1)), Some(JobId::short(after(0), 1))]);
    let event = prop::sample::select(vec!["dubbing.completed", "invoice.paid", "webhook.failing"]);
    let facts = (prop::sample::select(Status::ALL), prop::option::of(prop::sample::select(Reason::ALL)), event, job);
    let times = (prop::option::of(-120_i64..120), prop::option::of(-120_i64..120), -120_i64..120, any::<[bool; 2]>());
    (facts, times, 0_u32..210).prop_map(|((status, reason, event, job_id), (due, waits, put, [test, taken]), made)| {
        Delivery {
            event_type: event.parse().unwrap(),
            job_id,
            test: test && made % 2 == 0,
            next_attempt_at: due.map(after),
            waits_until: waits.map(after),
            put_at: Some(after(put)),
            delivered_at: (taken && made % 3 == 0).then(|| after(0)),
            attempts_made: made,
            ..row(status, reason)
        }
    })
}

fn any_chosen() -> impl Strategy<Value = Chosen> {
    let patterns = prop::sample::subsequence(vec!["*", "invoice.*", "dubbing.completed", "webhook.*"], 0..3);
    let statuses = prop::sample::subsequence(Chosen::STATUSES.to_vec(), 0..4);
    let jobs = prop::sample::select(vec![None, Some(JobKind::Projects), Some(JobKind::Task)]);
    (patterns, statuses, jobs).prop_map(|(patterns, statuses, jobs)| Chosen {
        events: patterns.into_iter().map(|pattern| pattern.parse().unwrap()).collect(),
        statuses,
        jobs,
        never_matched: false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked for, only what was missed is sent, and nothing is on its way twice.
    #[test]
    fn nothing_is_sent_again_that_was_taken_or_is_on_its_way(row in any_row(), chosen in any_chosen()) {
        if chosen.takes(&row, after(0)) {
            prop_assert!(row.status != Status::Succeeded && row.delivered_at.is_none() && !row.test);
            prop_assert!(row.has_room_for_a_round());
            prop_assert!(row.status != Status::Retrying || row.is_parked() || row.next_attempt_at > Some(after(0)));
            prop_assert_eq!(row.job_id.as_ref().map(crate::job::kind_of), chosen.jobs);
            prop_assert!(row.status != Status::Cancelled || row.reason.is_some_and(Reason::leaves_something));
            let again = row.recovered(&RecoveryId::new(after(0), 1), after(0));
            prop_assert!(!chosen.takes(&again, after(0)), "it is due, and no second recovery takes it");
        }
    }

    /// What several statuses bring is what each of them brings, and patterns only take away.
    #[test]
    fn what_is_asked_for_adds_up(row in any_row(), chosen in any_chosen()) {
        let alone = |status: &Status| Chosen { statuses: vec![*status], ..chosen.clone() };
        if !chosen.statuses.is_empty() {
            let any = chosen.statuses.iter().any(|status| alone(status).takes(&row, after(0)));
            prop_assert_eq!(chosen.takes(&row, after(0)), any);
        }
        let of_any_type = Chosen { events: Vec::new(), ..chosen.clone() };
        let takes_type = |pattern: &EventPattern| row.event_type.patterns().contains(pattern);
        let named = chosen.events.is_empty() || chosen.events.iter().any(takes_type);
        prop_assert_eq!(chosen.takes(&row, after(0)), named && of_any_type.takes(&row, after(0)));
    }

    /// Where nothing is named, it is some of what the three names bring.
    #[test]
    fn what_is_usual_is_a_part_of_what_can_be_asked_for(row in any_row(), chosen in any_chosen()) {
        let usual = Chosen { statuses: Vec::new(), ..chosen.clone() };
        let named = Chosen { statuses: vec![Status::Failed, Status::Cancelled, Status::Pending], ..chosen };
        prop_assert!(!usual.takes(&row, after(0)) || named.takes(&row, after(0)));
        let by_somebody = row.status == Status::Cancelled;
        prop_assert!(by_somebody || usual.takes(&row, after(0)) == named.takes(&row, after(0)));
    }

    /// Every row of a page is counted once, however it is sent.
    #[test]
    fn each_row_of_a_page_has_one_place(rows in prop::collection::vec((any_row(), any::<bool>()), 0..12), chosen in any_chosen(), is_down in any::<bool>()) {
        let recovery = recovery(chosen);
        let mine = |(row, mine): (Delivery, bool)| Delivery {
            recovered_by: mine.then(|| recovery.id.clone()),
            ..row
        };
        let page: Vec<Delivery> = rows.into_iter().map(mine).collect();
        let look = recovery.look(&page, after(0), is_down);
        let is_mine = |row: &&Delivery| row.recovered_by.is_some();
        prop_assert_eq!(look.requeued_before as usize, page.iter().filter(is_mine).count());
        let wanted = page.iter().filter(|row| !is_mine(row) && recovery.chosen.takes(row, after(0))).count();
        prop_assert_eq!(look.found() as usize, wanted);
        prop_assert!(look.missed.iter().all(|row| !row.is_parked()));
        prop_assert_eq!(look.probe.is_some(), is_down && wanted > 0, "somebody has to ask whether it is back");
        let is_any_parked = page.iter().any(|row| !is_mine(&row) && row.is_parked() && recovery.chosen.takes(row, after(0)));
        prop_assert!(look.probe.is_none_or(|probe| probe.is_parked() == is_any_parked), "what is parked goes first");
    }
}
