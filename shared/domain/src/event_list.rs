//! The list of a tenant's events. Event ids have no order, and an index of the events table would cost every event a write; so
//! fan-out writes the list, a row for all of a tenant's events in a batch of the stream.
//!
//! The list is in the order of the events' own times, newest first, and of their ids where times are equal. Rows overlap, since batches
//! are made by when events come; a [`Walk`] merges them. An event that lies in several rows, because a batch came again in other parts,
//! stands next to itself there, so a double is dropped without anything being remembered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Event, EventType};
use crate::id::{self, EventId, TenantId};
use crate::invalid::Invalid;

mod walk;

pub use walk::{Asked, Place, Walk};

/// How far apart a row's events may be. A page has to read everything that reaches across its place, so this bounds what that is.
pub const SPAN_MILLIS: i64 = 10_000;
/// About how much a row's events take, in bytes: far below the 400 KB of an item, so that whoever looks for one event reads little.
pub const ROW_BYTES: usize = 16 * 1024;
/// Rows are for events that expire on one day: a row goes with the last of them.
const DAY_SECONDS: i64 = 86_400;

/// What an event is, beside its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It was published, or tells of a change here: its type says which.
    ForWhoAsks,
    /// A test of one webhook.
    Test,
    /// How a job ended: it goes to the job's own URL.
    OfJob,
}

impl Kind {
    const ALL: [Self; 3] = [Self::ForWhoAsks, Self::Test, Self::OfJob];

    fn of(event: &Event) -> Self {
        match event {
            Event { test_of: Some(_), .. } => Self::Test,
            Event { job_id: Some(_), .. } => Self::OfJob,
            _ => Self::ForWhoAsks,
        }
    }

    fn letter(self) -> &'static str {
        match self {
            Self::ForWhoAsks => "e",
            Self::Test => "t",
            Self::OfJob => "j",
        }
    }
}

/// An event as the list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: EventId,
    /// Its type.
    pub event_type: EventType,
    /// Its own time, in whole milliseconds.
    pub timestamp: Timestamp,
    /// What it is.
    pub kind: Kind,
}

/// A row of the list as the deliveries table holds it, in a partition of the tenant's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRow {
    /// Its partition, [`list_of`] its tenant.
    #[serde(rename = "endpoint_id")]
    pub list: String,
    /// The time of its newest event and a digest of all of them: what comes again as it was is the same row.
    pub id: String,
    /// The types of its events, each once.
    types: Vec<EventType>,
    /// A line for each event, the newest first: by how many milliseconds it is older than the newest, the place of its type, what it is,
    /// and its id without `evt_`.
    events: String,
    /// When the row may be removed, in seconds since 1970.
    pub expires_at: i64,
}

/// A row, and which of the given events it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The row.
    pub row: ListRow,
    /// The places of its events among those that were given.
    pub places: Vec<usize>,
}

/// The partition of a tenant's list. Whoever removes a tenant removes all rows in it.
pub fn list_of(tenant: &TenantId) -> String {
    format!("EVENTS#{tenant}")
}

/// The rows that list these events. What is not for receivers, the announcement of a job to workers, is in none.
pub fn pack(events: &[&Event]) -> Vec<Packed> {
    let mut groups: BTreeMap<(&TenantId, i64), Vec<usize>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate().filter(|(_, event)| event.announce.is_none()) {
        let day = event.expires_at.div_euclid(DAY_SECONDS);
        groups.entry((&event.tenant_id, day)).or_default().push(place);
    }
    let mut packed = Vec::new();
    for ((tenant, _), mut places) in groups {
        let order = |place: &usize| (millis(events[*place].timestamp), events[*place].id.as_str());
        places.sort_by(|one, other| order(other).cmp(&order(one)));
        let mut open: Option<Open> = None;
        for place in places {
            let event = events[place];
            if open.as_ref().is_none_or(|row| !row.has_room(event)) {
                packed.extend(open.take().map(|row| row.close(tenant)));
            }
            open.get_or_insert_with(|| Open::new(millis(event.timestamp))).take(place, event);
        }
        packed.extend(open.map(|row| row.close(tenant)));
    }
    packed
}

/// A row that is being filled.
struct Open<'e> {
    newest: i64,
    types: Vec<&'e EventType>,
    types_bytes: usize,
    lines: String,
    places: Vec<usize>,
    expires_at: i64,
}

impl<'e> Open<'e> {
    fn new(newest: i64) -> Self {
        Self { newest, types: Vec::new(), types_bytes: 0, lines: String::new(), places: Vec::new(), expires_at: 0 }
    }

    fn has_room(&self, event: &Event) -> bool {
        self.newest - millis(event.timestamp) <= SPAN_MILLIS && self.lines.len() + self.types_bytes < ROW_BYTES
    }

    fn take(&mut self, place: usize, event: &'e Event) {
        let known = self.types.iter().position(|known| **known == event.event_type);
        let number = known.unwrap_or_else(|| {
            self.types.push(&event.event_type);
            self.types_bytes += event.event_type.as_str().len();
            self.types.len() - 1
        });
        let (age, letter) = (self.newest - millis(event.timestamp), Kind::of(event).letter());
        let separator = if self.lines.is_empty() { "" } else { "\n" };
        let id = &event.id.as_str()[EventId::PREFIX.len()..];
        self.lines.push_str(&format!("{separator}{age} {number} {letter} {id}"));
        self.places.push(place);
        self.expires_at = self.expires_at.max(event.expires_at);
    }

    fn close(self, tenant: &TenantId) -> Packed {
        let types: Vec<EventType> = self.types.into_iter().cloned().collect();
        let parts = types.iter().map(EventType::as_str).chain([self.lines.as_str()]);
        let digest = id::digest_part(&parts.collect::<Vec<_>>());
        let newest = Timestamp::from_millisecond(self.newest).unwrap_or_default();
        let row = ListRow {
            list: list_of(tenant),
            id: format!("{}{digest}", id::time_part(newest)),
            types,
            events: self.lines,
            expires_at: self.expires_at,
        };
        Packed { row, places: self.places }
    }
}

impl ListRow {
    /// The time of the newest event of a row with this id, in milliseconds since 1970; nothing where it is no such id.
    pub fn newest_in(id: &str) -> Option<i64> {
        id::millis_of(id.get(..id::TIME_CHARS)?)
    }

    /// About how many bytes it takes in its table.
    pub fn bytes(&self) -> usize {
        let names = "endpoint_ididtypeseventsexpires_at".len() + 16;
        let types: usize = self.types.iter().map(|event_type| event_type.as_str().len() + 1).sum();
        names + self.list.len() + self.id.len() + types + self.events.len()
    }

    /// Its events, the newest first.
    ///
    /// # Errors
    /// [`Invalid`] where it is no row of a list.
    pub fn listed(&self) -> Result<Vec<Listed>, Invalid> {
        let no_row = || Invalid::new("events", "a row of a list of events");
        let newest = Self::newest_in(&self.id).ok_or_else(no_row)?;
        self.events.lines().map(|line| self.read(newest, line).ok_or_else(no_row)).collect()
    }

    fn read(&self, newest: i64, line: &str) -> Option<Listed> {
        let [age, number, letter, id] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
        Some(Listed {
            id: format!("{}{id}", EventId::PREFIX).parse().ok()?,
            event_type: self.types.get(number.parse::<usize>().ok()?)?.clone(),
            timestamp: Timestamp::from_millisecond(newest.checked_sub(age.parse().ok()?)?).ok()?,
            kind: Kind::ALL.into_iter().find(|kind| kind.letter() == letter)?,
        })
    }
}

/// Milliseconds since 1970, of which a row's id holds eight characters.
fn millis(at: Timestamp) -> i64 {
    at.as_millisecond().max(0)
}

#[cfg(test)]
mod tests;
