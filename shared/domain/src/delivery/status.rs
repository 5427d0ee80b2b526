//! Where a delivery stands, and why.

use serde::{Deserialize, Serialize};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not tried yet in its first round.
    Pending,
    /// Tried, failed, and due again.
    Retrying,
    /// Delivered.
    Succeeded,
    /// Given up, for the reason beside it.
    Failed,
    /// Called off, for the reason beside it.
    Cancelled,
}

impl Status {
    /// Its name in the API, the tables and the conditions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Retrying => "retrying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Pending, Self::Retrying, Self::Succeeded, Self::Failed, Self::Cancelled];
        all.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing more will happen by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// Why a delivery was given up or called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The retry schedule is used up.
    AttemptsExhausted,
    /// The receiver answered 410 Gone.
    EndpointGone,
    /// We failed too often.
    InternalFailures,
    /// The webhook is disabled.
    WebhookDisabled,
    /// The webhook is deleted.
    WebhookDeleted,
    /// The tenant is suspended.
    TenantSuspended,
    /// The event's row is gone.
    EventExpired,
    /// Somebody asked for it.
    CancelledByRequest,
}

impl Reason {
    /// Its name in the API and the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::EndpointGone => "endpoint_gone",
            Self::InternalFailures => "internal_failures",
            Self::WebhookDisabled => "webhook_disabled",
            Self::WebhookDeleted => "webhook_deleted",
            Self::TenantSuspended => "tenant_suspended",
            Self::EventExpired => "event_expired",
            Self::CancelledByRequest => "cancelled_by_request",
        }
    }
}
