//! The SDK's shared configuration: what Lambda's environment gives, and one HTTP client over rustls with ring, built once
//! per process.
//!
//! Put together by hand: the SDK's own loader brings every way to come by credentials, another AWS client among them, and
//! looks for files, while a function only ever has its environment.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
pub use aws_types::SdkConfig;
use aws_types::origin::Origin;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use lambda_runtime::Error;

use crate::roots;
use crate::wire::{UntilDeadline, Wire};
use postrider_host::env::{self, BadSetting};

/// How long any AWS call may take, retries included; less where the invocation's deadline comes sooner (`deadline`).
const CALL_TIMEOUT: Duration = Duration::from_secs(12);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// From the environment that Lambda provides: credentials, which stay the same for a process's life, region, and which endpoints
/// are called.
///
/// # Errors
/// When a setting is missing, or the roots that come with this program make no TLS client.
pub fn load() -> Result<SdkConfig, Error> {
    let region = env::var("AWS_REGION")?;
    let trusted = roots::trusted(&region, std::env::vars());
    let tls = TlsContext::builder().with_trust_store(trusted).build()?;
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls).build_https();
    let (id, key) = (env::var("AWS_ACCESS_KEY_ID")?, env::var("AWS_SECRET_ACCESS_KEY")?);
    let credentials = Credentials::new(id, key, env::var("AWS_SESSION_TOKEN").ok(), None, "Lambda's environment");
    Ok(Endpoints::from_env()?.of(over(http, &region, credentials)))
}

/// Which of a service's endpoints are called.
#[derive(Default)]
struct Endpoints {
    /// One for all services, such as an emulator's.
    own: Option<String>,
    /// Those with validated cryptography. A region that has none for a service has no such name, so that calls fail there.
    fips: bool,
    /// Those that have IPv6, too.
    dual_stack: bool,
}

impl Endpoints {
    fn from_env() -> Result<Self, BadSetting> {
        Ok(Self {
            own: env::var("AWS_ENDPOINT_URL").ok(),
            fips: env::switch("AWS_USE_FIPS_ENDPOINT")?,
            dual_stack: env::switch("AWS_USE_DUALSTACK_ENDPOINT")?,
        })
    }

    fn of(self, config: SdkConfig) -> SdkConfig {
        let mut config = config.into_builder().service_config(OwnEndpoints);
        config.set_endpoint_url(self.own).set_use_fips(Some(self.fips)).set_use_dual_stack(Some(self.dual_stack));
        config.insert_origin("endpoint_url", Origin::shared_environment_variable());
        config.build()
    }
}

/// What stands between every client and an HTTP client: time-outs, tries, and the watch over the invocation's deadline.
pub fn over(http: SharedHttpClient, region: &str, credentials: Credentials) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Wire(http))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard())
        .sleep_impl(UntilDeadline)
        // It corrects what it signs by each answer's `Date` itself; all else goes by `clock`.
        .time_source(SystemTimeSource::new())
        // Credentials that never change need no cache, and calls that are this short no watch over their throughput beside
        // their time-outs: each would cost processor time at every call.
        .identity_cache(IdentityCache::no_cache())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// A service's own endpoint, such as `AWS_ENDPOINT_URL_SQS`.
#[derive(Debug)]
struct OwnEndpoints;

impl LoadServiceConfig for OwnEndpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        std::env::var(format!("{}_{service}", key.env())).ok().filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests;
