//! One sweep.

use std::time::Duration;

use aws_config::SdkConfig;
use jiff::Timestamp;
use lambda_runtime::{Context, Error};
use postrider_aws::chance;
use postrider_aws::metrics::{self, Unit};
use postrider_aws::recoverer::Recoverer;
use serde_json::{Value, json};

use crate::dead_letters::DeadLetters;
use crate::overdue::{Overdue, Rescued};

/// Time kept back at the end, so that whatever was begun is finished.
const MARGIN: Duration = Duration::from_secs(15);

/// Sweeps.
pub(crate) struct Sweep {
    overdue: Overdue,
    dead_letters: DeadLetters,
    recoverer: Recoverer,
}

impl Sweep {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, Error> {
        Ok(Self {
            overdue: Overdue::from_env(sdk)?,
            dead_letters: DeadLetters::from_env(sdk)?,
            recoverer: Recoverer::from_env(sdk)?,
        })
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
        let recoveries = self.recoverer.continue_all(until).await?;
        let Rescued { rows, oldest_seconds, held_back } = rescued;
        metrics::emit("DeadLetters", Unit::Count, &[], &[dead as f64]);
        metrics::emit("RescuedDeliveries", Unit::Count, &[], &[rows as f64]);
        metrics::emit("OldestDueAge", Unit::Seconds, &[], &[oldest_seconds as f64]);
        tracing::info!(dead_letters = dead, rescued = rows, oldest_seconds, held_back, recoveries, "sweep.done");
        Ok(json!({
            "dead_letters": dead,
            "rescued": rows,
            "oldest_due_seconds": oldest_seconds,
            "held_back": held_back,
            "recoveries": recoveries,
        }))
    }
}
