//! What it means that AWS did not do what was asked: we failed, and whoever called us may try again.

use std::error::Error;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// A call that failed after the SDK's own retries.
///
/// It says which call and why by code and message, never the request or the answer, which can hold customers' data.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {why}")]
pub struct AwsError {
    call: &'static str,
    why: String,
}

impl AwsError {
    /// A failure that no SDK error stands behind.
    pub fn new(call: &'static str, why: impl Into<String>) -> Self {
        Self { call, why: why.into() }
    }
}

/// Turns an SDK error into an [`AwsError`] that names the call; made for `map_err(failed("..."))`.
pub fn failed<E>(call: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| {
        let why = match error.as_service_error() {
            Some(service) => {
                format!("{}: {}", service.code().unwrap_or("no code"), service.message().unwrap_or("no message"))
            }
            None => chain(&error),
        };
        AwsError { call, why }
    }
}

/// An error and its causes in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        line = format!("{line}: {inner}");
        cause = inner.source();
    }
    line
}
