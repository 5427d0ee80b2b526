//! The routes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use postrider_api::KeyAccess::Bearer;
use postrider_api::Sessions::{ForAllWith, With};
use postrider_api::{
    ApiError, Call, Caller, Calls, Credentials, KeyAccess, Paging, Request, Response, Rotation, Route, Routed,
    ShownPage, fits_an_answer,
};
use postrider_aws::catalogue::Catalogue;
use postrider_aws::composer::Composer;
use postrider_aws::config_table::{ConfigTable, Made};
use postrider_aws::events_table::EventsTable;
use postrider_aws::keyring::Keyring;
use postrider_aws::queue::Queue;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::used_up::UsedUp;
use postrider_aws::{Page, Recorded};
use postrider_domain::dialect::{DialectRef, SecretWhenNone};
use postrider_domain::endpoint::{Endpoint, EndpointStatus};
use postrider_domain::event::EventPattern;
use postrider_domain::id::EndpointId;
use postrider_domain::invalid::Invalid;
use postrider_domain::key::Scope;
use postrider_domain::portal::Capability;
use postrider_domain::secret::Secret;
use postrider_domain::stored_secret::{StoredSecret, rotated};
use postrider_domain::ticket::Ticket;
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::metrics::{self, Metric};
use postrider_host::resolver::Resolver;
use postrider_host::{clock, entropy};

use crate::input::{Changes, are_others};
use crate::teller::{self, Teller};
use crate::{filter_test, headers, operations, view};

#[cfg(test)]
mod tests;
mod verify;

/// How often a change is tried that others overtake.
const TRIES: usize = 4;
/// By which calls that make a webhook are remembered.
const CREATE: &str = "POST /v1/webhooks/create";

/// What the routes need.
pub struct Webhooks {
    credentials: Credentials,
    pub(crate) config: ConfigTable,
    pub(crate) events: EventsTable,
    pub(crate) catalogue: Catalogue,
    keyring: Arc<Keyring>,
    pub(crate) composer: Composer,
    teller: Teller,
    resolver: Resolver,
    retry_queue: Queue,
    pub(crate) used_up: UsedUp,
    pub(crate) retention: Retention,
}

impl Routed for Webhooks {
    type Access = KeyAccess;
    type Caller = Caller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::post(
            "/v1/webhooks/create",
            Bearer(Scope::WebhooksWrite, ForAllWith(Capability::Edit)),
            operations::create,
            |it, request, caller, _| Box::pin(it.create(request, caller)),
            "look at GET /v1/webhooks before you repeat it, and delete the webhook that you were not told of; with an \
             Idempotency-Key, simply repeat it",
        ),
        Route::get(
            "/v1/webhooks",
            Bearer(Scope::WebhooksRead, With(Capability::View)),
            operations::list,
            |it, request, caller, _| Box::pin(it.list(request, caller)),
        ),
        Route::post(
            "/v1/webhooks/filter/test",
            Bearer(Scope::WebhooksRead, With(Capability::View)),
            filter_test::operation,
            |_, request, caller, _| Box::pin(filter_test::answer(request, caller)),
            "nothing is kept of it: repeat it",
        ),
        Route::get(
            "/v1/webhooks/{id}",
            Bearer(Scope::WebhooksRead, With(Capability::View)),
            operations::get,
            |it, request, caller, [id, _]| Box::pin(it.get(request, caller, id)),
        ),
        Route::patch(
            "/v1/webhooks/{id}",
            Bearer(Scope::WebhooksWrite, With(Capability::Edit)),
            operations::change,
            |it, request, caller, [id, _]| Box::pin(it.change(request, caller, id)),
        ),
        Route::delete(
            "/v1/webhooks/{id}",
            Bearer(Scope::WebhooksWrite, With(Capability::Edit)),
            operations::delete,
            |it, request, caller, [id, _]| Box::pin(it.delete(request, caller, id)),
        ),
        Route::post(
            "/v1/webhooks/{id}/enable",
            Bearer(Scope::WebhooksWrite, With(Capability::Edit)),
            operations::enable,
            |it, request, caller, [id, _]| Box::pin(it.turn(request, caller, id, EndpointStatus::Active)),
            "repeat it: whoever asks again changes nothing more",
        ),
        Route::post(
            "/v1/webhooks/{id}/disable",
            Bearer(Scope::WebhooksWrite, With(Capability::Edit)),
            operations::disable,
            |it, request, caller, [id, _]| Box::pin(it.turn(request, caller, id, EndpointStatus::Disabled)),
            "repeat it: whoever asks again changes nothing more",
        ),
        Route::post(
            "/v1/webhooks/{id}/secret/rotate",
            Bearer(Scope::WebhooksWrite, With(Capability::Secrets)),
            operations::rotate,
            |it, request, caller, [id, _]| Box::pin(it.rotate(request, caller, id)),
            "the secret may be another now that you were not shown: rotate again, and use that one",
        ),
        Route::post(
            "/v1/webhooks/{id}/test",
            Bearer(Scope::WebhooksWrite, With(Capability::Send)),
            operations::test,
            |it, request, caller, [id, _]| Box::pin(it.test(request, caller, id)),
            "look at this webhook's deliveries before you repeat it: a repeat is a second test",
        ),
        Route::post(
            "/v1/webhooks/{id}/preview",
            Bearer(Scope::WebhooksRead, With(Capability::Send)),
            operations::preview,
            |it, request, caller, [id, _]| Box::pin(it.preview(request, caller, id)),
            "nothing is kept of it: repeat it",
        ),
        Route::post(
            "/v1/verify",
            Bearer(Scope::WebhooksRead, With(Capability::View)),
            crate::verify::operation,
            |it, request, caller, _| Box::pin(it.verify(request, caller)),
            "repeat it: nothing is changed by it",
        ),
    ];

    async fn admit(&self, request: &Request, access: &KeyAccess) -> Result<Caller, ApiError> {
        self.credentials.caller(request, access).await
    }
}

impl Webhooks {
    /// From the settings that the template gives it.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let (config, keyring) = (ConfigTable::from_env(sdk)?, Arc::new(Keyring::from_env(sdk)?));
        let (events, retention) = (EventsTable::from_env(sdk)?, env::retention()?);
        Ok(Self {
            credentials: Credentials::new(config.clone()),
            catalogue: Catalogue::from_env(config.clone())?,
            config,
            teller: Teller::of(events.clone(), retention),
            events,
            composer: Composer::of_webhooks(Arc::clone(&keyring))?,
            keyring,
            resolver: Resolver::new(env::egress()?),
            retry_queue: Queue::retry(sdk)?,
            used_up: UsedUp::default(),
            retention,
        })
    }

    async fn create(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        caller.tenant()?;
        let dialect = dialect_of(caller)?;
        let calls = Calls::new(&self.config, &self.keyring);
        let call = calls.of(request, caller.called_by(), (CREATE, &[]), dialect.name)?;
        call.once(async |call| self.make(request, caller, dialect, call).await).await
    }

    async fn make(
        &self,
        request: &Request,
        caller: &Caller,
        dialect: DialectRef,
        call: &Call<'_>,
    ) -> Result<(Response, Made), ApiError> {
        // Whoever is for some webhooks alone is not let in.
        let (tenant, _) = caller.tenant()?;
        let quotas = tenant.quotas();
        let mut fields = request.fields()?;
        // A secret that is null was meant to be one: without it, nothing would be signed.
        let secret: Option<String> = fields.take_value("secret", "a string")?;
        let changes = Changes::read(fields, dialect)?;
        let secret = secret.map(|text| Secret::parse(text, dialect.signing.key)).transpose()?;
        let events = changes.events.clone().ok_or_else(|| Invalid::new("events", "a list of event types"))?;
        let url = changes.url.clone().ok_or_else(|| Invalid::new("url", "a public HTTPS URL"))?;

        let now = clock::now();
        let id = EndpointId::new(now, entropy::bits64());
        let mut endpoint = Endpoint { events, ..Endpoint::bare(id, tenant.id.clone(), url, dialect, now) };
        let bare = endpoint.clone();
        changes.apply(&mut endpoint, self.retention, now)?;
        headers::check_bytes(&bare, &endpoint)?;
        self.resolver.check_url("url", &endpoint.url).await?;

        let made = secret.is_none() && dialect.secret_when_none == SecretWhenNone::Made;
        let secret = if made { Some(Secret::generate(&entropy::bits256(), dialect.signing.key)) } else { secret };
        if let Some(secret) = &secret {
            let sealed = self.keyring.seal(&endpoint.secret_owner(), secret).await?;
            endpoint.secrets.push(StoredSecret::new(sealed));
        }
        headers::seal(&self.keyring, &mut endpoint).await?;
        let secret = secret.as_ref().filter(|_| made).map(Secret::expose);
        let response = Response::json(201, &view::Created { webhook: view::whole(&endpoint, now), secret });
        let answered = call.answered(&response, now).await?;
        let told = self.teller.created(&endpoint, caller.actor(), now);
        let made = self.config.create_endpoint(&endpoint, quotas, answered.as_ref(), &told).await??;
        if made == Made::Now {
            metrics::count(Metric::AcceptedEvents, told.count());
        }
        Ok((response, made))
    }

    async fn list(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        request.only_query(&["limit", "cursor"])?;
        let (tenant, reach) = caller.tenant()?;
        let tenant = &tenant.id;
        if request.query("limit")?.is_none() && request.query("cursor")?.is_none() {
            let all = match reach.only() {
                None => self.config.endpoints(tenant).await?,
                Some(only) => without_tombstones(self.config.endpoints_of(tenant, only).await?),
            };
            let body = view::All { webhooks: all.iter().map(view::listed).collect() };
            if !fits_an_answer(&body) {
                // Of webhooks that were made before there was a quota, or by one that the operator raised.
                let why = "pages (such as 100): the whole list is too long for one answer";
                return Err(ApiError::unprocessable(Invalid::new("limit", why)));
            }
            return Ok(Response::json(200, &body));
        }
        let paging: Paging<EndpointId> = Paging::of(request)?;
        let after = paging.after.as_ref().map(EndpointId::as_str);
        let found = match reach.page(paging.limit, paging.after.as_ref()) {
            None => self.config.endpoints_and_tombstones(tenant, paging.limit, after).await?,
            Some((only, next)) => Page { rows: self.config.endpoints_of(tenant, &only).await?, next },
        };
        let page = ShownPage::of(
            &found,
            |endpoint| &endpoint.id,
            |endpoint| endpoint.deleted_at.is_none().then(|| view::listed(endpoint)),
        );
        let pagination = page.pagination();
        Ok(Response::json(200, &view::Page { webhooks: page.rows, pagination }))
    }

    async fn get(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let endpoint = self.find(caller, id).await?;
        Ok(Response::json(200, &view::shown_to(caller, &endpoint, clock::now())))
    }

    async fn change(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        self.change_by(caller, id, |dialect| Changes::read(request.fields()?, dialect)).await
    }

    /// The same as a change of its status, which a caller need not spell.
    async fn turn(
        &self,
        request: &Request,
        caller: &Caller,
        id: &str,
        status: EndpointStatus,
    ) -> Result<Response, ApiError> {
        request.optional_fields()?.finish()?;
        self.change_by(caller, id, |_| Ok(Changes::of_status(status))).await
    }

    /// A change is made from what was read, so whoever was overtaken reads again.
    async fn change_by(
        &self,
        caller: &Caller,
        id: &str,
        read: impl Fn(DialectRef) -> Result<Changes, ApiError>,
    ) -> Result<Response, ApiError> {
        for _ in 0..TRIES {
            let before = self.find(caller, id).await?;
            let changes = read(before.dialect)?;
            let mut after = before.clone();
            let now = clock::now();
            changes.apply(&mut after, self.retention, now)?;
            check_reach(caller, &before, &after)?;
            headers::check_bytes(&before, &after)?;
            if after.url != before.url {
                self.resolver.check_url("url", &after.url).await?;
            }
            if self.write(caller, &before, &mut after, now).await? == Recorded::Yes {
                return Ok(Response::json(200, &view::shown_to(caller, &after, now)));
            }
        }
        Err(overtaken())
    }

    /// Writes a change, with what is told of it, and nothing of it in the clear.
    async fn write(
        &self,
        caller: &Caller,
        before: &Endpoint,
        after: &mut Endpoint,
        now: Timestamp,
    ) -> Result<Recorded, ApiError> {
        let fields = teller::fields(before, after, are_others(before, after), now);
        headers::seal(&self.keyring, after).await?;
        let told = self.teller.changed((before, after), &fields, caller.actor(), now);
        let quotas = caller.tenant()?.0.quotas();
        let written = self.config.change_endpoint(before, after, quotas, now, &told).await??;
        if written == Recorded::Yes {
            metrics::count(Metric::AcceptedEvents, told.count());
            self.go_on(before, after).await;
        }
        Ok(written)
    }

    async fn delete(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let not_found = || ApiError::not_found("webhook");
        let (tenant, id) = caller.webhook(id)?;
        let actor = caller.actor();
        for _ in 0..TRIES {
            let now = clock::now();
            let expires_at = now.as_second() + self.retention.seconds;
            let deleted = match self.config.endpoint(tenant, &id).await {
                Ok(Some(endpoint)) => {
                    let told = self.teller.deleted(&endpoint, actor, now);
                    let deleted = self.config.delete_endpoint(&endpoint, now, expires_at, &told).await?;
                    if deleted == Recorded::Yes {
                        self.go_on(&endpoint, &endpoint.clone().given_another_chance(now)).await;
                    }
                    Some(deleted)
                }
                Ok(None) => None,
                Err(error) if error.is_unreadable() => {
                    let told = self.teller.deleted_unseen((tenant, &id), actor, now);
                    self.config.delete_unreadable_endpoint(tenant, &id, now, expires_at, &told).await?
                }
                Err(error) => return Err(error.into()),
            };
            if deleted.ok_or_else(not_found)? == Recorded::Yes {
                metrics::count(Metric::AcceptedEvents, 1);
                return Ok(Response::no_content());
            }
        }
        Err(overtaken())
    }

    /// A new secret beside the old one, which counts until the grace ends. The new one is shown this once.
    async fn rotate(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        let asked = Rotation::read(request.optional_fields()?)?;
        for _ in 0..TRIES {
            let before = self.find(caller, id).await?;
            let secret = asked.secret(before.dialect.signing.key)?;
            let now = clock::now();
            let sealed = self.keyring.seal(&before.secret_owner(), &secret).await?;
            let secrets = rotated(&before.secrets, sealed, now, asked.grace_seconds).ok_or_else(Rotation::too_many)?;
            let mut after = Endpoint { secrets, ..before.clone() }.given_another_chance(now);
            if self.write(caller, &before, &mut after, now).await? == Recorded::Yes {
                return Ok(Rotation::response(&secret, &after.secrets, now));
            }
        }
        Err(overtaken())
    }

    /// Has what is parked sent, or called off, if a change lets it go. Should the ticket be lost, the sweep sends another.
    async fn go_on(&self, before: &Endpoint, after: &Endpoint) {
        let Some(parking) = after.parking.as_ref().filter(|_| before.parking != after.parking) else { return };
        if let Err(error) = self.retry_queue.send_ticket(&Ticket::of(after, parking), Duration::ZERO).await {
            tracing::warn!(webhook_id = after.id.as_str(), error = %error, "parking.left_to_the_sweep");
        }
    }

    pub(crate) async fn find(&self, caller: &Caller, id: &str) -> Result<Endpoint, ApiError> {
        let (tenant, id) = caller.webhook(id)?;
        self.config.endpoint(tenant, &id).await?.ok_or_else(|| ApiError::not_found("webhook"))
    }
}

fn dialect_of(caller: &Caller) -> Result<DialectRef, ApiError> {
    match caller.dialect() {
        Some(dialect) if dialect.registers => Ok(dialect),
        Some(_) => Err(ApiError::forbidden("keys of this dialect make no webhooks; its endpoints come with jobs")),
        None => Err(ApiError::forbidden("a provider key makes no webhooks; use a tenant's key")),
    }
}

/// Refuses a change by which whoever is for some webhooks alone would have one of them told of all others.
fn check_reach(caller: &Caller, before: &Endpoint, after: &Endpoint) -> Result<(), ApiError> {
    let (_, reach) = caller.tenant()?;
    let is_too_much = |pattern: &&EventPattern| !reach.may_ask_for(pattern) && !before.events.contains(pattern);
    match after.events.iter().find(is_too_much) {
        None => Ok(()),
        Some(pattern) => Err(ApiError::forbidden(format!(
            "this session is for some of the tenant's webhooks alone, and `{}` tells of all of them",
            pattern.as_str()
        ))),
    }
}

fn without_tombstones(mut endpoints: Vec<Endpoint>) -> Vec<Endpoint> {
    endpoints.retain(|endpoint| endpoint.deleted_at.is_none());
    endpoints
}

fn overtaken() -> ApiError {
    ApiError::conflict("this webhook is being changed by others at the same time; try again")
}
