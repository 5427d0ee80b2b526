//! The routes.

use postrider_api::KeyAccess::Header;
use postrider_api::{ApiError, Caller, KeyAccess, Request, Route, Routed};
use postrider_domain::key::Scope;

use crate::handler::Ledger;

impl Routed for Ledger {
    type Access = KeyAccess;
    type Caller = Caller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::get("/v1/webhooks/{id}/deliveries", Header(Scope::DeliveriesRead), |it, request, caller, [id, _]| {
            Box::pin(it.list(request, caller, id))
        }),
        Route::post(
            "/v1/webhooks/{id}/recover",
            Header(Scope::DeliveriesWrite),
            |it, request, caller, [id, _]| Box::pin(it.recover(request, caller, id)),
            "a second recovery sends nothing twice: repeat it",
        ),
        Route::get(
            "/v1/webhooks/{id}/recover/{recovery_id}",
            Header(Scope::DeliveriesRead),
            |it, request, caller, [id, recovery]| Box::pin(it.recovery(request, caller, id, recovery)),
        ),
        Route::get("/v1/deliveries", Header(Scope::DeliveriesRead), |it, request, caller, _| {
            Box::pin(it.find_many(request, caller))
        }),
        Route::get("/v1/deliveries/{id}", Header(Scope::DeliveriesRead), |it, request, caller, [id, _]| {
            Box::pin(it.get(request, caller, id))
        }),
        Route::post(
            "/v1/deliveries/{id}/retry",
            Header(Scope::DeliveriesWrite),
            |it, request, caller, [id, _]| Box::pin(it.retry(request, caller, id)),
            "look at the delivery before you repeat it",
        ),
        Route::post(
            "/v1/deliveries/{id}/cancel",
            Header(Scope::DeliveriesWrite),
            |it, request, caller, [id, _]| Box::pin(it.cancel(request, caller, id)),
            "look at the delivery before you repeat it",
        ),
    ];

    async fn admit(&self, request: &Request, access: &KeyAccess) -> Result<Caller, ApiError> {
        self.credentials.caller(request, access).await
    }
}
