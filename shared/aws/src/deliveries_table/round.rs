//! A new round: a final delivery is sent again, with its whole calendar before it, under the same event id.

use jiff::Timestamp;
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::time;

use super::{Change, DeliveriesTable, Recorded, send};
use crate::error::AwsError;
use crate::item::{number, text};

impl DeliveriesTable {
    /// Begins a new round, due at once, if the row still stands where it was read. An attempt that is under way then belongs
    /// to the round before and is not recorded any more. Attempts number on, so that no
    /// attempt number and no schedule name is ever used twice.
    ///
    /// # Errors
    /// When the update failed; repeating it is harmless.
    pub async fn begin_round(&self, before: &Delivery, now: Timestamp) -> Result<Recorded, AwsError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("endpoint_id", text(before.endpoint_id.as_str()))
            .key("id", text(before.id.as_str()))
            .condition_expression("attempt = :was AND round_from = :round AND #status = :seen")
            .expression_attribute_values(":round", number(before.round_from))
            .expression_attribute_values(":was", number(before.attempts_made))
            .expression_attribute_values(":seen", text(before.status.as_str()))
            .expression_attribute_values(":from", number(before.attempts_made + 1))
            .expression_attribute_values(":zero", number(0));
        let mut change = Change::to(Status::Retrying, before);
        change.set("round_from = :from, internal = :zero");
        change.due(before, Some(time::ceil_second(now)));
        change.reason(None);
        send(change.apply(update)).await
    }
}
