//! Tenants and keys as the API shows them; neither a key nor a secret is among it.

use postrider_domain::key::ApiKey;
use postrider_domain::tenant::Tenant;
use postrider_domain::time;
use serde_json::{Value, json};

pub(crate) fn tenant(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "plan": tenant.plan,
        "status": tenant.status,
        "created_at": time::wire(tenant.created_at),
    })
}

pub(crate) fn key(key: &ApiKey) -> Value {
    let mut body = json!({"id": key.id, "scopes": key.scopes, "created_at": time::wire(key.created_at)});
    let rest = [
        ("dialect", json!(key.dialect)),
        ("name", json!(key.name)),
        ("expires_at", json!(key.not_after.map(time::wire))),
    ];
    for (name, value) in rest {
        if !value.is_null() {
            body[name] = value;
        }
    }
    body
}
