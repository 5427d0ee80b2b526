//! The operator's side: tenants, their keys, and provider keys.

mod handler;
mod view;

use handler::Operator;
use lambda_runtime::Error;
use postrider_aws::{env, http, invocation, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let operator = &Operator::from_env(&sdk::load()?)?;
    invocation::run(|event| async move { Ok(http::serve(event, |request| operator.handle(request)).await) }).await
}
