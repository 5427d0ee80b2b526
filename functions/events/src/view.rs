//! Events and their deliveries as the API shows them.

use std::collections::BTreeMap;

use postrider_api::document::{Id, JsonSchema, Names, Tags, Time, TypeOfEvent};
use postrider_api::{ApiError, Failed, Pagination};
use postrider_domain::delivery::{self, Reason, Status};
use postrider_domain::endpoint::parking::Cause;
use postrider_domain::event::{self, EventType};
use postrider_domain::id::{DeliveryId, EndpointId, EventId};
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
    /// What it says, as its producer wrote it.
    #[schemars(with = "Map<String, Value>", example = serde_json::json!({"invoice_id": "in_4711", "amount": 1200}))]
    data: &'a RawValue,
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
    /// What follows. Pages are made of webhooks, so one may have fewer deliveries, or none.
    pagination: Pagination,
}

impl<'a> Shown<'a> {
    pub(crate) fn new(
        event: &'a event::Event,
        data: &'a RawValue,
        (deliveries, waits): (&'a [delivery::Delivery], &Waits),
        pagination: Pagination,
    ) -> Self {
        Self {
            id: &event.id,
            event: &event.event_type,
            data,
            tags: &event.tags,
            timestamp: event.timestamp.into(),
            test: event.test_of.is_some(),
            deliveries: deliveries.iter().map(|row| Delivery::of(row, waits)).collect(),
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
    fn of(delivery: &'a delivery::Delivery, waits: &Waits) -> Self {
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
