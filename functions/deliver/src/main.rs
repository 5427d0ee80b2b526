//! From an SQS batch to signed POSTs, side by side, each recorded as it finishes.

mod attempt;
mod batch;
mod crew;
mod handler;
mod health;
mod slow;
mod tally;

use handler::Deliver;
use lambda_runtime::Error;
use postrider_aws::deadline::{self, Waiting};
use postrider_aws::trigger::{NO_BATCH, Trigger, refusal};
use postrider_aws::{env, invocation, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let deliver = &Deliver::from_env(&sdk::load()?)?;
    invocation::run(|event| async move {
        match Trigger::of(&event.payload) {
            Trigger::Records(batch) => {
                let handled = deadline::within(event.context.deadline, Waiting::Nobody, deliver.handle(&batch)).await;
                Ok(serde_json::to_value(handled)?)
            }
            Trigger::NoBatch => Err(NO_BATCH.into()),
            Trigger::Http | Trigger::Bus(_) | Trigger::Direct => Ok(refusal("a batch of the queue's messages")),
        }
    })
    .await
}
