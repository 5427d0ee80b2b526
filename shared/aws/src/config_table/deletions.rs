//! Tenants that are being deleted: each has a row in a list, from which the sweep goes on with it, and its own row says that it is so from
//! the first moment. At its end that is a tombstone, the list forgets it, and its external id is free.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use postrider_domain::deletion::{Deletion, Doomed};
use postrider_domain::id::TenantId;
use postrider_domain::tenant::TenantStatus;
use postrider_domain::time;
use postrider_host::entropy;

use super::tenant_row::{DELETING, ERASED, external_id_in, instant, is_deleting};
use super::tenants::{LIST as TENANTS, LIST_PREFIX as TENANTS_PREFIX};
use super::{ConfigTable, TENANT_SORT, keyed, tenant_partition};
use crate::conditional::{CHANGED_BY, Recorded, is_by, transact};
use crate::error::{Failure, failed, unwritable};
use crate::item::{Item, number, text, to_item};

const LIST: &str = "DELETIONS";
const PREFIX: &str = "TENANT#";
const CALL: &str = "TransactWriteItems deletion";
/// How often one is begun that others change meanwhile.
const TRIES: usize = 4;

fn place(tenant: &TenantId) -> (String, String) {
    (LIST.to_owned(), format!("{PREFIX}{tenant}"))
}

impl ConfigTable {
    /// Begins to delete a tenant, readable or not: its row says so, its secrets are gone, and the deletion is in the list, all or nothing.
    /// One that has begun before goes on; if its row is lost or cannot be read, it begins anew. Nothing where there is no such tenant.
    ///
    /// # Errors
    /// When a call failed; repeating it is harmless.
    pub async fn begin_deletion(&self, id: &TenantId, now: Timestamp) -> Result<Option<Deletion>, Failure> {
        for _ in 0..TRIES {
            let row = self.get_item(tenant_partition(id), TENANT_SORT).await?;
            let Some(row) = row.filter(|row| !row.contains_key(ERASED)) else { return Ok(None) };
            let external_id = external_id_in(&row);
            if is_deleting(&row) {
                let since = instant(&row, DELETING).unwrap_or(now);
                return self.restored(Deletion::asked_for(id.clone(), external_id, since)).await;
            }
            let deletion = Deletion::asked_for(id.clone(), external_id, now);
            if self.put_deletion(&deletion, &row).await? == Recorded::Yes {
                return Ok(Some(deletion));
            }
        }
        Err(Failure::Overtaken("the beginning of a deletion"))
    }

    async fn put_deletion(&self, deletion: &Deletion, row: &Item) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let change = format!("SET #status = :deleting, {DELETING} = :now, {CHANGED_BY} = :by REMOVE secrets");
        let unchanged = format!("attribute_exists(pk) AND attribute_not_exists({DELETING})");
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keyed(Item::new(), tenant_partition(&deletion.tenant_id), TENANT_SORT.to_owned())))
            .update_expression(change)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":deleting", text(TenantStatus::Deleting.as_str()))
            .expression_attribute_values(":now", text(time::wire(deletion.since)))
            .expression_attribute_values(":by", text(mark.as_str()));
        // The id that is given back in the end must be the one that the tenant has.
        let update = match row.get("external_id") {
            Some(external_id) => update
                .condition_expression(format!("{unchanged} AND external_id = :external"))
                .expression_attribute_values(":external", external_id.clone()),
            None => update.condition_expression(format!("{unchanged} AND attribute_not_exists(external_id)")),
        };
        let update = update.build().map_err(unwritable("a tenant"))?;
        let (pk, sk) = place(&deletion.tenant_id);
        let item = keyed(to_item(deletion)?, pk, sk);
        let put =
            Put::builder().table_name(&self.name).set_item(Some(item)).build().map_err(unwritable("a deletion"))?;
        let writes =
            vec![TransactWriteItem::builder().update(update).build(), TransactWriteItem::builder().put(put).build()];
        transact(&self.client, CALL, writes, |there| is_by(there, &mark)).await
    }

    /// The deletion that goes on, or this one in place of a row that is lost or cannot be read.
    async fn restored(&self, anew: Deletion) -> Result<Option<Deletion>, Failure> {
        if let Some(there) = self.deletion(&anew.tenant_id).await? {
            return Ok(Some(there));
        }
        let (pk, sk) = place(&anew.tenant_id);
        let put = self.client.put_item().table_name(&self.name).set_item(Some(keyed(to_item(&anew)?, pk, sk)));
        put.send().await.map_err(failed("PutItem deletion"))?;
        Ok(Some(anew))
    }

    /// How far the deletion of a tenant has come; nothing where it has none, or its row cannot be read.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn deletion(&self, tenant: &TenantId) -> Result<Option<Deletion>, Failure> {
        let (pk, sk) = place(tenant);
        self.get_readable(pk, &sk).await
    }

    /// Every deletion that goes on.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn running_deletions(&self) -> Result<Vec<Deletion>, Failure> {
        self.all(LIST.to_owned(), PREFIX).await
    }

    /// Notes how far a deletion has come since `before`, unless somebody else has gone on with it meanwhile.
    ///
    /// # Errors
    /// When the write failed; the page before it is looked at again, which is harmless.
    pub async fn note_deletion(&self, before: &Deletion, after: &Deletion) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let (pk, sk) = place(&after.tenant_id);
        let mut item = keyed(to_item(after)?, pk, sk);
        item.insert(CHANGED_BY.to_owned(), text(mark.as_str()));
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("revision = :was")
            .expression_attribute_values(":was", number(before.revision))
            .build()
            .map_err(unwritable("a deletion"))?;
        let writes = vec![TransactWriteItem::builder().put(put).build()];
        transact(&self.client, CALL, writes, |there| is_by(there, &mark)).await
    }

    /// Ends a deletion: the tenant's row is a tombstone that says nothing but whose it was, its place in the operator's list and in that of
    /// deletions are gone, and its external id is free.
    ///
    /// # Errors
    /// When the write failed; repeating it is harmless.
    pub async fn end_deletion(
        &self,
        doomed: &Doomed,
        deletion: &Deletion,
        (now, expires_at): (Timestamp, i64),
    ) -> Result<Recorded, Failure> {
        let (tenant, mark) = (doomed.id(), entropy::mark());
        let tombstone: Item = [
            ("id", text(tenant.as_str())),
            ("status", text(TenantStatus::Deleting.as_str())),
            (DELETING, text(time::wire(deletion.since))),
            (ERASED, text(time::wire(now))),
            (CHANGED_BY, text(mark.as_str())),
            ("expires_at", number(expires_at)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(keyed(tombstone, tenant_partition(tenant), TENANT_SORT.to_owned())))
            .condition_expression(format!("attribute_exists({DELETING}) AND attribute_not_exists({ERASED})"))
            .build()
            .map_err(unwritable("a tombstone"))?;
        let mut writes = vec![TransactWriteItem::builder().put(put).build()];
        let listed = (TENANTS.to_owned(), format!("{TENANTS_PREFIX}{tenant}"));
        for (pk, sk) in [listed, place(tenant)] {
            let delete = Delete::builder()
                .table_name(&self.name)
                .set_key(Some(keyed(Item::new(), pk, sk)))
                .build()
                .map_err(unwritable("a deletion"))?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
        }
        if let Some(external_id) = &deletion.external_id
            && self.tenant_of(external_id).await?.as_ref() == Some(tenant)
        {
            writes.push(self.releasing(external_id, tenant)?);
        }
        transact(&self.client, CALL, writes, |there| is_by(there, &mark)).await
    }

    /// Takes a deletion off the list whose tenant is a tombstone already.
    ///
    /// # Errors
    /// When the write failed; repeating it is harmless.
    pub async fn unlist_deletion(&self, deletion: &Deletion) -> Result<(), Failure> {
        let (pk, sk) = place(&deletion.tenant_id);
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(keyed(Item::new(), pk, sk)));
        delete.send().await.map_err(failed("DeleteItem deletion"))?;
        Ok(())
    }
}
