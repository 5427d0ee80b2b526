//! Deliveries: one event at one endpoint, from pending to its fate.
//!
//! The row's counters are the truth; messages and schedules are hints. A message is for one attempt of one round, and only
//! for the row's next one: any other is stale. Outcome and next step are written together, under the condition that the
//! row still stands where it was read, so that no attempt is ever recorded twice. An attempt whose row has gone on is
//! *late*: it is put on record beside the others and, unless it succeeded, changes nothing else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Mark, Outcome, Sign};
use crate::event::{Event, EventType};
use crate::id::{CancellationId, DeliveryId, EndpointId, EventId, JobId, RecoveryId, TenantId};
use crate::retry::{NextStep, Position, RetryPolicy, next_step};

mod moved;
mod round;
mod status;

pub use moved::{AROUND_BYTES, ROW_BYTES};
pub use round::NoNewRound;
pub use status::{Reason, Status};

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
    /// Whether its event is a test of its endpoint.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// Where it stands.
    pub status: Status,
    /// How many attempts are recorded: the counter that decides what is stale.
    #[serde(rename = "attempt")]
    pub attempts_made: u32,
    /// Counts the rounds: a message of another round is stale, and so is what it found out.
    #[serde(default = "first")]
    pub round: u32,
    /// The number of the first attempt of the present round.
    #[serde(default = "first")]
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
    /// Until when it waits at the most, while it is parked since its endpoint is down, or has too much waiting. Nothing is due then.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub waits_until: Option<Timestamp>,
    /// Attempts of the present round that were probes: they use up none of its schedule.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub probes: u32,
    /// What was tried so far: those attempts that the counter counts, and that have not moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Attempts that were under way when the row went on, in no order. Each has an attribute of its own.
    #[serde(skip)]
    pub late: Vec<Attempt>,
    /// How many attempts have moved to rows of their own, late ones too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub moved: u32,
    /// Those that have moved, where somebody has read them along: to show them, and for nothing else.
    #[serde(skip)]
    pub earlier: Vec<Attempt>,
    /// When a receiver first took it, once a further round has begun after that.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub delivered_at: Option<Timestamp>,
    /// The event's own time, which the id holds too: what lists by time go by. A producer may choose it.
    #[serde(with = "crate::time::as_wire")]
    pub created_at: Timestamp,
    /// The recovery that sent it again last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered_by: Option<RecoveryId>,
    /// When somebody last asked for it to be sent again, by hand or by a recovery.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub asked_at: Option<Timestamp>,
    /// The cancellation of all that waited for its endpoint that called it off last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_off_by: Option<CancellationId>,
    /// When the row was put; rows of earlier versions do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub put_at: Option<Timestamp>,
    /// When the row may be removed, in seconds since 1970.
    pub expires_at: i64,
}

fn first() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
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
    /// Until when it stays parked at the most; nothing where it is not.
    pub waits_until: Option<Timestamp>,
    /// Internal failures of the round so far.
    pub internal: u32,
    /// Probes of the round so far.
    pub probes: u32,
    /// Whether the receiver asked for its endpoint to be disabled.
    pub disable_endpoint: bool,
}

impl Transition {
    /// The same where what would come back waits for its endpoint as a whole.
    #[must_use]
    pub fn parked(self, waits_until: Timestamp) -> Self {
        match self.next_attempt_at {
            Some(_) => Self { next_attempt_at: None, waits_until: Some(waits_until), ..self },
            None => self,
        }
    }
}

impl Delivery {
    /// The first row of a delivery, before any attempt, put at `now`.
    pub fn pending(event: &Event, endpoint_id: EndpointId, now: Timestamp, expires_at: i64) -> Self {
        Self {
            id: DeliveryId::new(event.timestamp, &endpoint_id, &event.id),
            endpoint_id,
            tenant_id: event.tenant_id.clone(),
            job_id: event.job_id.clone(),
            event_id: event.id.clone(),
            event_type: event.event_type.clone(),
            test: event.test_of.is_some(),
            status: Status::Pending,
            attempts_made: 0,
            round: 1,
            round_from: 1,
            internal: 0,
            reason: None,
            next_attempt_at: None,
            waits_until: None,
            probes: 0,
            attempts: Vec::new(),
            late: Vec::new(),
            moved: 0,
            earlier: Vec::new(),
            delivered_at: None,
            recovered_by: None,
            asked_at: None,
            called_off_by: None,
            created_at: event.timestamp,
            put_at: Some(now),
            expires_at,
        }
    }

    /// The number of its next attempt. Those on record are numbered on through every round.
    pub fn next_attempt(&self) -> u32 {
        self.attempts_made + 1
    }

    /// The webhook that it is for; a job's delivery goes to the job's own URL, and to none.
    pub fn webhook_id(&self) -> Option<&EndpointId> {
        if self.job_id.is_none() { Some(&self.endpoint_id) } else { None }
    }

    /// What a message for attempt `number` of a round finds here at `now`. One of an earlier version names no round, and
    /// is judged by its number alone.
    pub fn gate(&self, number: u32, round: Option<u32>, now: Timestamp) -> Gate {
        match self.next_attempt_at {
            _ if self.status.is_final() || round.is_some_and(|round| round != self.round) => Gate::Stale,
            _ if number == self.next_attempt() => Gate::Attempt,
            Some(at) if number == self.attempts_made && at > now => {
                Gate::Reschedule { attempt: self.next_attempt(), at }
            }
            _ => Gate::Stale,
        }
    }

    /// Whether what is made from `read` may still be written: nobody has recorded, begun a round or ended it meanwhile. The
    /// store's condition says the same.
    pub fn stands_as(&self, read: &Self) -> bool {
        !self.status.is_final()
            && (self.attempts_made, self.round, self.round_from) == (read.attempts_made, read.round, read.round_from)
    }

    /// Takes in an attempt that was under way when the row went on. A failure is on record and no more: it moves no counter
    /// and no schedule. A success ends the delivery, wherever it stood: a receiver that took it need not be asked again.
    pub fn take_late(&mut self, attempt: Attempt) {
        if attempt.succeeded() {
            (self.status, self.reason) = (Status::Succeeded, None);
            (self.next_attempt_at, self.waits_until) = (None, None);
        }
        self.late.push(attempt);
    }

    /// Whether the row itself has this attempt on record.
    pub fn has(&self, mark: &Mark) -> bool {
        self.attempts.iter().chain(&self.late).any(|attempt| attempt.mark.as_ref() == Some(mark))
    }

    /// Every attempt, late ones too, by when it began; of those that have moved, what was read along.
    pub fn history(&self) -> Vec<&Attempt> {
        let mut all: Vec<&Attempt> = self.earlier.iter().chain(&self.attempts).chain(&self.late).collect();
        all.sort_by_key(|attempt| attempt.place());
        all
    }

    /// How many attempts are on record, wherever they lie.
    pub fn attempts_on_record(&self) -> usize {
        self.moved as usize + self.attempts.len() + self.late.len()
    }

    /// When a receiver first took it. The row keeps this itself before a success moves.
    pub fn delivered_at(&self) -> Option<Timestamp> {
        let taken = self.history().into_iter().filter(|attempt| attempt.succeeded()).map(Attempt::ended_at).min();
        self.delivered_at.or(taken)
    }

    /// Whether the row's next attempt is its last: none follows by itself, should it fail or we.
    pub fn is_last_attempt(&self, policy: &RetryPolicy) -> bool {
        let failures = [Outcome::TimedOut, Outcome::Internal];
        failures.iter().any(|failure| self.after(policy, failure, self.created_at, 0.0).status.is_final())
    }

    /// What follows when the row's next attempt ended at `now` with this outcome.
    pub fn after(&self, policy: &RetryPolicy, outcome: &Outcome, now: Timestamp, jitter: f64) -> Transition {
        let internal = self.internal + u32::from(*outcome == Outcome::Internal);
        let attempts = (self.next_attempt() + 1 - self.round_from).saturating_sub(self.probes);
        let position = Position { attempts, internal };
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
        let probes = self.probes;
        Transition { status, reason, next_attempt_at, waits_until: None, internal, probes, disable_endpoint }
    }

    /// The same of a probe, or of what else was sent while its endpoint was down: nobody answered, so it stays parked until then, and
    /// its schedule stands where it stood. Somebody did, so it goes on by its schedule.
    pub fn after_probe(
        &self,
        (policy, waits_until): (&RetryPolicy, Timestamp),
        outcome: &Outcome,
        now: Timestamp,
        jitter: f64,
    ) -> Transition {
        let after = self.after(policy, outcome, now, jitter);
        if outcome.sign() != Sign::Down {
            return after;
        }
        Transition {
            status: Status::Retrying,
            reason: None,
            next_attempt_at: None,
            waits_until: Some(waits_until),
            probes: self.probes + 1,
            ..after
        }
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
        counted: false,
        job_id: None,
        test_of: None,
        announce: None,
        tags: std::collections::BTreeMap::new(),
        traceparent: None,
    }
}
