//! The portal's links and sessions: made for the provider, begun by a visitor, ended by either.

use postrider_api::{ApiError, Caller, Fields, Request, Response, tenant_id_in_path, tenant_in_path};
use postrider_aws::Recorded;
use postrider_aws::config_table::OpenSessions;
use postrider_domain::dialect::{self, DialectRef, SESSION_PREFIX, STANDARD, TOKEN_PREFIX};
use postrider_domain::id::{SessionId, TenantId};
use postrider_domain::invalid::Invalid;
use postrider_domain::key::{hash_of, secret_text};
use postrider_domain::portal::{
    Capabilities, Capability, Link, Look, MAX_SECONDS, MIN_SECONDS, Reach, Session, USUAL_SECONDS, check_seconds,
    is_token,
};
use postrider_domain::quota::{Exceeded, PORTAL_SESSIONS, Quota};
use postrider_domain::tenant::{Tenant, TenantStatus};
use postrider_host::{clock, entropy};

use crate::operator::Operator;
use crate::portal_view;

/// Where a link leads to, behind the API's address: the page that uses it up.
const ENTER: &str = "/portal/enter/";

/// What a link is to be, each field checked by itself.
pub(crate) struct Asked {
    capabilities: Capabilities,
    reach: Reach,
    seconds: i64,
    dialect: Option<DialectRef>,
    look: Look,
}

impl Asked {
    pub(crate) fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let capabilities: Option<Vec<String>> = fields.take_value("capabilities", &a_list_of_capabilities())?;
        let webhooks: Option<Vec<String>> = fields.take_value("webhook_ids", &Reach::expected())?;
        let expected = format!("a whole number of seconds, {MIN_SECONDS} to {MAX_SECONDS}");
        let seconds: Option<i64> = fields.take_value("expires_in", &expected)?;
        let dialect: Option<DialectRef> = fields.take_value("dialect", &registering())?;
        let look = Look {
            return_url: fields.take_value("return_url", "an http or https URL")?,
            name: fields.take_value("name", &Look::a_name())?,
            accent: fields.take_value("accent", Look::A_COLOUR)?,
            language: fields.take_value("language", Look::A_LANGUAGE)?,
        };
        fields.finish()?;
        look.check()?;
        if dialect.is_some_and(|dialect| !dialect.registers) {
            return Err(Invalid::new("dialect", registering()).into());
        }
        Ok(Self {
            capabilities: capabilities.map_or_else(|| Ok(Capabilities::all()), |names| Capabilities::parse(&names))?,
            reach: webhooks.map_or(Ok(Reach::All), |ids| Reach::parse(&ids))?,
            seconds: check_seconds(seconds.unwrap_or(USUAL_SECONDS))?,
            dialect,
            look,
        })
    }
}

fn a_list_of_capabilities() -> String {
    let names: Vec<_> = Capability::ALL.iter().map(|one| one.as_str()).collect();
    format!("a list of {}", names.join(", "))
}

/// The dialects that a visitor can make webhooks in, in words for an error.
fn registering() -> String {
    let names: Vec<_> = dialect::all().filter(|one| one.registers).map(|one| one.name).collect();
    format!("one of {}, whose webhooks are registered", names.join(", "))
}

/// 401: why a link does not work is told to nobody, who may have found it somewhere.
pub(crate) fn link_is_none() -> ApiError {
    ApiError::unauthorized("this link was used, is more than five minutes old, or was ended; ask for a new one")
}

impl Operator {
    /// A link that works once. What it stands for is in its row; it is shown this once, and kept as its hash.
    pub(crate) async fn create_link(&self, request: &Request, tenant: &str) -> Result<Response, ApiError> {
        let asked = Asked::read(request.optional_fields()?)?;
        let tenant = tenant_in_path(&self.config, tenant).await?;
        if tenant.status == TenantStatus::Suspended {
            // Whoever followed it would be told no more than that.
            return Err(ApiError::tenant_suspended());
        }
        self.check_webhooks(&tenant.id, &asked.reach).await?;
        let now = clock::now();
        let open = self.config.open_sessions(&tenant.id, tenant.portal_epoch, now, PORTAL_SESSIONS).await?;
        if open == OpenSessions::TooMany {
            return Err(Exceeded::until_given_back(Quota::PortalSessions, PORTAL_SESSIONS).into());
        }
        let session = self.session(tenant, asked, now.as_second()).await?;
        let token = secret_text(TOKEN_PREFIX, &entropy::bits256());
        let link = Link::to(session, now);
        self.config.create_link(&link, &hash_of(&token)).await?;
        let url = format!("{}{ENTER}{token}", self.public_url);
        tracing::info!(
            tenant_id = link.session.tenant_id.as_str(),
            session_id = link.session.id.as_str(),
            "portal.linked"
        );
        Ok(Response::json(201, &portal_view::link(&link.session, &url)))
    }

    async fn session(&self, tenant: Tenant, asked: Asked, now: i64) -> Result<Session, ApiError> {
        let expires_at = now + asked.seconds;
        let dialect = match asked.dialect {
            Some(dialect) => dialect,
            None => self.config.newest_dialect(&tenant.id).await?.unwrap_or(DialectRef(&STANDARD)),
        };
        let mut session = Session {
            id: SessionId::ending(clock::now(), 0),
            tenant_id: tenant.id,
            capabilities: asked.capabilities,
            reach: asked.reach,
            dialect,
            epoch: tenant.portal_epoch,
            expires_at,
            look: asked.look,
        };
        session.id = SessionId::ending(session.ends_at(), entropy::bits64());
        Ok(session)
    }

    /// Refuses webhooks that the tenant does not have: a link for them would show nothing, and nobody would know why.
    async fn check_webhooks(&self, tenant: &TenantId, reach: &Reach) -> Result<(), ApiError> {
        let Some(only) = reach.only() else { return Ok(()) };
        let found = self.config.endpoints_by_ids(tenant, only).await?;
        let is_there = |id| {
            let there = found.iter().find(|(there, _)| there == id);
            there.is_some_and(|(_, endpoint)| endpoint.as_ref().is_none_or(|endpoint| endpoint.deleted_at.is_none()))
        };
        match only.iter().find(|id| !is_there(*id)) {
            None => Ok(()),
            Some(id) => {
                let expected = format!("webhooks of this tenant, and `{id}` is none");
                Err(ApiError::unprocessable(Invalid::new("webhook_ids", expected)))
            }
        }
    }

    /// Uses a link up. Should we die once that is written, its visitor has neither link nor session, and gets a new link.
    pub(crate) async fn begin_session(&self, request: &Request) -> Result<Response, ApiError> {
        let mut fields = request.fields()?;
        let token: String = fields.require("token", "a link's token")?;
        fields.finish()?;
        if !is_token(&token) {
            return Err(link_is_none());
        }
        let (hash, now) = (hash_of(&token), clock::now());
        let link = self.config.link(&hash).await?.filter(|link| !link.is_late(now)).ok_or_else(link_is_none)?;
        let session = link.session;
        let tenant = self.config.tenant(&session.tenant_id).await?;
        let tenant = tenant.filter(|tenant| tenant.portal_epoch == session.epoch).ok_or_else(link_is_none)?;
        if tenant.status == TenantStatus::Suspended {
            return Err(ApiError::tenant_suspended());
        }
        let text = secret_text(SESSION_PREFIX, &entropy::bits256());
        if self.config.use_link_up(&session, (&hash, &hash_of(&text)), now).await? == Recorded::Overtaken {
            return Err(link_is_none());
        }
        tracing::info!(tenant_id = session.tenant_id.as_str(), session_id = session.id.as_str(), "portal.entered");
        Ok(Response::json(201, &portal_view::begun(&session, &text)))
    }

    /// What a visitor may know of his own session.
    pub(crate) fn show_session(request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let (tenant, session) = (caller.tenant()?.0, caller.session().ok_or_else(link_is_none)?);
        Ok(Response::json(200, &portal_view::session(session, &tenant.name)))
    }

    /// Ends a visitor's own session.
    pub(crate) async fn sign_out(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        if let Some(session) = caller.session() {
            self.config.end_session(&session.tenant_id, &session.id).await?;
        }
        Ok(Response::no_content())
    }

    pub(crate) async fn end_session(&self, request: &Request, tenant: &str, id: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let tenant = tenant_id_in_path(&self.config, tenant).await?;
        let not_found = || ApiError::not_found("session");
        let id: SessionId = id.parse().map_err(|_| not_found())?;
        if self.config.end_session(&tenant, &id).await? { Ok(Response::no_content()) } else { Err(not_found()) }
    }

    /// Ends all of a tenant's sessions, and the links that nobody has used, by one write, however many there are.
    pub(crate) async fn end_sessions(&self, request: &Request, tenant: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let tenant = tenant_id_in_path(&self.config, tenant).await?;
        if self.config.end_sessions(&tenant).await? {
            return Ok(Response::no_content());
        }
        Err(ApiError::not_found("tenant"))
    }
}

#[cfg(test)]
mod tests;
