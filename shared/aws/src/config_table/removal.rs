//! What is left of a tenant that is being deleted, and taking it away. Only rows of the tenant's own partitions can be named here, and what
//! lies elsewhere follows from them; where its key does not say whose it is, a condition asks.
//!
//! A row in `TENANT#ten_…` goes without being known here. One that lies elsewhere has to be: if its key says whose it is, [`OwnRow::named`]
//! has it, and if it does not, [`OwnRow::elsewhere`].

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use postrider_domain::cancellation::Cancellation;
use postrider_domain::deletion::Doomed;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::recovery::Recovery;

use super::recoveries::{Lasting, RUNNING};
use super::{ConfigTable, ENDPOINT_PREFIX, TENANT_SORT, calls, failures, keyed, sessions, tenant_partition};
use crate::conditional::{Recorded, transact};
use crate::error::{Failure, failed, unwritable};
use crate::item::{Item, text, text_of};

const CALL: &str = "TransactWriteItems removal";
/// Deletes of one transaction, which takes 100 actions: a webhook's subscriptions beside what else belongs to it.
const AT_ONCE: usize = 90;

/// What a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A key in its owner's list.
    Key,
    /// A webhook, or the tombstone of one.
    Webhook(EndpointId),
    /// A session in the portal, or the link to one.
    Session,
    /// A recovery or a cancellation, which may be running.
    Lasting,
    /// Anything else.
    Other,
}

/// A row in one of a doomed tenant's own partitions.
#[derive(Debug, Clone)]
pub struct OwnRow {
    tenant: TenantId,
    partition: String,
    sort: String,
    item: Item,
}

/// The partitions that are a tenant's alone: its own, and that of the calls which its keys made.
fn partitions_of(tenant: &TenantId) -> [String; 2] {
    [tenant_partition(tenant), calls::partition_of(tenant)]
}

/// A page of what is left.
#[derive(Debug)]
pub struct Left {
    /// Its rows, without the tenant's own, which stays.
    pub rows: Vec<OwnRow>,
    /// Whether more may follow.
    pub has_more: bool,
}

impl OwnRow {
    /// What it is.
    pub fn kind(&self) -> Kind {
        if self.sort.starts_with("KEY#") {
            return Kind::Key;
        }
        if self.sort.starts_with(sessions::LIST_PREFIX) {
            return Kind::Session;
        }
        let mut lasting = <Recovery as Lasting>::PREFIXES.iter().chain(<Cancellation as Lasting>::PREFIXES);
        if lasting.any(|prefix| self.sort.starts_with(prefix)) {
            return Kind::Lasting;
        }
        let webhook = self.sort.strip_prefix(ENDPOINT_PREFIX).and_then(|id| id.parse().ok());
        webhook.map_or(Kind::Other, Kind::Webhook)
    }

    /// Whether something else is the same tenant's.
    pub fn is_beside(&self, tenant: &TenantId) -> bool {
        self.tenant == *tenant
    }

    /// Where its place is elsewhere, for what has one: that of a key by which it is found, that of a session, that of a recovery or
    /// cancellation among those that run.
    fn elsewhere(&self) -> Option<(String, String)> {
        match self.kind() {
            Kind::Key => Some((format!("KEY#{}", text_of(&self.item, "hash")?), "KEY".to_owned())),
            Kind::Session => {
                let place = sessions::place_of(&self.item)?;
                Some((text_of(&place, "pk")?.to_owned(), text_of(&place, "sk")?.to_owned()))
            }
            Kind::Lasting => Some((RUNNING.to_owned(), self.sort.clone())),
            Kind::Webhook(_) | Kind::Other => None,
        }
    }

    /// Rows elsewhere whose keys name the tenant. Of a webhook they are its subscriptions, as far as its row names them, and its place among
    /// those for which something is parked; of counted failures, the tenant's place among those that have some. Of subscriptions that had ended before it names none; they go by themselves within two days.
    fn named(&self) -> Vec<(String, String)> {
        if self.sort == failures::SORT {
            return vec![(failures::LIST.to_owned(), self.tenant.to_string())];
        }
        let Kind::Webhook(id) = self.kind() else { return Vec::new() };
        let events = self.item.get("events").and_then(|events| events.as_l().ok());
        let patterns: BTreeSet<&String> = events.into_iter().flatten().filter_map(|name| name.as_s().ok()).collect();
        let subscription = |pattern: &String| (format!("SUBSCRIPTION#{}#{pattern}", self.tenant), id.to_string());
        let parked = ("PARKED".to_owned(), format!("{ENDPOINT_PREFIX}{}#{id}", self.tenant));
        patterns.into_iter().map(subscription).chain([parked]).collect()
    }
}

impl ConfigTable {
    /// A page of what is left in a doomed tenant's partitions, so many rows of each. What is taken away is in no later one, so each begins at
    /// the beginning.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn left_of(&self, doomed: &Doomed, limit: i32) -> Result<Left, Failure> {
        let mut left = Left { rows: Vec::new(), has_more: false };
        for partition in partitions_of(doomed.id()) {
            let page = self
                .client
                .query()
                .table_name(&self.name)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(partition.as_str()))
                .consistent_read(true)
                .limit(limit)
                .send()
                .await
                .map_err(failed("Query config"))?;
            left.has_more |= page.last_evaluated_key.is_some();
            let own = |item: Item| {
                let (tenant, partition) = (doomed.id().clone(), partition.clone());
                let sort = text_of(&item, "sk")?.to_owned();
                (sort != TENANT_SORT).then(|| OwnRow { tenant, partition, sort, item })
            };
            left.rows.extend(page.items.unwrap_or_default().into_iter().filter_map(own));
        }
        Ok(left)
    }

    /// Takes a row away, and before it, or with it, what lies elsewhere and only it tells of.
    ///
    /// # Errors
    /// When a write failed; repeating it is harmless.
    pub async fn remove(&self, row: &OwnRow) -> Result<(), Failure> {
        let own = (row.partition.clone(), row.sort.clone());
        let named = row.named();
        let mut parts: Vec<Vec<(String, String)>> = named.chunks(AT_ONCE).map(<[_]>::to_vec).collect();
        let mut last = parts.pop().unwrap_or_default();
        last.push(own.clone());
        for part in parts {
            self.delete_all(part, None).await?;
        }
        let elsewhere = row.elsewhere().map(|(pk, sk)| (pk, sk, &row.tenant));
        if self.delete_all(last, elsewhere).await? == Recorded::Overtaken {
            // What lies elsewhere is another tenant's: whoever has put this row there by hand takes nobody's key away with it.
            tracing::error!(tenant_id = row.tenant.as_str(), row = row.sort, "removal.not_its_own");
            self.delete_all(vec![own], None).await?;
        }
        Ok(())
    }

    async fn delete_all(
        &self,
        named: Vec<(String, String)>,
        elsewhere: Option<(String, String, &TenantId)>,
    ) -> Result<Recorded, Failure> {
        let delete = |pk, sk| Delete::builder().table_name(&self.name).set_key(Some(keyed(Item::new(), pk, sk)));
        let of_tenant = elsewhere.map(|(pk, sk, tenant)| {
            delete(pk, sk)
                .condition_expression("attribute_not_exists(pk) OR tenant_id = :tenant")
                .expression_attribute_values(":tenant", text(tenant.as_str()))
        });
        let deletes = named.into_iter().map(|(pk, sk)| delete(pk, sk)).chain(of_tenant);
        let writes = deletes.map(|delete| {
            let delete = delete.build().map_err(unwritable("a removal"))?;
            Ok(TransactWriteItem::builder().delete(delete).build())
        });
        let writes = writes.collect::<Result<Vec<_>, Failure>>()?;
        transact(&self.client, CALL, writes, |_| false).await
    }
}
