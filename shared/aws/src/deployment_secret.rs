//! The deployment's own signing secret, for dialects that sign with one for all tenants.

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_types::SdkConfig;
use postrider_domain::secret::Secret;
use postrider_host::env::{self, BadSetting};
use postrider_host::remembered::Remembered;

use crate::error::{Failure, failed};

/// How long it is remembered, so that a changed one is in use within minutes.
const REMEMBERED: Duration = Duration::from_secs(300);

/// Reads the secret at first use.
pub struct DeploymentSecret {
    client: Client,
    secret_id: String,
    remembered: Remembered<Secret, Failure>,
}

impl DeploymentSecret {
    /// From `WEBHOOK_SIGNING_SECRET`, the secret's ARN.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::of(sdk, &env::var("WEBHOOK_SIGNING_SECRET")?))
    }

    /// The one in this secret.
    pub fn of(sdk: &SdkConfig, secret_id: &str) -> Self {
        Self { client: Client::new(sdk), secret_id: secret_id.to_owned(), remembered: Remembered::new(REMEMBERED) }
    }

    /// The secret.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self) -> Result<Secret, Failure> {
        self.remembered.get(self.load()).await
    }

    async fn load(&self) -> Result<Secret, Failure> {
        let call = "GetSecretValue";
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await.map_err(failed(call))?;
        let text = answer.secret_string().filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| Failure::Secret("the signing secret is empty"))?;
        Ok(Secret::stored(text.to_owned()))
    }
}
