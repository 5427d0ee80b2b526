//! The `undelivered` index: a tenant's retrying, failed and cancelled rows by their ids, in sixteen shards of the tenant's own, and
//! the list that is merged of them.
//!
//! A partition takes a thousand write units a second, and what it refuses holds up the writes of the whole table. So what one
//! tenant's endpoints fail at once is spread.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures::future::try_join_all;
use postrider_domain::delivery::Delivery;
use postrider_domain::id::{DeliveryId, TenantId};

use super::turning::List;
use super::{DeliveriesTable, Filter, shard};
use crate::error::Failure;
use crate::item::text;
use crate::{Page, page, rows};

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
    /// A page of a tenant's undelivered rows, newest first, after the one given: those that are asked for among so many that it looks at.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn undelivered(
        &self,
        tenant: &TenantId,
        filter: &Filter,
        limit: i32,
        after: Option<&DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>, Failure> {
        self.turned(List::OfTenant(tenant), filter, limit, after).await
    }

    /// So many of a tenant's undelivered rows of the times that are asked for.
    pub(super) async fn of_tenant(
        &self,
        tenant: &TenantId,
        filter: &Filter,
        limit: i32,
        after: Option<&DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>, Failure> {
        let Some(ids) = Ids::of(filter, after) else { return Ok(Page { rows: Vec::new(), next: None }) };
        let shards = (0..SHARDS).map(|shard| self.shard(list(tenant, shard), share(limit), &ids));
        let page = merged(try_join_all(shards).await?, usize::try_from(limit).unwrap_or(1));
        let mut rows = self.get_many(page.rows).await?;
        // The index may lag: a row that was delivered meanwhile is no longer what was asked for.
        rows.retain(|row| row.tenant_id == *tenant && row.counts_as_undelivered(row.status));
        rows.sort_by(|one, other| other.id.cmp(&one.id));
        Ok(Page { rows, next: page.next })
    }

    /// Those of these ids that lie in a shard, newest first.
    async fn shard(&self, list: String, limit: i32, ids: &Ids) -> Result<Page<DeliveryId, DeliveryId>, Failure> {
        let query = self.client.query().table_name(&self.name).index_name("undelivered");
        let query = ids.asked_of(query).expression_attribute_values(":list", text(list));
        let page = page::of(query.scan_index_forward(false).limit(limit), "Query undelivered", ("id", "")).await?;
        Ok(Page { rows: rows::ids(&page.rows, "id", ""), next: page.next })
    }
}

/// Which ids of each shard are asked for: bounds, and no key to start after, since that row lies in one of the shards at the most.
struct Ids {
    /// From this text on.
    from: Option<String>,
    /// Before this one.
    before: Option<String>,
}

impl Ids {
    /// None where nothing can lie between them, which DynamoDB would refuse to look for.
    fn of(filter: &Filter, after: Option<&DeliveryId>) -> Option<Self> {
        let from = filter.since.map(DeliveryId::lower_bound);
        let before = after.map(|after| after.as_str().to_owned()).or(filter.until.map(DeliveryId::lower_bound));
        let is_nothing = from.as_ref().zip(before.as_ref()).is_some_and(|(from, before)| from >= before);
        (!is_nothing).then_some(Self { from, before })
    }

    fn asked_of(&self, query: QueryFluentBuilder) -> QueryFluentBuilder {
        let value = |query: QueryFluentBuilder, name: &str, id: &str| query.expression_attribute_values(name, text(id));
        match (&self.from, &self.before) {
            (None, None) => query.key_condition_expression("undelivered_tenant = :list"),
            (None, Some(before)) => {
                value(query.key_condition_expression("undelivered_tenant = :list AND id < :after"), ":after", before)
            }
            (Some(from), None) => {
                value(query.key_condition_expression("undelivered_tenant = :list AND id >= :from"), ":from", from)
            }
            // A key takes one condition, and this one takes its last.
            (Some(from), Some(before)) => {
                let query = query.key_condition_expression("undelivered_tenant = :list AND id BETWEEN :from AND :last");
                value(value(query, ":from", from), ":last", &just_below(before))
            }
        }
    }
}

/// A text after which no id comes before this one: its last character a step lower, and after that what sorts after every character
/// of an id. A text that is more than another stays so.
fn just_below(text: &str) -> String {
    let mut below = text.to_owned();
    let last = below.pop().and_then(|last| char::from_u32(u32::from(last).saturating_sub(1)));
    below.extend(last.into_iter().chain(['~']));
    below
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
