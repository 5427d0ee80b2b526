//! From the events table's stream to deliveries: a row and a message for every endpoint that asked for the event.
//!
//! Invoked by hand with `{"redrive": true}` it brings back what it once set aside.

mod announced;
mod handler;
mod record;
mod redrive;

use aws_lambda_events::dynamodb::Event as StreamEvent;
use handler::Fanout;
use lambda_runtime::{Context, Error, LambdaEvent, run, service_fn};
use postrider_aws::deadline::{self, Waiting};
use postrider_aws::{env, sdk, telemetry};
use redrive::Redrive;
use serde::Deserialize;
use serde_json::Value;

/// What invokes this function.
#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    /// The events table's stream.
    Stream(StreamEvent),
    /// An operator: `{"redrive": true}`.
    Redrive {
        #[serde(rename = "redrive")]
        _redrive: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let sdk = sdk::load()?;
    let (fanout, redrive) = (&Fanout::from_env(&sdk)?, &Redrive::from_env(&sdk)?);
    run(service_fn(|event: LambdaEvent<Input>| {
        deadline::within(event.context.deadline, Waiting::Nobody, answer(fanout, redrive, event.payload, event.context))
    }))
    .await
}

async fn answer(fanout: &Fanout, redrive: &Redrive, input: Input, context: Context) -> Result<Value, Error> {
    match input {
        Input::Stream(batch) => fanout.handle(batch).await.map(|()| Value::Null),
        Input::Redrive { .. } => redrive.run(fanout, context.deadline).await,
    }
}
