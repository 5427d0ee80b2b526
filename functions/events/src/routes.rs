//! The routes.

use postrider_api::KeyAccess::Bearer;
use postrider_api::{ApiError, Caller, KeyAccess, Request, Route, Routed};
use postrider_domain::key::Scope;

use crate::handler::Events;
use crate::publish::INSTEAD_OF_REPEATING;

impl Routed for Events {
    type Access = KeyAccess;
    type Caller = Caller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::post(
            "/v1/events",
            Bearer(Scope::EventsWrite),
            |it, request, caller, _| Box::pin(it.publish(request, caller)),
            INSTEAD_OF_REPEATING,
        ),
        Route::post(
            "/v1/events/batch",
            Bearer(Scope::EventsWrite),
            |it, request, caller, _| Box::pin(it.publish_batch(request, caller)),
            INSTEAD_OF_REPEATING,
        ),
        Route::get("/v1/events/{id}", Bearer(Scope::DeliveriesRead), |it, request, caller, [id, _]| {
            Box::pin(it.get(request, caller, id))
        }),
    ];

    async fn admit(&self, request: &Request, access: &KeyAccess) -> Result<Caller, ApiError> {
        self.credentials.caller(request, access).await
    }
}
