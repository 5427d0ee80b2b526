//! Tenants, and the operator's list of them.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use postrider_domain::id::TenantId;
use postrider_domain::quota::QuotaChange;
use postrider_domain::stored_secret::StoredSecret;
use postrider_domain::tenant::{Plan, Tenant, TenantStatus};
use postrider_host::{deadline, entropy};
use serde::Serialize;

use super::calls::{AnsweredCall, Made};
use super::endpoints::fresh;
use super::{ConfigTable, TENANT_SORT, keyed, tenant_partition};
use crate::conditional::{self, Recorded, has_id, holds_secret, is_by, transact_in_a_crowd};
use crate::error::{Failure, unwritable};
use crate::item::{Item, from_item, number, text, to_item};
use crate::rows::{ids, readable};
use crate::{Page, rows};

const LIST: &str = "TENANTS";
const LIST_PREFIX: &str = "TENANT#";
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
}

/// A tenant's place in the operator's list.
#[derive(Serialize)]
struct Listing {
    id: TenantId,
}

impl ConfigTable {
    /// Puts a new tenant, its place in the list and the call that makes it, if that is to be remembered: all or nothing.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn create_tenant(&self, tenant: &Tenant, call: Option<&AnsweredCall>) -> Result<Made, Failure> {
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
        writes.extend(call.map(|call| self.remembering_call(call)).transpose()?);
        // Its id is random: whoever has it is this tenant. Many may come at once with one call.
        let is_ours = |there: &Item| has_id(there, tenant.id.as_str());
        let created = transact_in_a_crowd(&self.client, "TransactWriteItems tenant", writes, is_ours);
        Made::of(deadline::to_be_shown(created).await?, call, "a tenant")
    }

    /// The tenant of this id.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, Failure> {
        self.get(tenant_partition(id), TENANT_SORT).await
    }

    /// The tenant of this id, which something says there is.
    ///
    /// # Errors
    /// When the read failed, or the row is missing: it is lost, and counted so.
    pub async fn tenant_that_must_be(&self, id: &TenantId) -> Result<Tenant, Failure> {
        self.tenant(id).await?.ok_or_else(|| {
            rows::missing(&tenant_partition(id));
            Failure::Missing("a key's tenant")
        })
    }

    /// Whether there is a tenant of this id, even if its row cannot be read.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn has_tenant(&self, id: &TenantId) -> Result<bool, Failure> {
        Ok(self.get_item(tenant_partition(id), TENANT_SORT).await?.is_some())
    }

    /// The tenant of this id, if there is one: nothing within where its row cannot be read.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn tenant_if_readable(&self, id: &TenantId) -> Result<Option<Option<Tenant>>, Failure> {
        let row = self.get_item(tenant_partition(id), TENANT_SORT).await?;
        Ok(row.map(|row| readable([row]).pop()))
    }

    /// A page of tenants, the oldest first.
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
        Ok(Page { rows: readable(items.into_iter().flatten()), next: page.next })
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

    /// Changes a tenant and gives it as it is now, if there is one.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn change_tenant(&self, id: &TenantId, change: &TenantChange) -> Result<Option<Tenant>, Failure> {
        let mut set = to_item(&StoredChange::from(change))?;
        let mut removed = Vec::new();
        for (quota, limit) in change.quotas.by_quota() {
            match limit {
                Some(limit) => drop(set.insert(quota.attribute(), number(limit))),
                None => removed.push(quota.attribute()),
            }
        }
        if set.is_empty() && removed.is_empty() {
            return self.tenant(id).await;
        }
        let mut update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", text(tenant_partition(id)))
            .key("sk", text(TENANT_SORT))
            .condition_expression("attribute_exists(pk)")
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew);
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
        let answer = update.update_expression(clauses.join(" ")).send().await;
        match conditional::judge("UpdateItem tenant", answer)? {
            Ok(made) => made.attributes.map(from_item).transpose(),
            Err(_) => Ok(None),
        }
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
}

impl<'a> From<&'a TenantChange> for StoredChange<'a> {
    fn from(change: &'a TenantChange) -> Self {
        Self { name: &change.name, plan: change.plan, status: change.status }
    }
}
