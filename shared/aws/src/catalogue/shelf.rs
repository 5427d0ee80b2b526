//! What a warm process remembers of the catalogue: so many types, and so many names that are none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use postrider_domain::catalogue::CataloguedType;
use postrider_domain::event::EventType;
use tokio::time::Instant;

use super::known::Known;
use crate::error::Failure;

/// Names of which it is remembered whether they are types. Beyond that those that are none are forgotten, and where that is not enough all.
const MOST_NAMES: usize = 2000;
/// What types that are remembered may take, in bytes as they are written; beyond that all are forgotten but the last.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// How long a failure stands for those who come after it.
const FAILURE: Duration = Duration::from_secs(1);

/// Them.
#[derive(Default)]
pub(super) struct Shelf(Mutex<HashMap<EventType, Place>>);

/// What is known of a name.
#[derive(Default)]
struct Place {
    /// When it was read, and what was there. By the wall clock: it goes on while the process is frozen.
    found: Option<(Timestamp, Option<Arc<Known>>)>,
    failure: Option<(Instant, Failure)>,
    loading: Arc<tokio::sync::Mutex<()>>,
}

impl Place {
    fn is_a_type(&self) -> bool {
        matches!(self.found, Some((_, Some(_))))
    }
}

impl Shelf {
    /// What was found at a time that serves.
    pub(super) fn get(&self, name: &EventType, serves: impl Fn(Timestamp) -> bool) -> Option<Option<Arc<Known>>> {
        let places = self.places();
        let (read, found) = places.get(name)?.found.as_ref()?;
        serves(*read).then(|| found.clone())
    }

    /// Held by whoever reads a type.
    pub(super) fn loading(&self, name: &EventType) -> Arc<tokio::sync::Mutex<()>> {
        let mut places = self.places();
        if places.len() >= MOST_NAMES && !places.contains_key(name) {
            places.retain(|_, place| place.is_a_type());
            if places.len() >= MOST_NAMES {
                places.clear();
            }
        }
        Arc::clone(&places.entry(name.clone()).or_default().loading)
    }

    /// Why it could not be read a moment ago.
    pub(super) fn failed_just_now(&self, name: &EventType) -> Option<Failure> {
        let places = self.places();
        let (at, failure) = places.get(name)?.failure.as_ref()?;
        (at.elapsed() < FAILURE).then(|| failure.clone())
    }

    /// Remembers what was read.
    pub(super) fn put(&self, name: &EventType, read: Timestamp, row: Option<CataloguedType>) -> Option<Arc<Known>> {
        let mut places = self.places();
        let place = places.entry(name.clone()).or_default();
        let before = place.found.take().and_then(|(_, known)| known);
        let known = row.map(|row| Arc::new(Known::of(row, before.as_deref())));
        place.found = Some((read, known.clone()));
        place.failure = None;
        let bytes: usize =
            places.values().filter_map(|place| place.found.as_ref()?.1.as_ref()).map(|it| it.bytes()).sum();
        if bytes > MOST_BYTES {
            places.retain(|other, _| other == name);
        }
        known
    }

    /// Remembers that it could not be read; what was read before stays.
    pub(super) fn fail(&self, name: &EventType, failure: &Failure) {
        self.places().entry(name.clone()).or_default().failure = Some((Instant::now(), failure.clone()));
    }

    fn places(&self) -> MutexGuard<'_, HashMap<EventType, Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places().len()
    }
}
