//! The deployment's event types: a row each, those too that were deleted less than two days ago, and a row that counts those that
//! are there. It moves in the transaction that makes or deletes one, so that no two calls that race pass the bound.

use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use postrider_domain::attempt::Mark;
use postrider_domain::catalogue::{CataloguedType, MAX_TYPES};
use postrider_domain::event::EventType;
use postrider_host::entropy;

use super::{AnsweredCall, ConfigTable, keyed};
use crate::conditional::{self, CHANGED_BY, ROUNDS_IN_A_CROWD, Refused, is_by, transact_or_refusals};
use crate::error::{Failure, unwritable};
use crate::item::{Item, number, text, to_item};
use crate::rows::readable;
use crate::{Page, page};

const PARTITION: &str = "EVENT_TYPES";
const PREFIX: &str = "TYPE#";
const COUNT_SORT: &str = "COUNT";

/// What became of a change of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is made.
    Yes,
    /// Somebody was faster; theirs stands.
    Overtaken,
    /// There are as many types as there may be.
    Full,
}

impl ConfigTable {
    /// The row of this name, also where the type was deleted a while ago.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn catalogued_type(&self, name: &EventType) -> Result<Option<CataloguedType>, Failure> {
        self.get(PARTITION.to_owned(), &format!("{PREFIX}{name}")).await
    }

    /// A page of the types whose names begin so, in order of their names; those that were deleted are left out.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn catalogued_types(
        &self,
        beginning: &str,
        limit: i32,
        after: Option<&EventType>,
    ) -> Result<Page<CataloguedType, EventType>, Failure> {
        let mut query = self.query(PARTITION.to_owned(), &format!("{PREFIX}{beginning}")).limit(limit);
        if let Some(after) = after {
            query = query
                .exclusive_start_key("pk", text(PARTITION))
                .exclusive_start_key("sk", text(format!("{PREFIX}{after}")));
        }
        let Page { rows, next } = page::of(query, "Query event types", ("sk", PREFIX)).await?;
        let rows = readable(rows).into_iter().filter(CataloguedType::is_there).collect();
        Ok(Page { rows, next })
    }

    /// Puts a type as it is now over what was `before`, which is as it was read.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn keep_catalogued(
        &self,
        now: &CataloguedType,
        before: Option<&CataloguedType>,
    ) -> Result<Kept, Failure> {
        let mark = entropy::mark();
        let put = catalogued(now, &mark)?;
        let is_ours = |there: &Item| is_by(there, &mark);
        match (before.is_some_and(CataloguedType::is_there), now.is_there()) {
            (true, true) => self.put_over(put, before, is_ours).await,
            (_, is_there) => self.put_and_count(put, (before, is_there), None, is_ours).await,
        }
    }

    /// Puts a new type where `before` is none, or was deleted, with the call that makes it, if that is to be remembered.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn make_catalogued(
        &self,
        new: &CataloguedType,
        before: Option<&CataloguedType>,
        call: Option<&AnsweredCall>,
    ) -> Result<Kept, Failure> {
        let mark = entropy::mark();
        self.put_and_count(catalogued(new, &mark)?, (before, true), call, |there| is_by(there, &mark)).await
    }

    async fn put_over(
        &self,
        item: Item,
        before: Option<&CataloguedType>,
        is_ours: impl Fn(&Item) -> bool,
    ) -> Result<Kept, Failure> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("revision = :read")
            .expression_attribute_values(":read", number(before.map_or(0, |before| before.revision)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(match conditional::judge("PutItem event type", put.send().await)? {
            Ok(_) => Kept::Yes,
            Err(Refused(there)) if there.as_ref().is_some_and(is_ours) => Kept::Yes,
            Err(_) => Kept::Overtaken,
        })
    }

    /// One more, or one less.
    async fn put_and_count(
        &self,
        item: Item,
        (before, is_there): (Option<&CataloguedType>, bool),
        call: Option<&AnsweredCall>,
        is_ours: impl Fn(&Item) -> bool,
    ) -> Result<Kept, Failure> {
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        let put = match before {
            Some(before) => put
                .condition_expression("revision = :read")
                .expression_attribute_values(":read", number(before.revision)),
            None => put.condition_expression("attribute_not_exists(pk)"),
        };
        let count = Update::builder()
            .table_name(&self.name)
            .key("pk", text(PARTITION))
            .key("sk", text(COUNT_SORT))
            .update_expression("ADD event_types :by")
            .expression_attribute_values(":by", number(if is_there { 1 } else { -1 }));
        let count = if is_there {
            count
                .condition_expression("attribute_not_exists(event_types) OR event_types < :most")
                .expression_attribute_values(":most", number(MAX_TYPES))
        } else {
            count
        };
        let put = TransactWriteItem::builder().put(put.build().map_err(unwritable("an event type's row"))?).build();
        let remembered = call.map(|call| self.remembering_call(call)).transpose()?;
        let count = TransactWriteItem::builder().update(count.build().map_err(unwritable("a count"))?).build();
        let writes = [put].into_iter().chain(remembered).chain([count]).collect();
        let name = "TransactWriteItems event type";
        let Err(refusals) = transact_or_refusals(&self.client, name, writes, ROUNDS_IN_A_CROWD).await? else {
            return Ok(Kept::Yes);
        };
        if refusals.is_any(is_ours) {
            return Ok(Kept::Yes);
        }
        Ok(if refusals.of_the_last_alone().is_some() { Kept::Full } else { Kept::Overtaken })
    }
}

fn catalogued(one: &CataloguedType, mark: &Mark) -> Result<Item, Failure> {
    let mut item = keyed(to_item(one)?, PARTITION.to_owned(), format!("{PREFIX}{}", one.name));
    item.insert(CHANGED_BY.to_owned(), text(mark.as_str()));
    Ok(item)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use postrider_domain::catalogue::About;
    use replay::{Said, Script, expression};
    use serde_json::{Value, json};

    use super::*;
    use crate::sdk;

    fn made() -> CataloguedType {
        CataloguedType::new("invoice.paid".parse().unwrap(), About::default(), None, Timestamp::UNIX_EPOCH)
    }

    fn changed() -> CataloguedType {
        made().changed(About { deprecated: true, ..About::default() }, Timestamp::UNIX_EPOCH)
    }

    async fn kept(script: &Script, now: &CataloguedType, before: Option<&CataloguedType>) -> Kept {
        ConfigTable::of(&script.sdk(sdk::over), "config").keep_catalogued(now, before).await.unwrap()
    }

    #[tokio::test]
    async fn a_type_is_made_where_there_is_none_and_counted_with_it() {
        let script = Script::new([Said::done()]);
        assert_eq!(kept(&script, &made(), None).await, Kept::Yes);
        let writes = script.asked("TransactWriteItems").remove(0)["TransactItems"].clone();
        let (put, count) = (&writes[0]["Put"], &writes[1]["Update"]);
        assert_eq!((&put["Item"]["pk"], &put["Item"]["sk"]), (&json!("EVENT_TYPES"), &json!("TYPE#invoice.paid")));
        assert_eq!(expression(put, "ConditionExpression"), "attribute_not_exists(pk)");
        assert_eq!(expression(count, "UpdateExpression"), "ADD event_types 1");
        assert_eq!(
            expression(count, "ConditionExpression"),
            format!("attribute_not_exists(event_types) OR event_types < {MAX_TYPES}")
        );
    }

    #[tokio::test]
    async fn what_is_deleted_gives_its_place_back_and_what_is_made_anew_takes_it() {
        let gone = made().deleted(Timestamp::UNIX_EPOCH);
        let again = CataloguedType::new(made().name, About::default(), Some(&gone), Timestamp::UNIX_EPOCH);
        for (now, before, by) in [(&gone, &made(), "ADD event_types -1"), (&again, &gone, "ADD event_types 1")] {
            let script = Script::new([Said::done()]);
            assert_eq!(kept(&script, now, Some(before)).await, Kept::Yes);
            let writes = script.asked("TransactWriteItems").remove(0)["TransactItems"].clone();
            assert_eq!(expression(&writes[1]["Update"], "UpdateExpression"), by);
            let condition = expression(&writes[0]["Put"], "ConditionExpression");
            assert_eq!(condition, format!("revision = {}", before.revision));
        }
    }

    #[tokio::test]
    async fn a_change_is_put_over_what_was_read_alone() {
        let script = Script::new([Said::done()]);
        assert_eq!(kept(&script, &changed(), Some(&made())).await, Kept::Yes);
        assert_eq!(expression(&script.asked("PutItem")[0], "ConditionExpression"), "revision = 0");
        let script = Script::new([Said::refused(&json!({"changed_by": "somebody"}))]);
        assert_eq!(kept(&script, &changed(), Some(&made())).await, Kept::Overtaken);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_try_that_its_own_first_one_refuses_was_made() {
        let mut tries = 0;
        let script = Script::default().answering("PutItem", move |asked: &Value| {
            tries += 1;
            Some(if tries == 1 { Said::lost() } else { Said::refused(&asked["Item"]) })
        });
        assert_eq!(kept(&script, &changed(), Some(&made())).await, Kept::Yes);
    }

    #[tokio::test]
    async fn who_is_refused_hears_by_which_of_the_two() {
        for (refusals, expected) in [
            ([Ok(json!({"changed_by": "somebody"})), Err("None")], Kept::Overtaken),
            ([Err("None"), Ok(json!({"event_types": MAX_TYPES}))], Kept::Full),
            ([Ok(json!({"changed_by": "somebody"})), Ok(json!({"event_types": MAX_TYPES}))], Kept::Overtaken),
        ] {
            let script = Script::new([Said::cancelled(&refusals)]);
            assert_eq!(kept(&script, &made(), None).await, expected);
        }
    }
}
