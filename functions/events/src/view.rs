//! Events and their deliveries as the API shows them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_api::document::{Id, JsonSchema, Names, Tags, Time, TypeOfEvent};
use postrider_api::{ApiError, Failed, Pagination};
use postrider_domain::delivery::{self, Reason, Status};
use postrider_domain::endpoint::parking::Cause;
use postrider_domain::event::{self, EventType};
use postrider_domain::event_list;
use postrider_domain::id::{DeliveryId, EndpointId, EventId};
use postrider_domain::withheld::NotDelivered;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::bounds::MAX_BATCH;
use crate::waits::Waits;

/// An event that was accepted; the same for a replay.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AcceptedEvent")]
pub(crate) struct Accepted<'a> {
    /// The event's id, which its receivers see.
    #[schemars(with = "Id<EventId>")]
    id: &'a EventId,
    /// Its type.
    #[schemars(with = "TypeOfEvent")]
    event: &'a EventType,
    /// When it was accepted the first time.
    timestamp: Time,
}

/// What a producer gets for an accepted event, the same for a replay.
pub(crate) fn accepted(event: &event::Event) -> Accepted<'_> {
    Accepted { id: &event.id, event: &event.event_type, timestamp: event.timestamp.into() }
}

/// What became of the events of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BatchResults")]
pub(crate) struct Batch<'a> {
    /// One for each event, in the batch's order.
    #[schemars(length(min = 1, max = MAX_BATCH))]
    pub(crate) results: Vec<Taken<'a>>,
}

/// What became of one event of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "BatchResult")]
pub(crate) enum Taken<'a> {
    /// It was accepted.
    Accepted(Accepted<'a>),
    /// It was refused, or could not be taken in.
    Refused(Failed),
}

impl<'a> From<&'a Result<event::Event, ApiError>> for Taken<'a> {
    fn from(result: &'a Result<event::Event, ApiError>) -> Self {
        match result {
            Ok(event) => Self::Accepted(accepted(event)),
            Err(error) => Self::Refused(error.body()),
        }
    }
}

/// A page of events, the newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EventPage")]
pub(crate) struct List<'a> {
    /// The page's events.
    pub(crate) events: Vec<Listed<'a>>,
    /// What follows.
    pub(crate) pagination: Pagination,
}

/// An event in a list: GET /v1/events/{id} shows all of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ListedEvent")]
pub(crate) struct Listed<'a> {
    /// Its id.
    #[schemars(with = "Id<EventId>")]
    id: &'a EventId,
    /// Its type.
    #[schemars(with = "TypeOfEvent")]
    event: &'a EventType,
    /// Its own time: when it was accepted, or what its producer's row said.
    timestamp: Time,
    /// That it is a test of a webhook; left out where it is none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(example = true)]
    test: bool,
}

impl<'a> From<&'a event_list::Listed> for Listed<'a> {
    fn from(event: &'a event_list::Listed) -> Self {
        Self {
            id: &event.id,
            event: &event.event_type,
            timestamp: event.timestamp.into(),
            test: event.kind == event_list::Kind::Test,
        }
    }
}

/// A webhook that did not get an event.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NotDelivered")]
pub(crate) struct Missed<'a> {
    /// The webhook.
    #[schemars(with = "Id<EndpointId>")]
    pub(crate) webhook_id: &'a EndpointId,
    /// Why, judged by the webhook as it is now.
    #[schemars(with = "Names<NotDelivered>")]
    pub(crate) reason: NotDelivered,
}

/// An event with a page of its deliveries.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Event")]
pub(crate) struct Shown<'a> {
    /// Its id.
    #[schemars(with = "Id<EventId>")]
    id: &'a EventId,
    /// Its type.
    #[schemars(with = "TypeOfEvent")]
    event: &'a EventType,
    /// What it says, as its producer wrote it; null once that was removed on request.
    #[schemars(with = "Option<Map<String, Value>>", example = serde_json::json!({"invoice_id": "in_4711", "amount": 1200}))]
    data: Option<&'a RawValue>,
    /// When what it said was removed; left out where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    expunged_at: Option<Time>,
    /// Its tags, which its receivers do not get; left out where it has none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "Tags")]
    tags: &'a BTreeMap<String, String>,
    /// When it was accepted.
    timestamp: Time,
    /// That it is a test of a webhook; left out where it is none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(example = true)]
    test: bool,
    /// Its deliveries to the webhooks of this page.
    deliveries: Vec<Delivery<'a>>,
    /// Those of this page's webhooks that did not get it. None of a test or of how a job ended, which are for one place alone.
    not_delivered: Vec<Missed<'a>>,
    /// What follows. Pages are made of webhooks, so one may have fewer deliveries, or none.
    pagination: Pagination,
}

impl<'a> Shown<'a> {
    pub(crate) fn new(
        (event, data, expunged_at): (&'a event::Event, Option<&'a RawValue>, Option<Timestamp>),
        (deliveries, waits): (&'a [delivery::Delivery], &Waits<'_>),
        not_delivered: Vec<Missed<'a>>,
        pagination: Pagination,
    ) -> Self {
        Self {
            id: &event.id,
            event: &event.event_type,
            data,
            expunged_at: expunged_at.map(Time::from),
            tags: &event.tags,
            timestamp: event.timestamp.into(),
            test: event.test_of.is_some(),
            deliveries: deliveries.iter().map(|row| Delivery::of(row, waits)).collect(),
            not_delivered,
            pagination,
        }
    }
}

/// A delivery, as its event shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EventDelivery")]
struct Delivery<'a> {
    /// Its id: GET /v1/deliveries/{id} tells of its attempts.
    #[schemars(with = "Id<DeliveryId>")]
    id: &'a DeliveryId,
    /// The webhook that it is for; null where it goes to a job's own URL.
    #[schemars(with = "Option<Id<EndpointId>>")]
    webhook_id: Option<&'a EndpointId>,
    /// Where it stands.
    #[schemars(with = "Names<Status>")]
    status: Status,
    /// How many attempts are on record.
    #[schemars(example = 2)]
    attempts: usize,
    /// When the next attempt is due; null where none is. While it waits for its webhook: when that is asked next whether it is back.
    next_attempt_at: Option<Time>,
    /// Why it waits for its webhook as a whole; left out where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Names<Cause>>")]
    waiting_for: Option<Cause>,
    /// Why it failed or was cancelled; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Names<Reason>>")]
    reason: Option<Reason>,
}

impl<'a> Delivery<'a> {
    fn of(delivery: &'a delivery::Delivery, waits: &Waits<'_>) -> Self {
        Self {
            id: &delivery.id,
            webhook_id: delivery.webhook_id(),
            status: delivery.status,
            attempts: delivery.attempts_on_record(),
            next_attempt_at: waits.next_attempt_at(delivery).map(Time::from),
            waiting_for: waits.cause(delivery),
            reason: delivery.reason,
        }
    }
}
