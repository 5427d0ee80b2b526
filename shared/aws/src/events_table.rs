//! The events table: `tenant_id` + `id`. Its stream is the one way into fan-out, so a row is put once, and
//! nothing of what makes it an event is ever changed.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ReturnValue, TransactWriteItem};
use aws_types::SdkConfig;
use jiff::Timestamp;
use postrider_domain::event::Event;
use postrider_domain::id::{EventId, TenantId};
use postrider_domain::time;
use postrider_host::env::{self, BadSetting};

use crate::conditional;
use crate::error::{Failure, failed, unwritable};
use crate::event_row::{EXPUNGED, REFUSED};
use crate::item::{Item, text, to_item};
use crate::put_once::{Put, put_once};

/// The events table.
#[derive(Clone)]
pub struct EventsTable {
    client: Client,
    name: String,
}

impl EventsTable {
    /// From `EVENTS_TABLE`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::of(sdk, &env::var("EVENTS_TABLE")?))
    }

    /// The table of this name.
    pub fn of(sdk: &SdkConfig, name: &str) -> Self {
        Self { client: Client::new(sdk), name: name.to_owned() }
    }

    /// Puts the event's row unless there is one. An expired row that has not been removed yet stays too: putting over it
    /// would be a MODIFY, which the stream's filter drops.
    ///
    /// # Errors
    /// When the put failed; it may have happened all the same, and repeating it is harmless.
    pub async fn put(&self, event: &Event) -> Result<Put<Event>, Failure> {
        put_once(&self.client, &self.name, "PutItem events", event).await
    }

    /// The put of an event as part of a transaction of somebody else's.
    ///
    /// # Errors
    /// When the event cannot be written, which is a fault of ours.
    pub fn put_in_transaction(&self, event: &Event) -> Result<TransactWriteItem, Failure> {
        let put = aws_sdk_dynamodb::types::Put::builder()
            .table_name(&self.name)
            .set_item(Some(to_item(event)?))
            .condition_expression("attribute_not_exists(id)")
            .build()
            .map_err(unwritable("an event's row"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Notes in a row why it is refused, or with `None` that it no longer is. No part of the event changes, and the stream's
    /// filter drops it.
    ///
    /// # Errors
    /// When it was not written; also where the row is gone.
    pub async fn note_refusal(&self, tenant: &TenantId, id: &EventId, why: Option<&str>) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("tenant_id", text(tenant.as_str()))
            .key("id", text(id.as_str()))
            .condition_expression("attribute_exists(id)")
            .expression_attribute_names("#refused", REFUSED);
        let update = match why {
            Some(why) => update.update_expression("SET #refused = :why").expression_attribute_values(":why", text(why)),
            None => update.update_expression("REMOVE #refused"),
        };
        update.send().await.map_err(failed("UpdateItem events"))?;
        Ok(())
    }

    /// Removes what an event says, for good; all else of its row stays, and is returned as it stands then. What was refused is as good
    /// as removed, too. Nothing where there is no such row. Of one that was expunged before the time stays. The stream's filter drops it.
    ///
    /// # Errors
    /// When the update failed; it may have happened all the same, and repeating it is harmless.
    pub async fn expunge(&self, tenant: &TenantId, id: &EventId, now: Timestamp) -> Result<Option<Item>, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("tenant_id", text(tenant.as_str()))
            .key("id", text(id.as_str()))
            .condition_expression("attribute_exists(id)")
            .update_expression("SET #expunged = if_not_exists(#expunged, :now) REMOVE #data, tags, #refused")
            .expression_attribute_names("#expunged", EXPUNGED)
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#refused", REFUSED)
            .expression_attribute_values(":now", text(time::wire(now)))
            .return_values(ReturnValue::AllNew);
        match conditional::judge("UpdateItem events", update.send().await)? {
            Ok(done) => Ok(Some(done.attributes.unwrap_or_default())),
            Err(_) => Ok(None),
        }
    }

    /// The row itself, whatever a producer has put there.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn get_item(&self, tenant: &TenantId, id: &EventId) -> Result<Option<Item>, Failure> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("tenant_id", text(tenant.as_str()))
            .key("id", text(id.as_str()))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("GetItem events"))?;
        Ok(answer.item)
    }
}
