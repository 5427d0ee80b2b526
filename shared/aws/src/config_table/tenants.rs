//! Tenants, and the operator's list of them.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use postrider_domain::attempt::Mark;
use postrider_domain::external_id::ExternalId;
use postrider_domain::id::TenantId;
use postrider_domain::metadata::Metadata;
use postrider_domain::quota::QuotaChange;
use postrider_domain::stored_secret::StoredSecret;
use postrider_domain::tenant::{Plan, Tenant, TenantStatus};
use postrider_host::{deadline, entropy};
use serde::Serialize;

use super::calls::{AnsweredCall, Made};
use super::endpoints::fresh;
use super::external_ids::is_claimed_for;
use super::tenant_row::{ERASED, is_deleting, read_tenant};
use super::{ConfigTable, TENANT_SORT, keyed, tenant_partition};
use crate::conditional::{
    self, CHANGED_BY, ROUNDS, ROUNDS_IN_A_CROWD, Recorded, Refusals, Refused, has_id, holds_secret, is_by,
    transact_or_refusals,
};
use crate::error::{Failure, unwritable};
use crate::item::{Item, number, text, to_item};
use crate::rows::{ids, readable_by};
use crate::{Page, rows};

pub(super) const LIST: &str = "TENANTS";
pub(super) const LIST_PREFIX: &str = "TENANT#";
/// Only of a tenant that lives is anything changed.
pub(super) const LIVES: &str = "attribute_exists(pk) AND attribute_not_exists(deleting_since)";
const EXTERNAL_ID: &str = "external_id";
const READS_AT_ONCE: usize = 16;

/// What changes in a tenant; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct TenantChange {
    /// Its name.
    pub name: Option<String>,
    /// Its plan.
    pub plan: Option<Plan>,
    /// Its status.
    pub status: Option<TenantStatus>,
    /// Its own quotas.
    pub quotas: QuotaChange,
    /// What its provider calls it; nothing within takes that away.
    pub external_id: Option<Option<ExternalId>>,
    /// What its provider keeps beside it, all of it.
    pub metadata: Option<Metadata>,
}

/// How a tenant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It lives, and may be suspended.
    Lives,
    /// It is being deleted.
    IsDeleted,
}

/// Another tenant has the external id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken;

/// What became of a change of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantChanged {
    /// It is so now.
    To(Box<Tenant>),
    /// There is no such tenant, or it is being deleted.
    Gone,
    /// Another tenant has this external id.
    Taken,
    /// It has another external id than when it was read.
    Overtaken,
}

/// A tenant's place in the operator's list.
#[derive(Serialize)]
struct Listing {
    id: TenantId,
}

impl ConfigTable {
    /// Puts a new tenant, its place in the list, the claim of its external id if it has one, and the call that makes it, if that is to be
    /// remembered: all or nothing.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn create_tenant(
        &self,
        tenant: &Tenant,
        call: Option<&AnsweredCall>,
    ) -> Result<Result<Made, Taken>, Failure> {
        let row = keyed(to_item(tenant)?, tenant_partition(&tenant.id), TENANT_SORT.to_owned());
        let listing =
            keyed(to_item(&Listing { id: tenant.id.clone() })?, LIST.to_owned(), format!("{LIST_PREFIX}{}", tenant.id));
        let mut writes = Vec::new();
        for item in [row, listing] {
            let put = Put::builder()
                .table_name(&self.name)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(pk)")
                .build()
                .map_err(unwritable("a tenant's rows"))?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        writes
            .extend(tenant.external_id.as_ref().map(|external_id| self.claiming(external_id, &tenant.id)).transpose()?);
        writes.extend(call.map(|call| self.remembering_call(call)).transpose()?);
        // Its id is random: whoever has it is this tenant. Many may come at once with one call, or with one external id.
        let is_ours = |there: &Item| has_id(there, tenant.id.as_str()) || is_claimed_for(there, &tenant.id);
        let written = transact_or_refusals(&self.client, "TransactWriteItems tenant", writes, ROUNDS_IN_A_CROWD);
        let recorded = match deadline::to_be_shown(written).await? {
            Err(refusals) if !refusals.is_any(is_ours) => {
                // The call is the last of the writes. The same one, come before, has the same external id, so it is asked first.
                let is_same_call = call.is_some() && refusals.is_of_the_last();
                if tenant.external_id.is_some() && !is_same_call {
                    return Ok(Err(Taken));
                }
                Recorded::Overtaken
            }
            Ok(()) | Err(_) => Recorded::Yes,
        };
        Made::of(recorded, call, "a tenant").map(Ok)
    }

    /// The tenant of this id, unless it is being deleted.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, Failure> {
        Ok(self.tenant_or_tombstone(id).await?.filter(|tenant| tenant.status != TenantStatus::Deleting))
    }

    /// The tenant of this id, even if it is being deleted, or was.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn tenant_or_tombstone(&self, id: &TenantId) -> Result<Option<Tenant>, Failure> {
        self.get_item(tenant_partition(id), TENANT_SORT).await?.map(read_tenant).transpose()
    }

    /// The tenant of this id, which something says there is, even if it is being deleted.
    ///
    /// # Errors
    /// When the read failed, or the row is missing: it is lost, and counted so.
    pub async fn tenant_that_must_be(&self, id: &TenantId) -> Result<Tenant, Failure> {
        self.tenant_or_tombstone(id).await?.ok_or_else(|| {
            rows::missing(&tenant_partition(id));
            Failure::Missing("a key's tenant")
        })
    }

    /// How a tenant stands, even if its row cannot be read; nothing where there is none, or none any more.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn standing(&self, id: &TenantId) -> Result<Option<Standing>, Failure> {
        let row = self.get_item(tenant_partition(id), TENANT_SORT).await?.filter(|row| !row.contains_key(ERASED));
        Ok(row.map(|row| if is_deleting(&row) { Standing::IsDeleted } else { Standing::Lives }))
    }

    /// The tenant of this id, if there is one that is not being deleted: nothing within where its row cannot be read.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn tenant_if_readable(&self, id: &TenantId) -> Result<Option<Option<Tenant>>, Failure> {
        let row = self.get_item(tenant_partition(id), TENANT_SORT).await?.filter(|row| !is_deleting(row));
        Ok(row.map(|row| readable_by([row], read_tenant).pop()))
    }

    /// A page of tenants, the oldest first, those that are being deleted among them.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn tenants(&self, limit: i32, after: Option<&str>) -> Result<Page<Tenant, TenantId>, Failure> {
        let page = self.page::<TenantId>(LIST.to_owned(), LIST_PREFIX, limit, after).await?;
        let ids: Vec<TenantId> = ids(&page.rows, "sk", LIST_PREFIX);
        let reads = ids.iter().map(|id| async move {
            let item = self.get_item(tenant_partition(id), TENANT_SORT).await?;
            if item.is_none() {
                rows::missing(&tenant_partition(id));
            }
            Ok::<_, Failure>(item)
        });
        let items: Vec<Option<Item>> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        let mut rows = readable_by(items.into_iter().flatten(), read_tenant);
        // Whose deletion has ended since the list was read.
        rows.retain(|tenant| tenant.erased_at.is_none());
        Ok(Page { rows, next: page.next })
    }

    /// Gives a tenant other secrets, if they still are as they were read: whoever was shown one must find it kept.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn change_tenant_secrets(&self, before: &Tenant, secrets: &[StoredSecret]) -> Result<Recorded, Failure> {
        let stored = |secrets: &[StoredSecret]| serde_dynamo::to_attribute_value(secrets).map_err(unwritable("a row"));
        let mark = entropy::mark();
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", text(tenant_partition(&before.id)))
            .key("sk", text(TENANT_SORT))
            .update_expression("SET secrets = :after, changed_by = :by")
            .condition_expression("secrets = :before")
            .expression_attribute_values(":by", text(mark.as_str()))
            .expression_attribute_values(":before", stored(&before.secrets)?)
            .expression_attribute_values(":after", stored(secrets)?);
        let secret = fresh(&before.secrets, secrets);
        let is_ours = |there: &Item| is_by(there, &mark) || secret.is_some_and(|secret| holds_secret(there, secret));
        let made = deadline::to_be_shown(conditional::update("UpdateItem tenant", update, is_ours)).await;
        self.look_after(made, tenant_partition(&before.id), TENANT_SORT, is_ours).await
    }

    /// Changes a tenant that was read as `before`, if it lives. Another external id is claimed, and the one before it given back, with the
    /// change or not at all; one that stays has to be its still.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn change_tenant(&self, before: &Tenant, change: &TenantChange) -> Result<TenantChanged, Failure> {
        let (mut set, mut removed) = (to_item(&StoredChange::from(change))?, Vec::new());
        for (quota, limit) in change.quotas.by_quota() {
            match limit {
                Some(limit) => drop(set.insert(quota.attribute(), number(limit))),
                None => removed.push(quota.attribute()),
            }
        }
        let is_another = |after: &&Option<ExternalId>| **after != before.external_id;
        let claimed = change.external_id.as_ref().filter(is_another);
        match claimed {
            Some(Some(after)) => drop(set.insert(EXTERNAL_ID.to_owned(), text(after.as_str()))),
            Some(None) => removed.push(EXTERNAL_ID.to_owned()),
            None => {}
        }
        if set.is_empty() && removed.is_empty() {
            return Ok(self.tenant(&before.id).await?.map_or(TenantChanged::Gone, TenantChanged::to));
        }
        let mark = entropy::mark();
        if claimed.is_some() {
            set.insert(CHANGED_BY.to_owned(), text(mark.as_str()));
        }
        let mut update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", text(tenant_partition(&before.id)))
            .key("sk", text(TENANT_SORT))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut clauses = Vec::new();
        for (name, value) in set {
            clauses.push(format!("#{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), &name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        let set = Some(format!("SET {}", clauses.join(", "))).filter(|_| !clauses.is_empty());
        let removed = Some(format!("REMOVE {}", removed.join(", "))).filter(|_| !removed.is_empty());
        let clauses: Vec<String> = set.into_iter().chain(removed).collect();
        update = update.update_expression(clauses.join(" "));
        update = match (&change.external_id, &before.external_id) {
            (None, _) => update.condition_expression(LIVES),
            (Some(_), None) => update.condition_expression(format!("{LIVES} AND attribute_not_exists({EXTERNAL_ID})")),
            (Some(_), Some(there)) => update
                .condition_expression(format!("{LIVES} AND {EXTERNAL_ID} = :there"))
                .expression_attribute_values(":there", text(there.as_str())),
        };
        match claimed {
            None => self.changed(update).await,
            Some(after) => self.changed_with_claim(before, update, &mark, after.as_ref()).await,
        }
    }

    async fn changed(&self, update: UpdateItemFluentBuilder) -> Result<TenantChanged, Failure> {
        match conditional::judge("UpdateItem tenant", update.send().await)? {
            Ok(made) => {
                Ok(made.attributes.map(read_tenant).transpose()?.map_or(TenantChanged::Gone, TenantChanged::to))
            }
            Err(Refused(Some(there))) if !is_deleting(&there) => Ok(TenantChanged::Overtaken),
            Err(_) => Ok(TenantChanged::Gone),
        }
    }

    async fn changed_with_claim(
        &self,
        before: &Tenant,
        update: UpdateItemFluentBuilder,
        mark: &Mark,
        after: Option<&ExternalId>,
    ) -> Result<TenantChanged, Failure> {
        let mut writes = vec![conditional::as_part(&update)?];
        writes.extend(after.map(|after| self.claiming(after, &before.id)).transpose()?);
        writes.extend(before.external_id.as_ref().map(|there| self.releasing(there, &before.id)).transpose()?);
        let made = transact_or_refusals(&self.client, "TransactWriteItems tenant", writes, ROUNDS).await?;
        let refused = made.err().filter(|refusals| !refusals.is_any(|there| is_by(there, mark)));
        let there = self.tenant(&before.id).await?;
        // The first of the writes is the tenant's own row's.
        Ok(match (there, refused.map(Refusals::of_the_first)) {
            (None, _) => TenantChanged::Gone,
            (Some(there), None) => TenantChanged::to(there),
            (Some(_), Some(Refused(Some(_)))) => TenantChanged::Overtaken,
            (Some(_), Some(Refused(None))) => TenantChanged::Taken,
        })
    }
}

impl TenantChanged {
    fn to(tenant: Tenant) -> Self {
        Self::To(Box::new(tenant))
    }
}

/// The changed attributes as they stand in the row.
#[derive(Serialize)]
struct StoredChange<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Plan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<TenantStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: &'a Option<Metadata>,
}

impl<'a> From<&'a TenantChange> for StoredChange<'a> {
    fn from(change: &'a TenantChange) -> Self {
        Self { name: &change.name, plan: change.plan, status: change.status, metadata: &change.metadata }
    }
}
