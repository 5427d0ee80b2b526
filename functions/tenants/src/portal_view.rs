//! Links and sessions as the API shows them; neither a token nor a session's text is among it, but in the answer that makes it.

use std::collections::BTreeSet;

use postrider_api::document::{DialectName, Id, JsonSchema, Names, Time, UrlOfTheWeb};
use postrider_domain::dialect::DialectRef;
use postrider_domain::id::{EndpointId, SessionId, TenantId};
use postrider_domain::portal::{self, Capability, MAX_LANGUAGE_CHARS, MAX_TITLE_CHARS, MOST_WEBHOOKS};
use serde::Serialize;

use crate::bounds::MAX_NAME_CHARS;

/// A link to the portal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PortalLink")]
pub(crate) struct Link<'a> {
    /// Where to send the visitor, this once: it works for five minutes, and once.
    #[schemars(example = &"https://hooks.example.com/portal/enter/prl_5f0c9a7e1b3d5f7a9c1e3b5d7f9a1c3e5b7d9f1a3c5e7b9d1f3a5c7e9b1d3f5a")]
    url: &'a str,
    /// The session that it leads to: what it is ended by, and named by as the `actor` of what is done in it.
    #[schemars(with = "Id<SessionId>")]
    session_id: &'a SessionId,
    /// When that session ends.
    expires_at: Time,
}

/// A session that has begun.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BegunSession")]
pub(crate) struct Begun<'a> {
    /// What the visitor sends as `Authorization: Bearer`, this once.
    #[schemars(example = &"prs_5f0c9a7e1b3d5f7a9c1e3b5d7f9a1c3e5b7d9f1a3c5e7b9d1f3a5c7e9b1d3f5a")]
    session: &'a str,
    /// Its id, by which it is ended.
    #[schemars(with = "Id<SessionId>")]
    session_id: &'a SessionId,
    /// When it ends.
    expires_at: Time,
    /// What it may do.
    #[schemars(with = "Vec<Names<Capability>>", length(min = 1, max = Capability::ALL.len()))]
    capabilities: &'a [Capability],
    /// The webhooks that it is for; left out where it is for all of the tenant's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Id<EndpointId>>>", length(min = 1, max = MOST_WEBHOOKS))]
    webhook_ids: Option<&'a BTreeSet<EndpointId>>,
}

/// A visitor's own session.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PortalSession")]
pub(crate) struct Session<'a> {
    /// Its id.
    #[schemars(with = "Id<SessionId>")]
    session_id: &'a SessionId,
    /// The tenant whose portal it is.
    #[schemars(with = "Id<TenantId>")]
    tenant_id: &'a TenantId,
    /// That tenant's name, as the operator has it.
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), example = &"Acme")]
    tenant_name: &'a str,
    /// What it may do.
    #[schemars(with = "Vec<Names<Capability>>", length(min = 1, max = Capability::ALL.len()))]
    capabilities: &'a [Capability],
    /// The webhooks that it is for; left out where it is for all of the tenant's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Id<EndpointId>>>", length(min = 1, max = MOST_WEBHOOKS))]
    webhook_ids: Option<&'a BTreeSet<EndpointId>>,
    /// The dialect of the webhooks that are made in it.
    #[schemars(with = "DialectName")]
    dialect: DialectRef,
    /// When it ends.
    expires_at: Time,
    /// Where the portal leads back to; left out where the link says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<UrlOfTheWeb>")]
    return_url: Option<&'a str>,
    /// In whose name the portal is; left out where the link says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_TITLE_CHARS), example = &"Acme Webhooks")]
    name: Option<&'a str>,
    /// The portal's colour; left out where the link says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^#[0-9A-Fa-f]{6}$"), example = &"#1f6feb")]
    accent: Option<&'a str>,
    /// The portal's language, by its tag; left out where the link says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = MAX_LANGUAGE_CHARS), example = &"de")]
    language: Option<&'a str>,
}

/// A link that was made just now, with its URL, this once.
pub(crate) fn link<'a>(session: &'a portal::Session, url: &'a str) -> Link<'a> {
    Link { url, session_id: &session.id, expires_at: session.ends_at().into() }
}

/// A session that has begun just now, with its text, this once.
pub(crate) fn begun<'a>(session: &'a portal::Session, text: &'a str) -> Begun<'a> {
    Begun {
        session: text,
        session_id: &session.id,
        expires_at: session.ends_at().into(),
        capabilities: session.capabilities.as_slice(),
        webhook_ids: session.reach.only(),
    }
}

/// A session, without its text.
pub(crate) fn session<'a>(session: &'a portal::Session, tenant_name: &'a str) -> Session<'a> {
    Session {
        session_id: &session.id,
        tenant_id: &session.tenant_id,
        tenant_name,
        capabilities: session.capabilities.as_slice(),
        webhook_ids: session.reach.only(),
        dialect: session.dialect,
        expires_at: session.ends_at().into(),
        return_url: session.look.return_url.as_deref(),
        name: session.look.name.as_deref(),
        accent: session.look.accent.as_deref(),
        language: session.look.language.as_deref(),
    }
}
