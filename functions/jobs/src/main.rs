//! Jobs: started by customers, reported on by workers over HTTP or the bus, told of once when they end.

mod bus;
mod generate;
mod handler;
mod platform;
mod report;
mod starter;
mod tasks;
mod title;
mod view;

use handler::Jobs;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use postrider_aws::{env, sdk, telemetry};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let jobs = &Jobs::from_env(&sdk::load()?)?;
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| jobs.answer(event))).await
}
