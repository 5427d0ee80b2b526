//! The operator's one key, which the template makes.

use postrider_aws::admin_key::AdminKey;
use postrider_aws::config_table::ConfigTable;
use postrider_domain::key::hash_of;
use postrider_domain::portal::is_session;
use postrider_host::clock;
use subtle::ConstantTimeEq as _;

use crate::credentials::{bearer, is_of_admin_shape};
use crate::{ApiError, Request};

/// Checks the admin key.
pub struct OperatorCredentials {
    config: ConfigTable,
    admin_key: AdminKey,
}

impl OperatorCredentials {
    /// A checker of this key; the config table tells others apart from none.
    pub fn new(config: ConfigTable, admin_key: AdminKey) -> Self {
        Self { config, admin_key }
    }

    /// Lets the operator in.
    ///
    /// # Errors
    /// 401 for no key or a wrong one, 403 for a key of another kind.
    pub async fn admit(&self, request: &Request) -> Result<(), ApiError> {
        let key = bearer(request)?;
        if !is_of_admin_shape(key) {
            let hash = hash_of(key);
            let is_known = match is_session(key) {
                true => self.config.session(&hash).await?.is_some_and(|session| !session.has_ended(clock::now())),
                false => self.config.key(&hash).await?.is_some(),
            };
            return Err(match is_known {
                true => ApiError::forbidden("this route is the operator's; it takes the admin key"),
                false => ApiError::unauthorized("unknown API key"),
            });
        }
        let expected = self.admin_key.get().await?;
        if hash_of(key).as_bytes().ct_eq(hash_of(&expected).as_bytes()).into() {
            return Ok(());
        }
        Err(ApiError::unauthorized("unknown API key"))
    }
}
