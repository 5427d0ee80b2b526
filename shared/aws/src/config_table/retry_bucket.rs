//! How many of a webhook's deliveries may still be retried by hand, or how often it may be tested: a small row for each webhook of
//! which somebody asked for either, which goes by itself once its bucket is full.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::quota::bucket::{RETRIES, Taking, wait};
use postrider_domain::quota::{Exceeded, Quota};
use postrider_host::{clock, entropy};

use super::{ConfigTable, tenant_partition};
use crate::conditional::{Refused, SET_MARKS, is_by, judge};
use crate::error::{Failure, failed};
use crate::item::{Item, number, text};

const CALL: &str = "UpdateItem retries";
/// How often one is taken that others take away: they can make a full bucket one that is not, and that an empty one.
const TRIES: usize = 4;
/// How long the row of a bucket that is full is kept, for clocks that differ.
const KEPT_SECONDS: i64 = 3600;

/// Until when the bucket in a row is used up. A row that says nothing of it is a full one's.
fn used_until(row: Option<&Item>) -> Option<i64> {
    row?.get("used_until")?.as_n().ok()?.parse().ok()
}

impl ConfigTable {
    /// Takes one of the retries by hand that a webhook's deliveries have left; a test is one, too.
    ///
    /// Who is refused costs a read, and no write.
    ///
    /// # Errors
    /// When a call failed; one may have been taken all the same, and comes back in a second.
    pub async fn take_retry(&self, tenant: &TenantId, endpoint: &EndpointId) -> Result<Result<(), Exceeded>, Failure> {
        let (pk, sk) = (tenant_partition(tenant), format!("RETRIES#{endpoint}"));
        let now = clock::now().as_millisecond();
        // Read eventually consistently, it may be of before somebody took one: then it lets in too many, and the condition refuses
        // them.
        let row =
            self.client.get_item().table_name(&self.name).key("pk", text(pk.as_str())).key("sk", text(sk.as_str()));
        let mut row = row.send().await.map_err(failed("GetItem retries"))?.item;
        let mark = entropy::mark();
        for _ in 0..TRIES {
            let used = used_until(row.as_ref());
            let (change, condition, until) = match RETRIES.take(used, now) {
                Taking::Empty { until } => return Ok(Err(refusal(now, until))),
                Taking::Fresh => (
                    ":now + :interval",
                    "(attribute_not_exists(used_until) OR used_until <= :now)",
                    now + RETRIES.interval_millis,
                ),
                Taking::More => (
                    "used_until + :interval",
                    "used_until > :now AND used_until <= :latest",
                    used.unwrap_or(now) + RETRIES.interval_millis,
                ),
            };
            let mut update = self
                .client
                .update_item()
                .table_name(&self.name)
                .key("pk", text(pk.as_str()))
                .key("sk", text(sk.as_str()))
                .update_expression(format!("SET used_until = {change}, expires_at = :expires, {SET_MARKS}"))
                // A second try after a lost answer must not take a second one.
                .condition_expression(format!(
                    "{condition} AND (attribute_not_exists(changed_by) OR changed_by <> :by)"
                ))
                .expression_attribute_values(":by", text(mark.as_str()))
                .expression_attribute_values(":now", number(now))
                .expression_attribute_values(":interval", number(RETRIES.interval_millis))
                .expression_attribute_values(":expires", number(until / 1000 + KEPT_SECONDS))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            if used.is_some_and(|used| used > now) {
                update = update.expression_attribute_values(":latest", number(RETRIES.latest(now)));
            }
            match judge(CALL, update.send().await)? {
                Ok(_) => return Ok(Ok(())),
                Err(Refused(Some(there))) if is_by(&there, &mark) => return Ok(Ok(())),
                Err(Refused(there)) => row = there,
            }
        }
        Ok(Err(refusal(now, now)))
    }
}

fn refusal(now: i64, until: i64) -> Exceeded {
    Exceeded { quota: Quota::Retries, limit: RETRIES.at_once, retry_after: wait(now, until) }
}
