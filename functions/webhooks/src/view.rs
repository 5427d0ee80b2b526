//! Webhooks as the API shows them. A secret is never among what is shown, but in the answer that makes it, and a header's value never.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_api::document::{DialectName, Id, JsonSchema, Names, SubscriptionPattern, Time, UrlOfWebhook};
use postrider_api::{Caller, Pagination};
use postrider_domain::attempt::SLOWEST_TIMEOUT;
use postrider_domain::content_type::{self, ContentType};
use postrider_domain::dialect::DialectRef;
use postrider_domain::endpoint::parking::{self, Cause, State};
use postrider_domain::endpoint::{Endpoint, EndpointStatus, MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS};
use postrider_domain::event::EventPattern;
use postrider_domain::hidden::MASK;
use postrider_domain::id::{DeliveryId, EndpointId, EventId};
use postrider_domain::metadata::MAX_ENTRIES;
use postrider_domain::own_header::MAX_HEADERS;
use postrider_domain::rate_limit::{self, RateLimit};
use postrider_domain::retry::{MAX_DELAY_SECONDS, MAX_RETRIES};
use postrider_domain::stored_secret::previous_secret_until;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::filter_test;

/// A webhook as a list shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ListedWebhook")]
pub(crate) struct Listed<'a> {
    /// Its id.
    #[schemars(with = "Id<EndpointId>")]
    id: &'a EndpointId,
    /// Where it is sent to, as its owner wrote it.
    #[schemars(with = "UrlOfWebhook")]
    url: &'a str,
    /// What it asked for: 1 to 48 event types, `prefix.*` or `*`. Webhooks of before that limit may have one more.
    #[schemars(with = "Vec<SubscriptionPattern>", length(min = 1), example = ["invoice.paid", "subscription.*"])]
    events: &'a [EventPattern],
    /// When it was made.
    created_at: Time,
    /// Whether it is sent to.
    #[schemars(with = "Names<EndpointStatus>")]
    status: EndpointStatus,
}

/// The five fields that a list shows.
pub(crate) fn listed(endpoint: &Endpoint) -> Listed<'_> {
    Listed {
        id: &endpoint.id,
        url: &endpoint.url,
        events: &endpoint.events,
        created_at: endpoint.created_at.into(),
        status: endpoint.status,
    }
}

/// A webhook: five fields, and the others where they are set.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Webhook<'a> {
    #[serde(flatten)]
    listed: Listed<'a>,
    /// The dialect that it speaks, where that is not the caller's own; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DialectName>")]
    dialect: Option<DialectRef>,
    /// Its owner's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_NAME_CHARS), example = &"ERP")]
    name: Option<&'a str>,
    /// Its owner's note.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_DESCRIPTION_CHARS), example = &"Invoices to the ERP")]
    description: Option<&'a str>,
    /// What its owner notes for programs of his own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = MAX_ENTRIES), example = BTreeMap::from([("cost_center", "4711")]))]
    metadata: Option<&'a BTreeMap<String, String>>,
    /// What its deliveries say that their bodies are; `application/json` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = content_type::MAX_CHARS), pattern(content_type::PATTERN), example = &"application/cloudevents+json",
    )]
    content_type: Option<&'a str>,
    /// Headers of its owner's that are sent along, their names in lower case. Their values are never shown: `***` stands in their place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = MAX_HEADERS), example = BTreeMap::from([("x-team", MASK)]))]
    headers: Option<BTreeMap<&'a str, &'static str>>,
    /// How long it may take to answer, in seconds; its dialect's time-out where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = SLOWEST_TIMEOUT.as_secs()), example = 10)]
    timeout_seconds: Option<u16>,
    /// The wait before each retry, in seconds, each 1 to 604800; its dialect's schedule where it is left out. None at all: no retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = MAX_RETRIES), inner(range(min = 1, max = MAX_DELAY_SECONDS)), example = [60, 600, 3600],
    )]
    retry_schedule: Option<&'a [u32]>,
    /// Why deliveries wait for it as a whole; left out while they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    parking: Option<Parking>,
    /// Since when nothing was taken there: the first failure since the last success, of dialects that park or disable. Left out while
    /// what is sent is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Time>,
    /// How many requests a second it takes; left out where it is not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u32>", range(min = 1, max = rate_limit::MOST), example = 50)]
    rate_limit: Option<RateLimit>,
    /// Which of the events that it asked for it is sent, as its owner wrote it; left out where all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>", example = filter_test::example())]
    filter: Option<&'a RawValue>,
    /// That its deliveries carry a `traceparent` header, where the deployment has events traced; left out where they do not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(example = true)]
    trace: bool,
    /// Why it is disabled, in words for its owner; left out while it is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"disabled by request")]
    disabled_reason: Option<&'a str>,
    /// Since when it is disabled; left out while it is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<Time>,
    /// Until when the secret before the last rotation counts beside the new one; left out where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_secret_until: Option<Time>,
}

/// A webhook that was made just now, with its secret where it was made here.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CreatedWebhook", example = created())]
pub(crate) struct Created<'a> {
    #[serde(flatten)]
    pub(crate) webhook: Webhook<'a>,
    /// The signing secret, shown this once; left out where the request brought one, or none is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub(crate) secret: Option<&'a str>,
}

/// With the secret, which nothing shows again.
fn created() -> Value {
    json!({
        "id": "wh_0Uj3xKq8Zk1Yw9Xs",
        "url": "https://hooks.example.com/postrider",
        "events": ["invoice.paid", "subscription.*"],
        "created_at": "2026-01-15T14:30:00.000Z",
        "status": "active",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    })
}

/// All webhooks of a tenant.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookList")]
pub(crate) struct All<'a> {
    /// All of them, the oldest first.
    pub(crate) webhooks: Vec<Listed<'a>>,
}

/// A page of a tenant's webhooks.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookPage")]
pub(crate) struct Page {
    /// The page's webhooks, the oldest first.
    #[schemars(with = "Vec<Listed<'static>>")]
    pub(crate) webhooks: Vec<Box<RawValue>>,
    /// What follows.
    pub(crate) pagination: Pagination,
}

/// What the list of webhooks is answered with: all of them, or a page where `limit` or `cursor` was given.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Webhooks")]
#[expect(dead_code, reason = "which of them it is, the request decides; here stands that it can be both")]
pub(crate) enum AllOrPage<'a> {
    /// All of them.
    All(All<'a>),
    /// A page.
    Page(Page),
}

/// Why deliveries wait for a webhook as a whole, and since when.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Parking {
    /// How it stands; `closing` is not shown.
    #[schemars(with = "Names<State>")]
    state: State,
    /// Why they wait.
    #[schemars(with = "Names<Cause>")]
    cause: Cause,
    /// Since when they wait.
    since: Time,
    /// When the webhook is asked next whether it is back; left out once it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_probe_at: Option<Time>,
}

/// A test that is on its way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookTest")]
pub(crate) struct BegunTest<'a> {
    /// The id of its event, which the receiver sees.
    #[schemars(with = "Id<EventId>")]
    pub(crate) event_id: &'a EventId,
    /// The id of its one delivery: GET /v1/deliveries/{id} tells what became of it. That is a 404 for the moments until it is under way.
    #[schemars(with = "Id<DeliveryId>")]
    pub(crate) delivery_id: DeliveryId,
}

/// The five fields, and the others where they are set.
pub(crate) fn whole(endpoint: &Endpoint, now: Timestamp) -> Webhook<'_> {
    Webhook {
        listed: listed(endpoint),
        dialect: None,
        name: endpoint.name.as_deref(),
        description: endpoint.description.as_deref(),
        metadata: Some(&endpoint.metadata).filter(|metadata| !metadata.is_empty()),
        content_type: endpoint.content_type.as_ref().map(ContentType::as_str),
        headers: Some(masked(endpoint)).filter(|headers| !headers.is_empty()),
        timeout_seconds: endpoint.timeout_seconds,
        retry_schedule: endpoint.retry_schedule.as_deref(),
        parking: endpoint.parking.as_ref().and_then(parking),
        failing_since: endpoint.failing_since.map(Time::from),
        rate_limit: endpoint.rate_limit,
        // What was written is JSON; what somebody put into the row by hand need not be.
        filter: endpoint.filter.as_deref().and_then(|filter| serde_json::from_str(filter).ok()),
        trace: endpoint.trace,
        disabled_reason: endpoint.disabled_reason.as_deref(),
        disabled_at: endpoint.disabled_at.map(Time::from),
        previous_secret_until: previous_secret_until(&endpoint.secrets, now).map(Time::from),
    }
}

/// The same for a caller, who is told the dialect where it is not his own: what verifies its requests, he could not know otherwise.
pub(crate) fn shown_to<'a>(caller: &Caller, endpoint: &'a Endpoint, now: Timestamp) -> Webhook<'a> {
    let is_own = caller.dialect() == Some(endpoint.dialect);
    Webhook { dialect: (!is_own).then_some(endpoint.dialect), ..whole(endpoint, now) }
}

fn masked(endpoint: &Endpoint) -> BTreeMap<&str, &'static str> {
    endpoint.header_names().into_iter().map(|name| (name, MASK)).collect()
}

/// Nothing once deliveries no longer wait.
fn parking(parking: &parking::Parking) -> Option<Parking> {
    parking.parks_what_is_new().then(|| Parking {
        state: parking.state,
        cause: parking.cause,
        since: parking.since.into(),
        next_probe_at: (parking.state == State::Down).then(|| parking.next_at.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use postrider_domain::dialect::STANDARD;
    use postrider_domain::id::TenantId;

    #[test]
    fn a_webhook_is_listed_as_its_quota_counts_it() {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let bare = Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, DialectRef(&STANDARD), at);
        let endpoint = Endpoint { events: vec!["a.*".parse().unwrap()], ..bare };
        let counted = serde_json::to_string(&endpoint.listed()).unwrap();
        assert_eq!(serde_json::to_string(&listed(&endpoint)).unwrap(), counted);
        assert_eq!(serde_json::to_string(&whole(&endpoint, at)).unwrap(), counted);
    }

    #[test]
    fn since_when_a_webhook_takes_nothing_is_shown_and_listed_nowhere() {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let bare = Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, DialectRef(&STANDARD), at);
        let endpoint = Endpoint { failing_since: Some(at), ..bare };
        let shown = serde_json::to_value(whole(&endpoint, at)).unwrap();
        assert_eq!(shown["failing_since"], "1970-01-01T00:00:00.000Z");
        assert_eq!(serde_json::to_value(listed(&endpoint)).unwrap().get("failing_since"), None);
    }
}
