//! What stands in the way of sending, whatever the delivery itself says.

use crate::delivery::Reason;
use crate::endpoint::{Endpoint, EndpointStatus};
use crate::tenant::{Tenant, TenantStatus};

/// A row that a delivery needs is not there, and no tombstone says why. It is lost, so nothing follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing;

/// Why nothing may be sent for this tenant to this endpoint now, if so. Read at each attempt.
///
/// # Errors
/// [`Missing`] when a row is absent that nobody has deleted: that is our failure, and calls nothing off.
pub fn obstacle(tenant: Option<&Tenant>, endpoint: Option<&Endpoint>) -> Result<Option<Reason>, Missing> {
    match (tenant, endpoint) {
        // Before all else: its webhooks and jobs are gone then, and not lost.
        (Some(tenant), _) if tenant.status == TenantStatus::Deleting => Ok(Some(Reason::TenantDeleted)),
        (_, Some(endpoint)) if endpoint.deleted_at.is_some() => Ok(Some(Reason::WebhookDeleted)),
        (Some(tenant), _) if tenant.status == TenantStatus::Suspended => Ok(Some(Reason::TenantSuspended)),
        (None, _) | (_, None) => Err(Missing),
        (_, Some(endpoint)) if endpoint.status == EndpointStatus::Disabled => Ok(Some(Reason::WebhookDisabled)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::dialect::{DialectRef, NUR};
    use crate::id::{EndpointId, TenantId};
    use crate::tenant::Plan;

    #[test]
    fn what_is_missing_calls_nothing_off_and_what_is_deleted_does() {
        let at = Timestamp::UNIX_EPOCH;
        let tenant = Tenant::bare(TenantId::new(at, 1), "a".to_owned(), Plan::Pro, at);
        let suspended = Tenant { status: TenantStatus::Suspended, ..tenant.clone() };
        let dialect = DialectRef(&NUR);
        let url = "https://hooks.example/".to_owned();
        let endpoint = Endpoint::bare(EndpointId::new(at, 1), tenant.id.clone(), url, dialect, at);
        let deleted = Endpoint { deleted_at: Some(at), ..endpoint.clone() };
        let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint.clone() };
        assert_eq!(obstacle(Some(&tenant), Some(&endpoint)), Ok(None));
        assert_eq!(obstacle(Some(&tenant), None), Err(Missing));
        assert_eq!(obstacle(None, Some(&endpoint)), Err(Missing));
        assert_eq!(obstacle(None, Some(&disabled)), Err(Missing));
        assert_eq!(obstacle(None, Some(&deleted)), Ok(Some(Reason::WebhookDeleted)));
        assert_eq!(obstacle(Some(&suspended), None), Ok(Some(Reason::TenantSuspended)));
        assert_eq!(obstacle(Some(&tenant), Some(&disabled)), Ok(Some(Reason::WebhookDisabled)));
        let leaving = Tenant { status: TenantStatus::Deleting, ..tenant };
        for endpoint in [None, Some(&endpoint), Some(&deleted), Some(&disabled)] {
            assert_eq!(obstacle(Some(&leaving), endpoint), Ok(Some(Reason::TenantDeleted)), "its webhook may be gone");
        }
    }
}
