//! The ledger over HTTP: what became of every event x endpoint.

mod handler;
mod places;
mod view;

use handler::{Ledger, ROUTES};
use lambda_runtime::{Error, run, service_fn};
use postrider_aws::{env, http, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let ledger = &Ledger::from_env(&sdk::load()?)?;
    run(service_fn(
        |event| async move { Ok::<_, Error>(http::serve(event, &ROUTES, |call| ledger.handle(call)).await) },
    ))
    .await
}
