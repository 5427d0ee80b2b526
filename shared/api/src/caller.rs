//! Who is calling, and what of a tenant he is for.

use postrider_domain::call::CalledBy;
use postrider_domain::dialect::DialectRef;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::key::ApiKey;
use postrider_domain::portal::{Reach, Session};
use postrider_domain::tenant::Tenant;

use crate::ApiError;

/// A caller with a good key, or in a session that goes on.
///
/// A tenant is never told without how much of it he is for: whoever takes the one has the other in hand.
#[derive(Debug, Clone)]
pub struct Caller {
    held: Held,
    tenant: Option<Tenant>,
    reach: Reach,
}

/// What a caller holds.
#[derive(Debug, Clone)]
pub enum Held {
    /// A key.
    Key(Box<ApiKey>),
    /// A session in a tenant's portal.
    Session(Box<Session>),
}

impl Caller {
    /// Who has this key, of this tenant where it is one's.
    pub(crate) fn with_key(key: ApiKey, tenant: Option<Tenant>) -> Self {
        Self { held: Held::Key(Box::new(key)), tenant, reach: Reach::All }
    }

    /// Who is in this session of this tenant's portal.
    pub(crate) fn in_session(session: Session, tenant: Tenant) -> Self {
        let reach = session.reach.clone();
        Self { held: Held::Session(Box::new(session)), tenant: Some(tenant), reach }
    }

    /// What he holds.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// The session, if he is in one.
    pub fn session(&self) -> Option<&Session> {
        match &self.held {
            Held::Session(session) => Some(session),
            Held::Key(_) => None,
        }
    }

    /// By what he is named where something tells who it was: the key's id, or the session's.
    pub fn actor(&self) -> &str {
        match &self.held {
            Held::Key(key) => key.id.as_str(),
            Held::Session(session) => session.id.as_str(),
        }
    }

    /// The dialect of the webhooks that he makes; a provider key has none.
    pub fn dialect(&self) -> Option<DialectRef> {
        match &self.held {
            Held::Key(key) => key.dialect,
            Held::Session(session) => Some(session.dialect),
        }
    }

    /// Whose calls are told apart from others'. All keys of a tenant are one caller; a session is one by itself, or a visitor could be
    /// shown what a key was.
    pub fn called_by(&self) -> CalledBy<'_> {
        match (&self.held, &self.tenant) {
            (Held::Session(session), _) => CalledBy::Session(&session.tenant_id, &session.id),
            (Held::Key(_), Some(tenant)) => CalledBy::Tenant(&tenant.id),
            (Held::Key(key), None) => CalledBy::Provider(&key.id),
        }
    }

    /// The tenant, and which of its webhooks he is for; nothing for a provider key, which belongs to none.
    pub fn of_tenant(&self) -> Option<(&Tenant, &Reach)> {
        self.tenant.as_ref().map(|tenant| (tenant, &self.reach))
    }

    /// The same where it has to be a tenant's.
    ///
    /// # Errors
    /// 403 for a provider key.
    pub fn tenant(&self) -> Result<(&Tenant, &Reach), ApiError> {
        self.of_tenant().ok_or_else(|| ApiError::forbidden("a provider key belongs to no tenant; use a tenant's key"))
    }

    /// A webhook that a request names, where it may be: whether it is there is to be read.
    ///
    /// # Errors
    /// 404 for what can be none of his, 403 for a provider key.
    pub fn webhook(&self, id: &str) -> Result<(&TenantId, EndpointId), ApiError> {
        let (tenant, reach) = self.tenant()?;
        let id = id.parse().ok().filter(|id| reach.has(id));
        id.map(|id| (&tenant.id, id)).ok_or_else(|| ApiError::not_found("webhook"))
    }
}
