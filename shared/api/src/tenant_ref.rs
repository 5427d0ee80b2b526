//! The tenant that a path names: by our id, or by its provider's own. All routes below `/v1/tenants/{id}` find theirs here.

use percent_encoding::percent_decode_str;
use postrider_aws::config_table::{ConfigTable, Standing};
use postrider_domain::external_id::ExternalId;
use postrider_domain::id::TenantId;
use postrider_domain::tenant::{Tenant, TenantStatus};

use crate::ApiError;

/// What stands in a path where a tenant is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantRef {
    /// `ten_…`.
    Id(TenantId),
    /// `ext:` and the provider's own id.
    External(ExternalId),
}

impl TenantRef {
    /// Reads a path's segment. A colon may come as `%3A`: whether the gateway has decoded it is not ours to rely on, and neither kind of
    /// id has a `%` in it.
    ///
    /// # Errors
    /// 404 where it can be no tenant's.
    pub fn read(segment: &str) -> Result<Self, ApiError> {
        let decoded = percent_decode_str(segment).decode_utf8_lossy();
        let read = match decoded.strip_prefix(ExternalId::IN_A_PATH) {
            Some(external_id) => external_id.parse().map(Self::External),
            None => decoded.parse().map(Self::Id),
        };
        read.map_err(|_| not_found())
    }

    /// The id of the tenant that is meant. That a tenant has it is only said of the provider's own: it costs a read.
    ///
    /// # Errors
    /// 404 where no tenant has the provider's own id.
    pub async fn id(self, config: &ConfigTable) -> Result<TenantId, ApiError> {
        match self {
            Self::Id(id) => Ok(id),
            Self::External(external_id) => config.tenant_of(&external_id).await?.ok_or_else(not_found),
        }
    }
}

/// The tenant that a path names.
///
/// # Errors
/// 404 where there is none, 409 while it is being deleted.
pub async fn tenant_in_path(config: &ConfigTable, segment: &str) -> Result<Tenant, ApiError> {
    let id = TenantRef::read(segment)?.id(config).await?;
    match config.tenant_or_tombstone(&id).await? {
        Some(tenant) if tenant.erased_at.is_some() => Err(not_found()),
        Some(tenant) if tenant.status == TenantStatus::Deleting => Err(being_deleted()),
        found => found.ok_or_else(not_found),
    }
}

/// The id of the tenant that a path names, even if its own row cannot be read.
///
/// # Errors
/// As [`tenant_in_path`].
pub async fn tenant_id_in_path(config: &ConfigTable, segment: &str) -> Result<TenantId, ApiError> {
    let id = TenantRef::read(segment)?.id(config).await?;
    match config.standing(&id).await? {
        Some(Standing::Lives) => Ok(id),
        Some(Standing::IsDeleted) => Err(being_deleted()),
        None => Err(not_found()),
    }
}

/// 409: nothing of a tenant can be changed any more.
pub fn being_deleted() -> ApiError {
    ApiError::conflict(
        "this tenant is being deleted; once it is gone this is a 404, and its external_id can be given anew",
    )
}

fn not_found() -> ApiError {
    ApiError::not_found("tenant")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_tenant_by_either_id_escaped_or_not() {
        let id = "ten_0123456789abcdef";
        assert_eq!(TenantRef::read(id).unwrap(), TenantRef::Id(id.parse().unwrap()));
        let external = TenantRef::External("acme.7_-".parse().unwrap());
        for segment in ["ext:acme.7_-", "ext%3Aacme.7_-", "ext%3aacme%2E7_-"] {
            assert_eq!(TenantRef::read(segment).unwrap(), external, "{segment}");
        }
        for segment in ["", "ext:", "ext:a b", "ext:a/b", "ext:%ff", "EXT:acme", "ten_", "acme", "ext%253Aacme"] {
            assert_eq!(TenantRef::read(segment).unwrap_err().status(), 404, "{segment}");
        }
    }
}
