//! Tenants and keys as the API shows them; neither a key nor a secret is among it, but in the answer that makes it.

use jiff::Timestamp;
use postrider_api::Pagination;
use postrider_api::document::{DialectName, ExternalIdOfTenant, Id, JsonSchema, Names, Time};
use postrider_domain::deletion::{BEGINS_AFTER, Deletion, Stage};
use postrider_domain::dialect::DialectRef;
use postrider_domain::external_id::ExternalId;
use postrider_domain::id::{KeyId, TenantId};
use postrider_domain::key::{ApiKey, Scope};
use postrider_domain::metadata::{self, Metadata};
use postrider_domain::quota::{self, Quota};
use postrider_domain::tenant::{self, Plan, TenantStatus};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::bounds::{MAX_NAME_CHARS, MOST_COUNTED};

/// A tenant: a customer of the provider.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Tenant<'a> {
    /// Its id.
    #[schemars(with = "Id<TenantId>")]
    id: &'a TenantId,
    /// The operator's name for it.
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), example = &"Acme")]
    name: &'a str,
    /// What it pays for: its quotas follow from it, and whether some dialects give it webhooks.
    #[schemars(with = "Names<Plan>")]
    plan: Plan,
    /// When it was made.
    created_at: Time,
    /// Whether it may use the API and is sent to.
    #[schemars(with = "Names<TenantStatus>")]
    status: TenantStatus,
    /// What counts for it: its plan's quotas, and its own in place of them.
    quotas: Quotas,
    /// What its provider calls it; left out where it has no such name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ExternalIdOfTenant>")]
    external_id: Option<&'a ExternalId>,
    /// What its provider keeps beside it: names with texts. Left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = metadata::MAX_ENTRIES), example = example_of_metadata())]
    metadata: Option<&'a Metadata>,
    /// How far its deletion has come: left out where it is not being deleted, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion: Option<Leaving>,
}

/// What a provider may keep beside a tenant.
pub(crate) fn example_of_metadata() -> Value {
    json!({"crm": "0042-17", "region": "eu"})
}

/// A deletion that goes on. Once nothing is left the tenant is a 404.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TenantDeletion")]
pub(crate) struct Leaving {
    /// When it was asked for. Its keys stop working within a minute of that, and no POST starts after it.
    since: Time,
    /// When its things begin to be taken away: once every call that was let in before has ended.
    begins_at: Time,
    /// What is taken away next; null until it begins.
    #[schemars(with = "Option<Names<Stage>>")]
    stage: Option<Stage>,
    /// Keys that were taken away so far, at the least.
    #[schemars(example = 2)]
    keys: u64,
    /// Webhooks that were taken away so far, at the least; those among them that were deleted before.
    #[schemars(example = 3)]
    webhooks: u64,
    /// Deliveries that were called off so far, at the least.
    #[schemars(example = 20)]
    deliveries: u64,
    /// Jobs that were taken away so far, at the least.
    #[schemars(example = 1)]
    jobs: u64,
}

impl Tenant<'_> {
    /// With how far its deletion has come at `now`.
    pub(crate) fn with(self, deletion: Option<&Deletion>, now: Timestamp) -> Self {
        let leaving = |deletion: &Deletion| {
            let removed = deletion.removed;
            Leaving {
                since: deletion.since.into(),
                begins_at: deletion.since.saturating_add(BEGINS_AFTER).unwrap_or(deletion.since).into(),
                stage: deletion.may_begin(now).then_some(deletion.stage),
                keys: removed.keys,
                webhooks: removed.webhooks,
                deliveries: removed.deliveries,
                jobs: removed.jobs,
            }
        };
        Self { deletion: deletion.map(leaving), ..self }
    }
}

/// How many of a tenant's deliveries are undelivered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TenantStats")]
pub(crate) struct Stats {
    /// How many stand how, of those that were seen.
    pub(crate) deliveries: Undelivered,
    /// How many were seen, the newest first.
    #[schemars(range(max = MOST_COUNTED), example = 4)]
    pub(crate) seen: usize,
    /// Whether those are all: where they are not, there are more of each status than it says, or as many.
    #[schemars(example = true)]
    pub(crate) complete: bool,
}

/// Deliveries by status. Those that are pending, or were delivered, are in no such count.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "UndeliveredByStatus")]
pub(crate) struct Undelivered {
    /// Tried, failed, and due again.
    #[schemars(example = 1)]
    pub(crate) retrying: usize,
    /// Given up.
    #[schemars(example = 3)]
    pub(crate) failed: usize,
    /// Called off.
    #[schemars(example = 0)]
    pub(crate) cancelled: usize,
}

/// What counts for a tenant.
#[derive(Debug, Serialize, JsonSchema)]
struct Quotas {
    /// How many webhooks it may have that were not deleted.
    #[schemars(range(max = Quota::Webhooks.most()), example = 200)]
    webhooks: u64,
    /// How many bytes the plain list of its webhooks may have.
    #[schemars(range(max = Quota::ListBytes.most()), example = quota::LIST_BYTES)]
    list_bytes: u64,
    /// How many events its own keys may publish a second; ten seconds' worth may come at once.
    #[schemars(range(min = 1, max = Quota::EventsPerSecond.most()), example = 100)]
    events_per_second: u64,
    /// How many recoveries it may have running.
    #[schemars(range(max = Quota::Recoveries.most()), example = 2)]
    recoveries: u64,
}

/// A tenant.
pub(crate) fn tenant(tenant: &tenant::Tenant) -> Tenant<'_> {
    let quotas = tenant.quotas();
    Tenant {
        id: &tenant.id,
        name: &tenant.name,
        plan: tenant.plan,
        created_at: tenant.created_at.into(),
        status: tenant.status,
        quotas: Quotas {
            webhooks: quotas.webhooks,
            list_bytes: quotas.list_bytes,
            events_per_second: quotas.events_per_second,
            recoveries: quotas.recoveries,
        },
        external_id: tenant.external_id.as_ref(),
        metadata: Some(&tenant.metadata).filter(|metadata| !metadata.is_empty()),
        deletion: None,
    }
}

/// A page of tenants.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TenantPage")]
pub(crate) struct Tenants {
    /// The page's tenants, the oldest first.
    #[schemars(with = "Vec<Tenant<'static>>")]
    pub(crate) tenants: Vec<Box<RawValue>>,
    /// What follows.
    pub(crate) pagination: Pagination,
}

/// An API key. Its text is shown by the answer that makes it, and never again.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub(crate) struct Key<'a> {
    /// Its id: what it is revoked by.
    #[schemars(with = "Id<KeyId>")]
    id: &'a KeyId,
    /// The key itself, this once: left out wherever else it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"pr_5f0c9a7e1b3d5f7a9c1e3b5d7f9a1c3e5b7d9f1a3c5e7b9d1f3a5c7e9b1d3f5a")]
    key: Option<&'a str>,
    /// How the webhooks that it makes are spoken to; a provider key has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DialectName>")]
    dialect: Option<DialectRef>,
    /// What it may do.
    #[schemars(with = "Vec<Names<Scope>>", length(min = 1, max = Scope::ALL.len()))]
    scopes: &'a [Scope],
    /// When it was made.
    created_at: Time,
    /// The operator's note; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), example = &"CI")]
    name: Option<&'a str>,
    /// When it stops working; left out where it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
}

/// A key, without its text.
pub(crate) fn key(key: &ApiKey) -> Key<'_> {
    shown(key, None)
}

/// A key that was made just now, with its text, this once.
pub(crate) fn new_key<'a>(key: &'a ApiKey, text: &'a str) -> Key<'a> {
    shown(key, Some(text))
}

fn shown<'a>(key: &'a ApiKey, text: Option<&'a str>) -> Key<'a> {
    Key {
        id: &key.id,
        key: text,
        dialect: key.dialect,
        scopes: &key.scopes,
        created_at: key.created_at.into(),
        name: key.name.as_deref(),
        expires_at: key.not_after.map(Time::from),
    }
}

/// A page of keys.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApiKeyPage")]
pub(crate) struct Keys {
    /// The page's keys, the oldest first, without their texts.
    #[schemars(with = "Vec<Key<'static>>")]
    pub(crate) keys: Vec<Box<RawValue>>,
    /// What follows.
    pub(crate) pagination: Pagination,
}
