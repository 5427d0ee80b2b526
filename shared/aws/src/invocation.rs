//! How a function runs: one invocation after another, each payload as it came, and a failure in words of our own.

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::value::RawValue;

/// A failure as its invoker reads it. The runtime would name a type of Rust's with it.
#[derive(Debug)]
struct Failure(Error);

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: "Failed".to_owned(), error_message: failure.0.to_string() }
    }
}

/// Hands every invocation to `handle`, for as long as the process lives.
///
/// # Errors
/// When the runtime's own API cannot be reached.
pub async fn run<F, Fut, R>(handle: F) -> Result<(), Error>
where
    F: Fn(LambdaEvent<Box<RawValue>>) -> Fut,
    Fut: Future<Output = Result<R, Error>>,
    R: Serialize,
{
    lambda_runtime::run(service_fn(|event| {
        let handled = handle(event);
        async move { handled.await.map_err(Failure) }
    }))
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_no_type() {
        let told = Diagnostic::from(Failure("no batch".into()));
        assert_eq!((told.error_type.as_str(), told.error_message.as_str()), ("Failed", "no batch"));
    }
}
