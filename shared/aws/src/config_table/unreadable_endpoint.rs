//! An endpoint whose row nobody can read, such as one of a dialect that the deployment no longer knows: its owner can still
//! be rid of it.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::EventPattern;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::subscribed::KEPT_SECONDS;
use postrider_domain::time;
use postrider_host::entropy;

use super::endpoints::was_deleted_at;
use super::subscriptions::partition;
use super::tombstone::{is_deleted, tombstone};
use super::webhook_count::counted_bytes;
use super::{ConfigTable, ENDPOINT_PREFIX, keyed, tenant_partition};
use crate::Recorded;
use crate::conditional::{CHANGED_BY, is_by};
use crate::error::{Failure, unwritable};
use crate::item::{Item, number, text, to_item};
use crate::told::Told;

/// Subscriptions that end in one transaction, which takes 100 actions, beside the webhook, the count of its tenant's and the event
/// that tells of it.
const MOST_PATTERNS: usize = 97;

impl ConfigTable {
    /// Deletes an endpoint from its keys alone: a tombstone that can be read takes the row's place, and those of its
    /// subscriptions end that the row still names. One that it does not name delivers nothing either, since the tombstone
    /// denies it at every attempt. And tells of it.
    ///
    /// Whether there was one that had not been deleted: `None` where there was none.
    ///
    /// # Errors
    /// When a call failed.
    pub async fn delete_unreadable_endpoint(
        &self,
        tenant: &TenantId,
        id: &EndpointId,
        now: Timestamp,
        expires_at: i64,
        told: &Told,
    ) -> Result<Option<Recorded>, Failure> {
        let sort = format!("{ENDPOINT_PREFIX}{id}");
        let row = self.get_item(tenant_partition(tenant), &sort).await?;
        let Some(row) = row.filter(|row| !is_deleted(row)) else { return Ok(None) };
        let (patterns, are_all) = patterns(&row);
        // What its subscriptions that are not found bring about has to be denied for as long as they stand there.
        let expires_at = are_all.then_some(expires_at);
        let tombstone = Endpoint { expires_at, ..tombstone(tenant, id, &row, now) };
        let mark = entropy::mark();
        let mut item = keyed(to_item(&tombstone)?, tenant_partition(tenant), sort);
        item.insert(CHANGED_BY.to_owned(), text(mark.as_str()));
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        let put = match row.get("revision") {
            Some(was) => put
                .condition_expression("attribute_not_exists(deleted_at) AND revision = :was")
                .expression_attribute_values(":was", was.clone()),
            None => put.condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(deleted_at) AND attribute_not_exists(revision)",
            ),
        };
        let mut writes = vec![TransactWriteItem::builder().put(put.build().map_err(unwritable("a webhook"))?).build()];
        for pattern in patterns {
            let place = partition(tenant, &pattern);
            if self.get_item(place.clone(), id.as_str()).await?.is_some() {
                writes.push(TransactWriteItem::builder().update(self.end(place, id, now)?).build());
            }
        }
        let is_ours = |there: &Item| is_by(there, &mark) || was_deleted_at(there, now);
        self.give_back(tenant, counted_bytes(&row), (writes, told), is_ours).await.map(Some)
    }

    /// The end of a subscription, whatever else stands in its row.
    fn end(&self, pk: String, id: &EndpointId, now: Timestamp) -> Result<Update, Failure> {
        let key: Item = [("pk".to_owned(), text(pk)), ("sk".to_owned(), text(id.as_str()))].into();
        Update::builder()
            .table_name(&self.name)
            .set_key(Some(key))
            .update_expression("SET #until = :now, expires_at = :expires")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":now", text(time::wire(now)))
            .expression_attribute_values(":expires", number(now.as_second() + KEPT_SECONDS))
            .build()
            .map_err(unwritable("a webhook"))
    }
}

/// What can be read of `events`, each once, and whether that is all of it.
fn patterns(row: &Item) -> (Vec<EventPattern>, bool) {
    let Some(names) = row.get("events").and_then(|events| events.as_l().ok()) else { return (Vec::new(), false) };
    let read = |name: &AttributeValue| EventPattern::kept(name.as_s().ok()?).ok();
    let mut patterns: Vec<EventPattern> = names.iter().filter_map(read).collect();
    let are_all = patterns.len() == names.len() && names.len() <= MOST_PATTERNS;
    patterns.sort();
    patterns.dedup();
    patterns.truncate(MOST_PATTERNS);
    (patterns, are_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_of_the_events_is_read() {
        let events = ["*", "dubbing.completed", "no pattern", "*"].map(text).into_iter().chain([number(7)]).collect();
        let row: Item = [("events".to_owned(), AttributeValue::L(events))].into();
        let (found, are_all) = patterns(&row);
        assert_eq!(found.iter().map(EventPattern::as_str).collect::<Vec<_>>(), ["*", "dubbing.completed"]);
        assert!(!are_all);
        assert_eq!(patterns(&[("events".to_owned(), number(7))].into()), (Vec::new(), false));
        let events = AttributeValue::L(vec![text("*")]);
        assert!(patterns(&[("events".to_owned(), events)].into()).1);
    }
}
