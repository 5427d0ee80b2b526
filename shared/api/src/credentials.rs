//! Who is calling: API keys and sessions in the portal, checked in the functions so that a refusal comes in the path's own error shape.
//!
//! A good one is remembered for less than a minute per process, so one that was revoked or ended stops working within a minute and a
//! busy one costs no read. An unknown one is never remembered.

use std::time::Duration;

use postrider_aws::Failure;
use postrider_aws::config_table::ConfigTable;
use postrider_domain::dialect::{self, PROVIDER_KEY_PREFIX, SESSION_PREFIX};
use postrider_domain::id::TenantId;
use postrider_domain::invalid::Invalid;
use postrider_domain::key::hash_of;
use postrider_domain::portal::{Reach, is_session};
use postrider_domain::quota::Quotas;
use postrider_domain::tenant::{Tenant, TenantStatus};
use postrider_host::clock;
use postrider_host::remembered::RememberedByKey;

use crate::{ApiError, Caller, Held, KeyAccess, Request};

const REMEMBERED: Duration = Duration::from_secs(45);
/// Keys that a process remembers before it forgets them all: a bound on memory, far above what one process sees.
const MOST_REMEMBERED: usize = 10_000;
const ADMIN_KEY_CHARS: usize = 64;

/// Checks keys.
pub struct Credentials {
    config: ConfigTable,
    remembered: RememberedByKey<Caller, Failure>,
    tenants: RememberedByKey<Option<Quotas>, Failure>,
}

impl Credentials {
    /// A checker over the config table.
    pub fn new(config: ConfigTable) -> Self {
        Self {
            config,
            remembered: RememberedByKey::new(REMEMBERED, MOST_REMEMBERED),
            tenants: RememberedByKey::new(REMEMBERED, MOST_REMEMBERED),
        }
    }

    /// The caller of this request, if its key is good for what the route asks for.
    ///
    /// # Errors
    /// 401 for no key, an unknown or an expired one; 403 without the scope or for a suspended tenant.
    pub async fn caller(&self, request: &Request, access: &KeyAccess) -> Result<Caller, ApiError> {
        let (text, scope, sessions) = match access {
            KeyAccess::Bearer(scope, sessions) => (bearer(request)?, *scope, *sessions),
            KeyAccess::Header(scope, sessions) => (in_header(request)?, *scope, *sessions),
        };
        let caller = self.caller_of(text).await?;
        match caller.held() {
            Held::Session(session) => sessions.admit(session)?,
            Held::Key(key) if key.may(scope) => {}
            Held::Key(_) => {
                return Err(ApiError::forbidden(format!("this API key lacks the scope `{}`", scope.as_str())));
            }
        }
        Ok(caller)
    }

    /// The caller in the session of this request, whatever it may do.
    ///
    /// # Errors
    /// 401 where it is none or has ended; 403 for a key, and for a suspended tenant.
    pub async fn visitor(&self, request: &Request) -> Result<Caller, ApiError> {
        let caller = self.caller_of(bearer(request)?).await?;
        if caller.session().is_some() {
            return Ok(caller);
        }
        Err(ApiError::forbidden("this is for a visitor of the portal: it takes a session, and no API key"))
    }

    /// The caller with this key or in this session, whatever either may do.
    ///
    /// # Errors
    /// 401 for an unknown or an expired one; 403 for a suspended tenant.
    pub(crate) async fn caller_of(&self, text: &str) -> Result<Caller, ApiError> {
        let caller = if is_session(text) { self.in_session(text).await? } else { self.with_key(text).await? };
        let now = clock::now();
        match caller.held() {
            Held::Key(key) if key.has_expired(now) => return Err(ApiError::unauthorized("this API key has expired")),
            Held::Session(session) if session.has_ended(now) => return Err(session_has_ended()),
            Held::Key(_) | Held::Session(_) => {}
        }
        if caller.of_tenant().is_some_and(|(tenant, _)| tenant.status == TenantStatus::Suspended) {
            return Err(ApiError::tenant_suspended());
        }
        Ok(caller)
    }

    async fn in_session(&self, text: &str) -> Result<Caller, ApiError> {
        let hash = hash_of(text);
        let found = self.remembered.get(&hash, self.look_session_up(&hash)).await?;
        found.ok_or_else(session_has_ended)
    }

    async fn look_session_up(&self, hash: &str) -> Result<Option<Caller>, Failure> {
        let Some(session) = self.config.session(hash).await? else { return Ok(None) };
        let tenant = self.config.tenant_that_must_be(&session.tenant_id).await?;
        let goes_on = tenant.status != TenantStatus::Deleting && tenant.portal_epoch == session.epoch;
        Ok(goes_on.then(|| Caller::in_session(session, tenant)))
    }

    async fn with_key(&self, key: &str) -> Result<Caller, ApiError> {
        if key.starts_with(SESSION_PREFIX) {
            return Err(session_has_ended());
        }
        let known_prefix = dialect::all().map(|dialect| dialect.key_prefix).chain([PROVIDER_KEY_PREFIX]);
        if !is_of_admin_shape(key) && !known_prefix.into_iter().any(|prefix| key.starts_with(prefix)) {
            return Err(ApiError::unauthorized("unknown API key"));
        }
        let hash = hash_of(key);
        let found = self.remembered.get(&hash, self.look_up(&hash)).await?;
        found.ok_or_else(|| ApiError::unauthorized("unknown API key"))
    }

    async fn look_up(&self, hash: &str) -> Result<Option<Caller>, Failure> {
        let Some(key) = self.config.key(hash).await? else { return Ok(None) };
        let tenant = match &key.tenant_id {
            // A key without its tenant is our failure: its owner must not be told that his key is none.
            Some(id) => match self.config.tenant_that_must_be(id).await? {
                // Its keys end with the first word of its deletion, wherever that has come to.
                tenant if tenant.status == TenantStatus::Deleting => return Ok(None),
                tenant => Some(tenant),
            },
            None => None,
        };
        Ok(Some(Caller::with_key(key, tenant)))
    }

    /// A tenant as it is at this moment, whatever is remembered of it.
    ///
    /// # Errors
    /// 401 when it is gone, and its keys with it.
    pub async fn tenant_now(&self, id: &TenantId) -> Result<Tenant, ApiError> {
        self.config.tenant(id).await?.ok_or_else(|| ApiError::unauthorized("unknown API key"))
    }

    /// The tenant whose things a request is about, and which of its webhooks the caller is for: the key's or the session's own, or the one
    /// that a provider key names by `?tenant_id=`.
    ///
    /// # Errors
    /// 400 where a provider key names none, or a tenant's key does; 404 where there is no such tenant.
    pub async fn tenant_asked_for(&self, request: &Request, caller: &Caller) -> Result<(TenantId, Reach), ApiError> {
        let bad = |expected| ApiError::from(Invalid::new("tenant_id", expected));
        match (caller.of_tenant(), request.query("tenant_id")?) {
            (Some((tenant, reach)), None) => Ok((tenant.id.clone(), reach.clone())),
            (Some(_), Some(_)) => Err(bad("no such parameter with a tenant's key, which is for its own tenant")),
            (None, None) => Err(bad("the tenant whose events are meant: a provider key belongs to none")),
            (None, Some(id)) => {
                let id: TenantId = id.parse().map_err(|_| bad("a tenant id (`ten_` and 16 letters or digits)"))?;
                self.quotas_of(&id).await?;
                Ok((id, Reach::All))
            }
        }
    }

    /// The quotas of a tenant such as a provider key names; none where its row is there and cannot be read: the event is kept, and
    /// waits until it can be. A suspended one may be published for: its deliveries are recorded as cancelled, and can be
    /// recovered.
    ///
    /// # Errors
    /// 404 when there is no such tenant.
    pub async fn quotas_of(&self, id: &TenantId) -> Result<Option<Quotas>, ApiError> {
        let look_up = async {
            let found = self.config.tenant_if_readable(id).await?;
            Ok(found.map(|tenant| tenant.map(|tenant| tenant.quotas())))
        };
        let found = self.tenants.get(id.as_str(), look_up).await?;
        found.ok_or_else(|| ApiError::not_found("tenant"))
    }
}

/// 401. A session that nobody ever had is none that has not ended.
fn session_has_ended() -> ApiError {
    ApiError::unauthorized("this session has ended; ask for a new link to the portal")
}

fn in_header(request: &Request) -> Result<&str, ApiError> {
    match request.header("x-api-key").map(str::trim).filter(|key| !key.is_empty()) {
        Some(key) => Ok(key),
        None if request.header("authorization").is_some() => bearer(request),
        None => Err(ApiError::unauthorized("no API key; send `X-Api-Key: <key>`")),
    }
}

pub(crate) fn bearer(request: &Request) -> Result<&str, ApiError> {
    let value = request
        .header("authorization")
        .ok_or_else(|| ApiError::unauthorized("no API key; send `Authorization: Bearer <key>`"))?;
    match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty() => Ok(key.trim()),
        _ => Err(ApiError::unauthorized("expected `Authorization: Bearer <key>`")),
    }
}

/// The admin key is generated without a prefix, so its shape is what tells it from the others.
pub(crate) fn is_of_admin_shape(key: &str) -> bool {
    key.len() == ADMIN_KEY_CHARS && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
