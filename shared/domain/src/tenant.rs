//! Tenants: the provider's customers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::TenantId;
use crate::named;
use crate::named::stored_by_name;
use crate::quota::{OwnQuotas, Quotas};
use crate::stored_secret::StoredSecret;

named! {
    /// What a tenant pays for: its quotas, and some dialects give webhooks to some plans only.
    pub enum Plan {
        /// Nothing.
        Free = "free",
        /// Something.
        Pro = "pro",
        /// By contract.
        Enterprise = "enterprise",
    }
}

stored_by_name!(Plan);

/// Whether a tenant may use the API and is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    /// Yes.
    Active,
    /// Its keys get 403, its deliveries are cancelled.
    Suspended,
}

impl Plan {
    /// Whether it includes webhooks, where a dialect gives them to some plans only.
    pub fn includes_webhooks(self) -> bool {
        matches!(self, Self::Pro | Self::Enterprise)
    }
}

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
