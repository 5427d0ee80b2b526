//! The `undelivered` index: a tenant's retrying, failed and cancelled rows by their ids, in sixteen shards of the tenant's own, and
//! the list that is merged of them.
//!
//! A partition takes a thousand write units a second, and what it refuses holds up the writes of the whole table. So what one
//! tenant's endpoints fail at once is spread.

use futures::future::try_join_all;
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::id::{DeliveryId, TenantId};

use super::{DeliveriesTable, shard};
use crate::error::Failure;
use crate::item::text;
use crate::rows::ids;
use crate::{Page, page};

/// How many partitions a tenant's rows are spread over, as many as what is due. A row enters with its first failure and leaves with a
/// success, a unit each: sixteen partitions take what deliver's functions, as many as the template has by default, get through at their
/// fastest. Each costs a page of the list half a read unit, beside a whole one for each row that it shows.
pub(super) const SHARDS: u8 = 16;

/// The list that a row lies in: the tenant's id, without what all of them begin with, `#`, which is in none, and a shard's hexadecimal digit. So
/// no two tenants have a list together. It is no longer than an id alone: with three bytes more, rows at which every attempt failed
/// were over a kibibyte one attempt sooner, which is a write unit.
pub(super) fn list_of(row: &Delivery) -> String {
    list(&row.tenant_id, shard::of(&row.id, SHARDS))
}

pub(super) fn list(tenant: &TenantId, shard: u8) -> String {
    format!("{}#{shard:x}", &tenant.as_str()[TenantId::PREFIX.len()..])
}

impl DeliveriesTable {
    /// A page of a tenant's undelivered rows, newest first, or of those among them that stand so.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn undelivered(
        &self,
        tenant: &TenantId,
        status: Option<Status>,
        limit: i32,
        after: Option<&DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>, Failure> {
        let shards = (0..SHARDS).map(|shard| self.shard(list(tenant, shard), share(limit), after));
        let page = merged(try_join_all(shards).await?, usize::try_from(limit).unwrap_or(1));
        let mut rows = self.get_many(page.rows).await?;
        // The index may lag: a row that was delivered meanwhile is no longer what was asked for.
        rows.retain(|row| {
            row.tenant_id == *tenant
                && row.counts_as_undelivered(row.status)
                && status.is_none_or(|status| row.status == status)
        });
        rows.sort_by(|one, other| other.id.cmp(&one.id));
        Ok(Page { rows, next: page.next })
    }

    /// The ids in a shard after the one given, newest first.
    async fn shard(
        &self,
        list: String,
        limit: i32,
        after: Option<&DeliveryId>,
    ) -> Result<Page<DeliveryId, DeliveryId>, Failure> {
        let query = self.client.query().table_name(&self.name).index_name("undelivered");
        // A bound, and no key to start after: that row lies in one of the shards at the most.
        let query = match after {
            None => query.key_condition_expression("undelivered_tenant = :list"),
            Some(after) => query
                .key_condition_expression("undelivered_tenant = :list AND id < :after")
                .expression_attribute_values(":after", text(after.as_str())),
        };
        let query = query.expression_attribute_values(":list", text(list));
        let page = page::of(query.scan_index_forward(false).limit(limit), "Query undelivered", ("id", "")).await?;
        Ok(Page { rows: ids(&page.rows, "id", ""), next: page.next })
    }
}

/// How many rows of each shard are read for a page: an even share, and three times by how much shards usually differ from that, so
/// that few pages are short for it. Up to 32 of them are one read of four kibibytes, as one row would be.
fn share(limit: i32) -> i32 {
    let even = limit.unsigned_abs().div_ceil(SHARDS.into());
    (even + 3 * even.isqrt() + 1).cast_signed().min(limit)
}

/// A page of all shards, made of what was read of each.
///
/// It ends no later than the reading of any shard that has more, since that may have rows behind. So it may be short; it has a row
/// at the least, the one at which that reading ended.
fn merged<Id: Ord + Clone>(shards: Vec<Page<Id, Id>>, limit: usize) -> Page<Id, Id> {
    let horizon = shards.iter().filter_map(|shard| shard.next.as_ref()).max().cloned();
    let mut rows: Vec<Id> = shards.into_iter().flat_map(|shard| shard.rows).collect();
    rows.retain(|row| horizon.as_ref().is_none_or(|horizon| row >= horizon));
    rows.sort_unstable_by(|one, other| other.cmp(one));
    // A row that somebody put into two shards by hand could not be read twice in one call.
    rows.dedup();
    if rows.len() <= limit {
        return Page { rows, next: horizon };
    }
    rows.truncate(limit);
    Page { next: rows.last().cloned(), rows }
}

#[cfg(test)]
mod tests;
