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
use lambda_runtime::Error;
use postrider_aws::{env, invocation, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let jobs = &Jobs::from_env(&sdk::load()?)?;
    invocation::run(|event| jobs.answer(event)).await
}
