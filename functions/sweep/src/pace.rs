//! How much a sweep may put back on the retry queue, which may itself be what is late: sending again what waits there would only
//! multiply the backlog.

use std::time::Duration;

/// How late a retry may be before the sweep brings it: Scheduler's precision of a minute, and a queue's in-flight time.
pub const GRACE: Duration = Duration::from_secs(120);
/// More messages than this waiting when a sweep begins, and what is overdue is most likely among them.
const BEHIND: u64 = 50;
/// More waiting messages than this, and the queue is what is late. Without knowing how many wait, a sweep sends no more either:
/// so many may be surplus, and each of them is told by its row's counter and makes no POST.
pub const BACKLOG: u64 = 1_000;
/// So late, a row is brought even while the queue is behind: the queue may be full of others' messages, such as a slow endpoint's,
/// and this row's was lost long ago.
const LOST: Duration = Duration::from_secs(30 * 60);

/// How a sweep goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    kind: Kind,
    /// Messages that may still be sent.
    most: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The queue is short: what is overdue was lost.
    Plain,
    /// The queue was short, or does not tell how long it is.
    Blind,
    /// The queue is behind: only what cannot be in it any more.
    Behind,
}

impl Pace {
    /// By what waits in the queue as a sweep begins; nothing where that cannot be known.
    pub(crate) fn by(waiting: Option<u64>) -> Self {
        let (kind, most) = match waiting {
            Some(waiting) if waiting > BEHIND => (Kind::Behind, BACKLOG),
            Some(waiting) => (Kind::Plain, BACKLOG - waiting),
            None => (Kind::Blind, BACKLOG),
        };
        Self { kind, most }
    }

    /// Takes in what waits in the queue meanwhile. Once that is unknown, what was known last and what is sent since counts.
    pub(crate) fn look(&mut self, waiting: Option<u64>) {
        match waiting {
            Some(waiting) => self.most = BACKLOG.saturating_sub(waiting),
            None => self.kind = Kind::Blind,
        }
    }

    /// Whether the queue is to be asked before more is sent.
    pub(crate) fn wants_a_look(&self) -> bool {
        self.kind == Kind::Plain
    }

    /// How late a row must be.
    pub(crate) fn late(&self) -> Duration {
        if self.kind == Kind::Behind { LOST } else { GRACE }
    }

    /// How many messages may be sent.
    pub(crate) fn most(&self) -> usize {
        usize::try_from(self.most).unwrap_or(usize::MAX)
    }

    /// Takes note of messages that were sent.
    pub(crate) fn sent(&mut self, messages: usize) {
        self.most = self.most.saturating_sub(messages as u64);
    }

    /// Whether it brings everything that is overdue.
    pub(crate) fn is_plain(&self) -> bool {
        self.kind != Kind::Behind
    }

    /// Whether it keeps still because the queue is behind, or may be.
    pub(crate) fn holds_back(&self) -> bool {
        self.kind == Kind::Behind || self.most == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pace: Pace) -> (u64, usize, bool) {
        (pace.late().as_secs() / 60, pace.most(), pace.holds_back())
    }

    #[test]
    fn a_queue_that_is_behind_gets_only_what_was_lost_long_ago() {
        assert_eq!(of(Pace::by(Some(0))), (2, 1_000, false));
        assert_eq!(of(Pace::by(Some(50))), (2, 950, false));
        assert_eq!(of(Pace::by(Some(51))), (30, 1_000, true));
    }

    #[test]
    fn a_queue_that_does_not_tell_gets_all_that_is_overdue_and_no_more_than_a_backlog() {
        let mut pace = Pace::by(None);
        assert_eq!(of(pace), (2, 1_000, false));
        assert!(!pace.wants_a_look(), "it was asked in vain");
        pace.sent(400);
        pace.sent(600);
        assert_eq!(of(pace), (2, 0, true));
    }

    #[test]
    fn what_is_sent_counts_until_the_queue_tells_again() {
        let mut pace = Pace::by(Some(10));
        pace.sent(100);
        assert_eq!(pace.most(), 890);
        pace.look(Some(20));
        assert_eq!(pace.most(), 980, "most of it was taken from the queue meanwhile");
        pace.look(Some(1_001));
        assert_eq!(of(pace), (2, 0, true));
        let mut blind = Pace::by(Some(10));
        blind.sent(100);
        blind.look(None);
        assert_eq!((of(blind), blind.wants_a_look()), ((2, 890, false), false));
    }
}
