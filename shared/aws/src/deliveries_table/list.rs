//! Lists of an endpoint's deliveries, newest first, and deliveries by their ids.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use postrider_domain::cancellation::Cancellation;
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::id::{DeliveryId, EndpointId};
use postrider_domain::recovery::Recovery;

use super::turning::List;
use super::{DeliveriesTable, Filter, Standing, expunged};
use crate::error::{AwsError, Failure, failed, unwritable};
use crate::item::{Item, text};
use crate::rows::readable_by;
use crate::{Page, page};

/// What one BatchGetItem takes.
const BATCH: usize = 100;
const BATCHES_AT_ONCE: usize = 8;
const ROUNDS: u32 = 6;

impl DeliveriesTable {
    /// A page of an endpoint's deliveries, newest first, after the one given: those that are asked for among so many that it looks at.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn list(
        &self,
        endpoint: &EndpointId,
        filter: &Filter,
        limit: i32,
        after: Option<&DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>, Failure> {
        self.turned(List::OfEndpoint(endpoint), filter, limit, after).await
    }

    /// So many of an endpoint's rows, without those that DynamoDB itself can tell are not asked for.
    pub(super) async fn of_endpoint(
        &self,
        endpoint: &EndpointId,
        filter: &Filter,
        limit: i32,
        after: Option<&DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>, Failure> {
        let (lower, upper) = filter.bounds();
        if lower >= upper {
            return Ok(Page { rows: Vec::new(), next: None });
        }
        let mut query = self.range(endpoint, (lower, upper), limit, after).scan_index_forward(false);
        let mut conditions = Vec::new();
        if let Some(standing) = filter.standing {
            query = query.expression_attribute_names("#status", "status");
            query = match standing {
                Standing::As(status) => {
                    conditions.push("#status = :status");
                    query.expression_attribute_values(":status", text(status.as_str()))
                }
                Standing::Undelivered => {
                    conditions
                        .push("#status IN (:retrying, :failed, :cancelled) AND attribute_not_exists(delivered_at)");
                    query
                        .expression_attribute_values(":retrying", text(Status::Retrying.as_str()))
                        .expression_attribute_values(":failed", text(Status::Failed.as_str()))
                        .expression_attribute_values(":cancelled", text(Status::Cancelled.as_str()))
                }
            };
        }
        if let Some(event) = &filter.event {
            conditions.push("#event = :event");
            query = query
                .expression_attribute_names("#event", "event")
                .expression_attribute_values(":event", text(event.as_str()));
        }
        if !conditions.is_empty() {
            query = query.filter_expression(conditions.join(" AND "));
        }
        let page = page::of(query, "Query deliveries", ("id", "")).await?;
        Ok(Page { rows: readable(page.rows), next: page.next })
    }

    /// A page of what a recovery looks at, oldest first, from where it stopped: what stands as it takes it, and what it has sent again
    /// before. So many rows are read for it, most of which may stand otherwise.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn list_range(&self, recovery: &Recovery, limit: i32) -> Result<Page<Delivery, DeliveryId>, Failure> {
        let (lower, upper) = (DeliveryId::lower_bound(recovery.since), DeliveryId::lower_bound(recovery.until));
        if lower >= upper {
            return Ok(Page { rows: Vec::new(), next: None });
        }
        let mut query = self
            .range(&recovery.endpoint_id, (lower, upper), limit, recovery.after.as_ref())
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":mine", text(recovery.id.as_str()));
        let mut names = Vec::new();
        for status in recovery.chosen.statuses() {
            let name = format!(":{}", status.as_str());
            query = query.expression_attribute_values(&name, text(status.as_str()));
            names.push(name);
        }
        // Nothing can be sent of an event that was expunged.
        let wanted = format!("#status IN ({}) AND attribute_not_exists(#expunged)", names.join(", "));
        let query = query
            .filter_expression(format!("({wanted}) OR recovered_by = :mine"))
            .expression_attribute_names("#expunged", expunged::MARK);
        let page = page::of(query, "Query deliveries", ("id", "")).await?;
        Ok(Page { rows: readable(page.rows), next: page.next })
    }

    /// A page of what a cancellation has to look at, oldest first, from where it stopped: what still waits, and what it has called off
    /// before. So many rows are read for it, most of which may have ended.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn waiting(&self, all: &Cancellation, limit: i32) -> Result<Page<Delivery, DeliveryId>, Failure> {
        let query = self
            .range(&all.endpoint_id, Filter::default().bounds(), limit, all.after.as_ref())
            .filter_expression("#status IN (:pending, :retrying) OR called_off_by = :all")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(Status::Pending.as_str()))
            .expression_attribute_values(":retrying", text(Status::Retrying.as_str()))
            .expression_attribute_values(":all", text(all.id.as_str()));
        let page = page::of(query, "Query deliveries", ("id", "")).await?;
        Ok(Page { rows: readable(page.rows), next: page.next })
    }

    /// A page of an endpoint's deliveries of a span, newest first, after the one given, as they were a moment ago: whoever counts
    /// thousands reads them at half the price.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn glance(
        &self,
        endpoint: &EndpointId,
        filter: &Filter,
        limit: i32,
        after: Option<&DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>, Failure> {
        let (lower, upper) = filter.bounds();
        if lower >= upper {
            return Ok(Page { rows: Vec::new(), next: None });
        }
        let query = self.range(endpoint, (lower, upper), limit, after).scan_index_forward(false).consistent_read(false);
        let page = page::of(query, "Query deliveries", ("id", "")).await?;
        Ok(Page { rows: readable(page.rows), next: page.next })
    }

    /// A consistent query of an endpoint's ids between these bounds, after the one given, oldest first.
    pub(super) fn range(
        &self,
        endpoint: &EndpointId,
        (lower, upper): (String, String),
        limit: i32,
        after: Option<&DeliveryId>,
    ) -> QueryFluentBuilder {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("endpoint_id = :endpoint AND id BETWEEN :lower AND :upper")
            .expression_attribute_values(":endpoint", text(endpoint.as_str()))
            .expression_attribute_values(":lower", text(lower))
            .expression_attribute_values(":upper", text(upper))
            .consistent_read(true)
            .limit(limit);
        match after {
            None => query,
            Some(after) => query
                .exclusive_start_key("endpoint_id", text(endpoint.as_str()))
                .exclusive_start_key("id", text(after.as_str())),
        }
    }

    /// Those of these deliveries that exist, in no particular order.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn get_many(&self, ids: Vec<DeliveryId>) -> Result<Vec<Delivery>, Failure> {
        let batches: Vec<Vec<DeliveryId>> = ids.chunks(BATCH).map(<[_]>::to_vec).collect();
        let found: Vec<Vec<Delivery>> =
            stream::iter(batches).map(|batch| self.get_batch(batch)).buffered(BATCHES_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn get_batch(&self, ids: Vec<DeliveryId>) -> Result<Vec<Delivery>, Failure> {
        let key = |id: &DeliveryId| -> Item {
            [("endpoint_id".to_owned(), text(id.endpoint().as_str())), ("id".to_owned(), text(id.as_str()))].into()
        };
        let mut wanted: Vec<Item> = ids.iter().map(key).collect();
        let mut rows = Vec::new();
        for round in 0..ROUNDS {
            if wanted.is_empty() {
                return Ok(rows);
            }
            postrider_host::pause::pause(round).await;
            let keys = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let keys = keys.map_err(unwritable("deliveries' keys"))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.name, keys)
                .send()
                .await
                .map_err(failed("BatchGetItem deliveries"))?;
            rows.extend(readable(answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default()));
            let left = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
            wanted = left.map(|left| left.keys).unwrap_or_default();
        }
        if wanted.is_empty() { Ok(rows) } else { Err(AwsError::busy("BatchGetItem deliveries", "throttled")) }
    }
}

/// The rows that can be read.
fn readable(items: Vec<Item>) -> Vec<Delivery> {
    readable_by(items, super::row::read)
}
