//! The deliveries table: `endpoint_id` + `id`. DynamoDB is the truth about every event x endpoint.
//!
//! Three sparse indexes hold only rows that are no plain successes: `due` (retrying rows by due time, for the sweep),
//! `undelivered` (a tenant's retrying, failed and cancelled rows) and `parked` (what waits for its endpoint, by until when). A
//! first-try success never enters one.

use std::borrow::Cow;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;
use jiff::Timestamp;
use postrider_domain::attempt::{Attempt, Mark};
use postrider_domain::delivery::{Delivery, Reason, Status, Transition};
use postrider_domain::id::{CancellationId, DeliveryId};
use postrider_domain::time;
use postrider_host::env::{self, BadSetting};

use crate::Recorded;
use crate::conditional::{self, Refused, SET_MARKS, is_by};
use crate::error::{AwsError, Failure, failed};
use crate::item::{Item, number, text, to_item};
use crate::tell::Tell;

mod asked;
mod counted;
mod due;
mod expunged;
mod failed;
mod filter;
mod fresh;
mod list;
mod listed;
mod made;
mod moved;
mod parked;
mod round;
mod row;
mod shard;
#[cfg(test)]
mod tests;
mod turning;
mod undelivered;

const UPDATE: &str = "UpdateItem deliveries";
/// How often a late attempt is written to a row whose attempts move meanwhile.
const LATE_TRIES: u32 = 5;

pub use due::{SHARDS, Stretch};
pub use filter::{Filter, Standing};
pub use made::Made;
use moved::Roomy;
pub use parked::ParkedPage;
pub(crate) use row::read as read_delivery;

/// The deliveries table.
#[derive(Clone)]
pub struct DeliveriesTable {
    client: Client,
    name: String,
}

impl DeliveriesTable {
    /// From `DELIVERIES_TABLE`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::of(sdk, &env::var("DELIVERIES_TABLE")?))
    }

    /// The table of this name.
    pub fn of(sdk: &SdkConfig, name: &str) -> Self {
        Self { client: Client::new(sdk), name: name.to_owned() }
    }

    /// The row of this id.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn get(&self, id: &DeliveryId) -> Result<Option<Delivery>, Failure> {
        self.get_item(id).await?.map(row::read).transpose()
    }

    async fn get_item(&self, id: &DeliveryId) -> Result<Option<Item>, Failure> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("endpoint_id", text(id.endpoint().as_str()))
            .key("id", text(id.as_str()))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("GetItem deliveries"))?;
        Ok(answer.item)
    }

    /// Writes an attempt and what follows from it in one conditional update, before anything is scheduled: whoever comes
    /// after a crash finds both or neither. What the row has no room for besides is put into rows of its own before.
    ///
    /// # Errors
    /// When the update failed; it may have happened all the same, and repeating it is harmless.
    pub async fn record(
        &self,
        before: &Delivery,
        attempt: &Attempt,
        transition: &Transition,
    ) -> Result<Recorded, Failure> {
        self.write_record(before, attempt, transition, Change::to, &Tell::Nobody).await
    }

    /// The same, where somebody is told of what the record makes of the delivery: by a notice that is written with it, both or neither
    /// and so once, or by whoever counts what failed.
    ///
    /// # Errors
    /// As [`DeliveriesTable::record`]; it is to be repeated with the same notice.
    pub async fn record_and_tell(
        &self,
        before: &Delivery,
        attempt: &Attempt,
        transition: &Transition,
        tell: &Tell,
    ) -> Result<Recorded, Failure> {
        self.write_record(before, attempt, transition, Change::to, tell).await
    }

    /// The same for a row that does not say whose it is: it goes into nobody's list.
    ///
    /// # Errors
    /// As [`DeliveriesTable::record`].
    pub async fn record_apart(
        &self,
        before: &Delivery,
        attempt: &Attempt,
        transition: &Transition,
    ) -> Result<Recorded, Failure> {
        self.write_record(before, attempt, transition, |status, _| Change::unlisted(status), &Tell::Nobody).await
    }

    async fn write_record(
        &self,
        before: &Delivery,
        attempt: &Attempt,
        transition: &Transition,
        change_to: impl FnOnce(Status, &Delivery) -> Change,
        tell: &Tell,
    ) -> Result<Recorded, Failure> {
        let roomy = self.make_room(before, Some(attempt)).await;
        let mut change = change_to(transition.status, &roomy.row);
        change.values.push((":made", number(attempt.number)));
        change.set("attempt = :made");
        let has_moved = roomy.has_moved();
        if has_moved {
            change.moved(before, roomy, Some(attempt))?;
        } else {
            change.set("attempts = list_append(if_not_exists(attempts, :none), :attempts)");
            change.values.push((":none", AttributeValue::L(Vec::new())));
            change.values.push((":attempts", AttributeValue::L(vec![AttributeValue::M(to_item(attempt)?)])));
        }
        match transition.waits_until {
            Some(until) => change.waits(until),
            None if tell.is_together() => change.counted(before),
            None => change.due(before, transition.next_attempt_at),
        }
        change.reason(transition.reason);
        change.internal(before.internal, transition.internal);
        change.probes(before.probes, transition.probes);
        let Err(Refused(there)) = self.try_and_tell(change.apply(self.change(before)), tell.notice()).await? else {
            return Ok(Recorded::Yes);
        };
        if has_moved && there.as_ref().is_some_and(expunged::is_marked) {
            // What was moved for this record is in a row that whoever expunged its event has not seen.
            self.expunge_moved(before).await?;
        }
        let Some((there, mark)) = there.as_ref().zip(attempt.mark.as_ref()) else { return Ok(Recorded::Overtaken) };
        let is_ours = self.is_on_record(before, before.moved, there, mark).await?;
        Ok(if is_ours { Recorded::Yes } else { Recorded::Overtaken })
    }

    /// Puts an attempt on record whose row has gone on since it was read: beside the others, under its own mark, so that
    /// doing it twice is doing it once, also where it has moved in between. Of a success the row takes the status, whatever stood
    /// there. A row that is gone stays gone.
    ///
    /// # Errors
    /// When the update failed; repeating it is harmless.
    pub async fn record_late(&self, before: &Delivery, attempt: &Attempt) -> Result<Recorded, Failure> {
        let Some(mark) = &attempt.mark else {
            return Err(Failure::Missing("a late attempt's mark"));
        };
        let (mut moved, mut attempt, mut is_expunged) = (before.moved, Cow::Borrowed(attempt), false);
        for _ in 0..LATE_TRIES {
            let update = self.late(before, &attempt, (mark, moved, is_expunged))?;
            let Err(Refused(there)) = conditional::try_update(UPDATE, update).await? else { return Ok(Recorded::Yes) };
            let Some(there) = there.filter(|there| there.contains_key("id")) else { return Ok(Recorded::Overtaken) };
            if self.is_on_record(before, moved, &there, mark).await? {
                return Ok(Recorded::Yes);
            }
            moved = row::moved_in(&there);
            if expunged::is_marked(&there) {
                (attempt, is_expunged) = (Cow::Owned(attempt.into_owned().without_answer()), true);
            }
        }
        Err(AwsError::busy(UPDATE, "its attempts move all the while"))
    }

    /// The write of a late attempt to a row that lacks it, from which so many have moved, and whose event was expunged or was not: once
    /// it was, no answer is kept that may repeat it.
    fn late(
        &self,
        before: &Delivery,
        attempt: &Attempt,
        (mark, moved, is_expunged): (&Mark, u32, bool),
    ) -> Result<UpdateItemFluentBuilder, Failure> {
        let mut expression = "SET #late = :attempt".to_owned();
        let so_many = if moved == 0 { "attribute_not_exists(moved)" } else { "moved = :moved" };
        let so_kept = if is_expunged { "attribute_exists(#expunged)" } else { "attribute_not_exists(#expunged)" };
        let mut update = self
            .update(before)
            .condition_expression(format!(
                "attribute_exists(id) AND attribute_not_exists(#late) AND {so_many} AND {so_kept}"
            ))
            .expression_attribute_names("#expunged", expunged::MARK)
            .expression_attribute_names("#late", row::late_name(mark))
            .expression_attribute_values(":attempt", AttributeValue::M(to_item(&attempt.clone().shortened())?));
        if moved > 0 {
            update = update.expression_attribute_values(":moved", number(moved));
        }
        if attempt.succeeded() {
            expression += ", #status = :status REMOVE undelivered_tenant, next_attempt_at, due_at, due_shard, waits_until, reason";
            update = update
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", text(Status::Succeeded.as_str()));
        }
        Ok(update.update_expression(expression))
    }

    /// Calls a delivery off, if it still stands where it was read and is not final. `mark` is this call's own.
    ///
    /// # Errors
    /// When the update failed; repeating it is harmless.
    pub async fn cancel(&self, before: &Delivery, reason: Reason, mark: &Mark) -> Result<Recorded, Failure> {
        self.call_off(before, reason, None, mark).await
    }

    /// The same by a cancellation of all that waits, which the row remembers.
    ///
    /// # Errors
    /// As [`DeliveriesTable::cancel`].
    pub async fn cancel_with_all(
        &self,
        before: &Delivery,
        by: &CancellationId,
        mark: &Mark,
    ) -> Result<Recorded, Failure> {
        self.call_off(before, Reason::CancelledByRequest, Some(by), mark).await
    }

    async fn call_off(
        &self,
        before: &Delivery,
        reason: Reason,
        by: Option<&CancellationId>,
        mark: &Mark,
    ) -> Result<Recorded, Failure> {
        let mut change = Change::to(Status::Cancelled, before);
        change.due(before, None);
        change.reason(Some(reason));
        match by {
            Some(by) => {
                change.set("called_off_by = :all");
                change.values.push((":all", text(by.as_str())));
            }
            // What called it off before is not what does now.
            None if before.called_off_by.is_some() => change.remove.push("called_off_by".into()),
            None => {}
        }
        change.by(mark);
        send(change.apply(self.change(before)), |there| is_by(there, mark)).await
    }

    fn update(&self, row: &Delivery) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.name)
            .key("endpoint_id", text(row.endpoint_id.as_str()))
            .key("id", text(row.id.as_str()))
    }

    /// An update of this row under the condition that it still stands where it was read and is not final, as
    /// [`Delivery::stands_as`] has it.
    fn change(&self, before: &Delivery) -> UpdateItemFluentBuilder {
        self.change_if(before, "")
    }

    /// The same under one more condition.
    fn change_if(&self, before: &Delivery, and: &str) -> UpdateItemFluentBuilder {
        self.as_read(before, &format!("#status IN (:pending, :retrying){and}"))
            .expression_attribute_values(":pending", text(Status::Pending.as_str()))
            .expression_attribute_values(":retrying", text(Status::Retrying.as_str()))
    }

    /// An update under the condition that the row's counters are as they were read, and one more condition.
    fn as_read(&self, before: &Delivery, and: &str) -> UpdateItemFluentBuilder {
        // Rows of a version that knew no rounds are in their first one.
        let round =
            if before.round == 1 { "(attribute_not_exists(round) OR round = :round)" } else { "round = :round" };
        self.update(before)
            .condition_expression(format!("attempt = :was AND round_from = :round_from AND {round} AND {and}"))
            .expression_attribute_values(":was", number(before.attempts_made))
            .expression_attribute_values(":round", number(before.round))
            .expression_attribute_values(":round_from", number(before.round_from))
    }
}

async fn send(update: UpdateItemFluentBuilder, is_ours: impl FnOnce(&Item) -> bool) -> Result<Recorded, Failure> {
    conditional::update(UPDATE, update, is_ours).await
}

/// What an update sets and removes, index attributes included, so that no row is in an index where it does not belong.
struct Change {
    set: Vec<&'static str>,
    remove: Vec<Cow<'static, str>>,
    values: Vec<(&'static str, AttributeValue)>,
}

impl Change {
    fn to(status: Status, row: &Delivery) -> Self {
        if !row.counts_as_undelivered(status) {
            return Self::unlisted(status);
        }
        Self {
            set: vec!["#status = :status", "undelivered_tenant = :listed"],
            remove: Vec::new(),
            values: vec![(":status", text(status.as_str())), (":listed", text(undelivered::list_of(row)))],
        }
    }

    /// To a status in which no tenant's list of what is undelivered shows it.
    fn unlisted(status: Status) -> Self {
        Self {
            set: vec!["#status = :status"],
            remove: vec!["undelivered_tenant".into()],
            values: vec![(":status", text(status.as_str()))],
        }
    }

    fn set(&mut self, clause: &'static str) {
        self.set.push(clause);
    }

    fn due(&mut self, row: &Delivery, at: Option<Timestamp>) {
        match at {
            Some(at) => {
                self.set("next_attempt_at = :due, due_at = :due, due_shard = :shard");
                self.values.push((":due", text(time::wire(at))));
                self.values.push((":shard", text(due::shard_of(&row.id))));
                self.remove.push("waits_until".into());
            }
            None => self.remove.push("next_attempt_at, due_at, due_shard, waits_until".into()),
        }
    }

    /// Parked, nothing of it is due.
    fn waits(&mut self, until: Timestamp) {
        self.set("waits_until = :waits");
        self.values.push((":waits", text(time::wire(until))));
        self.remove.push("next_attempt_at, due_at, due_shard".into());
    }

    fn probes(&mut self, before: u32, after: u32) {
        if before != after {
            self.set("probes = :probes");
            self.values.push((":probes", number(after)));
        }
    }

    fn reason(&mut self, reason: Option<Reason>) {
        match reason {
            Some(reason) => {
                self.set("reason = :reason");
                self.values.push((":reason", text(reason.as_str())));
            }
            None => self.remove.push("reason".into()),
        }
    }

    fn internal(&mut self, before: u32, after: u32) {
        if before != after {
            self.set("internal = :internal");
            self.values.push((":internal", number(after)));
        }
    }

    /// Leaves what has not moved, with a further attempt behind it.
    fn moved(&mut self, before: &Delivery, roomy: Roomy, further: Option<&Attempt>) -> Result<(), Failure> {
        let attempts = roomy.row.attempts.iter().chain(further).map(|attempt| Ok(AttributeValue::M(to_item(attempt)?)));
        let attempts = AttributeValue::L(attempts.collect::<Result<_, Failure>>()?);
        self.set("attempts = :attempts, moved = :moved");
        self.values.extend([(":attempts", attempts), (":moved", number(roomy.row.moved))]);
        if before.delivered_at != roomy.row.delivered_at {
            self.delivered(roomy.row.delivered_at);
        }
        self.remove.extend(roomy.late.into_iter().map(Cow::Owned));
        Ok(())
    }

    fn delivered(&mut self, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.set("delivered_at = :delivered");
            self.values.push((":delivered", text(time::wire(at))));
        }
    }

    fn by(&mut self, mark: &Mark) {
        self.set(SET_MARKS);
        self.values.push((":by", text(mark.as_str())));
    }

    fn apply(self, update: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
        let mut expression = format!("SET {}", self.set.join(", "));
        if !self.remove.is_empty() {
            expression = format!("{expression} REMOVE {}", self.remove.join(", "));
        }
        let update = update.update_expression(expression).expression_attribute_names("#status", "status");
        self.values.into_iter().fold(update, |update, (name, value)| update.expression_attribute_values(name, value))
    }
}
