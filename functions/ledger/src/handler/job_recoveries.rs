//! Recoveries of what a tenant's jobs told nobody, each kind on its own paths and in its own words.

use postrider_api::{ApiError, Caller, Meta, Request, Response};
use postrider_domain::dialect::{self, DialectRef, JobKind};
use postrider_domain::id::EndpointId;
use postrider_domain::recovery::Recovery;
use postrider_host::clock;

use super::Ledger;
use super::recoveries::Answered;
use crate::asked::Asked;
use crate::recovery_view;

impl Ledger {
    pub(super) async fn recover_generations(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        Ok(self.recovered_jobs(request, caller, JobKind::Projects).await?.plain())
    }

    pub(super) async fn generations_recovery(
        &self,
        request: &Request,
        caller: &Caller,
        id: &str,
    ) -> Result<Response, ApiError> {
        let recovery = self.jobs_recovery(request, caller, JobKind::Projects, id).await?;
        Ok(Response::json(200, &recovery_view::how_far(&recovery)))
    }

    pub(super) async fn recover_tasks(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        let meta = Meta { request_id: request.id.clone() };
        Ok(match self.recovered_jobs(request, caller, JobKind::Task).await? {
            Answered::Counted(data) => Response::json(200, &recovery_view::CountedOfTasks { data, meta }),
            Answered::Begun(data) => Response::json(202, &recovery_view::BegunOfTasks { data, meta }),
        })
    }

    pub(super) async fn tasks_recovery(
        &self,
        request: &Request,
        caller: &Caller,
        id: &str,
    ) -> Result<Response, ApiError> {
        let recovery = self.jobs_recovery(request, caller, JobKind::Task, id).await?;
        let meta = Meta { request_id: request.id.clone() };
        Ok(Response::json(200, &recovery_view::HowFarOfTasks { data: recovery_view::how_far(&recovery), meta }))
    }

    async fn recovered_jobs(&self, request: &Request, caller: &Caller, kind: JobKind) -> Result<Answered, ApiError> {
        request.only_query(&[])?;
        let dialect = of_kind(caller, kind)?;
        let asked = Asked::of(request, dialect, Some(kind), clock::now())?;
        self.recovered(caller, (EndpointId::of_jobs(&caller.tenant()?.0.id), None), asked).await
    }

    async fn jobs_recovery(
        &self,
        request: &Request,
        caller: &Caller,
        kind: JobKind,
        id: &str,
    ) -> Result<Recovery, ApiError> {
        request.only_query(&[])?;
        of_kind(caller, kind)?;
        self.begun(caller, id, |found| found.chosen.jobs == Some(kind)).await
    }
}

/// The dialect of a key of a tenant's that is for jobs of this kind. A visitor of its portal sees those of both.
fn of_kind(caller: &Caller, kind: JobKind) -> Result<DialectRef, ApiError> {
    caller.tenant()?;
    let of_visitor = caller.session().and_then(|_| dialect::of_jobs(kind));
    of_visitor
        .or(caller.dialect())
        .filter(|dialect| dialect.jobs == Some(kind))
        .ok_or_else(|| ApiError::forbidden("this API key is for other paths; jobs here take keys of their own dialect"))
}
