//! What the portal's routes do, and what they are sent, for the API's document.

use postrider_api::document::{DialectName, Id, JsonSchema, Left, Names, TenantInPath, UrlOfTheWeb};
use postrider_api::{ApiError, Operation, being_deleted};
use postrider_domain::id::{EndpointId, SessionId};
use postrider_domain::invalid::Invalid;
use postrider_domain::portal::{
    Capability, MAX_LANGUAGE_CHARS, MAX_SECONDS, MAX_TITLE_CHARS, MIN_SECONDS, MOST_WEBHOOKS,
};
use postrider_domain::quota::{Exceeded, PORTAL_SESSIONS, Quota};

use crate::portal::link_is_none;
use crate::portal_view::{Begun, Link, Session};

const LEAVING: &str = "The tenant is being deleted.";
const SUSPENDED: &str = "The tenant is suspended, and so is its portal.";

/// A link to the portal.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "nothing is made of this type but its schema")]
pub(crate) struct CreateLink {
    /// What the session may do: all that a customer may where nothing is said. Each of them includes `view`.
    #[schemars(with = "Left<Vec<Names<Capability>>>", length(min = 1, max = Capability::ALL.len()), extend("uniqueItems" = true))]
    capabilities: (),
    /// The webhooks that the session is for; all of the tenant's where nothing is said.
    #[schemars(with = "Left<Vec<Id<EndpointId>>>", length(min = 1, max = MOST_WEBHOOKS), extend("uniqueItems" = true))]
    webhook_ids: (),
    /// In how many seconds from now the session ends: an hour where nothing is said.
    #[schemars(with = "Left<i64>", range(min = MIN_SECONDS, max = MAX_SECONDS), example = 3600)]
    expires_in: (),
    /// Where the portal leads back to.
    #[schemars(with = "Left<UrlOfTheWeb>")]
    return_url: (),
    /// In whose name the portal is.
    #[schemars(with = "Left<String>", length(min = 1, max = MAX_TITLE_CHARS), example = &"Acme Webhooks")]
    name: (),
    /// The portal's colour.
    #[schemars(with = "Left<String>", extend("pattern" = "^#[0-9A-Fa-f]{6}$"), example = &"#1f6feb")]
    accent: (),
    /// The portal's language, by its tag. Where the portal has no such texts they are in another.
    #[schemars(with = "Left<String>", length(min = 2, max = MAX_LANGUAGE_CHARS), extend("pattern" = "^[A-Za-z]{2,3}(-[0-9A-Za-z]{1,8})*$"), example = &"de")]
    language: (),
    /// The dialect of the webhooks that are made in the session, one whose webhooks are registered: that of the tenant's newest key of
    /// such a dialect where nothing is said, or `standard`.
    #[schemars(with = "Left<DialectName>")]
    dialect: (),
}

/// A link that is to be used up.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "nothing is made of this type but its schema")]
pub(crate) struct BeginSession {
    /// What stands behind `/portal/enter/` in the link.
    #[schemars(with = "String", extend("pattern" = "^prl_[0-9a-f]{64}$"), example = &"prl_5f0c9a7e1b3d5f7a9c1e3b5d7f9a1c3e5b7d9f1a3c5e7b9d1f3a5c7e9b1d3f5a")]
    token: (),
}

fn of_a_tenant(id: &'static str, summary: &'static str, about: &'static str) -> Operation {
    Operation::new(id, summary, about)
        .of::<TenantInPath>("id", "The tenant's id, or `ext:` and its `external_id`.")
        .refuses(being_deleted(), LEAVING)
}

pub(crate) fn create() -> Operation {
    let about = "Send your customer there, or embed it. The link works once, within five minutes, and begins a session that ends when \
                 `expires_at` says, counted from now. A repeat makes another link.";
    let nobodys = ApiError::unprocessable(Invalid::new("webhook_ids", "webhooks of this tenant, and `wh_…` is none"));
    let full: ApiError = Exceeded::until_given_back(Quota::PortalSessions, PORTAL_SESSIONS).into();
    of_a_tenant("createPortalLink", "Make a link to the portal", about)
        .may_take::<CreateLink>()
        .answers::<Link<'static>>(201, "The link, shown this once.")
        .refuses(ApiError::tenant_suspended(), SUSPENDED)
        .refuses(nobodys, "The tenant has no such webhook.")
        .refuses(full, format!("The tenant has {PORTAL_SESSIONS} sessions, with the links that may still be used."))
}

pub(crate) fn end_all() -> Operation {
    let about = "All of its sessions, and the links that nobody has used: within a minute each is a 401.";
    of_a_tenant("endPortalSessions", "End a tenant's sessions in the portal", about)
        .answers_nothing(204, "They have ended.")
}

pub(crate) fn end() -> Operation {
    let about = "Within a minute it is a 401; the link to it, where nobody has used that, at once.";
    of_a_tenant("endPortalSession", "End a session in the portal", about)
        .of::<Id<SessionId>>("session_id", "The session's id, as the answer had it that made the link.")
        .answers_nothing(204, "It has ended; from now on it is a 404 here.")
}

pub(crate) fn begin() -> Operation {
    let about = "Takes no key: the link's token is all. Of several calls with one token one is answered so. Where that answer is lost, the \
                 link is used up all the same, and its visitor needs a new one.";
    Operation::new("beginPortalSession", "Use a link to the portal up", about)
        .takes::<BeginSession>()
        .answers::<Begun<'static>>(201, "The session, shown this once.")
        .refuses(
            link_is_none(),
            "The link was used, is too old, was ended, or is none: which of these is told to nobody.",
        )
        .refuses(ApiError::tenant_suspended(), SUSPENDED)
}

pub(crate) fn show() -> Operation {
    let about = "What a program needs to know that serves a visitor: what he may do, and how his pages are to look.";
    Operation::new("getPortalSession", "Show the session that calls", about)
        .answers::<Session<'static>>(200, "The session.")
}

pub(crate) fn sign_out() -> Operation {
    Operation::new("endOwnPortalSession", "End the session that calls", "Within a minute it is a 401.")
        .answers_nothing(204, "It has ended.")
}

#[cfg(test)]
mod tests {
    use postrider_api::Fields;
    use postrider_api::document::fields_of;

    use super::*;
    use crate::portal::Asked;

    #[test]
    fn the_document_has_the_fields_of_a_link() {
        let told = Fields::told(&Asked::read(Fields::read(br#"{"?": 1}"#).unwrap()).map(drop).unwrap_err());
        assert_eq!(told, fields_of::<CreateLink>());
    }
}
