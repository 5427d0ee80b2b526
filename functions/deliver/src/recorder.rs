//! What the receiver said, put on record: beside the row as it is now, whatever has become of it, and for as long as there is time.

use lambda_runtime::Error;
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::notices::{Notices, Tell};
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{Failure, Recorded};
use postrider_domain::attempt::Attempt;
use postrider_domain::delivery::{Delivery, Transition};
use postrider_domain::tries::{self, TO_FOLLOW};
use postrider_host::metrics::{self, Metric};
use postrider_host::{deadline, entropy};

/// Puts attempts on record.
pub(crate) struct Recorder {
    deliveries: DeliveriesTable,
    notices: Notices,
}

impl Recorder {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, Error> {
        Ok(Self { deliveries: DeliveriesTable::from_env(sdk)?, notices: Notices::from_env(sdk)? })
    }

    /// Puts an attempt on record; `Overtaken` where it is a late one. It is tried for longer than any other write (`tries`): each try
    /// has the attempt's own mark, and the same notice, and so is made once. Its batch mates are sent and recorded meanwhile.
    ///
    /// # Errors
    /// When it could not be done while there was time: the message is to come again, and its POST is made again.
    pub(crate) async fn put_on_record(
        &self,
        row: &Delivery,
        attempt: &Attempt,
        transition: &Transition,
    ) -> Result<Recorded, Failure> {
        let tell = self.notices.of_record(row, attempt, transition).await;
        let mut tries = 0;
        loop {
            tries += 1;
            let tried = deadline::but_for(TO_FOLLOW, self.try_to_record(row, attempt, transition, &tell)).await;
            let error = match tried {
                Ok(recorded) => return Ok(recorded),
                Err(error) => error,
            };
            let Some(pause) = tries::pause(tries, error.is_busy(), deadline::left(), entropy::jitter()) else {
                return Err(error);
            };
            tracing::warn!(delivery_id = row.id.as_str(), attempt = attempt.number, tries, %error, "delivery.not_recorded_yet");
            tokio::time::sleep(pause).await;
        }
    }

    /// The row may have gone on while the POST was out: a new round, a cancellation, a copy of the message that was faster. The
    /// receiver got it all the same.
    async fn try_to_record(
        &self,
        row: &Delivery,
        attempt: &Attempt,
        transition: &Transition,
        tell: &Tell,
    ) -> Result<Recorded, Failure> {
        if self.deliveries.record_and_tell(row, attempt, transition, tell).await? == Recorded::Yes {
            metrics::count(Metric::AcceptedEvents, tell.events());
            return Ok(Recorded::Yes);
        }
        if self.deliveries.record_late(row, attempt).await? == Recorded::Overtaken {
            tracing::warn!(delivery_id = row.id.as_str(), attempt = attempt.number, "delivery.gone");
        }
        Ok(Recorded::Overtaken)
    }
}

#[cfg(test)]
mod tests;
