//! The provider's own ids of its tenants: a row of its own claims each, written in the transaction that gives it to a tenant, so that no
//! two tenants have one.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use postrider_domain::external_id::ExternalId;
use postrider_domain::id::TenantId;

use super::{ConfigTable, keyed};
use crate::error::{Failure, unwritable};
use crate::item::{Item, text};
use crate::rows::id_in;

const SORT: &str = "EXTERNAL";
/// Whose the id is.
const TENANT: &str = "tenant_id";

fn partition(id: &ExternalId) -> String {
    format!("EXTERNAL#{id}")
}

/// Whether a row claims its id for this tenant.
pub(super) fn is_claimed_for(there: &Item, tenant: &TenantId) -> bool {
    id_in::<TenantId>(there, TENANT, "").is_some_and(|claimed_for| claimed_for == *tenant)
}

impl ConfigTable {
    /// The tenant that has this external id, one that is being deleted among them.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn tenant_of(&self, id: &ExternalId) -> Result<Option<TenantId>, Failure> {
        let Some(claim) = self.get_item(partition(id), SORT).await? else { return Ok(None) };
        let tenant = id_in(&claim, TENANT, "").ok_or_else(|| Failure::unreadable("a claim", "it names no tenant"))?;
        Ok(Some(tenant))
    }

    /// The write that gives a tenant an id that nobody has.
    pub(super) fn claiming(&self, id: &ExternalId, tenant: &TenantId) -> Result<TransactWriteItem, Failure> {
        let claim: Item = [(TENANT.to_owned(), text(tenant.as_str()))].into();
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(keyed(claim, partition(id), SORT.to_owned())))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(unwritable("a claim"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The write that gives a tenant's id back.
    pub(super) fn releasing(&self, id: &ExternalId, tenant: &TenantId) -> Result<TransactWriteItem, Failure> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(keyed(Item::new(), partition(id), SORT.to_owned())))
            .condition_expression(format!("attribute_not_exists(pk) OR {TENANT} = :tenant"))
            .expression_attribute_values(":tenant", text(tenant.as_str()))
            .build()
            .map_err(unwritable("a claim"))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}
