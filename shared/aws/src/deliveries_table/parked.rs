//! The `parked` index: what waits for an endpoint as a whole, by until when it waits at the most, so the oldest first. A row is in it
//! while it has `waits_until`, and every record takes that away.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::parking::Place;
use postrider_domain::id::{DeliveryId, EndpointId};
use postrider_domain::time;

use super::{DeliveriesTable, UPDATE};
use crate::conditional::{self, Recorded};
use crate::error::{Failure, failed};
use crate::item::{Item, text, text_of};
use crate::rows;

const QUERY: &str = "Query deliveries that are parked";

/// A page of an endpoint's parked deliveries.
#[derive(Debug, Default)]
pub struct ParkedPage {
    /// Those that are still parked, as the table has them, the one that waits longest first.
    pub rows: Vec<Delivery>,
    /// The last one of the page, whether it is still parked or not; nothing where there was none.
    pub last: Option<Place>,
    /// Whether more may follow.
    pub has_more: bool,
}

impl ParkedPage {
    /// Whether nothing is left to wait for. What cannot be read is nothing that waiting mends.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && !self.has_more
    }
}

impl DeliveriesTable {
    /// Parks a delivery, if it still stands where it was read: nothing of it is due any more.
    ///
    /// # Errors
    /// When the update failed; repeating it is harmless.
    pub async fn park(&self, row: &Delivery, waits_until: Timestamp) -> Result<Recorded, Failure> {
        let waits_until = time::wire(waits_until);
        let update = self
            .change_if(row, " AND attribute_not_exists(waits_until)")
            .update_expression("SET waits_until = :waits REMOVE next_attempt_at, due_at, due_shard")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":waits", text(&waits_until));
        conditional::update(UPDATE, update, |there| text_of(there, "waits_until") == Some(&waits_until)).await
    }

    /// A page of what is parked for an endpoint, behind a place.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn parked(
        &self,
        endpoint: &EndpointId,
        after: Option<&Place>,
        limit: u32,
    ) -> Result<ParkedPage, Failure> {
        let page = self.parked_query(endpoint, limit).set_exclusive_start_key(after.map(|place| key(endpoint, place)));
        let page = page.send().await.map_err(failed(QUERY))?;
        let ids: Vec<DeliveryId> = rows::ids(page.items(), "id", "");
        let order: HashMap<DeliveryId, usize> = ids.iter().cloned().zip(0..).collect();
        let mut rows = self.get_many(ids).await?;
        rows.retain(Delivery::is_parked);
        rows.sort_by_key(|row| order.get(&row.id).copied());
        let last = page.items().iter().rev().find_map(place_of);
        Ok(ParkedPage { rows, last, has_more: page.last_evaluated_key.is_some() })
    }

    /// How many of what is parked for an endpoint lie up to a place, as far as so many: what was sent, and is not on record yet.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn parked_up_to(&self, endpoint: &EndpointId, place: &Place, limit: u32) -> Result<usize, Failure> {
        let page = self.parked_query(endpoint, limit).send().await.map_err(failed(QUERY))?;
        Ok(page.items().iter().filter_map(place_of).filter(|there| there <= place).count())
    }

    fn parked_query(&self, endpoint: &EndpointId, limit: u32) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .index_name("parked")
            .key_condition_expression("endpoint_id = :endpoint")
            .expression_attribute_values(":endpoint", text(endpoint.as_str()))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
    }
}

fn key(endpoint: &EndpointId, place: &Place) -> HashMap<String, AttributeValue> {
    let waits_until = text(time::wire(place.waits_until));
    let [endpoint, id] = [endpoint.as_str(), place.id.as_str()].map(text);
    [("endpoint_id".to_owned(), endpoint), ("waits_until".to_owned(), waits_until), ("id".to_owned(), id)].into()
}

fn place_of(item: &Item) -> Option<Place> {
    let waits_until = text_of(item, "waits_until")?.parse().ok()?;
    Some(Place { waits_until, id: text_of(item, "id")?.parse().ok()? })
}
