//! Rows that list a tenant's events. They lie in this table, in a partition of the tenant's own, since the events table has a stream:
//! a row there would be a record that somebody has to pass over.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::future::join_all;
use postrider_domain::event_list::{Asked, ListRow, Listed, Place, Walk, list_of};
use postrider_domain::id::TenantId;
use postrider_host::pause::pause;

use super::DeliveriesTable;
use crate::Page;
use crate::error::{AwsError, Failure, failed, unwritable};
use crate::item::{Item, from_item, text, text_of, to_item};
use crate::rows::readable_by;

const CALL: &str = "Query events' list";
const PUT: &str = "BatchWriteItem events' list";
/// Rows of one call.
const BATCH: usize = 25;
const ROUNDS: u32 = 6;
/// Rows of a page's first query; each further one asks for twice as many, up to the most. A row may list one event or a hundred.
const FEWEST_ROWS: i32 = 8;
const MOST_ROWS: i32 = 512;
/// What a page reads, in bytes, until it may end although it is not full: 64 read units. Where nothing else reaches across its place it
/// reads no more than that and one query.
const READ_BYTES: usize = 256 * 1024;

impl DeliveriesTable {
    /// Lists events. What became of each row is in the rows' order; doing it again is harmless, since a row that is there already is the
    /// same one.
    pub async fn list_events(&self, rows: &[&ListRow]) -> Vec<Result<(), Failure>> {
        let batches = join_all(rows.chunks(BATCH).map(|batch| self.put_batch(batch))).await;
        batches.into_iter().flatten().collect()
    }

    /// Puts as many rows as a call takes, together.
    async fn put_batch(&self, rows: &[&ListRow]) -> Vec<Result<(), Failure>> {
        let open = rows.iter().map(|row| Ok(PutRequest::builder().set_item(Some(to_item(row)?)).build()));
        let open = open.map(|put| put.and_then(|put| put.map_err(unwritable("a row of a list of events"))));
        let mut outcomes: Vec<_> = open.clone().map(|put| put.map(drop)).collect();
        let mut open: Vec<WriteRequest> =
            open.flatten().map(|put| WriteRequest::builder().put_request(put).build()).collect();
        let mut refused = AwsError::busy(PUT, "throttled");
        for round in 0..ROUNDS {
            if open.is_empty() {
                return outcomes;
            }
            pause(round).await;
            let call = self.client.batch_write_item().request_items(&self.name, std::mem::take(&mut open));
            match call.send().await.map_err(failed(PUT)) {
                Ok(answer) => {
                    open = answer.unprocessed_items.unwrap_or_default().remove(&self.name).unwrap_or_default()
                }
                Err(error) => {
                    refused = error;
                    break;
                }
            }
        }
        // Of a call that failed nobody knows which were put; of one that was answered, those that it names were not.
        let unput: Vec<&str> = open.iter().filter_map(|one| text_of(&one.put_request.as_ref()?.item, "id")).collect();
        for (outcome, row) in outcomes.iter_mut().zip(rows) {
            if open.is_empty() || unput.contains(&row.id.as_str()) {
                *outcome = Err(refused.clone());
            }
        }
        outcomes
    }

    /// A page of a tenant's events, newest first, of so many at the most, behind a place. It may be short or empty although more follow,
    /// where few of those that it read were asked for.
    ///
    /// An event is listed once fan-out has come to it, moments after it was published, or much later where the stream stood still or
    /// the event had to be mended first. It then stands at its own time.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn events(
        &self,
        tenant: &TenantId,
        asked: &Asked,
        limit: usize,
        after: Option<&Place>,
    ) -> Result<Page<Listed, Place>, Failure> {
        let mut walk = Walk::new(asked.clone(), limit, after.cloned());
        let (lower, upper) = walk.bounds();
        if lower > upper {
            return Ok(Page { rows: Vec::new(), next: None });
        }
        // Consistent: a page that begins within a row has to find it again, also where a replica is moments behind.
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("endpoint_id = :list AND id BETWEEN :lower AND :upper")
            .expression_attribute_values(":list", text(list_of(tenant)))
            .expression_attribute_values(":lower", text(lower))
            .expression_attribute_values(":upper", text(upper))
            .scan_index_forward(false)
            .consistent_read(true);
        let (mut start, mut of_query, mut read, mut rest) = (None, FEWEST_ROWS, 0, i64::MAX);
        loop {
            let answer =
                query.clone().limit(of_query).set_exclusive_start_key(start).send().await.map_err(failed(CALL))?;
            let items = answer.items.unwrap_or_default();
            read += items.iter().map(bytes_of).sum::<usize>();
            // A key that is no row's of a list says nothing about where the others are.
            let last = answer.last_evaluated_key.as_ref();
            rest = last.and_then(|last| ListRow::newest_in(text_of(last, "id")?)).unwrap_or(rest);
            walk.take(readable_by(items, read_row), last.map(|_| rest));
            if walk.is_done() || (read >= READ_BYTES && walk.has_come_on()) {
                let (rows, next) = walk.page();
                return Ok(Page { rows, next });
            }
            start = answer.last_evaluated_key;
            of_query = of_query.saturating_mul(2).min(MOST_ROWS);
        }
    }
}

fn read_row(item: Item) -> Result<(i64, Vec<Listed>), Failure> {
    let row: ListRow = from_item(item)?;
    row.read_for_walk().map_err(|error| Failure::unreadable("a row of a list of events", error))
}

/// About what a read of a row is billed by: what it says of its events is nearly all of it.
fn bytes_of(item: &Item) -> usize {
    const AROUND: usize = 128;
    AROUND + item.get("events").map_or(0, |events| events.as_s().map_or(0, String::len)) + types_bytes(item)
}

fn types_bytes(item: &Item) -> usize {
    let types = item.get("types").and_then(|types| types.as_l().ok());
    types.into_iter().flatten().map(|each| AttributeValue::as_s(each).map_or(0, String::len)).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use jiff::Timestamp;
    use postrider_domain::event::Event;
    use postrider_domain::event_list::pack;
    use postrider_domain::id::EventId;
    use replay::{Said, Script, item};
    use serde_json::{Value, json};

    use super::*;
    use crate::{sample, sdk};

    fn event(number: u32) -> Event {
        let timestamp = Timestamp::from_millisecond(1_768_000_000_000 + i64::from(number)).unwrap();
        let event_type = if number.is_multiple_of(1_000) { "seldom" } else { "often" };
        Event {
            id: EventId::fresh(number.into()),
            timestamp,
            event_type: event_type.parse().unwrap(),
            ..sample::event()
        }
    }

    fn rows(events: impl IntoIterator<Item = u32>) -> Vec<ListRow> {
        let events: Vec<Event> = events.into_iter().map(event).collect();
        pack(&events.iter().collect::<Vec<_>>()).into_iter().map(|packed| packed.row).collect()
    }

    /// A table with these rows, and beside them whatever else lies there.
    fn table(rows: impl IntoIterator<Item = Value>) -> (Script, DeliveriesTable) {
        let rows: BTreeMap<String, Value> =
            rows.into_iter().map(|row| (row["id"].as_str().unwrap_or_default().to_owned(), row)).collect();
        let rows = Arc::new(Mutex::new(rows));
        let script = Script::default().answering("Query", move |asked: &Value| {
            let values = &asked["ExpressionAttributeValues"];
            let bound = |name: &str| values[name].as_str().map(str::to_owned);
            let start = asked["ExclusiveStartKey"]["id"].as_str().unwrap_or("~~").to_owned();
            let limit = usize::try_from(asked["Limit"].as_u64()?).ok()?;
            let (lower, upper) = (bound(":lower")?, bound(":upper")?);
            let rows = rows.lock().ok()?;
            let within = rows.range(lower..=upper).rev().filter(|(id, _)| id.as_str() < start.as_str());
            let read: Vec<&Value> = within.map(|(_, row)| row).take(limit).collect();
            let mut body = json!({"Items": read.iter().copied().map(item).collect::<Vec<_>>()});
            if read.len() == limit {
                let last = read.last()?;
                body["LastEvaluatedKey"] = item(&json!({"endpoint_id": last["endpoint_id"], "id": last["id"]}));
            }
            Some(Said::body(body))
        });
        let table = DeliveriesTable::of(&script.sdk(sdk::over), "deliveries");
        (script, table)
    }

    async fn walk(table: &DeliveriesTable, asked: &Asked, limit: usize) -> Vec<Vec<EventId>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = table.events(&sample::event().tenant_id, asked, limit, after.as_ref()).await.unwrap();
            pages.push(page.rows.into_iter().map(|event| event.id).collect());
            after = page.next;
            if after.is_none() {
                return pages;
            }
        }
    }

    fn newest_first(events: impl DoubleEndedIterator<Item = u32>) -> Vec<EventId> {
        events.rev().map(|number| event(number).id).collect()
    }

    #[tokio::test]
    async fn a_page_reads_little_more_than_it_shows() {
        let all = (0..40_u32).flat_map(|batch| rows(100 * batch..100 * (batch + 1)));
        let (script, table) = table(all.map(|row| json!(row)));
        let pages = walk(&table, &Asked::default(), 50).await;
        assert_eq!(pages.concat(), newest_first(0..4_000));
        assert!(pages.len() <= 81, "{}", pages.len());
        assert_eq!(script.asked("Query").len(), pages.len(), "one call a page");
        assert!(script.asked("Query").iter().all(|query| query["ConsistentRead"] == true && query["Limit"] == 8));
    }

    #[tokio::test]
    async fn a_rare_type_costs_a_page_a_bounded_read() {
        let all = (0..2_000_u32).flat_map(|batch| rows(50 * batch..50 * (batch + 1)));
        let (script, table) = table(all.map(|row| json!(row)));
        let asked = Asked { event: Some("seldom".parse().unwrap()), ..Asked::default() };
        let pages = walk(&table, &asked, 200).await;
        assert_eq!(pages.concat(), newest_first((0..100_000).step_by(1_000)));
        assert!(pages.len() > 5 && pages[..pages.len() - 1].iter().all(|page| page.len() < 200), "{}", pages.len());
        let calls = script.asked("Query").len() / pages.len();
        assert!(calls <= 8, "{calls} calls a page");
    }

    #[tokio::test]
    async fn what_is_no_row_of_a_list_hides_none_of_the_others() {
        let mut all: Vec<Value> = (0..30).flat_map(|number| rows([number])).map(|row| json!(row)).collect();
        let list = all[0]["endpoint_id"].clone();
        all.push(json!({"endpoint_id": list, "id": "by hand"}));
        all.push(json!({"endpoint_id": list, "id": all[20]["id"].as_str().unwrap().to_owned() + "x", "events": "?"}));
        let (_, table) = table(all);
        for limit in [1, 7, 200] {
            assert_eq!(walk(&table, &Asked::default(), limit).await.concat(), newest_first(0..30));
        }
    }

    fn throttled(rows: &[ListRow]) -> Said {
        let put = |row: &ListRow| json!({"PutRequest": {"Item": item(row)}});
        Said::body(json!({"UnprocessedItems": {"deliveries": rows.iter().map(put).collect::<Vec<_>>()}}))
    }

    #[tokio::test(start_paused = true)]
    async fn rows_that_are_not_taken_at_once_are_put_again_and_one_that_never_is_fails_alone() {
        let all: Vec<ListRow> = (0..3).flat_map(|number| rows([number])).collect();
        let mut answers = vec![throttled(&all[1..])];
        answers.extend((1..ROUNDS).map(|_| throttled(&all[2..])));
        let script = Script::new(answers);
        let table = DeliveriesTable::of(&script.sdk(sdk::over), "deliveries");
        let puts = table.list_events(&all.iter().collect::<Vec<_>>()).await;
        assert_eq!(puts.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
        let asked = script.asked("BatchWriteItem");
        assert_eq!(
            asked.iter().map(|call| call["RequestItems"]["deliveries"].as_array().unwrap().len()).collect::<Vec<_>>(),
            [3, 2, 1, 1, 1, 1]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_fails_takes_nothing_from_another() {
        let all: Vec<ListRow> = (0..30).flat_map(|number| rows([number])).collect();
        let script = Script::default()
            .saying_about("BatchWriteItem", all[29].id.clone(), [Said::lost(), Said::lost(), Said::lost()])
            .saying("BatchWriteItem", [Said::body(json!({"UnprocessedItems": {}}))]);
        let table = DeliveriesTable::of(&script.sdk(sdk::over), "deliveries");
        let puts = table.list_events(&all.iter().collect::<Vec<_>>()).await;
        assert!(puts[..25].iter().all(Result::is_ok) && puts[25..].iter().all(Result::is_err));
    }
}
