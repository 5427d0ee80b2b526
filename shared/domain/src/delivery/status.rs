//! Where a delivery stands, and why.

use crate::named;
use crate::named::stored_by_name;

named! {
    /// Where a delivery stands, by its name in the API, the tables and the conditions.
    pub enum Status {
        /// Not tried yet in its first round.
        Pending = "pending",
        /// Tried, failed, and due again.
        Retrying = "retrying",
        /// Delivered.
        Succeeded = "succeeded",
        /// Given up, for the reason beside it.
        Failed = "failed",
        /// Called off, for the reason beside it.
        Cancelled = "cancelled",
    }
}

stored_by_name!(Status);

impl Status {
    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.as_str() == name)
    }

    /// Whether nothing more will happen by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

named! {
    /// Why a delivery was given up or called off, by its name in the API and the tables.
    pub enum Reason {
        /// The retry schedule is used up.
        AttemptsExhausted = "attempts_exhausted",
        /// The receiver answered 410 Gone.
        EndpointGone = "endpoint_gone",
        /// Its endpoint was down until its time was over.
        EndpointDown = "endpoint_down",
        /// We failed too often.
        InternalFailures = "internal_failures",
        /// The webhook is disabled.
        WebhookDisabled = "webhook_disabled",
        /// The webhook is deleted.
        WebhookDeleted = "webhook_deleted",
        /// The tenant is suspended.
        TenantSuspended = "tenant_suspended",
        /// The tenant is deleted.
        TenantDeleted = "tenant_deleted",
        /// The event's row is gone.
        EventExpired = "event_expired",
        /// What the event said was removed on request.
        EventExpunged = "event_expunged",
        /// Somebody asked for it.
        CancelledByRequest = "cancelled_by_request",
    }
}

stored_by_name!(Reason);

impl Reason {
    /// Whether what was called off for it can still be sent: its event is there.
    pub fn leaves_something(self) -> bool {
        !matches!(self, Self::EventExpired | Self::EventExpunged)
    }
}
