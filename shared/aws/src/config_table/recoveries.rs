//! Recoveries, and the list of those that are running, from which the sweep takes them up again.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use postrider_domain::id::{RecoveryId, TenantId};
use postrider_domain::quota::{Exceeded, Quota, Quotas};
use postrider_domain::recovery::{Progress, Recovery};
use postrider_host::entropy;
use serde::{Deserialize, Serialize};

use super::{ConfigTable, keyed, tenant_partition};
use crate::conditional::{CHANGED_BY, Recorded, has_id, is_by, transact, transact_in_a_crowd};
use crate::error::{Failure, failed, unwritable};
use crate::item::{Item, number, text, to_item};

const RUNNING: &str = "RECOVERIES";
const PREFIX: &str = "RECOVERY#";
/// The ids of what one tenant has running, for its quota.
const RUNNING_OF_TENANT: &str = "RECOVERING";
const CALL: &str = "TransactWriteItems recovery";
/// How often one is tried that others overtake.
const TRIES: usize = 4;
const READS_AT_ONCE: usize = 16;
/// The row beside the list that holds whose turn was the last.
const SERVED: &str = "SERVED";

/// Whose turn was the last.
#[derive(Serialize, Deserialize)]
struct Served {
    recovery_id: RecoveryId,
}

impl ConfigTable {
    /// Puts a new recovery and its place in the list of running ones, both or neither, if its tenant may have one more running.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn create_recovery(&self, recovery: &Recovery, quotas: Quotas) -> Result<Result<(), Exceeded>, Failure> {
        let mut limit = quotas.recoveries;
        for _ in 0..TRIES {
            if let Err(exceeded) = self.place_for_a_recovery(&recovery.tenant_id, limit).await? {
                match self.quotas_now(&recovery.tenant_id).await? {
                    Some(todays) if todays.recoveries != limit => limit = todays.recoveries,
                    _ => return Ok(Err(exceeded)),
                }
            } else if self.put_recovery(recovery, limit).await? == Recorded::Yes {
                return Ok(Ok(()));
            }
        }
        Ok(Err(Exceeded::until_given_back(Quota::Recoveries, limit)))
    }

    /// Whether a tenant may have one more running. Those are dropped from its list that no longer run: of one that a function of an
    /// earlier version ended, or whose row is gone or cannot be read, nobody would ever say so.
    async fn place_for_a_recovery(&self, tenant: &TenantId, limit: u64) -> Result<Result<(), Exceeded>, Failure> {
        let running = running_in(self.get_item(tenant_partition(tenant), RUNNING_OF_TENANT).await?.as_ref());
        if (running.len() as u64) < limit {
            return Ok(Ok(()));
        }
        let looks = running.iter().map(|id| async move {
            let row: Option<Recovery> = self.get_readable(tenant_partition(tenant), &format!("{PREFIX}{id}")).await?;
            Ok::<_, Failure>(row.is_none_or(|recovery| recovery.status == Progress::Done).then(|| id.clone()))
        });
        let ended: Vec<Option<String>> = stream::iter(looks).buffered(READS_AT_ONCE).try_collect().await?;
        let ended: Vec<String> = ended.into_iter().flatten().collect();
        if !ended.is_empty() {
            let left = running.len() - ended.len();
            let drop = self.running_update(tenant, "DELETE running :ids", ended)?;
            transact(&self.client, CALL, vec![drop], |_| false).await?;
            if (left as u64) < limit {
                return Ok(Ok(()));
            }
        }
        Ok(Err(Exceeded::until_given_back(Quota::Recoveries, limit)))
    }

    /// Puts it where so few run; overtaken, others have begun meanwhile.
    async fn put_recovery(&self, recovery: &Recovery, limit: u64) -> Result<Recorded, Failure> {
        let running = keyed(to_item(recovery)?, RUNNING.to_owned(), format!("{PREFIX}{}", recovery.id));
        let listing =
            Put::builder().table_name(&self.name).set_item(Some(running)).build().map_err(unwritable("a recovery"))?;
        let row = self
            .recovery_row(recovery)?
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(unwritable("a recovery"))?;
        let mut counted =
            self.running_update(&recovery.tenant_id, "ADD running :ids", vec![recovery.id.to_string()])?;
        if let Some(update) = &mut counted.update {
            update.condition_expression = Some("attribute_not_exists(running) OR size(running) < :limit".to_owned());
            update.expression_attribute_values.get_or_insert_default().insert(":limit".to_owned(), number(limit));
        }
        let [row, listing] = [row, listing].map(|put| TransactWriteItem::builder().put(put).build());
        // Its id is random: whoever has it is this recovery. The count may be refused beside it, by this very recovery.
        let writes = vec![row, listing, counted];
        transact_in_a_crowd(&self.client, CALL, writes, |there| has_id(there, recovery.id.as_str())).await
    }

    /// A change of the list of what a tenant has running; repeated, it changes nothing more.
    fn running_update(&self, tenant: &TenantId, change: &str, ids: Vec<String>) -> Result<TransactWriteItem, Failure> {
        let update = Update::builder()
            .table_name(&self.name)
            .key("pk", text(tenant_partition(tenant)))
            .key("sk", text(RUNNING_OF_TENANT))
            .update_expression(change)
            .expression_attribute_values(":ids", AttributeValue::Ss(ids))
            .build()
            .map_err(unwritable("a recovery"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The recovery of this tenant and id.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn recovery(&self, tenant: &TenantId, id: &RecoveryId) -> Result<Option<Recovery>, Failure> {
        self.get(tenant_partition(tenant), &format!("{PREFIX}{id}")).await
    }

    /// The recoveries that are running, the oldest first, as they were when they began.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn running_recoveries(&self) -> Result<Vec<Recovery>, Failure> {
        self.all(RUNNING.to_owned(), PREFIX).await
    }

    /// The recovery whose turn was the last of a sweep that came to no end; it may be done by now.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn last_recovery_served(&self) -> Result<Option<RecoveryId>, Failure> {
        let served: Option<Served> = self.get(RUNNING.to_owned(), SERVED).await?;
        Ok(served.map(|served| served.recovery_id))
    }

    /// Notes whose turn was the last. A hint: sweeps that meet write over each other's.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn note_recovery_served(&self, recovery: &RecoveryId) -> Result<(), Failure> {
        let item = keyed(to_item(&Served { recovery_id: recovery.clone() })?, RUNNING.to_owned(), SERVED.to_owned());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.map_err(failed("PutItem recovery"))?;
        Ok(())
    }

    /// Notes how far a recovery has come since `before`, unless somebody else has carried it on meanwhile: then his count of the
    /// page stands. One that is done leaves the lists of running ones in the same write, and so gives its place back.
    ///
    /// # Errors
    /// When the write failed; the page before it will be seen again, which is harmless.
    pub async fn note_recovery(&self, before: &Recovery, recovery: &Recovery) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let mut row = self.recovery_row(recovery)?;
        if let Some(item) = row.get_item().clone() {
            let marked = item.into_iter().chain([(CHANGED_BY.to_owned(), text(mark.as_str()))]);
            row = row.set_item(Some(marked.collect()));
        }
        let row = row
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":running", text("running"));
        let row = match &before.after {
            Some(after) => row
                .condition_expression("#status = :running AND #after = :after")
                .expression_attribute_names("#after", "after")
                .expression_attribute_values(":after", text(after.as_str())),
            None => row
                .condition_expression("#status = :running AND attribute_not_exists(#after)")
                .expression_attribute_names("#after", "after"),
        };
        let mut writes = vec![TransactWriteItem::builder().put(row.build().map_err(unwritable("a recovery"))?).build()];
        if recovery.status == Progress::Done {
            let place: Item =
                [("pk".to_owned(), text(RUNNING)), ("sk".to_owned(), text(format!("{PREFIX}{}", recovery.id)))].into();
            let delete = Delete::builder()
                .table_name(&self.name)
                .set_key(Some(place))
                .build()
                .map_err(unwritable("a recovery"))?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
            let id = vec![recovery.id.to_string()];
            writes.push(self.running_update(&recovery.tenant_id, "DELETE running :ids", id)?);
        }
        transact(&self.client, CALL, writes, |there| is_by(there, &mark)).await
    }

    fn recovery_row(&self, recovery: &Recovery) -> Result<PutBuilder, Failure> {
        let sort = format!("{PREFIX}{}", recovery.id);
        let item = keyed(to_item(recovery)?, tenant_partition(&recovery.tenant_id), sort);
        Ok(Put::builder().table_name(&self.name).set_item(Some(item)))
    }
}

/// The ids that stand in a tenant's list of what runs.
fn running_in(row: Option<&Item>) -> Vec<String> {
    row.and_then(|row| row.get("running")?.as_ss().ok()).cloned().unwrap_or_default()
}
