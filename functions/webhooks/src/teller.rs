//! What the owner's other webhooks are told of a webhook: that somebody has made, changed, enabled, disabled or deleted it, and who.

use jiff::Timestamp;
use postrider_aws::Told;
use postrider_aws::events_table::EventsTable;
use postrider_domain::endpoint::{Endpoint, EndpointStatus};
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::own_event::OwnEvent;
use postrider_host::entropy;
use postrider_host::env::Retention;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::view;

/// What a webhook shows and nobody has changed: what is told of by other events, or follows from something else.
const FOLLOWING: [&str; 5] = ["status", "disabled_reason", "disabled_at", "parking", "previous_secret_until"];

/// Makes the events.
pub(crate) struct Teller {
    events: EventsTable,
    retention: Retention,
}

impl Teller {
    pub(crate) fn of(events: EventsTable, retention: Retention) -> Self {
        Self { events, retention }
    }

    pub(crate) fn created(&self, endpoint: &Endpoint, actor: &str, now: Timestamp) -> Told {
        self.told([OwnEvent::webhook_created(endpoint, &shown(endpoint, now), actor)], now)
    }

    /// A change of these fields, and of its status beside them: each of the two by an event of its own, where there is one at all.
    pub(crate) fn changed(
        &self,
        (before, after): (&Endpoint, &Endpoint),
        fields: &[String],
        actor: &str,
        now: Timestamp,
    ) -> Told {
        let updated = (!fields.is_empty()).then(|| OwnEvent::webhook_updated(after, fields, &shown(after, now), actor));
        let turned = (before.status != after.status).then(|| match after.status {
            EndpointStatus::Active => OwnEvent::webhook_enabled(after, actor, now),
            EndpointStatus::Disabled => {
                let reason = after.disabled_reason.as_deref().unwrap_or_default();
                OwnEvent::webhook_disabled(after, reason, actor, now)
            }
        });
        self.told(updated.into_iter().chain(turned), now)
    }

    pub(crate) fn deleted(&self, endpoint: &Endpoint, actor: &str, now: Timestamp) -> Told {
        let place = (&endpoint.tenant_id, &endpoint.id);
        self.told([OwnEvent::webhook_deleted(place, Some(&shown(endpoint, now)), actor, now)], now)
    }

    /// The same of a webhook that nobody can read.
    pub(crate) fn deleted_unseen(&self, place: (&TenantId, &EndpointId), actor: &str, now: Timestamp) -> Told {
        self.told([OwnEvent::webhook_deleted(place, None, actor, now)], now)
    }

    fn told(&self, events: impl IntoIterator<Item = OwnEvent>, now: Timestamp) -> Told {
        let expires_at = now.as_second() + self.retention.seconds;
        let row = |event: OwnEvent| event.into_event(entropy::bits128(), now, expires_at);
        Told::of(&self.events, events.into_iter().map(row).collect())
    }
}

/// The fields that differ, as the API names them; `headers` and `secret` by whether they are others, which nothing shows.
pub(crate) fn fields(before: &Endpoint, after: &Endpoint, headers_are_others: bool, now: Timestamp) -> Vec<String> {
    let (was, is) = (object(before, now), object(after, now));
    let named = |names: &Map<String, Value>| names.keys().cloned().collect::<Vec<_>>();
    let mut fields: Vec<String> = named(&is);
    fields.extend(named(&was).into_iter().filter(|name| !is.contains_key(name)));
    fields.retain(|name| match name.as_str() {
        "headers" => headers_are_others,
        name => !FOLLOWING.contains(&name) && was.get(name) != is.get(name),
    });
    if before.secrets != after.secrets {
        fields.push("secret".to_owned());
    }
    fields
}

fn object(endpoint: &Endpoint, now: Timestamp) -> Map<String, Value> {
    match serde_json::to_value(view::whole(endpoint, now)) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// A webhook as the API shows it, without what it hides.
fn shown(endpoint: &Endpoint, now: Timestamp) -> Box<RawValue> {
    to_raw_value(&view::whole(endpoint, now)).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
