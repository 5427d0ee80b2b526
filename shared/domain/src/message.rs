//! The message that stands for one attempt: ids, a version and an attempt number, never a payload.

use serde::{Deserialize, Serialize};

use crate::delivery::Delivery;
use crate::id::{DeliveryId, EndpointId, EventId, EventKey, JobId, TenantId};
use crate::rate_limit::Slot;
use crate::traceparent::{self, Traceparent};

/// The version that is written. Readers understand this one and the one before, so that a deploy may happen while
/// messages and schedules are on their way. Version 1 knew no jobs.
pub const VERSION: u32 = 2;

/// A request to make one attempt, from fan-out, a schedule, the sweep or a person. Also a schedule's input, so that
/// sending that to the retry queue by hand runs time forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// [`VERSION`].
    pub v: u32,
    /// Whose delivery it is.
    pub tenant_id: TenantId,
    /// Where it goes.
    pub endpoint_id: EndpointId,
    /// What it delivers.
    pub event_id: EventId,
    /// Which delivery it is.
    pub delivery_id: DeliveryId,
    /// The job whose own URL it goes to, if it goes to no webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// The attempt to make, counted from 1.
    pub attempt: u32,
    /// The row's round that it belongs to; messages of earlier versions name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// Whether a schedule sends it. Scheduler names no group, and SQS takes each message without one for a quiet neighbour of its
    /// own: whoever receives it sends it on with its group. A version that does not know the mark makes the attempt at once.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub scheduled: bool,
    /// Whether it goes also where the endpoint is down and all else is parked: a probe, or an attempt that somebody asked for. A version
    /// that does not know it parks nothing.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub probe: bool,
    /// For how long the queue was told to keep it back, in seconds: whoever judges how long it waited for others takes that off. A
    /// version that does not know it judges as if there were none.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub delay_seconds: u32,
    /// When it may be sent, where its endpoint's owner limits requests; without one it asks for one as it comes. A version that does
    /// not know it makes the attempt at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// The span that it follows from, where traces are followed. A version that does not know it makes the attempt all the same.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "traceparent::if_any")]
    pub traceparent: Option<Traceparent>,
}

fn is_nothing<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Message {
    /// The message for an attempt of this delivery's present round.
    pub fn new(delivery: &Delivery, attempt: u32) -> Self {
        Self {
            v: VERSION,
            tenant_id: delivery.tenant_id.clone(),
            endpoint_id: delivery.endpoint_id.clone(),
            event_id: delivery.event_id.clone(),
            delivery_id: delivery.id.clone(),
            job_id: delivery.job_id.clone(),
            attempt,
            round: Some(delivery.round),
            scheduled: false,
            probe: false,
            delay_seconds: 0,
            slot: None,
            traceparent: None,
        }
    }

    /// The message for the first attempt of a fresh row. Whoever tests a webhook waits for its answer: a test goes also where all else
    /// is parked.
    pub fn first(delivery: &Delivery) -> Self {
        Self { probe: delivery.test, ..Self::new(delivery, 1) }
    }

    /// The same as a probe.
    pub fn probing(&self) -> Self {
        Self { probe: true, ..self.clone() }
    }

    /// The message for the delivery's next attempt.
    pub fn next(delivery: &Delivery) -> Self {
        Self::new(delivery, delivery.next_attempt())
    }

    /// The message for the attempt after the delivery's next one, whose row has not been written over yet.
    pub fn after_next(delivery: &Delivery) -> Self {
        Self::new(delivery, delivery.next_attempt() + 1)
    }

    /// The same as a schedule's input.
    pub fn scheduled(&self) -> Self {
        Self { scheduled: true, ..self.clone() }
    }

    /// The same as it is sent on once its schedule has fired.
    pub fn sent_on(&self) -> Self {
        Self { scheduled: false, ..self.clone() }
    }

    /// The same as it is sent to be seen after so many seconds; 0 is at once.
    pub fn delayed(&self, seconds: u32) -> Self {
        Self { delay_seconds: seconds, ..self.clone() }
    }

    /// The same with this slot, or without any.
    #[must_use]
    pub fn with_slot(self, slot: Option<Slot>) -> Self {
        Self { slot, ..self }
    }

    /// The same following from this span, or from none that is known.
    #[must_use]
    pub fn following(self, traceparent: Option<Traceparent>) -> Self {
        Self { traceparent, ..self }
    }

    /// The event that it is about, among those of every tenant.
    pub fn event_key(&self) -> EventKey {
        EventKey { tenant_id: self.tenant_id.clone(), id: self.event_id.clone() }
    }

    /// Reads a message's body.
    ///
    /// # Errors
    /// Why it cannot be understood: no JSON, a field amiss, or a version from the future.
    pub fn parse(body: &str) -> Result<Self, String> {
        // What a parser says may quote what came, and the reason goes into logs.
        let message: Self = serde_json::from_str(body).map_err(|_| "it is no message of Postrider's".to_owned())?;
        if !(VERSION - 1..=VERSION).contains(&message.v) {
            return Err(format!("version {} is not understood here", message.v));
        }
        if message.delivery_id.endpoint() != message.endpoint_id {
            return Err("delivery_id and endpoint_id do not belong together".to_owned());
        }
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use jiff::Timestamp;

    fn written() -> serde_json::Value {
        let row = Delivery::pending(
            &crate::delivery::an_event(Timestamp::UNIX_EPOCH),
            EndpointId::new(Timestamp::UNIX_EPOCH, 2),
            Timestamp::UNIX_EPOCH,
            0,
        );
        serde_json::to_value(Message::new(&row, 3)).unwrap()
    }

    #[test]
    fn what_is_written_is_understood() {
        assert_eq!(Message::parse(&written().to_string()).unwrap().attempt, 3);
    }

    #[test]
    fn the_version_before_is_understood_and_what_comes_is_not() {
        for (version, understood) in [(VERSION - 2, false), (VERSION - 1, true), (VERSION + 1, false)] {
            let mut message = written();
            message["v"] = version.into();
            assert_eq!(Message::parse(&message.to_string()).is_ok(), understood, "version {version}");
        }
    }

    #[test]
    fn a_message_names_its_round_and_one_of_before_none() {
        assert_eq!(Message::parse(&written().to_string()).unwrap().round, Some(1));
        let mut before = written();
        before.as_object_mut().unwrap().remove("round");
        assert_eq!(Message::parse(&before.to_string()).unwrap().round, None);
    }

    #[test]
    fn a_schedules_mark_is_all_that_tells_its_message_from_another() {
        let message = Message::parse(&written().to_string()).unwrap();
        assert!(!written().as_object().unwrap().contains_key("scheduled"), "earlier versions read what is sent on");
        let input = serde_json::to_string(&message.scheduled()).unwrap();
        assert!(Message::parse(&input).unwrap().scheduled);
        assert_eq!(Message::parse(&input).unwrap().sent_on(), message);
    }

    /// The message as the release before the mark has it, which a roll-back brings back.
    #[derive(Deserialize)]
    struct Before {
        v: u32,
        tenant_id: TenantId,
        endpoint_id: EndpointId,
        event_id: EventId,
        delivery_id: DeliveryId,
        #[serde(default)]
        job_id: Option<JobId>,
        attempt: u32,
        #[serde(default)]
        round: Option<u32>,
    }

    #[test]
    fn what_is_marked_delayed_followed_or_has_a_slot_is_read_by_the_version_before_that_knows_none_of_it() {
        let message = Message::parse(&written().to_string()).unwrap();
        let slot = Slot { at: Timestamp::from_millisecond(1_500).unwrap(), limit: 5.try_into().unwrap() };
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let followed = message.clone().following(traceparent.parse().ok());
        let marked = serde_json::to_value(followed.scheduled().probing().delayed(15).with_slot(Some(slot))).unwrap();
        assert_eq!(marked["traceparent"], traceparent);
        assert_eq!(Message::parse(&marked.to_string()).unwrap().traceparent, followed.traceparent);
        assert_eq!((&marked["scheduled"], &marked["delay_seconds"]), (&true.into(), &15.into()));
        assert_eq!(marked["slot"], serde_json::json!({"at": "1970-01-01T00:00:01.500Z", "limit": 5}));
        assert_eq!(Message::parse(&marked.to_string()).unwrap().slot, Some(slot));
        let Before { v, tenant_id, endpoint_id, event_id, delivery_id, job_id, attempt, round } =
            serde_json::from_value(marked).unwrap();
        let as_read = Message {
            v,
            tenant_id,
            endpoint_id,
            event_id,
            delivery_id,
            job_id,
            attempt,
            round,
            scheduled: false,
            probe: false,
            delay_seconds: 0,
            slot: None,
            traceparent: None,
        };
        assert_eq!(as_read, message, "it makes the same attempt, at once");
        let plain = serde_json::to_value(message.delayed(0)).unwrap();
        assert_eq!(plain, written(), "what is sent at once says nothing of a delay");
        assert!(plain.get("traceparent").is_none(), "what nobody follows carries nothing for it");
    }

    #[test]
    fn a_trace_that_makes_no_sense_keeps_no_attempt_from_being_made() {
        for odd in [serde_json::json!("mine"), serde_json::json!(7), serde_json::Value::Null] {
            let mut message = written();
            message["traceparent"] = odd;
            assert_eq!(Message::parse(&message.to_string()).unwrap().traceparent, None, "{message}");
        }
    }

    #[test]
    fn a_test_goes_also_where_all_else_is_parked_and_only_at_first() {
        let (at, endpoint) = (Timestamp::UNIX_EPOCH, EndpointId::new(Timestamp::UNIX_EPOCH, 2));
        let event = crate::delivery::an_event(at);
        let test = Event { test_of: Some(endpoint.clone()), ..event.clone() };
        let row = |event: &Event| Delivery::pending(event, endpoint.clone(), at, 0);
        assert!(Message::first(&row(&test)).probe && !Message::first(&row(&event)).probe);
        assert!(!Message::after_next(&row(&test)).probe, "what is retried waits as any other");
    }

    #[test]
    fn ids_that_do_not_belong_together_are_refused() {
        let mut message = written();
        message["endpoint_id"] = EndpointId::new(Timestamp::UNIX_EPOCH, 9).as_str().into();
        assert!(Message::parse(&message.to_string()).is_err());
    }
}
