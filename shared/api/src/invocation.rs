//! How a function runs: one start for all of them, one invocation after another, each payload as it came, and a failure in
//! words of our own.

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use postrider_aws::sdk::{self, SdkConfig};
use postrider_host::{env, telemetry};
use serde::Serialize;
use serde_json::value::RawValue;

/// An invocation, its payload as it came.
pub type Invocation = LambdaEvent<Box<RawValue>>;

/// A failure as its invoker reads it. The runtime would name a type of Rust's with it.
#[derive(Debug)]
struct Failure(Error);

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: "Failed".to_owned(), error_message: failure.0.to_string() }
    }
}

/// Makes a function of its settings, then hands it every invocation for as long as the process lives.
///
/// # Errors
/// When a setting is missing or makes no sense, or the runtime's own API cannot be reached.
pub async fn start<F, R: Serialize, E: Into<Error>>(
    from_env: impl FnOnce(&SdkConfig) -> Result<F, E>,
    answer: impl AsyncFn(&F, Invocation) -> Result<R, Error>,
) -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let (function, answer) = (&from_env(&sdk::load()?).map_err(Into::into)?, &answer);
    // Boxed: a function's work is one large future, and the runtime would move it about on a stack that holds it once.
    let handle = async |event| Box::pin(answer(function, event)).await.map_err(Failure);
    lambda_runtime::run(service_fn(handle)).await
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
