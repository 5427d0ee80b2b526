//! Tenants and keys as the API shows them; neither a key nor a secret is among it.

use postrider_domain::key::ApiKey;
use postrider_domain::tenant::Tenant;
use postrider_domain::time;
use serde_json::{Value, json};

/// A tenant.
pub(crate) fn tenant(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "plan": tenant.plan,
        "created_at": time::wire(tenant.created_at),
        "status": tenant.status,
        "quotas": tenant.quotas(),
    })
}

/// A key, without its text.
pub(crate) fn key(key: &ApiKey) -> Value {
    shown(key, None)
}

/// A key that was made just now, with its text, this once.
pub(crate) fn new_key(key: &ApiKey, text: &str) -> Value {
    shown(key, Some(text))
}

fn shown(key: &ApiKey, text: Option<&str>) -> Value {
    let fields = [
        ("id", json!(key.id)),
        ("key", json!(text)),
        ("dialect", json!(key.dialect)),
        ("scopes", json!(key.scopes)),
        ("created_at", json!(time::wire(key.created_at))),
        ("name", json!(key.name)),
        ("expires_at", json!(key.not_after.map(time::wire))),
    ];
    let there = fields.into_iter().filter(|(_, value)| !value.is_null());
    there.map(|(name, value)| (name.to_owned(), value)).collect()
}
