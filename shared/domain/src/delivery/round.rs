//! Rounds: a delivery that somebody wants sent again gets its whole schedule anew, under the same event id.

use jiff::Timestamp;

use super::{Delivery, Status};
use crate::event::Event;
use crate::id::{EndpointId, RecoveryId};
use crate::time;

/// Attempts on record after which no new round begins. A round adds 20 at the most. Whoever shows a delivery reads all of
/// them, an attempt being about 1.5 KiB at the most, the last of a round, or 0.8 KiB.
const MAX_ATTEMPTS_BEFORE_A_ROUND: usize = 180;
/// Rounds after which no new one begins. Whoever cancels and asks again while a POST is out leaves one late attempt for each
/// round, which no count of what is on record tells of yet.
const MAX_ROUNDS: u32 = 100;

/// Why no new round begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoNewRound {
    /// Its first attempt is still to come.
    #[error("this delivery has not been tried yet; it is on its way")]
    Pending,
    /// An attempt is due or under way.
    #[error("an attempt at this delivery is due or under way; look at it again once that has ended")]
    UnderWay,
    /// It has as many attempts as it may.
    #[error("this delivery has had its most attempts; publish its event again")]
    TooManyAttempts,
}

impl Delivery {
    /// Whether a delivery may have the attempts of a further round.
    pub fn has_room_for_a_round(&self) -> bool {
        let on_record = self.attempts_on_record().max(self.attempts_made as usize + self.late.len());
        on_record <= MAX_ATTEMPTS_BEFORE_A_ROUND && self.round < MAX_ROUNDS
    }

    /// The row in a new round that somebody asks for at `now`, due at once. What waits for a later time is brought forward.
    ///
    /// # Errors
    /// [`NoNewRound`], while the present round has an attempt that is due: a second round would only send it twice.
    pub fn asked_again(&self, now: Timestamp) -> Result<Self, NoNewRound> {
        let next_second = time::ceil_second(now);
        match (self.status, self.next_attempt_at) {
            // Parked, it would wait for others to find out whether its endpoint is back: whoever asks has it tried now.
            _ if self.is_parked() && self.has_room_for_a_round() => {}
            (Status::Pending, _) => return Err(NoNewRound::Pending),
            // A round that has just begun is due at the next whole second.
            (Status::Retrying, due) if due.is_none_or(|due| due <= next_second) => return Err(NoNewRound::UnderWay),
            _ if !self.has_room_for_a_round() => return Err(NoNewRound::TooManyAttempts),
            _ => {}
        }
        Ok(Self { asked_at: Some(now), ..self.in_new_round(now) })
    }

    /// The first row of a delivery that somebody asks for at `now`, where no fan-out has put one: due at once, so that it is sent although
    /// whoever asks dies before he has sent its message.
    pub fn asked_for(event: &Event, endpoint_id: EndpointId, now: Timestamp, expires_at: i64) -> Self {
        let next_attempt_at = Some(time::ceil_second(now));
        let first = Self::pending(event, endpoint_id, now, expires_at);
        Self { status: Status::Retrying, next_attempt_at, asked_at: Some(now), ..first }
    }

    /// Since when it waits: since somebody last asked for it or, where nobody did, since its row was put. A round that begins by itself
    /// is no news. Rows of earlier versions do not tell, and go by their event.
    pub fn waits_since(&self) -> Timestamp {
        self.asked_at.or(self.put_at).unwrap_or(self.created_at)
    }

    /// The row in a new round, due at once. Attempts number on, so that no schedule's name is used twice.
    pub fn in_new_round(&self, now: Timestamp) -> Self {
        Self {
            status: Status::Retrying,
            round: self.round + 1,
            round_from: self.next_attempt(),
            internal: 0,
            probes: 0,
            waits_until: None,
            reason: None,
            next_attempt_at: Some(time::ceil_second(now)),
            delivered_at: self.delivered_at(),
            ..self.clone()
        }
    }

    /// The row as a recovery sends it again at `now`, in a new round.
    #[must_use]
    pub fn recovered(&self, recovery: &RecoveryId, now: Timestamp) -> Self {
        Self { recovered_by: Some(recovery.clone()), asked_at: Some(now), ..self.in_new_round(now) }
    }

    /// Whether it belongs among what a tenant has not received: not while it is sent again after a success.
    pub fn counts_as_undelivered(&self, status: Status) -> bool {
        self.delivered_at.is_none() && matches!(status, Status::Retrying | Status::Failed | Status::Cancelled)
    }
}
