//! Fresh rows, put many at a time where there are none.
//!
//! PartiQL's INSERT is the only conditional put that comes in batches outside of a transaction, which would cost twice as
//! much: each statement stands or falls by itself, is billed as a put, and ten of them are one call.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest, BatchStatementResponse,
};
use postrider_domain::delivery::Delivery;
use postrider_host::pause::pause;

use super::DeliveriesTable;
use crate::error::{AwsError, Failure, failed, unwritable};
use crate::item::to_item;
use crate::put_once::Put;

const CALL: &str = "BatchExecuteStatement deliveries";
/// Statements of one call.
const BATCH: usize = 25;
const ROUNDS: u32 = 10;

impl DeliveriesTable {
    /// Puts each fresh row unless there is one: a fan-out that runs again must not reset a row that has gone on. What became of
    /// each is in the rows' order; one that failed says nothing about the others, and repeating it is harmless.
    pub async fn put_pending(&self, deliveries: &[Delivery]) -> Vec<Result<Put<Delivery>, Failure>> {
        let mut puts = Vec::with_capacity(deliveries.len());
        for batch in deliveries.chunks(BATCH) {
            for (delivery, is_new) in batch.iter().zip(self.insert(batch).await) {
                puts.push(match is_new {
                    Ok(true) => Ok(Put::New),
                    Ok(false) => self.existing(delivery).await,
                    Err(error) => Err(error),
                });
            }
        }
        puts
    }

    /// Whether each was put, or there was a row already.
    async fn insert(&self, deliveries: &[Delivery]) -> Vec<Result<bool, Failure>> {
        let mut outcomes: Vec<_> = deliveries.iter().map(|_| Err(AwsError::busy(CALL, "throttled"))).collect();
        let mut open = Vec::with_capacity(deliveries.len());
        for (outcome, delivery) in outcomes.iter_mut().zip(deliveries) {
            match self.statement(delivery) {
                Ok(statement) => open.push((outcome, statement)),
                Err(error) => *outcome = Err(error),
            }
        }
        for round in 0..ROUNDS {
            if open.is_empty() {
                break;
            }
            pause(round).await;
            let statements = open.iter().map(|(_, statement)| statement.clone()).collect();
            let call = self.client.batch_execute_statement().set_statements(Some(statements));
            let answer = match call.send().await.map_err(failed(CALL)) {
                Ok(answer) => answer,
                Err(error) => {
                    open.iter_mut().for_each(|(outcome, _)| **outcome = Err(error.clone()));
                    break;
                }
            };
            let mut responses = answer.responses().iter();
            open.retain_mut(|(outcome, _)| match responses.next().and_then(outcome_of) {
                Some(is_new) => {
                    **outcome = is_new;
                    false
                }
                None => true,
            });
        }
        outcomes
    }

    fn statement(&self, delivery: &Delivery) -> Result<BatchStatementRequest, Failure> {
        let item: BTreeMap<String, AttributeValue> = to_item(delivery)?.into_iter().collect();
        let names: Vec<String> = item.keys().map(|name| format!("'{name}': ?")).collect();
        BatchStatementRequest::builder()
            .statement(format!("INSERT INTO \"{}\" VALUE {{{}}}", self.name, names.join(", ")))
            .set_parameters(Some(item.into_values().collect()))
            .build()
            .map_err(unwritable("a batch"))
    }

    async fn existing(&self, delivery: &Delivery) -> Result<Put<Delivery>, Failure> {
        // One that has gone in between may be put now.
        let item = self.get_item(&delivery.id).await?.ok_or_else(|| Failure::CameAndWent("a row"))?;
        Ok(match super::row::read(item) {
            // Put by this very run: its answer was lost, or said that it was throttled.
            Ok(row) if row.put_at.is_some() && row == *delivery => Put::New,
            Ok(row) => Put::Existing(Box::new(row)),
            Err(_) => Put::Unreadable,
        })
    }
}

/// Whether the row is new; nothing where the statement is to be tried again.
fn outcome_of(response: &BatchStatementResponse) -> Option<Result<bool, Failure>> {
    use BatchStatementErrorCodeEnum as Code;
    let Some(error) = response.error() else { return Some(Ok(true)) };
    match error.code() {
        Some(Code::DuplicateItem) => Some(Ok(false)),
        Some(
            Code::InternalServerError
            | Code::ProvisionedThroughputExceeded
            | Code::RequestLimitExceeded
            | Code::ThrottlingError,
        ) => None,
        code => Some(Err(AwsError::refused(CALL, code.map_or("refused", Code::as_str)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample, sdk};
    use jiff::Timestamp;
    use postrider_domain::id::EndpointId;
    use replay::{Said, Script};
    use serde_json::{Value, json};

    fn rows(count: u64) -> Vec<Delivery> {
        let at = Timestamp::UNIX_EPOCH;
        (1..=count).map(|n| Delivery::pending(&sample::event(), EndpointId::new(at, n), at, 0)).collect()
    }

    fn answer(codes: &[Option<&str>]) -> Said {
        let response = |code: &Option<&str>| match code {
            None => json!({}),
            Some(code) => json!({"Error": {"Code": code, "Message": "no"}}),
        };
        Said::body(json!({"Responses": codes.iter().map(response).collect::<Vec<Value>>()}))
    }

    async fn put(count: u64, answers: Vec<Said>) -> (Vec<Option<bool>>, usize) {
        let script = Script::new(answers);
        let table = DeliveriesTable::of(&script.sdk(sdk::over), "deliveries");
        let puts = table.put_pending(&rows(count)).await;
        (puts.into_iter().map(|put| put.ok().map(|put| put == Put::New)).collect(), script.operations().len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_that_is_throttled_for_good_is_the_only_one_that_fails() {
        let throttled = Some("ThrottlingError");
        let mut answers = vec![answer(&[None, throttled, None])];
        answers.extend((1..ROUNDS).map(|_| answer(&[throttled])));
        assert_eq!(put(3, answers).await, (vec![Some(true), None, Some(true)], 10));
        let refused = answer(&[Some("AccessDenied"), None]);
        assert_eq!(put(2, vec![refused]).await, (vec![None, Some(true)], 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_fails_takes_nothing_from_what_was_put_before() {
        let throttled = Some("ThrottlingError");
        let mut answers = vec![answer(&[None, throttled])];
        answers.extend([Said::lost(), Said::lost(), Said::lost()]);
        assert_eq!(put(2, answers).await, (vec![Some(true), None], 4));
    }
}
