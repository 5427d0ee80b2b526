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
    description: "A webhook was disabled, by somebody or for its failures: nothing is sent to it until somebody enables it.",
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
    description: "A delivery was given up, or so many together were. Never about the delivery of an operational event.",
    schema: r#"{
  "type": "object",
  "properties": {
    "webhook_id": {"type": "string", "pattern": "^wh_", "description": "Whose; left out where they are of several webhooks."},
    "webhooks": {"type": "integer", "minimum": 1, "description": "Of how many webhooks, in place of `webhook_id`."},
    "count": {"type": "integer", "minimum": 1, "description": "How many deliveries this tells of."},
    "delivery_id": {"type": "string", "pattern": "^dlv_"},
    "event_id": {"type": "string", "pattern": "^evt_"},
    "event": {"type": "string", "description": "The type of the event that was not delivered."},
    "reason": {"type": "string", "description": "Why it was given up."},
    "attempts": {"type": "integer", "minimum": 0},
    "last_outcome": {"type": "string", "description": "What became of the last attempt, if there was one."},
    "status_code": {"type": "integer", "description": "What the receiver answered then, if it did."},
    "failed_at": {"type": "string", "format": "date-time"},
    "since": {"type": "string", "format": "date-time", "description": "When the first of several failed."},
    "until": {"type": "string", "format": "date-time", "description": "When the last of them did."},
    "first_delivery_id": {"type": "string", "pattern": "^dlv_"},
    "last_delivery_id": {"type": "string", "pattern": "^dlv_"},
    "deliveries": {"type": "string", "pattern": "^/v1/", "description": "The list that has them, as a path of the API."}
  },
  "required": ["count"],
  "oneOf": [
    {
      "title": "One, told at once",
      "properties": {"count": {"const": 1}, "webhooks": false},
      "required": ["webhook_id", "delivery_id", "event_id", "event", "reason", "attempts", "failed_at"],
      "examples": [{"webhook_id": "wh_0Uj3xKq8Zk1Yw9Xs", "count": 1, "delivery_id": "dlv_0Uj3xKq80Uj3xKq8Zk1Yw9Xs4Qz7Lm2Np8Rs5Tv1Wx3Y", "event_id": "evt_4Qz7Lm2Np8Rs5Tv1Wx3Y", "event": "invoice.paid", "reason": "endpoint_gone", "attempts": 0, "failed_at": "2026-01-18T17:30:00.000Z"}]
    },
    {
      "title": "Those of one webhook, told together",
      "properties": {"webhooks": false},
      "required": ["webhook_id", "since", "until", "first_delivery_id", "last_delivery_id", "deliveries"],
      "examples": [{"webhook_id": "wh_0Uj3xKq8Zk1Yw9Xs", "count": 1999, "since": "2026-01-18T17:30:01.120Z", "until": "2026-01-18T17:32:58.640Z", "first_delivery_id": "dlv_0Uj3xKq80Uj3xKq8Zk1Yw9Xs4Qz7Lm2Np8Rs5Tv1Wx3Y", "last_delivery_id": "dlv_0Uj3xKrC0Uj3xKq8Zk1Yw9Xs8Rs5Tv1Wx3Y4Qz7Lm2Np", "deliveries": "/v1/webhooks/wh_0Uj3xKq8Zk1Yw9Xs/deliveries?status=failed&since=2026-01-15T09:00:00.000Z&until=2026-01-15T09:03:00.001Z"}]
    },
    {
      "title": "Those of several webhooks, told together",
      "properties": {"webhook_id": false},
      "required": ["webhooks", "since", "until", "first_delivery_id", "last_delivery_id", "deliveries"],
      "examples": [{"webhooks": 12, "count": 480, "since": "2026-01-18T17:30:01.120Z", "until": "2026-01-18T17:32:58.640Z", "first_delivery_id": "dlv_0Uj3xKq80Uj3xKq8Zk1Yw9Xs4Qz7Lm2Np8Rs5Tv1Wx3Y", "last_delivery_id": "dlv_0Uj3xKrC0Uj3xKq8Zk1Yw9Xt8Rs5Tv1Wx3Y4Qz7Lm2Np", "deliveries": "/v1/deliveries?status=failed&since=2026-01-15T09:00:00.000Z&until=2026-01-15T09:03:00.001Z"}]
    }
  ]
}"#,
    example: r#"{"webhook_id":"wh_0Uj3xKq8Zk1Yw9Xs","count":1,"delivery_id":"dlv_0Uj3xKq80Uj3xKq8Zk1Yw9Xs4Qz7Lm2Np8Rs5Tv1Wx3Y","event_id":"evt_4Qz7Lm2Np8Rs5Tv1Wx3Y","event":"invoice.paid","reason":"attempts_exhausted","attempts":10,"last_outcome":"status_503","status_code":503,"failed_at":"2026-01-18T17:30:00.000Z"}"#,
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
    use serde_json::Value;

    use super::*;
    use crate::attempt::{Attempt, Mark};
    use crate::catalogue::About;
    use crate::delivery::{Delivery, Reason, an_event};
    use crate::dialect::{DialectRef, STANDARD};
    use crate::endpoint::Endpoint;
    use crate::endpoint::parking::{Parking, Times};
    use crate::failures::{Tally, Telling};
    use crate::id::{DeliveryId, EndpointId, TenantId};
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
    fn each_shape_that_a_schema_tells_apart_has_examples_that_fit_it_alone() {
        let mut shapes = Vec::new();
        for one in BuiltIn::all() {
            let schema: Value = serde_json::from_str(one.schema).unwrap();
            for shape in schema["oneOf"].as_array().into_iter().flatten() {
                let examples = shape["examples"].as_array().unwrap();
                assert!(!examples.is_empty());
                assert!(examples.iter().all(|example| one.judge(&example.to_string()) == Ok(())), "{shape}");
                shapes.push(examples[0].clone());
            }
        }
        let [at_once, of_one, of_several] = shapes.as_slice() else { panic!("{shapes:?}") };
        let amiss = |mut data: Value, field: &str, value: Option<Value>| {
            let Value::Object(fields) = &mut data else { return false };
            match value {
                Some(value) => fields.insert(field.to_owned(), value),
                None => fields.remove(field),
            };
            DELIVERY_FAILED.judge(&data.to_string()).is_err()
        };
        assert!(amiss(at_once.clone(), "count", Some(2.into())), "one is told at once");
        assert!(amiss(of_one.clone(), "webhook_id", None) && amiss(of_several.clone(), "webhooks", None), "whose?");
        assert!(amiss(of_several.clone(), "webhook_id", of_one.get("webhook_id").cloned()), "one or several?");
        for shape in [of_one, of_several] {
            assert!(["count", "deliveries"].iter().all(|field| amiss(shape.clone(), field, None)), "{shape}");
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
        let (mut tally, tenant) = (Tally::default(), &endpoint.tenant_id);
        for webhook in 0..25 {
            tally.add(at, DeliveryId::new(at, &EndpointId::new(at, webhook), &row.event_id));
        }
        let (named, others) = Telling::default().named(tally, later);
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
            OwnEvent::deliveries_failed(tenant.clone(), &named[0]),
            OwnEvent::others_failed(tenant.clone(), &others.unwrap()),
        ] {
            let event = told.into_event(1, at, 60);
            assert_eq!(BuiltIn::named(&event.event_type).unwrap().judge(&event.data), Ok(()), "{}", event.data);
        }
    }
}
