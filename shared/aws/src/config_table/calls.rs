//! Calls that made something, each under its caller's key, with what it was answered: written together with what it made, so that neither is there
//! without the other. Whoever calls again under the key is answered the same.
//!
//! The answer can hold a secret that is shown this once, so it is sealed; and so is what was asked for, which can hold one as well.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use postrider_domain::call::{CallKey, KEPT_SECONDS};
use postrider_domain::id::TenantId;
use serde::{Deserialize, Serialize};

use super::{ConfigTable, keyed};
use crate::conditional::Recorded;
use crate::error::{Failure, unwritable};
use crate::item::{number, to_item};

const PREFIX: &str = "CALLS#";

fn partition(key: &CallKey) -> String {
    format!("{PREFIX}{}", key.caller())
}

/// Where the calls lie that a tenant's keys made.
pub(super) fn partition_of(tenant: &TenantId) -> String {
    format!("{PREFIX}{tenant}")
}

/// A call with its answer, sealed for [`CallKey::owner`], to be written with what it makes.
#[derive(Debug, Clone)]
pub struct AnsweredCall {
    key: CallKey,
    row: Row,
    now: Timestamp,
}

/// What its row holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    sealed: String,
    /// When it is forgotten, in seconds since 1970. Rows outlive their time by up to two days, so it is compared too.
    expires_at: i64,
}

impl Row {
    fn stands_at(&self, now: Timestamp) -> bool {
        self.expires_at > now.as_second()
    }
}

/// What became of what a call should make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is there now.
    Now,
    /// The same call has been answered before; nothing was made.
    Before,
}

impl AnsweredCall {
    /// A call that is answered at `now`, with what is sealed.
    pub fn new(key: CallKey, sealed: String, now: Timestamp) -> Self {
        Self { key, row: Row { sealed, expires_at: now.as_second() + KEPT_SECONDS }, now }
    }
}

impl Made {
    /// What a transaction says of something whose id is random: who was faster can only have been the same call. `what` is what it is,
    /// where no call was to be remembered.
    pub(super) fn of(recorded: Recorded, call: Option<&AnsweredCall>, what: &'static str) -> Result<Self, Failure> {
        match (recorded, call) {
            (Recorded::Yes, _) => Ok(Self::Now),
            (Recorded::Overtaken, Some(_)) => Ok(Self::Before),
            (Recorded::Overtaken, None) => Err(Failure::Taken(what)),
        }
    }
}

impl ConfigTable {
    /// What an earlier call under this key was answered, sealed; nothing where there was none, or none in the last two days.
    ///
    /// # Errors
    /// When the read failed, or the row cannot be read.
    pub async fn answered_call(&self, key: &CallKey, now: Timestamp) -> Result<Option<String>, Failure> {
        let row: Option<Row> = self.get(partition(key), key.digest()).await?;
        Ok(row.filter(|row| row.stands_at(now)).map(|row| row.sealed))
    }

    /// The write that a call is remembered by, for the transaction that makes what it asked for: refused where one was before it.
    pub(super) fn remembering_call(&self, call: &AnsweredCall) -> Result<TransactWriteItem, Failure> {
        let item = keyed(to_item(&call.row)?, partition(&call.key), call.key.digest().to_owned());
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
            .expression_attribute_values(":now", number(call.now.as_second()))
            .build()
            .map_err(unwritable("a call"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

#[cfg(test)]
mod tests {
    use postrider_domain::call::CalledBy;

    use super::*;

    /// Or nobody would take them away with their tenant.
    #[test]
    fn what_a_tenants_keys_made_lies_where_its_deletion_looks() {
        let tenant = TenantId::new(Timestamp::UNIX_EPOCH, 1);
        let key = CallKey::new(CalledBy::Tenant(&tenant), "POST /v1/webhooks/create", &[], "a").unwrap();
        assert_eq!(partition(&key), partition_of(&tenant));
    }
}
