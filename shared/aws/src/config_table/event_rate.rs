//! Until when a tenant's quota of events is used up: one row, written only for tenants that come near it.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::Timestamp;
use postrider_domain::event_rate::{EventRate, Unsettled};
use postrider_domain::id::TenantId;
use postrider_host::entropy;

use super::{ConfigTable, tenant_partition};
use crate::conditional::{self, Refused, SET_MARKS, is_by};
use crate::error::{AwsError, Failure};
use crate::item::{Item, number, text};

/// Where that row lies.
const SORT: &str = "EVENTS";
const CALL: &str = "UpdateItem events a second";
/// In microseconds since 1970: rounded to what the API shows, a large quota would lose events.
const FILLED_UNTIL: &str = "filled_until";
/// The quota that it was written at.
const PER_SECOND: &str = "per_second";
/// How often it is written that others write over.
const TRIES: usize = 6;
/// How long the row is kept once it says nothing more, in seconds.
const KEPT_SECONDS: i64 = 24 * 3600;

impl ConfigTable {
    /// Adds events to what a tenant's row counts; until when it is filled now. `before` is what the caller knows to stand there, written
    /// at this very rate.
    ///
    /// # Errors
    /// When the write failed, or others wrote over it again and again; it may have been made.
    pub async fn settle_events(
        &self,
        tenant: &TenantId,
        rate: EventRate,
        unsettled: Unsettled,
        (mut before, now): (Option<Timestamp>, Timestamp),
    ) -> Result<Timestamp, Failure> {
        let (mark, mut written_at) = (entropy::mark(), rate);
        for _ in 0..TRIES {
            let filled = before.map(|before| rate.rescaled(before, written_at, now));
            let until = rate.filled_until(filled, unsettled, now);
            let update = self
                .client
                .update_item()
                .table_name(&self.name)
                .key("pk", text(tenant_partition(tenant)))
                .key("sk", text(SORT))
                .update_expression(format!(
                    "SET {FILLED_UNTIL} = :until, {PER_SECOND} = :rate, expires_at = :expires, {SET_MARKS}"
                ))
                .expression_attribute_values(":rate", number(rate.per_second()))
                .expression_attribute_values(":until", number(until.as_microsecond()))
                .expression_attribute_values(":expires", number(until.as_second() + KEPT_SECONDS))
                .expression_attribute_values(":by", text(mark.as_str()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let update = match before {
                Some(before) => update
                    .condition_expression(format!("{FILLED_UNTIL} = :before"))
                    .expression_attribute_values(":before", number(before.as_microsecond())),
                None => update.condition_expression(format!("attribute_not_exists({FILLED_UNTIL})")),
            };
            match conditional::judge(CALL, update.send().await)? {
                Ok(_) => return Ok(until),
                Err(Refused(Some(there))) if is_by(&there, &mark) => return Ok(filled_until(&there).unwrap_or(until)),
                Err(Refused(there)) => {
                    before = there.as_ref().and_then(filled_until);
                    written_at = there.as_ref().and_then(rate_in).unwrap_or(rate);
                }
            }
        }
        Err(AwsError::busy(CALL, "others wrote over it"))
    }
}

fn rate_in(row: &Item) -> Option<EventRate> {
    Some(EventRate::new(row.get(PER_SECOND)?.as_n().ok()?.parse().ok()?))
}

fn filled_until(row: &Item) -> Option<Timestamp> {
    Timestamp::from_microsecond(row.get(FILLED_UNTIL)?.as_n().ok()?.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use replay::{Said, Script};
    use serde_json::{Value, json};

    use super::*;
    use crate::sdk;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn stands(second: i64, by: &str) -> Value {
        json!({FILLED_UNTIL: at(second).as_microsecond(), "changed_by": by})
    }

    async fn settle(script: &Script, before: Option<Timestamp>) -> Result<Timestamp, Failure> {
        let config = ConfigTable::of(&script.sdk(sdk::over), "config");
        let unsettled = Unsettled { own: 20.0, counted: 0.0 };
        config.settle_events(&TenantId::new(at(0), 1), EventRate::new(10), unsettled, (before, at(100))).await
    }

    #[tokio::test]
    async fn what_others_have_added_meanwhile_is_added_to() {
        let script = Script::default().saying("UpdateItem", [Said::refused(&stands(105, "another")), Said::done()]);
        assert_eq!(settle(&script, None).await.unwrap(), at(107));
        let conditions: Vec<String> =
            script.asked("UpdateItem").iter().map(|asked| asked["ConditionExpression"].to_string()).collect();
        assert_eq!(conditions, [r#""attribute_not_exists(filled_until)""#, r#""filled_until = :before""#]);
    }

    #[tokio::test]
    async fn what_was_added_at_another_quota_weighs_what_it_weighs_at_this_one() {
        let mut at_one_a_second = stands(150, "another");
        at_one_a_second[PER_SECOND] = json!(1);
        let script = Script::default().saying("UpdateItem", [Said::refused(&at_one_a_second), Said::done()]);
        assert_eq!(settle(&script, None).await.unwrap(), at(107), "50 events are five seconds");
        let condition = &script.asked("UpdateItem")[1]["ExpressionAttributeValues"][":before"];
        assert_eq!(condition, &json!(at(150).as_microsecond()), "over what stands there");
    }

    #[tokio::test]
    async fn a_row_that_has_emptied_is_begun_anew() {
        let script = Script::default().saying("UpdateItem", [Said::done()]);
        assert_eq!(settle(&script, Some(at(90))).await.unwrap(), at(102));
    }

    #[tokio::test]
    async fn whoever_is_overtaken_for_ever_gives_up() {
        let refused = || Said::refused(&stands(105, "another"));
        let script = Script::default().saying("UpdateItem", std::iter::repeat_with(refused));
        assert!(settle(&script, None).await.unwrap_err().is_busy());
        assert_eq!(script.asked("UpdateItem").len(), TRIES);
    }
}
