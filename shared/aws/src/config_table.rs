//! The config table: tenants, API keys, endpoints and subscriptions, under `pk` + `sk`.
//!
//! | row | pk | sk |
//! |---|---|---|
//! | tenant | `TENANT#ten_…` | `TENANT` |
//! | tenant in the operator's list | `TENANTS` | `TENANT#ten_…` |
//! | the provider's own id of a tenant | `EXTERNAL#` id | `EXTERNAL` |
//! | tenant that is being deleted | `DELETIONS` | `TENANT#ten_…` |
//! | key, found by what was sent | `KEY#` SHA-256 | `KEY` |
//! | key in its owner's list | `TENANT#ten_…` or `PROVIDER` | `KEY#key_…` |
//! | link to the portal, by its token | `PORTAL#` SHA-256 | `LINK` |
//! | session in the portal, by what is sent | `SESSION#` SHA-256 | `SESSION` |
//! | either of them in its tenant's list | `TENANT#ten_…` | `SESSION#ses_…` |
//! | endpoint, tombstones too | `TENANT#ten_…` | `WEBHOOK#wh_…` |
//! | an endpoint's earlier URLs | `TENANT#ten_…` | `URLS#wh_…` |
//! | how many webhooks a tenant has | `TENANT#ten_…` | `WEBHOOKS` |
//! | a tenant's slow endpoints | `TENANT#ten_…` | `SLOW` |
//! | the next free slot of an endpoint with a rate limit | `TENANT#ten_…` | `RATE#wh_…` |
//! | until when a tenant's quota of events is used up | `TENANT#ten_…` | `EVENTS` |
//! | recovery | `TENANT#ten_…`, and `RECOVERIES` while it runs | `RECOVERY#rec_…` |
//! | one that sends only some of it again | the same | `RECOVERY_OF_SOME#rec_…` |
//! | cancellation of all that waits for a webhook | as a recovery | `CANCELLATION#can_…` |
//! | what a tenant has recovering or being cancelled | `TENANT#ten_…` | `RECOVERING` |
//! | retries by hand of a webhook's deliveries | `TENANT#ten_…` | `RETRIES#wh_…` |
//! | whose turn was the last of them | `RECOVERIES` | `SERVED` |
//! | endpoint for which something is parked | `PARKED` | `WEBHOOK#ten_…#wh_…` |
//! | what is known of a tenant's failed deliveries | `TENANT#ten_…` | `FAILURES` |
//! | tenant of whose failures some are counted | `FAILURES` | `ten_…` |
//! | subscription | `SUBSCRIPTION#ten_…#pattern` | `wh_…` |
//! | event type of the deployment | `EVENT_TYPES` | `TYPE#name` |
//! | how many of those there are | `EVENT_TYPES` | `COUNT` |
//! | a call under its caller's key, with its answer | `CALLS#ten_…`, `CALLS#key_…` or `CALLS#operator` | SHA-256 of route and key |
//!
//! A subscription lies under its pattern, so that fan-out reads what matches an event and nothing else, however many
//! endpoints a tenant has.

use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_host::env::{self, BadSetting};
use serde::de::DeserializeOwned;

use crate::conditional::Recorded;
use crate::error::{Failure, failed};
use crate::item::{Item, from_item, text, text_of};
use crate::rows::{readable, readable_by};
use crate::{Page, page};

mod calls;
mod cancellations;
mod deletions;
mod endpoints;
mod event_rate;
mod event_types;
mod external_ids;
mod failures;
mod keys;
#[cfg(test)]
mod overwritten;
mod parking;
mod pauses;
mod rate_limit;
mod recoveries;
mod removal;
mod retry_bucket;
mod sessions;
mod slow;
mod subscriptions;
mod tenant_row;
mod tenants;
mod tombstone;
mod unreadable_endpoint;
mod webhook_count;

pub use calls::{AnsweredCall, Made};
pub use event_types::Kept;
pub use failures::Failures;
pub use parking::{Health, ParkedEndpoint};
pub use rate_limit::EndpointKey;
pub use removal::{Kind, Left, OwnRow};
pub use sessions::Open as OpenSessions;
pub(crate) use slow::{SLOW_SORT, read as read_slow};
pub use subscriptions::Subscription;
pub(crate) use tenant_row::read_tenant;
pub use tenants::{Standing, Taken, TenantChange, TenantChanged};
pub(crate) use tombstone::read_endpoint;

pub(crate) const TENANT_SORT: &str = "TENANT";
pub(crate) const ENDPOINT_PREFIX: &str = "WEBHOOK#";

/// The partition of all that is one tenant's.
pub(crate) fn tenant_partition(tenant: &TenantId) -> String {
    format!("TENANT#{tenant}")
}

/// Whose a row is, by the partition that it lies in.
pub(crate) fn tenant_in(item: &Item) -> Option<TenantId> {
    text_of(item, "pk")?.strip_prefix("TENANT#")?.parse().ok()
}

/// The config table.
#[derive(Clone)]
pub struct ConfigTable {
    client: Client,
    name: String,
}

impl ConfigTable {
    /// From `CONFIG_TABLE`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::of(sdk, &env::var("CONFIG_TABLE")?))
    }

    /// The table of this name.
    pub fn of(sdk: &SdkConfig, name: &str) -> Self {
        Self { client: Client::new(sdk), name: name.to_owned() }
    }

    async fn get<T: DeserializeOwned>(&self, pk: String, sk: &str) -> Result<Option<T>, Failure> {
        self.get_item(pk, sk).await?.map(from_item).transpose()
    }

    /// The same, past one that cannot be read: for what is worth having, and not worth failing for.
    async fn get_readable<T: DeserializeOwned>(&self, pk: String, sk: &str) -> Result<Option<T>, Failure> {
        Ok(readable(self.get_item(pk, sk).await?).pop())
    }

    /// The row itself, whatever somebody has put there.
    async fn get_item(&self, pk: String, sk: &str) -> Result<Option<Item>, Failure> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("GetItem config"))?;
        Ok(answer.item)
    }

    /// What became of a change whose answer did not come: made, if what stands there `is_ours`. A secret that was replaced is to
    /// be shown, so it is worth a look, where there is time for one.
    async fn look_after(
        &self,
        made: Result<Recorded, Failure>,
        pk: String,
        sk: &str,
        is_ours: impl Fn(&Item) -> bool,
    ) -> Result<Recorded, Failure> {
        let Err(error) = made else { return made };
        match self.get_item(pk, sk).await {
            Ok(Some(there)) if is_ours(&there) => Ok(Recorded::Yes),
            _ => Err(error),
        }
    }

    fn query(&self, pk: String, prefix: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":prefix", text(prefix))
            .consistent_read(true)
    }

    /// Every row under `pk` whose sort key begins with `prefix` and that can be read.
    async fn all<T: DeserializeOwned>(&self, pk: String, prefix: &str) -> Result<Vec<T>, Failure> {
        self.all_by(pk, prefix, from_item).await
    }

    /// The same where a row is read in a way of its own.
    async fn all_by<T>(
        &self,
        pk: String,
        prefix: &str,
        read: impl Fn(Item) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let mut pages = self.query(pk, prefix).into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(failed("Query config"))?);
        }
        Ok(readable_by(items, read))
    }

    /// A page of such rows as they stand there, after the id given, which follows the prefix in the sort key.
    async fn page<Id: FromStr + Display>(
        &self,
        pk: String,
        prefix: &str,
        limit: impl Into<Option<i32>>,
        after: Option<&str>,
    ) -> Result<Page<Item, Id>, Failure> {
        let mut query = self.query(pk.clone(), prefix).set_limit(limit.into());
        if let Some(after) = after {
            query =
                query.exclusive_start_key("pk", text(pk)).exclusive_start_key("sk", text(format!("{prefix}{after}")));
        }
        page::of(query, "Query config", ("sk", prefix)).await
    }
}

/// The key of what is one tenant's.
fn at(tenant: &TenantId, sort: String) -> Item {
    keyed(Item::new(), tenant_partition(tenant), sort)
}

/// The key of an endpoint's row.
fn endpoint_place(tenant: &TenantId, id: &EndpointId) -> Item {
    at(tenant, format!("{ENDPOINT_PREFIX}{id}"))
}

/// A row with its keys.
fn keyed(mut item: Item, pk: String, sk: String) -> Item {
    item.insert("pk".to_owned(), AttributeValue::S(pk));
    item.insert("sk".to_owned(), AttributeValue::S(sk));
    item
}
