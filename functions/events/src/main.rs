//! Events: published over HTTP, on the stack's bus or by direct invocation; seen with their deliveries.

mod handler;
mod publish;
mod triggers;
mod view;

use handler::Events;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use postrider_aws::{env, sdk, telemetry};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let events = &Events::from_env(&sdk::load()?)?;
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| events.answer(event))).await
}
