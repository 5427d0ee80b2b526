//! From the events table's stream to deliveries: a row and a message for every endpoint that asked for the event.
//!
//! Invoked by hand with `{"redrive": true}` it brings back what it once set aside.

mod announced;
mod handler;
mod record;
mod redrive;

use aws_lambda_events::dynamodb::Event as StreamEvent;
use handler::Fanout;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use postrider_aws::deadline::{self, Waiting};
use postrider_aws::http::{Fault, Fields};
use postrider_aws::{env, sdk, telemetry};
use postrider_domain::invalid::Invalid;
use redrive::Redrive;
use serde_json::value::RawValue;
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let sdk = sdk::load()?;
    let (fanout, redrive) = (&Fanout::from_env(&sdk)?, &Redrive::from_env(&sdk)?);
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        deadline::within(event.context.deadline, Waiting::Nobody, answer(fanout, redrive, event))
    }))
    .await
}

/// Answers the stream, or an operator. A batch that cannot be read is an error, so that the stream brings it again.
async fn answer(fanout: &Fanout, redrive: &Redrive, event: LambdaEvent<Box<RawValue>>) -> Result<Value, Error> {
    if event.payload.get().contains("\"Records\"") {
        let batch: StreamEvent = serde_json::from_str(event.payload.get()).map_err(|_| "no batch of stream records")?;
        return fanout.handle(batch).await.map(|()| Value::Null);
    }
    match asks_for_redrive(event.payload.get()) {
        Ok(()) => redrive.run(fanout).await,
        Err(fault) => Ok(json!({"error": fault.body()})),
    }
}

fn asks_for_redrive(payload: &str) -> Result<(), Fault> {
    let mut fields = Fields::read(payload.as_bytes())?;
    let asked: bool = fields.require("redrive", "`true`")?;
    fields.finish()?;
    if asked { Ok(()) } else { Err(Invalid::new("redrive", "`true`").into()) }
}
