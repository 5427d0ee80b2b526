//! Endpoints, which the API calls webhooks: where a tenant's events go, and how.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::FIRST_URL_VERSION;
use crate::delivery::Reason;
use crate::dialect::{self, DialectRef, SLOWEST_TIMEOUT};
use crate::event::EventPattern;
use crate::id::{EndpointId, TenantId};
use crate::invalid::Invalid;
use crate::job::Job;
use crate::retry::RetryPolicy;
use crate::tenant::{Tenant, TenantStatus};

mod urls;

pub use urls::{EarlierUrls, PresentUrl};

/// A change of all of them, old and new, has to fit a transaction of 100 actions beside the endpoint itself.
const MAX_PATTERNS: usize = 49;
const MAX_HEADERS: usize = 16;
const MAX_HEADER_CHARS: usize = 1024;
const MAX_DESCRIPTION_CHARS: usize = 256;
/// Headers that are ours, the connection's or the signature's; no webhook sets them.
const RESERVED_HEADERS: [&str; 17] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];
/// How long an endpoint may fail without one success before it is disabled, where its dialect does that.
pub const FAILING_LIMIT: Duration = Duration::from_secs(5 * 24 * 3600);

/// Whether an endpoint is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointStatus {
    /// It is.
    Active,
    /// It is not; matching events are recorded as cancelled.
    Disabled,
}

impl EndpointStatus {
    /// Its name in the API and the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// A sealed signing secret and, during a rotation, when it ceases to count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// The sealed text; only the keyring opens it.
    pub sealed: String,
    /// Whether it was made here and shown to nobody: then no receiver waits for it, and no rotation keeps it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// When it ceases to count.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub until: Option<Timestamp>,
}

impl StoredSecret {
    /// One that counts until it is replaced.
    pub fn new(sealed: String) -> Self {
        Self { sealed, unseen: false, until: None }
    }
}

/// Those of these secrets that count at `now`.
pub fn secrets_at(secrets: &[StoredSecret], now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
    secrets.iter().filter(move |secret| secret.until.is_none_or(|until| until > now))
}

/// The secrets after a rotation at `now`: the new one first, those before it until the grace ends, and none that had
/// ceased to count. `None` while too many count already: to drop one would break its grace.
pub fn rotated(
    secrets: &[StoredSecret],
    sealed: String,
    now: Timestamp,
    grace_seconds: u32,
) -> Option<Vec<StoredSecret>> {
    let end = crate::time::plus_millis(now, i64::from(grace_seconds) * 1000);
    let old = secrets_at(secrets, now)
        .filter(|secret| !secret.unseen)
        .map(|secret| StoredSecret { until: Some(secret.until.unwrap_or(end).min(end)), ..secret.clone() })
        .filter(|secret| secret.until.is_some_and(|until| until > now));
    let after: Vec<_> = std::iter::once(StoredSecret::new(sealed)).chain(old).collect();
    (after.len() <= MAX_SECRETS).then_some(after)
}

/// Until when a secret counts that is no longer the newest, if one does at `now`: a header of one signature goes on with an
/// old one until then.
pub fn previous_secret_until(secrets: &[StoredSecret], now: Timestamp) -> Option<Timestamp> {
    secrets_at(secrets, now).filter_map(|secret| secret.until).max()
}

/// Secrets that count at once, at the most; a header of signatures has to hold them.
const MAX_SECRETS: usize = 4;

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
    /// Its owner's note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Headers of its owner's, sent along.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Its own time-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u16>,
    /// Its own calendar, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_schedule: Option<Vec<u32>>,
    /// Counts its owner's changes: a change is written only over the state that it was made from.
    #[serde(default)]
    pub revision: u32,
    /// When it was made.
    #[serde(with = "crate::time::as_wire")]
    pub created_at: Timestamp,
    /// When it was deleted; the row stays as a tombstone until its deliveries have expired.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub deleted_at: Option<Timestamp>,
    /// The first failure since its last success.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub failing_since: Option<Timestamp>,
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
            description: None,
            headers: BTreeMap::new(),
            timeout_seconds: None,
            retry_schedule: None,
            revision: 0,
            created_at,
            deleted_at: None,
            failing_since: None,
            expires_at: None,
        }
    }

    /// A job's own URL as an endpoint, if it has one: nobody registered it.
    pub fn of_job(job: &Job) -> Option<Self> {
        let (id, tenant, url) = (EndpointId::of_jobs(&job.tenant_id), job.tenant_id.clone(), job.webhook_url.clone()?);
        Some(Self::bare(id, tenant, url, job.dialect, job.created_at))
    }

    /// The headers of its owner's that are sent along. A dialect may sign in one by now that was anybody's when it was set: a
    /// receiver that finds two would take the owner's for ours.
    pub fn own_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.headers.iter().filter(|(name, _)| !is_of_ours(&name.to_ascii_lowercase()));
        own.map(|(name, value)| (name.as_str(), value.as_str()))
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

    /// Whether it has failed for so long that it is to be disabled.
    pub fn has_failed_too_long(&self, now: Timestamp) -> bool {
        let limit = i64::try_from(FAILING_LIMIT.as_secs()).unwrap_or(i64::MAX);
        self.dialect.disables_failing
            && self.failing_since.is_some_and(|since| now.as_second() - since.as_second() >= limit)
    }
}

/// What its owner is told when an endpoint is disabled without his doing: the type of the operational event.
pub const DISABLED_EVENT: &str = "webhook.disabled";

/// A row that a delivery needs is not there, and no tombstone says why. It is lost, so nothing follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing;

/// Why nothing may be sent for this tenant to this endpoint now, if so. Read at each attempt.
///
/// # Errors
/// [`Missing`] when a row is absent that nobody has deleted: that is our failure, and calls nothing off.
pub fn obstacle(tenant: Option<&Tenant>, endpoint: Option<&Endpoint>) -> Result<Option<Reason>, Missing> {
    match (tenant, endpoint) {
        (_, Some(endpoint)) if endpoint.deleted_at.is_some() => Ok(Some(Reason::WebhookDeleted)),
        (Some(tenant), _) if tenant.status == TenantStatus::Suspended => Ok(Some(Reason::TenantSuspended)),
        (None, _) | (_, None) => Err(Missing),
        (_, Some(endpoint)) if endpoint.status == EndpointStatus::Disabled => Ok(Some(Reason::WebhookDisabled)),
        _ => Ok(None),
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
        let pattern: EventPattern = name.parse().map_err(|_| refused())?;
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

/// Whether a header is ours, the connection's or a signature's; `lower` is its name in lower case.
fn is_of_ours(lower: &str) -> bool {
    is_reserved(lower) || lower.starts_with("webhook-") || dialect::signs_in(lower)
}

/// Whether a header is ours or the connection's, so that no signature can stand in it either.
pub(crate) fn is_reserved(lower: &str) -> bool {
    RESERVED_HEADERS.contains(&lower)
}

/// Takes a request's `headers`: names in lower case, none of ours, values that cannot break out of their line.
///
/// # Errors
/// [`Invalid`] naming the header.
pub fn parse_headers(headers: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Invalid> {
    if headers.len() > MAX_HEADERS {
        return Err(Invalid::new("headers", format!("at most {MAX_HEADERS} headers")));
    }
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let mut taken = BTreeMap::new();
    for (name, value) in headers {
        let field = format!("headers.{name}");
        let lower = name.to_ascii_lowercase();
        if is_of_ours(&lower) {
            return Err(Invalid::new(field, "a header that Postrider does not set itself"));
        }
        if name.is_empty() || name.len() > MAX_HEADER_CHARS || !name.bytes().all(is_token) {
            return Err(Invalid::new(field, "a header name of letters, digits and hyphens"));
        }
        // HTTP/1 drops white space around a value, and HTTP/2 forbids it.
        let is_padded = value.trim() != value;
        if value.len() > MAX_HEADER_CHARS
            || is_padded
            || !value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
        {
            let expected = "visible ASCII characters, with no white space at either end";
            return Err(Invalid::new(field, format!("a value of at most {MAX_HEADER_CHARS} {expected}")));
        }
        if taken.insert(lower, value).is_some() {
            return Err(Invalid::new(field, "each header once"));
        }
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_calls_nothing_off_and_what_is_deleted_does() {
        let at = Timestamp::UNIX_EPOCH;
        let tenant = Tenant {
            id: TenantId::new(at, 1),
            name: "a".to_owned(),
            plan: crate::tenant::Plan::Pro,
            status: TenantStatus::Active,
            secrets: Vec::new(),
            created_at: at,
        };
        let suspended = Tenant { status: TenantStatus::Suspended, ..tenant.clone() };
        let dialect = DialectRef(&crate::dialect::NUR);
        let url = "https://hooks.example/".to_owned();
        let endpoint = Endpoint::bare(EndpointId::new(at, 1), tenant.id.clone(), url, dialect, at);
        let headers = [("x-team", "a"), ("x-nur-signature", "sha256=00"), ("webhook-id", "evt_1"), ("host", "b")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let set_before = Endpoint { headers: headers.into(), ..endpoint.clone() };
        assert_eq!(set_before.own_headers().collect::<Vec<_>>(), [("x-team", "a")], "no header set before signs");
        let deleted = Endpoint { deleted_at: Some(at), ..endpoint.clone() };
        let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint.clone() };
        assert_eq!(obstacle(Some(&tenant), Some(&endpoint)), Ok(None));
        assert_eq!(obstacle(Some(&tenant), None), Err(Missing));
        assert_eq!(obstacle(None, Some(&endpoint)), Err(Missing));
        assert_eq!(obstacle(None, Some(&disabled)), Err(Missing));
        assert_eq!(obstacle(None, Some(&deleted)), Ok(Some(Reason::WebhookDeleted)));
        assert_eq!(obstacle(Some(&suspended), None), Ok(Some(Reason::TenantSuspended)));
        assert_eq!(obstacle(Some(&tenant), Some(&disabled)), Ok(Some(Reason::WebhookDisabled)));
    }

    fn names(secrets: &[StoredSecret]) -> Vec<&str> {
        secrets.iter().map(|secret| secret.sealed.as_str()).collect()
    }

    #[test]
    fn a_rotation_keeps_every_grace_it_has_given() {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let mut secrets = Vec::new();
        for name in ["a", "b", "c", "d"] {
            secrets = rotated(&secrets, name.to_owned(), now, 60).unwrap();
        }
        assert_eq!(names(&secrets), ["d", "c", "b", "a"]);
        assert_eq!(rotated(&secrets, "e".to_owned(), now, 60), None, "a fifth would end a grace");
        let later = crate::time::plus_millis(now, 60_000);
        assert_eq!(names(&rotated(&secrets, "e".to_owned(), later, 60).unwrap()), ["e", "d"]);
        assert_eq!(names(&rotated(&secrets, "e".to_owned(), now, 0).unwrap()), ["e"], "no grace ends all at once");
    }

    #[test]
    fn a_secret_that_nobody_was_shown_ends_at_its_first_rotation() {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let made = StoredSecret { unseen: true, ..StoredSecret::new("made".to_owned()) };
        let first = rotated(&[made], "first".to_owned(), now, 3600).unwrap();
        assert_eq!((names(&first), previous_secret_until(&first, now)), (vec!["first"], None));
        let second = rotated(&first, "second".to_owned(), now, 3600).unwrap();
        assert_eq!(names(&second), ["second", "first"]);
        // Rows of earlier versions do not tell: one that was shown must keep the grace that it is given.
        let before: StoredSecret = serde_json::from_str(r#"{"sealed": "before"}"#).unwrap();
        assert_eq!(names(&rotated(&[before], "first".to_owned(), now, 3600).unwrap()), ["first", "before"]);
        let end = crate::time::plus_millis(now, 3_600_000);
        assert_eq!(previous_secret_until(&second, now), Some(end));
        assert_eq!(previous_secret_until(&second, end), None);
    }

    fn taken(name: &str, value: &str) -> Result<BTreeMap<String, String>, Invalid> {
        let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        parse_headers(headers)
    }

    #[test]
    fn a_header_of_the_owners_own_is_taken_in_lower_case() {
        for name in ["Authorization", "x-team", "Cookie", "traceparent", "X_odd.name~"] {
            assert_eq!(taken(name, "a\tb c").unwrap(), BTreeMap::from([(name.to_lowercase(), "a\tb c".to_owned())]));
        }
        assert!(taken("x-empty", "").is_ok());
        assert!(taken("x-long", &"v".repeat(1024)).is_ok());
    }

    #[test]
    fn what_is_ours_or_the_connections_is_not_taken() {
        let of_ours = ["webhook-id", "Webhook-Anything", "User-Agent", "Content-Type"];
        let of_dialects = ["X-Nur-Signature", "x-nouvel-signature", "X-NETRAFLOW-SIGNATURE"];
        let hop_by_hop =
            ["Connection", "Proxy-Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"];
        let of_http = ["Host", "Content-Length", "Content-Encoding", "Accept-Encoding", "Expect", "HTTP2-Settings"];
        let of_proxies = ["Proxy-Authorization", "Proxy-Authenticate"];
        for name in of_ours.iter().chain(&of_dialects).chain(&hop_by_hop).chain(&of_http).chain(&of_proxies) {
            assert_eq!(taken(name, "x").unwrap_err().field, format!("headers.{name}"));
        }
    }

    #[test]
    fn no_header_breaks_out_of_its_line() {
        for name in ["", " ", "x team", "x:team", "x-team\r\nx-evil", "x-t\u{e9}am", "x\0", ":path", "x\u{7f}"] {
            assert!(taken(name, "x").is_err(), "{name:?}");
        }
        for value in
            [" a", "a ", "\ta", "a\t", " ", "a\r\nX-Evil: b", "a\nb", "a\rb", "a\0b", "\u{7f}", "\u{e9}", "\u{1b}[2J"]
        {
            assert!(taken("x-team", value).is_err(), "{value:?}");
        }
        assert!(taken(&"x".repeat(1025), "x").is_err());
        assert!(taken("x-team", &"x".repeat(1025)).is_err());
    }

    #[test]
    fn headers_are_sixteen_at_the_most_and_each_comes_once() {
        let many = |count: usize| (0..count).map(|i| (format!("x-{i}"), String::new())).collect();
        assert_eq!(parse_headers(many(16)).unwrap().len(), 16);
        assert!(parse_headers(many(17)).is_err());
        let twice = ["X-Team", "x-team"].map(|name| (name.to_owned(), "a".to_owned()));
        assert!(parse_headers(twice.into()).is_err());
    }
}
