//! Rows that are put once: whoever comes second learns what is there.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::conditional::{self, Refused};
use crate::error::Failure;
use crate::item::{from_item, to_item};

/// What became of a put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put<T> {
    /// The row is new.
    New,
    /// There was one already, and it stays.
    Existing(Box<T>),
    /// There was one already that cannot be read, and it stays.
    Unreadable,
}

/// Puts a row, whose range key is `id`, unless there is one.
///
/// # Errors
/// When the put failed; it may have happened all the same, and repeating it is harmless.
pub(crate) async fn put_once<T: Serialize + DeserializeOwned>(
    client: &Client,
    table: &str,
    call: &'static str,
    row: &T,
) -> Result<Put<T>, Failure> {
    let put = client
        .put_item()
        .table_name(table)
        .set_item(Some(to_item(row)?))
        .condition_expression("attribute_not_exists(id)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await;
    Ok(match conditional::judge(call, put)? {
        Ok(_) => Put::New,
        Err(Refused(Some(there))) => from_item(there).map_or(Put::Unreadable, |row| Put::Existing(Box::new(row))),
        Err(Refused(None)) => return Err(Failure::CameAndWent("a row")),
    })
}
