//! How many webhooks a tenant has, and how long their plain list is: a row that changes in the transaction that makes, changes or
//! deletes one, so that no two calls that race pass the quota.
//!
//! Nothing is counted before the row is there, and whoever finds none counts the webhooks first. It may still come to differ from
//! them: a function of an earlier version made one meanwhile, or somebody restored a row. So it is counted again before anybody is
//! refused by it, once a minute at the most.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use postrider_domain::endpoint::listed_bytes;
use postrider_domain::event::EventPattern;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::quota::count::{Outcome, Shift, WebhookCount};
use postrider_domain::quota::{Exceeded, Quotas};
use postrider_domain::tenant::Tenant;
use postrider_host::{clock, entropy};
use serde::{Deserialize, Serialize};

use super::tombstone::is_deleted;
use super::{ConfigTable, ENDPOINT_PREFIX, TENANT_SORT, keyed, tenant_partition};
use crate::conditional::{self, CHANGED_BY, ROUNDS_IN_A_CROWD, Recorded, is_by, transact, transact_or_refusals};
use crate::error::{AwsError, Failure, failed, unwritable};
use crate::item::{Item, from_item, number, text, to_item};
use crate::told::Told;

#[cfg(test)]
mod tests;

const SORT: &str = "WEBHOOKS";
const CALL: &str = "TransactWriteItems webhook";
/// How often a count that others have moved is looked at again. Those who come together mostly only grow it, and a condition
/// minds none of them but the last.
const TRIES: usize = 8;
/// How long a count that was made stands before a refusal makes another.
const COUNTED_FOR_SECONDS: i64 = 60;

/// The count as its row holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    #[serde(flatten)]
    count: WebhookCount,
    /// Counts its changes: what was counted is written only where nothing has moved since.
    moves: u64,
    /// When the webhooks themselves were counted last, in seconds since 1970.
    counted_at: i64,
}

/// Of an endpoint's row what the plain list shows of it, whatever else of it can be read.
#[derive(Deserialize)]
struct ListedRow {
    id: EndpointId,
    url: String,
    events: Vec<EventPattern>,
    #[serde(with = "postrider_domain::time::as_wire")]
    created_at: Timestamp,
}

/// The bytes that an endpoint's row was counted with, or counts for.
pub(super) fn counted_bytes(row: &Item) -> u64 {
    let remembered = row.get("counted_bytes").and_then(|bytes| bytes.as_n().ok()?.parse().ok());
    let shown = || {
        let row: ListedRow = from_item(row.clone()).ok()?;
        Some(listed_bytes(&row.id, &row.url, &row.events, row.created_at))
    };
    remembered.or_else(shown).unwrap_or_default()
}

impl ConfigTable {
    /// Writes an endpoint and what belongs to it together with the shift of its tenant's count and what is told of it. `quotas` are
    /// what the caller knows of them; before he is refused, they are read again.
    ///
    /// Refused, it was written before where what stands there `is_ours`, or is what was told.
    pub(super) async fn write_counted(
        &self,
        tenant: &TenantId,
        (shift, mut quotas): (Shift, Option<Quotas>),
        (mut writes, told): (Vec<TransactWriteItem>, &Told),
        is_ours: impl Fn(&Item) -> bool,
    ) -> Result<Result<Recorded, Exceeded>, Failure> {
        writes.extend(told.beside(writes.len() + usize::from(!shift.is_none()))?);
        let is_ours = |there: &Item| is_ours(there) || told.has(there);
        if shift.is_none() {
            return self.write_endpoint(writes, is_ours).await.map(Ok);
        }
        let mut row = self.webhook_count(tenant).await?;
        for _ in 0..TRIES {
            let write = match shift.on(row.count, quotas) {
                Outcome::Fits => self.shifting(tenant, shift, quotas)?,
                Outcome::Below(count) => self.setting(tenant, row, count)?,
                Outcome::Exceeds(exceeded) => {
                    let todays = self.quotas_now(tenant).await?.or(quotas);
                    if todays != quotas {
                        quotas = todays;
                    } else if let Some(counted) = self.count_again(tenant, row).await? {
                        row = counted;
                    } else {
                        return Ok(Err(exceeded));
                    }
                    continue;
                }
            };
            let all = writes.iter().cloned().chain([write]).collect();
            let Err(refusals) = transact_or_refusals(&self.client, CALL, all, ROUNDS_IN_A_CROWD).await? else {
                return Ok(Ok(Recorded::Yes));
            };
            if refusals.is_any(is_ours) {
                return Ok(Ok(Recorded::Yes));
            }
            let Some(of_count) = refusals.of_the_last_alone() else { return Ok(Ok(Recorded::Overtaken)) };
            row = match of_count.0.and_then(|there| from_item(there).ok()) {
                Some(there) => there,
                None => self.webhook_count(tenant).await?,
            };
        }
        Err(AwsError::busy(CALL, "the count of webhooks was moved by others each time"))
    }

    /// What counts for a tenant by now, if its row can be read.
    pub(super) async fn quotas_now(&self, tenant: &TenantId) -> Result<Option<Quotas>, Failure> {
        let tenant: Option<Tenant> = self.get_readable(tenant_partition(tenant), TENANT_SORT).await?;
        Ok(tenant.map(|tenant| tenant.quotas()))
    }

    /// The count, made from the webhooks where there is none.
    async fn webhook_count(&self, tenant: &TenantId) -> Result<Row, Failure> {
        if let Some(row) = self.get_readable(tenant_partition(tenant), SORT).await? {
            return Ok(row);
        }
        let row = Row { count: self.counted(tenant).await?, moves: 0, counted_at: clock::now().as_second() };
        let item = keyed(to_item(&row)?, tenant_partition(tenant), SORT.to_owned());
        // One that is none is replaced, or nothing could be made or deleted beside it.
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression(
                "NOT (attribute_type(webhooks, :number) AND attribute_type(list_bytes, :number) \
                 AND attribute_type(moves, :number) AND attribute_type(counted_at, :number))",
            )
            .expression_attribute_values(":number", text("N"))
            .build()
            .map_err(unwritable("a count"))?;
        let writes = vec![TransactWriteItem::builder().put(put).build()];
        let put = transact_or_refusals(&self.client, CALL, writes, ROUNDS_IN_A_CROWD).await?;
        // Somebody else has put his, and it may have moved since.
        let there = put.err().and_then(|refusals| refusals.of_the_last_alone()?.0);
        there.map_or(Ok(row), from_item)
    }

    /// Counts the webhooks again, unless that was done a moment ago or somebody else is at it; none also where nothing else came
    /// out, or something moved meanwhile.
    async fn count_again(&self, tenant: &TenantId, row: Row) -> Result<Option<Row>, Failure> {
        let now = clock::now().as_second();
        if now - row.counted_at < COUNTED_FOR_SECONDS {
            return Ok(None);
        }
        if !self.claims_the_count(tenant, row.counted_at, now).await? {
            return Ok(None);
        }
        let count = self.counted(tenant).await?;
        if count == row.count {
            return Ok(None);
        }
        tracing::warn!(
            tenant_id = tenant.as_str(),
            webhooks = row.count.webhooks,
            counted = count.webhooks,
            "webhooks.counted_again"
        );
        let writes = vec![self.setting(tenant, row, count)?];
        let fixed = Row { count, moves: row.moves + 1, counted_at: now };
        let is_ours = |there: &Item| from_item(there.clone()).is_ok_and(|there: Row| there == fixed);
        let recorded = transact(&self.client, CALL, writes, is_ours).await?;
        Ok((recorded == Recorded::Yes).then_some(fixed))
    }

    /// Whether it is ours to count again: of many who are refused at once, one counts. That the row is busy says that another is at it.
    async fn claims_the_count(&self, tenant: &TenantId, was: i64, now: i64) -> Result<bool, Failure> {
        let mark = entropy::mark();
        let claim = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", text(tenant_partition(tenant)))
            .key("sk", text(SORT))
            .update_expression(format!("SET counted_at = :now, {CHANGED_BY} = :by"))
            .condition_expression("counted_at = :was")
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":was", number(was))
            .expression_attribute_values(":by", text(mark.as_str()));
        match conditional::update("UpdateItem webhook count", claim, |there| is_by(there, &mark)).await {
            Ok(claimed) => Ok(claimed == Recorded::Yes),
            Err(error) if error.is_busy() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The webhooks that were not deleted, whether their rows can be read or not.
    async fn counted(&self, tenant: &TenantId) -> Result<WebhookCount, Failure> {
        let query = self.query(tenant_partition(tenant), ENDPOINT_PREFIX);
        let mut pages = query.into_paginator().items().send();
        let mut count = WebhookCount::default();
        while let Some(item) = pages.next().await {
            let item = item.map_err(failed("Query config"))?;
            if !is_deleted(&item) {
                count.webhooks += 1;
                count.list_bytes += counted_bytes(&item);
            }
        }
        Ok(count)
    }

    /// The write that moves the count by so much where it has room: others may move it as well.
    fn shifting(&self, tenant: &TenantId, shift: Shift, quotas: Option<Quotas>) -> Result<TransactWriteItem, Failure> {
        let limits = quotas.map(|quotas| [quotas.webhooks, quotas.list_bytes]);
        let mut conditions = vec!["attribute_exists(pk)".to_owned()];
        let mut values: HashMap<String, AttributeValue> = HashMap::new();
        for (at, (name, by)) in [("webhooks", shift.webhooks), ("list_bytes", shift.list_bytes)].into_iter().enumerate()
        {
            let (comparison, bound) = match limits {
                _ if by < 0 => (">=", i128::from(by.unsigned_abs())),
                Some(limits) if by > 0 => ("<=", i128::from(limits[at]) - i128::from(by)),
                _ => continue,
            };
            conditions.push(format!("{name} {comparison} :{name}"));
            values.insert(format!(":{name}"), number(bound));
        }
        let update = self
            .count_update(tenant)
            .update_expression("ADD webhooks :more, list_bytes :longer, moves :one")
            .condition_expression(conditions.join(" AND "))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":more", number(shift.webhooks))
            .expression_attribute_values(":longer", number(shift.list_bytes))
            .expression_attribute_values(":one", number(1));
        Ok(TransactWriteItem::builder().update(update.build().map_err(unwritable("a count"))?).build())
    }

    /// The write that sets the count where it has not moved since it was read.
    fn setting(&self, tenant: &TenantId, was: Row, count: WebhookCount) -> Result<TransactWriteItem, Failure> {
        let update = self
            .count_update(tenant)
            .update_expression("SET webhooks = :webhooks, list_bytes = :bytes ADD moves :one")
            .condition_expression("moves = :moves")
            .expression_attribute_values(":webhooks", number(count.webhooks))
            .expression_attribute_values(":bytes", number(count.list_bytes))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":moves", number(was.moves));
        Ok(TransactWriteItem::builder().update(update.build().map_err(unwritable("a count"))?).build())
    }

    fn count_update(&self, tenant: &TenantId) -> UpdateBuilder {
        Update::builder().table_name(&self.name).key("pk", text(tenant_partition(tenant))).key("sk", text(SORT))
    }
}
