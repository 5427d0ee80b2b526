//! Rows that are put once: whoever comes second learns what is there.

use crate::error::{Failure, failed};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
    let error = match put {
        Ok(_) => return Ok(Put::New),
        Err(error) => error,
    };
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(refused)) => match refused.item.clone() {
            Some(item) => Ok(from_item(item).map_or(Put::Unreadable, |row| Put::Existing(Box::new(row)))),
            None => Err(failed(call)(error)),
        },
        _ => Err(failed(call)(error)),
    }
}
