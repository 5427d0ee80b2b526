//! Conditional writes, and whose what stands there is.
//!
//! The SDK tries a call again whose answer was lost. Carried out already, a conditional write is then refused by its own
//! effect: whoever took that for somebody else's would leave undone what follows from it. So each of these writes leaves a
//! mark of its own, the refusal brings the row along, and where the mark stands there, the write was made.

use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use postrider_domain::attempt::Mark;
use postrider_host::pause::scattered;

use crate::error::{AwsError, Failure, failed, unwritable};
use crate::item::{Item, text_of};

/// Whether a conditional write found the row as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It did, and the row has changed. Or ours is there already: the SDK's first try was made, and its answer lost.
    Yes,
    /// Somebody was faster; theirs stands.
    Overtaken,
}

/// Whose change a row had last.
pub(crate) const CHANGED_BY: &str = "changed_by";
/// Whose changes it had before that one.
const CHANGED_BEFORE: [&str; 2] = ["changed_before", "changed_before_that"];

/// Sets the mark `:by`, and keeps the two before it: somebody else may have changed the row before the SDK's second try, and
/// the first one is to be recognised all the same. DynamoDB reads all of a row before it changes any of it.
pub(crate) const SET_MARKS: &str = "changed_before_that = if_not_exists(changed_before, :by), \
                                    changed_before = if_not_exists(changed_by, :by), changed_by = :by";

/// Whether one of the last changes there is the one of this mark.
pub(crate) fn is_by(there: &Item, mark: &Mark) -> bool {
    [CHANGED_BY].iter().chain(&CHANGED_BEFORE).any(|name| text_of(there, name) == Some(mark.as_str()))
}

/// Whether one of the secrets that stand there is this one. A sealed text is random, so it tells whose rotation made it, also when
/// somebody has changed the row since and left his own mark on it.
pub(crate) fn holds_secret(there: &Item, sealed: &str) -> bool {
    let is_it = |secret: &AttributeValue| secret.as_m().is_ok_and(|secret| text_of(secret, "sealed") == Some(sealed));
    there.get("secrets").and_then(|secrets| secrets.as_l().ok()).is_some_and(|secrets| secrets.iter().any(is_it))
}

/// Whether the row that stands there is this one, by an id that is random: whoever has it is ours, whatever became of it since.
pub(crate) fn has_id(there: &Item, id: &str) -> bool {
    text_of(there, "id") == Some(id)
}

/// What a condition refused: the row that stands there, if there is one and the write asked to see it.
pub(crate) struct Refused(pub(crate) Option<Item>);

/// The errors of those calls that a condition can refuse.
pub(crate) trait Refusable {
    fn refused(&self) -> Option<&ConditionalCheckFailedException>;
}

impl Refusable for PutItemError {
    fn refused(&self) -> Option<&ConditionalCheckFailedException> {
        if let Self::ConditionalCheckFailedException(refused) = self { Some(refused) } else { None }
    }
}

impl Refusable for UpdateItemError {
    fn refused(&self) -> Option<&ConditionalCheckFailedException> {
        if let Self::ConditionalCheckFailedException(refused) = self { Some(refused) } else { None }
    }
}

/// What a single write's answer says: it was made, or its condition refused it.
///
/// # Errors
/// When it was not answered; it may have been made all the same.
pub(crate) fn judge<T, E>(
    call: &'static str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Result<T, Refused>, Failure>
where
    E: Refusable + ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match answer {
        Ok(made) => Ok(Ok(made)),
        Err(error) => match error.as_service_error().and_then(Refusable::refused) {
            Some(refused) => Ok(Err(Refused(refused.item.clone()))),
            None => Err(failed(call)(error)),
        },
    }
}

/// Sends an update. Refused, it has been made all the same where what stands there `is_ours`.
///
/// # Errors
/// When it was not answered; it may have been made all the same.
pub(crate) async fn update(
    call: &'static str,
    update: UpdateItemFluentBuilder,
    is_ours: impl FnOnce(&Item) -> bool,
) -> Result<Recorded, Failure> {
    match try_update(call, update).await? {
        Err(Refused(there)) if !there.as_ref().is_some_and(is_ours) => Ok(Recorded::Overtaken),
        Ok(()) | Err(_) => Ok(Recorded::Yes),
    }
}

/// Sends an update; refused, what stands there is to be judged.
///
/// # Errors
/// When it was not answered; it may have been made all the same.
pub(crate) async fn try_update(
    call: &'static str,
    update: UpdateItemFluentBuilder,
) -> Result<Result<(), Refused>, Failure> {
    let update = update.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    Ok(judge(call, update.send().await)?.map(drop))
}

/// The same update as a part of a transaction.
///
/// # Errors
/// When it is none, which is a fault of ours.
pub(crate) fn as_part(update: &UpdateItemFluentBuilder) -> Result<TransactWriteItem, Failure> {
    let input = update.as_input();
    let part = Update::builder()
        .set_table_name(input.get_table_name().clone())
        .set_key(input.get_key().clone())
        .set_update_expression(input.get_update_expression().clone())
        .set_condition_expression(input.get_condition_expression().clone())
        .set_expression_attribute_names(input.get_expression_attribute_names().clone())
        .set_expression_attribute_values(input.get_expression_attribute_values().clone())
        .build()
        .map_err(unwritable("an update"))?;
    Ok(TransactWriteItem::builder().update(part).build())
}

pub(crate) const ROUNDS: u32 = 5;
/// For a row that all of a tenant's calls change: of fifty that come at once, one at a time is let through.
pub(crate) const ROUNDS_IN_A_CROWD: u32 = 16;
const CONDITION_FAILED: &str = "ConditionalCheckFailed";
const NONE: &str = "None";

/// Writes them all, or none. Refused, they have been written all the same where a row that refused one `is_ours`: AWS knows a
/// transaction's second try by its token for ten minutes, this for ever.
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
    is_ours: impl Fn(&Item) -> bool,
) -> Result<Recorded, Failure> {
    Ok(recorded(transact_or_refusals(client, call, writes, ROUNDS).await?, is_ours))
}

/// The same for longer, where one of the rows is one that all of a tenant's calls change.
pub(crate) async fn transact_in_a_crowd(
    client: &Client,
    call: &'static str,
    writes: Vec<TransactWriteItem>,
    is_ours: impl Fn(&Item) -> bool,
) -> Result<Recorded, Failure> {
    Ok(recorded(transact_or_refusals(client, call, writes, ROUNDS_IN_A_CROWD).await?, is_ours))
}

fn recorded(written: Result<(), Refusals>, is_ours: impl Fn(&Item) -> bool) -> Recorded {
    match written {
        Err(refusals) if !refusals.is_any(is_ours) => Recorded::Overtaken,
        Ok(()) | Err(_) => Recorded::Yes,
    }
}

/// What the conditions of a transaction refused, for each of its writes.
pub(crate) struct Refusals(Vec<Option<Refused>>);

impl Refusals {
    /// Whether a row that refused its write is such a one.
    pub(crate) fn is_any(&self, is: impl Fn(&Item) -> bool) -> bool {
        self.0.iter().flatten().filter_map(|refused| refused.0.as_ref()).any(is)
    }

    /// The refusal of the first write; without a row where another was refused.
    pub(crate) fn of_the_first(self) -> Refused {
        self.0.into_iter().next().flatten().unwrap_or(Refused(None))
    }

    /// Whether the last write was refused, whatever became of the others.
    pub(crate) fn is_of_the_last(&self) -> bool {
        self.0.last().is_some_and(Option::is_some)
    }

    /// The refusal of the last write, if no other was refused.
    pub(crate) fn of_the_last_alone(mut self) -> Option<Refused> {
        let last = self.0.pop().flatten();
        last.filter(|_| self.0.iter().all(Option::is_none))
    }
}

/// The same, and which of them were refused.
pub(crate) async fn transact_or_refusals(
    client: &Client,
    call: &'static str,
    writes: Vec<TransactWriteItem>,
    rounds: u32,
) -> Result<Result<(), Refusals>, Failure> {
    let writes: Vec<TransactWriteItem> = writes.into_iter().map(that_shows_what_refused_it).collect();
    let mut why = String::new();
    for round in 0..rounds {
        scattered(round).await;
        let error = match client.transact_write_items().set_transact_items(Some(writes.clone())).send().await {
            Ok(_) => return Ok(Ok(())),
            Err(error) => error,
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
            return Err(failed(call)(error));
        };
        let reasons = cancelled.cancellation_reasons();
        if reasons.iter().any(|reason| reason.code() == Some(CONDITION_FAILED)) {
            let refused = |reason: &CancellationReason| {
                (reason.code() == Some(CONDITION_FAILED)).then(|| Refused(reason.item.clone()))
            };
            let mut refusals: Vec<_> = reasons.iter().map(refused).collect();
            refusals.resize_with(writes.len(), || None);
            return Ok(Err(Refusals(refusals)));
        }
        let codes = || reasons.iter().filter_map(|reason| reason.code()).filter(|code| *code != NONE);
        why = codes().collect::<Vec<_>>().join(", ");
        if !is_for_now(codes()) {
            return Err(AwsError::refused(call, why));
        }
    }
    Err(AwsError::busy(call, why))
}

/// Whether a transaction was cancelled for reasons that pass.
fn is_for_now<'a>(mut codes: impl Iterator<Item = &'a str>) -> bool {
    codes.all(|code| ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"].contains(&code))
}

/// A write under a condition whose refusal brings the row along.
fn that_shows_what_refused_it(mut write: TransactWriteItem) -> TransactWriteItem {
    let all_old = Some(ReturnValuesOnConditionCheckFailure::AllOld);
    if let Some(put) = write.put.as_mut().filter(|put| put.condition_expression.is_some()) {
        put.return_values_on_condition_check_failure = all_old;
    } else if let Some(update) = write.update.as_mut().filter(|update| update.condition_expression.is_some()) {
        update.return_values_on_condition_check_failure = all_old;
    }
    write
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::text;
    use crate::sdk;
    use aws_sdk_dynamodb::types::Put;
    use replay::{Said, Script};
    use serde_json::json;

    fn write() -> TransactWriteItem {
        let put =
            Put::builder().table_name("t").set_item(Some(Item::new())).condition_expression("attribute_not_exists(pk)");
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    }

    async fn transacted(script: &Script) -> Recorded {
        let mark = Mark::new(1);
        transact(&Client::new(&script.sdk(sdk::over)), "a test", vec![write()], |there| is_by(there, &mark))
            .await
            .unwrap()
    }

    /// DynamoDB knows a transaction's second try by its token, for ten minutes, and then says that it was made. The SDK has to
    /// send the same one for that; and where a refusal comes all the same, the row tells whose the first try was.
    #[tokio::test(start_paused = true)]
    async fn a_second_try_has_the_firsts_token_and_is_known_by_its_mark() {
        for (by, recorded) in [(1, Recorded::Yes), (2, Recorded::Overtaken)] {
            let refusal = Said::cancelled(&[Ok(json!({CHANGED_BY: Mark::new(by).as_str()}))]);
            let script = Script::new([Said::lost(), Said::lost(), refusal]);
            assert_eq!(transacted(&script).await, recorded);
            let asked = script.asked("TransactWriteItems");
            assert_eq!(asked.len(), 3);
            let token = asked[0]["ClientRequestToken"].as_str().unwrap();
            assert!(!token.is_empty() && asked.iter().all(|request| request == &asked[0]), "{asked:?}");
            let shows = &asked[0]["TransactItems"][0]["Put"]["ReturnValuesOnConditionCheckFailure"];
            assert_eq!(shows, "ALL_OLD", "or the refusal would bring no row");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_cancelled_for_another_reason_is_tried_again() {
        let conflict = || Said::cancelled(&[Err("TransactionConflict")]);
        let script = Script::new([conflict(), conflict(), Said::done()]);
        assert_eq!(transacted(&script).await, Recorded::Yes);
        let tokens: Vec<_> =
            script.asked("TransactWriteItems").iter().map(|asked| asked["ClientRequestToken"].clone()).collect();
        assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2], "one that was cancelled is over: {tokens:?}");
    }

    #[test]
    fn a_secret_is_known_wherever_it_stands() {
        let secrets = json!([{"sealed": "k1.b"}, {"sealed": "k1.a", "until": "2026-01-15T14:00:00.000Z"}]);
        let there: Item = serde_dynamo::to_item(json!({"secrets": secrets})).unwrap();
        assert!(holds_secret(&there, "k1.a") && holds_secret(&there, "k1.b") && !holds_secret(&there, "k1"));
        assert!(!holds_secret(&Item::new(), "k1.a"));
    }

    #[test]
    fn a_change_is_known_by_its_mark() {
        let there: Item = [(CHANGED_BY.to_owned(), text(Mark::new(1).as_str()))].into();
        assert!(is_by(&there, &Mark::new(1)) && !is_by(&there, &Mark::new(2)) && !is_by(&Item::new(), &Mark::new(1)));
    }

    #[test]
    fn a_change_is_known_by_its_mark_after_two_others() {
        let names = ["changed_by", "changed_before", "changed_before_that"];
        let there: Item = (1..).zip(names).map(|(n, name)| (name.to_owned(), text(Mark::new(n).as_str()))).collect();
        assert!((1..=3).all(|n| is_by(&there, &Mark::new(n))) && !is_by(&there, &Mark::new(4)));
        assert!(names.iter().all(|name| SET_MARKS.contains(&format!("{name} = "))));
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        assert!(is_for_now(["TransactionConflict", "ThrottlingError"].into_iter()));
        assert!(is_for_now(["ProvisionedThroughputExceeded"].into_iter()));
        assert!(!is_for_now(["TransactionConflict", "ValidationError"].into_iter()));
    }
}
