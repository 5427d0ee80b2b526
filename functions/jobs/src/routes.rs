//! The routes.

use postrider_api::KeyAccess::{Bearer, Header};
use postrider_api::{ApiError, Caller, KeyAccess, Request, Route, Routed};
use postrider_domain::dialect::JobKind;
use postrider_domain::key::Scope;

use crate::handler::Jobs;

impl Routed for Jobs {
    type Access = KeyAccess;
    type Caller = Caller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::post(
            "/api/v1/generate",
            Bearer(Scope::JobsWrite),
            |it, request, caller, _| Box::pin(it.generate(request, caller)),
            "a job may have been started: a repeat starts another one",
        ),
        Route::get("/api/v1/jobs", Bearer(Scope::JobsRead), |it, request, caller, _| {
            Box::pin(it.list_generations(request, caller))
        }),
        Route::get("/api/v1/jobs/{jobId}", Bearer(Scope::JobsRead), |it, request, caller, [id, _]| {
            Box::pin(it.generation(request, caller, id))
        }),
        Route::post(
            "/api/v1/jobs/{jobId}/report",
            Bearer(Scope::JobsReport),
            |it, request, caller, [id, _]| Box::pin(it.report_projects(request, caller, id)),
            "a report that comes twice changes nothing more: repeat it",
        ),
        Route::get("/v1/jobs", Header(Scope::JobsRead), |it, request, caller, _| {
            Box::pin(it.list_tasks(request, caller))
        }),
        Route::post(
            "/v1/jobs",
            Header(Scope::JobsWrite),
            |it, request, caller, _| Box::pin(it.start_task(request, caller)),
            "start jobs with an Idempotency-Key and repeating is safe; without one look at GET /v1/jobs before you repeat it",
        ),
        Route::get("/v1/jobs/{id}", Header(Scope::JobsRead), |it, request, caller, [id, _]| {
            Box::pin(it.get_task(request, caller, id))
        }),
        Route::post(
            "/v1/jobs/{id}/cancel",
            Header(Scope::JobsWrite),
            |it, request, caller, [id, _]| Box::pin(it.cancel_task(request, caller, id)),
            "a report that comes twice changes nothing more: repeat it",
        ),
        Route::post(
            "/v1/jobs/{id}/report",
            Header(Scope::JobsReport),
            |it, request, caller, [id, _]| Box::pin(it.report_task(request, caller, id)),
            "a report that comes twice changes nothing more: repeat it",
        ),
    ];

    /// A tenant's key starts and sees the jobs of its own dialect; a provider key serves all.
    async fn admit(&self, request: &Request, access: &KeyAccess) -> Result<Caller, ApiError> {
        let caller = self.credentials.caller(request, access).await?;
        let kind = if request.path().first() == Some(&"api") { JobKind::Projects } else { JobKind::Task };
        match caller.key.dialect {
            Some(dialect) if dialect.jobs != Some(kind) => {
                Err(ApiError::forbidden("this API key is for other paths; jobs here take keys of their own dialect"))
            }
            _ => Ok(caller),
        }
    }
}
