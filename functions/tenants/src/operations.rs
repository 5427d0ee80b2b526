//! What the routes do, for the API's document.

use postrider_api::document::{ExternalIdInPath, Id, TenantInPath};
use postrider_api::{ApiError, Operation, Rotated, Rotation, RotationRequest, being_deleted};
use postrider_domain::id::KeyId;
use postrider_domain::invalid::Invalid;

use crate::requests::{ChangeTenant, CreateKey, CreateProviderKey, CreateTenant, PutTenant};
use crate::view::{Key, Keys, Stats, Tenant, Tenants};

const UNPAGED: &str = "Without `limit` as many as one read brings.";
const PAST: &str = "`expires_at` is past.";
const REVOKED: &str = "It is revoked: a call with it gets 401, within a minute.";

const LEAVING: &str = "The tenant is being deleted.";

fn past() -> ApiError {
    ApiError::unprocessable(Invalid::new("expires_at", "a time to come"))
}

fn of_a_tenant(id: &'static str, summary: &'static str, about: &'static str) -> Operation {
    Operation::new(id, summary, about)
        .of::<TenantInPath>("id", "The tenant's id, or `ext:` and its `external_id`.")
        .refuses(being_deleted(), LEAVING)
}

pub(crate) fn list() -> Operation {
    Operation::new("listTenants", "List tenants", "")
        .paged("50 where nothing is said.")
        .answers::<Tenants>(200, "A page of tenants.")
}

pub(crate) fn create() -> Operation {
    Operation::new("createTenant", "Create a tenant", "A customer of the provider. Its signing secret is made with it.")
        .repeatable()
        .takes::<CreateTenant>()
        .answers::<Tenant<'static>>(201, "The tenant.")
        .refuses(ApiError::conflict("another tenant has this external_id"), "Another tenant has this `external_id`.")
}

pub(crate) fn get() -> Operation {
    let about = "One that is being deleted shows how far that has come.";
    Operation::new("getTenant", "Show a tenant", about)
        .of::<TenantInPath>("id", "The tenant's id, or `ext:` and its `external_id`.")
        .answers::<Tenant<'static>>(200, "The tenant.")
}

pub(crate) fn put() -> Operation {
    let about = "The tenant that the provider calls so is as the request says, and is made where there is none, for which it needs `name` and `plan`. What is left out stays. \
                 It takes no secret: one is made with the tenant, and shown at its first rotation.";
    Operation::new("putTenant", "Create or update a tenant", about)
        .of::<ExternalIdInPath>("id", "`ext:` and the tenant's `external_id`.")
        .takes::<PutTenant>()
        .answers::<Tenant<'static>>(200, "The tenant, which there was.")
        .answers::<Tenant<'static>>(201, "The tenant, which is new.")
        .refuses(being_deleted(), "The tenant is being deleted, or others change it at the same time.")
}

pub(crate) fn delete() -> Operation {
    let about = "Its keys are none within a minute, and no POST starts after that, whatever waits. Then everything of it is taken away, by \
                 and by: GET shows how far that has come, and is a 404 once nothing is left. Its `external_id` is free from then on. Events and \
                 deliveries, which nobody can see any more, go with their retention. It cannot be taken back. Asked for again, it goes on.";
    Operation::new("deleteTenant", "Delete a tenant", about)
        .of::<TenantInPath>("id", "The tenant's id, or `ext:` and its `external_id`.")
        .answers::<Tenant<'static>>(202, "The tenant, which is being deleted.")
}

pub(crate) fn stats() -> Operation {
    let about = "Counts what is undelivered, by status: exact over the newest 2,000 that it reads, and says whether those are all.";
    of_a_tenant("getTenantStats", "Count a tenant's undelivered deliveries", about).answers::<Stats>(200, "The counts.")
}

pub(crate) fn change() -> Operation {
    let about = "What is left out stays. A suspended tenant's keys get 403 and its deliveries are cancelled; what its provider \
                 publishes for it is kept, and can be recovered.";
    of_a_tenant("changeTenant", "Change a tenant", about)
        .takes::<ChangeTenant>()
        .answers::<Tenant<'static>>(200, "The tenant after the change.")
}

pub(crate) fn list_keys() -> Operation {
    of_a_tenant("listTenantKeys", "List a tenant's keys", "")
        .paged(UNPAGED)
        .answers::<Keys>(200, "A page of keys, without their texts.")
}

pub(crate) fn create_key() -> Operation {
    of_a_tenant(
        "createTenantKey",
        "Give a tenant a key",
        "The key's dialect says how the webhooks that it makes are spoken to.",
    )
    .repeatable()
    .takes::<CreateKey>()
    .answers::<Key<'static>>(201, "The key, shown this once.")
    .refuses(past(), PAST)
}

pub(crate) fn delete_key() -> Operation {
    of_a_tenant("deleteTenantKey", "Revoke a tenant's key", "")
        .of::<Id<KeyId>>("key_id", "The key's id.")
        .answers_nothing(204, REVOKED)
}

pub(crate) fn rotate() -> Operation {
    let about = "For dialects that sign with the tenant's secret. They go on with the old one until the grace ends.";
    of_a_tenant("rotateTenantSecret", "Give a tenant a new signing secret", about)
        .may_take::<RotationRequest>()
        .answers::<Rotated<'static>>(200, "The new secret, shown this once.")
        .refuses(Rotation::too_many(), "Four secrets count already, or others rotate it at the same time.")
}

pub(crate) fn list_provider_keys() -> Operation {
    Operation::new("listProviderKeys", "List the provider's own keys", "")
        .paged(UNPAGED)
        .answers::<Keys>(200, "A page of keys, without their texts.")
}

pub(crate) fn create_provider_key() -> Operation {
    let about =
        "What the provider's own services use: it belongs to no tenant, publishes for any, and reports on any job.";
    Operation::new("createProviderKey", "Make a key of the provider's own", about)
        .repeatable()
        .takes::<CreateProviderKey>()
        .answers::<Key<'static>>(201, "The key, shown this once.")
        .refuses(past(), PAST)
}

pub(crate) fn delete_provider_key() -> Operation {
    Operation::new("deleteProviderKey", "Revoke a key of the provider's own", "")
        .of::<Id<KeyId>>("key_id", "The key's id.")
        .answers_nothing(204, REVOKED)
}
