//! One sweep: three tasks, each with its share of the time, none stopped by a failure, its own or another's.

use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::{Context, Error};
use postrider_aws::metrics::{self, Unit};
use postrider_aws::recoverer::Recoverer;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{AwsError, chance};
use serde::Serialize;
use serde_json::Value;

use crate::dead_letters::DeadLetters;
use crate::done::Swept;
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
    /// When a part of it failed, after the others have had their turn; the next sweep begins anew.
    pub(crate) async fn handle(&self, context: Context) -> Result<Value, Error> {
        let until = Timestamp::from_millisecond(i64::try_from(context.deadline)?)? - MARGIN;
        let rescued = self.overdue.rescue(chance::now(), share(until, 3)).await;
        let dead = self.dead_letters.record(share(until, 2)).await;
        let recoveries = self.recoverer.continue_all(until).await;
        let done = Done::of(&rescued, &dead, &recoveries);
        done.tell();
        let failures = [rescued.failure, dead.failure, recoveries.err()];
        match failures.into_iter().flatten().next() {
            Some(error) => Err(error.into()),
            None => Ok(serde_json::to_value(done)?),
        }
    }
}

/// What a sweep did; what it cannot say it leaves out.
#[derive(Serialize)]
struct Done {
    rescued: usize,
    oldest_due_seconds: Option<i64>,
    held_back: bool,
    dead_letters: usize,
    recoveries: Option<usize>,
}

impl Done {
    fn of(rescued: &Swept<Rescued>, dead_letters: &Swept<usize>, recoveries: &Result<usize, AwsError>) -> Self {
        let Rescued { rows, oldest_seconds, held_back } = rescued.done;
        // A sweep that has not seen every row cannot say that none is old, unless it has seen one that is.
        let has_seen_all = !held_back && rescued.failure.is_none();
        Self {
            rescued: rows,
            oldest_due_seconds: (has_seen_all || rows > 0).then_some(oldest_seconds),
            held_back,
            dead_letters: dead_letters.done,
            recoveries: recoveries.as_ref().ok().copied(),
        }
    }

    fn tell(&self) {
        metrics::emit("RescuedDeliveries", Unit::Count, &[], &[self.rescued as f64]);
        if let Some(seconds) = self.oldest_due_seconds {
            metrics::emit("OldestDueAge", Unit::Seconds, &[], &[seconds as f64]);
        }
        metrics::emit("DeadLetters", Unit::Count, &[], &[self.dead_letters as f64]);
        tracing::info!(
            rescued = self.rescued,
            oldest_due_seconds = self.oldest_due_seconds,
            held_back = self.held_back,
            dead_letters = self.dead_letters,
            recoveries = self.recoveries,
            "sweep.done"
        );
    }
}

/// The end of the first of `parts` equal shares of the time that is left.
fn share(until: Timestamp, parts: i64) -> Timestamp {
    let now = chance::now();
    let left = (until.as_millisecond() - now.as_millisecond()).max(0);
    now + Duration::from_millis((left / parts).unsigned_abs())
}
