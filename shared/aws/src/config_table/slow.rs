//! A tenant's slow endpoints: one row, read with every batch, so it is small, and a hint, so an eventually consistent read will do.

use std::collections::BTreeSet;

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
        let removed: Vec<String> = (0..note.over.len()).map(|n| format!("#o{n}")).collect();
        let remove = if removed.is_empty() { String::new() } else { format!(" REMOVE {}", removed.join(", ")) };
        let mut update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", text(tenant_partition(tenant)))
            .key("sk", text(SLOW_SORT))
            .update_expression(format!("SET #who = :until, expires_at = :until{remove}"))
            .expression_attribute_names("#who", note.endpoint.as_ref().map_or(ALL, EndpointId::as_str))
            .expression_attribute_values(":until", number(note.until));
        for (name, over) in removed.into_iter().zip(&note.over) {
            update = update.expression_attribute_names(name, over.as_str());
        }
        update.send().await.map_err(failed("UpdateItem slow"))?;
        Ok(())
    }

    /// Tells fan-out that what is new for an endpoint is parked, or no longer is; and takes away the hints that are `over`.
    ///
    /// # Errors
    /// When the write failed; then messages are sent that are parked one by one, or the hint ends by itself.
    pub async fn hint_parked(
        &self,
        tenant: &TenantId,
        endpoint: &EndpointId,
        hint: Option<ParkedHint>,
        over: &[EndpointId],
    ) -> Result<(), Failure> {
        let over: Vec<String> = over.iter().map(|endpoint| format!("{PARKED}{endpoint}")).collect();
        let removed: Vec<String> = (0..over.len()).map(|n| format!("#o{n}")).collect();
        let list = |mut names: Vec<String>| {
            names.retain(|name| !name.is_empty());
            if names.is_empty() { String::new() } else { format!(" REMOVE {}", names.join(", ")) }
        };
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", text(tenant_partition(tenant)))
            .key("sk", text(SLOW_SORT))
            .expression_attribute_names("#who", format!("{PARKED}{endpoint}"));
        let mut update = match hint {
            None => update.update_expression(list([vec!["#who".to_owned()], removed.clone()].concat()).trim_start()),
            Some(hint) => update
                .update_expression(format!("SET #who = :hint, expires_at = :until{}", list(removed.clone())))
                .expression_attribute_values(":hint", AttributeValue::L(vec![number(hint.until), number(hint.horizon)]))
                .expression_attribute_values(":until", number(hint.until)),
        };
        for (name, over) in removed.into_iter().zip(over) {
            update = update.expression_attribute_names(name, over);
        }
        update.send().await.map_err(failed("UpdateItem slow"))?;
        Ok(())
    }
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
