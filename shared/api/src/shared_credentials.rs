//! Who may see, and who may change, what all tenants share.

use postrider_aws::admin_key::AdminKey;
use postrider_aws::config_table::ConfigTable;
use postrider_domain::call::CalledBy;
use postrider_domain::id::{KeyId, SessionId, TenantId};

use crate::credentials::{bearer, is_of_admin_shape};
use crate::{ApiError, Credentials, Held, OperatorCredentials, Request, SharedAccess};

/// Who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedCaller {
    /// The operator.
    Operator,
    /// Who has this key.
    Key(KeyId),
    /// A visitor of a tenant's portal, in this session.
    Session(TenantId, SessionId),
}

impl SharedCaller {
    /// Whose calls are told apart from others'.
    pub fn called_by(&self) -> CalledBy<'_> {
        match self {
            Self::Operator => CalledBy::Operator,
            Self::Key(id) => CalledBy::Provider(id),
            Self::Session(tenant, id) => CalledBy::Session(tenant, id),
        }
    }
}

/// Checks keys of either kind.
pub struct SharedCredentials {
    keys: Credentials,
    operator: OperatorCredentials,
}

impl SharedCredentials {
    /// A checker over the config table and of this admin key.
    pub fn new(config: ConfigTable, admin_key: AdminKey) -> Self {
        Self { keys: Credentials::new(config.clone()), operator: OperatorCredentials::new(config, admin_key) }
    }

    /// The checker of keys and sessions alone.
    pub fn keys(&self) -> &Credentials {
        &self.keys
    }

    /// The checker of the admin key alone.
    pub fn operator(&self) -> &OperatorCredentials {
        &self.operator
    }

    /// Lets a caller in who may do this.
    ///
    /// # Errors
    /// 401 for no key, an unknown or an expired one; 403 for a suspended tenant's, and for one that may only see where it is to be
    /// changed.
    pub async fn admit(&self, request: &Request, access: &SharedAccess) -> Result<SharedCaller, ApiError> {
        let key = bearer(request)?;
        if is_of_admin_shape(key) {
            return self.operator.admit(request).await.map(|()| SharedCaller::Operator);
        }
        let caller = self.keys.caller_of(key).await?;
        match (access, caller.held()) {
            (SharedAccess::Read, Held::Key(key)) => Ok(SharedCaller::Key(key.id.clone())),
            (SharedAccess::Read, Held::Session(session)) => {
                Ok(SharedCaller::Session(session.tenant_id.clone(), session.id.clone()))
            }
            (SharedAccess::Write(scope), Held::Key(key)) if caller.of_tenant().is_none() && key.may(*scope) => {
                Ok(SharedCaller::Key(key.id.clone()))
            }
            (SharedAccess::Write(scope), _) => Err(ApiError::forbidden(format!(
                "this is the provider's to change: it takes the admin key, or a provider key with the scope `{}`",
                scope.as_str()
            ))),
        }
    }
}
