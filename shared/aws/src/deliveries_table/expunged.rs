//! Deliveries of an event that was expunged: nothing of them is sent any more, and no receiver's answer is kept, since it may repeat what
//! it was sent. What else the ledger tells of them stays.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use postrider_domain::attempt::{Attempt, Mark};
use postrider_domain::delivery::{Delivery, Reason, Status};

use super::{Change, DeliveriesTable, UPDATE, row};
use crate::conditional::{self, Refused, is_by};
use crate::error::{AwsError, Failure};
use crate::item::{Item, text, to_item};

/// What marks such a delivery: an attempt that is under way when its event is expunged is put on record without its answer.
pub(super) const MARK: &str = "expunged";
/// How often a row is read again that changes meanwhile.
const TRIES: u32 = 5;

/// Whether the row that stands there is marked.
pub(super) fn is_marked(there: &Item) -> bool {
    there.contains_key(MARK)
}

impl DeliveriesTable {
    /// Calls a delivery off whose event was expunged, if it still waits, and removes what receivers answered. `mark` is this call's own.
    ///
    /// # Errors
    /// When a call failed; repeating it is harmless.
    pub async fn expunge(&self, read: Delivery, mark: &Mark) -> Result<(), Failure> {
        let mut before = read;
        for _ in 0..TRIES {
            let update = self.expunging(&before, mark)?;
            let is_marked = match conditional::try_update(UPDATE, update).await? {
                Ok(()) => true,
                Err(Refused(there)) => there.is_some_and(|there| is_by(&there, mark)),
            };
            if is_marked {
                self.expunge_moved(&before).await?;
            }
            // It has gone on meanwhile, or its time is over. A late attempt changes nothing by which that is seen, and one that came
            // before the mark has its answer.
            let Some(there) = self.get(&before.id).await? else { return Ok(()) };
            let is_unseen = |late: &Attempt| before.late.iter().all(|known| known.mark != late.mark);
            if is_marked && !there.late.iter().any(|late| has_answer(late) && is_unseen(late)) {
                return Ok(());
            }
            before = there;
        }
        Err(AwsError::busy(UPDATE, "it changes all the while"))
    }

    fn expunging(&self, before: &Delivery, mark: &Mark) -> Result<UpdateItemFluentBuilder, Failure> {
        let mut change = Change { set: Vec::new(), remove: Vec::new(), values: Vec::new() };
        if !before.status.is_final() {
            change = Change::to(Status::Cancelled, before);
            change.due(before, None);
            change.reason(Some(Reason::EventExpunged));
            // What called it off before is not what does now.
            if before.called_off_by.is_some() {
                change.remove.push("called_off_by".into());
            }
        }
        change.set("#expunged = :expunged");
        change.values.push((":expunged", AttributeValue::Bool(true)));
        if before.attempts.iter().any(has_answer) {
            change.set("attempts = :stripped");
            let stripped = before.attempts.iter().map(stripped).collect::<Result<_, _>>()?;
            change.values.push((":stripped", AttributeValue::L(stripped)));
        }
        change.by(mark);
        let update = self
            .as_read(before, "#status = :seen")
            .expression_attribute_values(":seen", text(before.status.as_str()))
            .expression_attribute_names("#expunged", MARK);
        let mut update = change.apply(update);
        // A late one that comes after this finds the mark.
        for (number, attempt) in before.late.iter().filter(|attempt| has_answer(attempt)).enumerate() {
            let Some(name) = attempt.mark.as_ref().map(row::late_name) else { continue };
            let expression = update.get_update_expression().clone().unwrap_or_default();
            let expression = expression.replacen("SET ", &format!("SET {name} = :late{number}, "), 1);
            update = update
                .update_expression(expression)
                .expression_attribute_values(format!(":late{number}"), stripped(attempt)?);
        }
        Ok(update)
    }
}

fn has_answer(attempt: &Attempt) -> bool {
    *attempt != attempt.clone().without_answer()
}

fn stripped(attempt: &Attempt) -> Result<AttributeValue, Failure> {
    Ok(AttributeValue::M(to_item(&attempt.clone().without_answer())?))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use postrider_domain::id::EndpointId;
    use replay::{Said, Script, expression};
    use serde_json::{Value, json};

    use super::*;
    use crate::{Recorded, sample, sdk};

    fn table(script: &Script) -> DeliveriesTable {
        DeliveriesTable::of(&script.sdk(sdk::over), "deliveries")
    }

    fn answered(number: u32) -> Attempt {
        let said = Some("you said: canary".to_owned());
        let mark = Mark::new(number.into());
        Attempt { response_excerpt: said, ..Attempt::internal(number, mark, Timestamp::UNIX_EPOCH, "why") }
    }

    fn tried() -> Delivery {
        let at = Timestamp::UNIX_EPOCH;
        let pending = Delivery::pending(&sample::event(), EndpointId::new(at, 1), at, 0);
        Delivery {
            status: Status::Retrying,
            attempts: vec![answered(1)],
            attempts_made: 1,
            late: vec![answered(2)],
            ..pending
        }
    }

    /// The same without what receivers answered.
    fn bare() -> Delivery {
        let bare = |all: Vec<Attempt>| all.into_iter().map(Attempt::without_answer).collect();
        Delivery { attempts: bare(tried().attempts), late: bare(tried().late), ..tried() }
    }

    #[tokio::test]
    async fn an_attempt_that_came_just_before_the_mark_loses_its_answer_too() {
        let (before, late) = (Delivery { late: Vec::new(), ..bare() }, answered(2));
        let name = row::late_name(late.mark.as_ref().unwrap());
        let with = |attempt: &Attempt| {
            let mut row = json!(before);
            row[&name] = json!(attempt);
            Said::row(&row)
        };
        let script = Script::default()
            .saying("UpdateItem", [Said::done(), Said::done()])
            .saying("GetItem", [with(&late), with(&late.clone().without_answer())])
            .saying("Query", [Said::rows::<Value>(&[]), Said::rows::<Value>(&[])]);
        table(&script).expunge(before.clone(), &Mark::new(9)).await.unwrap();
        let second = script.asked("UpdateItem").remove(1);
        assert!(second["UpdateExpression"].as_str().unwrap().contains(&name), "{second}");
    }

    #[tokio::test]
    async fn answers_go_wherever_they_lie() {
        let moved = json!({"endpoint_id": tried().id, "id": "1970-01-01T00:00:00.000Z#000000", "tenant_id": tried().tenant_id,
            "attempts": [answered(3)], "expires_at": 0});
        let script = Script::default()
            .saying("UpdateItem", [Said::done()])
            .saying("GetItem", [Said::row(&bare())])
            .saying("Query", [Said::rows(&[moved])])
            .saying("PutItem", [Said::done()]);
        table(&script).expunge(tried(), &Mark::new(9)).await.unwrap();
        let (update, put) = (script.asked("UpdateItem").remove(0), script.asked("PutItem").remove(0));
        let name = row::late_name(tried().late[0].mark.as_ref().unwrap());
        let values = &update["ExpressionAttributeValues"];
        assert!(update["UpdateExpression"].as_str().unwrap().contains(&format!("{name} = :late0")), "{update}");
        assert_eq!((&values[":late0"]["error"], &values[":stripped"][0]["error"]), (&json!("why"), &json!("why")));
        assert_eq!(
            (&put["Item"]["attempts"][0]["error"], &put["Item"]["id"]),
            (&json!("why"), &json!("1970-01-01T00:00:00.000Z#000000"))
        );
        assert!(!update.to_string().contains("canary") && !put.to_string().contains("canary"));
    }

    #[tokio::test]
    async fn a_late_attempt_leaves_its_answer_where_the_row_is_marked() {
        let there = json!({"id": tried().id, MARK: true});
        let script = Script::new([Said::refused(&there), Said::done()]);
        assert_eq!(table(&script).record_late(&tried(), &answered(4)).await.unwrap(), Recorded::Yes);
        let writes = script.asked("UpdateItem");
        assert!(expression(&writes[0], "ConditionExpression").contains("attribute_not_exists(expunged)"));
        assert!(expression(&writes[1], "ConditionExpression").contains("attribute_exists(expunged)"));
        assert!(writes[0].to_string().contains("canary") && !writes[1].to_string().contains("canary"), "{writes:?}");
    }

    #[tokio::test]
    async fn no_round_begins_once_it_is_marked() {
        let script = Script::new([Said::refused(&json!({"id": tried().id, MARK: true}))]);
        let before = Delivery { status: Status::Failed, late: Vec::new(), ..tried() };
        let after = before.in_new_round(Timestamp::UNIX_EPOCH);
        let began = table(&script).begin_round(&before, &after, &Mark::new(5)).await.unwrap();
        assert_eq!(began, Recorded::Overtaken);
        assert!(
            expression(&script.asked("UpdateItem")[0], "ConditionExpression")
                .contains("attribute_not_exists(expunged)")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_that_changes_all_the_while_is_told_so_and_one_that_is_gone_needs_nothing() {
        let there = || Said::refused(&tried());
        let mut rows: Vec<Said> = Vec::new();
        (0..TRIES).for_each(|_| rows.extend([there(), Said::row(&tried())]));
        assert!(table(&Script::new(rows)).expunge(tried(), &Mark::new(9)).await.is_err());
        let gone = Script::new([there(), Said::body(Value::Object(serde_json::Map::new()))]);
        assert!(table(&gone).expunge(tried(), &Mark::new(9)).await.is_ok());
    }
}
