//! Fresh rows, put many at a time where there are none.
//!
//! PartiQL's INSERT is the only conditional put that comes in batches outside of a transaction, which would cost twice as
//! much: each statement stands or falls by itself, is billed as a put, and ten of them are one call.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest, BatchStatementResponse,
};
use postrider_domain::delivery::Delivery;

use super::DeliveriesTable;
use crate::AwsError;
use crate::error::failed;
use crate::item::to_item;
use crate::pause::pause;
use crate::put_once::Put;

const CALL: &str = "BatchExecuteStatement deliveries";
/// Statements of one call.
const BATCH: usize = 25;
const ROUNDS: u32 = 10;

impl DeliveriesTable {
    /// Puts each fresh row unless there is one: a fan-out that runs again must not reset a row that has gone on. The answers
    /// are in the rows' order.
    ///
    /// # Errors
    /// When a put failed; repeating all of them is harmless.
    pub async fn put_pending(&self, deliveries: &[Delivery]) -> Result<Vec<Put<Delivery>>, AwsError> {
        let mut puts = Vec::with_capacity(deliveries.len());
        for batch in deliveries.chunks(BATCH) {
            for (delivery, is_new) in batch.iter().zip(self.insert(batch).await?) {
                puts.push(if is_new { Put::New } else { self.existing(delivery).await? });
            }
        }
        Ok(puts)
    }

    /// Whether each was put, or there was a row already.
    async fn insert(&self, deliveries: &[Delivery]) -> Result<Vec<bool>, AwsError> {
        let statements = deliveries.iter().map(|delivery| self.statement(delivery)).collect::<Result<Vec<_>, _>>()?;
        let mut inserted: Vec<Option<bool>> = vec![None; statements.len()];
        for round in 0..ROUNDS {
            pause(round).await;
            let open: Vec<usize> = (0..statements.len()).filter(|n| inserted[*n].is_none()).collect();
            let batch = open.iter().map(|n| statements[*n].clone()).collect();
            let answer = self.client.batch_execute_statement().set_statements(Some(batch)).send().await;
            for (n, response) in open.into_iter().zip(answer.map_err(failed(CALL))?.responses()) {
                inserted[n] = outcome(response)?;
            }
            if let Some(all) = inserted.iter().copied().collect() {
                return Ok(all);
            }
        }
        Err(AwsError::busy(CALL, "throttled"))
    }

    fn statement(&self, delivery: &Delivery) -> Result<BatchStatementRequest, AwsError> {
        let item: BTreeMap<String, AttributeValue> = to_item(delivery)?.into_iter().collect();
        let names: Vec<String> = item.keys().map(|name| format!("'{name}': ?")).collect();
        BatchStatementRequest::builder()
            .statement(format!("INSERT INTO \"{}\" VALUE {{{}}}", self.name, names.join(", ")))
            .set_parameters(Some(item.into_values().collect()))
            .build()
            .map_err(|error| AwsError::new(CALL, error.to_string()))
    }

    async fn existing(&self, delivery: &Delivery) -> Result<Put<Delivery>, AwsError> {
        // One that has gone in between may be put now.
        let item = self.get_item(&delivery.id).await?.ok_or_else(|| AwsError::new(CALL, "a row came and went"))?;
        Ok(match super::row::read(item) {
            // Put by this very run: its answer was lost, or said that it was throttled.
            Ok(row) if row.put_at.is_some() && row == *delivery => Put::New,
            Ok(row) => Put::Existing(Box::new(row)),
            Err(_) => Put::Unreadable,
        })
    }
}

/// Whether the row is new; nothing where the statement is to be tried again.
fn outcome(response: &BatchStatementResponse) -> Result<Option<bool>, AwsError> {
    use BatchStatementErrorCodeEnum as Code;
    let Some(error) = response.error() else { return Ok(Some(true)) };
    match error.code() {
        Some(Code::DuplicateItem) => Ok(Some(false)),
        Some(
            Code::InternalServerError
            | Code::ProvisionedThroughputExceeded
            | Code::RequestLimitExceeded
            | Code::ThrottlingError,
        ) => Ok(None),
        code => Err(AwsError::new(CALL, code.map_or("refused", Code::as_str))),
    }
}
