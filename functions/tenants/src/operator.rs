//! What the function holds.

use postrider_api::SharedCredentials;
use postrider_aws::admin_key::AdminKey;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::keyring::Keyring;
use postrider_aws::sdk::SdkConfig;
use postrider_host::env::{self, BadSetting};

/// What the routes need.
pub struct Operator {
    pub(crate) credentials: SharedCredentials,
    pub(crate) config: ConfigTable,
    pub(crate) keyring: Keyring,
    pub(crate) deliveries: DeliveriesTable,
    /// Where the API is, for whoever is sent there.
    pub(crate) public_url: String,
}

impl Operator {
    /// From the settings that the template gives it.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let (config, keyring) = (ConfigTable::from_env(sdk)?, Keyring::from_env(sdk)?);
        let admin_key = AdminKey::from_env(sdk, config.clone())?;
        let deliveries = DeliveriesTable::from_env(sdk)?;
        let (credentials, public_url) = (SharedCredentials::new(config.clone(), admin_key), env::public_url()?);
        Ok(Self { credentials, config, keyring, deliveries, public_url })
    }
}
