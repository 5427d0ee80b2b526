//! What is known of a tenant's failed deliveries: which webhooks were told of just now, until when all is told, and whether more is
//! counted. A tenant of whose failures some are counted stands in a list, for the sweep.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use jiff::Timestamp;
use postrider_domain::failures::Telling;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::time;
use postrider_host::entropy;
use postrider_host::pause::scattered;
use serde::Deserialize;

use super::{ConfigTable, at, keyed};
use crate::Recorded;
use crate::conditional::{CHANGED_BY, Refused, as_part, has_id, is_by, judge, transact};
use crate::error::{Failure, failed, unwritable};
use crate::item::{Item, from_item, number, text, text_of, to_item};

/// Where tenants are listed of whose failures some are counted.
pub(super) const LIST: &str = "FAILURES";
/// Where a tenant has what is known of its failures.
pub(super) const SORT: &str = "FAILURES";
const CALL: &str = "UpdateItem failures";
/// How often one of these rows is written that a transaction changes just then.
const TRIES: u32 = 3;

/// A tenant's row, and whose change it had last: whatever is made from it is written over that one alone. Counting is none: many
/// say so all the time.
#[derive(Debug, Clone, Default)]
pub struct Failures {
    /// What it says.
    pub telling: Telling,
    changed_by: Option<String>,
}

impl Failures {
    fn read(item: Option<Item>) -> Result<Self, Failure> {
        let Some(item) = item.filter(|item| !item.is_empty()) else { return Ok(Self::default()) };
        let changed_by = text_of(&item, CHANGED_BY).map(str::to_owned);
        Ok(Self { telling: from_item(item)?, changed_by })
    }
}

/// A tenant in the list.
#[derive(Deserialize)]
struct Listed {
    sk: TenantId,
}

impl ConfigTable {
    /// What is known of a tenant's failures.
    ///
    /// # Errors
    /// When the read failed, or the row is none.
    pub async fn failures(&self, tenant: &TenantId) -> Result<Failures, Failure> {
        let row = self.client.get_item().table_name(&self.name).set_key(Some(at(tenant, SORT.to_owned())));
        let row = row.consistent_read(true).send().await.map_err(failed("GetItem failures"))?;
        Failures::read(row.item)
    }

    /// Claims to tell of a webhook at once, if nobody has claimed or told anything of this tenant since; else what stands there. A claim
    /// whose notice is never written costs that webhook's failures a minute in which they are told together.
    ///
    /// # Errors
    /// When the write failed; the claim may have been made.
    pub async fn claim_notice(
        &self,
        tenant: &TenantId,
        before: &Failures,
        told: &BTreeMap<EndpointId, i64>,
        expires_at: i64,
    ) -> Result<Result<(), Failures>, Failure> {
        let mark = entropy::mark();
        let update = over(self.failures_update(tenant, expires_at), before)
            .update_expression(format!("SET told = :told, {CHANGED_BY} = :by, expires_at = :expires"))
            .expression_attribute_values(":told", AttributeValue::M(to_item(told)?))
            .expression_attribute_values(":by", text(mark.as_str()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match judge(CALL, update.send().await)? {
            Err(Refused(there)) if !there.as_ref().is_some_and(|there| is_by(there, &mark)) => {
                Failures::read(there).map(Err)
            }
            Ok(_) | Err(_) => Ok(Ok(())),
        }
    }

    /// Says that failures of a tenant's are counted from `now` on, and lists him; what stands there then. Before any of them is on
    /// record: who dies in between has a sweep look for nothing.
    ///
    /// # Errors
    /// When it was not said.
    pub async fn count_failures(&self, tenant: &TenantId, now: Timestamp, expires_at: i64) -> Result<Telling, Failure> {
        let update = self
            .failures_update(tenant, expires_at)
            .update_expression("SET counted_at = :now, expires_at = :expires")
            .expression_attribute_values(":now", text(time::wire(now)))
            .return_values(ReturnValue::AllNew);
        let there = again_if_busy(async || update.clone().send().await.map_err(failed(CALL))).await?;
        let listed: Item = [("expires_at".to_owned(), number(expires_at))].into();
        let listed = keyed(listed, LIST.to_owned(), tenant.to_string());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(listed));
        again_if_busy(async || put.clone().send().await.map_err(failed("PutItem failures"))).await?;
        Ok(Failures::read(there.attributes)?.telling)
    }

    /// The tenants of whose failures some are counted, or were until a while ago.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn counted_tenants(&self) -> Result<Vec<TenantId>, Failure> {
        Ok(self.all::<Listed>(LIST.to_owned(), TenantId::PREFIX).await?.into_iter().map(|listed| listed.sk).collect())
    }

    /// Writes what is known after a look together with the notices of it, if nobody has claimed or told anything since it began. Where
    /// nothing is counted any more the tenant leaves the list, unless somebody has said meanwhile that he counts.
    ///
    /// # Errors
    /// When the write failed; the next look does it again.
    pub async fn tell_failures(
        &self,
        tenant: &TenantId,
        (before, after): (&Failures, &Telling),
        notices: Vec<TransactWriteItem>,
        expires_at: i64,
    ) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let is_over = after.counted_at.is_none();
        let remove = if is_over { " REMOVE counted_at" } else { "" };
        let mut update = over(self.failures_update(tenant, expires_at), before)
            .update_expression(format!(
                "SET told = :told, told_until = :until, {CHANGED_BY} = :by, expires_at = :expires{remove}"
            ))
            .expression_attribute_values(":told", AttributeValue::M(to_item(&after.told)?))
            .expression_attribute_values(":until", text(after.told_until.map(time::wire).unwrap_or_default()))
            .expression_attribute_values(":by", text(mark.as_str()));
        if let Some(counted_at) = before.telling.counted_at.filter(|_| is_over) {
            let condition = update.get_condition_expression().clone().unwrap_or_default();
            update = update
                .condition_expression(format!("{condition} AND counted_at = :counted"))
                .expression_attribute_values(":counted", text(time::wire(counted_at)));
        }
        let announced = notices.first().and_then(|notice| text_of(&notice.put.as_ref()?.item, "id")).map(str::to_owned);
        let mut writes = vec![as_part(&update)?];
        writes.extend(notices);
        if is_over {
            writes.push(self.unlisting_failures(tenant)?);
        }
        let is_ours = |there: &Item| is_by(there, &mark) || announced.as_deref().is_some_and(|id| has_id(there, id));
        transact(&self.client, "TransactWriteItems failures", writes, is_ours).await
    }

    fn unlisting_failures(&self, tenant: &TenantId) -> Result<TransactWriteItem, Failure> {
        let key = keyed(Item::new(), LIST.to_owned(), tenant.to_string());
        let delete = Delete::builder().table_name(&self.name).set_key(Some(key)).build();
        Ok(TransactWriteItem::builder().delete(delete.map_err(unwritable("a tenant in a list"))?).build())
    }

    fn failures_update(&self, tenant: &TenantId, expires_at: i64) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(at(tenant, SORT.to_owned())))
            .expression_attribute_values(":expires", number(expires_at))
    }
}

/// The same under the condition that nobody has claimed or told anything since.
fn over(update: UpdateItemFluentBuilder, before: &Failures) -> UpdateItemFluentBuilder {
    match &before.changed_by {
        None => update.condition_expression(format!("attribute_not_exists({CHANGED_BY})")),
        Some(was) => update
            .condition_expression(format!("{CHANGED_BY} = :was"))
            .expression_attribute_values(":was", text(was.as_str())),
    }
}

/// A row that a transaction changes refuses other writes for a moment.
async fn again_if_busy<T>(call: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut round = 0;
    loop {
        scattered(round).await;
        round += 1;
        match call().await {
            Err(error) if error.is_busy() && round < TRIES => {}
            made => return made,
        }
    }
}
