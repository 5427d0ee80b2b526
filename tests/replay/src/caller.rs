//! Who calls the API, and the rows by which he is known.

use jiff::Timestamp;
use postrider_domain::dialect::{Dialect, DialectRef, PROVIDER_KEY_PREFIX};
use postrider_domain::id::{KeyId, TenantId};
use postrider_domain::key::{ApiKey, Scope};
use postrider_domain::tenant::{Plan, Tenant};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::item::keyed;

/// Somebody with an API key.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What he sends.
    pub text: String,
    /// The key.
    pub key: ApiKey,
    /// Whose it is, unless it is the provider's.
    pub tenant: Option<Tenant>,
}

impl Caller {
    /// A tenant, told apart from others by its number, with a key of this dialect.
    pub fn of_tenant(number: u64, dialect: &'static Dialect, scopes: &[Scope]) -> Self {
        let id = TenantId::new(Timestamp::UNIX_EPOCH, number);
        let tenant = Tenant::bare(id.clone(), "Acme".to_owned(), Plan::Pro, Timestamp::UNIX_EPOCH);
        let key = key(format!("{}{number}", dialect.key_prefix), scopes);
        let api_key = ApiKey { tenant_id: Some(id), dialect: Some(DialectRef(dialect)), ..key.key };
        Self { key: api_key, tenant: Some(tenant), ..key }
    }

    /// The provider.
    pub fn of_provider(scopes: &[Scope]) -> Self {
        key(format!("{PROVIDER_KEY_PREFIX}1"), scopes)
    }

    /// The id of his tenant.
    pub fn tenant_id(&self) -> TenantId {
        self.key.tenant_id.clone().expect("a tenant's key")
    }

    /// His rows in the config table.
    pub fn rows(&self) -> Vec<Value> {
        let key = keyed(format!("KEY#{}", self.key.hash), "KEY", &self.key);
        let tenant = self.tenant.as_ref().map(|tenant| keyed(format!("TENANT#{}", tenant.id), "TENANT", tenant));
        std::iter::once(key).chain(tenant).collect()
    }
}

fn key(text: String, scopes: &[Scope]) -> Caller {
    let key = ApiKey {
        id: KeyId::new(Timestamp::UNIX_EPOCH, 1),
        tenant_id: None,
        dialect: None,
        scopes: scopes.to_vec(),
        name: None,
        hash: hex::encode(Sha256::digest(text.as_bytes())),
        created_at: Timestamp::UNIX_EPOCH,
        not_after: None,
    };
    Caller { text, key, tenant: None }
}
