//! Dialects: how one provider's webhooks look on the wire, as data. The only place where a provider's name stands.
//!
//! A dialect is a const of closed axes; the engine matches on axes. Adding a provider is adding a const here, a body
//! shape in `payload` if it has one of its own, and its vectors.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::event::{EventPattern, EventType, OwnType, TypeNames};
use crate::invalid::Invalid;
use crate::named;
use crate::named::stored_by_name;
use crate::payload::BodyShape;
use crate::retry::{Hints, MAX_DELAY_SECONDS, MAX_RETRIES, RetryPolicy, horizon_seconds};
use crate::secret::KeyDerivation;
use crate::signature::{Content, Encoding, Signing};

mod extra;

/// One provider's way of speaking.
#[derive(Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Its name in the API (`dialect`), in the tables and in metrics.
    pub name: &'static str,
    /// What its API keys begin with.
    pub key_prefix: &'static str,
    /// How it signs.
    pub signing: Signing,
    /// Whether a webhook that brings no secret gets one of our making.
    pub secret_when_none: SecretWhenNone,
    /// Whose secret signs.
    pub secret_of: SecretOf,
    /// Whether its keys register webhooks; if not, its endpoints come with jobs.
    pub registers: bool,
    /// The jobs that its keys start, if any.
    pub jobs: Option<JobKind>,
    /// How its bodies are laid out.
    pub body: BodyShape,
    /// Whether a webhook may say that its bodies are of another format that is JSON. Who was promised a provider's requests as that
    /// provider's page has them gets no other.
    pub own_content_type: bool,
    /// How long a receiver may take to answer, from name look-up to status line.
    pub timeout: Duration,
    /// When a failed attempt comes back.
    pub retry: RetryPolicy,
    /// Which event types its webhooks can name.
    pub catalogue: Catalogue,
    /// Whether an endpoint that failed for five days without one success is disabled.
    pub disables_failing: bool,
    /// Whether what is for an endpoint that is down is parked, instead of coming back at its own schedule's times.
    pub parks: bool,
    /// How its deliveries name their sender; where it says nothing, as the deployment does.
    pub user_agent: Option<&'static str>,
}

/// What becomes of a webhook that is created without a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretWhenNone {
    /// Its deliveries go unsigned.
    Unsigned,
    /// It gets a fresh one, shown once.
    Made,
}

/// Whose secret signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretOf {
    /// The endpoint's own.
    Endpoint,
    /// The tenant's, for all that is sent for it.
    Tenant,
    /// The deployment's, for all tenants.
    Deployment,
}

named! {
    /// What a job is made of, by its name in the tables.
    pub enum JobKind {
        /// Projects that end one by one; the job ends when all have.
        Projects = "projects",
        /// One task, on one URL, for plans that include webhooks.
        Task = "task",
    }
}

stored_by_name!(JobKind);

/// The event types that a dialect's webhooks can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Catalogue {
    /// Any that are called so.
    Open(TypeNames),
    /// These alone; a wildcard means those of them that it matches.
    Only(&'static [&'static str]),
}

impl Catalogue {
    /// Whether an event of this type is ever sent in this dialect.
    pub fn has(self, event: &EventType) -> bool {
        match self {
            Self::Open(names) => names.has(event.as_str()),
            Self::Only(types) => types.contains(&event.as_str()),
        }
    }

    /// The same, of a type that no event has in a dialect that takes those of all.
    pub fn alone_has(self, event: &EventType) -> bool {
        let is_everybodys = matches!(self, Self::Open(_)) && TypeNames::COMMON.has(event.as_str());
        self.has(event) && !is_everybodys
    }

    /// Takes an event's type from who publishes with a key of this dialect. It may be one that the dialect does not have.
    ///
    /// # Errors
    /// [`Invalid`] where no type is called so in this dialect, nor in all.
    pub fn read_type(self, text: &str) -> Result<EventType, Invalid> {
        match self {
            Self::Open(names) => names.read(text),
            Self::Only(types) if types.contains(&text) => EventType::kept(text),
            Self::Only(_) => TypeNames::COMMON.read(text),
        }
    }

    /// Whether a webhook may ask for this pattern: it must match something.
    pub fn accepts(self, pattern: &EventPattern) -> bool {
        match self {
            Self::Open(names) => names.has_pattern(pattern.as_str()),
            Self::Only(types) => types.iter().any(|name| pattern.matches_text(name)),
        }
    }

    /// The event types, in words for an error.
    pub fn types(self) -> String {
        match self {
            Self::Open(_) => "an event type".to_owned(),
            Self::Only(types) => format!("one of {}", types.join(", ")),
        }
    }

    /// What a webhook may ask for, in words for an error.
    pub fn expectation(self) -> String {
        match self {
            Self::Open(_) => "an event type such as `invoice.paid`, `prefix.*` or `*`".to_owned(),
            Self::Only(types) => format!("one of {}, `prefix.*` or `*`", types.join(", ")),
        }
    }
}

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;

/// Nur (its webhook page; `X-Nur-Signature` keyed with the whole secret, six attempts over 26 h 36 min).
pub const NUR: Dialect = Dialect {
    name: "nur",
    key_prefix: "nur_",
    signing: Signing {
        header: "X-Nur-Signature",
        content: Content::Body,
        encoding: Encoding::Hex,
        prefix: "sha256=",
        key: KeyDerivation::WholeText,
    },
    secret_when_none: SecretWhenNone::Unsigned,
    secret_of: SecretOf::Endpoint,
    registers: true,
    jobs: None,
    body: BodyShape::IdEventDataTimestampWebhook,
    own_content_type: false,
    timeout: Duration::from_secs(30),
    retry: RetryPolicy {
        delays: Cow::Borrowed(&[MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 24 * HOUR]),
        jitter_percent: 0,
        hints: DEAF,
    },
    catalogue: Catalogue::Only(&[
        "dubbing.completed",
        "dubbing.failed",
        "voice.clone.completed",
        "voice.clone.failed",
        "agent.session.started",
        "agent.session.ended",
        "music.generation.completed",
    ]),
    disables_failing: false,
    parks: false,
    user_agent: None,
};

/// Standard Webhooks (the specification's headers, secrets and retry schedule), for keys of our own.
pub const STANDARD: Dialect = Dialect {
    name: "standard",
    key_prefix: "pr_",
    signing: Signing {
        header: "webhook-signature",
        content: Content::IdTimestampBody { id_header: "webhook-id", timestamp_header: "webhook-timestamp" },
        encoding: Encoding::Base64,
        prefix: "v1,",
        key: KeyDerivation::Base64After("whsec_"),
    },
    secret_when_none: SecretWhenNone::Made,
    secret_of: SecretOf::Endpoint,
    registers: true,
    jobs: None,
    body: BodyShape::TypeTimestampData,
    own_content_type: true,
    timeout: Duration::from_secs(20),
    retry: RetryPolicy {
        delays: Cow::Borrowed(&[
            5,
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            14 * HOUR,
            20 * HOUR,
            24 * HOUR,
        ]),
        jitter_percent: 10,
        hints: Hints { retry_after: true, gone: true },
    },
    catalogue: Catalogue::Open(TypeNames::COMMON),
    disables_failing: true,
    parks: true,
    user_agent: None,
};

/// Nouvel (its webhook page; one POST when all of a job's projects have ended, bare hex, no retries).
///
/// Its customers re-serialise what they receive before they verify, so the body must be as JavaScript writes it.
pub const NOUVEL: Dialect = Dialect {
    name: "nouvel",
    key_prefix: "nvl_",
    signing: Signing { header: "X-Nouvel-Signature", ..BARE_HEX },
    secret_when_none: SecretWhenNone::Unsigned,
    secret_of: SecretOf::Deployment,
    registers: false,
    jobs: Some(JobKind::Projects),
    body: BodyShape::DataAlone,
    own_content_type: false,
    timeout: Duration::from_secs(5),
    retry: RetryPolicy { delays: Cow::Borrowed(&[]), jitter_percent: 0, hints: DEAF },
    catalogue: Catalogue::Only(&[OwnType::JobCompleted.as_str()]),
    disables_failing: false,
    parks: false,
    user_agent: None,
};

/// NetraFlow (its webhook page; one POST when a job ends, bare hex with the account's secret, five retries).
pub const NETRAFLOW: Dialect = Dialect {
    name: "netraflow",
    key_prefix: "sk_live_",
    signing: Signing { header: "X-NetraFlow-Signature", ..BARE_HEX },
    secret_when_none: SecretWhenNone::Unsigned,
    secret_of: SecretOf::Tenant,
    registers: false,
    jobs: Some(JobKind::Task),
    body: BodyShape::DataAlone,
    own_content_type: false,
    timeout: Duration::from_secs(5),
    retry: RetryPolicy {
        delays: Cow::Borrowed(&[MINUTE, 4 * MINUTE, 16 * MINUTE, 64 * MINUTE, 256 * MINUTE]),
        jitter_percent: 0,
        hints: DEAF,
    },
    catalogue: Catalogue::Only(&[
        OwnType::JobCompleted.as_str(),
        OwnType::JobFailed.as_str(),
        OwnType::JobCancelled.as_str(),
    ]),
    disables_failing: false,
    parks: false,
    user_agent: None,
};

const BARE_HEX: Signing =
    Signing { header: "", content: Content::Body, encoding: Encoding::Hex, prefix: "", key: KeyDerivation::WholeText };

/// No hint of a receiver's counts.
const DEAF: Hints = Hints { retry_after: false, gone: false };

/// What provider keys begin with.
pub const PROVIDER_KEY_PREFIX: &str = "prv_";
/// What the texts of sessions in the portal begin with.
pub const SESSION_PREFIX: &str = "prs_";
/// What the tokens of links to it begin with, so that nobody takes one for a session.
pub const TOKEN_PREFIX: &str = "prl_";

/// The dialects that come with Postrider.
const BUILT_IN: [&Dialect; 4] = [&NUR, &NOUVEL, &NETRAFLOW, &STANDARD];

/// An operator's own, set once when the process starts.
static EXTRA: OnceLock<Vec<&'static Dialect>> = OnceLock::new();

/// Every dialect there is.
pub fn all() -> impl Iterator<Item = &'static Dialect> {
    BUILT_IN.into_iter().chain(EXTRA.get().into_iter().flatten().copied())
}

/// The dialect whose keys are for jobs of this kind.
pub fn of_jobs(kind: JobKind) -> Option<DialectRef> {
    all().find(|dialect| dialect.jobs == Some(kind)).map(DialectRef)
}

/// Takes an event's type from who publishes for webhooks of any dialect.
///
/// # Errors
/// [`Invalid`] where no dialect of the deployment has such a type.
pub fn read_type(text: &str) -> Result<EventType, Invalid> {
    let common = TypeNames::COMMON.read(text);
    let of_any = || all().find_map(|dialect| dialect.catalogue.read_type(text).ok());
    common.or_else(|invalid| of_any().ok_or(invalid))
}

/// How long the longest of the dialects' retry schedules can go on, in seconds: an event must be there until then.
pub fn longest_retry_schedule() -> i64 {
    let seconds = all().map(|dialect| horizon_seconds(&dialect.retry)).max().unwrap_or(0);
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// How long a retry schedule of a webhook's own can go on that events outlive which are kept for `kept` seconds: a longer one is
/// refused. Whoever puts an event must keep it for as long.
pub fn longest_own_retry_schedule(kept: i64) -> i64 {
    let longest = vec![MAX_DELAY_SECONDS; MAX_RETRIES];
    let own = all().filter(|dialect| dialect.registers).map(|dialect| dialect.retry.with_schedule(Some(&longest)));
    let seconds = own.map(|policy| horizon_seconds(&policy)).max().unwrap_or(0);
    longest_retry_schedule().max(kept.min(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

/// Whether a header is some dialect's for its signature, or for what is signed: a webhook that set it could pass for one of
/// another dialect's.
pub(crate) fn signs_in(header: &str) -> bool {
    all().flat_map(|dialect| dialect.signing.names()).any(|name| name.eq_ignore_ascii_case(header))
}

/// Holds an operator's own dialects to be told apart from all others: by name, by their keys, and by receivers that serve
/// several, in the header that signs.
fn check_apart(extra: &[&'static Dialect]) -> Result<(), Invalid> {
    for (i, one) in extra.iter().enumerate() {
        let others = BUILT_IN.iter().chain(&extra[..i]);
        let prefixes =
            others.clone().map(|other| other.key_prefix).chain([PROVIDER_KEY_PREFIX, SESSION_PREFIX, TOKEN_PREFIX]);
        let clash = |taken: &str| taken.starts_with(one.key_prefix) || one.key_prefix.starts_with(taken);
        if others.clone().any(|other| other.name == one.name) || prefixes.into_iter().any(clash) {
            return Err(Invalid::new(format!("dialects.{}", one.name), "a name and a key prefix of its own"));
        }
        if others.clone().any(|other| one.signing.clashes_with(&other.signing)) {
            return Err(Invalid::new(
                format!("dialects.{}.signature", one.name),
                "a header that no other dialect signs in",
            ));
        }
    }
    Ok(())
}

/// Adds an operator's own dialects, from a JSON list of them; once in a process, before anything is read or written.
///
/// # Errors
/// [`Invalid`] when one makes no sense, or its name, key prefix or signature's header is taken.
pub fn extend(json: &str) -> Result<(), Invalid> {
    let extra = extra::read(json)?;
    check_apart(&extra)?;
    // A second call finds them there already.
    let _ = EXTRA.set(extra);
    Ok(())
}

/// Takes the deployment's own `User-Agent`.
///
/// # Errors
/// [`Invalid`] for `field` when no header can carry it.
pub fn check_user_agent(field: &str, text: &str) -> Result<(), Invalid> {
    if extra::is_user_agent(text) { Ok(()) } else { Err(Invalid::new(field, extra::A_USER_AGENT)) }
}

/// A dialect by reference: what tenants' keys and endpoints hold, stored as its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialectRef(pub &'static Dialect);

impl DialectRef {
    /// The dialect of this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        all().find(|dialect| dialect.name == name).map(Self)
    }
}

impl std::ops::Deref for DialectRef {
    type Target = Dialect;

    fn deref(&self) -> &Dialect {
        self.0
    }
}

impl Serialize for DialectRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name)
    }
}

impl<'de> Deserialize<'de> for DialectRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            let names: Vec<_> = all().map(|dialect| dialect.name).collect();
            D::Error::custom(format_args!("unknown dialect, expected one of {}", names.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::SLOWEST_TIMEOUT;

    #[test]
    fn the_retry_schedule_of_nur_ends_after_26_hours_and_36_minutes() {
        let total: u32 = NUR.retry.delays.iter().sum();
        assert_eq!(total, 26 * HOUR + 36 * MINUTE);
        assert_eq!(NUR.retry.delays.len(), 5);
    }

    #[test]
    fn the_retry_schedule_of_netraflow_is_powers_of_four_minutes() {
        assert_eq!(NETRAFLOW.retry.delays, [60, 240, 960, 3_840, 15_360].as_slice());
        assert!(NOUVEL.retry.delays.is_empty());
    }

    #[test]
    fn an_own_retry_schedule_ends_while_events_are_kept() {
        const DAY: i64 = 86_400;
        assert_eq!(longest_own_retry_schedule(30 * DAY), 30 * DAY);
        assert_eq!(
            longest_own_retry_schedule(DAY),
            longest_retry_schedule(),
            "a dialect's own retry schedule is never too long"
        );
        // Sixteen weeks, a tenth of jitter, twenty attempts of thirty seconds.
        assert_eq!(longest_own_retry_schedule(365 * DAY), 16 * 7 * DAY * 110 / 100 + 20 * 30);
    }

    #[test]
    fn no_dialect_is_slower_than_the_functions_allow() {
        for dialect in BUILT_IN {
            assert!(dialect.timeout <= SLOWEST_TIMEOUT, "{}", dialect.name);
        }
    }

    #[test]
    fn key_prefixes_tell_dialects_apart() {
        for (i, one) in BUILT_IN.iter().enumerate() {
            for other in &BUILT_IN[i + 1..] {
                assert!(!one.key_prefix.starts_with(other.key_prefix) && !other.key_prefix.starts_with(one.key_prefix));
            }
        }
    }

    #[test]
    fn an_own_dialect_signs_in_a_header_of_its_own() {
        let written = |name: &str, header: &str, more: &str| {
            format!(
                r#"{{"name": "{name}", "key_prefix": "{name}_", "signature": {{"header": "{header}", "encoding": "hex"{more}}},
                    "body": "data_alone", "timeout_seconds": 5, "retry_seconds": []}}"#
            )
        };
        let verdict = |list: &[String]| {
            check_apart(&extra::read(&format!("[{}]", list.join(","))).unwrap()).map_err(|invalid| invalid.field)
        };
        let with_id = |id: &str| format!(r#", "id_header": "{id}", "timestamp_header": "X-At""#);
        assert_eq!(verdict(&[written("acme", "X-Acme", ""), written("other", "X-Other", "")]), Ok(()));
        assert_eq!(verdict(&[written("acme", "X-Acme", &with_id("webhook-id"))]), Ok(()), "an id is an id");
        for taken in
            ["X-Nur-Signature", "x-nouvel-signature", "X-NETRAFLOW-SIGNATURE", "webhook-signature", "webhook-id"]
        {
            let refused = Err("dialects.acme.signature".to_owned());
            assert_eq!(verdict(&[written("acme", taken, "")]), refused, "{taken}");
        }
        let refused = Err("dialects.other.signature".to_owned());
        assert_eq!(verdict(&[written("acme", "X-Acme", ""), written("other", "x-acme", "")]), refused);
        assert_eq!(verdict(&[written("acme", "X-Acme", ""), written("other", "X-Other", &with_id("X-Acme"))]), refused);
        assert_eq!(
            verdict(&[written("acme", "X-Acme", &with_id("X-Other")), written("other", "X-Other", "")]),
            refused
        );
    }

    #[test]
    fn the_dialects_that_a_guide_shows_are_taken() {
        let guide = include_str!("../../../docs/api.md");
        let (_, below) = guide.split_once("```json\n").unwrap();
        let (shown, _) = below.split_once("```").unwrap();
        let read = extra::read(shown).unwrap();
        assert_eq!(read.iter().map(|dialect| dialect.name).collect::<Vec<_>>(), ["as_svix", "as_outpost"]);
        check_apart(&read).unwrap();
    }

    #[test]
    fn a_closed_catalogue_takes_its_own_types_and_their_wildcards() {
        for good in ["dubbing.completed", "voice.*", "voice.clone.*", "*"] {
            assert!(NUR.catalogue.accepts(&good.parse().unwrap()), "{good}");
        }
        for bad in ["dubbing.started", "invoice.*", "voice"] {
            assert!(!NUR.catalogue.accepts(&bad.parse().unwrap()), "{bad}");
        }
    }

    #[test]
    fn a_name_that_only_one_dialect_has_is_for_its_own_keys_and_webhooks() {
        let own = Catalogue::Open(TypeNames::with("", "/").unwrap());
        let listed = Catalogue::Only(&["orders/create", "orders.paid"]);
        let orders = EventType::kept("orders/create").unwrap();
        for (catalogue, has, takes) in
            [(own, true, true), (listed, true, true), (STANDARD.catalogue, false, false), (NUR.catalogue, false, false)]
        {
            assert_eq!(
                (catalogue.has(&orders), catalogue.read_type("orders/create").is_ok()),
                (has, takes),
                "{catalogue:?}"
            );
            let asks = |pattern: &str| catalogue.accepts(&EventPattern::kept(pattern).unwrap());
            assert_eq!((asks("orders/create"), asks("*")), (has, true), "{catalogue:?}");
        }
        assert!(own.accepts(&EventPattern::kept("shop/orders.*").unwrap()));
        let alone = |catalogue: Catalogue| catalogue.alone_has(&orders);
        assert_eq!([own, listed, STANDARD.catalogue].map(alone), [true, true, false]);
        assert!(!own.alone_has(&"orders.paid".parse().unwrap()), "everybody's, too");
        let any = EventPattern::kept("shop/orders.*").unwrap().any_type().map(String::from);
        assert_eq!(any.as_deref(), Some("shop/orders.test"));
        assert!(
            !listed.accepts(&EventPattern::kept("orders/update").unwrap())
                && listed.read_type("orders/update").is_err()
        );
        assert!(
            listed.read_type("invoice.paid").is_ok(),
            "what every dialect may have is a type, though none of this one's"
        );
        assert!(read_type("orders/create").is_err() && read_type("a:b-c").is_ok(), "no dialect of this process has it");
    }
}
