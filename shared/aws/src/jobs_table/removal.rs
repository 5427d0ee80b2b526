//! Jobs of a tenant that is being deleted.

use aws_sdk_dynamodb::types::ReturnValue;
use postrider_domain::deletion::Doomed;
use postrider_domain::dialect::JobKind;
use postrider_domain::id::JobId;

use super::JobsTable;
use crate::Page;
use crate::error::{Failure, failed};
use crate::item::text;
use crate::rows::ids;

impl JobsTable {
    /// The ids of a page of a doomed tenant's jobs of a kind, behind the one given, whether their rows can be read or not.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn left_of(
        &self,
        doomed: &Doomed,
        kind: JobKind,
        (limit, after): (i32, Option<&JobId>),
    ) -> Result<Page<JobId, JobId>, Failure> {
        let found = self.listed(doomed.id(), kind, limit, after).await?;
        Ok(Page { rows: ids(&found.rows, "id", ""), next: found.next })
    }

    /// Takes a job away, if it is the doomed tenant's; whether it was there.
    ///
    /// # Errors
    /// When the write failed; repeating it is harmless.
    pub async fn remove(&self, doomed: &Doomed, id: &JobId) -> Result<bool, Failure> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key("id", text(id.as_str()))
            .condition_expression("attribute_not_exists(id) OR tenant_id = :tenant")
            .expression_attribute_values(":tenant", text(doomed.id().as_str()))
            .return_values(ReturnValue::AllOld);
        match delete.send().await {
            Ok(made) => Ok(made.attributes.is_some()),
            Err(error) if error.as_service_error().is_some_and(|why| why.is_conditional_check_failed_exception()) => {
                tracing::error!(tenant_id = doomed.id().as_str(), job_id = id.as_str(), "removal.not_its_own");
                Ok(false)
            }
            Err(error) => Err(failed("DeleteItem jobs")(error)),
        }
    }
}
