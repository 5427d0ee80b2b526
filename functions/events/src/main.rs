//! Events: published over HTTP, on the stack's bus or by direct invocation; seen with their deliveries.

mod handler;
mod publish;
mod triggers;
mod view;

use handler::Events;
use lambda_runtime::Error;
use postrider_aws::{env, invocation, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let events = &Events::from_env(&sdk::load()?)?;
    invocation::run(|event| events.answer(event)).await
}
