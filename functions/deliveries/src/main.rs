//! The ledger over HTTP: what became of every event x endpoint.

mod handler;
mod places;
mod view;

use handler::Ledger;
use lambda_runtime::Error;
use postrider_aws::{env, http, invocation, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let ledger = &Ledger::from_env(&sdk::load()?)?;
    invocation::run(|event| async move { Ok(http::serve(event, |request| ledger.handle(request)).await) }).await
}
