//! The routes; nearly all of them take the admin key.

use postrider_api::{
    ApiError, Call, Calls, Fields, Paging, Request, Response, Rotation, Route, Routed, SharedAccess, ShownPage,
    being_deleted, tenant_id_in_path, tenant_in_path,
};
use postrider_aws::Recorded;
use postrider_aws::config_table::{Made, Taken, TenantChange, TenantChanged};
use postrider_domain::call::CalledBy;
use postrider_domain::dialect::{DialectRef, PROVIDER_KEY_PREFIX};
use postrider_domain::external_id::ExternalId;
use postrider_domain::id::{KeyId, TenantId};
use postrider_domain::invalid::Invalid;
use postrider_domain::key::{ApiKey, Scope};
use postrider_domain::key::{hash_of, secret_text};
use postrider_domain::metadata::{Metadata, check_metadata};
use postrider_domain::quota::{Quota, QuotaChange};
use postrider_domain::secret::{KeyDerivation, Secret};
use postrider_domain::stored_secret::{StoredSecret, rotated};
use postrider_domain::tenant::{Plan, Tenant, TenantStatus};
use postrider_domain::{invisible, time};
use postrider_host::{clock, entropy};
use serde_json::value::RawValue;

use crate::access::{Admitted, TenantsAccess};
use crate::bounds::MAX_NAME_CHARS;
use crate::operator::Operator;
use crate::{operations, portal_operations, smoke, view};

#[cfg(test)]
pub(crate) mod tests;

/// How often a rotation is tried that others overtake.
pub(crate) const TRIES: usize = 4;
pub(crate) const A_NAME: &str = "1 to 128 characters";
const SOME_METADATA: &str = "an object of strings";
const SOME_QUOTAS: &str = "an object of quotas";
pub(crate) const A_PLAN: &str = "`free`, `pro` or `enterprise`";

const UNSEEN_KEY: &str = "look at the list of keys before you repeat it, and revoke the key that you were not shown; with an \
                          Idempotency-Key, simply repeat it";
/// By which calls that make something are remembered.
const CREATE_TENANT: &str = "POST /v1/tenants";
const CREATE_TENANT_KEY: &str = "POST /v1/tenants/{id}/keys";
const CREATE_PROVIDER_KEY: &str = "POST /v1/keys";

/// Whom a route lets in that is for the operator alone.
const OPERATOR: TenantsAccess = TenantsAccess::Operator;
/// The same for what the provider's own services do with the portal.
const PORTAL: TenantsAccess = TenantsAccess::Provider(Scope::PortalWrite);

impl Routed for Operator {
    type Access = TenantsAccess;
    type Caller = Admitted;

    const ROUTES: &'static [Route<Self>] = &[
        Route::get("/v1/tenants", OPERATOR, operations::list, |it, request, _, _| Box::pin(it.list(request))),
        Route::post(
            "/v1/tenants",
            OPERATOR,
            operations::create,
            |it, request, _, _| Box::pin(it.create(request)),
            "look at GET /v1/tenants before you repeat it; with an Idempotency-Key, simply repeat it",
        ),
        Route::get("/v1/tenants/{id}", OPERATOR, operations::get, |it, request, _, [id, _]| {
            Box::pin(it.get(request, id))
        }),
        Route::patch("/v1/tenants/{id}", OPERATOR, operations::change, |it, request, _, [id, _]| {
            Box::pin(it.change(request, id))
        }),
        Route::put("/v1/tenants/{id}", OPERATOR, operations::put, |it, request, _, [id, _]| {
            Box::pin(it.put(request, id))
        }),
        Route::delete("/v1/tenants/{id}", OPERATOR, operations::delete, |it, request, _, [id, _]| {
            Box::pin(it.delete(request, id))
        }),
        Route::get("/v1/tenants/{id}/stats", OPERATOR, operations::stats, |it, request, _, [id, _]| {
            Box::pin(it.stats(request, id))
        }),
        Route::get("/v1/tenants/{id}/keys", OPERATOR, operations::list_keys, |it, request, _, [id, _]| {
            Box::pin(it.list_tenant_keys(request, id))
        }),
        Route::post(
            "/v1/tenants/{id}/keys",
            OPERATOR,
            operations::create_key,
            |it, request, _, [id, _]| Box::pin(it.create_key(request, id)),
            UNSEEN_KEY,
        ),
        Route::delete(
            "/v1/tenants/{id}/keys/{key_id}",
            OPERATOR,
            operations::delete_key,
            |it, request, _, [id, key]| Box::pin(it.delete_tenant_key(request, id, key)),
        ),
        Route::post(
            "/v1/tenants/{id}/secret/rotate",
            OPERATOR,
            operations::rotate,
            |it, request, _, [id, _]| Box::pin(it.rotate(request, id)),
            "the secret may be another now that you were not shown: rotate again, and use that one",
        ),
        Route::get("/v1/keys", OPERATOR, operations::list_provider_keys, |it, request, _, _| {
            Box::pin(it.list_provider_keys(request))
        }),
        Route::post(
            "/v1/keys",
            OPERATOR,
            operations::create_provider_key,
            |it, request, _, _| Box::pin(it.create_provider_key(request)),
            UNSEEN_KEY,
        ),
        Route::delete("/v1/keys/{key_id}", OPERATOR, operations::delete_provider_key, |it, request, _, [key, _]| {
            Box::pin(it.delete_provider_key(request, key))
        }),
        Route::post(
            "/v1/tenants/{id}/portal",
            PORTAL,
            portal_operations::create,
            |it, request, _, [id, _]| Box::pin(it.create_link(request, id)),
            "repeat it: a link that you were not shown ends by itself",
        ),
        Route::delete("/v1/tenants/{id}/portal", PORTAL, portal_operations::end_all, |it, request, _, [id, _]| {
            Box::pin(it.end_sessions(request, id))
        }),
        Route::delete(
            "/v1/tenants/{id}/portal/{session_id}",
            PORTAL,
            portal_operations::end,
            |it, request, _, [id, session]| Box::pin(it.end_session(request, id, session)),
        ),
        Route::post(
            "/v1/portal/sessions",
            TenantsAccess::Anybody,
            portal_operations::begin,
            |it, request, _, _| Box::pin(it.begin_session(request)),
            "repeat it, and where it is refused ask for a new link: this one is used up",
        ),
        Route::get(
            "/v1/portal/session",
            TenantsAccess::Visitor,
            portal_operations::show,
            |_, request, caller: &Admitted, _| Box::pin(async { Self::show_session(request, caller.visitor()?) }),
        ),
        Route::delete(
            "/v1/portal/session",
            TenantsAccess::Visitor,
            portal_operations::sign_out,
            |it, request, caller: &Admitted, _| Box::pin(async { it.sign_out(request, caller.visitor()?).await }),
        ),
        Route::post(
            "/v1/smoke/receivers",
            OPERATOR,
            smoke::make,
            |it, request, _, _| Box::pin(it.make_receiver(request)),
            "repeat it: nothing is kept of a receiver",
        ),
        Route::post(
            "/v1/smoke/receive/{token}",
            TenantsAccess::Anybody,
            smoke::receive,
            |it, request, _, [token, _]| Box::pin(it.receive(request, token)),
            "repeat it: nothing is kept of what came",
        ),
    ];

    async fn admit(&self, request: &Request, access: &TenantsAccess) -> Result<Admitted, ApiError> {
        match access {
            TenantsAccess::Operator => self.credentials.operator().admit(request).await.map(|()| Admitted::Anyone),
            TenantsAccess::Provider(scope) => {
                self.credentials.admit(request, &SharedAccess::Write(*scope)).await.map(|_| Admitted::Anyone)
            }
            TenantsAccess::Visitor => {
                let caller = self.credentials.keys().visitor(request).await?;
                Ok(Admitted::Visitor(Box::new(caller)))
            }
            TenantsAccess::Anybody => Ok(Admitted::Anyone),
        }
    }

    async fn admit_astray(&self, request: &Request) -> Result<(), ApiError> {
        match request.path().as_slice() {
            // Everybody knows these.
            ["v1", "portal", ..] => Ok(()),
            _ => self.credentials.operator().admit(request).await,
        }
    }
}

impl Operator {
    /// The operator's call, which makes something.
    fn call(&self, request: &Request, route: &str, path: &[&str]) -> Result<Call<'_>, ApiError> {
        Calls::new(&self.config, &self.keyring).of(request, CalledBy::Operator, (route, path), "")
    }

    async fn create(&self, request: &Request) -> Result<Response, ApiError> {
        let call = self.call(request, CREATE_TENANT, &[])?;
        call.once(async |call| self.make(request, call).await).await
    }

    async fn make(&self, request: &Request, call: &Call<'_>) -> Result<(Response, Made), ApiError> {
        let mut fields = request.fields()?;
        let name = check_name(fields.require("name", A_NAME)?)?;
        let plan: Plan = fields.require("plan", A_PLAN)?;
        let given: Option<String> = fields.take_value("secret", "a string")?;
        let quotas = quotas(&mut fields)?.of_nothing();
        let external_id: Option<ExternalId> = fields.take_value("external_id", &ExternalId::expected())?;
        let metadata = given_metadata(&mut fields)?.unwrap_or_default();
        fields.finish()?;
        let given = given.map(|text| Secret::parse(text, KeyDerivation::WholeText)).transpose()?;
        let tenant = self.new_tenant((name, plan), given).await?;
        let tenant = Tenant { quotas, external_id, metadata, ..tenant };
        let response = Response::json(201, &view::tenant(&tenant));
        let answered = call.answered(&response, tenant.created_at).await?;
        let made = self.config.create_tenant(&tenant, answered.as_ref()).await?.map_err(|Taken| external_id_taken())?;
        Ok((response, made))
    }

    /// A tenant that is still to be put, with the secret that was given, or one that nobody is shown.
    pub(crate) async fn new_tenant(
        &self,
        (name, plan): (String, Plan),
        given: Option<Secret>,
    ) -> Result<Tenant, ApiError> {
        let now = clock::now();
        let tenant = Tenant::bare(TenantId::new(now, entropy::bits64()), name, plan, now);
        let unseen = given.is_none();
        let secret = given.unwrap_or_else(|| Secret::generate(&entropy::bits256(), KeyDerivation::WholeText));
        let sealed = self.keyring.seal(tenant.id.as_str(), &secret).await?;
        Ok(Tenant { secrets: vec![StoredSecret { unseen, ..StoredSecret::new(sealed) }], ..tenant })
    }

    async fn list(&self, request: &Request) -> Result<Response, ApiError> {
        request.only_query(&["limit", "cursor"])?;
        let paging: Paging<TenantId> = Paging::of(request)?;
        let found = self.config.tenants(paging.limit, paging.after.as_ref().map(TenantId::as_str)).await?;
        let page = ShownPage::of(&found, |tenant| &tenant.id, |tenant| Some(view::tenant(tenant)));
        let pagination = page.pagination();
        Ok(Response::json(200, &view::Tenants { tenants: page.rows, pagination }))
    }

    async fn change(&self, request: &Request, id: &str) -> Result<Response, ApiError> {
        for _ in 0..TRIES {
            let tenant = tenant_in_path(&self.config, id).await?;
            let mut fields = request.fields()?;
            let change = TenantChange {
                name: fields.take_value("name", A_NAME)?.map(check_name).transpose()?,
                plan: fields.take_value("plan", A_PLAN)?,
                status: status(&mut fields)?,
                quotas: quotas(&mut fields)?,
                external_id: fields.change("external_id", &format!("{}, or null", ExternalId::expected()))?,
                metadata: changed_metadata(&mut fields)?,
            };
            fields.finish()?;
            match self.config.change_tenant(&tenant, &change).await? {
                TenantChanged::To(changed) => return Ok(Response::json(200, &view::tenant(&changed))),
                TenantChanged::Gone => return Err(being_deleted()),
                TenantChanged::Taken => return Err(external_id_taken()),
                TenantChanged::Overtaken => {}
            }
        }
        Err(overtaken())
    }

    /// A new secret for what is signed with the tenant's; shown this once.
    async fn rotate(&self, request: &Request, id: &str) -> Result<Response, ApiError> {
        let asked = Rotation::read(request.optional_fields()?)?;
        for _ in 0..TRIES {
            let tenant = tenant_in_path(&self.config, id).await?;
            let secret = asked.secret(KeyDerivation::WholeText)?;
            let sealed = self.keyring.seal(tenant.id.as_str(), &secret).await?;
            let now = clock::now();
            let secrets = rotated(&tenant.secrets, sealed, now, asked.grace_seconds);
            let secrets = secrets.ok_or_else(Rotation::too_many)?;
            if self.config.change_tenant_secrets(&tenant, &secrets).await? == Recorded::Yes {
                return Ok(Rotation::response(&secret, &secrets, now));
            }
        }
        Err(ApiError::conflict("this tenant's secret is being rotated by others at the same time; try again"))
    }

    async fn create_key(&self, request: &Request, tenant: &str) -> Result<Response, ApiError> {
        let tenant = tenant_in_path(&self.config, tenant).await?.id;
        let call = self.call(request, CREATE_TENANT_KEY, &[tenant.as_str()])?;
        let make = async |call: &Call<'_>| {
            let mut fields = request.fields()?;
            let dialects: Vec<_> = postrider_domain::dialect::all().map(|dialect| dialect.name).collect();
            let dialect: DialectRef = fields.require("dialect", &format!("one of {}", dialects.join(", ")))?;
            let scopes = scopes(&mut fields)?.unwrap_or_else(Scope::of_a_tenant);
            Scope::check_for_tenants(&scopes)?;
            self.issue(fields, Some((tenant.clone(), dialect)), scopes, call).await
        };
        call.once(make).await
    }

    async fn create_provider_key(&self, request: &Request) -> Result<Response, ApiError> {
        let call = self.call(request, CREATE_PROVIDER_KEY, &[])?;
        let make = async |call: &Call<'_>| {
            let mut fields = request.fields()?;
            let scopes = scopes(&mut fields)?.ok_or_else(|| Invalid::new("scopes", "a list of scopes"))?;
            Scope::check_for_providers(&scopes)?;
            self.issue(fields, None, scopes, call).await
        };
        call.once(make).await
    }

    async fn issue(
        &self,
        mut fields: Fields,
        tenants: Option<(TenantId, DialectRef)>,
        scopes: Vec<Scope>,
        call: &Call<'_>,
    ) -> Result<(Response, Made), ApiError> {
        let (tenant_id, dialect) = tenants.unzip();
        let name = fields.take_value("name", A_NAME)?.map(check_name).transpose()?;
        let expires_at: Option<String> = fields.take_value("expires_at", "an RFC 3339 time")?;
        fields.finish()?;
        let now = clock::now();
        let not_after = expires_at.map(|text| time::parse("expires_at", &text)).transpose()?;
        if not_after.is_some_and(|end| end <= now) {
            return Err(ApiError::unprocessable(Invalid::new("expires_at", "a time to come")));
        }
        let prefix = dialect.map_or(PROVIDER_KEY_PREFIX, |dialect| dialect.0.key_prefix);
        let text = secret_text(prefix, &entropy::bits256());
        let id = KeyId::new(now, entropy::bits64());
        let key = ApiKey { id, tenant_id, dialect, scopes, name, hash: hash_of(&text), created_at: now, not_after };
        let response = Response::json(201, &view::new_key(&key, &text));
        let answered = call.answered(&response, now).await?;
        let made = self.config.create_key(&key, answered.as_ref()).await?;
        Ok((response, made))
    }

    async fn list_tenant_keys(&self, request: &Request, tenant: &str) -> Result<Response, ApiError> {
        self.list_keys(request, Some(&tenant_id_in_path(&self.config, tenant).await?)).await
    }

    async fn list_provider_keys(&self, request: &Request) -> Result<Response, ApiError> {
        self.list_keys(request, None).await
    }

    async fn list_keys(&self, request: &Request, tenant: Option<&TenantId>) -> Result<Response, ApiError> {
        request.only_query(&["limit", "cursor"])?;
        let paging: Paging<KeyId> = Paging::of(request)?;
        // Who names no limit wants all, and gets what one read brings.
        let limit = request.query("limit")?.map(|_| paging.limit);
        let found = self.config.keys(tenant, limit, paging.after.as_ref().map(KeyId::as_str)).await?;
        let page = ShownPage::of(&found, |key| &key.id, |key| Some(view::key(key)));
        let pagination = page.pagination();
        Ok(Response::json(200, &view::Keys { keys: page.rows, pagination }))
    }

    async fn delete_tenant_key(&self, request: &Request, tenant: &str, key: &str) -> Result<Response, ApiError> {
        self.delete_key(request, Some(&tenant_id_in_path(&self.config, tenant).await?), key).await
    }

    async fn delete_provider_key(&self, request: &Request, key: &str) -> Result<Response, ApiError> {
        self.delete_key(request, None, key).await
    }

    async fn delete_key(&self, request: &Request, tenant: Option<&TenantId>, key: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let not_found = || ApiError::not_found("key");
        let key: KeyId = key.parse().map_err(|_| not_found())?;
        if self.config.delete_key(tenant, &key).await? { Ok(Response::no_content()) } else { Err(not_found()) }
    }
}

/// 409: an external id is one tenant's alone.
fn external_id_taken() -> ApiError {
    ApiError::conflict("another tenant has this external_id")
}

pub(crate) fn overtaken() -> ApiError {
    ApiError::conflict("this tenant is being changed by others at the same time; try again")
}

pub(crate) fn check_name(name: String) -> Result<String, ApiError> {
    if invisible::shows(&name) && name.chars().count() <= MAX_NAME_CHARS {
        Ok(name)
    } else {
        Err(Invalid::new("name", A_NAME).into())
    }
}

/// What a tenant's status may be set to: that it is being deleted is not to be said by a change, which could be taken back.
fn status(fields: &mut Fields) -> Result<Option<TenantStatus>, ApiError> {
    let expected = "`active` or `suspended`";
    match fields.take_value("status", expected)? {
        Some(TenantStatus::Deleting) => Err(fields.invalid("status", expected)),
        status => Ok(status),
    }
}

pub(crate) fn given_metadata(fields: &mut Fields) -> Result<Option<Metadata>, ApiError> {
    let given: Option<Metadata> = fields.take_value("metadata", SOME_METADATA)?;
    given.as_ref().map(check_metadata).transpose()?;
    Ok(given)
}

/// The same where null takes it away.
fn changed_metadata(fields: &mut Fields) -> Result<Option<Metadata>, ApiError> {
    let given: Option<Option<Metadata>> = fields.change("metadata", &format!("{SOME_METADATA}, or null"))?;
    let given = given.map(Option::unwrap_or_default);
    given.as_ref().map(check_metadata).transpose()?;
    Ok(given)
}

/// The fields of `quotas`; each may be null, which is the plan's.
pub(crate) fn quotas(fields: &mut Fields) -> Result<QuotaChange, ApiError> {
    let Some(object) = fields.take_value::<Box<RawValue>>("quotas", SOME_QUOTAS)? else {
        return Ok(QuotaChange::default());
    };
    let mut inner = Fields::inner("quotas", &object)?;
    let mut change = |quota: Quota| -> Result<Option<Option<u64>>, ApiError> {
        let limit: Option<Option<u64>> = inner.change(quota.as_str(), &quota.expected())?;
        limit.flatten().map_or(Ok(()), |limit| quota.check(limit))?;
        Ok(limit)
    };
    let change = QuotaChange {
        webhooks: change(Quota::Webhooks)?,
        list_bytes: change(Quota::ListBytes)?,
        events_per_second: change(Quota::EventsPerSecond)?,
        recoveries: change(Quota::Recoveries)?,
    };
    inner.finish()?;
    Ok(change)
}

fn scopes(fields: &mut Fields) -> Result<Option<Vec<Scope>>, ApiError> {
    let names: Option<Vec<String>> = fields.take_value("scopes", "a list of scopes")?;
    Ok(names.map(|names| Scope::parse_all(&names)).transpose()?)
}
