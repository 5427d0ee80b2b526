//! Fresh rows, put many at a time where there are none.
//!
//! PartiQL's INSERT is the only conditional put that comes in batches outside of a transaction, which would cost twice as
//! much: each statement stands or falls by itself, is billed as a put, and up to 25 of them are one call. What stands there
//! already is read together, too, up to a hundred rows a call.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest, BatchStatementResponse, KeysAndAttributes,
};
use postrider_domain::delivery::Delivery;
use postrider_domain::id::DeliveryId;
use postrider_host::pause::pause;

use super::DeliveriesTable;
use crate::error::{AwsError, Failure, failed, unwritable};
use crate::item::{Item, text, to_item};
use crate::put_once::Put;
use crate::rows::id_in;

const CALL: &str = "BatchExecuteStatement deliveries";
/// Statements of one call.
const BATCH: usize = 25;
const READ: &str = "BatchGetItem deliveries";
/// Keys of one read.
const KEYS: usize = 100;
const ROUNDS: u32 = 10;

impl DeliveriesTable {
    /// Puts each fresh row unless there is one: a fan-out that runs again must not reset a row that has gone on. What became of
    /// each is in the rows' order; one that failed says nothing about the others, and repeating it is harmless.
    pub async fn put_pending(&self, deliveries: &[Delivery]) -> Vec<Result<Put<Delivery>, Failure>> {
        let (mut puts, mut there) = (Vec::with_capacity(deliveries.len()), Vec::new());
        for batch in deliveries.chunks(BATCH) {
            for (delivery, is_new) in batch.iter().zip(self.insert(batch).await) {
                if matches!(is_new, Ok(false)) {
                    there.push((puts.len(), delivery));
                }
                puts.push(is_new.map(|_| Put::New));
            }
        }
        for batch in there.chunks(KEYS) {
            let (mut found, unread) = self.existing(batch.iter().map(|(_, delivery)| *delivery)).await;
            for (place, delivery) in batch {
                puts[*place] = match (found.remove(&delivery.id), &unread) {
                    (Some(item), _) => Ok(judge(item, delivery)),
                    (None, Some(error)) => Err(error.clone()),
                    // One that has gone in between may be put now.
                    (None, None) => Err(Failure::CameAndWent("a row")),
                };
            }
        }
        puts
    }

    /// The rows that an earlier run may have put for these, in their order; none where it has not. Nothing is put.
    pub async fn find_pending(&self, deliveries: &[Delivery]) -> Vec<Result<Option<Put<Delivery>>, Failure>> {
        let mut rows = Vec::with_capacity(deliveries.len());
        for batch in deliveries.chunks(KEYS) {
            let (mut found, unread) = self.existing(batch.iter()).await;
            rows.extend(batch.iter().map(|delivery| match (found.remove(&delivery.id), &unread) {
                (Some(item), _) => Ok(Some(judge(item, delivery))),
                (None, Some(error)) => Err(error.clone()),
                (None, None) => Ok(None),
            }));
        }
        rows
    }

    /// Whether each was put, or there was a row already.
    async fn insert(&self, deliveries: &[Delivery]) -> Vec<Result<bool, Failure>> {
        self.insert_items(deliveries.iter().map(to_item).collect()).await
    }

    /// The same of rows as they are to stand there.
    pub(super) async fn insert_items(&self, items: Vec<Result<Item, Failure>>) -> Vec<Result<bool, Failure>> {
        let mut outcomes: Vec<_> = items.iter().map(|_| Err(AwsError::busy(CALL, "throttled"))).collect();
        let mut open = Vec::with_capacity(items.len());
        for (outcome, item) in outcomes.iter_mut().zip(items) {
            match item.and_then(|item| self.statement(item)) {
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

    fn statement(&self, item: Item) -> Result<BatchStatementRequest, Failure> {
        let item: BTreeMap<String, AttributeValue> = item.into_iter().collect();
        let names: Vec<String> = item.keys().map(|name| format!("'{name}': ?")).collect();
        BatchStatementRequest::builder()
            .statement(format!("INSERT INTO \"{}\" VALUE {{{}}}", self.name, names.join(", ")))
            .set_parameters(Some(item.into_values().collect()))
            .build()
            .map_err(unwritable("a batch"))
    }

    /// The rows that stand in these ones' places, as far as they could be read, and why those are not all, if so.
    async fn existing<'a>(
        &self,
        deliveries: impl Iterator<Item = &'a Delivery>,
    ) -> (HashMap<DeliveryId, Item>, Option<Failure>) {
        let key = |delivery: &Delivery| -> Item {
            let (endpoint, id) = (text(delivery.endpoint_id.as_str()), text(delivery.id.as_str()));
            [("endpoint_id".to_owned(), endpoint), ("id".to_owned(), id)].into()
        };
        let keys = KeysAndAttributes::builder().set_keys(Some(deliveries.map(key).collect())).consistent_read(true);
        let mut found = HashMap::new();
        let mut wanted: HashMap<_, _> = match keys.build().map_err(unwritable("deliveries' keys")) {
            Ok(keys) => [(self.name.clone(), keys)].into(),
            Err(error) => return (found, Some(error)),
        };
        for round in 0..ROUNDS {
            pause(round).await;
            let call = self.client.batch_get_item().set_request_items(Some(wanted));
            let answer = match call.send().await.map_err(failed(READ)) {
                Ok(answer) => answer,
                Err(error) => return (found, Some(error)),
            };
            let items = answer.responses.unwrap_or_default().into_values().flatten();
            found.extend(items.filter_map(|item| Some((id_in(&item, "id", "")?, item))));
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if wanted.is_empty() {
                return (found, None);
            }
        }
        (found, Some(AwsError::busy(READ, "throttled")))
    }
}

/// What a row that stands there is to one that was to be put.
fn judge(item: Item, delivery: &Delivery) -> Put<Delivery> {
    match super::row::read(item) {
        // Put by this very run: its answer was lost, or said that it was throttled.
        Ok(row) if row.put_at.is_some() && row == *delivery => Put::New,
        Ok(row) => Put::Existing(Box::new(row)),
        Err(_) => Put::Unreadable,
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
            | Code::ThrottlingError
            // Somebody else's transaction has the row, for moments.
            | Code::TransactionConflict,
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

    fn found(rows: &[Delivery]) -> Value {
        json!({"deliveries": rows.iter().map(replay::item).collect::<Vec<_>>()})
    }

    #[tokio::test(start_paused = true)]
    async fn rows_that_are_there_are_read_together_and_what_cannot_be_read_fails_alone() {
        let there = Some("DuplicateItem");
        let rows = rows(26);
        let keys = |rows: &[Delivery]| -> Vec<Value> {
            let key = |row: &Delivery| json!({"endpoint_id": {"S": row.endpoint_id}, "id": {"S": row.id}});
            rows.iter().map(key).collect()
        };
        let left = |n: usize| json!({"deliveries": {"Keys": keys(&rows[n..=n])}});
        let gone = Delivery { status: postrider_domain::delivery::Status::Succeeded, ..rows[1].clone() };
        let mut answers = vec![answer(&[there; 25]), answer(&[None])];
        answers.push(Said::body(json!({"Responses": found(&rows[2..25]), "UnprocessedKeys": left(1)})));
        answers.push(Said::body(json!({"Responses": found(&[gone])})));
        let (puts, calls) = put(26, answers).await;
        let mut expected = vec![Some(true); 26];
        // The first has come and gone, the second has gone on; the others are as this run would have put them.
        (expected[0], expected[1]) = (None, Some(false));
        assert_eq!((puts, calls), (expected, 4));

        let mut throttled = vec![answer(&[there, there])];
        throttled.extend(
            (0..ROUNDS).map(|_| Said::body(json!({"Responses": found(&rows[1..2]), "UnprocessedKeys": left(0)}))),
        );
        assert_eq!(put(2, throttled).await, (vec![None, Some(true)], 1 + ROUNDS as usize));
    }

    #[tokio::test(start_paused = true)]
    async fn rows_that_may_be_there_are_read_and_none_is_put() {
        let rows = rows(3);
        let key = json!([{"endpoint_id": {"S": rows[2].endpoint_id}, "id": {"S": rows[2].id}}]);
        let mut answers = vec![Said::body(
            json!({"Responses": found(&rows[1..2]), "UnprocessedKeys": {"deliveries": {"Keys": key}}}),
        )];
        answers.extend(
            (1..ROUNDS).map(|_| Said::body(json!({"Responses": {}, "UnprocessedKeys": {"deliveries": {"Keys": key}}}))),
        );
        let script = Script::new(answers);
        let table = DeliveriesTable::of(&script.sdk(sdk::over), "deliveries");
        let found = table.find_pending(&rows).await;
        assert!(
            matches!(&found[1], Ok(Some(_))) && found[0].is_err() && found[2].is_err(),
            "one may be unread: {found:?}"
        );
        let script = Script::new([Said::body(json!({"Responses": {"deliveries": []}}))]);
        let table = DeliveriesTable::of(&script.sdk(sdk::over), "deliveries");
        assert!(table.find_pending(&rows).await.into_iter().all(|row| matches!(row, Ok(None))));
        assert_eq!(script.operations(), ["BatchGetItem"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_fails_takes_nothing_from_what_was_put_before() {
        let throttled = Some("ThrottlingError");
        let mut answers = vec![answer(&[None, throttled])];
        answers.extend([Said::lost(), Said::lost(), Said::lost()]);
        assert_eq!(put(2, answers).await, (vec![Some(true), None], 4));
    }
}
