//! Deliveries: one event at one endpoint, from pending to its fate.
//!
//! The row's attempt counter is the truth; messages and schedules are hints. A message is for one attempt, and only for
//! the row's next one: any other is stale. Outcome and next step are written together, under the condition that the
//! counter still stands where it was read, so that no attempt is ever recorded twice.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Outcome};
use crate::event::{Event, EventType};
use crate::id::{DeliveryId, EndpointId, EventId, JobId, TenantId};
use crate::retry::{NextStep, Position, RetryPolicy, next_step};

/// Attempts on record after which no new round begins. A round adds 20 at the most, and an attempt takes at most about
/// 1.5 KiB, so a row stays far below DynamoDB's 400 KiB.
const MAX_ATTEMPTS_BEFORE_A_ROUND: u32 = 180;

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
    /// The calendar is used up.
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

/// A delivery as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id; the endpoint stands in it.
    pub id: DeliveryId,
    /// Where it goes: the row's partition.
    pub endpoint_id: EndpointId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The job whose own URL it goes to, if it goes to no webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// What it delivers.
    pub event_id: EventId,
    /// That event's type.
    #[serde(rename = "event")]
    pub event_type: EventType,
    /// Where it stands.
    pub status: Status,
    /// How many attempts are recorded: the counter that decides what is stale.
    #[serde(rename = "attempt")]
    pub attempts_made: u32,
    /// The number of the first attempt of the present round.
    #[serde(default = "first_attempt")]
    pub round_from: u32,
    /// Attempts of the present round that failed for reasons of our own.
    #[serde(default)]
    pub internal: u32,
    /// Why it failed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When the next attempt is due, while retrying.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub next_attempt_at: Option<Timestamp>,
    /// What was tried so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// The event's own time, which the id holds too: what lists by time go by.
    #[serde(with = "crate::time::as_wire")]
    pub created_at: Timestamp,
    /// When the row may be removed, in seconds since 1970.
    pub expires_at: i64,
}

fn first_attempt() -> u32 {
    1
}

/// What a message for an attempt finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The attempt is the row's next one.
    Attempt,
    /// It was recorded, but its successor may never have been scheduled: schedule that, and do not send.
    Reschedule {
        /// The successor.
        attempt: u32,
        /// When it is due.
        at: Timestamp,
    },
    /// Nothing is left to do.
    Stale,
}

/// What an attempt's record changes in the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Where it stands now.
    pub status: Status,
    /// Why, if that is final and no success.
    pub reason: Option<Reason>,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
    /// Internal failures of the round so far.
    pub internal: u32,
    /// Whether the receiver asked for its endpoint to be disabled.
    pub disable_endpoint: bool,
}

impl Delivery {
    /// The first row of a delivery, before any attempt.
    pub fn pending(event: &Event, endpoint_id: EndpointId, expires_at: i64) -> Self {
        Self {
            id: DeliveryId::new(event.timestamp, &endpoint_id, &event.id),
            endpoint_id,
            tenant_id: event.tenant_id.clone(),
            job_id: event.job_id.clone(),
            event_id: event.id.clone(),
            event_type: event.event_type.clone(),
            status: Status::Pending,
            attempts_made: 0,
            round_from: 1,
            internal: 0,
            reason: None,
            next_attempt_at: None,
            attempts: Vec::new(),
            created_at: event.timestamp,
            expires_at,
        }
    }

    /// Whether a new round may begin: the row has to hold all attempts of all rounds, within what a row can hold.
    pub fn may_begin_round(&self) -> bool {
        self.attempts_made <= MAX_ATTEMPTS_BEFORE_A_ROUND
    }

    /// What a message for attempt `number` finds here at `now`.
    pub fn gate(&self, number: u32, now: Timestamp) -> Gate {
        match self.next_attempt_at {
            _ if self.status.is_final() => Gate::Stale,
            _ if number == self.attempts_made + 1 => Gate::Attempt,
            Some(at) if number == self.attempts_made && at > now => {
                Gate::Reschedule { attempt: self.attempts_made + 1, at }
            }
            _ => Gate::Stale,
        }
    }

    /// Whether the row's next attempt is its last: none follows by itself, should it fail or we.
    pub fn is_last_attempt(&self, policy: &RetryPolicy) -> bool {
        let failures = [Outcome::TimedOut, Outcome::Internal];
        failures.iter().any(|failure| self.after(policy, failure, self.created_at, 0.0).status.is_final())
    }

    /// What follows when the row's next attempt ended at `now` with this outcome.
    pub fn after(&self, policy: &RetryPolicy, outcome: &Outcome, now: Timestamp, jitter: f64) -> Transition {
        let internal = self.internal + u32::from(*outcome == Outcome::Internal);
        let position = Position { attempts: self.attempts_made + 2 - self.round_from, internal };
        let step = next_step(policy, position, outcome, now, jitter);
        let (status, reason) = match step {
            NextStep::Succeed => (Status::Succeeded, None),
            NextStep::RetryAt(_) => (Status::Retrying, None),
            NextStep::DisableEndpoint => (Status::Failed, Some(Reason::EndpointGone)),
            NextStep::Exhaust if *outcome == Outcome::Internal => (Status::Failed, Some(Reason::InternalFailures)),
            NextStep::Exhaust => (Status::Failed, Some(Reason::AttemptsExhausted)),
        };
        let next_attempt_at = match step {
            NextStep::RetryAt(at) => Some(at),
            _ => None,
        };
        let disable_endpoint = step == NextStep::DisableEndpoint;
        Transition { status, reason, next_attempt_at, internal, disable_endpoint }
    }
}

#[cfg(test)]
#[path = "delivery/tests.rs"]
mod tests;

#[cfg(test)]
#[path = "delivery/interleavings.rs"]
mod interleavings;

/// An event for tests.
#[cfg(test)]
pub(crate) fn an_event(at: Timestamp) -> Event {
    Event {
        tenant_id: TenantId::new(at, 1),
        id: EventId::fresh(1),
        event_type: EventType::try_from("dubbing.completed".to_owned()).expect("a type"),
        data: "{}".to_owned(),
        timestamp: at,
        expires_at: 0,
        ours: false,
        job_id: None,
        announce: None,
    }
}
