//! Recoveries: what a webhook, or a tenant's jobs, missed, again.

use jiff::{SignedDuration, Timestamp};
use postrider_api::{ApiError, Caller, Request, Response};
use postrider_aws::event_row::CLOCKS_DIFFER;
use postrider_domain::endpoint::{Endpoint, EndpointStatus};
use postrider_domain::id::{EndpointId, RecoveryId};
use postrider_domain::recovery::{Progress, Recovery};
use postrider_host::{clock, entropy};

use super::{Ledger, WHILE_THE_CALLER_WAITS};
use crate::asked::Asked;
use crate::recovery_view;

/// What became of a call that asks for one.
pub(super) enum Answered {
    /// It was counted.
    Counted(recovery_view::Counted),
    /// It has begun.
    Begun(recovery_view::Begun),
}

impl Answered {
    /// The same as an answer, with nothing around it.
    pub(super) fn plain(self) -> Response {
        match self {
            Self::Counted(counted) => Response::json(200, &counted),
            Self::Begun(begun) => Response::json(202, &begun),
        }
    }
}

impl Ledger {
    /// Everything that the webhook missed, again. What can be done while the caller waits is done at once; the sweep
    /// continues the rest.
    pub(super) async fn recover(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let endpoint = self.endpoint(caller, id).await?;
        let asked = Asked::of(request, endpoint.dialect, None, clock::now())?;
        if endpoint.status == EndpointStatus::Disabled && !asked.count_only {
            return Err(ApiError::conflict(
                "this webhook is disabled; enable it first, or all would be cancelled again",
            ));
        }
        Ok(self.recovered(caller, (endpoint.id.clone(), Some(&endpoint)), asked).await?.plain())
    }

    /// Counts what is asked for, or begins to send it: a webhook's, or a tenant's jobs', whose deliveries lie under an endpoint's id
    /// without an endpoint.
    pub(super) async fn recovered(
        &self,
        caller: &Caller,
        (endpoint_id, endpoint): (EndpointId, Option<&Endpoint>),
        asked: Asked,
    ) -> Result<Answered, ApiError> {
        let ((tenant, _), now) = (caller.tenant()?, clock::now());
        let recovery = Recovery {
            id: RecoveryId::new(now, entropy::bits64()),
            tenant_id: tenant.id.clone(),
            endpoint_id,
            since: if asked.chosen.never_matched { asked.since.max(self.oldest_unmatched(now)) } else { asked.since },
            // All that there is, also of producers whose clocks are ahead.
            until: asked.until.unwrap_or(now + CLOCKS_DIFFER),
            chosen: asked.chosen,
            status: Progress::Running,
            found: 0,
            requeued: 0,
            after: None,
            listed_after: None,
            probed: false,
            expires_at: now.as_second() + self.retention.seconds,
        };
        if asked.count_only {
            let counted = self.recoverer.count(&recovery, endpoint).await?;
            return Ok(Answered::Counted(recovery_view::counted(counted)));
        }
        self.config.create_recovery(&recovery, tenant.quotas()).await??;
        let id = recovery.id.clone();
        if let Err(error) = self.recoverer.advance_for(recovery, WHILE_THE_CALLER_WAITS).await {
            tracing::warn!(recovery_id = id.as_str(), error = %error, "recovery.left_to_the_sweep");
        }
        Ok(Answered::Begun(recovery_view::Begun { recovery_id: id }))
    }

    /// Of older events nobody knows whether a webhook was sent them: their deliveries may have expired before them, whose producers
    /// choose their times and how long they are kept.
    fn oldest_unmatched(&self, now: Timestamp) -> Timestamp {
        now - SignedDuration::from_secs(self.retention.seconds) + CLOCKS_DIFFER
    }

    pub(super) async fn recovery(
        &self,
        request: &Request,
        caller: &Caller,
        webhook: &str,
        id: &str,
    ) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let (_, webhook) = caller.webhook(webhook)?;
        let is_its = |found: &Recovery| found.endpoint_id == webhook && found.chosen.jobs.is_none();
        Ok(Response::json(200, &recovery_view::how_far(&self.begun(caller, id, is_its).await?)))
    }

    /// The recovery of this id, if it is one of what was asked for, whatever has become of that.
    pub(super) async fn begun(
        &self,
        caller: &Caller,
        id: &str,
        is_its: impl FnOnce(&Recovery) -> bool,
    ) -> Result<Recovery, ApiError> {
        let not_found = || ApiError::not_found("recovery");
        let id: RecoveryId = id.parse().map_err(|_| not_found())?;
        let recovery = self.config.recovery(&caller.tenant()?.0.id, &id).await?;
        recovery.filter(is_its).ok_or_else(not_found)
    }
}
