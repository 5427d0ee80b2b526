//! What is sent: an event's body for an endpoint and the headers that sign it. Whoever shows a request before it is made composes it
//! here as well, so that nobody is shown another one than receivers get.

use aws_types::SdkConfig;
use jiff::Timestamp;
use postrider_domain::dialect::SecretOf;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::Event;
use postrider_domain::secret::Secret;
use postrider_domain::stored_secret::{StoredSecret, secrets_at};
use postrider_domain::tenant::Tenant;
use postrider_domain::{payload, signature};
use postrider_host::env::{self, BadSetting};

use crate::deployment_secret::DeploymentSecret;
use crate::error::Failure;
use crate::keyring::Keyring;

/// A request, beside what the connection adds.
pub struct Composed {
    /// Beside those that every POST has.
    pub headers: Vec<(String, String)>,
    /// The very bytes that were signed.
    pub body: Vec<u8>,
}

/// Composes requests.
pub struct Composer {
    keyring: Keyring,
    deployment_secret: DeploymentSecret,
    /// How the deployment's deliveries name their sender, where the operator says so.
    user_agent: Option<String>,
}

impl Composer {
    /// From `ENCRYPTION_KEY_SECRET`, `WEBHOOK_SIGNING_SECRET` and the deployment's own `User-Agent`.
    ///
    /// # Errors
    /// When a setting is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            keyring: Keyring::from_env(sdk)?,
            deployment_secret: DeploymentSecret::from_env(sdk)?,
            user_agent: env::user_agent()?,
        })
    }

    /// This event for this endpoint of this tenant's, as it is sent at `at`.
    ///
    /// # Errors
    /// When a secret cannot be read or opened, or the event's `data` is no JSON.
    pub async fn compose(
        &self,
        (tenant, endpoint): (&Tenant, &Endpoint),
        event: &Event,
        at: Timestamp,
    ) -> Result<Composed, Failure> {
        let body = payload::body(endpoint.dialect.body, event, &endpoint.id)
            .map_err(|error| Failure::unreadable("an event's data", error))?;
        let secrets = match endpoint.dialect.secret_of {
            SecretOf::Endpoint => self.open(&endpoint.secret_owner(), &endpoint.secrets, at).await?,
            SecretOf::Tenant => self.open(tenant.id.as_str(), &tenant.secrets, at).await?,
            SecretOf::Deployment => vec![self.deployment_secret.get().await?],
        };
        let signed = signature::headers(&endpoint.dialect.signing, &secrets, event.id.as_str(), at, &body);
        let own = endpoint.own_headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let signed = signed.into_iter().map(|(name, value)| (name.to_owned(), value));
        let sender = endpoint.dialect.user_agent.or(self.user_agent.as_deref());
        let sender = sender.map(|sender| ("user-agent".to_owned(), sender.to_owned()));
        Ok(Composed { headers: own.chain(signed).chain(sender).collect(), body })
    }

    async fn open(&self, owner: &str, sealed: &[StoredSecret], at: Timestamp) -> Result<Vec<Secret>, Failure> {
        let mut secrets = Vec::new();
        for stored in secrets_at(sealed, at) {
            secrets.push(self.keyring.open(owner, &stored.sealed).await?);
        }
        Ok(secrets)
    }
}
