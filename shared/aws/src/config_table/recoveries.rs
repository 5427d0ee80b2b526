//! Recoveries, and the list of those that are running, from which the sweep takes them up again.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use postrider_domain::id::{RecoveryId, TenantId};
use postrider_domain::recovery::{Progress, Recovery};
use postrider_host::entropy;
use serde::{Deserialize, Serialize};

use super::{ConfigTable, keyed, tenant_partition};
use crate::conditional::{CHANGED_BY, Recorded, is_by, transact};
use crate::error::{Failure, failed, unwritable};
use crate::item::{Item, text, to_item};

const RUNNING: &str = "RECOVERIES";
const PREFIX: &str = "RECOVERY#";
/// The row beside the list that holds whose turn was the last.
const SERVED: &str = "SERVED";

/// Whose turn was the last.
#[derive(Serialize, Deserialize)]
struct Served {
    recovery_id: RecoveryId,
}

impl ConfigTable {
    /// Puts a new recovery and its place in the list of running ones, both or neither.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn create_recovery(&self, recovery: &Recovery) -> Result<(), Failure> {
        let running = keyed(to_item(recovery)?, RUNNING.to_owned(), format!("{PREFIX}{}", recovery.id));
        let listing =
            Put::builder().table_name(&self.name).set_item(Some(running)).build().map_err(unwritable("a recovery"))?;
        let row = self
            .recovery_row(recovery)?
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(unwritable("a recovery"))?;
        let writes = [row, listing].map(|put| TransactWriteItem::builder().put(put).build());
        // Its id is random: whoever has it is this recovery.
        match transact(&self.client, "TransactWriteItems recovery", writes.into(), |_| true).await? {
            Recorded::Yes => Ok(()),
            Recorded::Overtaken => Err(Failure::Taken("a recovery")),
        }
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
    /// page stands. One that is done leaves the list of running ones in the same write.
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
        }
        transact(&self.client, "TransactWriteItems recovery", writes, |there| is_by(there, &mark)).await
    }

    fn recovery_row(&self, recovery: &Recovery) -> Result<PutBuilder, Failure> {
        let sort = format!("{PREFIX}{}", recovery.id);
        let item = keyed(to_item(recovery)?, tenant_partition(&recovery.tenant_id), sort);
        Ok(Put::builder().table_name(&self.name).set_item(Some(item)))
    }
}
