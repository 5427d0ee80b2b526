//! From an SQS batch to signed POSTs, side by side, each recorded as it finishes.

mod attempt;
mod batch;
mod crew;
mod handler;
mod health;
mod slow;
mod tally;

use aws_lambda_events::sqs::SqsEvent;
use handler::Deliver;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use postrider_aws::deadline::{self, Waiting};
use postrider_aws::{env, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let deliver = &Deliver::from_env(&sdk::load()?)?;
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let deadline = event.context.deadline;
        Ok::<_, Error>(deadline::within(deadline, Waiting::Nobody, deliver.handle(event)).await)
    }))
    .await
}
