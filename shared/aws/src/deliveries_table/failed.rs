//! The end of a delivery that failed, and the notice of it: both or neither.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use postrider_domain::attempt::Mark;
use postrider_domain::delivery::{Delivery, Reason, Status};

use super::{Change, DeliveriesTable, UPDATE};
use crate::Recorded;
use crate::conditional::{self, ROUNDS, Refused, has_id, is_by};
use crate::error::Failure;
use crate::tell::{Notice, Tell};

const UPDATE_AND_TELL: &str = "TransactWriteItems deliveries";

impl DeliveriesTable {
    /// Gives a delivery up without a further attempt, if it still stands where it was read and is not final, and has that told. `mark` is
    /// this call's own.
    ///
    /// # Errors
    /// When it was not written; repeating it with the same notice and mark is harmless.
    pub async fn fail(&self, before: &Delivery, reason: Reason, mark: &Mark, tell: &Tell) -> Result<Recorded, Failure> {
        let mut change = Change::to(Status::Failed, before);
        if tell.is_together() {
            change.counted(before);
        } else {
            change.due(before, None);
        }
        change.reason(Some(reason));
        change.by(mark);
        match self.try_and_tell(change.apply(self.change(before)), tell.notice()).await? {
            Err(Refused(there)) if !there.as_ref().is_some_and(|there| is_by(there, mark)) => Ok(Recorded::Overtaken),
            Ok(()) | Err(_) => Ok(Recorded::Yes),
        }
    }

    /// Sends an update, in one transaction with a notice where there is one; refused, what stands there is to be judged. Written
    /// together, either tells that both are: the row may have gone on since, the notice's never does.
    pub(super) async fn try_and_tell(
        &self,
        update: UpdateItemFluentBuilder,
        notice: Option<&Notice>,
    ) -> Result<Result<(), Refused>, Failure> {
        let Some(notice) = notice else { return conditional::try_update(UPDATE, update).await };
        let writes = vec![conditional::as_part(&update)?, notice.put.clone()];
        match conditional::transact_or_refusals(&self.client, UPDATE_AND_TELL, writes, ROUNDS).await? {
            Err(refusals) if !refusals.is_any(|there| has_id(there, notice.event_id.as_str())) => {
                Ok(Err(refusals.of_the_first()))
            }
            Ok(()) | Err(_) => Ok(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests;
