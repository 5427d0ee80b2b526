//! Tenants: the provider's customers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::TenantId;
use crate::named;
use crate::named::stored_by_name;
pub use crate::plan::Plan;
use crate::quota::{OwnQuotas, Quotas};
use crate::stored_secret::StoredSecret;

named! {
    /// Whether a tenant may use the API and is sent to, by its name in the API and the tables.
    pub enum TenantStatus {
        /// It may, and it is.
        Active = "active",
        /// Its keys get 403, and its deliveries are cancelled.
        Suspended = "suspended",
    }
}

stored_by_name!(TenantStatus);

/// A tenant as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The operator's name for it.
    pub name: String,
    /// Its plan.
    pub plan: Plan,
    /// Its status.
    pub status: TenantStatus,
    /// The account's own signing secrets, sealed, the newest first; for dialects that sign with the tenant's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<StoredSecret>,
    /// What its operator has set for it beside its plan.
    #[serde(flatten)]
    pub quotas: OwnQuotas,
    /// When it was made.
    #[serde(with = "crate::time::as_wire")]
    pub created_at: Timestamp,
}

impl Tenant {
    /// What counts for it: its own quotas, and its plan's.
    pub fn quotas(&self) -> Quotas {
        self.quotas.over(Quotas::of(self.plan))
    }
}
