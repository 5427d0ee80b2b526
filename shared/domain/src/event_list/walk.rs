//! A page of the list: rows are taken from the newest down, and their events merged.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use jiff::Timestamp;

use super::{ListRow, Listed, SPAN_MILLIS, millis};
use crate::event::{EventType, OwnType};
use crate::id::{self, EventId};
use crate::invalid::Invalid;
use crate::time;

/// Which of a tenant's events are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Those of this type.
    pub event: Option<EventType>,
    /// Those that tell of a change of a webhook, and by whom.
    pub changes: bool,
    /// Those at this time or later.
    pub since: Option<Timestamp>,
    /// Those before this time.
    pub until: Option<Timestamp>,
}

impl Asked {
    fn is_too_new(&self, at: Timestamp) -> bool {
        self.until.is_some_and(|until| at >= until)
    }

    fn is_too_old(&self, at: Timestamp) -> bool {
        self.since.is_some_and(|since| at < since)
    }

    fn has(&self, event: &Listed) -> bool {
        let is_named = |own: &OwnType| own.as_str() == event.event_type.as_str();
        let is_change = || OwnType::ALL.iter().any(|own| own.is_change() && is_named(own));
        self.event.as_ref().is_none_or(|asked| *asked == event.event_type) && (!self.changes || is_change())
    }
}

/// A place in a list, behind one event: as text it can be kept in a row, or be a cursor. It stays one whatever comes or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From which row on something may follow, by its newest event's time in milliseconds.
    from: i64,
    /// The time of the event behind which it is, in milliseconds.
    time: i64,
    id: EventId,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = |millis| id::time_part(Timestamp::from_millisecond(millis).unwrap_or_default());
        write!(f, "{}{}{}", part(self.from), part(self.time), self.id)
    }
}

impl std::str::FromStr for Place {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let part = |number: usize| id::millis_of(text.get(number * id::TIME_CHARS..(number + 1) * id::TIME_CHARS)?);
        let read = || Some(Self { from: part(0)?, time: part(1)?, id: text.get(2 * id::TIME_CHARS..)?.parse().ok()? });
        read().ok_or_else(|| Invalid::new("cursor", "a place in a list of events"))
    }
}

/// An event that has been read and not been passed.
struct Waiting {
    event: Listed,
    /// The newest time of its row.
    from: i64,
}

impl Waiting {
    fn order(&self) -> (i64, &str) {
        (millis(self.event.timestamp), self.event.id.as_str())
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Waiting {}

/// The making of a page.
pub struct Walk {
    asked: Asked,
    limit: usize,
    begin: Option<Place>,
    /// The last event that was passed, shown or not.
    passed: Option<(i64, EventId)>,
    waiting: BinaryHeap<Waiting>,
    shown: Vec<Listed>,
    /// No row that is still to be read has an event newer than this.
    rest: Option<i64>,
    ended: bool,
}

impl Walk {
    /// A page of so many events at the most, behind a place.
    pub fn new(asked: Asked, limit: usize, after: Option<Place>) -> Self {
        let passed = after.as_ref().map(|place| (place.time, place.id.clone()));
        let (begin, rest) = (after, Some(i64::MAX));
        Self { asked, limit, begin, passed, waiting: BinaryHeap::new(), shown: Vec::new(), rest, ended: false }
    }

    /// Between which ids rows are to be read, both included, from the last downwards.
    pub fn bounds(&self) -> (String, String) {
        let until = self.asked.until.map(|until| time::plus_millis(until, SPAN_MILLIS));
        let begin = self.begin.as_ref().and_then(|place| Timestamp::from_millisecond(place.from).ok());
        let from = until.into_iter().chain(begin).min();
        // `!` sorts before every character of an id, and `~` after.
        let lower = self.asked.since.map_or_else(|| "!".to_owned(), id::time_part);
        (lower, from.map_or_else(|| "~".to_owned(), |from| format!("{}~", id::time_part(from))))
    }

    /// Takes the rows that come next, each by its newest time; `rest` is that of the last one that was read, or nothing where no more
    /// follow.
    pub fn take(&mut self, rows: impl IntoIterator<Item = (i64, Vec<Listed>)>, rest: Option<i64>) {
        for (from, events) in rows {
            self.waiting.extend(events.into_iter().map(|event| Waiting { event, from }));
        }
        self.rest = rest;
        while let Some(next) = self.waiting.peek() {
            if self.shown.len() == self.limit || self.rest.is_some_and(|rest| next.order().0 <= rest) {
                break;
            }
            let Some(Waiting { event, .. }) = self.waiting.pop() else { break };
            self.pass(event);
            if self.ended {
                self.waiting.clear();
            }
        }
    }

    fn pass(&mut self, event: Listed) {
        let at = millis(event.timestamp);
        let is_passed = |(time, id): &(i64, EventId)| (at, event.id.as_str()) >= (*time, id.as_str());
        if self.passed.as_ref().is_some_and(is_passed) || self.asked.is_too_new(event.timestamp) {
            return;
        }
        if self.asked.is_too_old(event.timestamp) {
            self.ended = true;
            return;
        }
        self.passed = Some((at, event.id.clone()));
        if self.asked.has(&event) {
            self.shown.push(event);
        }
    }

    /// Whether the page is full, or the list has come to its end.
    pub fn is_done(&self) -> bool {
        self.ended || self.shown.len() == self.limit || (self.rest.is_none() && self.waiting.is_empty())
    }

    /// Whether it has come on since its place, so that it may end here although it is not full.
    pub fn has_come_on(&self) -> bool {
        self.passed.as_ref() != self.begin.as_ref().map(|place| (place.time, place.id.clone())).as_ref()
    }

    /// The page's events, and the place behind them where more may follow.
    pub fn page(self) -> (Vec<Listed>, Option<Place>) {
        let from = self.waiting.iter().map(|waiting| waiting.from).chain(self.rest).max();
        let more = from.filter(|_| !self.ended);
        let place = more.zip(self.passed).map(|(from, (time, id))| Place { from: from.max(time), time, id });
        (self.shown, place)
    }
}

/// The newest time by a row's id, where it is one.
impl ListRow {
    /// What [`Walk::take`] takes of a row.
    ///
    /// # Errors
    /// [`Invalid`] where it is no row of a list.
    pub fn read_for_walk(&self) -> Result<(i64, Vec<Listed>), Invalid> {
        let newest = Self::newest_in(&self.id).unwrap_or_default();
        Ok((newest, self.listed()?))
    }
}
