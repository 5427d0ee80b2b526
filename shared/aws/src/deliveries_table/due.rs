//! The `due` index: retrying rows by the time of their next attempt, in 16 shards so that no partition runs hot.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postrider_domain::delivery::Delivery;
use postrider_domain::id::DeliveryId;
use postrider_domain::time;
use postrider_host::clock;

use super::{DeliveriesTable, shard};
use crate::error::{Failure, failed};
use crate::item::{Item, text};
use crate::rows;

/// How many partitions the index has.
pub const SHARDS: u8 = 16;
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);
/// A stretch of so many milliseconds is not worth a query for each half.
const SHORT_MS: i64 = 60_000;

/// The shard of a row.
pub(super) fn shard_of(id: &DeliveryId) -> String {
    format!("{:02}", shard::of(id, SHARDS))
}

/// A part of a shard, by when its rows are due; what of it is still to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    shard: u8,
    /// From this time on.
    from: Timestamp,
    /// Up to just before this time, or to the end.
    before: Option<Timestamp>,
    /// What was read last.
    after: Option<Item>,
}

impl Stretch {
    /// All of a shard.
    pub fn whole(shard: u8) -> Self {
        Self { shard, from: Timestamp::UNIX_EPOCH, before: None, after: None }
    }

    /// Which shard it is of.
    pub fn shard(&self) -> u8 {
        self.shard
    }

    /// When what comes next is due, or later.
    fn begin(&self) -> Timestamp {
        let last = self.after.as_ref().and_then(|key| key.get("due_at")?.as_s().ok()?.parse().ok());
        last.unwrap_or(self.from)
    }

    /// The same in two parts, that from any instant on first; whole where it is short. Whoever reads those parts sees rows that stand
    /// behind more others than he has time for.
    pub fn split(self, now: Timestamp, random: u64) -> Vec<Self> {
        let end = self.before.unwrap_or(now);
        let millis = end.as_millisecond() - self.begin().as_millisecond();
        if millis <= SHORT_MS {
            return vec![self];
        }
        let part = i64::try_from(random % millis.unsigned_abs()).unwrap_or_default().max(1);
        let Ok(at) = Timestamp::from_millisecond(self.begin().as_millisecond() + part) else { return vec![self] };
        let later = Self { from: at, after: None, ..self.clone() };
        vec![later, Self { before: Some(at), ..self }]
    }
}

impl DeliveriesTable {
    /// A page of the rows of a stretch that are late by more than so much, the longest overdue first, and what is left of it; read
    /// from the table itself, since the index may lag behind it.
    ///
    /// Asked with the time as it was before AWS answered, and judged by the time after that: only by an answer does a process
    /// know that its clock is wrong.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn overdue(
        &self,
        stretch: Stretch,
        late: Duration,
        limit: i32,
    ) -> Result<(Vec<Delivery>, Option<Stretch>), Failure> {
        // The index has no time between two milliseconds.
        let until = |cutoff: Timestamp| stretch.before.map_or(cutoff, |before| before.min(cutoff)) - MILLISECOND;
        let last = until(clock::now() - late);
        // DynamoDB refuses a range that ends before its beginning, or before the row after which it is to go on.
        if last < stretch.begin() {
            return Ok((Vec::new(), None));
        }
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at BETWEEN :from AND :last")
            .expression_attribute_values(":shard", text(format!("{:02}", stretch.shard)))
            .expression_attribute_values(":from", text(time::wire(stretch.from)))
            .expression_attribute_values(":last", text(time::wire(last)))
            .set_exclusive_start_key(stretch.after.clone())
            .limit(limit)
            .send()
            .await
            .map_err(failed("Query deliveries by due time"))?;
        let ids = rows::ids(page.items(), "id", "");
        let rows = self.get_many(ids).await?;
        let last = until(clock::now() - late);
        let overdue = rows.into_iter().filter(|row| row.next_attempt_at.is_some_and(|due| due <= last)).collect();
        Ok((overdue, page.last_evaluated_key.map(|key| Stretch { after: Some(key), ..stretch })))
    }
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_with;

    use replay::{Said, Script};
    use serde_json::Value;

    use super::*;
    use crate::sdk;

    const NOW: i64 = 100_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn read_until(second: i64) -> Stretch {
        Stretch { after: Some(item_of(second)), ..Stretch::whole(3) }
    }

    fn item_of(second: i64) -> Item {
        [("due_at".to_owned(), text(time::wire(at(second))))].into()
    }

    #[test]
    fn a_stretch_is_split_anywhere_and_neither_loses_nor_doubles_a_row() {
        for random in [0, 1, 7_777_777, 39_999_999, u64::MAX] {
            let parts = read_until(NOW - 40_000).split(at(NOW), random);
            let [later, rest] = <[Stretch; 2]>::try_from(parts).unwrap();
            assert_eq!((rest.before, later.before, later.after.clone()), (Some(later.from), None, None));
            assert!(later.from > at(NOW - 40_000) && later.from < at(NOW), "{}", later.from);
            assert_eq!(rest.after, Some(item_of(NOW - 40_000)));
            let parts = rest.split(at(NOW), random);
            assert!(parts.iter().all(|part| part.before.is_some_and(|before| before <= later.from)));
        }
        assert_eq!(read_until(NOW - 60).split(at(NOW), 7), [read_until(NOW - 60)], "it is short");
    }

    #[tokio::test]
    async fn a_stretch_is_read_between_its_ends_and_never_past_them() {
        let script = Script::default().saying("Query", repeat_with(|| Said::rows::<Value>(&[])));
        let table = DeliveriesTable::of(&script.sdk(sdk::over), "deliveries");
        let grace = Duration::from_secs(120);
        let parts = Stretch::whole(3).split(at(NOW), 50_000_000);
        for part in parts {
            assert_eq!(table.overdue(part, grace, 100).await.unwrap(), (Vec::new(), None));
        }
        let asked = script.asked("Query");
        assert_eq!(asked[0]["ExpressionAttributeValues"][":from"], "1970-01-01T13:53:20.000Z");
        assert_eq!(asked[1]["ExpressionAttributeValues"][":last"], "1970-01-01T13:53:19.999Z");
        let late = Duration::from_secs(clock::now().as_second().unsigned_abs() - 1_000);
        assert_eq!(
            table.overdue(read_until(NOW), late, 100).await.unwrap(),
            (Vec::new(), None),
            "the cutoff went back"
        );
        assert_eq!(script.asked("Query").len(), 2);
    }
}
