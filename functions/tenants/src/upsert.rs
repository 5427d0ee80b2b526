//! `PUT /v1/tenants/ext:{external_id}`: the tenant that the provider calls so is as the request says, and is made where there is none.

use postrider_api::{ApiError, Request, Response, TenantRef, being_deleted};
use postrider_aws::config_table::{TenantChange, TenantChanged};
use postrider_domain::external_id::ExternalId;
use postrider_domain::invalid::Invalid;
use postrider_domain::tenant::{Plan, Tenant, TenantStatus};

use crate::handler::{A_NAME, A_PLAN, TRIES, check_name, given_metadata, overtaken, quotas};
use crate::operator::Operator;
use crate::view;

impl Operator {
    /// Of two calls that make the same tenant at once the external id's claim lets one through, and the other one changes what that
    /// has made. So repeating is safe, whatever became of the call before.
    pub(crate) async fn put(&self, request: &Request, id: &str) -> Result<Response, ApiError> {
        let mut fields = request.fields()?;
        let external_id = external_id(id)?;
        let name = fields.take_value("name", A_NAME)?.map(check_name).transpose()?;
        let plan: Option<Plan> = fields.take_value("plan", A_PLAN)?;
        let quotas = quotas(&mut fields)?;
        let metadata = given_metadata(&mut fields)?;
        fields.finish()?;
        for _ in 0..TRIES {
            let Some(id) = self.config.tenant_of(&external_id).await? else {
                let new = name.clone().ok_or_else(|| Invalid::new("name", A_NAME))?;
                let new = (new, plan.ok_or_else(|| Invalid::new("plan", A_PLAN))?);
                let tenant = Tenant {
                    quotas: quotas.of_nothing(),
                    external_id: Some(external_id.clone()),
                    metadata: metadata.clone().unwrap_or_default(),
                    ..self.new_tenant(new, None).await?
                };
                if self.config.create_tenant(&tenant, None).await?.is_ok() {
                    return Ok(Response::json(201, &view::tenant(&tenant)));
                }
                continue;
            };
            let before = self.config.tenant_that_must_be(&id).await?;
            if before.status == TenantStatus::Deleting {
                return Err(being_deleted());
            }
            let change = TenantChange {
                name: name.clone(),
                plan,
                quotas,
                external_id: Some(Some(external_id.clone())),
                metadata: metadata.clone(),
                ..TenantChange::default()
            };
            // One that has another external id by now is somebody else's to change.
            if before.external_id.as_ref() == Some(&external_id)
                && let TenantChanged::To(after) = self.config.change_tenant(&before, &change).await?
            {
                return Ok(Response::json(200, &view::tenant(&after)));
            }
        }
        Err(overtaken())
    }
}

/// The external id that a path names. One of ours makes no tenant, and what is neither is a path that nobody has.
fn external_id(segment: &str) -> Result<ExternalId, ApiError> {
    match TenantRef::read(segment) {
        Ok(TenantRef::External(external_id)) => Ok(external_id),
        Err(error) if !(segment.starts_with("ext:") || segment.starts_with("ext%")) => Err(error),
        _ => Err(Invalid::new(
            "external_id",
            format!("`ext:` and {}; PATCH changes a tenant by its own id", ExternalId::expected()),
        )
        .into()),
    }
}

#[cfg(test)]
mod tests;
