//! From the events table's stream to deliveries: a row and a message for every endpoint that asked for the event.
//!
//! Invoked by hand with `{"redrive": true}` it brings back what it once set aside.

mod announced;
mod handler;
mod record;
mod redrive;
mod unfinished;

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::sqs::SqsEvent;
use handler::Fanout;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use postrider_aws::deadline::{self, Waiting};
use postrider_aws::http::{Fault, Fields};
use postrider_aws::{env, sdk, telemetry};
use postrider_domain::invalid::Invalid;
use redrive::Redrive;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use unfinished::Unfinished;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let sdk = sdk::load()?;
    let (fanout, redrive, unfinished) =
        (&Fanout::from_env(&sdk)?, &Redrive::from_env(&sdk)?, &Unfinished::from_env(&sdk)?);
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        deadline::within(event.context.deadline, Waiting::Nobody, answer(fanout, redrive, unfinished, event))
    }))
    .await
}

/// Answers the stream, the queue of what it left, or an operator. A batch that cannot be read is an error, so that it is brought
/// again.
async fn answer(
    fanout: &Fanout,
    redrive: &Redrive,
    unfinished: &Unfinished,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Value, Error> {
    if event.payload.get().contains("\"Records\"") {
        return match serde_json::from_str::<StreamEvent>(event.payload.get()) {
            Ok(batch) => fanout.handle(batch).await.map(|()| Value::Null),
            Err(_) => {
                let batch = messages_of(event.payload.get()).ok_or("no batch of stream records or messages")?;
                Ok(serde_json::to_value(unfinished.handle(batch, fanout, redrive).await)?)
            }
        };
    }
    match asks_for_redrive(event.payload.get()) {
        Ok(()) => redrive.run(fanout).await,
        Err(fault) => Ok(json!({"error": fault.body()})),
    }
}

/// A queue's messages. All of a message is optional, so anything would pass for one that does not say where it comes from.
fn messages_of(payload: &str) -> Option<SqsEvent> {
    let batch: SqsEvent = serde_json::from_str(payload).ok()?;
    let is_message = |source: Option<&str>| source == Some("aws:sqs");
    batch.records.iter().all(|message| is_message(message.event_source.as_deref())).then_some(batch)
}

fn asks_for_redrive(payload: &str) -> Result<(), Fault> {
    let mut fields = Fields::read(payload.as_bytes())?;
    let asked: bool = fields.require("redrive", "`true`")?;
    fields.finish()?;
    if asked { Ok(()) } else { Err(Invalid::new("redrive", "`true`").into()) }
}
