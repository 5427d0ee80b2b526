//! Recovery: everything that an endpoint missed, sent again. It may be thousands of deliveries, so it goes page by page,
//! and whoever dies in between leaves it where the next one finds it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivery::{Delivery, Reason, Status};
use crate::id::{DeliveryId, EndpointId, RecoveryId, TenantId};
use crate::named;
use crate::named::stored_by_name;

/// How long a delivery may be pending before a recovery takes it for lost: far longer than any backlog that is worked off.
const PENDING_TOO_LONG_SECONDS: i64 = 3600;

named! {
    /// Whether a recovery goes on, by its name in the API and the tables.
    pub enum Progress {
        /// It goes on.
        Running = "running",
        /// It has seen everything.
        Done = "done",
    }
}

stored_by_name!(Progress);

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

/// Whether a recovery sends this delivery again: failed, cancelled for a reason that may have passed, or pending for so long
/// that its message must be lost. A webhook that is recovered is not deleted: what was cancelled as if it were was cancelled for
/// want of a row.
///
/// Nor is a test missed: it asked whether its webhook answers at that time, and nobody waits for it later.
///
/// It always begins a new round, also of what was never tried: the row is due then, and so the sweep's, should the message not
/// be sent.
pub fn is_missed(delivery: &Delivery, now: Timestamp) -> bool {
    // One that a receiver has taken before is sent again by whoever asks for just that one.
    // What is parked waits for its endpoint, and is not lost.
    if delivery.test || !delivery.has_room_for_a_round() || delivery.delivered_at.is_some() || delivery.is_parked() {
        return false;
    }
    // By when the row was put: the event's own time is its producer's to choose.
    let waiting_since = delivery.put_at.unwrap_or(delivery.created_at);
    match (delivery.status, delivery.reason) {
        (Status::Failed, _)
        | (Status::Cancelled, Some(Reason::WebhookDisabled | Reason::TenantSuspended | Reason::WebhookDeleted)) => true,
        (Status::Pending, _) => now.as_second() - waiting_since.as_second() > PENDING_TOO_LONG_SECONDS,
        _ => false,
    }
}

/// What a recovery finds in a page of its deliveries.
#[derive(Debug)]
pub struct Look<'a> {
    /// Those that it has to send again.
    pub missed: Vec<&'a Delivery>,
    /// How many it has sent again before, in an earlier look at this page: whoever looked died, or was not heard.
    pub requeued_before: u64,
}

impl Recovery {
    /// Looks at a page. A row remembers which recovery sent it again last, so a page that is seen twice counts what was done at
    /// the first look, and does it no second time.
    pub fn look<'a>(&self, page: &'a [Delivery], now: Timestamp) -> Look<'a> {
        let (mine, others): (Vec<_>, Vec<_>) = page.iter().partition(|row| row.recovered_by.as_ref() == Some(&self.id));
        let missed = others.into_iter().filter(|row| is_missed(row, now)).collect();
        Look { missed, requeued_before: mine.len() as u64 }
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
            assert!(is_missed(&row(status, reason), after(1)), "{reason:?}");
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
            assert!(!is_missed(&row(status, reason), after(600)), "{status:?} {reason:?}");
        }
    }

    #[test]
    fn what_was_delivered_before_is_not_sent_again_by_a_recovery() {
        let failed = row(Status::Failed, Some(Reason::AttemptsExhausted));
        let resent = Delivery { delivered_at: Some(failed.created_at), ..failed };
        assert!(!is_missed(&resent, after(600)));
    }

    #[test]
    fn a_test_is_not_sent_again_by_a_recovery() {
        let failed = row(Status::Failed, Some(Reason::AttemptsExhausted));
        assert!(!is_missed(&Delivery { test: true, ..failed }, after(600)));
        assert!(!is_missed(&Delivery { test: true, ..row(Status::Pending, None) }, after(600)));
    }

    #[test]
    fn an_old_events_row_has_an_hour_like_any_other() {
        let fresh = row(Status::Pending, None);
        let of_an_old_event = Delivery { put_at: Some(after(600)), ..fresh };
        assert!(!is_missed(&of_an_old_event, after(601)));
        assert!(is_missed(&of_an_old_event, after(661)));
    }

    #[test]
    fn pending_is_lost_after_an_hour() {
        assert!(!is_missed(&row(Status::Pending, None), after(59)));
        assert!(is_missed(&row(Status::Pending, None), after(61)));
    }

    #[test]
    fn a_page_that_is_seen_twice_is_sent_again_once_and_counted_once() {
        let at = after(0);
        let recovery = Recovery {
            id: RecoveryId::new(at, 1),
            tenant_id: TenantId::new(at, 1),
            endpoint_id: EndpointId::new(at, 2),
            since: at,
            until: at,
            status: Progress::Running,
            found: 0,
            requeued: 0,
            after: None,
            expires_at: 0,
        };
        let failed = row(Status::Failed, Some(Reason::AttemptsExhausted));
        let sent = failed.recovered(&recovery.id, after(1));
        // It may have failed once more by the second look.
        let sent_and_failed = Delivery { status: Status::Failed, next_attempt_at: None, ..sent.clone() };
        let of_another = failed.recovered(&RecoveryId::new(at, 2), after(1));
        let page = [failed.clone(), sent, sent_and_failed, of_another, failed.clone()];
        let look = recovery.look(&page, after(2));
        assert_eq!((look.missed, look.requeued_before), (vec![&failed, &failed], 2));
    }
}
