//! What invokes this function: the stream, the queues of what it left unfinished or to go on, an operator.

use lambda_runtime::Error;
use postrider_api::invocation::Invocation;
use postrider_api::trigger::{self, NO_BATCH, Trigger, refusal};
use postrider_api::{ApiError, Fields};
use postrider_aws::sdk::SdkConfig;
use postrider_domain::invalid::Invalid;
use postrider_host::deadline::{self, Waiting};
use postrider_host::env::BadSetting;
use serde_json::Value;

use crate::handler::Fanout;
use crate::redrive::Redrive;
use crate::unfinished::Unfinished;

/// Takes each to what sees to it.
pub struct Intake {
    fanout: Fanout,
    redrive: Redrive,
    unfinished: Unfinished,
}

impl Intake {
    /// From the settings that the template gives it.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            fanout: Fanout::from_env(sdk)?,
            redrive: Redrive::from_env(sdk)?,
            unfinished: Unfinished::from_env(sdk)?,
        })
    }

    /// Answers the stream, a queue of what it left, or an operator.
    ///
    /// # Errors
    /// When something could neither be done nor left for later, and is to come again.
    pub async fn answer(&self, event: Invocation) -> Result<Value, Error> {
        let Self { fanout, redrive, unfinished } = self;
        let work = async {
            match Trigger::of(&event.payload) {
                Trigger::Records(batch) if batch.iter().any(|record| trigger::is_message(record)) => {
                    Ok(serde_json::to_value(unfinished.handle(&batch, fanout, redrive).await)?)
                }
                Trigger::Records(batch) => fanout.handle(&batch).await.map(|()| Value::Null),
                Trigger::NoBatch => Err(NO_BATCH.into()),
                Trigger::Direct if asks_for_redrive(event.payload.get()).is_ok() => redrive.run(fanout).await,
                Trigger::Direct | Trigger::Http | Trigger::Bus(_) => {
                    Ok(refusal("a batch of the stream, or `redrive`: true"))
                }
            }
        };
        deadline::within(event.context.deadline, Waiting::Nobody, work).await
    }
}

fn asks_for_redrive(payload: &str) -> Result<(), ApiError> {
    let mut fields = Fields::read(payload.as_bytes())?;
    let asked: bool = fields.require("redrive", "`true`")?;
    fields.finish()?;
    if asked { Ok(()) } else { Err(Invalid::new("redrive", "`true`").into()) }
}
