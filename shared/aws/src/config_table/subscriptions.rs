//! Subscriptions: which endpoints ask for a pattern. Written with the endpoint, in its transaction.
//!
//! One that ends stays for a while with its end noted: a fan-out that died after it had put an event's rows runs again,
//! perhaps after the webhook was deleted, and must still find whom it put them for, or they would be pending for ever.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use postrider_domain::dialect::DialectRef;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::EventPattern;
use postrider_domain::id::{EndpointId, TenantId};
use serde::{Deserialize, Serialize};

use super::{ConfigTable, keyed};
use crate::AwsError;
use crate::item::to_item;

/// An endpoint that asks for a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The endpoint.
    #[serde(rename = "sk")]
    pub endpoint_id: EndpointId,
    /// Its dialect, whose catalogue may be narrower than the pattern.
    pub dialect: DialectRef,
    /// When it ended: it takes events of before.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "postrider_domain::time::as_wire_option")]
    pub until: Option<Timestamp>,
    /// When an ended one may be removed, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl Subscription {
    /// Whether it takes an event of this time.
    pub fn takes(&self, event_time: Timestamp) -> bool {
        self.until.is_none_or(|until| event_time <= until)
    }
}

/// How long an ended subscription is kept: twice the day for which a stream can run again.
pub(super) const KEPT_SECONDS: i64 = 2 * 24 * 3600;

pub(super) fn partition(tenant: &TenantId, pattern: &EventPattern) -> String {
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

    /// The writes that turn the subscriptions to `before` into those to `after` at `now`.
    pub(super) fn subscription_writes(
        &self,
        endpoint: &Endpoint,
        before: &[EventPattern],
        after: &[EventPattern],
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, AwsError> {
        let bad =
            |error: aws_sdk_dynamodb::error::BuildError| AwsError::new("writing subscriptions", error.to_string());
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
        let open =
            Subscription { endpoint_id: endpoint.id.clone(), dialect: endpoint.dialect, until: None, expires_at: None };
        let ended = Subscription { until: Some(now), expires_at: Some(now.as_second() + KEPT_SECONDS), ..open.clone() };
        let opened = after.difference(&before).map(|pattern| (pattern, &open));
        let closed = before.difference(&after).map(|pattern| (pattern, &ended));
        let mut writes = Vec::new();
        for (pattern, row) in opened.chain(closed) {
            let item = keyed(to_item(row)?, partition(&endpoint.tenant_id, pattern), endpoint.id.to_string());
            let put = Put::builder().table_name(&self.name).set_item(Some(item)).build().map_err(bad)?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        Ok(writes)
    }
}
