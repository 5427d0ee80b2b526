//! The routes.

use postrider_api::{ApiError, OperatorAccess, Request, Route, Routed};

use crate::handler::Operator;

const UNSEEN_KEY: &str = "look at the list of keys before you repeat it, and revoke the key that you were not shown";

impl Routed for Operator {
    type Access = OperatorAccess;
    type Caller = ();

    const ROUTES: &'static [Route<Self>] = &[
        Route::get("/v1/tenants", OperatorAccess, |it, request, (), _| Box::pin(it.list(request))),
        Route::post(
            "/v1/tenants",
            OperatorAccess,
            |it, request, (), _| Box::pin(it.create(request)),
            "look at GET /v1/tenants before you repeat it",
        ),
        Route::get("/v1/tenants/{id}", OperatorAccess, |it, request, (), [id, _]| Box::pin(it.get(request, id))),
        Route::patch("/v1/tenants/{id}", OperatorAccess, |it, request, (), [id, _]| Box::pin(it.change(request, id))),
        Route::get("/v1/tenants/{id}/keys", OperatorAccess, |it, request, (), [id, _]| {
            Box::pin(it.list_tenant_keys(request, id))
        }),
        Route::post(
            "/v1/tenants/{id}/keys",
            OperatorAccess,
            |it, request, (), [id, _]| Box::pin(it.create_key(request, id)),
            UNSEEN_KEY,
        ),
        Route::delete("/v1/tenants/{id}/keys/{key_id}", OperatorAccess, |it, request, (), [id, key]| {
            Box::pin(it.delete_tenant_key(request, id, key))
        }),
        Route::post(
            "/v1/tenants/{id}/secret/rotate",
            OperatorAccess,
            |it, request, (), [id, _]| Box::pin(it.rotate(request, id)),
            "the secret may be another now that you were not shown: rotate again, and use that one",
        ),
        Route::get("/v1/keys", OperatorAccess, |it, request, (), _| Box::pin(it.list_provider_keys(request))),
        Route::post(
            "/v1/keys",
            OperatorAccess,
            |it, request, (), _| Box::pin(it.create_provider_key(request)),
            UNSEEN_KEY,
        ),
        Route::delete("/v1/keys/{key_id}", OperatorAccess, |it, request, (), [key, _]| {
            Box::pin(it.delete_provider_key(request, key))
        }),
    ];

    async fn admit(&self, request: &Request, _: &OperatorAccess) -> Result<(), ApiError> {
        self.credentials.admit(request).await
    }
}
