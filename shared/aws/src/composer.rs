//! What is sent: an event's body for an endpoint and the headers that sign it. Whoever shows a request before it is made composes it
//! here as well, so that nobody is shown another one than receivers get.

use std::sync::Arc;

use aws_types::SdkConfig;
use jiff::Timestamp;
use postrider_domain::dialect::SecretOf;
use postrider_domain::endpoint::{Endpoint, HeldValue};
use postrider_domain::event::Event;
use postrider_domain::hidden::{Hidden, MASK};
use postrider_domain::secret::Secret;
use postrider_domain::stored_secret::{StoredSecret, secrets_at};
use postrider_domain::tenant::Tenant;
use postrider_domain::{payload, signature};
use postrider_host::env::{self, BadSetting};

use crate::deployment_secret::DeploymentSecret;
use crate::error::Failure;
use crate::keyring::Keyring;

mod unsigned;

pub use unsigned::Unsigned;

/// How deliveries name their sender where neither the dialect nor the operator says so.
const USER_AGENT: &str = concat!("Postrider/", env!("CARGO_PKG_VERSION"));

/// A request, beside what the connection adds: `host` and `content-length`, or what stands for them in HTTP/2.
pub struct Composed {
    /// All of them in their order, their names in lower case, as they are sent.
    pub headers: Vec<(String, String)>,
    /// The very bytes that were signed.
    pub body: Vec<u8>,
    /// What it was made with that no record of it shows.
    pub hidden: Hidden,
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
    /// When a secret or a header cannot be read or opened, or the event's `data` is no JSON.
    pub async fn compose(
        &self,
        (tenant, endpoint): (&Tenant, &Endpoint),
        event: &Event,
        at: Timestamp,
    ) -> Result<Composed, Failure> {
        let (mut own, mut values) = (Vec::new(), Vec::new());
        for (name, value) in endpoint.own_headers() {
            let value = match value {
                HeldValue::Sealed(sealed) => self.keyring.open(&endpoint.header_owner(name), sealed).await?,
                HeldValue::OfBefore(value) => Secret::stored(value.to_owned()),
            };
            own.push((name.to_owned(), value.expose().to_owned()));
            values.push(value);
        }
        self.with_own((tenant, endpoint), event, at, (own, values)).await
    }

    /// The same with [`MASK`] in place of each value of the owner's headers, which nobody opens: to be shown, and not to be sent.
    ///
    /// # Errors
    /// As [`Composer::compose`].
    pub async fn compose_masked(
        &self,
        (tenant, endpoint): (&Tenant, &Endpoint),
        event: &Event,
        at: Timestamp,
    ) -> Result<Composed, Failure> {
        let own = endpoint.own_headers().map(|(name, _)| (name.to_owned(), MASK.to_owned())).collect();
        self.with_own((tenant, endpoint), event, at, (own, Vec::new())).await
    }

    async fn with_own(
        &self,
        (tenant, endpoint): (&Tenant, &Endpoint),
        event: &Event,
        at: Timestamp,
        (own, values): (Vec<(String, String)>, Vec<Secret>),
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
        let headers = laid_out(endpoint, own, signed, self.user_agent.as_deref());
        Ok(Composed { headers, body, hidden: Hidden::new(values, secrets) })
    }

    async fn open(&self, owner: &str, sealed: &[StoredSecret], at: Timestamp) -> Result<Vec<Secret>, Failure> {
        let mut secrets = Vec::new();
        for stored in secrets_at(sealed, at) {
            secrets.push(self.keyring.open(owner, &stored.sealed).await?);
        }
        Ok(secrets)
    }
}

/// The headers in their order: the body's kind, those of the owner's and those that sign, and who sends it.
fn laid_out(
    endpoint: &Endpoint,
    own: Vec<(String, String)>,
    signed: Vec<(&'static str, String)>,
    user_agent: Option<&str>,
) -> Vec<(String, String)> {
    let mut headers = vec![("content-type".to_owned(), endpoint.content_type().to_owned())];
    headers.extend(own.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)));
    headers.extend(signed.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)));
    // The one of these that is its owner's to set.
    if !headers.iter().any(|(name, _)| name == "accept") {
        headers.push(("accept".to_owned(), "*/*".to_owned()));
    }
    let sender = endpoint.dialect.user_agent.or(user_agent).unwrap_or(USER_AGENT);
    headers.push(("user-agent".to_owned(), sender.to_owned()));
    headers
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::SignedDuration;
    use postrider_domain::tenant::Plan;
    use replay::{Said, Script};
    use serde_json::json;

    use super::*;
    use crate::{sample, sdk};

    const TOKEN: &str = "Bearer canary-0123456789";

    fn composer() -> Composer {
        let keys = || Said::secret(r#"{"current":"k1","k1":"some generated text"}"#);
        let sdk = Script::default().saying("GetSecretValue", std::iter::repeat_with(keys)).sdk(sdk::over);
        Composer::of(Arc::new(Keyring::of(&sdk, "encryption key")), None)
    }

    fn tenant() -> Tenant {
        Tenant::bare(sample::event().tenant_id, "a".to_owned(), Plan::Pro, Timestamp::UNIX_EPOCH)
    }

    async fn sealed(composer: &Composer, endpoint: &Endpoint, name: &str) -> String {
        composer.keyring.seal(&endpoint.header_owner(name), &Secret::stored(TOKEN.to_owned())).await.unwrap()
    }

    async fn sent(composer: &Composer, endpoint: &Endpoint) -> Result<Composed, Failure> {
        composer.compose((&tenant(), endpoint), &sample::event(), Timestamp::UNIX_EPOCH).await
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[tokio::test]
    async fn sealed_headers_and_those_of_before_are_sent_and_masked_ones_are_shown() {
        let composer = composer();
        let bare = replay::sample::endpoint(tenant().id);
        let sealed = sealed(&composer, &bare, "X-Token").await;
        let content_type = Some("application/cloudevents+json".to_owned().try_into().unwrap());
        let (sealed_headers, headers) = (map(&[("x-token", &sealed)]), map(&[("X-Team", "billing of before")]));
        let endpoint = Endpoint { sealed_headers, headers, content_type, ..bare.clone() };
        let composed = sent(&composer, &endpoint).await.unwrap();
        let content_type = pair("content-type", "application/cloudevents+json");
        let ids = [pair("webhook-id", sample::event().id.as_str()), pair("webhook-timestamp", "0")];
        let own = [pair("x-token", TOKEN), pair("x-team", "billing of before")];
        let sender = [pair("accept", "*/*"), pair("user-agent", USER_AGENT)];
        let all = |own: [(String, String); 2]| {
            [vec![content_type.clone()], own.into(), ids.clone().into(), sender.clone().into()].concat()
        };
        assert_eq!(composed.headers, all(own));
        let said = format!("{TOKEN} canary-0123456789 billing of before");
        assert_eq!(composed.hidden.out_of(&said, true), "*** *** ***");

        let masked = composer.compose_masked((&tenant(), &endpoint), &sample::event(), Timestamp::UNIX_EPOCH).await;
        let masked = masked.unwrap();
        assert_eq!(
            (masked.headers, masked.body),
            (all([pair("x-token", "***"), pair("x-team", "***")]), composed.body)
        );
        // And without the signature, of which this endpoint has none as it has no secret.
        let shown = Unsigned::of((&tenant(), &endpoint), &sample::event(), Some(Timestamp::UNIX_EPOCH), None).unwrap();
        assert_eq!(shown.headers, all([pair("x-token", "***"), pair("x-team", "***")]));
        let secret: StoredSecret = serde_json::from_value(json!({"sealed": "whatever"})).unwrap();
        let signed = Endpoint { secrets: vec![secret], ..endpoint };
        let shown = Unsigned::of((&tenant(), &signed), &sample::event(), None, None).unwrap();
        assert_eq!(shown.left_out, ["webhook-timestamp", "webhook-signature"]);
        assert!(shown.headers.iter().all(|(name, _)| !shown.left_out.contains(name)), "{shown:?}");
        let plain = sent(&composer, &bare).await.unwrap();
        assert_eq!(plain.headers[0], pair("content-type", "application/json"));
    }

    #[tokio::test]
    async fn a_sealed_value_is_sent_by_its_own_webhook_under_its_own_name_alone() {
        let composer = composer();
        let bare = replay::sample::endpoint(tenant().id);
        let sealed = sealed(&composer, &bare, "x-token").await;
        let with =
            |endpoint: &Endpoint, name: &str| Endpoint { sealed_headers: map(&[(name, &sealed)]), ..endpoint.clone() };
        assert!(sent(&composer, &with(&bare, "x-token")).await.is_ok());
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1);
        let another = Endpoint { id: postrider_domain::id::EndpointId::new(at, 2), ..bare.clone() };
        let anothers = Endpoint { tenant_id: postrider_domain::id::TenantId::new(at, 2), ..bare.clone() };
        let secret: StoredSecret = serde_json::from_value(json!({"sealed": sealed})).unwrap();
        for copied in [
            with(&bare, "x-other"),
            with(&another, "x-token"),
            with(&anothers, "x-token"),
            Endpoint { secrets: vec![secret], ..bare.clone() },
        ] {
            let error = sent(&composer, &copied).await.err().unwrap();
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        // Nor is a signing secret a header's value.
        let secret = composer.keyring.seal(&bare.secret_owner(), &Secret::stored(TOKEN.to_owned())).await.unwrap();
        assert!(sent(&composer, &Endpoint { sealed_headers: map(&[("x-token", &secret)]), ..bare }).await.is_err());
    }
}
