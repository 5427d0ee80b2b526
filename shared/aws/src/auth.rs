//! Who is calling: API keys, checked in the functions so that a refusal comes in the path's own error shape.
//!
//! A good key is remembered for less than a minute per process, so a revoked one stops working within a minute and a
//! busy one costs no read. An unknown key is never remembered.

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_types::SdkConfig;
use postrider_domain::dialect;
use postrider_domain::id::{KeyId, TenantId};
use postrider_domain::key::{ApiKey, PROVIDER_PREFIX, Scope};
use postrider_domain::tenant::{Tenant, TenantStatus};
use subtle::ConstantTimeEq as _;

use crate::config_table::{ConfigTable, hash_of, tenant_partition};
use crate::env::{self, BadSetting};
use crate::error::failed;
use crate::http::{Fault, Request};
use crate::remembered::{Remembered, RememberedByKey};
use crate::{AwsError, chance, deadline, rows};

const REMEMBERED: Duration = Duration::from_secs(45);
/// Keys that a process remembers before it forgets them all: a bound on memory, far above what one process sees.
const MOST_REMEMBERED: usize = 10_000;
const ADMIN_KEY_CHARS: usize = 64;

/// A caller with a good key.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key.
    pub key: ApiKey,
    /// The tenant, unless it is a provider key.
    pub tenant: Option<Tenant>,
}

impl Caller {
    /// The tenant that the key belongs to.
    ///
    /// # Errors
    /// 403 for a provider key, which belongs to none.
    pub fn tenant(&self) -> Result<&Tenant, Fault> {
        self.tenant.as_ref().ok_or_else(|| Fault::forbidden("a provider key belongs to no tenant; use a tenant's key"))
    }

    /// The id of that tenant.
    ///
    /// # Errors
    /// 403 for a provider key.
    pub fn tenant_id(&self) -> Result<&TenantId, Fault> {
        Ok(&self.tenant()?.id)
    }
}

/// Checks keys.
pub struct Auth {
    config: ConfigTable,
    remembered: RememberedByKey<Caller>,
    tenants: RememberedByKey<()>,
}

impl Auth {
    /// A checker over the config table.
    pub fn new(config: ConfigTable) -> Self {
        Self {
            config,
            remembered: RememberedByKey::new(REMEMBERED, MOST_REMEMBERED),
            tenants: RememberedByKey::new(REMEMBERED, MOST_REMEMBERED),
        }
    }

    /// The caller of this request, if its key is good for `scope`.
    ///
    /// # Errors
    /// 401 for no key, an unknown or an expired one; 403 without the scope or for a suspended tenant.
    pub async fn caller(&self, request: &Request, scope: Scope) -> Result<Caller, Fault> {
        self.caller_with(bearer(request)?, scope).await
    }

    /// The same, where the key comes in `X-Api-Key`; a bearer's is taken too.
    ///
    /// # Errors
    /// As [`Auth::caller`].
    pub async fn caller_by_header(&self, request: &Request, scope: Scope) -> Result<Caller, Fault> {
        let key = match request.header("x-api-key").map(str::trim).filter(|key| !key.is_empty()) {
            Some(key) => key,
            None if request.header("authorization").is_some() => bearer(request)?,
            None => return Err(Fault::unauthorized("no API key; send `X-Api-Key: <key>`")),
        };
        self.caller_with(key, scope).await
    }

    async fn caller_with(&self, key: &str, scope: Scope) -> Result<Caller, Fault> {
        let caller = self.known(key).await?;
        if caller.key.has_expired(chance::now()) {
            return Err(Fault::unauthorized("this API key has expired"));
        }
        if caller.tenant.as_ref().is_some_and(|tenant| tenant.status == TenantStatus::Suspended) {
            return Err(Fault::tenant_suspended());
        }
        if caller.key.may(scope) {
            return Ok(caller);
        }
        Err(Fault::forbidden(format!("this API key lacks the scope `{}`", scope.as_str())))
    }

    async fn known(&self, key: &str) -> Result<Caller, Fault> {
        let known_prefix = dialect::all().map(|dialect| dialect.key_prefix).chain([PROVIDER_PREFIX]);
        if !is_of_admin_shape(key) && !known_prefix.into_iter().any(|prefix| key.starts_with(prefix)) {
            return Err(Fault::unauthorized("unknown API key"));
        }
        let hash = hash_of(key);
        let found = self.remembered.get(&hash, self.look_up(&hash)).await?;
        found.ok_or_else(|| Fault::unauthorized("unknown API key"))
    }

    async fn look_up(&self, hash: &str) -> Result<Option<Caller>, AwsError> {
        let Some(key) = self.config.key(hash).await? else { return Ok(None) };
        let tenant = match &key.tenant_id {
            // A key without its tenant is our failure: its owner must not be told that his key is none.
            Some(id) => Some(self.config.tenant(id).await?.ok_or_else(|| {
                rows::missing(&tenant_partition(id));
                missing("a key's tenant")
            })?),
            None => None,
        };
        Ok(Some(Caller { key, tenant }))
    }

    /// A tenant as it is at this moment, whatever is remembered of it.
    ///
    /// # Errors
    /// 401 when it is gone, and its keys with it.
    pub async fn tenant_now(&self, id: &TenantId) -> Result<Tenant, Fault> {
        self.config.tenant(id).await?.ok_or_else(|| Fault::unauthorized("unknown API key"))
    }

    /// Whether there is a tenant such as a provider key names. A suspended one may be published for: its deliveries are
    /// recorded as cancelled, and can be recovered.
    ///
    /// # Errors
    /// 404 when there is none.
    pub async fn check_named_tenant(&self, id: &TenantId) -> Result<(), Fault> {
        // Its row needs to be there, and not to be read: the event is kept, and waits until it can be.
        let look_up = async { Ok(self.config.has_tenant(id).await?.then_some(())) };
        let found = self.tenants.get(id.as_str(), look_up).await?;
        found.ok_or_else(|| Fault::not_found("tenant"))
    }
}

fn missing(what: &str) -> AwsError {
    AwsError::new("GetItem config", format!("{what} is missing"))
}

/// Checks the operator's one key, which the template makes.
pub struct AdminAuth {
    client: Client,
    config: ConfigTable,
    secret_id: String,
    remembered: Remembered<String>,
}

impl AdminAuth {
    /// From `ADMIN_KEY_SECRET`, the secret's ARN, and `CONFIG_TABLE`.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let (config, secret_id) = (ConfigTable::from_env(sdk)?, env::var("ADMIN_KEY_SECRET")?);
        Ok(Self { client: Client::new(sdk), config, secret_id, remembered: Remembered::new(REMEMBERED) })
    }

    /// Lets the operator in.
    ///
    /// # Errors
    /// 401 for no key or a wrong one, 403 for a key of another kind.
    pub async fn admit(&self, request: &Request) -> Result<(), Fault> {
        let key = bearer(request)?;
        if !is_of_admin_shape(key) {
            return Err(match self.config.key(&hash_of(key)).await? {
                Some(_) => Fault::forbidden("this route is the operator's; it takes the admin key"),
                None => Fault::unauthorized("unknown API key"),
            });
        }
        let expected = self.remembered.get(self.load()).await?;
        if hash_of(key).as_bytes().ct_eq(hash_of(&expected).as_bytes()).into() {
            return Ok(());
        }
        Err(Fault::unauthorized("unknown API key"))
    }

    async fn load(&self) -> Result<String, AwsError> {
        let call = "GetSecretValue";
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await.map_err(failed(call))?;
        let key = answer.secret_string().unwrap_or_default().to_owned();
        // No write of the request's own: what that is told depends on its own writes.
        deadline::beside(self.config.note_admin_key(&known_admin_key(&key))).await?;
        Ok(key)
    }
}

fn known_admin_key(key: &str) -> ApiKey {
    let now = chance::now();
    ApiKey {
        id: KeyId::new(now, chance::bits64()),
        tenant_id: None,
        dialect: None,
        scopes: Vec::new(),
        name: Some("the admin key".to_owned()),
        hash: hash_of(key),
        created_at: now,
        not_after: None,
    }
}

/// The admin key is generated without a prefix, so its shape is what tells it from the others.
fn is_of_admin_shape(key: &str) -> bool {
    key.len() == ADMIN_KEY_CHARS && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn bearer(request: &Request) -> Result<&str, Fault> {
    let value = request
        .header("authorization")
        .ok_or_else(|| Fault::unauthorized("no API key; send `Authorization: Bearer <key>`"))?;
    match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty() => Ok(key.trim()),
        _ => Err(Fault::unauthorized("expected `Authorization: Bearer <key>`")),
    }
}
