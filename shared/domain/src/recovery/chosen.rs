//! Which of what an endpoint missed a recovery sends again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivery::{Delivery, Reason, Status};
use crate::dialect::JobKind;
use crate::event::{EventPattern, EventType};
use crate::job::kind_of;

/// How long a delivery may be pending before a recovery takes it for lost: far longer than any backlog that is worked off.
const PENDING_TOO_LONG_SECONDS: i64 = 3600;

/// What somebody asks a recovery for, beside its span. What an earlier version wrote asks for nothing more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Of events of these patterns alone; of all of them where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventPattern>,
    /// What stands so alone. Where nothing is named: what failed or was held up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<Status>,
    /// Of jobs of this kind, whose deliveries go to the jobs' own URLs; a webhook's where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<JobKind>,
    /// Events of which the webhook has no delivery, and no deliveries that it has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub never_matched: bool,
}

impl Chosen {
    /// What can be asked for by how it stands: a success was not missed.
    pub const STATUSES: [Status; 4] = [Status::Failed, Status::Cancelled, Status::Pending, Status::Retrying];
    /// What is sent again where nobody says how it has to stand.
    const USUAL: [Status; 3] = [Status::Failed, Status::Cancelled, Status::Pending];

    /// Whether it is what a recovery always was: all that failed or was held up, of a webhook.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// How a delivery may stand that it takes.
    pub fn statuses(&self) -> &[Status] {
        if self.statuses.is_empty() { &Self::USUAL } else { &self.statuses }
    }

    /// Whether it takes events of this type.
    pub fn takes_type(&self, event: &EventType) -> bool {
        self.events.is_empty() || self.events.iter().any(|pattern| pattern.takes(event))
    }

    /// Whether this delivery is sent again: failed, cancelled for a reason that may have passed, or pending for so long that its message
    /// must be lost. A webhook that is recovered is not deleted: what was cancelled as if it were was cancelled for want of a row.
    ///
    /// Who asks for what was cancelled means all of it, whoever called it off, as long as there is something left to send. Who asks for
    /// what is retrying has it tried now; what is due or under way at that moment is not tried twice.
    ///
    /// Nor is a test missed: it asked whether its webhook answers at that time, and nobody waits for it later.
    ///
    /// It always begins a new round, also of what was never tried: the row is due then, and so the sweep's, should the message not
    /// be sent.
    pub fn takes(&self, delivery: &Delivery, now: Timestamp) -> bool {
        // One that a receiver has taken before is sent again by whoever asks for just that one.
        if delivery.test || !delivery.has_room_for_a_round() || delivery.delivered_at.is_some() {
            return false;
        }
        let is_of_kind = || delivery.job_id.as_ref().map(kind_of) == self.jobs;
        if !self.statuses().contains(&delivery.status) || !self.takes_type(&delivery.event_type) || !is_of_kind() {
            return false;
        }
        match (delivery.status, delivery.reason) {
            (Status::Failed, _) => true,
            (Status::Cancelled, Some(Reason::WebhookDisabled | Reason::TenantSuspended | Reason::WebhookDeleted)) => {
                true
            }
            (Status::Cancelled, reason) => !self.statuses.is_empty() && reason.is_some_and(Reason::leaves_something),
            // What is parked waits for its endpoint, and is not lost.
            (Status::Pending, _) => !delivery.is_parked() && is_lost(delivery, now),
            (Status::Retrying, _) => delivery.asked_again(now).is_ok(),
            (Status::Succeeded, _) => false,
        }
    }
}

/// Whether a pending delivery's message must be lost. By when the row was put: the event's own time is its producer's to choose.
fn is_lost(delivery: &Delivery, now: Timestamp) -> bool {
    let waiting_since = delivery.put_at.unwrap_or(delivery.created_at);
    now.as_second() - waiting_since.as_second() > PENDING_TOO_LONG_SECONDS
}
