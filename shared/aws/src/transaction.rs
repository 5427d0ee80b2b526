//! Transactions: all of their writes or none, and a clear word about which it was.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::TransactWriteItem;

use crate::deliveries_table::Recorded;
use crate::error::{AwsError, failed};
use crate::pause::pause;

const ROUNDS: u32 = 5;
const CONDITION_FAILED: &str = "ConditionalCheckFailed";
const NONE: &str = "None";

/// Writes them all, or none.
///
/// A transaction is also cancelled because another is under way on the same row, or for want of capacity: that says
/// nothing about its conditions, so it is tried again.
///
/// # Errors
/// When it was not written for another reason than a condition.
pub(crate) async fn transact(
    client: &Client,
    call: &'static str,
    writes: Vec<TransactWriteItem>,
) -> Result<Recorded, AwsError> {
    let mut why = String::new();
    for round in 0..ROUNDS {
        pause(round).await;
        let error = match client.transact_write_items().set_transact_items(Some(writes.clone())).send().await {
            Ok(_) => return Ok(Recorded::Yes),
            Err(error) => error,
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
            return Err(failed(call)(error));
        };
        let codes: Vec<&str> = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
        if codes.contains(&CONDITION_FAILED) {
            return Ok(Recorded::Overtaken);
        }
        why = codes.into_iter().filter(|code| *code != NONE).collect::<Vec<_>>().join(", ");
    }
    Err(AwsError::busy(call, why))
}
