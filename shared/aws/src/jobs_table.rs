//! The jobs table: `id`. A job's every change is written over the state that it was made from; its last one together with
//! the event that tells of it, so that there is one event however many reports race.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use aws_types::SdkConfig;
use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use postrider_domain::dialect::JobKind;
use postrider_domain::event::Event;
use postrider_domain::id::{JobId, TenantId};
use postrider_domain::job::Job;
use postrider_domain::key::hash_of;
use postrider_host::entropy;
use postrider_host::env::{self, BadSetting};
use serde::{Deserialize, Serialize};

use crate::conditional::{CHANGED_BY, Recorded, is_by, transact};
use crate::error::{Failure, failed, unwritable};
use crate::events_table::EventsTable;
use crate::item::{Item, from_item, number, text, text_of, to_item};
use crate::rows::{ids, readable};
use crate::{Page, page};

mod removal;

/// How long an Idempotency-Key of a job is remembered.
const KEY_SECONDS: i64 = 48 * 3600;
const READS_AT_ONCE: usize = 16;

/// The jobs table.
#[derive(Clone)]
pub struct JobsTable {
    client: Client,
    name: String,
    events: EventsTable,
}

/// A customer's key for a job, and what he asked for with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobKey {
    /// Where its row lies; the tenant stands in it.
    pub id: String,
    /// The job that it made.
    pub job_id: JobId,
    /// A digest of what was asked for.
    pub request: String,
    /// When it is forgotten, in seconds since 1970. Rows outlive their time by up to two days, so it is compared too.
    pub expires_at: i64,
}

impl JobKey {
    /// The key's row for a job that is made at `now`.
    pub fn new(tenant: &TenantId, key: &str, job_id: &JobId, request: &str, now: Timestamp) -> Self {
        Self {
            id: Self::place(tenant, key),
            job_id: job_id.clone(),
            request: hash_of(request),
            expires_at: now.as_second() + KEY_SECONDS,
        }
    }

    /// Whether it was used for this request.
    pub fn is_for(&self, request: &str) -> bool {
        self.request == hash_of(request)
    }

    fn place(tenant: &TenantId, key: &str) -> String {
        format!("KEY#{tenant}#{key}")
    }
}

/// What became of a creation.
#[derive(Debug)]
pub enum Created {
    /// The job is new.
    New,
    /// The key had made this one.
    Before(Box<JobKey>),
}

impl JobsTable {
    /// From `JOBS_TABLE` and `EVENTS_TABLE`.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::of(sdk, &env::var("JOBS_TABLE")?, EventsTable::from_env(sdk)?))
    }

    /// The table of this name, beside the one that its jobs' events are put into.
    pub fn of(sdk: &SdkConfig, name: &str, events: EventsTable) -> Self {
        Self { client: Client::new(sdk), name: name.to_owned(), events }
    }

    /// Puts a new job, what announces it, and its key if it has one: all or nothing.
    ///
    /// # Errors
    /// When the write failed; a creation with a key may be repeated.
    pub async fn create(
        &self,
        job: &Job,
        announcement: &Event,
        key: Option<&JobKey>,
        now: Timestamp,
    ) -> Result<Created, Failure> {
        let row = Put::builder().table_name(&self.name).set_item(Some(listed(job)?));
        let mut writes = vec![
            write(row.condition_expression("attribute_not_exists(id)"))?,
            self.events.put_in_transaction(announcement)?,
        ];
        if let Some(key) = key {
            let row = Put::builder()
                .table_name(&self.name)
                .set_item(Some(to_item(key)?))
                .condition_expression("attribute_not_exists(id) OR expires_at <= :now")
                .expression_attribute_values(":now", number(now.as_second()));
            writes.push(write(row)?);
        }
        // The job's id is random: whoever has it, or a key that made it, is this creation.
        let is_ours = |there: &Item| {
            let made = if there.contains_key("job_id") { "job_id" } else { "id" };
            text_of(there, made) == Some(job.id.as_str())
        };
        match (transact(&self.client, "TransactWriteItems job", writes, is_ours).await?, key) {
            (Recorded::Yes, _) => Ok(Created::New),
            (Recorded::Overtaken, Some(key)) => match self.key(&key.id).await? {
                Some(before) => Ok(Created::Before(Box::new(before))),
                None => Err(Failure::CameAndWent("a job's key")),
            },
            (Recorded::Overtaken, None) => Err(Failure::Taken("a job")),
        }
    }

    /// Puts a changed job over the state that it was made from, and with its last change the event that tells of it.
    ///
    /// # Errors
    /// When the write failed; repeating the report is harmless.
    pub async fn change(&self, before: &Job, after: &Job, closing: Option<&Event>) -> Result<Recorded, Failure> {
        let mark = entropy::mark();
        let mut item = listed(after)?;
        item.insert(CHANGED_BY.to_owned(), text(mark.as_str()));
        let row = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("revision = :was")
            .expression_attribute_values(":was", number(before.revision));
        let mut writes = vec![write(row)?];
        if let Some(event) = closing {
            writes.push(self.events.put_in_transaction(event)?);
        }
        // Overwritten by another report, it is applied again to what stands there now, where it changes nothing more; and nobody
        // changes a job that has ended.
        transact(&self.client, "TransactWriteItems job", writes, |there| is_by(there, &mark)).await
    }

    /// The job of this id, whoever's it is.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn get(&self, id: &JobId) -> Result<Option<Job>, Failure> {
        self.row(id.as_str()).await
    }

    /// A page of a tenant's jobs of a kind, the newest first.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn list(
        &self,
        tenant: &TenantId,
        kind: JobKind,
        limit: i32,
        after: Option<&JobId>,
    ) -> Result<Page<Job, JobId>, Failure> {
        let found = self.listed(tenant, kind, limit, after).await?;
        let ids: Vec<JobId> = ids(&found.rows, "id", "");
        let reads = ids.iter().map(|id| self.item(id.as_str()));
        let items: Vec<Option<Item>> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(Page { rows: readable(items.into_iter().flatten()), next: found.next })
    }

    /// A page of a tenant's list of jobs of a kind.
    async fn listed(
        &self,
        tenant: &TenantId,
        kind: JobKind,
        limit: i32,
        after: Option<&JobId>,
    ) -> Result<Page<Item, JobId>, Failure> {
        let list = list_of(tenant, Some(kind));
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("listed")
            .key_condition_expression("listed_tenant = :tenant")
            .expression_attribute_values(":tenant", text(list.as_str()))
            .scan_index_forward(false)
            .limit(limit);
        if let Some(after) = after {
            query =
                query.exclusive_start_key("listed_tenant", text(list)).exclusive_start_key("id", text(after.as_str()));
        }
        page::of(query, "Query jobs", ("id", "")).await
    }

    /// What a tenant's key made, if it is remembered at `now`.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn made_with(&self, tenant: &TenantId, key: &str, now: Timestamp) -> Result<Option<JobKey>, Failure> {
        let made = self.key(&JobKey::place(tenant, key)).await?;
        Ok(made.filter(|made| made.expires_at > now.as_second()))
    }

    async fn key(&self, id: &str) -> Result<Option<JobKey>, Failure> {
        self.row(id).await
    }

    async fn row<T: serde::de::DeserializeOwned>(&self, id: &str) -> Result<Option<T>, Failure> {
        self.item(id).await?.map(from_item).transpose()
    }

    async fn item(&self, id: &str) -> Result<Option<Item>, Failure> {
        let read = self.client.get_item().table_name(&self.name).key("id", text(id)).consistent_read(true);
        Ok(read.send().await.map_err(failed("GetItem jobs"))?.item)
    }
}

/// A job's row, in its tenant's list of jobs of its kind.
fn listed(job: &Job) -> Result<Item, Failure> {
    let mut item = to_item(job)?;
    item.insert("listed_tenant".to_owned(), text(list_of(&job.tenant_id, job.dialect.jobs)));
    Ok(item)
}

/// Where a tenant's jobs of a kind are listed.
fn list_of(tenant: &TenantId, kind: Option<JobKind>) -> String {
    match kind {
        Some(JobKind::Projects) => format!("{tenant}/projects"),
        Some(JobKind::Task) | None => tenant.to_string(),
    }
}

fn write(put: PutBuilder) -> Result<TransactWriteItem, Failure> {
    let put = put.build().map_err(unwritable("a job's row"))?;
    Ok(TransactWriteItem::builder().put(put).build())
}
