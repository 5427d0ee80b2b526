//! The next free slot of an endpoint whose owner limits its requests: a row for each that has a limit, written once for all of a
//! batch's messages. Endpoints without a limit have none, and pay nothing.

use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::rate_limit::RateLimit;

use super::{ConfigTable, tenant_partition};
use crate::conditional;
use crate::error::{AwsError, Failure};
use crate::item::{Item, number, text};

/// Where those rows lie.
const PREFIX: &str = "RATE#";
const CALL: &str = "UpdateItem rate";
const NEXT_FREE: &str = "next_free";
/// How often it is asked in turn whether the endpoint is behind its limit or not. Others can change that in between.
const TRIES: usize = 6;
/// How long a row is kept that nobody claims from.
const KEPT_SECONDS: i64 = 24 * 3600;

impl ConfigTable {
    /// Takes so many slots of an endpoint's, in one write. A lost answer's second try takes as many again, and those are lost: it
    /// costs the endpoint some time, and never a request too many.
    ///
    /// # Errors
    /// When the write failed; the slots may have been taken.
    pub async fn claim_slots(
        &self,
        (tenant, endpoint): (&TenantId, &EndpointId),
        limit: RateLimit,
        (messages, now): (usize, Timestamp),
    ) -> Result<Vec<Timestamp>, Failure> {
        let claim = limit.claim(messages, now);
        for is_behind in [true, false].into_iter().cycle().take(TRIES) {
            // DynamoDB has no maximum of two numbers, so each of its two cases is a condition.
            let (start, condition) = if is_behind {
                (NEXT_FREE, format!("{NEXT_FREE} >= :earliest"))
            } else {
                (":earliest", format!("attribute_not_exists({NEXT_FREE}) OR {NEXT_FREE} < :earliest"))
            };
            let answer = self
                .client
                .update_item()
                .table_name(&self.name)
                .key("pk", text(tenant_partition(tenant)))
                .key("sk", text(format!("{PREFIX}{endpoint}")))
                .update_expression(format!("SET {NEXT_FREE} = {start} + :takes, expires_at = :expires"))
                .condition_expression(condition)
                .expression_attribute_values(":earliest", number(claim.earliest))
                .expression_attribute_values(":takes", number(claim.takes()))
                .expression_attribute_values(":expires", number(now.as_second() + KEPT_SECONDS))
                .return_values(ReturnValue::UpdatedNew)
                .send()
                .await;
            if let Ok(taken) = conditional::judge(CALL, answer)? {
                let next_free = taken.attributes.as_ref().and_then(next_free);
                return Ok(claim.slots(next_free.unwrap_or_else(|| claim.next_free(None))));
            }
        }
        Err(AwsError::busy(CALL, "others took slots each time"))
    }
}

fn next_free(row: &Item) -> Option<i64> {
    row.get(NEXT_FREE)?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_with;

    use replay::{Said, Script};
    use serde_json::{Value, json};

    use super::*;
    use crate::sdk;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    async fn claim(script: &Script, messages: usize) -> Result<Vec<i64>, Failure> {
        let config = ConfigTable::of(&script.sdk(sdk::over), "config");
        let place = (&TenantId::new(at(0), 1), &EndpointId::new(at(0), 1));
        let slots = config.claim_slots(place, RateLimit::try_from(2).unwrap(), (messages, at(100))).await?;
        Ok(slots.into_iter().map(Timestamp::as_millisecond).collect())
    }

    fn stands(second: i64) -> Said {
        Said::body(json!({"Attributes": {NEXT_FREE: {"N": (second * 1_000_000).to_string()}}}))
    }

    #[tokio::test]
    async fn whoever_is_behind_takes_the_slots_after_those_that_are_given() {
        let script = Script::default().saying("UpdateItem", [stands(110)]);
        assert_eq!(claim(&script, 3).await.unwrap(), [108_500, 109_000, 109_500]);
        assert_eq!(script.asked("UpdateItem")[0]["ConditionExpression"], "next_free >= :earliest");
    }

    #[tokio::test]
    async fn whoever_has_sent_nothing_for_a_while_has_one_seconds_worth() {
        let refused = Said::refused(&json!({}));
        let script = Script::default().saying("UpdateItem", [refused, Said::body(json!({}))]);
        assert_eq!(claim(&script, 3).await.unwrap(), [99_500, 100_000, 100_500]);
        let condition = &script.asked("UpdateItem")[1]["ConditionExpression"];
        assert_eq!(condition, "attribute_not_exists(next_free) OR next_free < :earliest");
    }

    #[tokio::test]
    async fn whoever_is_overtaken_for_ever_gives_up() {
        let script = Script::default().saying("UpdateItem", repeat_with(|| Said::refused(&json!({}))));
        assert!(claim(&script, 1).await.unwrap_err().is_busy());
        let asked: Vec<Value> = script.asked("UpdateItem");
        assert_eq!(asked.len(), TRIES);
    }
}
