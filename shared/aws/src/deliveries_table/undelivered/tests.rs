//! The list is one list, whatever the shards: every row once, in order, and nobody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::repeat_with;
use std::ops::Bound;

use jiff::Timestamp;
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::event::Event;
use postrider_domain::id::{EndpointId, EventId};
use proptest::prelude::*;
use replay::{Said, Script, expression};
use serde_json::{Value, json};

use super::*;
use crate::deliveries_table::Standing;
use crate::item_size::size_of;
use crate::{sample, sdk};

/// What a read unit is of.
const READ_BYTES: usize = 4096;

fn tenant(number: u64) -> TenantId {
    TenantId::new(Timestamp::UNIX_EPOCH, number)
}

/// A delivery of one of a tenant's seven endpoints.
fn row(owner: u64, number: u64, status: Status) -> Delivery {
    let at = Timestamp::from_millisecond(i64::try_from(number / 3).unwrap()).unwrap();
    let id = EventId::fresh(number.into());
    let event = Event { tenant_id: tenant(owner), id, timestamp: at, ..sample::event() };
    let endpoint = EndpointId::new(Timestamp::UNIX_EPOCH, 10 * owner + number % 7);
    let reason = (status == Status::Failed).then_some(Reason::AttemptsExhausted);
    Delivery { status, reason, ..Delivery::pending(&event, endpoint, at, 0) }
}

/// Of every four rows two are retrying, one has failed and one is cancelled.
fn rows(owner: u64, count: u64) -> Vec<Delivery> {
    let stands = [Status::Retrying, Status::Failed, Status::Retrying, Status::Cancelled];
    (0..count).zip(stands.into_iter().cycle()).map(|(number, status)| row(owner, number, status)).collect()
}

fn ids_of(rows: &[Delivery], is_asked_for: impl Fn(&Delivery) -> bool) -> Vec<DeliveryId> {
    let mut ids: Vec<DeliveryId> = rows.iter().filter(|row| is_asked_for(row)).map(|row| row.id.clone()).collect();
    ids.sort_by(|one, other| other.cmp(one));
    ids
}

/// An index that holds these rows, as DynamoDB answers: so many of a list, from the last one downwards, and whether more follow.
fn index(rows: Vec<Delivery>) -> Script {
    let mut lists: BTreeMap<String, BTreeMap<String, Delivery>> = BTreeMap::new();
    for row in &rows {
        lists.entry(list_of(row)).or_default().insert(row.id.to_string(), row.clone());
    }
    let answer = move |asked: &Value| {
        let values = &asked["ExpressionAttributeValues"];
        let list = lists.get(values[":list"].as_str()?).cloned().unwrap_or_default();
        let from = values[":from"].as_str().unwrap_or_default().to_owned();
        // BETWEEN takes its last along.
        let upper = match values[":last"].as_str() {
            Some(last) => Bound::Included(last.to_owned()),
            None => Bound::Excluded(values[":after"].as_str().unwrap_or("~").to_owned()),
        };
        let limit = usize::try_from(asked["Limit"].as_u64()?).ok()?;
        let read: Vec<Value> = list
            .range((Bound::Included(from), upper))
            .rev()
            .take(limit)
            .map(|(_, row)| replay::item(&key_of(row)))
            .collect();
        let mut body = json!({"Items": read});
        if let Some(last) = read.get(limit - 1) {
            body["LastEvaluatedKey"] = last.clone();
        }
        Some(Said::body(body))
    };
    Script::default().holding("deliveries", rows.iter().map(|row| json!(row))).answering("Query", answer)
}

fn key_of(row: &Delivery) -> Value {
    json!({"endpoint_id": row.endpoint_id, "id": row.id, "undelivered_tenant": list_of(row)})
}

fn table(script: &Script) -> DeliveriesTable {
    DeliveriesTable::of(&script.sdk(sdk::over), "deliveries")
}

/// Those that stand so, or all of them.
fn standing(status: Option<Status>) -> Filter {
    Filter { standing: Some(status.map_or(Standing::Undelivered, Standing::As)), ..Filter::default() }
}

/// All pages, each with the ids on it.
async fn walk(table: &DeliveriesTable, tenant: &TenantId, status: Option<Status>, limit: i32) -> Vec<Vec<DeliveryId>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = table.undelivered(tenant, &standing(status), limit, after.as_ref()).await.unwrap();
        pages.push(page.rows.into_iter().map(|row| row.id).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn every_row_comes_once_newest_first_and_none_of_another_tenants() {
    let (one, other) = (tenant(1), tenant(2));
    let (ours, theirs) = (rows(1, 99), rows(2, 40));
    let table = table(&index(ours.iter().chain(&theirs).cloned().collect()));
    let [retrying, failed, cancelled] = [Status::Retrying, Status::Failed, Status::Cancelled].map(Some);
    for (limit, status) in [(1, None), (7, None), (7, retrying), (20, failed), (50, cancelled), (200, None)] {
        let pages = walk(&table, &one, status, limit).await;
        assert!(pages.iter().all(|page| page.len() <= usize::try_from(limit).unwrap()), "limit {limit}");
        let expected = ids_of(&ours, |row| status.is_none_or(|status| row.status == status));
        assert_eq!(pages.concat(), expected, "{status:?}, limit {limit}");
    }
    assert_eq!(walk(&table, &other, None, 50).await.concat(), ids_of(&theirs, |_| true));
    assert_eq!(walk(&table, &tenant(3), None, 50).await, [Vec::new()], "one call for a list of nothing");
}

#[tokio::test]
async fn a_page_reads_a_share_of_each_shard_and_no_row_that_it_does_not_show() {
    let one = tenant(1);
    let script = index(rows(1, 500));
    let table = table(&script);
    for (limit, of_each) in [(1, 1), (4, 4), (50, 11), (150, 20), (200, 23)] {
        let before = (script.asked("Query").len(), script.asked("BatchGetItem").len());
        let page = table.undelivered(&one, &standing(None), limit, None).await.unwrap();
        let queries = script.asked("Query").split_off(before.0);
        assert!(queries.iter().all(|query| query["Limit"] == of_each), "{queries:?}");
        let lists: BTreeSet<_> =
            queries.iter().map(|query| query["ExpressionAttributeValues"][":list"].to_string()).collect();
        assert_eq!((queries.len(), lists.len()), (16, 16));
        let gets = script.asked("BatchGetItem").split_off(before.1);
        let read = |get: &Value| get["RequestItems"]["deliveries"]["Keys"].as_array().unwrap().len();
        assert_eq!(gets.iter().map(read).sum::<usize>(), page.rows.len());
        assert_eq!(page.rows.len(), usize::try_from(limit).unwrap(), "and it is full");
    }
    assert!(READ_BYTES / size_of(&entry()) >= 32, "as many cost what one does");
}

fn entry() -> crate::item::Item {
    serde_dynamo::to_item(key_of(&row(1, 1, Status::Failed))).unwrap()
}

#[tokio::test]
async fn a_list_goes_on_from_a_row_that_lies_in_no_shard_any_more() {
    let one = tenant(1);
    let mut all = rows(1, 100);
    let ids = ids_of(&all, |_| true);
    all.retain(|row| row.id != ids[29]);
    let script = index(all);
    let page = table(&script).undelivered(&one, &standing(None), 20, Some(&ids[29])).await.unwrap();
    assert_eq!(page.rows.into_iter().map(|row| row.id).collect::<Vec<_>>(), ids[30..50]);
    let query = script.asked("Query").remove(0);
    assert_eq!((&query["IndexName"], &query["ScanIndexForward"]), (&json!("undelivered"), &json!(false)));
    let bounds = format!(r#"undelivered_tenant = "0000000000000001#0" AND id < "{}""#, ids[29]);
    assert_eq!(expression(&query, "KeyConditionExpression"), bounds);
}

#[tokio::test]
async fn a_list_of_some_time_is_asked_for_by_its_ids() {
    let one = tenant(1);
    let all = rows(1, 900);
    let script = index(all.clone());
    let at = |millis| Some(Timestamp::from_millisecond(millis).unwrap());
    for (since, until) in [(at(40), at(250)), (None, at(90)), (at(200), None), (at(70), at(70)), (at(80), at(79))] {
        for status in [None, Some(Status::Failed)] {
            let filter = Filter { since, until, ..standing(status) };
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = table(&script).undelivered(&one, &filter, 30, after.as_ref()).await.unwrap();
                found.extend(page.rows.into_iter().map(|row| row.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
                assert!(after.as_ref().is_some_and(|after| filter.holds(after)), "a cursor lies within the times");
            }
            let expected = ids_of(&all, |row| {
                since.is_none_or(|since| row.created_at >= since)
                    && until.is_none_or(|until| row.created_at < until)
                    && status.is_none_or(|status| row.status == status)
            });
            assert_eq!(found, expected, "{since:?} to {until:?}, {status:?}");
        }
    }
    for query in script.asked("Query") {
        let values = &query["ExpressionAttributeValues"];
        let (from, last) = (values[":from"].as_str(), values[":last"].as_str());
        assert!(from.zip(last).is_none_or(|(from, last)| from <= last), "DynamoDB takes no bounds the wrong way round");
    }
}

#[tokio::test]
async fn an_unlucky_filter_reads_two_hundred_rows_and_then_answers_with_none() {
    let script = index(rows(1, 900));
    let nothing = Filter { event: Some("never.happens".parse().unwrap()), ..standing(None) };
    for limit in [1, 50, 200] {
        let before = script.asked("BatchGetItem").len();
        let page = table(&script).undelivered(&tenant(1), &nothing, limit, None).await.unwrap();
        let gets = script.asked("BatchGetItem").split_off(before);
        let read = |get: &Value| get["RequestItems"]["deliveries"]["Keys"].as_array().unwrap().len();
        let read: usize = gets.iter().map(read).sum();
        assert!(page.rows.is_empty() && page.next.is_some() && (150..=200).contains(&read), "limit {limit}: {read}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Of ids, and of what bounds them.
    #[test]
    fn what_comes_before_a_text_comes_up_to_just_below_it(id in "[0-9A-Za-z]{1,6}", text in "[0-9A-Za-z]{1,6}") {
        prop_assert_eq!(id.as_str() < text.as_str(), id.as_str() <= just_below(&text).as_str(), "{}", just_below(&text));
    }
}

#[tokio::test]
async fn what_the_index_still_shows_is_judged_by_its_row() {
    let one = tenant(1);
    let listed = [
        row(1, 1, Status::Retrying),
        // Delivered meanwhile.
        row(1, 2, Status::Succeeded),
        Delivery { delivered_at: Some(Timestamp::UNIX_EPOCH), ..row(1, 3, Status::Retrying) },
        // Put there by hand.
        row(2, 4, Status::Failed),
    ];
    let keys: Vec<Value> = listed.iter().map(key_of).collect();
    // Once more, in another shard.
    let first = listed[0].id.to_string();
    let script = Script::default()
        .holding("deliveries", listed.iter().map(|row| json!(row)))
        .saying_about("Query", list(&one, 0), [Said::rows(&keys)])
        .saying_about("Query", list(&one, 1), [Said::rows(&keys[..1])])
        .saying("Query", repeat_with(|| Said::rows::<Value>(&[])));
    let page = table(&script).undelivered(&one, &standing(None), 50, None).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), [first.as_str()]);
}

#[test]
fn a_list_is_one_tenants_and_one_of_its_shards() {
    let all = rows(1, 8_000);
    let mut sizes = BTreeMap::new();
    for row in &all {
        *sizes.entry(list_of(row)).or_insert(0) += 1;
    }
    let lists: Vec<String> = (0..16).map(|shard| format!("0000000000000001#{shard:x}")).collect();
    assert!(sizes.keys().eq(&lists), "{sizes:?}");
    assert!(sizes.values().all(|size| (400..=600).contains(size)), "{sizes:?}");
    assert!(lists[0].len() <= tenant(1).as_str().len(), "a longer one costs who refuses everything a unit");
    // One event for very many endpoints.
    let at = Timestamp::UNIX_EPOCH;
    let wide = (0..8_000).map(|n| Delivery::pending(&sample::event(), EndpointId::new(at, n), at, 0));
    let mut sizes = BTreeMap::new();
    wide.for_each(|row| *sizes.entry(list_of(&row)).or_insert(0) += 1);
    assert!(sizes.len() == 16 && sizes.values().all(|size| (400..=600).contains(size)), "{sizes:?}");
}

/// A shard as it is read: so many rows below a place, and whether there are more, which DynamoDB also says at the very end.
fn read<Id: Ord + Clone>(shard: &BTreeSet<Id>, after: Option<&Id>, limit: usize) -> Page<Id, Id> {
    let below = (Bound::Unbounded, after.map_or(Bound::Unbounded, Bound::Excluded));
    let rows: Vec<Id> = shard.range(below).rev().take(limit).cloned().collect();
    let next = rows.get(limit - 1).cloned();
    Page { rows, next }
}

#[test]
fn few_pages_are_short() {
    let mut shards: BTreeMap<String, BTreeSet<DeliveryId>> = BTreeMap::new();
    for row in rows(1, 10_000) {
        shards.entry(list_of(&row)).or_default().insert(row.id);
    }
    for limit in [10, 50, 200] {
        let (mut pages, mut full, mut after) = (0, 0, None);
        loop {
            let of_each = usize::try_from(share(limit)).unwrap();
            let parts = shards.values().map(|shard| read(shard, after.as_ref(), of_each)).collect();
            let page = merged(parts, usize::try_from(limit).unwrap());
            (pages, after) = (pages + 1, page.next);
            full += usize::from(page.rows.len() == usize::try_from(limit).unwrap());
            if after.is_none() {
                break;
            }
        }
        assert!(full * 20 >= (pages - 1) * 19, "limit {limit}: {full} of {pages}");
    }
}

proptest! {
    /// Whatever lies in which shard, however much is read of each, and whatever comes and goes between two pages.
    #[test]
    fn a_walk_gives_every_row_once_in_order_while_rows_come_and_go(
        split in prop::collection::btree_map(0_u16..400, 0_usize..8, 0..120),
        limit in 1_usize..30,
        of_each in prop::collection::vec(1_usize..12, 8),
        changes in prop::collection::vec(prop::collection::vec((0_u16..400, 0_usize..8, any::<bool>()), 0..6), 0..40),
    ) {
        let mut shards = vec![BTreeSet::new(); 8];
        split.iter().for_each(|(row, shard)| { shards[*shard].insert(*row); });
        let mut stayed: BTreeSet<u16> = split.keys().copied().collect();
        let mut changes = changes.into_iter();
        let (mut seen, mut after): (Vec<u16>, Option<u16>) = (Vec::new(), None);
        loop {
            let parts = shards.iter().zip(&of_each).map(|(shard, most)| read(shard, after.as_ref(), *most));
            let page = merged(parts.collect(), limit);
            prop_assert!(page.rows.len() <= limit, "{page:?}");
            prop_assert!(page.next.is_none() || !page.rows.is_empty(), "it gets on: {page:?}");
            prop_assert!(page.next.is_none_or(|next| page.rows.last() == Some(&next)), "{page:?}");
            seen.extend(page.rows);
            let Some(next) = page.next else { break };
            after = Some(next);
            for (row, shard, comes) in changes.next().into_iter().flatten() {
                if comes && !shards.iter().any(|shard| shard.contains(&row)) {
                    shards[shard].insert(row);
                } else if !comes {
                    shards.iter_mut().for_each(|shard| { shard.remove(&row); });
                    stayed.remove(&row);
                }
            }
        }
        prop_assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "in order, none twice: {seen:?}");
        let missed: Vec<_> = stayed.iter().filter(|row| !seen.contains(row)).collect();
        prop_assert!(missed.is_empty(), "{missed:?} of {seen:?}");
    }
}
