//! Cancellations of all that waits for a webhook. They run as recoveries do, and have the same places at their tenant; they stand
//! under a name of their own, or a function of an earlier version would take one for a recovery.

use postrider_domain::cancellation::Cancellation;
use postrider_domain::id::{CancellationId, DeliveryId, TenantId};
use postrider_domain::quota::{Exceeded, Quotas};
use postrider_domain::recovery::Progress;

use super::ConfigTable;
use super::recoveries::Lasting;
use crate::Recorded;
use crate::error::Failure;

impl Lasting for Cancellation {
    const PREFIXES: &'static [&'static str] = &[Self::LISTED];
    const LISTED: &'static str = "CANCELLATION#";

    fn prefix(&self) -> &'static str {
        Self::LISTED
    }

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn tenant_id(&self) -> &TenantId {
        &self.tenant_id
    }

    fn place(&self) -> (&'static str, Option<&str>) {
        ("after", self.after.as_ref().map(DeliveryId::as_str))
    }

    fn is_done(&self) -> bool {
        self.status == Progress::Done
    }
}

impl ConfigTable {
    /// Puts a new cancellation and its place in the list of running ones, both or neither, if its tenant may have one more running.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn create_cancellation(
        &self,
        cancellation: &Cancellation,
        quotas: Quotas,
    ) -> Result<Result<(), Exceeded>, Failure> {
        self.begin(cancellation, quotas).await
    }

    /// The cancellation of this tenant and id.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn cancellation(&self, tenant: &TenantId, id: &CancellationId) -> Result<Option<Cancellation>, Failure> {
        self.lasting(tenant, id.as_str()).await
    }

    /// The cancellations that are running, the oldest first, as they were when they began.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn running_cancellations(&self) -> Result<Vec<Cancellation>, Failure> {
        self.running().await
    }

    /// Notes how far a cancellation has come since `before`, as [`ConfigTable::note_recovery`] does.
    ///
    /// # Errors
    /// When the write failed; the page before it will be seen again, which is harmless.
    pub async fn note_cancellation(
        &self,
        before: &Cancellation,
        cancellation: &Cancellation,
    ) -> Result<Recorded, Failure> {
        self.note(before, cancellation).await
    }
}
