//! What it means that something was not done: we failed, and whoever called us may try again.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Why something was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// AWS did not do what it was asked.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A row is there and cannot be read: asking again will not mend it.
    #[error("reading {what}: {source}")]
    Unreadable {
        /// What should have been read.
        what: &'static str,
        /// Why it could not be.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// Something of ours cannot be put into words that AWS takes.
    #[error("writing {what}: {source}")]
    Unwritable {
        /// What should have been written.
        what: &'static str,
        /// Why it could not be.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A row is absent that nobody has deleted.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A row of somebody else's stands under an id that is random.
    #[error("the fresh id of {0} is taken")]
    Taken(&'static str),
    /// Others changed the same thing meanwhile, each time that it was tried.
    #[error("{0}: overtaken by others too often")]
    Overtaken(&'static str),
    /// A row was there, and then it was not.
    #[error("{0} came and went")]
    CameAndWent(&'static str),
    /// A secret can be neither sealed nor opened, or there is none where there must be one.
    #[error("{0}")]
    Secret(&'static str),
    /// The time is over, or too little is left to begin.
    #[error("the time is over")]
    OutOfTime,
}

impl Failure {
    /// A row that is there and cannot be read.
    pub fn unreadable(what: &'static str, why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unreadable { what, source: Arc::from(why.into()) }
    }

    /// Whether a row is there that cannot be read.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }

    /// Whether it may be otherwise in a moment.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Aws(error) => error.is_busy,
            Self::OutOfTime => true,
            _ => false,
        }
    }
}

/// Turns an error of our own writing into a [`Failure`]; made for `map_err(unwritable("..."))`.
pub(crate) fn unwritable<E: Error + Send + Sync + 'static>(what: &'static str) -> impl FnOnce(E) -> Failure {
    move |error| Failure::Unwritable { what, source: Arc::new(error) }
}

/// A call that failed after the SDK's own retries.
///
/// It says which call and why by code and message, never the request or the answer, which can hold customers' data.
#[derive(Clone, thiserror::Error)]
#[error("{call}: {why}")]
pub struct AwsError {
    call: &'static str,
    why: String,
    /// AWS has too much to do, or our time is over: in a moment it may be otherwise.
    is_busy: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
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

/// Without its source: that holds the answer, and in it customers' data.
impl fmt::Debug for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AwsError({self})")
    }
}

impl AwsError {
    /// A call that was answered, and not carried out.
    pub(crate) fn refused(call: &'static str, why: impl Into<String>) -> Failure {
        Self { call, why: why.into(), is_busy: false, source: None }.into()
    }

    /// The same because AWS was too busy.
    pub(crate) fn busy(call: &'static str, why: impl Into<String>) -> Failure {
        Self { call, why: why.into(), is_busy: true, source: None }.into()
    }
}

/// Turns an SDK error into a [`Failure`] that names the call; made for `map_err(failed("..."))`.
pub fn failed<E>(call: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    move |error| {
        let why = match error.as_service_error() {
            Some(service) => {
                format!("{}: {}", service.code().unwrap_or("no code"), service.message().unwrap_or("no message"))
            }
            None => chain(&error),
        };
        AwsError { call, why, is_busy: is_busy(&error), source: Some(Arc::new(error)) }.into()
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

    fn answered(status: u16, code: &str) -> Failure {
        let error = GetItemError::generic(ErrorMetadata::builder().code(code).build());
        let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        failed("GetItem")(SdkError::service_error(error, answer))
    }

    /// The runtime logs a failed invocation's error by `Debug`.
    #[test]
    fn no_answer_is_told_with_a_failure_and_its_source_is_kept() {
        let error = GetItemError::generic(ErrorMetadata::builder().code("ValidationException").build());
        let answer = HttpResponse::new(400.try_into().unwrap(), SdkBody::from("canary"));
        let failure = failed("GetItem")(SdkError::service_error(error, answer));
        assert!(failure.source().is_some());
        let in_a_list = format!("{failure} {failure:?} {:?} {:#?}", vec![&failure], Some(&failure));
        assert!(!in_a_list.contains("canary"), "{in_a_list}");
        let boxed: Box<dyn Error + Send + Sync> = failure.into();
        assert!(!format!("{boxed:?}").contains("canary"));
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
