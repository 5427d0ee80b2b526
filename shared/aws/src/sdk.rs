//! The SDK's shared configuration: one HTTP client over rustls with ring, built once per process.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, TlsContext, rustls_provider::CryptoMode};
use lambda_runtime::Error;

use crate::roots;

/// How long any AWS call may take, retries included. Shorter than every function's time-out, so that a hanging call is
/// an error that is logged and retried, not a function that is killed.
const CALL_TIMEOUT: Duration = Duration::from_secs(12);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Credentials, region and endpoint from the environment that Lambda provides.
///
/// # Errors
/// When the roots that come with this program make no TLS client.
pub async fn load() -> Result<SdkConfig, Error> {
    let region = std::env::var("AWS_REGION").unwrap_or_default();
    let trusted = roots::trusted(&region, std::env::vars());
    let tls = TlsContext::builder().with_trust_store(trusted).build()?;
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    Ok(aws_config::defaults(BehaviorVersion::latest()).http_client(http).timeout_config(timeouts).load().await)
}
