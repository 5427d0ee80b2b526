//! The next free slot of an endpoint whose owner limits its requests: a row for each that has a limit, written once for all of a
//! batch's messages. Endpoints without a limit have none, and pay nothing.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use postrider_domain::attempt::Mark;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::rate_limit::{Begins, Claim, Claimed, Given, RateLimit};
use postrider_host::entropy;

use super::{ConfigTable, tenant_in, tenant_partition};
use crate::conditional::{self, CHANGED_BY, Refused};
use crate::error::{AwsError, Failure, failed, unwritable};
use crate::item::{Item, number, text, text_of};
use crate::rows::id_in;

/// Where those rows lie.
const PREFIX: &str = "RATE#";
const CALL: &str = "UpdateItem rate";
const NEXT_FREE: &str = "next_free";
const LIMIT: &str = "per_second";
/// How often others may take slots just when a claim is written.
const TRIES: usize = 6;
/// How long a row is kept that nobody claims from.
const KEPT_SECONDS: i64 = 24 * 3600;
/// Keys of one BatchGetItem.
const BATCH: usize = 100;

/// A tenant's endpoint.
pub type EndpointKey = (TenantId, EndpointId);

impl ConfigTable {
    /// Takes an endpoint's slots for so many messages, in one write. `likely` is where it probably begins; where it does not, the
    /// refusal says where it does. A lost answer's second try finds its own mark; where others have claimed since, it takes as many
    /// again, and the first are lost: that costs the endpoint some time, and never brings it a request too many.
    ///
    /// # Errors
    /// When the write failed, or others took slots each time; they may have been taken.
    pub async fn claim_slots(
        &self,
        endpoint: &EndpointKey,
        claim: &Claim,
        likely: Begins,
        now: Timestamp,
    ) -> Result<Claimed, Failure> {
        let (mark, mut begins) = (entropy::mark(), likely);
        for _ in 0..TRIES {
            // DynamoDB has no maximum of two numbers, so each of its two cases is a condition.
            let (start, condition) = match begins {
                Begins::Earliest => (
                    ":earliest",
                    format!("attribute_not_exists({NEXT_FREE}) OR {NEXT_FREE} < :earliest OR {LIMIT} <> :limit"),
                ),
                Begins::Given => (
                    NEXT_FREE,
                    format!(
                        "{NEXT_FREE} >= :earliest AND {NEXT_FREE} < :furthest AND {LIMIT} = :limit AND {CHANGED_BY} <> :by"
                    ),
                ),
                Begins::Nowhere => return Ok(Claimed::TooFarAhead),
            };
            let update = self
                .client
                .update_item()
                .table_name(&self.name)
                .key("pk", text(tenant_partition(&endpoint.0)))
                .key("sk", text(format!("{PREFIX}{}", endpoint.1)))
                .update_expression(format!(
                    "SET {NEXT_FREE} = {start} + :takes, {LIMIT} = :limit, {CHANGED_BY} = :by, expires_at = :expires"
                ))
                .condition_expression(condition)
                .expression_attribute_values(":earliest", number(claim.earliest))
                .expression_attribute_values(":takes", number(claim.takes()))
                .expression_attribute_values(":limit", number(u32::from(claim.limit)))
                .expression_attribute_values(":by", text(mark.as_str()))
                .expression_attribute_values(":expires", number(now.as_second() + KEPT_SECONDS))
                .return_values(ReturnValue::UpdatedNew)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            // DynamoDB refuses a value that no expression names.
            let update = match begins {
                Begins::Given => update.expression_attribute_values(":furthest", number(claim.furthest)),
                _ => update,
            };
            let there = match conditional::judge(CALL, update.send().await)? {
                Ok(taken) => taken.attributes,
                Err(Refused(there)) if there.as_ref().is_some_and(|there| is_last(there, &mark)) => there,
                Err(Refused(there)) => {
                    begins = claim.begins(there.as_ref().and_then(given));
                    continue;
                }
            };
            let taken = there.as_ref().and_then(given);
            let taken = taken.ok_or_else(|| AwsError::refused(CALL, "the row does not say what was taken"))?;
            return Ok(Claimed::Slots(claim.slots(taken.next_free)));
        }
        Err(AwsError::busy(CALL, "others took slots each time"))
    }

    /// Until when slots are given, of those of these endpoints of which that is known.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn slots_given<'a>(
        &self,
        endpoints: impl IntoIterator<Item = &'a EndpointKey>,
    ) -> Result<HashMap<EndpointKey, Timestamp>, Failure> {
        let endpoints: BTreeSet<&EndpointKey> = endpoints.into_iter().collect();
        let endpoints: Vec<&EndpointKey> = endpoints.into_iter().collect();
        let mut found = HashMap::new();
        for endpoints in endpoints.chunks(BATCH) {
            let key = |(tenant, endpoint): &&EndpointKey| -> Item {
                let (pk, sk) = (tenant_partition(tenant), format!("{PREFIX}{endpoint}"));
                [("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))].into()
            };
            let keys = KeysAndAttributes::builder().set_keys(Some(endpoints.iter().map(key).collect())).build();
            let keys = keys.map_err(unwritable("rates' keys"))?;
            let answer = self.client.batch_get_item().request_items(&self.name, keys).send().await;
            let answer = answer.map_err(failed("BatchGetItem rates"))?;
            if answer.unprocessed_keys.is_some_and(|left| !left.is_empty()) {
                return Err(AwsError::busy("BatchGetItem rates", "throttled"));
            }
            let rows = answer.responses.unwrap_or_default().into_values().flatten();
            found.extend(rows.filter_map(|row| {
                let place = tenant_in(&row).zip(id_in(&row, "sk", PREFIX))?;
                Some((place, Timestamp::from_microsecond(given(&row)?.next_free).ok()?))
            }));
        }
        Ok(found)
    }
}

/// What a row of slots says; nothing where somebody has put something else.
fn given(row: &Item) -> Option<Given> {
    let limit: u32 = row.get(LIMIT)?.as_n().ok()?.parse().ok()?;
    Some(Given { next_free: row.get(NEXT_FREE)?.as_n().ok()?.parse().ok()?, limit: RateLimit::try_from(limit).ok()? })
}

/// Whether nobody has claimed since the claim of this mark.
fn is_last(there: &Item, mark: &Mark) -> bool {
    text_of(there, CHANGED_BY) == Some(mark.as_str())
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_with;

    use replay::{Said, Script, item, keyed};
    use serde_json::{Value, json};

    use super::*;
    use crate::sdk;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn endpoint() -> EndpointKey {
        (TenantId::new(at(0), 1), EndpointId::new(at(0), 1))
    }

    /// Claims at second 100 for an endpoint that takes two a second: the slots in milliseconds, or none.
    async fn claim(script: &Script, messages: usize, likely: Begins) -> Result<Option<Vec<i64>>, Failure> {
        let config = ConfigTable::of(&script.sdk(sdk::over), "config");
        let claim = RateLimit::try_from(2).unwrap().claim(messages, at(100), None);
        Ok(match config.claim_slots(&endpoint(), &claim, likely, at(100)).await? {
            Claimed::Slots(slots) => Some(slots.into_iter().map(|slot| slot.at.as_millisecond()).collect()),
            Claimed::TooFarAhead => None,
        })
    }

    fn row(second: i64, limit: u32) -> Value {
        json!({NEXT_FREE: second * 1_000_000, LIMIT: limit})
    }

    fn stands(second: i64) -> Said {
        Said::body(json!({"Attributes": item(&row(second, 2))}))
    }

    fn conditions(script: &Script) -> Vec<String> {
        let asked = script.asked("UpdateItem");
        asked.iter().map(|asked| asked["ConditionExpression"].as_str().unwrap().to_owned()).collect()
    }

    const AFTER_GIVEN: &str =
        "next_free >= :earliest AND next_free < :furthest AND per_second = :limit AND changed_by <> :by";
    const FROM_EARLIEST: &str = "attribute_not_exists(next_free) OR next_free < :earliest OR per_second <> :limit";

    #[tokio::test]
    async fn whoever_is_behind_takes_the_slots_after_those_that_are_given() {
        let script = Script::default().saying("UpdateItem", [stands(110)]);
        assert_eq!(claim(&script, 3, Begins::Given).await.unwrap().unwrap(), [108_500, 109_000, 109_500]);
        assert_eq!(conditions(&script), [AFTER_GIVEN]);
    }

    #[tokio::test]
    async fn a_wrong_guess_costs_one_write_more_and_the_refusal_says_what_is_right() {
        for (there, likely, then) in [
            (None, Begins::Given, FROM_EARLIEST),
            (Some(row(99, 2)), Begins::Given, FROM_EARLIEST),
            (Some(row(500, 3)), Begins::Given, FROM_EARLIEST),
            (Some(row(100, 2)), Begins::Earliest, AFTER_GIVEN),
        ] {
            let refused = there.as_ref().map_or_else(|| Said::refused(&json!({})), Said::refused);
            let script = Script::default().saying("UpdateItem", [refused, stands(101)]);
            assert_eq!(claim(&script, 2, likely).await.unwrap().unwrap(), [100_000, 100_500]);
            assert_eq!(conditions(&script)[1..], [then], "{there:?}");
        }
    }

    #[tokio::test]
    async fn where_slots_run_too_far_ahead_none_is_taken() {
        let script = Script::default().saying("UpdateItem", [Said::refused(&row(1_000, 2))]);
        assert_eq!(claim(&script, 3, Begins::Given).await.unwrap(), None);
        assert_eq!(script.asked("UpdateItem")[0]["ExpressionAttributeValues"][":furthest"], json!(1_000_000_000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_try_knows_the_first_by_its_mark() {
        // What stands there has the mark of whoever asked.
        let mut by = None;
        let answer = move |asked: &Value| {
            let mark = asked["ExpressionAttributeValues"][":by"].as_str()?.to_owned();
            if by.replace(mark.clone()).is_none() {
                return Some(Said::lost());
            }
            let mut there = row(110, 2);
            there[CHANGED_BY] = mark.into();
            Some(Said::refused(&there))
        };
        let script = Script::default().answering("UpdateItem", answer);
        assert_eq!(claim(&script, 2, Begins::Given).await.unwrap().unwrap(), [109_000, 109_500]);
        assert_eq!(script.asked("UpdateItem").len(), 2, "no slot is taken twice");
    }

    #[tokio::test]
    async fn whoever_is_overtaken_for_ever_gives_up() {
        let script = Script::default().saying("UpdateItem", repeat_with(|| Said::refused(&row(110, 2))));
        assert!(claim(&script, 1, Begins::Given).await.unwrap_err().is_busy());
        assert_eq!(script.asked("UpdateItem").len(), TRIES);
    }

    #[tokio::test]
    async fn until_when_slots_are_given_is_told_of_those_that_have_any() {
        let stranger = (endpoint().0, EndpointId::new(at(0), 2));
        let there = keyed(tenant_partition(&endpoint().0), format!("{PREFIX}{}", endpoint().1), &row(110, 2));
        let script = Script::default().holding("config", [there]);
        let config = ConfigTable::of(&script.sdk(sdk::over), "config");
        let given = config.slots_given([&endpoint(), &stranger]).await.unwrap();
        assert_eq!(given, [(endpoint(), at(110))].into());
    }
}
