//! From the events table's stream to deliveries: a row and a message for every endpoint that asked for the event.

mod handler;
mod record;

use aws_lambda_events::dynamodb::Event as StreamEvent;
use handler::Fanout;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use postrider_aws::{sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let fanout = &Fanout::from_env(&sdk::load().await)?;
    run(service_fn(|event: LambdaEvent<StreamEvent>| fanout.handle(event.payload))).await
}
