//! The routes.

use postrider_api::KeyAccess::Bearer;
use postrider_api::{ApiError, Caller, KeyAccess, Request, Route, Routed};
use postrider_domain::key::Scope;

use crate::handler::Webhooks;

impl Routed for Webhooks {
    type Access = KeyAccess;
    type Caller = Caller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::post(
            "/v1/webhooks/create",
            Bearer(Scope::WebhooksWrite),
            |it, request, caller, _| Box::pin(it.create(request, caller)),
            "look at GET /v1/webhooks before you repeat it, and delete the webhook that you were not told of",
        ),
        Route::get("/v1/webhooks", Bearer(Scope::WebhooksRead), |it, request, caller, _| {
            Box::pin(it.list(request, caller))
        }),
        Route::get("/v1/webhooks/{id}", Bearer(Scope::WebhooksRead), |it, request, caller, [id, _]| {
            Box::pin(it.get(request, caller, id))
        }),
        Route::patch("/v1/webhooks/{id}", Bearer(Scope::WebhooksWrite), |it, request, caller, [id, _]| {
            Box::pin(it.change(request, caller, id))
        }),
        Route::delete("/v1/webhooks/{id}", Bearer(Scope::WebhooksWrite), |it, request, caller, [id, _]| {
            Box::pin(it.delete(request, caller, id))
        }),
        Route::post(
            "/v1/webhooks/{id}/secret/rotate",
            Bearer(Scope::WebhooksWrite),
            |it, request, caller, [id, _]| Box::pin(it.rotate(request, caller, id)),
            "the secret may be another now that you were not shown: rotate again, and use that one",
        ),
    ];

    async fn admit(&self, request: &Request, access: &KeyAccess) -> Result<Caller, ApiError> {
        self.credentials.caller(request, access).await
    }
}
