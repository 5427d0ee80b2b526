//! Recoveries, and the list of those that are running, from which the sweep takes them up again. What else goes on page by page has
//! its places beside them.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use postrider_domain::cancellation::Cancellation;
use postrider_domain::id::{CancellationId, DeliveryId, RecoveryId, TenantId};
use postrider_domain::quota::{Exceeded, Quota, Quotas};
use postrider_domain::recovery::{Progress, Recovery};
use postrider_host::entropy;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{ConfigTable, keyed, tenant_partition};
use crate::conditional::{CHANGED_BY, Recorded, has_id, is_by, transact, transact_in_a_crowd};
use crate::error::{Failure, failed, unwritable};
use crate::item::{Item, number, text, to_item};

pub(super) const RUNNING: &str = "RECOVERIES";
/// The ids of what one tenant has running, for its quota.
const RUNNING_OF_TENANT: &str = "RECOVERING";
const CALL: &str = "TransactWriteItems recovery";
/// How often one is tried that others overtake.
const TRIES: usize = 4;
const READS_AT_ONCE: usize = 16;
/// The row beside the list that holds whose turn was the last.
const SERVED: &str = "SERVED";

/// Whose turn was the last.
#[derive(Serialize, Deserialize)]
struct Served {
    /// A cancellation's, too.
    recovery_id: String,
}

/// What goes on page by page until it is done, with a row of its tenant's, a place in the list of what runs, and one of the places that
/// its tenant has.
pub(super) trait Lasting: Serialize + DeserializeOwned + Sync {
    /// What its rows' sort keys may begin with, before its id.
    const PREFIXES: &'static [&'static str];
    /// What all of these begin with, and nothing else in the list of what runs.
    const LISTED: &'static str;

    /// What its own rows' sort keys begin with.
    fn prefix(&self) -> &'static str;

    /// Its id, which is random.
    fn id(&self) -> &str;
    /// Whose it is.
    fn tenant_id(&self) -> &TenantId;
    /// How far it has come: the attribute that says so, and what stands there. It is carried on only from where it was read.
    fn place(&self) -> (&'static str, Option<&str>);
    /// Whether it has come to its end.
    fn is_done(&self) -> bool;
}

/// Of a recovery of all that a webhook missed.
const OF_ALL: &str = "RECOVERY#";
/// Of one that somebody asked for something else. A function of an earlier version, which would send all again, does not find it.
const OF_SOME: &str = "RECOVERY_OF_SOME#";

impl Lasting for Recovery {
    const PREFIXES: &'static [&'static str] = &[OF_ALL, OF_SOME];
    const LISTED: &'static str = "RECOVERY";

    fn prefix(&self) -> &'static str {
        if self.chosen.is_usual() { OF_ALL } else { OF_SOME }
    }

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn tenant_id(&self) -> &TenantId {
        &self.tenant_id
    }

    fn place(&self) -> (&'static str, Option<&str>) {
        match self.chosen.never_matched {
            true => ("listed_after", self.listed_after.as_deref()),
            false => ("after", self.after.as_ref().map(DeliveryId::as_str)),
        }
    }

    fn is_done(&self) -> bool {
        self.status == Progress::Done
    }
}

/// The sort key of one.
fn sort_of(one: &impl Lasting) -> String {
    format!("{}{}", one.prefix(), one.id())
}

impl ConfigTable {
    /// Puts a new recovery and its place in the list of running ones, both or neither, if its tenant may have one more running.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn create_recovery(&self, recovery: &Recovery, quotas: Quotas) -> Result<Result<(), Exceeded>, Failure> {
        self.begin(recovery, quotas).await
    }

    /// Puts what is to go on, as [`ConfigTable::create_recovery`] says.
    pub(super) async fn begin<T: Lasting>(&self, new: &T, quotas: Quotas) -> Result<Result<(), Exceeded>, Failure> {
        let mut limit = quotas.recoveries;
        for _ in 0..TRIES {
            if let Err(exceeded) = self.place_for_one_more(new.tenant_id(), limit).await? {
                match self.quotas_now(new.tenant_id()).await? {
                    Some(todays) if todays.recoveries != limit => limit = todays.recoveries,
                    _ => return Ok(Err(exceeded)),
                }
            } else if self.put_new(new, limit).await? == Recorded::Yes {
                return Ok(Ok(()));
            }
        }
        Ok(Err(Exceeded::until_given_back(Quota::Recoveries, limit)))
    }

    /// Whether a tenant may have one more running. Those are dropped from its list that no longer run: of one that a function of an
    /// earlier version ended, or whose row is gone or cannot be read, nobody would ever say so.
    async fn place_for_one_more(&self, tenant: &TenantId, limit: u64) -> Result<Result<(), Exceeded>, Failure> {
        let running = running_in(self.get_item(tenant_partition(tenant), RUNNING_OF_TENANT).await?.as_ref());
        if (running.len() as u64) < limit {
            return Ok(Ok(()));
        }
        let looks = running.iter().map(|id| async move {
            let is_over = match id.starts_with(CancellationId::PREFIX) {
                true => self.is_over::<Cancellation>(tenant, id).await?,
                false => self.is_over::<Recovery>(tenant, id).await?,
            };
            Ok::<_, Failure>(is_over.then(|| id.clone()))
        });
        let ended: Vec<Option<String>> = stream::iter(looks).buffered(READS_AT_ONCE).try_collect().await?;
        let ended: Vec<String> = ended.into_iter().flatten().collect();
        if !ended.is_empty() {
            let left = running.len() - ended.len();
            let drop = self.running_update(tenant, "DELETE running :ids", ended)?;
            transact(&self.client, CALL, vec![drop], |_| false).await?;
            if (left as u64) < limit {
                return Ok(Ok(()));
            }
        }
        Ok(Err(Exceeded::until_given_back(Quota::Recoveries, limit)))
    }

    async fn is_over<T: Lasting>(&self, tenant: &TenantId, id: &str) -> Result<bool, Failure> {
        for prefix in T::PREFIXES {
            let row: Option<T> = self.get_readable(tenant_partition(tenant), &format!("{prefix}{id}")).await?;
            if let Some(row) = row {
                return Ok(row.is_done());
            }
        }
        Ok(true)
    }

    /// Puts it where so few run; overtaken, others have begun meanwhile.
    async fn put_new<T: Lasting>(&self, new: &T, limit: u64) -> Result<Recorded, Failure> {
        let running = keyed(to_item(new)?, RUNNING.to_owned(), sort_of(new));
        let listing =
            Put::builder().table_name(&self.name).set_item(Some(running)).build().map_err(unwritable("a recovery"))?;
        let row = self
            .lasting_row(new)?
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(unwritable("a recovery"))?;
        let mut counted = self.running_update(new.tenant_id(), "ADD running :ids", vec![new.id().to_owned()])?;
        if let Some(update) = &mut counted.update {
            update.condition_expression = Some("attribute_not_exists(running) OR size(running) < :limit".to_owned());
            update.expression_attribute_values.get_or_insert_default().insert(":limit".to_owned(), number(limit));
        }
        let [row, listing] = [row, listing].map(|put| TransactWriteItem::builder().put(put).build());
        // Its id is random: whoever has it is this one. The count may be refused beside it, by this very one.
        let writes = vec![row, listing, counted];
        transact_in_a_crowd(&self.client, CALL, writes, |there| has_id(there, new.id())).await
    }

    /// A change of the list of what a tenant has running; repeated, it changes nothing more.
    fn running_update(&self, tenant: &TenantId, change: &str, ids: Vec<String>) -> Result<TransactWriteItem, Failure> {
        let update = Update::builder()
            .table_name(&self.name)
            .key("pk", text(tenant_partition(tenant)))
            .key("sk", text(RUNNING_OF_TENANT))
            .update_expression(change)
            .expression_attribute_values(":ids", AttributeValue::Ss(ids))
            .build()
            .map_err(unwritable("a recovery"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The recovery of this tenant and id.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn recovery(&self, tenant: &TenantId, id: &RecoveryId) -> Result<Option<Recovery>, Failure> {
        self.lasting(tenant, id.as_str()).await
    }

    pub(super) async fn lasting<T: Lasting>(&self, tenant: &TenantId, id: &str) -> Result<Option<T>, Failure> {
        for prefix in T::PREFIXES {
            let found = self.get(tenant_partition(tenant), &format!("{prefix}{id}")).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The recoveries that are running, the oldest first, as they were when they began.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn running_recoveries(&self) -> Result<Vec<Recovery>, Failure> {
        self.running().await
    }

    pub(super) async fn running<T: Lasting>(&self) -> Result<Vec<T>, Failure> {
        self.all(RUNNING.to_owned(), T::LISTED).await
    }

    /// The recovery or cancellation whose turn was the last of a sweep that came to no end, by its id; it may be done by now.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn last_served(&self) -> Result<Option<String>, Failure> {
        let served: Option<Served> = self.get(RUNNING.to_owned(), SERVED).await?;
        Ok(served.map(|served| served.recovery_id))
    }

    /// Notes whose turn was the last. A hint: sweeps that meet write over each other's.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn note_served(&self, id: &str) -> Result<(), Failure> {
        let item = keyed(to_item(&Served { recovery_id: id.to_owned() })?, RUNNING.to_owned(), SERVED.to_owned());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.map_err(failed("PutItem recovery"))?;
        Ok(())
    }

    /// Notes how far a recovery has come since `before`, unless somebody else has carried it on meanwhile: then his count of the
    /// page stands. One that is done leaves the lists of running ones in the same write, and so gives its place back.
    ///
    /// # Errors
    /// When the write failed; the page before it will be seen again, which is harmless.
    pub async fn note_recovery(&self, before: &Recovery, recovery: &Recovery) -> Result<Recorded, Failure> {
        self.note(before, recovery).await
    }

    pub(super) async fn note<T: Lasting>(&self, before: &T, now: &T) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let mut row = self.lasting_row(now)?;
        if let Some(item) = row.get_item().clone() {
            let marked = item.into_iter().chain([(CHANGED_BY.to_owned(), text(mark.as_str()))]);
            row = row.set_item(Some(marked.collect()));
        }
        let (name, place) = before.place();
        let row = row
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":running", text("running"))
            .expression_attribute_names("#place", name);
        let row = match place {
            Some(place) => row
                .condition_expression("#status = :running AND #place = :place")
                .expression_attribute_values(":place", text(place)),
            None => row.condition_expression("#status = :running AND attribute_not_exists(#place)"),
        };
        let mut writes = vec![TransactWriteItem::builder().put(row.build().map_err(unwritable("a recovery"))?).build()];
        if now.is_done() {
            let place: Item = [("pk".to_owned(), text(RUNNING)), ("sk".to_owned(), text(sort_of(now)))].into();
            let delete = Delete::builder()
                .table_name(&self.name)
                .set_key(Some(place))
                .build()
                .map_err(unwritable("a recovery"))?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
            writes.push(self.running_update(now.tenant_id(), "DELETE running :ids", vec![now.id().to_owned()])?);
        }
        transact(&self.client, CALL, writes, |there| is_by(there, &mark)).await
    }

    fn lasting_row(&self, one: &impl Lasting) -> Result<PutBuilder, Failure> {
        let item = keyed(to_item(one)?, tenant_partition(one.tenant_id()), sort_of(one));
        Ok(Put::builder().table_name(&self.name).set_item(Some(item)))
    }
}

/// The ids that stand in a tenant's list of what runs.
fn running_in(row: Option<&Item>) -> Vec<String> {
    row.and_then(|row| row.get("running")?.as_ss().ok()).cloned().unwrap_or_default()
}
