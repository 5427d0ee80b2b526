//! What is sent: an event's body for an endpoint and the headers that sign it. Whoever shows a request before it is made composes it
//! here as well, so that nobody is shown another one than receivers get.

use std::sync::Arc;

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

/// How deliveries name their sender where neither the dialect nor the operator says so.
const USER_AGENT: &str = concat!("Postrider/", env!("CARGO_PKG_VERSION"));

/// A request, beside what the connection adds: `host` and `content-length`, or what stands for them in HTTP/2.
pub struct Composed {
    /// All of them in their order, their names in lower case, as they are sent.
    pub headers: Vec<(String, String)>,
    /// The very bytes that were signed.
    pub body: Vec<u8>,
}

/// Composes requests.
pub struct Composer {
    keyring: Arc<Keyring>,
    /// Only jobs' deliveries are signed with it.
    deployment_secret: Option<DeploymentSecret>,
    /// How the deployment's deliveries name their sender, where the operator says so.
    user_agent: Option<String>,
}

impl Composer {
    /// From `ENCRYPTION_KEY_SECRET`, `WEBHOOK_SIGNING_SECRET` and the deployment's own `User-Agent`.
    ///
    /// # Errors
    /// When a setting is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let deployment_secret = Some(DeploymentSecret::from_env(sdk)?);
        Ok(Self { keyring: Arc::new(Keyring::from_env(sdk)?), deployment_secret, user_agent: env::user_agent()? })
    }

    /// For webhooks alone, whose secrets this keyring opens, from the deployment's own `User-Agent`: no dialect that registers them signs
    /// with the deployment's secret, so that need not be readable.
    ///
    /// # Errors
    /// When that makes no sense.
    pub fn of_webhooks(keyring: Arc<Keyring>) -> Result<Self, BadSetting> {
        Ok(Self::of(keyring, env::user_agent()?))
    }

    /// The same with this `User-Agent`.
    pub fn of(keyring: Arc<Keyring>, user_agent: Option<String>) -> Self {
        Self { keyring, deployment_secret: None, user_agent }
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
            SecretOf::Deployment => match &self.deployment_secret {
                Some(secret) => vec![secret.get().await?],
                None => return Err(Failure::Secret("the deployment's secret signs for jobs alone")),
            },
        };
        let signed = signature::headers(&endpoint.dialect.signing, &secrets, event.id.as_str(), at, &body);
        Ok(Composed { headers: self.headers(endpoint, signed), body })
    }

    fn headers(&self, endpoint: &Endpoint, signed: Vec<(&'static str, String)>) -> Vec<(String, String)> {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(endpoint.own_headers().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())));
        headers.extend(signed.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)));
        // The one of these that is its owner's to set.
        if !headers.iter().any(|(name, _)| name == "accept") {
            headers.push(("accept".to_owned(), "*/*".to_owned()));
        }
        let sender = endpoint.dialect.user_agent.or(self.user_agent.as_deref()).unwrap_or(USER_AGENT);
        headers.push(("user-agent".to_owned(), sender.to_owned()));
        headers
    }

    async fn open(&self, owner: &str, sealed: &[StoredSecret], at: Timestamp) -> Result<Vec<Secret>, Failure> {
        let mut secrets = Vec::new();
        for stored in secrets_at(sealed, at) {
            secrets.push(self.keyring.open(owner, &stored.sealed).await?);
        }
        Ok(secrets)
    }
}
