//! Deliveries as the API shows them.

use std::collections::BTreeMap;

use postrider_api::document::{Id, JsonSchema, Names, Time, TypeOfEvent, UrlOfWebhook};
use postrider_api::{Cursor, Pagination};
use postrider_domain::attempt::{Attempt, Place as Order};
use postrider_domain::cancellation::Cancellation;
use postrider_domain::delivery::{Delivery, Reason, Status};
use postrider_domain::endpoint::parking::Cause;
use postrider_domain::event::EventType;
use postrider_domain::id::{CancellationId, DeliveryId, EndpointId, EventId, JobId};
use postrider_domain::kept_headers::MOST_HEADERS;
use postrider_domain::recovery::Progress;
use postrider_domain::waits;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::outcome::OutcomeName;
use crate::places::Place;
use crate::rebuilt::Rebuilt;

/// Attempts of a delivery that are shown at once, where nobody asks for fewer or more: the first ones.
pub(crate) const ATTEMPTS: usize = 100;

/// A delivery: one event at one webhook, or at a job's own URL, with a page of its attempts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
pub(crate) struct Shown<'a> {
    /// Its id.
    #[schemars(with = "Id<DeliveryId>")]
    id: &'a DeliveryId,
    /// The event that it delivers.
    #[schemars(with = "Id<EventId>")]
    event_id: &'a EventId,
    /// That event's type.
    #[schemars(with = "TypeOfEvent")]
    event: &'a EventType,
    /// The webhook that it is for; null where it goes to a job's own URL.
    #[schemars(with = "Option<Id<EndpointId>>")]
    webhook_id: Option<&'a EndpointId>,
    /// Where it goes at present; null where nobody knows any more.
    #[schemars(with = "Option<UrlOfWebhook>")]
    url: Option<&'a str>,
    /// That its event is a test of the webhook; left out where it is none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(example = true)]
    test: bool,
    /// Where it stands.
    #[schemars(with = "Names<Status>")]
    status: Status,
    /// The time of its event.
    created_at: Time,
    /// When the next attempt is due; null where none is. While it waits for its webhook: when that is asked next whether it is back.
    next_attempt_at: Option<Time>,
    /// Its attempts in the order in which they began: the first 100, or the page that was asked for.
    attempts: Vec<ShownAttempt<'a>>,
    /// The job to whose own URL it goes; left out where it goes to a webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Id<JobId>>")]
    job_id: Option<&'a JobId>,
    /// Why it waits for its webhook as a whole; left out where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Names<Cause>>")]
    waiting_for: Option<Cause>,
    /// Why it failed or was cancelled; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Names<Reason>>")]
    reason: Option<Reason>,
    /// The call of cancel-pending that called it off; left out where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Id<CancellationId>>")]
    cancellation_id: Option<&'a CancellationId>,
    /// When its receiver first took it; left out where it never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<Time>,
    /// Its request, made again; left out where nobody asks for it with `include=request`.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Rebuilt>,
    /// What follows of its attempts. Left out where all are shown and no page was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
}

/// An attempt: one POST, or one that could not be made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Attempt")]
pub(crate) struct ShownAttempt<'a> {
    /// Its number, from 1 in the order in which they began.
    #[schemars(range(min = 1), example = 1)]
    number: u32,
    /// When it began.
    at: Time,
    /// How long it took to the status line or the failure, in milliseconds.
    #[schemars(example = 183)]
    duration_ms: u64,
    /// Where it was made to; null where nothing was sent, or nobody knows any more.
    #[schemars(with = "Option<UrlOfWebhook>")]
    url: Option<&'a str>,
    /// What came of it.
    #[schemars(with = "OutcomeName")]
    outcome: &'a str,
    /// The status that the receiver answered with; left out where no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 999), example = 500)]
    status_code: Option<u16>,
    /// What went wrong, in words; left out where nothing is to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"the certificate has expired")]
    error: Option<&'a str>,
    /// The beginning of a failure's answer, as text: 256 bytes, of the last attempt a kibibyte.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"upstream unavailable")]
    response_excerpt: Option<&'a str>,
    /// Where a redirect pointed, without its query. It was not followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"https://www.example.com/hooks")]
    redirect_to: Option<&'a str>,
    /// Some headers of a failure's answer, by their names in lower case: at most 8, in 512 bytes, those that tell most first, and no
    /// cookies. Left out where none are kept; they are kept of a delivery's last few attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = MOST_HEADERS), example = serde_json::json!({"retry-after": "120", "server": "nginx"}))]
    response_headers: Option<&'a BTreeMap<String, String>>,
}

impl Shown<'_> {
    /// The same with its request, where somebody asks for that.
    pub(crate) fn with(self, request: Option<Rebuilt>) -> Self {
        Self { request, ..self }
    }
}

/// A delivery with its first attempts, late ones too, numbered by when they began; and where the others begin, if there are more.
pub(crate) fn delivery<'a>(delivery: &'a Delivery, place: &'a Place) -> Shown<'a> {
    let (attempts, next) = of_attempts(delivery, place, ATTEMPTS, None);
    shown(delivery, place, attempts, next.as_ref().map(|next| pagination(Some(next))))
}

/// A delivery with so many of its attempts, after the place of one.
pub(crate) fn delivery_from<'a>(
    delivery: &'a Delivery,
    place: &'a Place,
    limit: usize,
    after: Option<&Order>,
) -> Shown<'a> {
    let (attempts, next) = of_attempts(delivery, place, limit, after);
    shown(delivery, place, attempts, Some(pagination(next.as_ref())))
}

fn pagination(next: Option<&Order>) -> Pagination {
    Cursor::pagination(next.map(ToString::to_string).as_deref())
}

/// A page of attempts, and after which one the next begins.
fn of_attempts<'a>(
    delivery: &'a Delivery,
    place: &'a Place,
    limit: usize,
    after: Option<&Order>,
) -> (Vec<ShownAttempt<'a>>, Option<Order>) {
    let from_here = |(_, attempt): &(u32, &Attempt)| after.is_none_or(|after| attempt.place() > *after);
    let mut found: Vec<(u32, &Attempt)> = (1..).zip(delivery.history()).filter(from_here).take(limit + 1).collect();
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|(_, attempt)| attempt.place());
    (found.into_iter().map(|(number, attempt)| self::attempt(number, attempt, place)).collect(), next)
}

fn shown<'a>(
    delivery: &'a Delivery,
    place: &'a Place,
    attempts: Vec<ShownAttempt<'a>>,
    pagination: Option<Pagination>,
) -> Shown<'a> {
    let parking = place.parking.as_ref();
    Shown {
        id: &delivery.id,
        event_id: &delivery.event_id,
        event: &delivery.event_type,
        webhook_id: delivery.webhook_id(),
        url: place.url.as_deref(),
        test: delivery.test,
        status: delivery.status,
        created_at: delivery.created_at.into(),
        next_attempt_at: waits::next_attempt_at(delivery, parking).map(Time::from),
        attempts,
        job_id: delivery.job_id.as_ref(),
        waiting_for: waits::cause(delivery, parking),
        reason: delivery.reason,
        // A round that somebody asked for after that is another's to end.
        cancellation_id: delivery.called_off_by.as_ref().filter(|_| delivery.status == Status::Cancelled),
        delivered_at: delivery.delivered_at().map(Time::from),
        request: None,
        pagination,
    }
}

fn attempt<'a>(number: u32, attempt: &'a Attempt, place: &'a Place) -> ShownAttempt<'a> {
    ShownAttempt {
        number,
        at: attempt.at.into(),
        duration_ms: attempt.duration_ms,
        url: place.of(attempt),
        outcome: &attempt.outcome,
        status_code: attempt.status_code,
        error: attempt.error.as_deref(),
        response_excerpt: attempt.response_excerpt.as_deref(),
        redirect_to: attempt.redirect_to.as_deref(),
        response_headers: Some(&attempt.response_headers).filter(|headers| !headers.is_empty()),
    }
}

/// A page of deliveries.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeliveryPage")]
pub(crate) struct Page {
    /// The page's deliveries.
    #[schemars(with = "Vec<Shown<'static>>")]
    pub(crate) deliveries: Vec<Box<RawValue>>,
    /// What follows.
    pub(crate) pagination: Pagination,
}

/// A delivery that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SentEvent")]
pub(crate) struct Sent {
    /// Its id: GET /v1/deliveries/{id} tells what becomes of it.
    #[schemars(with = "Id<DeliveryId>")]
    pub(crate) delivery_id: DeliveryId,
}

/// How far the cancellation of all that waited for a webhook has come.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PendingCancellation")]
pub(crate) struct CalledOff<'a> {
    /// Its id: GET /v1/webhooks/{id}/cancel-pending/{cancellation_id} tells how far it has come.
    #[schemars(with = "Id<CancellationId>")]
    cancellation_id: &'a CancellationId,
    /// When it was called for: what has waited since later is not called off.
    at: Time,
    /// How many deliveries waited, so far.
    #[schemars(example = 1_250)]
    found: u64,
    /// How many of them were called off; the others came to their end, or were asked for again, before it came to them.
    #[schemars(example = 1_249)]
    cancelled: u64,
    /// Whether it has seen everything. Until then it goes on by itself.
    #[schemars(example = true)]
    complete: bool,
}

/// How far a cancellation has come.
pub(crate) fn cancellation(all: &Cancellation) -> CalledOff<'_> {
    CalledOff {
        cancellation_id: &all.id,
        at: all.at.into(),
        found: all.found,
        cancelled: all.cancelled,
        complete: all.status == Progress::Done,
    }
}
