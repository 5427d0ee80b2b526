//! Tenants that are being deleted: everything of them is taken away, page by page, and what waits is called off.
//!
//! Those that go on have their turns, a page each, until the time is over. Each sweep begins with another one, so none starves behind
//! one that fails. What is taken away is found by no later page, and a page that is seen again finds the rest of it: whoever dies in
//! between has done no harm.

use std::collections::VecDeque;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use postrider_aws::config_table::{ConfigTable, Kind, OwnRow};
use postrider_aws::deliveries_table::{DeliveriesTable, Filter, Standing};
use postrider_aws::jobs_table::JobsTable;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{Failure, Recorded, rows};
use postrider_domain::deletion::{Deletion, Doomed, Looked, Removed, Stage, TOMBSTONE_KEPT_SECONDS};
use postrider_domain::delivery::{Delivery, Reason, Status};
use postrider_domain::dialect::JobKind;
use postrider_domain::id::EndpointId;
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::{clock, deadline, entropy};

use crate::done::{Failures, Swept};

/// What a page takes at the most. With less left, none is begun, and what takes longer is cut off.
pub const FOR_A_PAGE: Duration = Duration::from_secs(3);
/// Rows of configuration in a page.
const ROWS: i32 = 25;
/// Deliveries in a page, and jobs.
const PAGE: i32 = 100;
/// Parked deliveries of a webhook that are called off together.
const PARKED: u32 = 100;
/// What so many more take at the most. With less left of a page, the rest is a later one's, and so is the webhook.
const FOR_MORE: Duration = Duration::from_secs(1);
/// Rows that are taken away, or called off, at once.
const AT_ONCE: usize = 16;

/// Deletes tenants.
pub(crate) struct Deletions {
    config: ConfigTable,
    deliveries: DeliveriesTable,
    jobs: JobsTable,
    retention: Retention,
}

impl Deletions {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            config: ConfigTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            jobs: JobsTable::from_env(sdk)?,
            retention: env::retention()?,
        })
    }

    /// Goes on with every deletion that may have begun, as long as there is time for a page; how many there are.
    pub(crate) async fn carry_on_all(&self) -> Swept<usize> {
        let mut failures = Failures::default();
        let mut running = match self.config.running_deletions().await {
            Ok(running) => running,
            Err(error) => {
                failures.add(error);
                return failures.beside(0);
            }
        };
        let (number, now) = (running.len(), clock::now());
        running.retain(|deletion| deletion.may_begin(now));
        if !running.is_empty() {
            let first = usize::try_from(entropy::bits64() % running.len() as u64).unwrap_or_default();
            running.rotate_left(first);
        }
        let mut turns = VecDeque::from(running);
        while deadline::left() > FOR_A_PAGE
            && let Some(deletion) = turns.pop_front()
        {
            match deadline::at_most(FOR_A_PAGE, self.take(&deletion)).await {
                Ok(next) => turns.extend(next),
                Err(error) => {
                    let tenant_id = deletion.tenant_id.as_str();
                    tracing::error!(tenant_id, stage = deletion.stage.as_str(), error = %error, "deletion.failed_for_now");
                    failures.add(error);
                }
            }
        }
        failures.beside(number)
    }

    /// A page of one; the deletion if it goes on after it.
    async fn take(&self, deletion: &Deletion) -> Result<Option<Deletion>, Failure> {
        let Some(tenant) = self.config.tenant_or_tombstone(&deletion.tenant_id).await? else {
            rows::missing(deletion.tenant_id.as_str());
            return Ok(None);
        };
        if tenant.erased_at.is_some() {
            self.config.unlist_deletion(deletion).await?;
            return Ok(None);
        }
        let Some(doomed) = Doomed::of(&tenant) else {
            // Whatever has put it into the list: a tenant whose own row does not say so is not deleted.
            tracing::error!(tenant_id = deletion.tenant_id.as_str(), "deletion.of_a_tenant_that_lives");
            return Ok(None);
        };
        let (removed, looked) = match deletion.stage {
            Stage::Configuration => self.take_configuration(&doomed).await?,
            Stage::Deliveries => self.call_off(&doomed, deletion).await?,
            Stage::Generations => self.take_jobs(&doomed, JobKind::Projects, deletion).await?,
            Stage::Tasks => self.take_jobs(&doomed, JobKind::Task, deletion).await?,
        };
        match deletion.after_page(removed, looked) {
            Some(after) => {
                let noted = self.config.note_deletion(deletion, &after).await?;
                // Overtaken, somebody else goes on with it.
                Ok(Some(after).filter(|_| noted == Recorded::Yes))
            }
            None => {
                let now = clock::now();
                let expires_at = now.as_second() + self.retention.seconds + TOMBSTONE_KEPT_SECONDS;
                let ended = self.config.end_deletion(&doomed, deletion, (now, expires_at)).await?;
                tracing::info!(tenant_id = doomed.id().as_str(), ended = ended == Recorded::Yes, "tenant.deleted");
                Ok(None)
            }
        }
    }

    /// Keys, webhooks, recoveries and all else in the tenant's own partitions. Only a page without a row is the last one: whoever goes on with
    /// something of the tenant's may have written a row beside another that was just taken away.
    async fn take_configuration(&self, doomed: &Doomed) -> Result<(Removed, Looked), Failure> {
        let left = self.config.left_of(doomed, ROWS).await?;
        if left.rows.is_empty() && !left.has_more {
            return Ok((Removed::default(), Looked::NothingLeft));
        }
        let takes = left.rows.iter().map(|row| self.take_row(row));
        let taken: Vec<_> = stream::iter(takes).buffer_unordered(AT_ONCE).collect().await;
        let mut removed = Removed::default();
        for one in taken {
            removed = removed + one?;
        }
        Ok((removed, Looked::More(None)))
    }

    /// Takes a row away; of a webhook what is parked for it first, since only by its id that is found. A webhook for which more is parked
    /// than there is time for stays for a later page.
    async fn take_row(&self, row: &OwnRow) -> Result<Removed, Failure> {
        let kind = row.kind();
        let mut removed = Removed::default();
        if let Kind::Webhook(endpoint) = &kind {
            let (called_off, is_all) = self.call_off_parked(row, endpoint).await?;
            removed.deliveries = called_off;
            if !is_all {
                return Ok(removed);
            }
        }
        self.config.remove(row).await?;
        match kind {
            Kind::Key => removed.keys = 1,
            Kind::Webhook(endpoint) => {
                removed.webhooks = 1;
                // A fan-out that had read the webhook before may have parked something in between, of which nobody would know any more.
                removed.deliveries += self.call_off_parked(row, &endpoint).await?.0;
            }
            Kind::Session | Kind::Lasting | Kind::Other => {}
        }
        Ok(removed)
    }

    /// Calls off what is parked for a webhook, whether it was tried or not, as far as the time goes; how many those were, and whether
    /// that is all.
    async fn call_off_parked(&self, row: &OwnRow, endpoint: &EndpointId) -> Result<(u64, bool), Failure> {
        let (mut called_off, mut page) = (0, self.deliveries.parked(endpoint, None, PARKED).await?);
        loop {
            let own: Vec<&Delivery> = page.rows.iter().filter(|parked| row.is_beside(&parked.tenant_id)).collect();
            called_off += self.cancel_all(own).await?;
            match page.last.filter(|_| page.has_more) {
                None => return Ok((called_off, true)),
                Some(_) if deadline::left() <= FOR_MORE => return Ok((called_off, false)),
                Some(last) => page = self.deliveries.parked(endpoint, Some(&last), PARKED).await?,
            }
        }
    }

    /// Calls off a page of what is retrying. What is pending beside it has a message in a queue, and is called off when that comes.
    async fn call_off(&self, doomed: &Doomed, deletion: &Deletion) -> Result<(Removed, Looked), Failure> {
        let after = deletion.after.as_deref().and_then(|after| after.parse().ok());
        let retrying = Filter { standing: Some(Standing::As(Status::Retrying)), ..Filter::default() };
        let page = self.deliveries.undelivered(doomed.id(), &retrying, PAGE, after.as_ref()).await?;
        let deliveries = self.cancel_all(page.rows.iter().collect()).await?;
        let looked = page.next.map_or(Looked::NothingLeft, |next| Looked::More(Some(next.to_string())));
        Ok((Removed { deliveries, ..Removed::default() }, looked))
    }

    async fn cancel_all(&self, rows: Vec<&Delivery>) -> Result<u64, Failure> {
        let cancels = rows.into_iter().map(|row| async move {
            // One that has gone on meanwhile is called off at its next attempt.
            self.deliveries.cancel(row, Reason::TenantDeleted, &entropy::mark()).await
        });
        let cancelled: Vec<_> = stream::iter(cancels).buffer_unordered(AT_ONCE).collect().await;
        let cancelled = cancelled.into_iter().collect::<Result<Vec<_>, Failure>>()?;
        Ok(cancelled.into_iter().filter(|recorded| *recorded == Recorded::Yes).count() as u64)
    }

    async fn take_jobs(
        &self,
        doomed: &Doomed,
        kind: JobKind,
        deletion: &Deletion,
    ) -> Result<(Removed, Looked), Failure> {
        let after = deletion.after.as_deref().and_then(|after| after.parse().ok());
        let page = self.jobs.left_of(doomed, kind, (PAGE, after.as_ref())).await?;
        let takes = page.rows.iter().map(|id| self.jobs.remove(doomed, id));
        let taken: Vec<_> = stream::iter(takes).buffer_unordered(AT_ONCE).collect().await;
        let taken = taken.into_iter().collect::<Result<Vec<_>, Failure>>()?;
        let jobs = taken.into_iter().filter(|was_there| *was_there).count() as u64;
        let looked = page.next.map_or(Looked::NothingLeft, |next| Looked::More(Some(next.to_string())));
        Ok((Removed { jobs, ..Removed::default() }, looked))
    }
}

#[cfg(test)]
#[path = "deletions/tests.rs"]
pub(crate) mod tests;
