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

/// What AWS answers when it has too much to do, or is about the same row for somebody else: what DynamoDB, SQS, Scheduler,
/// EventBridge and Secrets Manager document, and what the SDK takes for a reason to try again. Some come with `Exception` behind
/// it and some without.
const BUSY_CODES: [&str; 18] = [
    "BandwidthLimitExceeded",
    "KMS.Throttling",
    "KmsThrottled",
    "OverLimit",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
    "ReplicatedWriteConflict",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttled",
    "Throttling",
    "ThrottlingError",
    "TooManyRequests",
    "TransactionConflict",
    "TransactionInProgress",
];
/// The same in HTTP's words, whatever the body says.
const BUSY_STATUSES: [u16; 2] = [429, 503];

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
    move |error| {
        let why = match error.as_service_error() {
            Some(service) => {
                format!("{}: {}", service.code().unwrap_or("no code"), service.message().unwrap_or("no message"))
            }
            None => chain(&error),
        };
        if is_busy(&error) { AwsError::busy(call, why) } else { AwsError::new(call, why) }
    }
}

fn is_busy<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    let code = code.map(|code| code.strip_suffix("Exception").unwrap_or(code));
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    code.is_some_and(|code| BUSY_CODES.contains(&code))
        || status.is_some_and(|status| BUSY_STATUSES.contains(&status))
        || is_out_of_time(error)
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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;
    use aws_smithy_types::body::SdkBody;

    fn answered(status: u16, code: &str) -> AwsError {
        let error = GetItemError::generic(ErrorMetadata::builder().code(code).build());
        let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        failed("GetItem")(SdkError::service_error(error, answer))
    }

    #[test]
    fn what_passes_by_itself_is_busy_and_nothing_else() {
        for code in [
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "RequestLimitExceeded",
            "TransactionInProgressException",
            "TransactionConflictException",
            "ReplicatedWriteConflictException",
            "RequestThrottled",
            "KMS.ThrottlingException",
            "TooManyRequestsException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ] {
            assert!(answered(400, code).is_busy(), "{code}");
        }
        for status in [429, 503] {
            assert!(answered(status, "whatever it says").is_busy(), "{status}");
        }
        for (status, code) in [
            (400, "ValidationException"),
            (400, "AccessDeniedException"),
            (400, "ResourceNotFoundException"),
            (402, "ServiceQuotaExceededException"),
            (500, "InternalServerError"),
            (500, "InternalServiceError"),
        ] {
            assert!(!answered(status, code).is_busy(), "{code}");
        }
    }
}
