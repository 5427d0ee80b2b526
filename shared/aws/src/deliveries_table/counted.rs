//! Failures that are still to be told of: in the index `due`, whose rows nobody brings back that lie there under their tenant's
//! lists, by when they failed. The record that makes a row failed puts it there for the price of a unit, in place of the shard that it
//! leaves. A further round, or a late success, takes it away like any place in that index, and so out of the count.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use jiff::Timestamp;
use postrider_domain::delivery::Delivery;
use postrider_domain::failures::{Look, Tally};
use postrider_domain::id::{DeliveryId, TenantId};
use postrider_domain::time;
use postrider_host::clock;

use super::undelivered::{self, SHARDS};
use super::{Change, DeliveriesTable};
use crate::error::{Failure, failed};
use crate::item::{Item, text, text_of};

const QUERY: &str = "Query deliveries that failed";
/// Failures that one query reads.
const ROWS: i32 = 5_000;
/// Queries of one list in a look: what is behind them is counted by the next one.
const PAGES: usize = 4;

type Failed = (Timestamp, DeliveryId);

impl Change {
    /// Nothing is due any more, and the failure is to be counted, as one of now.
    pub(super) fn counted(&mut self, row: &Delivery) {
        self.set("due_at = :failed, due_shard = :counted");
        self.values.push((":failed", text(time::wire(clock::now()))));
        self.values.push((":counted", text(undelivered::list_of(row))));
        self.remove.push("next_attempt_at, waits_until".into());
    }
}

impl DeliveriesTable {
    /// Counts the failures of a tenant's that a look is about, and how far it came: all before that is counted, and nothing else.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn count_failed(&self, tenant: &TenantId, look: Look) -> Result<(Tally, Look), Failure> {
        let lists = (0..SHARDS).map(|shard| self.failed_in(undelivered::list(tenant, shard), look));
        let lists: Vec<(Vec<Failed>, Option<Timestamp>)> = try_join_all(lists).await?;
        // What failed in the same moment as the last that was read may be behind it.
        let until = lists.iter().filter_map(|(_, stopped)| *stopped).min().map_or(look.until, |at| at.min(look.until));
        let mut tally = Tally::default();
        for (at, id) in lists.into_iter().flat_map(|(rows, _)| rows).filter(|(at, _)| *at < until) {
            tally.add(at, id);
        }
        Ok((tally, Look { until, ..look }))
    }

    /// What failed in a list, the first first, and when the last of that did if more may follow.
    async fn failed_in(&self, list: String, look: Look) -> Result<(Vec<Failed>, Option<Timestamp>), Failure> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("due")
            .key_condition_expression("due_shard = :list AND due_at BETWEEN :from AND :last")
            .expression_attribute_values(":list", text(list))
            .expression_attribute_values(":from", text(time::wire(look.from)))
            .expression_attribute_values(":last", text(time::wire(time::plus_millis(look.until, -1))))
            .limit(ROWS);
        let (mut rows, mut after): (Vec<Failed>, Option<Item>) = (Vec::new(), None);
        for _ in 0..PAGES {
            let page = query.clone().set_exclusive_start_key(after).send().await.map_err(failed(QUERY))?;
            // A row without a time or an id would be in no index, and no such row is ever counted.
            rows.extend(page.items().iter().filter_map(|item| Some((time_in(item)?, id_in(item)?))));
            match page.last_evaluated_key {
                None => return Ok((rows, None)),
                Some(last) => after = Some(last),
            }
        }
        let stopped = after.as_ref().and_then(time_in);
        Ok((rows, stopped.or(Some(look.from))))
    }
}

fn time_in(item: &Item) -> Option<Timestamp> {
    item.get("due_at").map(AttributeValue::as_s)?.ok()?.parse().ok()
}

fn id_in(item: &Item) -> Option<DeliveryId> {
    text_of(item, "id")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_with;

    use postrider_domain::id::{EndpointId, EventId};
    use replay::{Said, Script, item};
    use serde_json::{Value, json};

    use super::*;
    use crate::sdk;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn tenant() -> TenantId {
        TenantId::new(at(0), 1)
    }

    fn failed(event: u64, second: i64) -> Value {
        let id = DeliveryId::new(at(5), &EndpointId::new(at(0), 2), &EventId::fresh(event.into()));
        json!({"id": id, "due_at": time::wire(at(second))})
    }

    fn page(rows: &[Value], has_more: bool) -> Said {
        let mut body = json!({"Items": rows.iter().map(item).collect::<Vec<_>>()});
        if has_more {
            body["LastEvaluatedKey"] = item(rows.last().unwrap());
        }
        Said::body(body)
    }

    async fn counted(script: &Script) -> (u64, Look) {
        let table = DeliveriesTable::of(&script.sdk(sdk::over), "deliveries");
        let look = Look { from: at(100), until: at(200) };
        let (tally, look) = table.count_failed(&tenant(), look).await.unwrap();
        (tally.groups().iter().map(|group| group.count).sum(), look)
    }

    #[tokio::test]
    async fn all_of_a_tenants_lists_are_counted_between_the_times_of_a_look() {
        let script = Script::default()
            .saying("Query", [page(&[failed(1, 100), failed(2, 150)], true), page(&[failed(3, 151)], false)])
            .saying("Query", repeat_with(|| Said::rows::<Value>(&[])));
        assert_eq!(counted(&script).await, (3, Look { from: at(100), until: at(200) }));
        let asked = script.asked("Query");
        let lists: std::collections::BTreeSet<String> =
            asked.iter().map(|query| query["ExpressionAttributeValues"][":list"].to_string()).collect();
        assert_eq!((asked.len(), lists.len()), (17, 16));
        let values = &asked[0]["ExpressionAttributeValues"];
        let expected = ["1970-01-01T00:01:40.000Z", "1970-01-01T00:03:19.999Z"];
        assert_eq!([&values[":from"], &values[":last"]], expected, "what failed at its end is the next look's");
    }

    #[tokio::test]
    async fn a_look_at_very_many_ends_before_what_it_has_not_read_and_the_next_goes_on_there() {
        let much: Vec<Said> = (1..=4).map(|n| page(&[failed(n, 100 + n.cast_signed())], true)).collect();
        let all_else = |query: &Value| {
            let list = query["ExpressionAttributeValues"][":list"].as_str()?.to_owned();
            let rows =
                if list.ends_with("#1") { vec![failed(9, 103), failed(10, 104), failed(11, 190)] } else { vec![] };
            Some(page(&rows, false))
        };
        let script = Script::default().saying_about("Query", "#0\"", much).answering("Query", all_else);
        assert_eq!(counted(&script).await, (3 + 1, Look { from: at(100), until: at(104) }), "101 to 103, and 103");
    }
}
