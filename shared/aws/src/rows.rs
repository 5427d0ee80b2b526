//! Many rows at once: one that cannot be read hides none of the others. It is skipped, logged with its key, and counted.

use std::collections::HashSet;
use std::fmt::Display;
use std::str::FromStr;

use postrider_domain::delivery::Delivery;
use postrider_domain::id::JobId;
use postrider_host::metrics::{self, Metric};
use serde::de::DeserializeOwned;

use crate::error::Failure;
use crate::item::{Item, from_item, text_of};

/// What names a row in each of the tables, in this order.
const KEYS: [&str; 5] = ["pk", "sk", "tenant_id", "endpoint_id", "id"];

/// Those of these rows that can be read, in their order.
///
/// The one way to read a list: whoever lists, sweeps, recovers or matches must not be stopped by a row that somebody wrote
/// by hand, or that a version to come has written.
pub(crate) fn readable<T: DeserializeOwned>(items: impl IntoIterator<Item = Item>) -> Vec<T> {
    readable_by(items, from_item)
}

/// The same where a row is read in a way of its own.
pub(crate) fn readable_by<T>(
    items: impl IntoIterator<Item = Item>,
    read: impl Fn(Item) -> Result<T, Failure>,
) -> Vec<T> {
    past_unreadable(items.into_iter().map(|item| (key_of(&item), read(item))))
}

/// The ids by which these rows are named, in their order: what follows `prefix` in the attribute `name`. Whoever reads rows
/// by ids that a list holds must not lose one without a trace.
pub(crate) fn ids<T: FromStr>(items: &[Item], name: &str, prefix: &str) -> Vec<T> {
    let id = |item| id_in(item, name, prefix).ok_or_else(|| Failure::unreadable("a key", "it is no id"));
    past_unreadable(items.iter().map(|item| (key_of(item), id(item))))
}

/// The id in one row's attribute, if it is one.
pub(crate) fn id_in<T: FromStr>(item: &Item, name: &str, prefix: &str) -> Option<T> {
    text_of(item, name)?.strip_prefix(prefix)?.parse().ok()
}

fn past_unreadable<T>(read: impl Iterator<Item = (String, Result<T, Failure>)>) -> Vec<T> {
    let (mut rows, mut skipped) = (Vec::new(), 0_u32);
    for (key, row) in read {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => {
                log(&key, &error);
                skipped += 1;
            }
        }
    }
    if skipped > 0 {
        count(skipped);
    }
    rows
}

/// Tells of one row that was to be read by itself, beside others.
pub fn unreadable(key: &str, error: &dyn Display) {
    log(key, error);
    count(1);
}

/// Tells of a row that is absent although nobody has deleted it: it is lost, and whatever hangs on it waits.
pub fn missing(key: &str) {
    tracing::error!(key, "row.missing");
    count_missing(1);
}

/// The same of a delivery's webhook, tenant or job.
pub fn missing_for(row: &Delivery) {
    log_missing_for(row);
    count_missing(1);
}

/// The same of many deliveries: all count, and each webhook or job has one line.
pub fn missing_for_all(rows: &[&Delivery]) {
    let mut told = HashSet::new();
    for row in rows {
        if told.insert((&row.endpoint_id, &row.job_id)) {
            log_missing_for(row);
        }
    }
    if !rows.is_empty() {
        count_missing(rows.len());
    }
}

fn log_missing_for(row: &Delivery) {
    tracing::error!(
        delivery_id = row.id.as_str(),
        webhook_id = row.endpoint_id.as_str(),
        tenant_id = row.tenant_id.as_str(),
        job_id = row.job_id.as_ref().map(JobId::as_str),
        "delivery.row_missing"
    );
}

/// Without a dimension beside the function, as [`count`] has it.
fn count_missing(rows: usize) {
    metrics::emit(Metric::MissingRows, &[], &[rows as f64]);
}

fn log(key: &str, error: &dyn Display) {
    tracing::error!(key, error = %error, "row.unreadable");
}

/// Without a dimension beside the function: of tenants there are many, and each series is paid for.
fn count(rows: u32) {
    metrics::emit(Metric::UnreadableRows, &[], &[f64::from(rows)]);
}

/// The key of a row in words, such as `TENANT#ten_… WEBHOOK#wh_…`.
pub(crate) fn key_of(item: &Item) -> String {
    let names = if item.contains_key("pk") { &KEYS[..2] } else { &KEYS[2..] };
    names.iter().filter_map(|name| text_of(item, name)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{number, text};

    fn row(name: &str, value: aws_sdk_dynamodb::types::AttributeValue) -> Item {
        [("pk".to_owned(), text("TENANT#t")), ("sk".to_owned(), text("WEBHOOK#w")), (name.to_owned(), value)].into()
    }

    #[derive(serde::Deserialize)]
    struct Named {
        name: String,
    }

    #[test]
    fn one_that_cannot_be_read_hides_none_of_the_others() {
        let items = [row("name", text("a")), row("name", number(7)), row("other", text("b")), row("name", text("c"))];
        let names: Vec<String> = readable(items).into_iter().map(|row: Named| row.name).collect();
        assert_eq!(names, ["a", "c"]);
    }

    #[test]
    fn a_name_that_is_no_id_hides_none_of_the_others() {
        let named = |sort: &str| -> Item { [("pk".to_owned(), text("P")), ("sk".to_owned(), text(sort))].into() };
        let items = [named("N#1"), named("N#x"), named("M#2"), Item::new(), named("N#3")];
        assert_eq!(ids::<u8>(&items, "sk", "N#"), [1, 3]);
    }

    #[test]
    fn a_key_says_where_the_row_lies() {
        assert_eq!(key_of(&row("tenant_id", text("t"))), "TENANT#t WEBHOOK#w");
        let delivery: Item = [("endpoint_id".to_owned(), text("wh_1")), ("id".to_owned(), text("dlv_1"))].into();
        assert_eq!(key_of(&delivery), "wh_1 dlv_1");
    }
}
