//! From an SQS batch to signed POSTs, side by side, each recorded as it finishes.

mod attempt;
mod batch;
mod handler;
mod health;
mod slow;
mod tally;

use handler::Deliver;
use lambda_runtime::{Error, run, service_fn};
use postrider_aws::{env, sdk, telemetry};

/// A thread for each message of a batch, and some: a receiver that floods its connection keeps the thread busy that reads
/// it, and its batch mates have theirs. How many processors there are does not matter, since it is the system that is fair.
const THREADS: usize = 12;

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
    runtime.block_on(serve())
}

async fn serve() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let deliver = &Deliver::from_env(&sdk::load()?)?;
    run(service_fn(|event| async move { Ok::<_, Error>(deliver.handle(event).await) })).await
}
