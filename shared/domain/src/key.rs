//! API keys: whose they are, what they may do, and in which dialect their webhooks speak.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::dialect::DialectRef;
use crate::id::{KeyId, TenantId};
use crate::invalid::Invalid;
use crate::named;
use crate::named::stored_by_name;

named! {
    /// One thing that a key may do, by its name in the API.
    pub enum Scope {
        /// See webhooks.
        WebhooksRead = "webhooks:read",
        /// Make, change and delete webhooks.
        WebhooksWrite = "webhooks:write",
        /// Publish events.
        EventsWrite = "events:write",
        /// See jobs.
        JobsRead = "jobs:read",
        /// Start and cancel jobs.
        JobsWrite = "jobs:write",
        /// Report on jobs: the worker's side.
        JobsReport = "jobs:report",
        /// See deliveries.
        DeliveriesRead = "deliveries:read",
        /// Retry, cancel and recover deliveries.
        DeliveriesWrite = "deliveries:write",
        /// Make, change and delete the deployment's event types.
        EventTypesWrite = "event_types:write",
        /// Make links to the portal, and end its sessions.
        PortalWrite = "portal:write",
    }
}

stored_by_name!(Scope);

impl Scope {
    /// What a tenant's key may do unless told otherwise: all but the provider's side, which publishes and reports.
    pub fn of_a_tenant() -> Vec<Self> {
        let is_the_providers = |scope: &Self| matches!(scope, Self::EventsWrite | Self::JobsReport);
        let all = Self::ALL.iter().copied().filter(|scope| scope.is_for_tenants());
        all.filter(|scope| !is_the_providers(scope)).collect()
    }

    /// Whether a tenant's key can have it: what it is about is no other tenant's.
    pub fn is_for_tenants(self) -> bool {
        !matches!(self, Self::EventTypesWrite | Self::PortalWrite)
    }

    /// Refuses a tenant's key's scopes that are about what all tenants share.
    ///
    /// # Errors
    /// [`Invalid`], naming the first one.
    pub fn check_for_tenants(scopes: &[Self]) -> Result<(), Invalid> {
        let Some(at) = scopes.iter().position(|scope| !scope.is_for_tenants()) else { return Ok(()) };
        let usable = Self::ALL.iter().filter(|scope| scope.is_for_tenants());
        let usable: Vec<_> = usable.map(|scope| scope.as_str()).collect();
        Err(Invalid::new(format!("scopes[{at}]"), format!("what a tenant's key can have: {}", usable.join(", "))))
    }

    /// Whether a provider key, which belongs to no tenant, can ever use it.
    pub fn is_for_providers(self) -> bool {
        matches!(
            self,
            Self::EventsWrite
                | Self::JobsRead
                | Self::JobsWrite
                | Self::JobsReport
                | Self::EventTypesWrite
                | Self::DeliveriesRead
                | Self::PortalWrite
        )
    }

    /// Refuses a provider key's scopes that it could never use, so that nobody relies on one.
    ///
    /// # Errors
    /// [`Invalid`], naming the first one.
    pub fn check_for_providers(scopes: &[Self]) -> Result<(), Invalid> {
        let Some(at) = scopes.iter().position(|scope| !scope.is_for_providers()) else { return Ok(()) };
        let usable = Self::ALL.iter().filter(|scope| scope.is_for_providers());
        let usable: Vec<_> = usable.map(|scope| scope.as_str()).collect();
        Err(Invalid::new(format!("scopes[{at}]"), format!("what a provider key can use: {}", usable.join(", "))))
    }

    /// Reads a request's `scopes`.
    ///
    /// # Errors
    /// [`Invalid`] for an unknown one (`admin` is nobody's to give), a repeated one, or an empty list.
    pub fn parse_all(names: &[String]) -> Result<Vec<Self>, Invalid> {
        let known = || Self::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
        let mut scopes = Vec::new();
        for (i, name) in names.iter().enumerate() {
            match Self::ALL.iter().find(|scope| scope.as_str() == name) {
                Some(scope) if !scopes.contains(scope) => scopes.push(*scope),
                _ => return Err(Invalid::new(format!("scopes[{i}]"), format!("each of {} at most once", known()))),
            }
        }
        if scopes.is_empty() {
            return Err(Invalid::new("scopes", format!("at least one of {}", known())));
        }
        Ok(scopes)
    }
}

/// The text of a new key: its dialect's prefix and 256 random bits.
pub fn secret_text(prefix: &str, random: &[u8; 32]) -> String {
    format!("{prefix}{}", hex::encode(random))
}

/// What a key is kept and found by. The key is random, so a plain hash gives nothing away.
pub fn hash_of(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}

/// A key as its row holds it; the key itself is kept by nobody but its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its name.
    pub id: KeyId,
    /// Whose it is; a provider key, which the provider's own services use, is no tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// The dialect of the webhooks that it makes; a provider key has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<DialectRef>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The operator's note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// SHA-256 of the key, in hex: where its own row lies.
    pub hash: String,
    /// When it was made.
    #[serde(with = "crate::time::as_wire")]
    pub created_at: Timestamp,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub not_after: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it may do this.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it has stopped working.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.not_after.is_some_and(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(names: &[&str]) -> Result<Vec<Scope>, Invalid> {
        Scope::parse_all(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_tenants_key_neither_publishes_nor_reports_on_jobs_unless_told() {
        for scope in [Scope::EventsWrite, Scope::JobsReport, Scope::EventTypesWrite, Scope::PortalWrite] {
            assert!(!Scope::of_a_tenant().contains(&scope));
        }
        assert_eq!(Scope::of_a_tenant().len(), Scope::ALL.len() - 4);
    }

    #[test]
    fn what_all_tenants_share_is_changed_by_none_of_them() {
        let shared = [Scope::EventTypesWrite, Scope::PortalWrite];
        let others = Scope::ALL.iter().copied().filter(|scope| !shared.contains(scope));
        assert_eq!(Scope::check_for_tenants(&others.collect::<Vec<_>>()), Ok(()));
        for scope in shared {
            let scopes = parse(&["jobs:read", scope.as_str()]).unwrap();
            assert_eq!(Scope::check_for_tenants(&scopes).unwrap_err().field, "scopes[1]");
        }
    }

    #[test]
    fn a_provider_key_gets_only_what_it_can_use() {
        let good = parse(&["events:write", "jobs:read", "jobs:write", "jobs:report", "event_types:write"]).unwrap();
        let good = [good, vec![Scope::DeliveriesRead, Scope::PortalWrite]].concat();
        assert_eq!(Scope::check_for_providers(&good), Ok(()));
        for name in ["webhooks:read", "webhooks:write", "deliveries:write"] {
            let scopes = parse(&["jobs:read", name]).unwrap();
            assert_eq!(Scope::check_for_providers(&scopes).unwrap_err().field, "scopes[1]", "{name}");
        }
    }

    #[test]
    fn unknown_repeated_and_no_scopes_are_refused_by_place() {
        assert_eq!(parse(&["events:write", "admin"]).unwrap_err().field, "scopes[1]");
        assert_eq!(parse(&["events:write", "events:write"]).unwrap_err().field, "scopes[1]");
        assert_eq!(parse(&[]).unwrap_err().field, "scopes");
        assert_eq!(parse(&["jobs:report"]).unwrap(), [Scope::JobsReport]);
    }
}
