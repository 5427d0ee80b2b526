//! Deliveries as the API shows them.

use postrider_api::Cursor;
use postrider_domain::attempt::{Attempt, Place as Order};
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::parking::{Cause, State};
use postrider_domain::recovery::Recovery;
use postrider_domain::time;
use serde_json::{Value, json};

use crate::places::Place;

/// Attempts of a delivery that are shown at once, where nobody asks for fewer or more: the first ones.
pub(crate) const ATTEMPTS: usize = 100;

/// A delivery with its first attempts, late ones too, numbered by when they began; and where the others begin, if there are more.
pub(crate) fn delivery(delivery: &Delivery, place: &Place) -> Value {
    let page = of_attempts(delivery, place, ATTEMPTS, None);
    let mut body = without_attempts(delivery, place);
    body["attempts"] = page.0.into();
    if page.1.is_some() {
        body["pagination"] = pagination(page.1.as_ref());
    }
    body
}

/// A delivery with so many of its attempts, after the place of one.
pub(crate) fn delivery_from(delivery: &Delivery, place: &Place, limit: usize, after: Option<&Order>) -> Value {
    let (attempts, next) = of_attempts(delivery, place, limit, after);
    let mut body = without_attempts(delivery, place);
    body["attempts"] = attempts.into();
    body["pagination"] = pagination(next.as_ref());
    body
}

fn pagination(next: Option<&Order>) -> Value {
    Cursor::pagination(next.map(ToString::to_string).as_deref())
}

/// A page of attempts, and after which one the next begins.
fn of_attempts(delivery: &Delivery, place: &Place, limit: usize, after: Option<&Order>) -> (Vec<Value>, Option<Order>) {
    let from_here = |(_, attempt): &(u32, &Attempt)| after.is_none_or(|after| attempt.place() > *after);
    let mut found: Vec<(u32, &Attempt)> = (1..).zip(delivery.history()).filter(from_here).take(limit + 1).collect();
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|(_, attempt)| attempt.place());
    (found.into_iter().map(|(number, attempt)| self::attempt(number, attempt, place)).collect(), next)
}

fn without_attempts(delivery: &Delivery, place: &Place) -> Value {
    let mut body = json!({
        "id": delivery.id,
        "event_id": delivery.event_id,
        "event": delivery.event_type,
        "webhook_id": delivery.webhook_id(),
        "url": place.url,
        "status": delivery.status,
        "created_at": time::wire(delivery.created_at),
        "next_attempt_at": delivery.next_attempt_at.map(time::wire),
        "attempts": [],
    });
    if let Some(job) = &delivery.job_id {
        body["job_id"] = json!(job);
    }
    if delivery.is_parked() {
        let parking = place.parking.as_ref();
        // Drained, it waits for its turn and for no probe.
        let next = parking.filter(|parking| parking.state == State::Down).map(|parking| time::wire(parking.next_at));
        body["waiting_for"] = json!(parking.map_or(Cause::EndpointOutage, |parking| parking.cause));
        body["next_attempt_at"] = json!(next);
    }
    if let Some(reason) = delivery.reason {
        body["reason"] = json!(reason);
    }
    if let Some(at) = delivery.delivered_at() {
        body["delivered_at"] = json!(time::wire(at));
    }
    body
}

fn attempt(number: u32, attempt: &Attempt, place: &Place) -> Value {
    let mut body = json!({
        "number": number,
        "at": time::wire(attempt.at),
        "duration_ms": attempt.duration_ms,
        "url": place.of(attempt),
        "outcome": attempt.outcome,
    });
    let rest = [
        ("status_code", json!(attempt.status_code)),
        ("error", json!(attempt.error)),
        ("response_excerpt", json!(attempt.response_excerpt)),
        ("redirect_to", json!(attempt.redirect_to)),
    ];
    for (name, value) in rest.into_iter().filter(|(_, value)| !value.is_null()) {
        body[name] = value;
    }
    body
}

/// How far a recovery has come.
pub(crate) fn recovery(recovery: &Recovery) -> Value {
    json!({
        "recovery_id": recovery.id,
        "status": recovery.status,
        "since": time::wire(recovery.since),
        "until": time::wire(recovery.until),
        "found": recovery.found,
        "requeued": recovery.requeued,
    })
}
