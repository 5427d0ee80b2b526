use super::*;
use crate::id::EventId;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn webhook(number: u64) -> EndpointId {
    EndpointId::new(at(0), number)
}

fn delivery(number: u64, event: i64) -> DeliveryId {
    DeliveryId::new(at(event), &webhook(number), &EventId::fresh(u128::from(number) + u128::try_from(event).unwrap()))
}

fn told(webhooks: impl IntoIterator<Item = (u64, i64)>) -> BTreeMap<EndpointId, i64> {
    webhooks.into_iter().map(|(number, at)| (webhook(number), at)).collect()
}

#[test]
fn a_webhook_is_told_of_at_once_unless_it_was_within_the_minute() {
    let telling = Telling { told: told([(1, 100)]), ..Telling::default() };
    assert_eq!(telling.at_once(&webhook(1), at(159)), None);
    assert_eq!(telling.at_once(&webhook(2), at(159)), Some(told([(1, 100), (2, 159)])));
    assert_eq!(telling.at_once(&webhook(1), at(160)), Some(told([(1, 160)])));
    assert_eq!(telling.at_once(&webhook(2), at(160)), Some(told([(2, 160)])), "what is long ago is forgotten");
}

#[test]
fn while_its_failures_may_be_counted_a_webhook_waits_for_the_look() {
    let counting = Telling { told: told([(1, 100)]), counted_at: Some(at(110)), ..Telling::default() };
    assert_eq!(counting.at_once(&webhook(1), at(1_000)), None);
    assert!(counting.at_once(&webhook(2), at(1_000)).is_some(), "it has failed for the first time");
}

#[test]
fn so_many_of_a_tenants_webhooks_are_told_of_at_once_and_no_more() {
    let most = u64::try_from(MOST_WEBHOOKS).unwrap();
    let full = Telling { told: told((0..most).map(|number| (number, 100))), ..Telling::default() };
    assert_eq!(full.at_once(&webhook(most), at(159)), None);
    assert!(full.at_once(&webhook(most), at(160)).is_some());
}

#[test]
fn a_look_counts_what_is_settled_and_leaves_a_minute_between_two() {
    let telling = |counted_at, told_until: Option<i64>| Telling {
        counted_at: Option::map(counted_at, at),
        told_until: told_until.map(at),
        ..Telling::default()
    };
    assert_eq!(telling(None, None).look(at(1_000)), None);
    let first = Look { from: at(0), until: at(940) };
    assert_eq!(telling(Some(900), None).look(at(1_000)), Some(first));
    assert_eq!(telling(Some(900), Some(881)).look(at(1_000)), None, "that was within the minute");
    assert_eq!(telling(Some(900), Some(880)).look(at(1_000)), Some(Look { from: at(880), until: at(940) }));
}

#[test]
fn nothing_is_counted_any_more_once_nobody_can_be_about_to() {
    let telling = Telling { told: told([(1, 100), (2, 970)]), counted_at: Some(at(850)), told_until: None };
    let look = |until| Look { from: at(0), until: at(until) };
    let after = telling.after(look(939), &[], at(999));
    assert_eq!(
        (after.counted_at, after.told_until),
        (Some(at(850)), Some(at(939))),
        "a record may still be on its way"
    );
    assert_eq!(after.told, telling.told, "and whose it is nobody knows");
    let after = telling.after(look(940), &[], at(1_000));
    assert_eq!(after.counted_at, None);
    assert_eq!(after.told, told([(2, 970)]), "who has been quiet is told of at once the next time");
}

#[test]
fn no_more_are_remembered_than_are_told_of_at_once() {
    let many = MOST_WEBHOOKS as u64 + 7;
    let telling = Telling {
        told: told((1..=many).map(|number| (number, 100 + number.cast_signed()))),
        counted_at: Some(at(850)),
        told_until: None,
    };
    let after = telling.after(Look { from: at(0), until: at(900) }, &[], at(960));
    assert_eq!(after.told, told((8..=many).map(|number| (number, 100 + number.cast_signed()))), "the newest");
}

#[test]
fn what_is_counted_is_told_by_the_first_sweep_that_begins_a_minute_later() {
    for minutes in 2..=5 {
        let (interval, failed) = (minutes * 60, 10_000);
        for first in failed - interval + 1..=failed {
            let mut telling = Telling::default();
            let told = (0..4).map(|round| first + round * interval).find(|&now| {
                telling.counted_at = Some(at(now));
                let Some(look) = telling.look(at(now)) else { return false };
                telling = telling.after(look, &[], at(now));
                (look.from..look.until).contains(&at(failed))
            });
            let expected = (0..4).map(|round| first + round * interval).find(|now| *now > failed + 60);
            assert_eq!(told, expected, "every {minutes} minutes, {} s before", failed - first);
            assert!(told.is_some_and(|told| told <= failed + 60 + interval));
        }
    }
}

fn tally(counts: impl IntoIterator<Item = (u64, u64)>) -> Tally {
    let mut tally = Tally::default();
    for (number, count) in counts {
        (0..count).for_each(|n| tally.add(at(500 + n.cast_signed()), delivery(number, 10 + n.cast_signed())));
    }
    tally
}

#[test]
fn a_group_says_how_many_from_when_to_when_and_of_which_events() {
    let mut tally = Tally::default();
    // They fail in another order than their events happened.
    for (failed, event) in [(503, 20), (501, 30), (502, 10)] {
        tally.add(at(failed), delivery(1, event));
    }
    let group = tally.groups().remove(0);
    assert_eq!((group.webhook, group.count), (webhook(1), 3));
    assert_eq!((group.first, group.last), ((at(501), delivery(1, 30)), (at(503), delivery(1, 20))));
    assert_eq!(group.events, (at(10), at(30)));
}

#[test]
fn the_largest_are_named_and_the_others_are_told_together_so_that_none_is_left_out() {
    let most = u64::try_from(MOST_WEBHOOKS).unwrap();
    let telling = Telling { told: told([(0, 990), (1, 100)]), ..Telling::default() };
    let counts = (0..most + 5).map(|number| (number, number + 1));
    let (named, others) = telling.named(tally(counts.clone()), at(1_000));
    assert_eq!((named.len(), named[0].count, named[0].webhook.clone()), (MOST_WEBHOOKS, most + 5, webhook(most + 4)));
    let others = others.unwrap();
    assert_eq!((others.webhooks, others.all.count), (5, 2 + 3 + 4 + 5 + 1), "with the one that was told of just now");
    let all: u64 = named.iter().map(|group| group.count).sum::<u64>() + others.all.count;
    assert_eq!(all, counts.map(|(_, count)| count).sum::<u64>());
    let after = telling.after(Look { from: at(0), until: at(940) }, &named, at(1_000));
    assert_eq!(after.told.len(), MOST_WEBHOOKS + 1);
    assert!(!after.told.contains_key(&webhook(1)), "it was told of among others, and may be told of by its name");
    let (named, others) = telling.named(tally([(3, 7)]), at(1_000));
    assert_eq!((named.len(), others), (1, None));
}

#[test]
fn a_process_believes_for_half_a_minute_what_it_said_and_only_of_whom_it_knows() {
    let known = Known::new(at(100), Telling { told: told([(1, 90)]), ..Telling::default() });
    assert!(known.counts(&webhook(1), at(129)) && !known.counts(&webhook(1), at(130)));
    assert!(!known.counts(&webhook(2), at(101)), "it may be told of at once");
    assert!(!known.counts(&webhook(1), at(60)), "its clock has gone back");
    let most = u64::try_from(MOST_WEBHOOKS).unwrap();
    let full = Known::new(at(100), Telling { told: told((0..most).map(|number| (number, 90))), ..Telling::default() });
    assert!(full.counts(&webhook(most), at(101)), "no more of them are");
}
