//! Tenants: the provider's customers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::external_id::ExternalId;
use crate::id::TenantId;
use crate::metadata::Metadata;
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
        /// It is being deleted: its keys are none, and nothing is sent to it.
        Deleting = "deleting",
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
    /// What it is called in its provider's own systems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// What its provider keeps beside it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// How often all of its sessions were ended: those of an earlier epoch have.
    #[serde(default, skip_serializing_if = "is_first")]
    pub portal_epoch: u64,
    /// When it was made.
    #[serde(with = "crate::time::as_wire")]
    pub created_at: Timestamp,
    /// Since when it is being deleted, or was.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub deleting_since: Option<Timestamp>,
    /// When its deletion had ended: the row is a tombstone, by which what is still on its way is called off.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub erased_at: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_first(epoch: &u64) -> bool {
    *epoch == 0
}

impl Tenant {
    /// An active tenant with nothing of its own.
    pub fn bare(id: TenantId, name: String, plan: Plan, created_at: Timestamp) -> Self {
        Self {
            id,
            name,
            plan,
            status: TenantStatus::Active,
            secrets: Vec::new(),
            quotas: OwnQuotas::default(),
            external_id: None,
            metadata: Metadata::new(),
            portal_epoch: 0,
            created_at,
            deleting_since: None,
            erased_at: None,
        }
    }

    /// What counts for it: its own quotas, and its plan's.
    pub fn quotas(&self) -> Quotas {
        self.quotas.over(Quotas::of(self.plan))
    }
}
