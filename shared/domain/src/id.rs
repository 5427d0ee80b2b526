//! Identifiers: a prefix that says what they name, then base62, which sorts as it counts.
//!
//! Ids are deterministic where a rerun must be harmless: an event's from the producer's key, a delivery's from its event
//! and endpoint. A delivery's id leads to its row, because its endpoint stands in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::invalid::Invalid;

pub(crate) const TIME_CHARS: usize = 8;
const SHORT_CHARS: usize = 16;
const DIGEST_CHARS: usize = 20;
/// What the ids of jobs begin with that are no UUIDs.
const SHORT_JOB: &str = "job_";
/// Of an event's id that a producer chose, behind `evt_`.
const MAX_CHOSEN_CHARS: usize = 64;

/// `number` in base62, padded to `width`; what does not fit is cut off at the top.
pub(crate) fn base62_fixed(number: u128, width: usize) -> String {
    let modulus = 62_u128.pow(u32::try_from(width).unwrap_or(20));
    format!("{:0>width$}", base62::encode(number % modulus))
}

/// Milliseconds since 1970 in eight characters that sort as time does (until the year 8888).
pub(crate) fn time_part(at: Timestamp) -> String {
    let last = 62_u128.pow(8) - 1;
    base62_fixed(u128::try_from(at.as_millisecond()).unwrap_or(0).min(last), TIME_CHARS)
}

/// The milliseconds since 1970 of such characters.
pub(crate) fn millis_of(part: &str) -> Option<i64> {
    let is_one = part.len() == TIME_CHARS && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let millis = if is_one { base62::decode(part.trim_start_matches('0')).unwrap_or_default() } else { return None };
    i64::try_from(millis).ok()
}

/// Twenty characters (119 bits) of SHA-256 over the parts, each preceded by its length so that none runs into the next.
pub(crate) fn digest_part(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let number = digest[..16].iter().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    base62_fixed(number, DIGEST_CHARS)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $accepts:expr, $shape:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id as text, prefix included.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let accepts: fn(&str) -> bool = $accepts;
                match text.strip_prefix($prefix) {
                    Some(rest) if accepts(rest) => Ok(Self(text.to_owned())),
                    _ => Err(Invalid::new("id", $shape)),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Lets an id be a map's key. Only what no two tenants can share may be one.
macro_rules! unique_everywhere {
    ($($name:ident),*) => { $(
        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.cmp(&other.0)
            }
        }
    )* };
}
unique_everywhere!(TenantId, KeyId, EndpointId, SessionId, RecoveryId, CancellationId, DeliveryId, JobId);

fn is_base62(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

id!(
    /// A customer of the provider: `ten_` and 16 characters.
    TenantId, "ten_", |rest| is_base62(rest, SHORT_CHARS), "a tenant id (`ten_` and 16 letters or digits)"
);
id!(
    /// An API key's name (not the key): `key_` and 16 characters.
    KeyId, "key_", |rest| is_base62(rest, SHORT_CHARS), "a key id (`key_` and 16 letters or digits)"
);
id!(
    /// An endpoint, which the API calls a webhook: `wh_` and 16 characters, of which the first eight are its time.
    EndpointId, "wh_", |rest| is_base62(rest, SHORT_CHARS), "a webhook id (`wh_` and 16 letters or digits)"
);
id!(
    /// A visitor's session in the portal (not what he sends): `ses_` and 16 characters, of which the first eight are its end, so that
    /// those that have not ended lie together.
    SessionId, "ses_", |rest| is_base62(rest, SHORT_CHARS), "a session id (`ses_` and 16 letters or digits)"
);
id!(
    /// One recovery of an endpoint's deliveries: `rec_` and 16 characters.
    RecoveryId, "rec_", |rest| is_base62(rest, SHORT_CHARS), "a recovery id (`rec_` and 16 letters or digits)"
);
id!(
    /// One cancellation of all that waits for an endpoint: `can_` and 16 characters.
    CancellationId, "can_", |rest| is_base62(rest, SHORT_CHARS), "a cancellation id (`can_` and 16 letters or digits)"
);
id!(
    /// An event: `evt_` and 20 characters, or up to 64 of a producer's own choosing when it writes the row itself. Two tenants
    /// can have the same, so it is no map's key and has no order: an [`EventKey`] is.
    ///
    /// ```compile_fail,E0599
    /// let mut seen = std::collections::HashSet::new();
    /// seen.insert(postrider_domain::id::EventId::fresh(1));
    /// ```
    EventId,
    "evt_",
    |rest| {
        (1..=MAX_CHOSEN_CHARS).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    },
    "an event id (`evt_` and 1 to 64 letters, digits, `_` or `-`)"
);
id!(
    /// An event x endpoint: `dlv_`, the event's time, the endpoint and a digest of the event; 48 characters in all.
    DeliveryId,
    "dlv_",
    |rest| is_base62(rest, TIME_CHARS + SHORT_CHARS + DIGEST_CHARS),
    "a delivery id (`dlv_` and 44 letters or digits)"
);

id!(
    /// A job: `job_` and 16 characters, or a UUID, as its provider has it.
    JobId, "", |rest| rest.strip_prefix(SHORT_JOB).map_or_else(|| is_uuid(rest), |rest| is_base62(rest, SHORT_CHARS)),
    "a job id"
);

fn is_uuid(text: &str) -> bool {
    let dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(at, b)| if dash(at) { b == b'-' } else { matches!(b, b'0'..=b'9' | b'a'..=b'f') })
}

/// A random UUID (RFC 9562, version 4) from 128 random bits.
pub fn uuid(random: u128) -> String {
    versioned_uuid(4, random)
}

fn versioned_uuid(version: u128, bits: u128) -> String {
    let bits = bits & !(0xf000 << 64) & !(0xc000 << 48) | (version << 76) | (0x8000 << 48);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

impl JobId {
    /// A UUID that begins with its time of birth (RFC 9562, version 7), so that a list of them is in order.
    pub fn uuid(at: Timestamp, random: u128) -> Self {
        let millis = u128::try_from(at.as_millisecond()).unwrap_or(0);
        Self(versioned_uuid(7, millis << 80 | random & ((1 << 80) - 1)))
    }

    /// Whether it is one of [`JobId::short`], and not a UUID.
    pub fn is_short(&self) -> bool {
        self.0.starts_with(SHORT_JOB)
    }

    /// `job_`, its time of birth and 64 random bits.
    pub fn short(at: Timestamp, random: u64) -> Self {
        let random = base62_fixed(u128::from(random), SHORT_CHARS - TIME_CHARS);
        Self(format!("{SHORT_JOB}{}{random}", time_part(at)))
    }
}

/// What [`time_part`] was made of.
fn time_in(text: &str) -> Timestamp {
    Timestamp::from_millisecond(millis_of(text).unwrap_or_default()).unwrap_or_default()
}

impl EndpointId {
    /// When it was made, as its id tells.
    pub fn made_at(&self) -> Timestamp {
        let from = Self::PREFIX.len();
        time_in(&self.0[from..from + TIME_CHARS])
    }

    /// The one endpoint under which a tenant's jobs have their deliveries; nobody registers it.
    pub fn of_jobs(tenant: &TenantId) -> Self {
        let digest = digest_part(&["jobs of", tenant.as_str()]);
        Self(format!("wh_{}", &digest[..SHORT_CHARS]))
    }
}

macro_rules! born_at_random {
    ($($name:ident),*) => { $(
        impl $name {
            /// A new id from its time of birth and 64 random bits.
            pub fn new(at: Timestamp, random: u64) -> Self {
                let random = base62_fixed(u128::from(random), SHORT_CHARS - TIME_CHARS);
                Self(format!("{}{}{random}", Self::PREFIX, time_part(at)))
            }
        }
    )* };
}
born_at_random!(TenantId, KeyId, EndpointId, RecoveryId, CancellationId);

impl SessionId {
    /// A new id from the session's end and 64 random bits.
    pub fn ending(at: Timestamp, random: u64) -> Self {
        let random = base62_fixed(u128::from(random), SHORT_CHARS - TIME_CHARS);
        Self(format!("{}{}{random}", Self::PREFIX, time_part(at)))
    }

    /// The smallest text that a session which ends at `at` or later can have as its id: a bound for range reads.
    pub fn lower_bound(at: Timestamp) -> String {
        format!("{}{}", Self::PREFIX, time_part(at))
    }
}

impl EventId {
    /// A fresh id, for a producer that gave no key of its own.
    pub fn fresh(random: u128) -> Self {
        Self(format!("evt_{}", base62_fixed(random, DIGEST_CHARS)))
    }

    /// The id of the event that told how a job ended, where the job does not name it: versions before derived it.
    pub fn of_job(tenant: &TenantId, job: &JobId) -> Self {
        Self::from_key(tenant, "job", job.as_str())
    }

    /// The same id whenever the same producer's key comes again; `source` keeps the ways in apart.
    pub fn from_key(tenant: &TenantId, source: &str, key: &str) -> Self {
        Self(format!("evt_{}", digest_part(&[tenant.as_str(), source, key])))
    }
}

/// An event among those of every tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventKey {
    /// Whose event it is.
    pub tenant_id: TenantId,
    /// Which of theirs.
    pub id: EventId,
}

impl std::hash::Hash for EventKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.tenant_id.as_str(), self.id.as_str()).hash(state);
    }
}

impl DeliveryId {
    /// The one id of this event at this endpoint; `event_time` is the event's own, which its first put fixed.
    pub fn new(event_time: Timestamp, endpoint: &EndpointId, event: &EventId) -> Self {
        let endpoint = &endpoint.as_str()[EndpointId::PREFIX.len()..];
        Self(format!("dlv_{}{endpoint}{}", time_part(event_time), digest_part(&[event.as_str()])))
    }

    /// The endpoint whose partition holds the delivery's row.
    pub fn endpoint(&self) -> EndpointId {
        let from = Self::PREFIX.len() + TIME_CHARS;
        EndpointId(format!("wh_{}", &self.0[from..from + SHORT_CHARS]))
    }

    /// The time of the event that it delivers.
    pub fn event_time(&self) -> Timestamp {
        let from = Self::PREFIX.len();
        time_in(&self.0[from..from + TIME_CHARS])
    }

    /// The smallest text that a delivery of an event at `at` or later can have as its id: a bound for range reads.
    pub fn lower_bound(at: Timestamp) -> String {
        format!("dlv_{}", time_part(at))
    }

    /// The name of the schedule that brings `attempt` back; one name, one attempt, for ever.
    pub fn schedule_name(&self, attempt: u32) -> String {
        format!("{self}-{attempt}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn a_delivery_id_leads_to_its_endpoint_and_fits_a_schedule_name() {
        let endpoint = EndpointId::new(at(1_768_000_000_000), 42);
        let event = EventId::fresh(u128::MAX);
        let delivery = DeliveryId::new(at(1_768_000_000_001), &endpoint, &event);
        assert_eq!((delivery.endpoint(), delivery.event_time()), (endpoint, at(1_768_000_000_001)));
        assert_eq!(delivery.as_str().len(), 48);
        assert!(delivery.schedule_name(u32::MAX).len() <= 64);
        assert_eq!(delivery.as_str().parse::<DeliveryId>().unwrap(), delivery);
    }

    #[test]
    fn an_endpoints_id_tells_when_it_was_made() {
        for millis in [0, 61, 1_768_000_000_001] {
            assert_eq!(EndpointId::new(at(millis), 42).made_at(), at(millis));
        }
    }

    #[test]
    fn sessions_lie_in_the_order_of_their_ends() {
        let (earlier, later) = (SessionId::ending(at(6_999), u64::MAX), SessionId::ending(at(7_000), 0));
        let bound = SessionId::lower_bound(at(7_000));
        assert!(earlier < later && earlier.as_str() < bound.as_str() && bound.as_str() < later.as_str());
    }

    #[test]
    fn parts_of_a_key_do_not_run_into_each_other() {
        let tenant = TenantId::new(at(0), 1);
        assert_ne!(EventId::from_key(&tenant, "a", "bc"), EventId::from_key(&tenant, "ab", "c"));
    }

    #[test]
    fn jobs_have_uuids_or_short_ids() {
        for random in [0, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let id = JobId::uuid(at(7), random);
            assert!(id.as_str().parse::<JobId>().is_ok(), "{id}");
            assert!(id < JobId::uuid(at(8), 0) && id > JobId::uuid(at(6), u128::MAX), "{id}");
            for (id, version) in [(id.as_str(), "7"), (&uuid(random), "4")] {
                assert_eq!((&id[14..15], b"89ab".contains(&id.as_bytes()[19])), (version, true), "{id}");
            }
        }
        assert!(JobId::short(at(7), 7).as_str().parse::<JobId>().is_ok());
        for bad in ["", "job_", "job_0123456789abcde!", "550E8400-e29b-41d4-a716-446655440000", "create"] {
            assert!(bad.parse::<JobId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_foreign_shape_is_refused() {
        for text in ["", "wh_", "wh_short", "evt_0123456789abcdef", "wh_0123456789abcde!", "wh_0123456789abcdef0"] {
            assert!(text.parse::<EndpointId>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ids_sort_as_their_times_do(a in 0_i64..4_000_000_000_000, b in 0_i64..4_000_000_000_000, r in any::<u64>()) {
            let (x, y) = (EndpointId::new(at(a), r), EndpointId::new(at(b), r));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        }

        #[test]
        fn a_key_gives_one_id_and_another_key_another(key in ".{0,40}", other in ".{0,40}") {
            let tenant = TenantId::new(at(5), 5);
            let id = EventId::from_key(&tenant, "http", &key);
            prop_assert_eq!(&id, &EventId::from_key(&tenant, "http", &key));
            prop_assert_eq!(id == EventId::from_key(&tenant, "http", &other), key == other);
        }
    }
}
