//! One sweep: five tasks, each with its share of the time, none stopped by a failure, its own or another's.

use lambda_runtime::Error;
use postrider_api::invocation::Invocation;
use postrider_api::trigger::{Trigger, refusal};
use postrider_aws::Failure;
use postrider_aws::recoverer::Recoverer;
use postrider_aws::sdk::SdkConfig;
use postrider_host::deadline::{self, Waiting};
use postrider_host::metrics::{self, Metric};
use serde::Serialize;
use serde_json::Value;

use crate::dead_letters::DeadLetters;
use crate::deletions::Deletions;
use crate::done::Swept;
use crate::failures::Failures;
use crate::overdue::{Overdue, Rescued};
use crate::parked::{LookedAfter, Parked};
use crate::timer::asks_for_a_sweep;

/// Sweeps.
pub struct Sweep {
    overdue: Overdue,
    dead_letters: DeadLetters,
    parked: Parked,
    failures: Failures,
    deletions: Deletions,
    recoverer: Recoverer,
}

impl Sweep {
    /// From the settings that the template gives it.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, Error> {
        Ok(Self {
            overdue: Overdue::from_env(sdk)?,
            dead_letters: DeadLetters::from_env(sdk)?,
            parked: Parked::from_env(sdk)?,
            failures: Failures::from_env(sdk)?,
            deletions: Deletions::from_env(sdk)?,
            recoverer: Recoverer::from_env(sdk)?,
        })
    }

    /// Answers the timer, or an operator.
    ///
    /// # Errors
    /// When a part of the sweep failed.
    pub async fn answer(&self, event: Invocation) -> Result<Value, Error> {
        if !asks_for_a_sweep(&Trigger::of(&event.payload), event.payload.get()) {
            return Ok(refusal("the timer's event, or `{}`"));
        }
        deadline::within(event.context.deadline, Waiting::Nobody, self.sweep()).await
    }

    /// Sweeps, and says what it did. Each part has its share of the time that is left, and what it does not need the next one has:
    /// a part that hangs ends with its share.
    ///
    /// # Errors
    /// When a part of it failed, after the others have had their turn; the next sweep begins anew.
    async fn sweep(&self) -> Result<Value, Error> {
        let rescued = deadline::at_most(deadline::left() / 3, self.overdue.rescue()).await;
        let dead = deadline::at_most(deadline::left() / 2, self.dead_letters.record()).await;
        let parked = deadline::at_most(deadline::left() / 3, self.parked.look_after_all()).await;
        let told = deadline::at_most(deadline::left() / 3, self.failures.tell_all()).await;
        let deletions = deadline::at_most(deadline::left() / 2, self.deletions.carry_on_all()).await;
        let recoveries = self.recoverer.continue_all().await;
        let done = Done { notices: told.done, ..Done::of(&rescued, &dead, &parked, (&deletions, &recoveries)) };
        done.tell();
        let failures =
            [rescued.failure, dead.failure, parked.failure, told.failure, deletions.failure, recoveries.err()];
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
    /// Rows that wait for a row of theirs that is missing or cannot be read.
    waiting: usize,
    held_back: bool,
    dead_letters: usize,
    /// Webhooks that are down, so that what is for them is parked.
    webhooks_down: Option<usize>,
    /// Parked deliveries that have waited for too long.
    given_up: usize,
    /// Notices that tell of several failed deliveries each.
    notices: usize,
    /// Tenants that are being deleted, those among them that ended with this sweep.
    deletions: usize,
    recoveries: Option<usize>,
    #[serde(skip)]
    oldest_parked_seconds: Option<i64>,
}

impl Done {
    fn of(
        rescued: &Swept<Rescued>,
        dead_letters: &Swept<usize>,
        parked: &Swept<LookedAfter>,
        (deletions, recoveries): (&Swept<usize>, &Result<usize, Failure>),
    ) -> Self {
        let Rescued { rows, oldest_seconds, waiting, held_back, has_seen_all } = rescued.done;
        // A sweep that has not seen every row cannot say that none is old, unless it has seen one that is.
        let has_seen_all = has_seen_all && rescued.failure.is_none();
        Self {
            rescued: rows,
            oldest_due_seconds: (has_seen_all || rows > 0).then_some(oldest_seconds),
            waiting,
            held_back,
            dead_letters: dead_letters.done,
            webhooks_down: parked.done.has_seen_all.then_some(parked.done.down),
            given_up: parked.done.failed,
            notices: 0,
            oldest_parked_seconds: parked.done.has_seen_all.then_some(parked.done.oldest_seconds),
            deletions: deletions.done,
            recoveries: recoveries.as_ref().ok().copied(),
        }
    }

    fn tell(&self) {
        metrics::emit(Metric::RescuedDeliveries, &[], &[self.rescued as f64]);
        if let Some(seconds) = self.oldest_due_seconds {
            metrics::emit(Metric::OldestDueAge, &[], &[seconds as f64]);
        }
        if let Some(webhooks) = self.webhooks_down {
            metrics::emit(Metric::ParkedEndpoints, &[], &[webhooks as f64]);
        }
        if let Some(seconds) = self.oldest_parked_seconds {
            metrics::emit(Metric::OldestParkedAge, &[], &[seconds as f64]);
        }
        metrics::emit(Metric::DeadLetters, &[], &[self.dead_letters as f64]);
        tracing::info!(
            rescued = self.rescued,
            oldest_due_seconds = self.oldest_due_seconds,
            waiting = self.waiting,
            held_back = self.held_back,
            dead_letters = self.dead_letters,
            webhooks_down = self.webhooks_down,
            given_up = self.given_up,
            notices = self.notices,
            deletions = self.deletions,
            recoveries = self.recoveries,
            "sweep.done"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_with;

    use postrider_aws::config_table::ConfigTable;
    use postrider_aws::deliveries_table::DeliveriesTable;
    use postrider_aws::events_table::EventsTable;
    use postrider_aws::lanes::Lanes;
    use postrider_aws::queue::Queue;
    use replay::{Said, Script, invocation};
    use serde_json::json;

    use super::*;
    use crate::dead_letters::tests::dead_letters;
    use crate::deletions::tests::deletions;
    use crate::failures::tests::failures;
    use crate::overdue::tests::overdue;
    use crate::parked::tests::parked;

    fn sweep(script: &Script) -> Sweep {
        let sdk = script.sdk(postrider_aws::sdk::over);
        let (config, deliveries) = (ConfigTable::of(&sdk, "config"), DeliveriesTable::of(&sdk, "deliveries"));
        let recoverer = Recoverer::new(
            config,
            deliveries,
            EventsTable::of(&sdk, "events"),
            Lanes::of(Queue::at(&sdk, "retry"), Queue::at(&sdk, "slow")),
        );
        let parked = parked(script);
        let (deletions, failures) = (deletions(script), failures(script));
        Sweep { overdue: overdue(script), dead_letters: dead_letters(script), parked, failures, deletions, recoverer }
    }

    fn none() -> impl Iterator<Item = Said> {
        repeat_with(|| Said::rows::<Value>(&[]))
    }

    #[tokio::test(start_paused = true)]
    async fn each_part_has_its_turn_whatever_became_of_the_one_before() {
        let waiting = || Said::body(json!({"Attributes": {"ApproximateNumberOfMessages": "0"}}));
        let well = || Script::default().saying("GetQueueAttributes", repeat_with(waiting));
        let script = well().saying("ReceiveMessage", [Said::done()]).saying("Query", none());
        let done = sweep(&script).sweep().await.unwrap();
        let nothing = json!({"rescued": 0, "oldest_due_seconds": 0, "waiting": 0, "held_back": false, "dead_letters": 0, "webhooks_down": 0, "given_up": 0, "notices": 0, "deletions": 0, "recoveries": 0});
        assert_eq!(done, nothing);
        let script = well()
            .saying_about("Query", ":shard", repeat_with(Said::throttled))
            .saying("ReceiveMessage", repeat_with(Said::lost).take(3))
            .saying("Query", none());
        assert!(sweep(&script).sweep().await.is_err(), "it fails at its end");
        let operations = script.operations();
        assert!(operations.iter().any(|operation| operation == "ReceiveMessage"));
        assert_eq!(script.asked("Query").last().unwrap()["ExpressionAttributeValues"][":pk"], "RECOVERIES");
    }

    #[tokio::test]
    async fn what_is_no_timers_event_sweeps_nothing() {
        let answer = sweep(&Script::default()).answer(invocation(&json!({"force": true}))).await.unwrap();
        assert_eq!(answer["error"]["code"], "invalid_request");
    }

    fn told(rows: usize, has_seen_all: bool, failure: Option<Failure>) -> Option<i64> {
        let rescued = Rescued { rows, oldest_seconds: 300, has_seen_all, ..Rescued::default() };
        let parked = Swept { done: LookedAfter::default(), failure: None };
        let oldest = if rows == 0 { Rescued { oldest_seconds: 0, ..rescued } } else { rescued };
        let none = || Swept { done: 0, failure: None };
        Done::of(&Swept { done: oldest, failure }, &none(), &parked, (&none(), &Ok(0))).oldest_due_seconds
    }

    #[test]
    fn only_a_sweep_that_has_seen_all_says_that_nothing_is_overdue() {
        let failure = || Some(Failure::OutOfTime);
        assert_eq!(told(0, true, None), Some(0));
        assert_eq!(told(0, false, None), None, "it stopped early");
        assert_eq!(told(0, true, failure()), None);
        assert_eq!((told(1, false, None), told(1, true, failure())), (Some(300), Some(300)));
    }
}
