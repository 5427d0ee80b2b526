//! One sweep.

use std::time::Duration;

use aws_config::SdkConfig;
use jiff::Timestamp;
use lambda_runtime::{Context, Error};
use postrider_aws::chance;
use serde_json::{Value, json};

use crate::dead_letters::DeadLetters;
use crate::overdue::Overdue;

/// Time kept back at the end, so that whatever was begun is finished.
const MARGIN: Duration = Duration::from_secs(15);

/// Sweeps.
pub(crate) struct Sweep {
    overdue: Overdue,
    dead_letters: DeadLetters,
}

impl Sweep {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, Error> {
        Ok(Self { overdue: Overdue::from_env(sdk)?, dead_letters: DeadLetters::from_env(sdk)? })
    }

    /// Sweeps, and says what it did.
    ///
    /// # Errors
    /// When a part of it failed; the next sweep begins anew.
    pub(crate) async fn handle(&self, context: Context) -> Result<Value, Error> {
        let deadline = Timestamp::from_millisecond(i64::try_from(context.deadline)?)?;
        let until = deadline - MARGIN;
        let dead = self.dead_letters.record(until).await?;
        let rescued = self.overdue.rescue(chance::now(), until).await?;
        let summary = json!({"dead_letters": dead, "rescued": rescued.rows, "held_back": rescued.held_back});
        tracing::info!(dead_letters = dead, rescued = rescued.rows, held_back = rescued.held_back, "sweep.done");
        Ok(summary)
    }
}
