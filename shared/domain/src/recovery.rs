//! Recovery: everything that an endpoint missed, sent again. It may be thousands of deliveries, so it goes page by page,
//! and whoever dies in between leaves it where the next one finds it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivery::{Delivery, Reason, Status};
use crate::id::{DeliveryId, EndpointId, RecoveryId, TenantId};

/// How long a delivery may be pending before a recovery takes it for lost: far longer than any backlog that is worked off.
const PENDING_TOO_LONG_SECONDS: i64 = 3600;

/// Whether a recovery goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It does.
    Running,
    /// It has seen everything.
    Done,
}

/// A recovery as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Its id.
    pub id: RecoveryId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What is recovered.
    pub endpoint_id: EndpointId,
    /// From events of this time on.
    #[serde(with = "crate::time::as_wire")]
    pub since: Timestamp,
    /// Up to events before this time.
    #[serde(with = "crate::time::as_wire")]
    pub until: Timestamp,
    /// Whether it goes on.
    pub status: Progress,
    /// Deliveries that wanted recovering so far.
    pub found: u64,
    /// Those of them that were sent again; the others were on their way before it came to them.
    pub requeued: u64,
    /// The last delivery that it has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<DeliveryId>,
    /// When the row may be removed, in seconds since 1970.
    pub expires_at: i64,
}

/// How a delivery is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// By a new round of attempts.
    NewRound,
    /// By its first message once more: it was never tried, so no counter moves.
    FirstMessage,
}

/// Whether a recovery sends this delivery again, and how: failed, cancelled for a reason that may have passed, or pending
/// for so long that its message must be lost. A webhook that is recovered is not deleted: what was cancelled as if it were
/// was cancelled for want of a row.
pub fn again(delivery: &Delivery, now: Timestamp) -> Option<Again> {
    // One that a receiver has taken before is sent again by whoever asks for just that one.
    if !delivery.has_room_for_a_round() || delivery.delivered_at.is_some() {
        return None;
    }
    // By when the row was put: the event's own time is its producer's to choose.
    let waiting_since = delivery.put_at.unwrap_or(delivery.created_at);
    match (delivery.status, delivery.reason) {
        (Status::Failed, _) => Some(Again::NewRound),
        (Status::Cancelled, Some(Reason::WebhookDisabled | Reason::TenantSuspended | Reason::WebhookDeleted)) => {
            Some(Again::NewRound)
        }
        (Status::Pending, _) if now.as_second() - waiting_since.as_second() > PENDING_TOO_LONG_SECONDS => {
            Some(Again::FirstMessage)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(status: Status, reason: Option<Reason>) -> Delivery {
        let at: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let row = Delivery::pending(&crate::delivery::an_event(at), EndpointId::new(at, 2), at, 0);
        Delivery { status, reason, ..row }
    }

    fn after(minutes: i64) -> Timestamp {
        crate::time::plus_millis("2026-01-15T12:00:00Z".parse().unwrap(), minutes * 60_000)
    }

    #[test]
    fn what_failed_or_was_held_up_is_sent_again() {
        for (status, reason) in [
            (Status::Failed, Some(Reason::AttemptsExhausted)),
            (Status::Failed, Some(Reason::InternalFailures)),
            (Status::Cancelled, Some(Reason::WebhookDisabled)),
            (Status::Cancelled, Some(Reason::TenantSuspended)),
            (Status::Cancelled, Some(Reason::WebhookDeleted)),
        ] {
            assert_eq!(again(&row(status, reason), after(1)), Some(Again::NewRound), "{reason:?}");
        }
    }

    #[test]
    fn what_was_called_off_delivered_or_is_on_its_way_is_not() {
        for (status, reason) in [
            (Status::Cancelled, Some(Reason::CancelledByRequest)),
            (Status::Cancelled, Some(Reason::EventExpired)),
            (Status::Succeeded, None),
            (Status::Retrying, None),
        ] {
            assert_eq!(again(&row(status, reason), after(600)), None, "{status:?} {reason:?}");
        }
    }

    #[test]
    fn what_was_delivered_before_is_not_sent_again_by_a_recovery() {
        let failed = row(Status::Failed, Some(Reason::AttemptsExhausted));
        let resent = Delivery { delivered_at: Some(failed.created_at), ..failed };
        assert_eq!(again(&resent, after(600)), None);
    }

    #[test]
    fn an_old_events_row_has_an_hour_like_any_other() {
        let fresh = row(Status::Pending, None);
        let of_an_old_event = Delivery { put_at: Some(after(600)), ..fresh };
        assert_eq!(again(&of_an_old_event, after(601)), None);
        assert_eq!(again(&of_an_old_event, after(661)), Some(Again::FirstMessage));
    }

    #[test]
    fn pending_is_lost_after_an_hour() {
        assert_eq!(again(&row(Status::Pending, None), after(59)), None);
        assert_eq!(again(&row(Status::Pending, None), after(61)), Some(Again::FirstMessage));
    }
}
