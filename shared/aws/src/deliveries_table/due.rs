//! The `due` index: retrying rows by the time of their next attempt, in 16 shards so that no partition runs hot.

use std::time::Duration;

use postrider_domain::delivery::Delivery;
use postrider_domain::id::DeliveryId;
use postrider_domain::time;
use postrider_host::clock;

use super::DeliveriesTable;
use crate::error::{Failure, failed};
use crate::item::{Item, text};
use crate::rows;

/// How many partitions the index has.
pub const SHARDS: u8 = 16;

/// The shard of a row: from its id, so that it never changes.
pub(super) fn shard_of(id: &DeliveryId) -> String {
    let sum = id.as_str().bytes().fold(0_u8, u8::wrapping_add);
    format!("{:02}", sum % SHARDS)
}

impl DeliveriesTable {
    /// A page of the rows of one shard that are late by more than so much, the longest overdue first, and where the next page
    /// begins; read from the table itself, since the index may lag behind it.
    ///
    /// Asked with the time as it was before AWS answered, and judged by the time after that: only by an answer does a process
    /// know that its clock is wrong.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn overdue(
        &self,
        shard: u8,
        late: Duration,
        limit: i32,
        after: Option<Item>,
    ) -> Result<(Vec<Delivery>, Option<Item>), Failure> {
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at < :cutoff")
            .expression_attribute_values(":shard", text(format!("{shard:02}")))
            .expression_attribute_values(":cutoff", text(time::wire(clock::now() - late)))
            .set_exclusive_start_key(after)
            .limit(limit)
            .send()
            .await
            .map_err(failed("Query deliveries by due time"))?;
        let ids = rows::ids(page.items(), "id", "");
        let rows = self.get_many(ids).await?;
        let cutoff = clock::now() - late;
        let overdue = rows.into_iter().filter(|row| row.next_attempt_at.is_some_and(|due| due < cutoff)).collect();
        Ok((overdue, page.last_evaluated_key))
    }
}
