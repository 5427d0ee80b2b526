//! From the events table's stream to deliveries: a row and a message for every endpoint that asked for the event.
//!
//! Invoked by hand with `{"redrive": true}` it brings back what it once set aside.

mod announced;
mod handler;
mod record;
mod redrive;
mod unfinished;

use handler::Fanout;
use lambda_runtime::{Error, LambdaEvent};
use postrider_aws::deadline::{self, Waiting};
use postrider_aws::http::{Fault, Fields};
use postrider_aws::trigger::{self, NO_BATCH, Trigger, refusal};
use postrider_aws::{env, invocation, sdk, telemetry};
use postrider_domain::invalid::Invalid;
use redrive::Redrive;
use serde_json::Value;
use serde_json::value::RawValue;
use unfinished::Unfinished;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let sdk = sdk::load()?;
    let (fanout, redrive, unfinished) =
        (&Fanout::from_env(&sdk)?, &Redrive::from_env(&sdk)?, &Unfinished::from_env(&sdk)?);
    invocation::run(|event| {
        deadline::within(event.context.deadline, Waiting::Nobody, answer(fanout, redrive, unfinished, event))
    })
    .await
}

/// Answers the stream, the queue of what it left, or an operator.
async fn answer(
    fanout: &Fanout,
    redrive: &Redrive,
    unfinished: &Unfinished,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Value, Error> {
    match Trigger::of(&event.payload) {
        Trigger::Records(batch) if batch.iter().any(|record| trigger::is_message(record)) => {
            Ok(serde_json::to_value(unfinished.handle(&batch, fanout, redrive).await)?)
        }
        Trigger::Records(batch) => fanout.handle(&batch).await.map(|()| Value::Null),
        Trigger::NoBatch => Err(NO_BATCH.into()),
        Trigger::Direct if asks_for_redrive(event.payload.get()).is_ok() => redrive.run(fanout).await,
        Trigger::Direct | Trigger::Http | Trigger::Bus(_) => Ok(refusal("a batch of the stream, or `redrive`: true")),
    }
}

fn asks_for_redrive(payload: &str) -> Result<(), Fault> {
    let mut fields = Fields::read(payload.as_bytes())?;
    let asked: bool = fields.require("redrive", "`true`")?;
    fields.finish()?;
    if asked { Ok(()) } else { Err(Invalid::new("redrive", "`true`").into()) }
}
