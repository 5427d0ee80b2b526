//! Whom each of this function's routes lets in: the operator alone, the provider as well, a visitor of a portal, or everybody.

use postrider_api::{Access, ApiError, Caller, Credential, Sessions, SharedAccess};
use postrider_domain::key::Scope;
use postrider_domain::portal::Capability;

/// What a route asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantsAccess {
    /// The admin key.
    Operator,
    /// The admin key, or a provider key with this scope.
    Provider(Scope),
    /// A session in a tenant's portal, whatever it may do: the visitor asks about himself.
    Visitor,
    /// Nothing: what is sent says all.
    Anybody,
}

impl Access for TenantsAccess {
    fn scope(&self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Provider(scope) => scope.as_str(),
            Self::Visitor => "session",
            Self::Anybody => "none",
        }
    }

    fn credential(&self) -> Credential {
        match self {
            Self::Operator => Credential::Operator,
            Self::Provider(scope) => SharedAccess::Write(*scope).credential(),
            Self::Visitor => Credential::Session,
            Self::Anybody => Credential::Nothing,
        }
    }

    fn sessions(&self) -> Sessions {
        match self {
            Self::Visitor => Sessions::With(Capability::View),
            Self::Operator | Self::Provider(_) | Self::Anybody => Sessions::Never,
        }
    }
}

/// Who was let in.
#[derive(Debug, Clone)]
pub enum Admitted {
    /// Whoever may do what the route does, with any tenant.
    Anyone,
    /// A visitor, in a session.
    Visitor(Box<Caller>),
}

impl Admitted {
    /// The visitor.
    ///
    /// # Errors
    /// 403 for whoever is none.
    pub(crate) fn visitor(&self) -> Result<&Caller, ApiError> {
        match self {
            Self::Visitor(caller) => Ok(caller),
            Self::Anyone => Err(ApiError::forbidden("this is for a visitor of the portal")),
        }
    }
}
