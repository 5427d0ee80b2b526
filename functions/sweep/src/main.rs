//! Every few minutes: what is overdue goes back to the queue, and what a queue gave up on is put on record.

mod dead_letters;
mod done;
mod handler;
mod overdue;
mod pace;

use handler::Sweep;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use postrider_aws::deadline::{self, Waiting};
use postrider_aws::{env, sdk, telemetry};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let sweep = &Sweep::from_env(&sdk::load()?)?;
    run(service_fn(|event: LambdaEvent<Value>| {
        deadline::within(event.context.deadline, Waiting::Nobody, sweep.handle())
    }))
    .await
}
