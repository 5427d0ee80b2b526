//! Endpoints with their subscriptions: always changed together, in one transaction.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use postrider_domain::attempt::{FIRST_URL_VERSION, Mark};
use postrider_domain::endpoint::{EarlierUrls, Endpoint, EndpointStatus, PresentUrl};
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::quota::count::Shift;
use postrider_domain::quota::{Exceeded, Quotas};
use postrider_domain::stored_secret::StoredSecret;
use postrider_domain::time;
use postrider_host::{deadline, entropy};

use super::calls::{AnsweredCall, Made};
use super::parking::{as_map, at_step, is_at};
use super::{ConfigTable, ENDPOINT_PREFIX, at, endpoint_place, keyed, read_endpoint, tenant_partition};
use crate::Page;
use crate::conditional::{self, CHANGED_BY, Recorded, has_id, holds_secret, is_by, transact};
use crate::error::{Failure, unwritable};
use crate::item::{Item, number, text, text_of, to_item};
use crate::rows::{ids, readable_by};
use crate::told::Told;

/// Endpoints that are read side by side, each by itself.
const READS_AT_ONCE: usize = 16;
/// Where an endpoint's earlier URLs lie.
const URLS_PREFIX: &str = "URLS#";

/// Nobody has changed or deleted it since it was read; its subscriptions follow from what was read. A row that has lost its
/// revision was read as one of before every change.
fn is_unchanged(endpoint: &Endpoint) -> &'static str {
    match endpoint.revision {
        0 => {
            "attribute_exists(pk) AND (attribute_not_exists(revision) OR revision = :was) \
             AND attribute_not_exists(deleted_at)"
        }
        _ => "revision = :was AND attribute_not_exists(deleted_at)",
    }
}

/// Whether the tombstone that stands there is of this deletion.
pub(super) fn was_deleted_at(there: &Item, now: Timestamp) -> bool {
    text_of(there, "deleted_at") == Some(time::wire(now).as_str())
}

/// The secret that a change brings, if it does: as it is sealed, which nothing else is.
pub(super) fn fresh<'a>(before: &[StoredSecret], after: &'a [StoredSecret]) -> Option<&'a str> {
    let is_new = |secret: &&StoredSecret| before.iter().all(|old| old.sealed != secret.sealed);
    after.iter().find(is_new).map(|secret| secret.sealed.as_str())
}

/// The parking of an endpoint that is not sent to any more: what is parked is called off as it is drained.
fn another_chance(endpoint: &Endpoint, now: Timestamp) -> Result<Option<HashMap<String, AttributeValue>>, Failure> {
    let parking = endpoint.parking.as_ref().map(|parking| as_map(&parking.given_another_chance(now))).transpose()?;
    Ok(parking.map(|parking| [(":parking".to_owned(), parking)].into()))
}

fn urls_sort(id: &EndpointId) -> String {
    format!("{URLS_PREFIX}{id}")
}

impl ConfigTable {
    /// Puts a new endpoint, its subscriptions and the call that makes it, if that is to be remembered, and tells of it: all or nothing, if
    /// its tenant's quotas have room for it.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn create_endpoint(
        &self,
        endpoint: &Endpoint,
        quotas: Quotas,
        call: Option<&AnsweredCall>,
        told: &Told,
    ) -> Result<Result<Made, Exceeded>, Failure> {
        let (endpoint, bytes) = &endpoint.clone().counted_anew();
        let put = self.endpoint_row(endpoint, &entropy::mark())?.condition_expression("attribute_not_exists(pk)");
        let put = put.build().map_err(unwritable("a webhook"))?;
        let mut writes = vec![TransactWriteItem::builder().put(put).build()];
        writes.extend(self.subscription_writes(endpoint, None, &endpoint.events, endpoint.created_at).await?);
        writes.extend(call.map(|call| self.remembering_call(call)).transpose()?);
        // Its id is random: whoever has it is this endpoint. The count's row may be refused beside it, by this very webhook.
        let is_ours = |there: &Item| has_id(there, endpoint.id.as_str());
        let made =
            self.write_counted(&endpoint.tenant_id, (Shift::made(*bytes), Some(quotas)), (writes, told), is_ours);
        match deadline::to_be_shown(made).await? {
            Ok(recorded) => Made::of(recorded, call, "a webhook").map(Ok),
            Err(exceeded) => Ok(Err(exceeded)),
        }
    }

    /// The endpoint of this tenant and id, unless it was deleted.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn endpoint(&self, tenant: &TenantId, id: &EndpointId) -> Result<Option<Endpoint>, Failure> {
        let found = self.endpoint_or_tombstone(tenant, id).await?;
        Ok(found.filter(|endpoint| endpoint.deleted_at.is_none()))
    }

    /// The endpoint of this tenant and id, even if it was deleted.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn endpoint_or_tombstone(&self, tenant: &TenantId, id: &EndpointId) -> Result<Option<Endpoint>, Failure> {
        let row = self.get_item(tenant_partition(tenant), &format!("{ENDPOINT_PREFIX}{id}")).await?;
        row.map(read_endpoint).transpose()
    }

    /// The ids of a page of a tenant's endpoints, the oldest first, tombstones included, whether their rows can be read or
    /// not.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn endpoint_ids(
        &self,
        tenant: &TenantId,
        limit: i32,
        after: Option<&str>,
    ) -> Result<Page<EndpointId, EndpointId>, Failure> {
        let page = self.page::<EndpointId>(tenant_partition(tenant), ENDPOINT_PREFIX, limit, after).await?;
        Ok(Page { rows: ids(&page.rows, "sk", ENDPOINT_PREFIX), next: page.next })
    }

    /// Every endpoint of a tenant that was not deleted, the oldest first.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn endpoints(&self, tenant: &TenantId) -> Result<Vec<Endpoint>, Failure> {
        let mut rows = self.all_by(tenant_partition(tenant), ENDPOINT_PREFIX, read_endpoint).await?;
        rows.retain(|endpoint| endpoint.deleted_at.is_none());
        Ok(rows)
    }

    /// Those of these endpoints that a tenant has, in their order, tombstones included; past those that cannot be read.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn endpoints_of(&self, tenant: &TenantId, ids: &BTreeSet<EndpointId>) -> Result<Vec<Endpoint>, Failure> {
        Ok(readable_by(self.endpoint_rows(tenant, ids).await?.into_iter().flatten(), read_endpoint))
    }

    /// The same by their ids; without it where its row cannot be read.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn endpoints_by_ids(
        &self,
        tenant: &TenantId,
        ids: &BTreeSet<EndpointId>,
    ) -> Result<Vec<(EndpointId, Option<Endpoint>)>, Failure> {
        let items = self.endpoint_rows(tenant, ids).await?;
        let read = |(id, item): (&EndpointId, Item)| (id.clone(), readable_by([item], read_endpoint).pop());
        Ok(ids.iter().zip(items).filter_map(|(id, item)| Some((id, item?))).map(read).collect())
    }

    async fn endpoint_rows(&self, tenant: &TenantId, ids: &BTreeSet<EndpointId>) -> Result<Vec<Option<Item>>, Failure> {
        let reads = ids
            .iter()
            .map(|id| async move { self.get_item(tenant_partition(tenant), &format!("{ENDPOINT_PREFIX}{id}")).await });
        stream::iter(reads.collect::<Vec<_>>()).buffered(READS_AT_ONCE).try_collect().await
    }

    /// A page of a tenant's endpoints, the oldest first, tombstones included.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn endpoints_and_tombstones(
        &self,
        tenant: &TenantId,
        limit: i32,
        after: Option<&str>,
    ) -> Result<Page<Endpoint, EndpointId>, Failure> {
        let page = self.page::<EndpointId>(tenant_partition(tenant), ENDPOINT_PREFIX, limit, after).await?;
        Ok(Page { rows: readable_by(page.rows, read_endpoint), next: page.next })
    }

    /// The same by their ids; without it where its row cannot be read.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn endpoints_by_id(
        &self,
        tenant: &TenantId,
        limit: i32,
        after: Option<&str>,
    ) -> Result<Page<(EndpointId, Option<Endpoint>), EndpointId>, Failure> {
        let page = self.page::<EndpointId>(tenant_partition(tenant), ENDPOINT_PREFIX, limit, after).await?;
        let ids: Vec<EndpointId> = ids(&page.rows, "sk", ENDPOINT_PREFIX);
        let mut found = readable_by(page.rows, read_endpoint);
        let take = |id: EndpointId| {
            let place = found.iter().position(|endpoint| endpoint.id == id);
            (id, place.map(|place| found.swap_remove(place)))
        };
        Ok(Page { rows: ids.into_iter().map(take).collect(), next: page.next })
    }

    /// Where an endpoint is, or was when it was deleted, whether all of its row can be read or not.
    ///
    /// # Errors
    /// When the read failed, or the URL is none.
    pub async fn present_url(&self, tenant: &TenantId, id: &EndpointId) -> Result<Option<PresentUrl>, Failure> {
        self.get(tenant_partition(tenant), &format!("{ENDPOINT_PREFIX}{id}")).await
    }

    /// The URLs that an endpoint had before; none where the row cannot be read, since nothing is decided by them.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn earlier_urls(&self, tenant: &TenantId, id: &EndpointId) -> Result<EarlierUrls, Failure> {
        Ok(self.get_readable(tenant_partition(tenant), &urls_sort(id)).await?.unwrap_or_default())
    }

    /// Replaces an endpoint with its changed self, if it still is as it was read, and the quota has room for what it shows more; and
    /// tells of it. The URL that it leaves is remembered beside it.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn change_endpoint(
        &self,
        before: &Endpoint,
        after: &Endpoint,
        quotas: Quotas,
        now: Timestamp,
        told: &Told,
    ) -> Result<Result<Recorded, Exceeded>, Failure> {
        let mark = entropy::mark();
        let moved = after.url != before.url;
        let (counted, bytes) = after.clone().counted_anew();
        let shift = Shift::changed(before.counted(), bytes);
        // What shows no more and no less than it was counted with needs no count, whoever disabled it.
        let counted_bytes = if shift.is_none() { before.counted_bytes } else { counted.counted_bytes };
        let after = Endpoint {
            revision: before.revision + 1,
            url_version: before.url_version + u32::from(moved),
            counted_bytes,
            ..after.clone()
        };
        let put = self
            .endpoint_row(&after, &mark)?
            .condition_expression(is_unchanged(before))
            .expression_attribute_values(":was", number(before.revision))
            .build()
            .map_err(unwritable("a webhook"))?;
        let mut writes = vec![TransactWriteItem::builder().put(put).build()];
        if moved {
            writes.push(self.remembering(before).await?);
        }
        writes.extend(self.subscription_writes(&after, Some(before), &after.events, now).await?);
        let actions = writes.len() + usize::from(!shift.is_none());
        let secret = fresh(&before.secrets, &after.secrets);
        let is_ours = |there: &Item| is_by(there, &mark) || secret.is_some_and(|secret| holds_secret(there, secret));
        let write = self.write_counted(&after.tenant_id, (shift, Some(quotas)), (writes, told), &is_ours);
        let made = if secret.is_some() { deadline::to_be_shown(write).await } else { write.await };
        let made = match made {
            Ok(Err(exceeded)) => return Ok(Err(exceeded)),
            Ok(Ok(recorded)) => Ok(recorded),
            Err(error) => Err(error),
        };
        let sort = format!("{ENDPOINT_PREFIX}{}", after.id);
        let made = self.look_after(made, tenant_partition(&after.tenant_id), &sort, is_ours).await?;
        if made == Recorded::Yes {
            told.tell_the_others(actions).await;
        }
        Ok(Ok(made))
    }

    /// The write that remembers an endpoint's URL. What it is made from changes only with the endpoint, whose revision guards
    /// both.
    async fn remembering(&self, endpoint: &Endpoint) -> Result<TransactWriteItem, Failure> {
        let mut urls = self.earlier_urls(&endpoint.tenant_id, &endpoint.id).await?;
        urls.remember(endpoint.url_version, endpoint.url.clone());
        let item = keyed(to_item(&urls)?, tenant_partition(&endpoint.tenant_id), urls_sort(&endpoint.id));
        let put =
            Put::builder().table_name(&self.name).set_item(Some(item)).build().map_err(unwritable("a webhook"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Deletes an endpoint, if it still is as it was read, and tells of it: its subscriptions end, its secrets and headers go, and a
    /// tombstone stays until its deliveries have expired.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn delete_endpoint(
        &self,
        endpoint: &Endpoint,
        now: Timestamp,
        expires_at: i64,
        told: &Told,
    ) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let tombstone = Update::builder()
            .table_name(&self.name)
            .set_key(Some(endpoint_place(&endpoint.tenant_id, &endpoint.id)))
            .update_expression(format!(
                "SET deleted_at = :now, expires_at = :expires, changed_by = :by{} \
                 REMOVE secrets, sealed_headers, headers, metadata, counted_bytes",
                if endpoint.parking.is_some() { ", parking = :parking" } else { "" }
            ))
            .condition_expression(is_unchanged(endpoint))
            .set_expression_attribute_values(another_chance(endpoint, now)?)
            .expression_attribute_values(":by", text(mark.as_str()))
            .expression_attribute_values(":was", number(endpoint.revision))
            .expression_attribute_values(":now", text(time::wire(now)))
            .expression_attribute_values(":expires", number(expires_at))
            .build()
            .map_err(unwritable("a webhook"))?;
        let mut writes = vec![TransactWriteItem::builder().update(tombstone).build()];
        if endpoint.url_version > FIRST_URL_VERSION {
            let urls = Update::builder()
                .table_name(&self.name)
                .set_key(Some(at(&endpoint.tenant_id, urls_sort(&endpoint.id))))
                .update_expression("SET expires_at = :expires")
                .expression_attribute_values(":expires", number(expires_at))
                .build()
                .map_err(unwritable("a webhook"))?;
            writes.push(TransactWriteItem::builder().update(urls).build());
        }
        writes.extend(self.subscription_writes(endpoint, Some(endpoint), &[], now).await?);
        let is_ours = |there: &Item| is_by(there, &mark) || was_deleted_at(there, now);
        self.give_back(&endpoint.tenant_id, endpoint.counted(), (writes, told), is_ours).await
    }

    /// Writes a deletion, and gives back what the endpoint was counted with: no quota is in its way.
    pub(super) async fn give_back(
        &self,
        tenant: &TenantId,
        bytes: u64,
        (writes, told): (Vec<TransactWriteItem>, &Told),
        is_ours: impl Fn(&Item) -> bool,
    ) -> Result<Recorded, Failure> {
        let given_back = self.write_counted(tenant, (Shift::deleted(bytes), None), (writes, told), is_ours).await?;
        Ok(given_back.unwrap_or(Recorded::Overtaken))
    }

    /// Notes an endpoint's first failure since its last success; a later one changes nothing. It counts as a change of the
    /// endpoint, or an owner's change made from what stood before would undo it.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn note_failing(&self, endpoint: &Endpoint, since: Timestamp) -> Result<Recorded, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(endpoint_place(&endpoint.tenant_id, &endpoint.id)))
            .update_expression("SET failing_since = :since, changed_by = :by ADD revision :one")
            .condition_expression(format!(
                "attribute_exists(pk) AND attribute_not_exists(failing_since) AND {}",
                Self::is_where_it_was(endpoint)
            ))
            .expression_attribute_values(":url", number(endpoint.url_version))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":since", text(time::wire(since)));
        self.update_endpoint(update, &entropy::mark()).await
    }

    /// Whether it still has the URL that it was read with: what another URL answered says nothing about this one. Rows of a
    /// version that counted no URLs have their first.
    pub(super) fn is_where_it_was(endpoint: &Endpoint) -> &'static str {
        match endpoint.url_version {
            FIRST_URL_VERSION => "(attribute_not_exists(url_version) OR url_version = :url)",
            _ => "url_version = :url",
        }
    }

    /// Notes that an endpoint has succeeded again.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn note_succeeding(&self, endpoint: &Endpoint) -> Result<Recorded, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(endpoint_place(&endpoint.tenant_id, &endpoint.id)))
            .update_expression("SET changed_by = :by REMOVE failing_since, down_since ADD revision :one")
            .condition_expression(format!("attribute_exists(pk) AND {}", Self::is_where_it_was(endpoint)))
            .expression_attribute_values(":url", number(endpoint.url_version))
            .expression_attribute_values(":one", number(1));
        self.update_endpoint(update, &entropy::mark()).await
    }

    /// Disables an endpoint that is active, has not moved and, if it is disabled for failing, still fails since the time that was read (a
    /// success or its owner may have ended that); with the reason. And announces it, both or neither: of several callers one
    /// does it, and none is forgotten.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn disable_endpoint(
        &self,
        endpoint: &Endpoint,
        (reason, failing_since): (&str, Option<Timestamp>),
        now: Timestamp,
        announcement: TransactWriteItem,
    ) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let active = format!(
            "#status = :active AND attribute_not_exists(deleted_at) AND {} AND {}",
            Self::is_where_it_was(endpoint),
            is_at(endpoint.parking.as_ref())
        );
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(endpoint_place(&endpoint.tenant_id, &endpoint.id)))
            .update_expression(format!(
                "SET #status = :disabled, disabled_reason = :reason, disabled_at = :now, changed_by = :by{} \
                 ADD revision :one",
                if endpoint.parking.is_some() { ", parking = :parking" } else { "" }
            ))
            .set_expression_attribute_values(another_chance(endpoint, now)?)
            .expression_attribute_values(":by", text(mark.as_str()))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":disabled", text(EndpointStatus::Disabled.as_str()))
            .expression_attribute_values(":active", text(EndpointStatus::Active.as_str()))
            .expression_attribute_values(":url", number(endpoint.url_version))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":reason", text(reason))
            .expression_attribute_values(":now", text(time::wire(now)));
        let update = match failing_since {
            Some(since) => update
                .condition_expression(format!("{active} AND failing_since = :since"))
                .expression_attribute_values(":since", text(time::wire(since))),
            None => update.condition_expression(active),
        };
        let update = at_step(update, endpoint.parking.as_ref()).build().map_err(unwritable("a webhook"))?;
        let announced =
            announcement.put.as_ref().and_then(|put| text_of(&put.item, "id")).unwrap_or_default().to_owned();
        let writes = vec![TransactWriteItem::builder().update(update).build(), announcement];
        // Written together, either of them tells that both are: the webhook may have been changed since, its event never is.
        self.write_endpoint(writes, |there| is_by(there, &mark) || has_id(there, &announced)).await
    }

    fn endpoint_row(&self, endpoint: &Endpoint, mark: &Mark) -> Result<PutBuilder, Failure> {
        let sort = format!("{ENDPOINT_PREFIX}{}", endpoint.id);
        let mut item = keyed(to_item(endpoint)?, tenant_partition(&endpoint.tenant_id), sort);
        item.insert(CHANGED_BY.to_owned(), text(mark.as_str()));
        Ok(Put::builder().table_name(&self.name).set_item(Some(item)))
    }

    /// Writes an endpoint and what belongs to it; refused, it was written before where what stands there `is_ours`.
    pub(super) async fn write_endpoint(
        &self,
        writes: Vec<TransactWriteItem>,
        is_ours: impl Fn(&Item) -> bool,
    ) -> Result<Recorded, Failure> {
        transact(&self.client, "TransactWriteItems webhook", writes, is_ours).await
    }

    pub(super) async fn update_endpoint(
        &self,
        update: UpdateItemFluentBuilder,
        mark: &Mark,
    ) -> Result<Recorded, Failure> {
        let update = update.expression_attribute_values(":by", text(mark.as_str()));
        conditional::update("UpdateItem webhook", update, |there| is_by(there, mark)).await
    }
}
