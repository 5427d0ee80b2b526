//! From an SQS batch to signed POSTs, side by side, each recorded as it finishes.

mod attempt;
mod batch;
mod crew;
mod handler;
mod health;
mod slow;
mod tally;

use handler::Deliver;
use lambda_runtime::{Error, run, service_fn};
use postrider_aws::{env, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let deliver = &Deliver::from_env(&sdk::load()?)?;
    run(service_fn(|event| async move { Ok::<_, Error>(deliver.handle(event).await) })).await
}
