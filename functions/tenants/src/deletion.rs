//! Tenants that are deleted: asked for here, carried on by the sweep, and shown until nothing is left.

use postrider_api::{ApiError, Request, Response, TenantRef};
use postrider_domain::id::TenantId;
use postrider_domain::tenant::TenantStatus;
use postrider_host::clock;

use crate::operator::Operator;
use crate::view;

impl Operator {
    pub(crate) async fn get(&self, request: &Request, id: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let id = TenantRef::read(id)?.id(&self.config).await?;
        self.show(200, &id).await
    }

    /// From here on its keys are none, and nothing is sent to it; the sweep does the rest. Asked for again, it goes on.
    pub(crate) async fn delete(&self, request: &Request, id: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let id = TenantRef::read(id)?.id(&self.config).await?;
        if self.config.begin_deletion(&id, clock::now()).await?.is_none() {
            return Err(not_found());
        }
        tracing::info!(tenant_id = id.as_str(), "tenant.deletion_asked_for");
        self.show(202, &id).await
    }

    async fn show(&self, status: u16, id: &TenantId) -> Result<Response, ApiError> {
        let tenant = self.config.tenant_or_tombstone(id).await?;
        let tenant = tenant.filter(|tenant| tenant.erased_at.is_none()).ok_or_else(not_found)?;
        let deletion = match tenant.status {
            TenantStatus::Deleting => self.config.deletion(id).await?,
            TenantStatus::Active | TenantStatus::Suspended => None,
        };
        Ok(Response::json(status, &view::tenant(&tenant).with(deletion.as_ref(), clock::now())))
    }
}

fn not_found() -> ApiError {
    ApiError::not_found("tenant")
}

#[cfg(test)]
mod tests;
