//! Subscriptions: which endpoints ask for a pattern. Written with the endpoint, in its transaction.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use postrider_domain::dialect::DialectRef;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::EventPattern;
use postrider_domain::id::{EndpointId, TenantId};
use serde::{Deserialize, Serialize};

use super::{ConfigTable, keyed};
use crate::AwsError;
use crate::item::{Item, text, to_item};

/// An endpoint that asks for a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The endpoint.
    #[serde(rename = "sk")]
    pub endpoint_id: EndpointId,
    /// Its dialect, whose catalogue may be narrower than the pattern.
    pub dialect: DialectRef,
}

fn partition(tenant: &TenantId, pattern: &EventPattern) -> String {
    format!("SUBSCRIPTION#{tenant}#{}", pattern.as_str())
}

impl ConfigTable {
    /// The endpoints that ask for this pattern, read consistently: a webhook made before the event was published gets it.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn subscriptions(
        &self,
        tenant: &TenantId,
        pattern: &EventPattern,
    ) -> Result<Vec<Subscription>, AwsError> {
        self.all(partition(tenant, pattern), "wh_").await
    }

    /// The writes that turn the subscriptions to `before` into those to `after`.
    pub(super) fn subscription_writes(
        &self,
        endpoint: &Endpoint,
        before: &[EventPattern],
        after: &[EventPattern],
    ) -> Result<Vec<TransactWriteItem>, AwsError> {
        let bad =
            |error: aws_sdk_dynamodb::error::BuildError| AwsError::new("writing subscriptions", error.to_string());
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
        let row = Subscription { endpoint_id: endpoint.id.clone(), dialect: endpoint.dialect };
        let mut writes = Vec::new();
        for pattern in after.difference(&before) {
            let item = keyed(to_item(&row)?, partition(&endpoint.tenant_id, pattern), endpoint.id.to_string());
            let put = Put::builder().table_name(&self.name).set_item(Some(item)).build().map_err(bad)?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        for pattern in before.difference(&after) {
            let place: Item = [
                ("pk".to_owned(), text(partition(&endpoint.tenant_id, pattern))),
                ("sk".to_owned(), text(endpoint.id.as_str())),
            ]
            .into();
            let delete = Delete::builder().table_name(&self.name).set_key(Some(place)).build().map_err(bad)?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
        }
        Ok(writes)
    }
}
