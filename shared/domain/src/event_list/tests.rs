//! Whatever batches events come in, however often they come again, and whatever comes while somebody reads: the list is one list.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::event::{Announce, OwnType};
use crate::id::{EndpointId, JobId};

const NOW: i64 = 1_768_000_000_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

fn tenant(number: u64) -> TenantId {
    TenantId::new(Timestamp::UNIX_EPOCH, number)
}

/// The event of this number, so many milliseconds after the beginning.
fn event(number: u128, after: i64) -> Event {
    let event_type = if number.is_multiple_of(3) { "a.third" } else { "another" };
    let event_type = event_type.parse().unwrap();
    let id = EventId::fresh(number);
    Event { id, event_type, timestamp: at(NOW + after), tenant_id: tenant(1), ..crate::delivery::an_event(at(NOW)) }
}

fn rows(events: &[Event]) -> Vec<ListRow> {
    pack(&events.iter().collect::<Vec<_>>()).into_iter().map(|packed| packed.row).collect()
}

/// A tenant's list as its table holds it.
#[derive(Default)]
struct Table(BTreeMap<String, ListRow>);

impl Table {
    fn put(&mut self, batch: &[Event]) {
        for row in rows(batch) {
            self.0.insert(row.id.clone(), row);
        }
    }

    /// A page, of which each query gives so many rows.
    fn page(&self, asked: &Asked, limit: usize, after: Option<Place>, query: usize) -> (Vec<Listed>, Option<Place>) {
        let mut walk = Walk::new(asked.clone(), limit, after);
        let (lower, mut upper) = walk.bounds();
        while !walk.is_done() {
            let read: Vec<&ListRow> = if lower <= upper {
                self.0.range(lower.clone()..=upper).rev().map(|(_, row)| row).take(query).collect()
            } else {
                Vec::new()
            };
            let rest = read.last().filter(|_| read.len() == query).map(|row| row.read_for_walk().unwrap().0);
            upper = read.last().map(|row| before(&row.id)).unwrap_or_default();
            walk.take(read.iter().map(|row| row.read_for_walk().unwrap()), rest);
        }
        walk.page()
    }

    fn walk(&self, asked: &Asked, limit: usize, query: usize) -> Vec<Listed> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = self.page(asked, limit, after, query);
            assert!(page.len() <= limit);
            all.extend(page);
            // Whoever keeps a place keeps it as text.
            after = next.map(|place| place.to_string().parse().unwrap());
            if after.is_none() {
                return all;
            }
        }
    }
}

/// The greatest text before this one that an id could be.
fn before(id: &str) -> String {
    let (head, last) = id.split_at(id.len() - 1);
    format!("{head}{}~", char::from(last.as_bytes()[0] - 1))
}

fn ids(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|event| event.id.as_str()).collect()
}

fn newest_first(events: &[Event]) -> Vec<&str> {
    let mut events: Vec<&Event> = events.iter().collect();
    events.sort_by_key(|event| std::cmp::Reverse((millis(event.timestamp), event.id.as_str())));
    events.dedup_by_key(|event| event.id.as_str());
    events.into_iter().map(|event| event.id.as_str()).collect()
}

#[test]
fn a_row_tells_what_its_events_are() {
    let job = JobId::short(at(NOW), 1);
    let told = [
        event(1, 0),
        Event { test_of: Some(EndpointId::new(at(NOW), 1)), ..event(2, 5) },
        Event { job_id: Some(job), id: "evt_a-producers_own".parse().unwrap(), ..event(3, 5_000) },
        Event { announce: Some(Announce::JobCreated), ..event(4, 7) },
    ];
    let rows = rows(&told);
    assert_eq!(rows.len(), 1, "one tenant, one batch, one row");
    let listed = rows[0].listed().unwrap();
    let seen: Vec<_> =
        listed.iter().map(|one| (one.id.as_str(), one.event_type.as_str(), one.timestamp, one.kind)).collect();
    let expected = |place: usize, kind| {
        let event: &Event = &told[place];
        (event.id.as_str(), event.event_type.as_str(), event.timestamp, kind)
    };
    assert_eq!(seen, [expected(2, Kind::OfJob), expected(1, Kind::Test), expected(0, Kind::ForWhoAsks)]);
    let kept: ListRow = serde_json::from_value(serde_json::json!(rows[0])).unwrap();
    assert_eq!(kept, rows[0]);
}

#[test]
fn what_comes_again_is_the_same_row_and_what_comes_in_parts_is_another() {
    let events: Vec<Event> = (0..4).map(|n| event(n, i64::try_from(n).unwrap())).collect();
    let mut turned = events.clone();
    turned.reverse();
    assert_eq!(rows(&events), rows(&turned));
    let last = rows(&events[3..]);
    assert_ne!(rows(&events)[0].id, last[0].id, "its newest event is the same");
}

#[test]
fn a_full_batch_costs_less_than_a_tenth_of_a_unit_an_event() {
    let events: Vec<Event> = (0..100).map(|n| event(n, 3 * i64::try_from(n).unwrap())).collect();
    let rows = rows(&events);
    assert_eq!(rows.len(), 1);
    assert!(rows[0].bytes() < 4096, "{} bytes", rows[0].bytes());
    let long =
        |n: u128| Event { id: format!("evt_{n:064}").parse().unwrap(), ..event(n, 3 * i64::try_from(n).unwrap()) };
    let longest: Vec<Event> = (0..100).map(long).collect();
    assert!(self::rows(&longest)[0].bytes() <= 9 * 1024, "the longest ids");
}

#[test]
fn a_row_is_of_one_tenant_one_span_and_one_day_of_expiry_and_of_a_bounded_length() {
    let tenants = rows(&[event(1, 0), Event { tenant_id: tenant(2), ..event(1, 0) }]);
    assert_ne!(tenants[0].list, tenants[1].list);
    assert_eq!(rows(&[event(1, 0), event(2, SPAN_MILLIS)]).len(), 1);
    assert_eq!(rows(&[event(1, 0), event(2, SPAN_MILLIS + 1)]).len(), 2);
    let late = Event { expires_at: 10 * DAY_SECONDS, ..event(2, 0) };
    assert_eq!(rows(&[event(1, 0), late]).iter().map(|row| row.expires_at).collect::<Vec<_>>(), [0, 10 * DAY_SECONDS]);
    let many: Vec<Event> = (0..10_000).map(|n| event(n, 0)).collect();
    let rows = rows(&many);
    assert!(rows.iter().all(|row| row.bytes() < 2 * ROW_BYTES));
    assert_eq!(rows.iter().map(|row| row.listed().unwrap().len()).sum::<usize>(), 10_000);
}

#[test]
fn what_is_no_place_or_no_row_is_told() {
    for bad in ["", "0", "0000000000000000", "00000000!0000000evt_1", "0000000000000000wh_1", "äääääääääääääääää"]
    {
        assert!(bad.parse::<Place>().is_err(), "{bad}");
    }
    let good = &rows(&[event(1, 0)])[0];
    for events in ["x 0 e 1", "0 1 e 1", "0 0 x 1", "0 0 e", "0 0 e a b", "0 0 e ä"] {
        assert!(ListRow { events: events.to_owned(), ..good.clone() }.listed().is_err(), "{events}");
    }
    assert!(ListRow { id: "short".to_owned(), ..good.clone() }.listed().is_err());
}

#[test]
fn one_type_is_found_among_others_and_times_bound_it() {
    let mut table = Table::default();
    let events: Vec<Event> = (0..60).map(|n| event(n, 1_000 * i64::try_from(n).unwrap())).collect();
    events.chunks(7).for_each(|batch| table.put(batch));
    let asked = Asked {
        event: Some("a.third".parse().unwrap()),
        since: Some(at(NOW + 9_000)),
        until: Some(at(NOW + 30_000)),
        ..Asked::default()
    };
    let expected: Vec<Event> =
        [9, 12, 15, 18, 21, 24, 27].into_iter().map(|n| event(n, 1_000 * i64::try_from(n).unwrap())).collect();
    assert_eq!(ids(&table.walk(&asked, 2, 3)), newest_first(&expected));
    let backwards = Asked { since: asked.until, until: asked.since, ..Asked::default() };
    assert_eq!(ids(&table.walk(&backwards, 2, 3)), Vec::<&str>::new());
}

#[test]
fn what_tells_of_changes_is_found_among_others() {
    let mut table = Table::default();
    let of = |n: u128, own: OwnType| Event { event_type: own.into(), ..event(n, i64::try_from(n).unwrap()) };
    let events: Vec<Event> = (0..).zip(OwnType::ALL).map(|(n, own)| of(n, *own)).chain([event(90, 90)]).collect();
    table.put(&events);
    let asked = Asked { changes: true, ..Asked::default() };
    let found: Vec<_> =
        table.walk(&asked, 2, 3).into_iter().map(|listed| listed.event_type.as_str().to_owned()).collect();
    let expected = ["webhook.disabled", "webhook.enabled", "webhook.deleted", "webhook.updated", "webhook.created"];
    assert_eq!(found, expected);
    let both = Asked { event: Some(OwnType::WebhookFailing.into()), ..asked };
    assert_eq!(ids(&table.walk(&both, 2, 3)), Vec::<&str>::new());
}

/// Batches of events of one tenant, by number and time.
fn batches() -> impl Strategy<Value = Vec<Vec<(u128, i64)>>> {
    prop::collection::vec(prop::collection::vec((0_u128..60, 0_i64..40_000), 1..8), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_comes_once_newest_first_while_others_come(
        before in batches(), after in batches(), limit in 1_usize..9, query in 1_usize..6,
    ) {
        let time_of = |number: u128| i64::try_from(number * 7919 % 40_000).unwrap();
        // A number has one time, as an event has, also where it comes in several batches.
        let event_of = |(number, _): &(u128, i64)| event(*number, time_of(*number));
        let mut table = Table::default();
        let mut there = Vec::new();
        for batch in &before {
            let batch: Vec<Event> = batch.iter().map(event_of).collect();
            table.put(&batch);
            there.extend(batch);
        }
        let fresh = |(number, _): &(u128, i64)| event(1_000 + number, time_of(*number));
        let mut coming = after.iter();
        let (mut all, mut place) = (Vec::new(), None);
        loop {
            let (page, next) = table.page(&Asked::default(), limit, place, query);
            all.extend(page);
            place = next.map(|place| place.to_string().parse().unwrap());
            if place.is_none() {
                break;
            }
            if let Some(batch) = coming.next() {
                table.put(&batch.iter().map(fresh).collect::<Vec<_>>());
            }
        }
        let order: Vec<_> = all.iter().map(|one| (millis(one.timestamp), one.id.as_str())).collect();
        prop_assert!(order.is_sorted_by(|one, other| one > other), "{order:?}");
        let was_there = newest_first(&there);
        let seen: Vec<&str> = ids(&all).into_iter().filter(|id| was_there.contains(id)).collect();
        prop_assert_eq!(seen, was_there);
    }

    #[test]
    fn a_page_that_ends_early_goes_on_where_it_ended(before in batches(), query in 1_usize..4) {
        let mut table = Table::default();
        let mut there = Vec::new();
        for batch in &before {
            let batch: Vec<Event> = batch.iter().map(|(number, _)| event(*number, i64::try_from(number * 7919 % 40_000).unwrap())).collect();
            table.put(&batch);
            there.extend(batch);
        }
        let (mut all, mut place) = (Vec::new(), None);
        loop {
            let mut walk = Walk::new(Asked::default(), 1_000, place.take());
            let (lower, mut upper) = walk.bounds();
            while !walk.is_done() && !walk.has_come_on() {
                let read: Vec<&ListRow> = table.0.range(lower.clone()..=upper).rev().map(|(_, row)| row).take(query).collect();
                let rest = read.last().filter(|_| read.len() == query).map(|row| row.read_for_walk().unwrap().0);
                upper = read.last().map(|row| self::before(&row.id)).unwrap_or_default();
                walk.take(read.iter().map(|row| row.read_for_walk().unwrap()), rest);
                if lower > upper { walk.take([], None); }
            }
            let (page, next) = walk.page();
            all.extend(page);
            place = next;
            if place.is_none() {
                break;
            }
        }
        prop_assert_eq!(ids(&all), newest_first(&there));
    }
}
