//! The catalogue, as whoever takes events in judges by it.
//!
//! A type is read once for all events of 45 seconds, and its schema compiled once for all processes' readings of it: so a change
//! counts within a minute everywhere, and an event of a known type costs no call. That there is none of a name is remembered as well,
//! for so many names: they are whoever publishes' to make up.
//!
//! Where the catalogue cannot be read, what was read of it within ten minutes counts for those who wait for an answer. Without that the
//! event is not taken: whoever brings it is told to come again, or it comes again by itself. One that slipped by could not be taken back,
//! and the row that it would become lies in the same DynamoDB.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postrider_domain::catalogue::{BuiltIn, KEPT_SECONDS, Openness, Refusal, is_always_known};
use postrider_domain::event::EventType;
use postrider_domain::schema::{STEPS, STEPS_A_BYTE};
use postrider_host::env::{self, BadSetting};
use postrider_host::{clock, deadline};

use crate::config_table::ConfigTable;
use crate::error::Failure;

mod known;
mod shelf;

use known::{Known, LazySchema};
use shelf::Shelf;

/// How long what was read counts.
const FRESH: SignedDuration = SignedDuration::from_secs(45);
/// How long it counts where it cannot be read anew.
const STALE: SignedDuration = SignedDuration::from_mins(10);
/// From when something was read, changes count for rows at the earliest after a minute; less what two clocks may differ by.
const FORESEEN: SignedDuration = SignedDuration::from_secs(50);
/// How long a reading may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a step of judging takes at the most on the least share of a processor that our functions have.
const NANOSECONDS_A_STEP: u64 = 700;

/// Why data is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It is refused.
    #[error("{}", .0.invalid())]
    Refused(Refusal),
    /// We failed: nothing was judged.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Judges by the catalogue.
pub struct Catalogue {
    config: ConfigTable,
    openness: Openness,
    shelf: Shelf,
}

impl Catalogue {
    /// That of a table, open or closed as `EVENT_TYPES` says. Whoever has the table has its client, too, which takes time to make.
    ///
    /// # Errors
    /// When the setting makes no sense.
    pub fn from_env(config: ConfigTable) -> Result<Self, BadSetting> {
        Ok(Self::new(config, env::event_types()?))
    }

    /// That of a table.
    pub fn new(config: ConfigTable, openness: Openness) -> Self {
        Self { config, openness, shelf: Shelf::default() }
    }

    /// Whether an event of this type may have this `data`, which was checked to be a JSON object that every parser reads alike.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn judge(&self, event_type: &EventType, data: &str) -> Result<(), NotTaken> {
        if let Some(own) = BuiltIn::named(event_type) {
            let judged = own.judge(data);
            return judged.map_err(|faults| NotTaken::Refused(Refusal::UnfitData(event_type.clone(), faults)));
        }
        let found = self.as_it_is(event_type).await?;
        let now = found.as_ref().map(|known| known.standings.now());
        let is_known = now.is_some_and(|standing| standing.known);
        self.verdict(event_type, data, is_known, now.and_then(|standing| standing.schema.as_ref()))
    }

    /// The same of a row that a producer put, by how the catalogue stood when it was `written`. It gets the same verdict each time, as
    /// long as that is known, which is two days; after that it is not judged.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn judge_row(&self, event_type: &EventType, data: &str, written: Timestamp) -> Result<(), NotTaken> {
        if clock::now().duration_since(written) > SignedDuration::from_secs(KEPT_SECONDS) {
            return Ok(());
        }
        let is_foreseen = |read: Timestamp| written.duration_since(read) < FORESEEN;
        let found = self.read(event_type, is_foreseen).await?;
        let Some(known) = found else { return self.verdict(event_type, data, false, None) };
        // What is forgotten was judged when it was known.
        let Some(then) = known.standings.at(written) else { return Ok(()) };
        self.verdict(event_type, data, then.known, then.schema)
    }

    /// Whether the catalogue has this type.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn knows(&self, event_type: &EventType) -> Result<bool, Failure> {
        Ok(self.as_it_is(event_type).await?.is_some_and(|known| known.standings.now().known))
    }

    /// The type's example of `data`, if it has one.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn example(&self, event_type: &EventType) -> Result<Option<String>, Failure> {
        if let Some(own) = BuiltIn::named(event_type) {
            return Ok(Some(own.example.to_owned()));
        }
        Ok(self.as_it_is(event_type).await?.and_then(|known| known.example.clone()))
    }

    fn verdict(
        &self,
        event_type: &EventType,
        data: &str,
        is_known: bool,
        schema: Option<&Arc<LazySchema>>,
    ) -> Result<(), NotTaken> {
        if !is_known && self.openness == Openness::Closed && !is_always_known(event_type) {
            return Err(NotTaken::Refused(Refusal::UnknownType));
        }
        let Some(schema) = schema else { return Ok(()) };
        // What is begun ends, so it is begun only where there is time for the worst of it.
        if deadline::left() < longest(data) {
            return Err(Failure::OutOfTime.into());
        }
        let judged = schema.compiled()?.judge(data);
        judged.map_err(|faults| NotTaken::Refused(Refusal::UnfitData(event_type.clone(), faults)))
    }

    /// How the catalogue has a type, as it is or was a moment ago.
    async fn as_it_is(&self, event_type: &EventType) -> Result<Option<Arc<Known>>, Failure> {
        let is_within = |limit: SignedDuration| {
            let now = clock::now();
            move |read: Timestamp| now.duration_since(read).abs() < limit
        };
        match self.read(event_type, is_within(FRESH)).await {
            Err(error) => match self.shelf.get(event_type, is_within(STALE)) {
                Some(found) => {
                    tracing::warn!(error = %error, "catalogue.stale");
                    Ok(found)
                }
                None => Err(error),
            },
            found => found,
        }
    }

    /// How the catalogue had a type at a time that serves, read anew if need be.
    async fn read(
        &self,
        event_type: &EventType,
        serves: impl Fn(Timestamp) -> bool,
    ) -> Result<Option<Arc<Known>>, Failure> {
        if let Some(found) = self.shelf.get(event_type, &serves) {
            return Ok(found);
        }
        // One at a time for each type: whoever waited finds what the one before him brought, or that he failed just now.
        let loading = self.shelf.loading(event_type);
        let _turn = loading.lock().await;
        if let Some(found) = self.shelf.get(event_type, &serves) {
            return Ok(found);
        }
        if let Some(failure) = self.shelf.failed_just_now(event_type) {
            return Err(failure);
        }
        let read = clock::now();
        let row = deadline::at_most(PATIENCE, self.config.catalogued_type(event_type)).await;
        match row {
            Ok(row) => Ok(self.shelf.put(event_type, read, row)),
            Err(failure) => {
                self.shelf.fail(event_type, &failure);
                Err(failure)
            }
        }
    }
}

/// What judging data may take at the longest.
fn longest(data: &str) -> Duration {
    let steps = STEPS.saturating_add(STEPS_A_BYTE.saturating_mul(u64::try_from(data.len()).unwrap_or(u64::MAX)));
    Duration::from_nanos(steps.saturating_mul(NANOSECONDS_A_STEP))
}

#[cfg(test)]
mod tests;
