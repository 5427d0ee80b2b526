//! What the API answers, as far as pages show it. A field that is not there is nothing, and one that nobody here knows is passed over.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::endpoint::parking::{Cause, State};
use postrider_domain::recovery::Progress;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// One of the words of a field; nothing for a word of a later version.
fn known<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// What follows of a list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Pagination {
    #[serde(default)]
    pub(crate) next_cursor: Option<String>,
}

/// A webhook.
#[derive(Debug, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) events: Vec<String>,
    #[serde(with = "postrider_domain::time::as_wire")]
    pub(crate) created_at: Timestamp,
    pub(crate) status: String,
    /// Left out where it is the session's.
    #[serde(default)]
    pub(crate) dialect: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) content_type: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) timeout_seconds: Option<u64>,
    #[serde(default)]
    pub(crate) retry_schedule: Option<Vec<u64>>,
    #[serde(default)]
    pub(crate) parking: Option<Parking>,
    #[serde(default)]
    pub(crate) rate_limit: Option<u64>,
    #[serde(default)]
    pub(crate) filter: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) disabled_reason: Option<String>,
    #[serde(default, with = "postrider_domain::time::as_wire_option")]
    pub(crate) disabled_at: Option<Timestamp>,
    /// The first failure since anything was taken there last.
    #[serde(default, with = "postrider_domain::time::as_wire_option")]
    pub(crate) failing_since: Option<Timestamp>,
    #[serde(default, with = "postrider_domain::time::as_wire_option")]
    pub(crate) previous_secret_until: Option<Timestamp>,
}

impl Webhook {
    pub(crate) fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// What it is called: its name, or else its address.
    pub(crate) fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.url)
    }
}

/// Why deliveries wait for a webhook as a whole.
#[derive(Debug, Deserialize)]
pub(crate) struct Parking {
    pub(crate) state: State,
    pub(crate) cause: Cause,
    #[serde(with = "postrider_domain::time::as_wire")]
    pub(crate) since: Timestamp,
    #[serde(default, with = "postrider_domain::time::as_wire_option")]
    pub(crate) next_probe_at: Option<Timestamp>,
}

impl Parking {
    /// Whether nobody answers; otherwise what has waited is being sent.
    pub(crate) fn is_down(&self) -> bool {
        self.state == State::Down
    }
}

/// What became of a webhook's deliveries in a span of time.
#[derive(Debug, Deserialize)]
pub(crate) struct Stats {
    #[serde(with = "postrider_domain::time::as_wire")]
    pub(crate) since: Timestamp,
    #[serde(with = "postrider_domain::time::as_wire")]
    pub(crate) until: Timestamp,
    #[serde(default)]
    pub(crate) deliveries: BTreeMap<String, u64>,
    #[serde(default)]
    pub(crate) outcomes: BTreeMap<String, u64>,
    #[serde(default)]
    pub(crate) success_rate: Option<f64>,
    #[serde(default)]
    pub(crate) duration_ms: Durations,
    #[serde(default)]
    pub(crate) buckets: Vec<Bucket>,
    #[serde(default)]
    pub(crate) seen: u64,
    #[serde(default)]
    pub(crate) complete: bool,
}

impl Stats {
    /// How many stand so.
    pub(crate) fn of_status(&self, status: Status) -> u64 {
        self.deliveries.get(status.as_str()).copied().unwrap_or_default()
    }

    /// How many wait for a first or a further attempt.
    pub(crate) fn waiting(&self) -> u64 {
        self.of_status(Status::Pending).saturating_add(self.of_status(Status::Retrying))
    }
}

/// How long attempts took, in milliseconds.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Durations {
    #[serde(default)]
    pub(crate) p50: Option<u64>,
    #[serde(default)]
    pub(crate) p95: Option<u64>,
}

/// What has ended of the events of a bucket's time.
#[derive(Debug, Deserialize)]
pub(crate) struct Bucket {
    #[serde(with = "postrider_domain::time::as_wire")]
    pub(crate) from: Timestamp,
    #[serde(default)]
    pub(crate) succeeded: u64,
    #[serde(default)]
    pub(crate) failed: u64,
}

/// A delivery with its first attempts, or a page of them.
#[derive(Debug, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) event_id: String,
    pub(crate) event: String,
    #[serde(default)]
    pub(crate) webhook_id: Option<String>,
    #[serde(default)]
    pub(crate) url: Option<String>,
    #[serde(default)]
    pub(crate) test: bool,
    pub(crate) status: Status,
    #[serde(with = "postrider_domain::time::as_wire")]
    pub(crate) created_at: Timestamp,
    #[serde(default, with = "postrider_domain::time::as_wire_option")]
    pub(crate) next_attempt_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) attempts: Vec<Attempt>,
    #[serde(default)]
    pub(crate) job_id: Option<String>,
    #[serde(default, deserialize_with = "known")]
    pub(crate) waiting_for: Option<Cause>,
    #[serde(default, deserialize_with = "known")]
    pub(crate) reason: Option<Reason>,
    #[serde(default, with = "postrider_domain::time::as_wire_option")]
    pub(crate) delivered_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) request: Option<Rebuilt>,
    #[serde(default)]
    pub(crate) pagination: Pagination,
}

/// One POST, or one that could not be made.
#[derive(Debug, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) number: u64,
    #[serde(with = "postrider_domain::time::as_wire")]
    pub(crate) at: Timestamp,
    #[serde(default)]
    pub(crate) duration_ms: u64,
    #[serde(default)]
    pub(crate) url: Option<String>,
    pub(crate) outcome: String,
    #[serde(default)]
    pub(crate) status_code: Option<u64>,
    #[serde(default)]
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) response_excerpt: Option<String>,
    #[serde(default)]
    pub(crate) redirect_to: Option<String>,
    #[serde(default)]
    pub(crate) response_headers: BTreeMap<String, String>,
}

/// A delivery's request, made again from what there is now.
#[derive(Debug, Deserialize)]
pub(crate) struct Rebuilt {
    #[serde(default)]
    pub(crate) lacking: Option<String>,
    /// What it is, or why it cannot be made again, in English.
    #[serde(default)]
    pub(crate) about: String,
    #[serde(default)]
    pub(crate) url: Option<String>,
    #[serde(default)]
    pub(crate) headers: Option<Map>,
    #[serde(default)]
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) left_out: Vec<String>,
}

/// Names with texts, in the order in which they came.
pub(crate) type Map = serde_json::Map<String, Value>;

/// A page of deliveries.
#[derive(Debug, Deserialize)]
pub(crate) struct Deliveries {
    #[serde(default)]
    pub(crate) deliveries: Vec<Delivery>,
    #[serde(default)]
    pub(crate) pagination: Pagination,
}

/// How far a recovery has come.
#[derive(Debug, Deserialize)]
pub(crate) struct Recovery {
    pub(crate) status: Progress,
    #[serde(with = "postrider_domain::time::as_wire")]
    pub(crate) since: Timestamp,
    #[serde(with = "postrider_domain::time::as_wire")]
    pub(crate) until: Timestamp,
    #[serde(default)]
    pub(crate) found: u64,
    #[serde(default)]
    pub(crate) requeued: u64,
}

/// How far the cancellation of all that waited has come.
#[derive(Debug, Deserialize)]
pub(crate) struct Cancellation {
    pub(crate) cancellation_id: String,
    #[serde(with = "postrider_domain::time::as_wire")]
    pub(crate) at: Timestamp,
    #[serde(default)]
    pub(crate) found: u64,
    #[serde(default)]
    pub(crate) cancelled: u64,
    #[serde(default)]
    pub(crate) complete: bool,
}

/// What an event would make of a webhook.
#[derive(Debug, Deserialize)]
pub(crate) struct Preview {
    #[serde(default)]
    pub(crate) would_send: bool,
    /// Why not, in English.
    #[serde(default)]
    pub(crate) explanation: Option<String>,
    pub(crate) request: Previewed,
    #[serde(default)]
    pub(crate) schedule: Vec<u64>,
}

/// The request of a preview.
#[derive(Debug, Deserialize)]
pub(crate) struct Previewed {
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) headers: Map,
    #[serde(default)]
    pub(crate) body: String,
}

/// A type of events, as the catalogue has it.
#[derive(Debug, Deserialize)]
pub(crate) struct EventType {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) schema: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) example: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) built_in: bool,
    #[serde(default)]
    pub(crate) deprecated: bool,
}

/// What a recovery would send.
#[derive(Debug, Deserialize)]
pub(crate) struct RecoveryCount {
    pub(crate) found: u64,
    #[serde(default)]
    pub(crate) complete: bool,
}

/// A recovery that has begun.
#[derive(Deserialize)]
pub(crate) struct RecoveryBegun {
    pub(crate) recovery_id: String,
}
