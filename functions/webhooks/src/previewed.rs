//! Previews as the API shows them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use postrider_api::document::{JsonSchema, Names, UrlOfWebhook};
use postrider_aws::composer::Composed;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::filter::MAX_REASON_CHARS;
use postrider_domain::retry::{MAX_DELAY_SECONDS, MAX_RETRIES};
use postrider_domain::withheld::{Reason, Withheld};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// What an event would make of a webhook, were it published now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeliveryPreview")]
pub(crate) struct Preview<'a> {
    /// Whether it would be sent to this webhook: at once, or later where deliveries wait for it.
    #[schemars(example = true)]
    would_send: bool,
    /// Why it would not; left out where it would.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Names<Withheld>>")]
    why: Option<Withheld>,
    /// The same in words; left out with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_REASON_CHARS), example = &"none of the patterns in this webhook's `events` takes this type")]
    explanation: Option<String>,
    /// The request, also where it would not be sent.
    request: Shown<'a>,
    /// The wait before each retry should it fail, in seconds, without jitter.
    #[schemars(length(max = MAX_RETRIES), inner(range(min = 1, max = MAX_DELAY_SECONDS)), example = [60, 600, 3600])]
    schedule: Cow<'static, [u32]>,
}

/// A POST as it would be sent.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PreviewedRequest", example = example())]
struct Shown<'a> {
    /// Where to.
    #[schemars(with = "UrlOfWebhook")]
    url: &'a str,
    /// The headers in the order in which they are sent, beside `host` and `content-length`, which the connection adds. Values of the
    /// webhook's own `headers` are shown as `***`.
    #[schemars(example = example()["headers"].clone())]
    headers: Headers<'a>,
    /// The body as text, byte for byte as it was signed. It has an id as an event would have, and the time of this preview.
    #[schemars(example = example()["body"].clone())]
    body: Cow<'a, str>,
}

/// Headers, each name once.
#[derive(Debug, JsonSchema)]
#[schemars(transparent)]
struct Headers<'a>(#[schemars(with = "BTreeMap<String, String>")] Vec<(&'a str, &'a str)>);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// As the standard dialect sends it.
fn example() -> Value {
    json!({
        "url": "https://hooks.example.com/postrider",
        "headers": {
            "content-type": "application/json",
            "x-team": "***",
            "webhook-id": "evt_01JQ9Z1K3M5N7P9R2S4T",
            "webhook-timestamp": "1768487400",
            "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
            "accept": "*/*",
            "user-agent": "Postrider/0.2.0",
        },
        "body": r#"{"type":"invoice.paid","timestamp":"2026-01-15T14:30:00.000Z","data":{"invoice_id":"in_4711"}}"#,
    })
}

impl<'a> Preview<'a> {
    /// What was composed for this webhook, masked, and why it would not be sent, if so.
    pub(crate) fn of(endpoint: &'a Endpoint, composed: &'a Composed, reason: Option<Reason>) -> Self {
        Self {
            would_send: reason.is_none(),
            why: reason.as_ref().map(|reason| reason.why),
            explanation: reason.map(|reason| reason.explanation),
            request: Shown::of(endpoint, composed),
            schedule: endpoint.retry_policy().delays,
        }
    }
}

impl<'a> Shown<'a> {
    fn of(endpoint: &'a Endpoint, composed: &'a Composed) -> Self {
        Self {
            url: &endpoint.url,
            headers: Headers(composed.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()),
            body: String::from_utf8_lossy(&composed.body),
        }
    }
}
