//! Cancellations: all that waits for a webhook, called off.

use postrider_api::{ApiError, Caller, Request, Response};
use postrider_domain::cancellation::Cancellation;
use postrider_domain::id::CancellationId;
use postrider_domain::recovery::Progress;
use postrider_domain::time;
use postrider_host::{clock, entropy};

use super::{Ledger, WHILE_THE_CALLER_WAITS};
use crate::view;

impl Ledger {
    /// Calls off all that waits for the webhook now. What can be done while the caller waits is done at once; the sweep continues the
    /// rest. Of each row that is on record as called off no further POST starts.
    pub(super) async fn cancel_pending(
        &self,
        request: &Request,
        caller: &Caller,
        id: &str,
    ) -> Result<Response, ApiError> {
        request.optional_fields()?.finish()?;
        let now = time::to_millis(clock::now());
        let endpoint = self.endpoint(caller, id).await?;
        let all = Cancellation {
            id: CancellationId::new(now, entropy::bits64()),
            tenant_id: endpoint.tenant_id,
            endpoint_id: endpoint.id,
            at: now,
            status: Progress::Running,
            found: 0,
            cancelled: 0,
            after: None,
            expires_at: now.as_second() + self.retention.seconds,
        };
        self.config.create_cancellation(&all, caller.tenant()?.0.quotas()).await??;
        let begun = all.clone();
        if let Err(error) = self.recoverer.cancel_for(all, WHILE_THE_CALLER_WAITS).await {
            tracing::warn!(cancellation_id = begun.id.as_str(), error = %error, "cancellation.left_to_the_sweep");
        }
        // It goes on by its row, so nothing is lost where that cannot be read for the answer.
        let now = self.config.cancellation(&begun.tenant_id, &begun.id).await.ok().flatten().unwrap_or(begun);
        Ok(Response::json(202, &view::cancellation(&now)))
    }

    pub(super) async fn cancellation(
        &self,
        request: &Request,
        caller: &Caller,
        webhook: &str,
        id: &str,
    ) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let not_found = || ApiError::not_found("cancellation");
        let (tenant, webhook) = caller.webhook(webhook)?;
        let id: CancellationId = id.parse().map_err(|_| not_found())?;
        // Whatever has become of the webhook.
        let all = self.config.cancellation(tenant, &id).await?;
        let all = all.filter(|found| found.endpoint_id == webhook).ok_or_else(not_found)?;
        Ok(Response::json(200, &view::cancellation(&all)))
    }
}
