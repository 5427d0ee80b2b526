//! What the routes are sent, for the API's document. It is read field by field, so that each field that is amiss is told by its name;
//! a test holds both to the same fields.
#![expect(dead_code, reason = "nothing is made of these types but their schemas")]

use std::borrow::Cow;

use postrider_api::document::{
    DialectName, ExternalIdOfTenant, GivenTime, JsonSchema, Left, Names, Schema, SchemaGenerator, json_schema,
};
use postrider_domain::key::Scope;
use postrider_domain::metadata::{MAX_ENTRIES, Metadata};
use postrider_domain::quota::Quota;
use postrider_domain::secret;
use postrider_domain::tenant::{Plan, TenantStatus};

use crate::bounds::MAX_NAME_CHARS;
use crate::view::example_of_metadata;

/// A new tenant.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CreateTenant {
    /// The operator's name for it.
    #[schemars(with = "String", length(min = 1, max = MAX_NAME_CHARS), example = &"Acme")]
    name: (),
    /// What it pays for.
    #[schemars(with = "Names<Plan>")]
    plan: (),
    /// The secret that signs in dialects which sign with the tenant's; one is made where none is given, and shown at its first
    /// rotation.
    #[schemars(with = "Left<String>", length(max = secret::MAX_CHARS), example = &"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: (),
    /// Its own quotas, in place of its plan's.
    #[schemars(with = "Left<QuotasToSet>")]
    quotas: (),
    /// What its provider calls it.
    #[schemars(with = "Left<ExternalIdOfTenant>")]
    external_id: (),
    /// What its provider keeps beside it. A name has 1 to 64
    /// letters, digits, `_`, `-` and `.`, a text at most 512 characters, none of them a control character, and all of them together at most
    /// 4096 bytes.
    #[schemars(
        with = "Left<Metadata>",
        extend("maxProperties" = MAX_ENTRIES),
        example = example_of_metadata(),
    )]
    metadata: (),
}

/// A tenant as it is to be; it is made where there is none of this external id.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct PutTenant {
    /// The operator's name for it. A new one needs it.
    #[schemars(with = "Left<String>", length(min = 1, max = MAX_NAME_CHARS), example = &"Acme")]
    name: (),
    /// What it pays for. A new one needs it.
    #[schemars(with = "Left<Names<Plan>>")]
    plan: (),
    /// Its own quotas, in place of its plan's. What is left out stays.
    #[schemars(with = "Left<QuotasToSet>")]
    quotas: (),
    /// What its provider keeps beside it, all of it. Left out, it stays. A name has 1 to 64
    /// letters, digits, `_`, `-` and `.`, a text at most 512 characters, none of them a control character, and all of them together at most
    /// 4096 bytes.
    #[schemars(
        with = "Left<Metadata>",
        extend("maxProperties" = MAX_ENTRIES),
        example = example_of_metadata(),
    )]
    metadata: (),
}

/// What a tenant's status can be set to.
pub(crate) struct StatusToSet;

impl JsonSchema for StatusToSet {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TenantStatusToSet".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = [TenantStatus::Active, TenantStatus::Suspended].map(TenantStatus::as_str);
        json_schema!({"type": "string", "enum": names, "examples": [names[1]]})
    }
}

/// A change of a tenant: what is left out stays.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ChangeTenant {
    /// The operator's name for it.
    #[schemars(with = "Left<String>", length(min = 1, max = MAX_NAME_CHARS), example = &"Acme")]
    name: (),
    /// What it pays for from now on.
    #[schemars(with = "Left<Names<Plan>>")]
    plan: (),
    /// Whether it may use the API and is sent to.
    #[schemars(with = "Left<StatusToSet>")]
    status: (),
    /// Its own quotas, in place of its plan's.
    #[schemars(with = "Left<QuotasToSet>")]
    quotas: (),
    /// What its provider calls it; null takes that away.
    #[schemars(with = "Left<Option<ExternalIdOfTenant>>")]
    external_id: (),
    /// What its provider keeps beside it, all of it; null takes it away. A name has 1 to 64
    /// letters, digits, `_`, `-` and `.`, a text at most 512 characters, none of them a control character, and all of them together at most
    /// 4096 bytes.
    #[schemars(
        with = "Left<Option<Metadata>>",
        extend("maxProperties" = MAX_ENTRIES),
        example = example_of_metadata(),
    )]
    metadata: (),
}

/// A tenant's own quotas: what is left out stays, and null goes back to the plan's.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct QuotasToSet {
    /// How many webhooks it may have that were not deleted.
    #[schemars(with = "Left<Option<u64>>", range(max = Quota::Webhooks.most()), example = 500)]
    webhooks: (),
    /// How many bytes the plain list of its webhooks may have.
    #[schemars(with = "Left<Option<u64>>", range(max = Quota::ListBytes.most()), example = 8_388_608)]
    list_bytes: (),
    /// How many events its own keys may publish a second.
    #[schemars(with = "Left<Option<u64>>", range(min = 1, max = Quota::EventsPerSecond.most()), example = 250)]
    events_per_second: (),
    /// How many recoveries it may have running.
    #[schemars(with = "Left<Option<u64>>", range(max = Quota::Recoveries.most()), example = 4)]
    recoveries: (),
}

/// A new key of a tenant's.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CreateKey {
    /// How the webhooks that it makes are spoken to, and which paths it is for.
    #[schemars(with = "DialectName")]
    dialect: (),
    /// What it may do: all but `events:write` and `jobs:report` where nothing is said. `event_types:write` is the provider's alone.
    #[schemars(with = "Left<Vec<Names<Scope>>>", length(min = 1, max = Scope::ALL.len()), extend("uniqueItems" = true))]
    scopes: (),
    #[serde(flatten)]
    note: Note,
}

/// A new key of the provider's own, which belongs to no tenant.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CreateProviderKey {
    /// What it may do: of all scopes those that a provider can use, which are `events:write`, `event_types:write`, `deliveries:read` and those of jobs.
    #[schemars(with = "Vec<Names<Scope>>", length(min = 1, max = Scope::ALL.len()), extend("uniqueItems" = true), example = ["events:write"])]
    scopes: (),
    #[serde(flatten)]
    note: Note,
}

/// What any key may have.
#[derive(JsonSchema)]
struct Note {
    /// The operator's note.
    #[schemars(with = "Left<String>", length(min = 1, max = MAX_NAME_CHARS), example = &"CI")]
    name: (),
    /// When it stops working, a time to come; never where nothing is said.
    #[schemars(with = "Left<GivenTime>")]
    expires_at: (),
}
