//! The types that come with Postrider: its own events that webhooks ask for. Each has its description, its schema and an example; the
//! compiler asks for those of a new one.

use std::sync::OnceLock;

use crate::event::{EventType, OwnType};
use crate::schema::{Fault, Schema};

/// A type of Postrider's own, as the catalogue shows it.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Which one.
    pub own: OwnType,
    /// What it tells of.
    pub description: &'static str,
    /// JSON Schema for its `data`.
    pub schema: &'static str,
    /// An example of its `data`.
    pub example: &'static str,
}

const CREATED: BuiltIn = BuiltIn {
    own: OwnType::WebhookCreated,
    description: "Somebody has made a webhook.",
    schema: r#"{
  "type": "object",
  "properties": {
    "webhook_id": {"type": "string", "pattern": "^wh_"},
    "actor": {"type": "string", "description": "Who did it: the id of a key, or `postrider`."},
    "webhook": {
      "type": "object",
      "description": "The webhook as the API shows it, without its secrets.",
      "properties": {
        "id": {"type": "string", "pattern": "^wh_"},
        "url": {"type": "string"},
        "events": {"type": "array", "items": {"type": "string"}},
        "created_at": {"type": "string", "format": "date-time"},
        "status": {"enum": ["active", "disabled"]}
      },
      "required": ["id", "url", "events", "created_at", "status"]
    }
  },
  "required": ["webhook_id", "actor", "webhook"]
}"#,
    example: r#"{"webhook_id":"wh_0Uj3xKq8Zk1Yw9Xs","actor":"key_0Uj3xKq8Yk2Xw3Vt","webhook":{"id":"wh_0Uj3xKq8Zk1Yw9Xs","url":"https://hooks.example.com/postrider","events":["invoice.paid"],"created_at":"2026-01-15T14:30:00.000Z","status":"active"}}"#,
};

const UPDATED: BuiltIn = BuiltIn {
    own: OwnType::WebhookUpdated,
    description: "Somebody has changed a webhook, or given it a new secret.",
    schema: r#"{
  "type": "object",
  "properties": {
    "webhook_id": {"type": "string", "pattern": "^wh_"},
    "actor": {"type": "string", "description": "Who did it: the id of a key, or `postrider`."},
    "changed": {"type": "array", "items": {"type": "string"}, "description": "The fields that are others now."},
    "webhook": {
      "type": "object",
      "description": "The webhook as the API shows it, without its secrets.",
      "properties": {
        "id": {"type": "string", "pattern": "^wh_"},
        "url": {"type": "string"},
        "events": {"type": "array", "items": {"type": "string"}},
        "created_at": {"type": "string", "format": "date-time"},
        "status": {"enum": ["active", "disabled"]}
      },
      "required": ["id", "url", "events", "created_at", "status"]
    }
  },
  "required": ["webhook_id", "actor", "changed", "webhook"]
}"#,
    example: r#"{"webhook_id":"wh_0Uj3xKq8Zk1Yw9Xs","actor":"key_0Uj3xKq8Yk2Xw3Vt","changed":["url"],"webhook":{"id":"wh_0Uj3xKq8Zk1Yw9Xs","url":"https://hooks.example.com/postrider","events":["invoice.paid"],"created_at":"2026-01-15T14:30:00.000Z","status":"active"}}"#,
};

const DELETED: BuiltIn = BuiltIn {
    own: OwnType::WebhookDeleted,
    description: "Somebody has deleted a webhook.",
    schema: r#"{
  "type": "object",
  "properties": {
    "webhook_id": {"type": "string", "pattern": "^wh_"},
    "actor": {"type": "string", "description": "Who did it: the id of a key, or `postrider`."},
    "deleted_at": {"type": "string", "format": "date-time"},
    "webhook": {
      "type": "object",
      "description": "The webhook as the API shows it, without its secrets.",
      "properties": {
        "id": {"type": "string", "pattern": "^wh_"},
        "url": {"type": "string"},
        "events": {"type": "array", "items": {"type": "string"}},
        "created_at": {"type": "string", "format": "date-time"},
        "status": {"enum": ["active", "disabled"]}
      },
      "required": ["id", "url", "events", "created_at", "status"]
    }
  },
  "required": ["webhook_id", "actor", "deleted_at"]
}"#,
    example: r#"{"webhook_id":"wh_0Uj3xKq8Zk1Yw9Xs","actor":"key_0Uj3xKq8Yk2Xw3Vt","deleted_at":"2026-01-16T09:00:00.000Z","webhook":{"id":"wh_0Uj3xKq8Zk1Yw9Xs","url":"https://hooks.example.com/postrider","events":["invoice.paid"],"created_at":"2026-01-15T14:30:00.000Z","status":"active"}}"#,
};

const ENABLED: BuiltIn = BuiltIn {
    own: OwnType::WebhookEnabled,
    description: "Somebody has a webhook sent to again.",
    schema: r#"{
  "type": "object",
  "properties": {
    "webhook_id": {"type": "string", "pattern": "^wh_"},
    "actor": {"type": "string", "description": "Who did it: the id of a key, or `postrider`."},
    "enabled_at": {"type": "string", "format": "date-time"}
  },
  "required": ["webhook_id", "actor", "enabled_at"]
}"#,
    example: r#"{"webhook_id":"wh_0Uj3xKq8Zk1Yw9Xs","actor":"key_0Uj3xKq8Yk2Xw3Vt","enabled_at":"2026-01-16T09:00:00.000Z"}"#,
};

const DISABLED: BuiltIn = BuiltIn {
    own: OwnType::WebhookDisabled,
    description: "Somebody, or Postrider itself, has disabled a webhook: nothing is sent to it until somebody enables it.",
    schema: r#"{
  "type": "object",
  "properties": {
    "webhook_id": {"type": "string", "pattern": "^wh_"},
    "reason": {"type": "string", "description": "Why, in words for its owner."},
    "disabled_at": {"type": "string", "format": "date-time"},
    "actor": {"type": "string", "description": "Who did it: the id of a key, or `postrider`."}
  },
  "required": ["webhook_id", "reason", "disabled_at", "actor"]
}"#,
    example: r#"{"webhook_id":"wh_0Uj3xKq8Zk1Yw9Xs","reason":"the receiver answered 410","disabled_at":"2026-01-15T14:30:00.000Z","actor":"postrider"}"#,
};

const FAILING: BuiltIn = BuiltIn {
    own: OwnType::WebhookFailing,
    description: "Nobody has answered at a webhook for a while: what is for it waits until somebody does.",
    schema: r#"{
  "type": "object",
  "properties": {
    "webhook_id": {"type": "string", "pattern": "^wh_"},
    "failing_since": {"type": ["string", "null"], "format": "date-time", "description": "Since when nobody answers."},
    "parked_since": {"type": "string", "format": "date-time", "description": "Since when deliveries wait."},
    "next_probe_at": {"type": "string", "format": "date-time", "description": "When one of them is tried."}
  },
  "required": ["webhook_id", "failing_since", "parked_since", "next_probe_at"]
}"#,
    example: r#"{"webhook_id":"wh_0Uj3xKq8Zk1Yw9Xs","failing_since":"2026-01-15T14:25:00.000Z","parked_since":"2026-01-15T14:30:00.000Z","next_probe_at":"2026-01-15T14:35:00.000Z"}"#,
};

const RECOVERED: BuiltIn = BuiltIn {
    own: OwnType::WebhookRecovered,
    description: "Somebody answers at a webhook again, and what had waited for it is sent.",
    schema: r#"{
  "type": "object",
  "properties": {
    "webhook_id": {"type": "string", "pattern": "^wh_"},
    "parked_since": {"type": "string", "format": "date-time"},
    "recovered_at": {"type": "string", "format": "date-time"},
    "probes": {"type": "integer", "minimum": 0, "description": "How often it was asked whether somebody answers."},
    "deliveries": {"type": "integer", "minimum": 0, "description": "How many deliveries had waited."}
  },
  "required": ["webhook_id", "parked_since", "recovered_at", "probes", "deliveries"]
}"#,
    example: r#"{"webhook_id":"wh_0Uj3xKq8Zk1Yw9Xs","parked_since":"2026-01-15T14:30:00.000Z","recovered_at":"2026-01-15T15:10:00.000Z","probes":7,"deliveries":240}"#,
};

const DELIVERY_FAILED: BuiltIn = BuiltIn {
    own: OwnType::DeliveryFailed,
    description: "A delivery was given up. Never about the delivery of an operational event.",
    schema: r#"{
  "type": "object",
  "properties": {
    "webhook_id": {"type": "string", "pattern": "^wh_"},
    "delivery_id": {"type": "string", "pattern": "^dlv_"},
    "event_id": {"type": "string", "pattern": "^evt_"},
    "event": {"type": "string", "description": "The type of the event that was not delivered."},
    "reason": {"type": "string", "description": "Why it was given up."},
    "attempts": {"type": "integer", "minimum": 0},
    "last_outcome": {"type": "string", "description": "What became of the last attempt, if there was one."},
    "status_code": {"type": "integer", "description": "What the receiver answered then, if it did."},
    "failed_at": {"type": "string", "format": "date-time"}
  },
  "required": ["webhook_id", "delivery_id", "event_id", "event", "reason", "attempts", "failed_at"]
}"#,
    example: r#"{"webhook_id":"wh_0Uj3xKq8Zk1Yw9Xs","delivery_id":"dlv_0Uj3xKq80Uj3xKq8Zk1Yw9Xs4Qz7Lm2Np8Rs5Tv1Wx3Y","event_id":"evt_4Qz7Lm2Np8Rs5Tv1Wx3Y","event":"invoice.paid","reason":"attempts_exhausted","attempts":10,"last_outcome":"status_503","status_code":503,"failed_at":"2026-01-18T17:30:00.000Z"}"#,
};

impl BuiltIn {
    /// The one of an own type; nothing where no webhook can ask for it.
    pub fn of(own: OwnType) -> Option<&'static Self> {
        match own {
            OwnType::WebhookCreated => Some(&CREATED),
            OwnType::WebhookUpdated => Some(&UPDATED),
            OwnType::WebhookDeleted => Some(&DELETED),
            OwnType::WebhookEnabled => Some(&ENABLED),
            OwnType::WebhookDisabled => Some(&DISABLED),
            OwnType::WebhookFailing => Some(&FAILING),
            OwnType::WebhookRecovered => Some(&RECOVERED),
            OwnType::DeliveryFailed => Some(&DELIVERY_FAILED),
            OwnType::JobCreated | OwnType::JobCompleted | OwnType::JobFailed | OwnType::JobCancelled => None,
        }
    }

    /// The one of this name.
    pub fn named(event_type: &EventType) -> Option<&'static Self> {
        Self::all().find(|one| one.own.as_str() == event_type.as_str())
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        OwnType::ALL.iter().filter_map(|own| Self::of(*own))
    }

    /// Holds data to its schema.
    ///
    /// # Errors
    /// What is amiss.
    pub fn judge(&self, data: &str) -> Result<(), Vec<Fault>> {
        static SCHEMAS: [OnceLock<Result<Schema, Fault>>; OwnType::ALL.len()] =
            [const { OnceLock::new() }; OwnType::ALL.len()];
        let place = OwnType::ALL.iter().position(|own| *own == self.own).unwrap_or_default();
        match SCHEMAS[place].get_or_init(|| Schema::new(self.schema)) {
            Ok(schema) => schema.judge(data),
            Err(fault) => Err(vec![fault.clone()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::attempt::{Attempt, Mark};
    use crate::catalogue::About;
    use crate::delivery::{Delivery, Reason, an_event};
    use crate::dialect::{DialectRef, STANDARD};
    use crate::endpoint::Endpoint;
    use crate::endpoint::parking::{Parking, Times};
    use crate::id::{EndpointId, TenantId};
    use crate::own_event::OwnEvent;

    #[test]
    fn whatever_a_webhook_can_ask_for_is_described_and_its_example_fits() {
        for own in OwnType::ALL {
            let is_asked_for = EventType::from(*own).is_operational();
            assert_eq!(BuiltIn::of(*own).is_some(), is_asked_for, "{own:?}");
        }
        for one in BuiltIn::all() {
            let about = About {
                description: Some(one.description.to_owned()),
                schema: Some(one.schema.to_owned()),
                example: Some(one.example.to_owned()),
                deprecated: false,
            };
            assert_eq!((about.check(), one.judge(one.example)), (Ok(()), Ok(())), "{:?}", one.own);
            assert_eq!(BuiltIn::named(&one.own.into()).map(|named| named.own), Some(one.own));
        }
    }

    #[test]
    fn what_is_told_fits_its_schema() {
        let (at, url) = (Timestamp::UNIX_EPOCH, "https://hooks.example/".to_owned());
        let endpoint = Endpoint::bare(EndpointId::new(at, 1), TenantId::new(at, 1), url, DialectRef(&STANDARD), at);
        let shown = serde_json::value::to_raw_value(&endpoint.listed()).unwrap();
        let row = Delivery::pending(&an_event(at), endpoint.id.clone(), at, 60);
        let answered = Attempt::answered(3, Mark::new(3), at, 503);
        let down = Endpoint { down_since: Some(at), ..endpoint.clone() };
        let later = at + jiff::SignedDuration::from_hours(1);
        let parking = Parking::begun_by_limit(None, at, later);
        let parking = parking.unwrap_or_else(|| panic!("it begins: {:?}", Times::default()));
        let failed =
            |last: Option<&Attempt>| OwnEvent::delivery_failed(&row, last, Reason::AttemptsExhausted, at).unwrap();
        for told in [
            OwnEvent::webhook_created(&endpoint, &shown, "key_1"),
            OwnEvent::webhook_updated(&endpoint, &["url".to_owned()], &shown, "key_1"),
            OwnEvent::webhook_deleted((&endpoint.tenant_id, &endpoint.id), Some(&shown), "key_1", at),
            OwnEvent::webhook_deleted((&endpoint.tenant_id, &endpoint.id), None, "key_1", at),
            OwnEvent::webhook_enabled(&endpoint, "key_1", at),
            OwnEvent::webhook_disabled(&endpoint, "it is gone", "postrider", at),
            OwnEvent::webhook_failing(&endpoint, &parking),
            OwnEvent::webhook_failing(&down, &parking),
            OwnEvent::webhook_recovered(&endpoint, &parking, later),
            failed(None),
            failed(Some(&answered)),
        ] {
            let event = told.into_event(1, at, 60);
            assert_eq!(BuiltIn::named(&event.event_type).unwrap().judge(&event.data), Ok(()), "{}", event.data);
        }
    }
}
