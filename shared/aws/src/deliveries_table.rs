//! The deliveries table: `endpoint_id` + `id`. DynamoDB is the truth about every event x endpoint.
//!
//! Two sparse indexes hold only rows that are no plain successes: `due` (retrying rows by due time, for the sweep) and
//! `undelivered` (a tenant's retrying, failed and cancelled rows). A first-try success never enters one.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;
use jiff::Timestamp;
use postrider_domain::attempt::Attempt;
use postrider_domain::delivery::{Delivery, Reason, Status, Transition};
use postrider_domain::id::DeliveryId;
use postrider_domain::time;

use crate::env::{self, BadSetting};
use crate::error::{AwsError, failed};
use crate::item::{Item, from_item, number, text, to_item};

mod due;
mod fresh;
mod list;
mod round;

pub use due::SHARDS;
pub use list::{Filter, Page};

/// The deliveries table.
#[derive(Clone)]
pub struct DeliveriesTable {
    client: Client,
    name: String,
}

/// Whether a conditional write found the row as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It did, and the row has changed.
    Yes,
    /// Somebody was faster; theirs stands.
    Overtaken,
}

impl DeliveriesTable {
    /// From `DELIVERIES_TABLE`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { client: Client::new(sdk), name: env::var("DELIVERIES_TABLE")? })
    }

    /// The row of this id.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn get(&self, id: &DeliveryId) -> Result<Option<Delivery>, AwsError> {
        self.get_item(id).await?.map(from_item).transpose()
    }

    async fn get_item(&self, id: &DeliveryId) -> Result<Option<Item>, AwsError> {
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
    /// after a crash finds both or neither.
    ///
    /// # Errors
    /// When the update failed; it may have happened all the same, and repeating it is harmless.
    pub async fn record(
        &self,
        before: &Delivery,
        attempt: &Attempt,
        transition: &Transition,
    ) -> Result<Recorded, AwsError> {
        let attempt_item = AttributeValue::M(to_item(attempt)?);
        let update = self
            .change(before)
            .expression_attribute_values(":attempts", AttributeValue::L(vec![attempt_item]))
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":made", number(attempt.number));
        let mut change = Change::to(transition.status, before);
        change.set("attempt = :made, attempts = list_append(if_not_exists(attempts, :none), :attempts)");
        change.due(before, transition.next_attempt_at);
        change.reason(transition.reason);
        change.internal(before.internal, transition.internal);
        send(change.apply(update)).await
    }

    /// Calls a delivery off, if it still stands where it was read and is not final.
    ///
    /// # Errors
    /// When the update failed; repeating it is harmless.
    pub async fn cancel(&self, before: &Delivery, reason: Reason) -> Result<Recorded, AwsError> {
        let mut change = Change::to(Status::Cancelled, before);
        change.due(before, None);
        change.reason(Some(reason));
        send(change.apply(self.change(before))).await
    }

    /// An update of this row under the condition that it still stands where it was read and is not final.
    fn change(&self, before: &Delivery) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.name)
            .key("endpoint_id", text(before.endpoint_id.as_str()))
            .key("id", text(before.id.as_str()))
            .condition_expression("attempt = :was AND round_from = :round AND #status IN (:pending, :retrying)")
            .expression_attribute_values(":was", number(before.attempts_made))
            .expression_attribute_values(":round", number(before.round_from))
            .expression_attribute_values(":pending", text(Status::Pending.as_str()))
            .expression_attribute_values(":retrying", text(Status::Retrying.as_str()))
    }
}

async fn send(update: UpdateItemFluentBuilder) -> Result<Recorded, AwsError> {
    match update.send().await {
        Ok(_) => Ok(Recorded::Yes),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
            Ok(Recorded::Overtaken)
        }
        Err(error) => Err(failed("UpdateItem deliveries")(error)),
    }
}

/// What an update sets and removes, index attributes included, so that no row is in an index where it does not belong.
struct Change {
    set: Vec<&'static str>,
    remove: Vec<&'static str>,
    values: Vec<(&'static str, AttributeValue)>,
}

impl Change {
    fn to(status: Status, row: &Delivery) -> Self {
        let mut change = Self {
            set: vec!["#status = :status"],
            remove: Vec::new(),
            values: vec![(":status", text(status.as_str()))],
        };
        match status {
            Status::Retrying | Status::Failed | Status::Cancelled => {
                change.set("undelivered_tenant = :tenant");
                change.values.push((":tenant", text(row.tenant_id.as_str())));
            }
            Status::Pending | Status::Succeeded => change.remove.push("undelivered_tenant"),
        }
        change
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
            }
            None => self.remove.push("next_attempt_at, due_at, due_shard"),
        }
    }

    fn reason(&mut self, reason: Option<Reason>) {
        match reason {
            Some(reason) => {
                self.set("reason = :reason");
                self.values.push((":reason", text(reason.as_str())));
            }
            None => self.remove.push("reason"),
        }
    }

    fn internal(&mut self, before: u32, after: u32) {
        if before != after {
            self.set("internal = :internal");
            self.values.push((":internal", number(after)));
        }
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
