//! What it means that AWS did not do what was asked: we failed, and whoever called us may try again.

use std::error::Error;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// A call that failed after the SDK's own retries.
///
/// It says which call and why by code and message, never the request or the answer, which can hold customers' data.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{call}: {why}")]
pub struct AwsError {
    call: &'static str,
    why: String,
    kind: Kind,
}

/// What a failure means for whoever waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A row is there and cannot be read: asking again will not mend it.
    Unreadable,
    /// AWS has too much to do, or our time is over: in a moment it may be otherwise.
    Busy,
    /// Anything else.
    Failed,
}

/// What AWS answers when it has too much to do.
const BUSY_CODES: [&str; 9] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottlingError",
    "TooManyRequestsException",
];

impl AwsError {
    /// A failure that no SDK error stands behind.
    pub fn new(call: &'static str, why: impl Into<String>) -> Self {
        Self { call, why: why.into(), kind: Kind::Failed }
    }

    /// A row that is there and cannot be read.
    pub fn unreadable(call: &'static str, why: impl Into<String>) -> Self {
        Self { kind: Kind::Unreadable, ..Self::new(call, why) }
    }

    /// AWS was too busy, or too little time was left.
    pub fn busy(call: &'static str, why: impl Into<String>) -> Self {
        Self { kind: Kind::Busy, ..Self::new(call, why) }
    }

    /// Whether a row is there that cannot be read.
    pub fn is_unreadable(&self) -> bool {
        self.kind == Kind::Unreadable
    }

    /// Whether it may be otherwise in a moment.
    pub fn is_busy(&self) -> bool {
        self.kind == Kind::Busy
    }
}

/// Turns an SDK error into an [`AwsError`] that names the call; made for `map_err(failed("..."))`.
pub fn failed<E>(call: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| match error.as_service_error() {
        Some(service) => {
            let code = service.code().unwrap_or("no code");
            let why = format!("{code}: {}", service.message().unwrap_or("no message"));
            if BUSY_CODES.contains(&code) { AwsError::busy(call, why) } else { AwsError::new(call, why) }
        }
        None if is_out_of_time(&error) => AwsError::busy(call, chain(&error)),
        None => AwsError::new(call, chain(&error)),
    }
}

/// Whether the time was over, before the call (`wire`) or in it.
fn is_out_of_time<E>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_user() || failure.is_timeout(),
        _ => false,
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
