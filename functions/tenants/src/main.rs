//! The operator's side: tenants, their keys, and provider keys.

mod handler;
mod view;

use handler::{Operator, ROUTES};
use lambda_runtime::{Error, run, service_fn};
use postrider_aws::{env, http, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let operator = &Operator::from_env(&sdk::load()?)?;
    run(service_fn(
        |event| async move { Ok::<_, Error>(http::serve(event, &ROUTES, |call| operator.handle(call)).await) },
    ))
    .await
}
