//! How what is for an endpoint is parked: an attribute of the endpoint's row, so that whoever reads that knows, and a place in a list
//! from which the sweep takes up what was lost. Each change is made over the step that it was made from.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use postrider_domain::endpoint::parking::Parking;
use postrider_domain::endpoint::{Endpoint, EndpointStatus};
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::time;
use postrider_host::entropy;
use serde::{Deserialize, Serialize};

use super::{ConfigTable, endpoint_place, keyed};
use crate::conditional::{Recorded, has_id, is_by, transact};
use crate::error::{Failure, unwritable};
use crate::item::{Item, number, text, text_of, to_item};

const LIST: &str = "PARKED";
const PREFIX: &str = "WEBHOOK#";
const CALL: &str = "TransactWriteItems parking";

/// An endpoint in the list of those for which something is parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedEndpoint {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Which one.
    pub endpoint_id: EndpointId,
    /// When that began.
    #[serde(with = "postrider_domain::time::as_wire")]
    pub since: Timestamp,
}

impl ParkedEndpoint {
    fn of(endpoint: &Endpoint, parking: &Parking) -> Self {
        Self { tenant_id: endpoint.tenant_id.clone(), endpoint_id: endpoint.id.clone(), since: parking.since }
    }

    fn sort(&self) -> String {
        format!("{PREFIX}{}#{}", self.tenant_id, self.endpoint_id)
    }
}

/// What else a change of an endpoint's parking says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Nothing.
    Same,
    /// Somebody answered there.
    Answered,
    /// Somebody took a delivery there.
    Took,
}

impl ConfigTable {
    /// Begins to park what is for an endpoint, if it still is as it was read: active, where it was, unanswered since then, and at that
    /// step of an earlier parking. Its place in the list, and what its owner is told, are written with it or not at all.
    ///
    /// # Errors
    /// When the write failed; the endpoint's next attempt says it again.
    pub async fn begin_parking(
        &self,
        endpoint: &Endpoint,
        parking: &Parking,
        announcement: Option<TransactWriteItem>,
    ) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let mut condition = format!(
            "#status = :active AND attribute_not_exists(deleted_at) AND {} AND {}",
            Self::is_where_it_was(endpoint),
            is_at(endpoint.parking.as_ref())
        );
        let mut update = self
            .parking_update(endpoint, &mark, "SET parking = :parking, changed_by = :by ADD revision :one")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":active", text(EndpointStatus::Active.as_str()))
            .expression_attribute_values(":url", number(endpoint.url_version))
            .expression_attribute_values(":parking", as_map(parking)?);
        if let Some(since) = endpoint.down_since {
            condition.push_str(" AND down_since = :down");
            update = update.expression_attribute_values(":down", text(time::wire(since)));
        }
        update = at_step(update.condition_expression(condition), endpoint.parking.as_ref());
        let listed = ParkedEndpoint::of(endpoint, parking);
        let item = keyed(to_item(&listed)?, LIST.to_owned(), listed.sort());
        let listing = Put::builder().table_name(&self.name).set_item(Some(item)).build();
        let listing = listing.map_err(unwritable("a parked webhook"))?;
        let mut writes = vec![built(update)?, TransactWriteItem::builder().put(listing).build()];
        let announced = announced_id(announcement.as_ref());
        writes.extend(announcement);
        let is_ours = |there: &Item| is_by(there, &mark) || announced.as_deref().is_some_and(|id| has_id(there, id));
        transact(&self.client, CALL, writes, is_ours).await
    }

    /// Goes on to the next step of an endpoint's parking, if it still is at the one that was read, and, where that follows from an
    /// answer, at the URL that answered; with what its owner is told.
    ///
    /// # Errors
    /// When the write failed; repeating it is harmless.
    pub async fn change_parking(
        &self,
        endpoint: &Endpoint,
        (before, after): (&Parking, &Parking),
        health: Health,
        announcement: Option<TransactWriteItem>,
    ) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let remove = match health {
            Health::Same => "",
            Health::Answered => " REMOVE down_since",
            Health::Took => " REMOVE down_since, failing_since",
        };
        let change = format!("SET parking = :parking, changed_by = :by{remove} ADD revision :one");
        let mut condition = format!("attribute_exists(pk) AND {}", is_at(Some(before)));
        let mut update =
            self.parking_update(endpoint, &mark, &change).expression_attribute_values(":parking", as_map(after)?);
        if health != Health::Same {
            condition = format!("{condition} AND {}", Self::is_where_it_was(endpoint));
            update = update.expression_attribute_values(":url", number(endpoint.url_version));
        }
        let update = update.condition_expression(condition);
        let announced = announced_id(announcement.as_ref());
        let mut writes = vec![built(at_step(update, Some(before)))?];
        writes.extend(announcement);
        let is_ours = |there: &Item| is_by(there, &mark) || announced.as_deref().is_some_and(|id| has_id(there, id));
        transact(&self.client, CALL, writes, is_ours).await
    }

    /// Ends an endpoint's parking, if it still is at the step that was read, and takes it off the list.
    ///
    /// # Errors
    /// When the write failed; the next sweep does it again.
    pub async fn end_parking(&self, endpoint: &Endpoint, parking: &Parking) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let update = self
            .parking_update(endpoint, &mark, "SET changed_by = :by REMOVE parking ADD revision :one")
            .condition_expression(format!("attribute_exists(pk) AND {}", is_at(Some(parking))));
        let writes =
            vec![built(at_step(update, Some(parking)))?, self.unlisting(&ParkedEndpoint::of(endpoint, parking))?];
        transact(&self.client, CALL, writes, |there| is_by(there, &mark)).await
    }

    /// Every endpoint for which something is parked, or was until a while ago.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn parked_endpoints(&self) -> Result<Vec<ParkedEndpoint>, Failure> {
        self.all(LIST.to_owned(), PREFIX).await
    }

    /// Takes one off the list whose row knows of no parking any more, unless another one has begun.
    ///
    /// # Errors
    /// When the write failed; the next sweep does it again.
    pub async fn unlist_parked(&self, listed: &ParkedEndpoint) -> Result<(), Failure> {
        transact(&self.client, CALL, vec![self.unlisting(listed)?], |_| false).await.map(drop)
    }

    fn unlisting(&self, listed: &ParkedEndpoint) -> Result<TransactWriteItem, Failure> {
        let key: Item = [("pk".to_owned(), text(LIST)), ("sk".to_owned(), text(listed.sort()))].into();
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(key))
            .condition_expression("attribute_not_exists(pk) OR since = :since")
            .expression_attribute_values(":since", text(time::wire(listed.since)))
            .build()
            .map_err(unwritable("a parked webhook"))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn parking_update(
        &self,
        endpoint: &Endpoint,
        mark: &postrider_domain::attempt::Mark,
        change: &str,
    ) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.name)
            .set_key(Some(endpoint_place(&endpoint.tenant_id, &endpoint.id)))
            .update_expression(change)
            .expression_attribute_values(":by", text(mark.as_str()))
            .expression_attribute_values(":one", number(1))
    }

    /// Notes that nobody answered an attempt that failed at `since`: the first such since somebody last did.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn note_down(&self, endpoint: &Endpoint, since: Timestamp) -> Result<Recorded, Failure> {
        let change = "down_since = :since, failing_since = if_not_exists(failing_since, :since), changed_by = :by";
        self.note_failure(endpoint, since, (change, " AND attribute_not_exists(down_since)")).await
    }

    /// Notes that somebody answered, and took nothing, at `since`.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn note_answering(&self, endpoint: &Endpoint, since: Timestamp) -> Result<Recorded, Failure> {
        let change = "failing_since = if_not_exists(failing_since, :since), changed_by = :by REMOVE down_since";
        self.note_failure(endpoint, since, (change, "")).await
    }

    async fn note_failure(
        &self,
        endpoint: &Endpoint,
        since: Timestamp,
        (change, and): (&str, &str),
    ) -> Result<Recorded, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(endpoint_place(&endpoint.tenant_id, &endpoint.id)))
            .update_expression(format!("SET {change} ADD revision :one"))
            .condition_expression(format!("attribute_exists(pk) AND {}{and}", Self::is_where_it_was(endpoint)))
            .expression_attribute_values(":url", number(endpoint.url_version))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":since", text(time::wire(since)));
        self.update_endpoint(update, &entropy::mark()).await
    }

    /// The endpoint's row as it stands now, tombstones included; nothing where there is none, or it cannot be read.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn readable_endpoint(&self, tenant: &TenantId, id: &EndpointId) -> Result<Option<Endpoint>, Failure> {
        match self.endpoint_or_tombstone(tenant, id).await {
            Err(error) if error.is_unreadable() => Ok(None),
            found => found,
        }
    }
}

/// Whether the row is at this step of this parking, or of none.
pub(super) fn is_at(parking: Option<&Parking>) -> &'static str {
    match parking {
        None => "attribute_not_exists(parking)",
        Some(_) => "parking.since = :parked_since AND parking.step = :step",
    }
}

pub(super) fn at_step(update: UpdateBuilder, parking: Option<&Parking>) -> UpdateBuilder {
    let Some(parking) = parking else { return update };
    update
        .expression_attribute_values(":parked_since", text(time::wire(parking.since)))
        .expression_attribute_values(":step", number(parking.step))
}

fn built(update: UpdateBuilder) -> Result<TransactWriteItem, Failure> {
    let update = update.build().map_err(unwritable("a webhook"))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

pub(super) fn as_map(parking: &Parking) -> Result<AttributeValue, Failure> {
    Ok(AttributeValue::M(to_item(parking)?))
}

fn announced_id(announcement: Option<&TransactWriteItem>) -> Option<String> {
    announcement.and_then(|write| text_of(&write.put.as_ref()?.item, "id")).map(str::to_owned)
}
