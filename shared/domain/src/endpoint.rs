//! Endpoints, which the API calls webhooks: where a tenant's events go, and how.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::{FIRST_URL_VERSION, SLOWEST_TIMEOUT};
use crate::content_type::{self, ContentType};
use crate::dialect::DialectRef;
use crate::event::EventPattern;
use crate::id::{EndpointId, TenantId};
use crate::invalid::Invalid;
use crate::invisible;
use crate::job::Job;
use crate::message::Message;
use crate::metadata::Metadata;
use crate::named;
use crate::named::stored_by_name;
use crate::rate_limit::{RateLimit, Restraint};
use crate::retry::{RetryPolicy, horizon_seconds};
use crate::stored_secret::StoredSecret;

mod headers;
mod listed;
pub mod parking;
mod urls;

pub use headers::HeldValue;
pub use listed::bytes as listed_bytes;
pub use urls::{EarlierUrls, PresentUrl};

use self::parking::Parking;

/// A change of all of them, old and new (with another filter all that stay, too), has to fit a transaction of 100 actions beside the
/// endpoint itself, its earlier URLs, the count of its tenant's webhooks and the event that tells of it. There are webhooks of before
/// that have one more.
pub const MAX_PATTERNS: usize = 48;
/// Of its owner's name for it.
pub const MAX_NAME_CHARS: usize = 128;
/// Of an owner's note.
pub const MAX_DESCRIPTION_CHARS: usize = 256;
/// How long an endpoint may fail without one success before it is disabled, where its dialect does that.
pub const FAILING_LIMIT: Duration = Duration::from_secs(5 * 24 * 3600);

named! {
    /// Whether an endpoint is sent to, by its name in the API and the tables.
    pub enum EndpointStatus {
        /// It is sent what it asked for.
        Active = "active",
        /// Nothing is sent to it; matching events are recorded as cancelled.
        Disabled = "disabled",
    }
}

stored_by_name!(EndpointStatus);

/// An endpoint as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Where it is, as its owner wrote it; checked when it was taken and at every attempt.
    pub url: String,
    /// Counts its URLs: each attempt keeps the number of the one that it was made to.
    #[serde(default = "first_url_version")]
    pub url_version: u32,
    /// What it asked for.
    pub events: Vec<EventPattern>,
    /// How it is spoken to.
    pub dialect: DialectRef,
    /// Signing secrets, sealed, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<StoredSecret>,
    /// Whether it is sent to.
    pub status: EndpointStatus,
    /// Why it is not, in words for its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// Since when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub disabled_at: Option<Timestamp>,
    /// Its owner's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its owner's note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its owner notes for programs of his own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: Metadata,
    /// What its deliveries say that their bodies are, where not what all say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ContentType>,
    /// Headers of its owner's, sent along: their values sealed, by their names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sealed_headers: BTreeMap<String, String>,
    /// The same in the clear, in rows of earlier versions; sealed with the next change of its owner's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Its own time-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u16>,
    /// Its own retry schedule, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_schedule: Option<Vec<u32>>,
    /// How many requests a second it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Which of the events that it asked for it is sent, as JSON that `Filter` reads; none: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Whether its deliveries name the span that sends them, where events are traced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trace: bool,
    /// Counts its owner's changes: a change is written only over the state that it was made from.
    #[serde(default)]
    pub revision: u32,
    /// The bytes of the plain list with which it was counted against its tenant's quota, and which are given back with it. Rows of
    /// before do not tell; what they show has not changed since they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_bytes: Option<u64>,
    /// When it was made.
    #[serde(with = "crate::time::as_wire")]
    pub created_at: Timestamp,
    /// When it was deleted; the row stays as a tombstone until its deliveries have expired.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub deleted_at: Option<Timestamp>,
    /// The first failure since its last success.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub failing_since: Option<Timestamp>,
    /// The first attempt that nobody answered since somebody last did.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub down_since: Option<Timestamp>,
    /// How what is for it is parked, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parking: Option<Parking>,
    /// Until when its receiver has asked to be left alone. A hint: an owner's change that was made from what stood before may undo it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub paused_until: Option<Timestamp>,
    /// When a tombstone may be removed, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

fn first_url_version() -> u32 {
    FIRST_URL_VERSION
}

impl Endpoint {
    /// An active endpoint with nothing of its own: no secret, no patterns, all else as its dialect has it.
    pub fn bare(id: EndpointId, tenant_id: TenantId, url: String, dialect: DialectRef, created_at: Timestamp) -> Self {
        Self {
            id,
            tenant_id,
            url,
            url_version: FIRST_URL_VERSION,
            events: Vec::new(),
            dialect,
            secrets: Vec::new(),
            status: EndpointStatus::Active,
            disabled_reason: None,
            disabled_at: None,
            name: None,
            description: None,
            metadata: BTreeMap::new(),
            content_type: None,
            sealed_headers: BTreeMap::new(),
            headers: BTreeMap::new(),
            timeout_seconds: None,
            retry_schedule: None,
            rate_limit: None,
            filter: None,
            trace: false,
            revision: 0,
            counted_bytes: None,
            created_at,
            deleted_at: None,
            failing_since: None,
            down_since: None,
            parking: None,
            paused_until: None,
            expires_at: None,
        }
    }

    /// A job's own URL as an endpoint, if it has one: nobody registered it.
    pub fn of_job(job: &Job) -> Option<Self> {
        let (id, tenant, url) = (EndpointId::of_jobs(&job.tenant_id), job.tenant_id.clone(), job.webhook_url.clone()?);
        Some(Self::bare(id, tenant, url, job.dialect, job.created_at))
    }

    /// What its deliveries say that their bodies are.
    pub fn content_type(&self) -> &str {
        self.content_type.as_ref().map_or(content_type::DEFAULT, ContentType::as_str)
    }

    /// What its secrets are sealed for.
    pub fn secret_owner(&self) -> String {
        format!("{}/{}", self.tenant_id, self.id)
    }

    /// How long it may take to answer.
    pub fn timeout(&self) -> Duration {
        self.timeout_seconds.map_or(self.dialect.timeout, |seconds| Duration::from_secs(seconds.into()))
    }

    /// When its failed attempts come back.
    pub fn retry_policy(&self) -> RetryPolicy {
        self.dialect.retry.with_schedule(self.retry_schedule.as_deref())
    }

    /// Whether this message waits for it to be back.
    pub fn holds_back(&self, message: &Message) -> bool {
        !message.probe && self.parking.as_ref().is_some_and(Parking::holds_back)
    }

    /// How long a delivery may wait for it while it is parked: as long as a whole round of its schedule takes, and an hour at the least.
    pub fn horizon(&self) -> Duration {
        Duration::from_secs(horizon_seconds(&self.retry_policy())).max(parking::SHORTEST_WAIT)
    }

    /// The same after its owner has changed at `now` what may have been the cause of an outage: all that is parked is sent.
    #[must_use]
    pub fn given_another_chance(self, now: Timestamp) -> Self {
        let parking = self.parking.as_ref().map(|parking| parking.given_another_chance(now));
        Self { down_since: None, parking, ..self }
    }

    /// What holds its messages back at `now`, if anything does.
    pub fn restraint(&self, now: Timestamp) -> Option<Restraint> {
        let paused_until = self.paused_until.filter(|until| *until > now);
        let is_free = self.rate_limit.is_none() && paused_until.is_none();
        (!is_free).then_some(Restraint { limit: self.rate_limit, paused_until })
    }

    /// Whether it has failed for so long that it is to be disabled.
    pub fn has_failed_too_long(&self, now: Timestamp) -> bool {
        let limit = i64::try_from(FAILING_LIMIT.as_secs()).unwrap_or(i64::MAX);
        self.dialect.disables_failing
            && self.failing_since.is_some_and(|since| now.as_second() - since.as_second() >= limit)
    }
}

/// Takes a request's `events` for an endpoint of this dialect; repeated entries count once.
///
/// # Errors
/// [`Invalid`] naming the entry.
pub fn parse_patterns(names: &[String], dialect: DialectRef) -> Result<Vec<EventPattern>, Invalid> {
    if names.is_empty() || names.len() > MAX_PATTERNS {
        return Err(Invalid::new("events", format!("1 to {MAX_PATTERNS} event types")));
    }
    let mut patterns: Vec<EventPattern> = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let refused = || Invalid::new(format!("events[{i}]"), dialect.catalogue.expectation());
        let pattern = EventPattern::kept(name).map_err(|_| refused())?;
        if !dialect.catalogue.accepts(&pattern) {
            return Err(refused());
        }
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    Ok(patterns)
}

/// Takes a request's `timeout_seconds`.
///
/// # Errors
/// [`Invalid`] outside 1 to [`SLOWEST_TIMEOUT`].
pub fn check_timeout(seconds: u16) -> Result<(), Invalid> {
    let limit = SLOWEST_TIMEOUT.as_secs();
    if (1..=limit).contains(&u64::from(seconds)) {
        return Ok(());
    }
    Err(Invalid::new("timeout_seconds", format!("whole seconds, 1 to {limit}")))
}

/// Takes a request's `name`.
///
/// # Errors
/// [`Invalid`] when it is too long, or nothing of it is seen.
pub fn check_name(text: &str) -> Result<(), Invalid> {
    if invisible::shows(text) && text.chars().count() <= MAX_NAME_CHARS && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let expected = format!("1 to {MAX_NAME_CHARS} characters, none of them a control character and not blanks alone");
    Err(Invalid::new("name", expected))
}

/// Takes a request's `description`.
///
/// # Errors
/// [`Invalid`] when it is too long.
pub fn check_description(text: &str) -> Result<(), Invalid> {
    if text.chars().count() <= MAX_DESCRIPTION_CHARS {
        return Ok(());
    }
    Err(Invalid::new("description", format!("at most {MAX_DESCRIPTION_CHARS} characters")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_seen_and_bounded() {
        for good in ["a", "Rechnungen \u{2713}", &"\u{e9}".repeat(128)] {
            assert!(check_name(good).is_ok(), "{good:?}");
        }
        for bad in ["", " ", "\u{200b}", "a\nb", "a\u{7f}", &"a".repeat(129)] {
            assert_eq!(check_name(bad).unwrap_err().field, "name", "{bad:?}");
        }
    }
}
