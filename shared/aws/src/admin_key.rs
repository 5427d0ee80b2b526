//! The operator's one API key: the text of a secret that the template makes.

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_types::SdkConfig;
use postrider_domain::id::KeyId;
use postrider_domain::key::ApiKey;
use postrider_domain::key::hash_of;
use postrider_host::env::{self, BadSetting};
use postrider_host::remembered::Remembered;
use postrider_host::{clock, deadline, entropy};

use crate::config_table::ConfigTable;
use crate::error::{Failure, failed};

/// How long it is remembered, so that one that was changed is refused within a minute.
const REMEMBERED: Duration = Duration::from_secs(45);

/// Reads the key at first use.
pub struct AdminKey {
    client: Client,
    /// Where its hash is noted, so that other routes can tell it from an unknown key.
    noted_in: Option<ConfigTable>,
    secret_id: String,
    remembered: Remembered<String, Failure>,
}

impl AdminKey {
    /// From `ADMIN_KEY_SECRET`, the secret's ARN; its hash is noted in this table.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn from_env(sdk: &SdkConfig, config: ConfigTable) -> Result<Self, BadSetting> {
        Ok(Self::of(sdk, &env::var("ADMIN_KEY_SECRET")?, config))
    }

    /// The text of this secret, whose hash is noted in the config table.
    pub fn of(sdk: &SdkConfig, secret_id: &str, config: ConfigTable) -> Self {
        Self { noted_in: Some(config), ..Self::unnoted(sdk, secret_id) }
    }

    /// From `ADMIN_KEY_SECRET`, for who may write no key's row.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn unnoted_from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::unnoted(sdk, &env::var("ADMIN_KEY_SECRET")?))
    }

    /// The text of this secret, which is noted nowhere.
    pub fn unnoted(sdk: &SdkConfig, secret_id: &str) -> Self {
        let secret_id = secret_id.to_owned();
        Self { client: Client::new(sdk), noted_in: None, secret_id, remembered: Remembered::new(REMEMBERED) }
    }

    /// The key.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self) -> Result<String, Failure> {
        self.remembered.get(self.load()).await
    }

    async fn load(&self) -> Result<String, Failure> {
        let call = "GetSecretValue";
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await.map_err(failed(call))?;
        let key = answer.secret_string().unwrap_or_default().to_owned();
        if let Some(config) = &self.noted_in {
            // No write of the request's own: what that is told depends on its own writes.
            deadline::beside(config.note_admin_key(&known(&key))).await?;
        }
        Ok(key)
    }
}

fn known(key: &str) -> ApiKey {
    let now = clock::now();
    ApiKey {
        id: KeyId::new(now, entropy::bits64()),
        tenant_id: None,
        dialect: None,
        scopes: Vec::new(),
        name: Some("the admin key".to_owned()),
        hash: hash_of(key),
        created_at: now,
        not_after: None,
    }
}
