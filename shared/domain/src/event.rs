//! Events, their types, and the patterns by which endpoints ask for them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{EndpointId, EventId, JobId, TenantId};
use crate::invalid::Invalid;
use crate::traceparent::{self, Traceparent};

mod own_type;
mod tags;
mod type_names;

pub use own_type::OwnType;
pub use tags::{MAX_TAG_CHARS, MAX_TAG_NAME_CHARS, MAX_TAGS, check_tags};
pub use type_names::{FURTHER_CHARACTERS, TypeNames};

/// Of an event's type.
pub const MAX_TYPE_CHARS: usize = 128;
/// The largest `data` that is taken, in bytes as they came.
pub const MAX_DATA_BYTES: usize = 256 * 1024;
const EVERY: &str = "*";
/// The namespace of our own operational events; `*` does not take it, and no producer may publish in it.
const OPERATIONAL: &str = "webhook.";
/// The type of a webhook's test where nothing says which, and the last segment of one that is made up below a prefix.
const A_TEST: &str = "test";

/// What happened: segments of letters, digits, `_`, `-` and `:`, separated by dots, and of more where a dialect has it
/// ([`TypeNames`]). It is parsed by what every dialect has, and read from rows by what any may ever have had.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventType(String);

impl EventType {
    /// The type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of our own operational events, which no producer may publish.
    pub fn is_operational(&self) -> bool {
        self.0.starts_with(OPERATIONAL)
    }

    /// The type of a test of a webhook that asks for nothing that could be sent.
    pub fn of_a_test() -> Self {
        Self(A_TEST.to_owned())
    }

    /// Every pattern that takes this type, the widest first: what fan-out looks up.
    pub fn patterns(&self) -> Vec<EventPattern> {
        let wildcards = self.0.match_indices('.').map(|(dot, _)| format!("{}.*", &self.0[..dot]));
        let every = (!self.is_operational()).then(|| EVERY.to_owned());
        every.into_iter().chain(wildcards).chain([self.0.clone()]).map(EventPattern).collect()
    }
}

impl std::str::FromStr for EventType {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        TypeNames::COMMON.read(text)
    }
}

impl TryFrom<String> for EventType {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::kept(&text)
    }
}

impl From<EventType> for String {
    fn from(event: EventType) -> Self {
        event.0
    }
}

impl std::fmt::Display for EventType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an endpoint asks for: an event type, `prefix.*`, or `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventPattern(String);

impl EventPattern {
    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it takes more than one type.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.0.ends_with(EVERY)
    }

    /// How long it is in segments: the fewer, the more it takes.
    pub(crate) fn segments(&self) -> usize {
        self.0.split('.').count()
    }

    /// A type that it takes: itself where it is one, or one that is made up for a test. Nothing where its prefix leaves no room.
    pub(crate) fn any_type(&self) -> Option<EventType> {
        match self.0.strip_suffix(EVERY) {
            Some(prefix) => EventType::kept(&format!("{prefix}{A_TEST}")).ok(),
            None => EventType::kept(&self.0).ok(),
        }
    }

    /// Whether it asks for our own operational events, or for one of them.
    pub fn is_operational(&self) -> bool {
        self.0.starts_with(OPERATIONAL)
    }

    /// Whether it takes events of this type.
    pub fn takes(&self, event: &EventType) -> bool {
        event.patterns().contains(self)
    }

    pub(crate) fn matches_text(&self, event: &str) -> bool {
        EventType::kept(event).is_ok_and(|event| self.takes(&event))
    }
}

impl std::str::FromStr for EventPattern {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::kept(text).and_then(|pattern| match TypeNames::COMMON.has_pattern(text) {
            true => Ok(pattern),
            false => Err(Invalid::new("events", "event types such as `invoice.paid`, `prefix.*` or `*`")),
        })
    }
}

impl TryFrom<String> for EventPattern {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::kept(&text)
    }
}

impl From<EventPattern> for String {
    fn from(pattern: EventPattern) -> Self {
        pattern.0
    }
}

/// Something that happened at a tenant, as its row in the events table holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Whose event it is.
    pub tenant_id: TenantId,
    /// Its id, the same at every endpoint and at every attempt.
    pub id: EventId,
    /// Its type.
    #[serde(rename = "event")]
    pub event_type: EventType,
    /// A JSON object, text for text as the producer wrote it: key order and the spelling of numbers are his. Empty once it was expunged.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub data: String,
    /// When it was accepted; the first put fixes it.
    #[serde(with = "crate::time::as_wire")]
    pub timestamp: Timestamp,
    /// When the row may be removed, in seconds since 1970.
    pub expires_at: i64,
    /// Whether Postrider itself put it: only such a row may be of an operational type.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ours: bool,
    /// Whether it was counted against its tenant's quota when it came; a producer's row is counted by fan-out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counted: bool,
    /// The job that it is about, if any: such an event goes to the job's own URL and to no webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// The webhook that it tests, if it is a test: it goes to that one, whatever that has asked for, and to no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_of: Option<EndpointId>,
    /// Where it goes instead of to receivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<Announce>,
    /// Words of its producer's about it, which webhooks' filters see and receivers do not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The span in which it was published, where traces are followed. A version that does not know it reads all else.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "traceparent::if_any")]
    pub traceparent: Option<Traceparent>,
}

/// Where an event goes that is not for receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Announce {
    /// To the stack's bus, as `Postrider Job Created`, so that a worker can start.
    JobCreated,
}

impl Event {
    /// The one endpoint that it is for, where no pattern has a say: the webhook that it tests, or its job's own URL.
    pub fn only_for(&self) -> Option<EndpointId> {
        let of_its_job = || self.job_id.as_ref().map(|_| EndpointId::of_jobs(&self.tenant_id));
        self.test_of.clone().or_else(of_its_job)
    }

    /// Whether its producer put the row himself: nobody of ours has counted, judged or followed it before fan-out.
    pub fn is_its_producers_own(&self) -> bool {
        !self.counted && !self.ours
    }

    /// Whether what it says was removed on request. All else of it is kept, so that its key stays used up and its ledger tells.
    pub fn is_expunged(&self) -> bool {
        self.data.is_empty()
    }

    /// What differs where the same thing should have been published again, if anything: the type, `data` to the letter, or a tag.
    /// Parsed values would not do, since two numbers beyond a double's reach parse alike.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        match self {
            _ if self.event_type != other.event_type => Some("of another type"),
            _ if self.data != other.data => Some("the bytes of whose `data` differ"),
            _ if self.tags != other.tags => Some("whose `tags` differ"),
            _ => None,
        }
    }
}

/// Takes `data` as it stands in a request.
///
/// # Errors
/// [`Invalid`] when it is no JSON object.
pub fn check_data(raw: &str) -> Result<(), Invalid> {
    if raw.trim_start().starts_with('{') { Ok(()) } else { Err(Invalid::new("data", "a JSON object")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(event: &str) -> Vec<String> {
        event.parse::<EventType>().unwrap().patterns().into_iter().map(String::from).collect()
    }

    #[test]
    fn a_type_is_taken_by_itself_by_its_prefixes_and_by_the_star() {
        assert_eq!(patterns("voice.clone.completed"), ["*", "voice.*", "voice.clone.*", "voice.clone.completed"]);
        assert_eq!(patterns("ping"), ["*", "ping"]);
    }

    #[test]
    fn the_star_does_not_take_operational_events() {
        assert_eq!(patterns("webhook.disabled"), ["webhook.*", "webhook.disabled"]);
    }

    #[test]
    fn bad_types_and_patterns_are_refused() {
        for bad in ["", ".", "a.", ".a", "a..b", "a b", "a.*.b", "*.a", "ä", "a/b", "a#b", &"a".repeat(129)] {
            assert!(bad.parse::<EventType>().is_err(), "{bad}");
            assert!(bad.parse::<EventPattern>().is_err(), "{bad}");
        }
        assert!("a.*".parse::<EventType>().is_err());
        assert!("a.*".parse::<EventPattern>().is_ok());
    }

    #[test]
    fn only_an_object_is_data() {
        assert!(check_data(" {\"a\":1}").is_ok());
        for bad in ["[]", "1", "null", "\"{}\""] {
            assert_eq!(check_data(bad).unwrap_err().field, "data");
        }
    }
}
