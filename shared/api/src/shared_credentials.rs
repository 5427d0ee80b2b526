//! Who may see, and who may change, what all tenants share.

use postrider_aws::admin_key::AdminKey;
use postrider_aws::config_table::ConfigTable;
use postrider_domain::call::CalledBy;
use postrider_domain::id::KeyId;

use crate::credentials::{bearer, is_of_admin_shape};
use crate::{ApiError, Credentials, OperatorCredentials, Request, SharedAccess};

/// Who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedCaller {
    /// The operator.
    Operator,
    /// Who has this key.
    Key(KeyId),
}

impl SharedCaller {
    /// Whose calls are told apart from others'.
    pub fn called_by(&self) -> CalledBy<'_> {
        match self {
            Self::Operator => CalledBy::Operator,
            Self::Key(id) => CalledBy::Provider(id),
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
        match access {
            SharedAccess::Read => Ok(SharedCaller::Key(caller.key.id)),
            SharedAccess::Write(scope) if caller.tenant.is_none() && caller.key.may(*scope) => {
                Ok(SharedCaller::Key(caller.key.id))
            }
            SharedAccess::Write(scope) => Err(ApiError::forbidden(format!(
                "this is the provider's to change: it takes the admin key, or a provider key with the scope `{}`",
                scope.as_str()
            ))),
        }
    }
}
