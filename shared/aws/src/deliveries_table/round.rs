//! A new round: a delivery is sent again, with its whole schedule before it, under the same event id.

use postrider_domain::attempt::Mark;
use postrider_domain::delivery::Delivery;
use postrider_domain::time;

use super::{Change, DeliveriesTable, UPDATE, expunged};
use crate::Recorded;
use crate::conditional::{self, Refused, is_by};
use crate::error::Failure;
use crate::item::{number, text};

impl DeliveriesTable {
    /// Writes `after`, a new round of `before`, if the row still stands where it was read. An attempt that is under way then
    /// is late: it is put on record, and uses up none of the new round. What the row has no room for, such as late attempts, is put
    /// into rows of its own before. `mark` is this call's own. No round begins once the event was expunged: there is nothing to send, and the row
    /// as it was read may still have answers that repeat what is gone.
    ///
    /// # Errors
    /// When the update failed; repeating it is harmless.
    pub async fn begin_round(&self, before: &Delivery, after: &Delivery, mark: &Mark) -> Result<Recorded, Failure> {
        let roomy = self.make_room(after, None).await;
        let update = self
            .as_read(before, "#status = :seen AND attribute_not_exists(#expunged)")
            .expression_attribute_names("#expunged", expunged::MARK)
            .expression_attribute_values(":seen", text(before.status.as_str()))
            .expression_attribute_values(":new_round", number(after.round))
            .expression_attribute_values(":from", number(after.round_from))
            .expression_attribute_values(":zero", number(0));
        let mut change = Change::to(after.status, after);
        change.set("round = :new_round, round_from = :from, internal = :zero");
        change.remove.push("probes".into());
        change.due(after, after.next_attempt_at);
        change.reason(None);
        change.delivered(after.delivered_at);
        let has_moved = roomy.has_moved();
        if has_moved {
            change.moved(after, roomy, None)?;
        }
        if let Some(recovery) = &after.recovered_by {
            change.set("recovered_by = :recovery");
            change.values.push((":recovery", text(recovery.as_str())));
        }
        if let Some(asked_at) = after.asked_at {
            change.set("asked_at = :asked");
            change.values.push((":asked", text(time::wire(asked_at))));
        }
        change.by(mark);
        let Err(Refused(there)) = conditional::try_update(UPDATE, change.apply(update)).await? else {
            return Ok(Recorded::Yes);
        };
        let Some(there) = there else { return Ok(Recorded::Overtaken) };
        if has_moved && expunged::is_marked(&there) {
            // What was moved for this round is in a row that whoever expunged its event has not seen.
            self.expunge_moved(after).await?;
        }
        Ok(if is_by(&there, mark) { Recorded::Yes } else { Recorded::Overtaken })
    }
}
