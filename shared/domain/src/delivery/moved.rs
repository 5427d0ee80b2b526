//! Attempts that leave the row for rows of their own, the oldest first, so that a retry costs the same whatever came before.
//!
//! A row of moved attempts is put before they leave the delivery's, under the number of those that had moved until then, and
//! never changed. So it is truthful whoever put it, also if he died before they left or the row had gone on: who comes
//! next finds it there and takes it for his own. And what the delivery's row counts as moved is what lies below that number.

use super::Delivery;
use crate::attempt::Attempt;

/// What a delivery's row holds at the most while it is tried: two units of a write.
pub const ROW_BYTES: usize = 2 * UNIT;
/// What a row of moved attempts holds beside them, at the most.
pub const AROUND_BYTES: usize = 176;
/// What DynamoDB bills a write by.
const UNIT: usize = 1024;
/// What a row of moved attempts holds at the most. Nobody writes to it again, so only its reader cares; a delivery's row of an
/// earlier version has hundreds of kibibytes to move.
const MOST_BYTES: usize = 16 * UNIT;

impl Delivery {
    /// The attempts that move next for the row to shrink by so much, the oldest first: as many as a row of theirs holds. Those
    /// that its last unit has room for go along, since they cost nothing then; save the latest one, which a lost answer asks for.
    pub fn outgrown(&self, excess: usize, bytes: impl Fn(&Attempt) -> usize) -> Vec<Attempt> {
        let mut here: Vec<&Attempt> = self.attempts.iter().chain(&self.late).collect();
        here.sort_by_key(|attempt| attempt.place());
        let (mut moving, mut freed, last) = (Vec::new(), 0, here.len().saturating_sub(1));
        for (at, attempt) in here.into_iter().enumerate() {
            let (before, after) = (AROUND_BYTES + freed, AROUND_BYTES + freed + bytes(attempt));
            let goes_along = excess > 0 && at < last && after.div_ceil(UNIT) == before.div_ceil(UNIT);
            let has_room = moving.is_empty() || after <= MOST_BYTES;
            if !(freed < excess || goes_along) || !has_room {
                break;
            }
            freed = after - AROUND_BYTES;
            moving.push(attempt.clone());
        }
        moving
    }

    /// The row once these have left it. If one of them was a success, it says itself from then on when it was taken.
    #[must_use]
    pub fn without(&self, moved: &[Attempt]) -> Self {
        let stays = |attempt: &&Attempt| !moved.iter().any(|gone| gone.is(attempt));
        Self {
            attempts: self.attempts.iter().filter(stays).cloned().collect(),
            late: self.late.iter().filter(stays).cloned().collect(),
            moved: self.moved + u32::try_from(moved.len()).unwrap_or(u32::MAX),
            delivered_at: if moved.iter().any(Attempt::succeeded) { self.delivered_at() } else { self.delivered_at },
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::attempt::Mark;
    use crate::id::EndpointId;

    fn attempt(second: i64, status: u16) -> Attempt {
        Attempt::answered(1, Mark::new(second.unsigned_abs()), Timestamp::from_second(second).unwrap(), status)
    }

    fn row(attempts: i64) -> Delivery {
        let at = Timestamp::UNIX_EPOCH;
        let row = Delivery::pending(&crate::delivery::an_event(at), EndpointId::new(at, 2), at, 0);
        Delivery { attempts: (1..=attempts).map(|second| attempt(second, 500)).collect(), ..row }
    }

    fn seconds(moving: &[Attempt]) -> Vec<i64> {
        moving.iter().map(|attempt| attempt.at.as_second()).collect()
    }

    #[test]
    fn the_oldest_move_and_with_them_what_their_last_unit_has_room_for() {
        let moving = |excess, bytes| seconds(&row(6).outgrown(excess, |_| bytes));
        assert!(moving(0, 200).is_empty(), "there is room");
        assert_eq!(moving(1, 200), [1, 2, 3, 4], "four of 200 bytes are a unit, with what is around them");
        assert_eq!(moving(900, 200), [1, 2, 3, 4, 5], "the second unit has room for all, and the latest stays");
        assert_eq!(moving(1200, 200), [1, 2, 3, 4, 5, 6], "unless the row has no room for it either");
        assert_eq!(moving(1, 800), [1], "nothing of its unit is left");
        assert_eq!(moving(100_000, 4000), [1, 2, 3, 4], "what more there is moves to the next row");
    }

    #[test]
    fn late_ones_move_in_their_turn() {
        let row = Delivery { late: vec![attempt(0, 500), attempt(9, 500)], ..row(3) };
        assert_eq!(seconds(&row.outgrown(1, |_| 200)), [0, 1, 2, 3]);
        let after = row.without(&row.outgrown(1, |_| 200));
        assert_eq!((after.attempts.len(), seconds(&after.late), after.moved), (0, vec![9], 4));
        assert_eq!(after.attempts_on_record(), row.attempts_on_record());
    }

    #[test]
    fn a_success_that_moves_leaves_its_time() {
        let taken = Delivery { attempts: vec![attempt(1, 200), attempt(2, 500)], ..row(0) };
        assert_eq!(taken.without(&[attempt(2, 500)]).delivered_at, None, "the attempt tells");
        let after = taken.without(&[attempt(1, 200)]);
        assert_eq!(after.delivered_at, taken.delivered_at());
        assert!(after.delivered_at.is_some());
    }

    #[test]
    fn attempts_of_a_version_without_marks_are_told_apart() {
        let unmarked = |second| Attempt { mark: None, ..attempt(second, 500) };
        let row = Delivery { attempts: vec![unmarked(1), unmarked(2)], ..row(0) };
        assert_eq!(seconds(&row.without(&[unmarked(1)]).attempts), [2]);
    }
}
