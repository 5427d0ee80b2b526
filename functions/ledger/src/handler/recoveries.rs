//! Recoveries: everything that a webhook missed, again.

use postrider_api::{ApiError, Caller, Request, Response};
use postrider_aws::event_row::CLOCKS_DIFFER;
use postrider_domain::endpoint::EndpointStatus;
use postrider_domain::id::RecoveryId;
use postrider_domain::invalid::Invalid;
use postrider_domain::recovery::{Progress, Recovery};
use postrider_domain::time;
use postrider_host::{clock, entropy};

use super::{Ledger, WHILE_THE_CALLER_WAITS};
use crate::view;

impl Ledger {
    /// Everything that the webhook missed, again. What can be done while the caller waits is done at once; the sweep
    /// continues the rest.
    pub(super) async fn recover(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let endpoint = self.endpoint(caller, id).await?;
        let mut fields = request.fields()?;
        let since: String = fields.require("since", "an RFC 3339 time")?;
        let until: Option<String> = fields.take_value("until", "an RFC 3339 time")?;
        fields.finish()?;
        let now = clock::now();
        let since = time::parse("since", &since)?;
        let until = until.map(|until| time::parse("until", &until)).transpose()?;
        if since >= until.unwrap_or(now) {
            return Err(ApiError::unprocessable(Invalid::new(
                "since",
                "a time before `until`, which is now if left out",
            )));
        }
        if endpoint.status == EndpointStatus::Disabled {
            return Err(ApiError::conflict(
                "this webhook is disabled; enable it first, or all would be cancelled again",
            ));
        }
        let recovery = Recovery {
            id: RecoveryId::new(now, entropy::bits64()),
            tenant_id: endpoint.tenant_id,
            endpoint_id: endpoint.id,
            since,
            // All that there is, also of producers whose clocks are ahead.
            until: until.unwrap_or(now + CLOCKS_DIFFER),
            status: Progress::Running,
            found: 0,
            requeued: 0,
            after: None,
            expires_at: now.as_second() + self.retention.seconds,
        };
        self.config.create_recovery(&recovery, caller.tenant()?.quotas()).await??;
        let id = recovery.id.clone();
        if let Err(error) = self.recoverer.advance_for(recovery, WHILE_THE_CALLER_WAITS).await {
            tracing::warn!(recovery_id = id.as_str(), error = %error, "recovery.left_to_the_sweep");
        }
        Ok(Response::json(202, &view::Begun { recovery_id: id }))
    }

    pub(super) async fn recovery(
        &self,
        request: &Request,
        caller: &Caller,
        webhook: &str,
        id: &str,
    ) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let not_found = || ApiError::not_found("recovery");
        let id: RecoveryId = id.parse().map_err(|_| not_found())?;
        // Whatever has become of the webhook.
        let recovery = self.config.recovery(caller.tenant_id()?, &id).await?;
        let recovery = recovery.filter(|found| found.endpoint_id.as_str() == webhook).ok_or_else(not_found)?;
        Ok(Response::json(200, &view::recovery(&recovery)))
    }
}
