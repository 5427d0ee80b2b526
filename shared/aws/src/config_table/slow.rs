//! A tenant's slow endpoints: one row, read with every batch, so it is small, and a hint, so an eventually consistent read will do.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::slow::{Note, ParkedHint, SlowByTenant, SlowEndpoints};

use super::{ConfigTable, tenant_in, tenant_partition};
use crate::error::{Failure, failed, unwritable};
use crate::item::{Item, number, text};

/// Where a tenant's row of slow endpoints lies.
pub(crate) const SLOW_SORT: &str = "SLOW";
/// The attribute that stands for all of a tenant's endpoints; the others are named by their ids.
const ALL: &str = "all";
/// What the name of the attribute begins with that says of an endpoint that what is new for it is parked.
const PARKED: &str = "parked.";
/// Keys of one BatchGetItem.
const BATCH: usize = 100;

impl ConfigTable {
    /// The slow endpoints of these tenants, each read once. One that is missing in the answer has none, or was not read in time: then its
    /// messages take the ordinary way.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn slow_endpoints<'a>(
        &self,
        tenants: impl IntoIterator<Item = &'a TenantId>,
    ) -> Result<SlowByTenant, Failure> {
        let tenants: BTreeSet<&TenantId> = tenants.into_iter().collect();
        let tenants: Vec<&TenantId> = tenants.into_iter().collect();
        let mut found = SlowByTenant::default();
        for tenants in tenants.chunks(BATCH) {
            let key = |tenant: &&TenantId| -> Item {
                [("pk".to_owned(), text(tenant_partition(tenant))), ("sk".to_owned(), text(SLOW_SORT))].into()
            };
            let keys = KeysAndAttributes::builder().set_keys(Some(tenants.iter().map(key).collect())).build();
            let keys = keys.map_err(unwritable("slow endpoints' keys"))?;
            let answer = self.client.batch_get_item().request_items(&self.name, keys).send().await;
            let answer = answer.map_err(failed("BatchGetItem slow"))?;
            let rows = answer.responses.unwrap_or_default().into_values().flatten();
            found.extend(rows.filter_map(|row| read(&row)));
        }
        Ok(found)
    }

    /// Notes who was slow just now.
    ///
    /// # Errors
    /// When the write failed; the next attempt that is slow says it again.
    pub async fn note_slow(&self, tenant: &TenantId, note: &Note) -> Result<(), Failure> {
        let who = note.endpoint.as_ref().map_or(ALL, EndpointId::as_str).to_owned();
        let over = note.over.iter().map(ToString::to_string);
        let update = self
            .slow_update(tenant, "SET #who = :until, expires_at = :until", who, over)
            .expression_attribute_values(":until", number(note.until));
        update.send().await.map_err(failed("UpdateItem slow"))?;
        Ok(())
    }

    /// Tells fan-out that what is new for an endpoint is parked, and takes away the hints that are `over`.
    ///
    /// # Errors
    /// When the write failed; then messages are sent that are parked one by one.
    pub async fn hint_parked(
        &self,
        tenant: &TenantId,
        endpoint: &EndpointId,
        hint: ParkedHint,
        over: &[EndpointId],
    ) -> Result<(), Failure> {
        let over = over.iter().map(parked_name);
        let update = self
            .slow_update(tenant, "SET #who = :hint, expires_at = :until", parked_name(endpoint), over)
            .expression_attribute_values(":hint", AttributeValue::L(vec![number(hint.until), number(hint.horizon)]))
            .expression_attribute_values(":until", number(hint.until));
        update.send().await.map_err(failed("UpdateItem slow"))?;
        Ok(())
    }

    /// Tells fan-out that what is new for an endpoint is parked no longer.
    ///
    /// # Errors
    /// When the write failed; then the hint ends by itself.
    pub async fn forget_parked(&self, tenant: &TenantId, endpoint: &EndpointId) -> Result<(), Failure> {
        let update = self.slow_update(tenant, "REMOVE #who", parked_name(endpoint), []);
        update.send().await.map_err(failed("UpdateItem slow"))?;
        Ok(())
    }

    /// A change of the attribute `#who`, by which those of who is `over` go.
    fn slow_update(
        &self,
        tenant: &TenantId,
        change: &str,
        who: String,
        over: impl IntoIterator<Item = String>,
    ) -> UpdateItemFluentBuilder {
        let over: Vec<(String, String)> = (0..).map(|n| format!("#o{n}")).zip(over).collect();
        let removed: Vec<&str> = over.iter().map(|(name, _)| name.as_str()).collect();
        let remove = if removed.is_empty() { String::new() } else { format!(" REMOVE {}", removed.join(", ")) };
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", text(tenant_partition(tenant)))
            .key("sk", text(SLOW_SORT))
            .update_expression(format!("{change}{remove}"))
            .expression_attribute_names("#who", who);
        over.into_iter().fold(update, |update, (name, over)| update.expression_attribute_names(name, over))
    }
}

fn parked_name(endpoint: &EndpointId) -> String {
    format!("{PARKED}{endpoint}")
}

/// Whose row it is, and who is slow by it. An attribute that is no endpoint's is passed over: the row is a hint.
pub(crate) fn read(row: &Item) -> Option<(TenantId, SlowEndpoints)> {
    let tenant = tenant_in(row)?;
    let second = |value: &AttributeValue| value.as_n().ok()?.parse().ok();
    let until = row.iter().filter_map(|(name, value)| Some((name.parse().ok()?, second(value)?)));
    let parked = row.iter().filter_map(|(name, value)| Some((name.strip_prefix(PARKED)?.parse().ok()?, hint(value)?)));
    Some((tenant, SlowEndpoints::new(until, row.get(ALL).and_then(second)).parking(parked)))
}

fn hint(value: &AttributeValue) -> Option<ParkedHint> {
    let second = |value: &AttributeValue| value.as_n().ok()?.parse().ok();
    let [until, horizon] = value.as_l().ok()?.as_slice() else { return None };
    Some(ParkedHint { until: second(until)?, horizon: second(horizon)? })
}
