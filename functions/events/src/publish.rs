//! From a request's fields to an event row.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_api::{ApiError, Caller, EventFields, Fields};
use postrider_domain::dialect::DialectRef;
use postrider_domain::event::{Event, EventType};
use postrider_domain::event_rate::EventRate;
use postrider_domain::id::{EventId, TenantId};
use postrider_domain::idempotency_key;
use postrider_domain::invalid::Invalid;
use postrider_domain::traceparent::Traceparent;
use postrider_host::entropy;
use postrider_host::env::Retention;

/// What a producer is told whose event may have been taken in, though we failed.
pub(crate) const INSTEAD_OF_REPEATING: &str =
    "publish with an `id` or an Idempotency-Key and repeating is safe; without one a repeat may be a second event";

/// Who publishes.
pub(crate) enum Producer {
    /// A tenant, for itself, with a key of this dialect; it may publish so much.
    Tenant(TenantId, Option<DialectRef>, EventRate),
    /// The provider, for the tenant that it names.
    Provider,
}

impl From<&Caller> for Producer {
    fn from(caller: &Caller) -> Self {
        caller.of_tenant().map_or(Self::Provider, |(tenant, _)| {
            Self::Tenant(tenant.id.clone(), caller.dialect(), tenant.quotas().event_rate())
        })
    }
}

/// The way in; the same key by another way is another event.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    Http,
    Bus,
    Direct,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Bus => "bus",
            Self::Direct => "direct",
        }
    }
}

/// An event as a producer asked for it.
pub(crate) struct Publication {
    tenant_id: TenantId,
    event_type: EventType,
    data: String,
    tags: BTreeMap<String, String>,
    key: Option<String>,
    /// The span that its producer names as the one that led to it.
    from: Option<Traceparent>,
}

impl Publication {
    /// Reads `{event, data, tags?, id?, tenant_id?}`; `header` is the request's Idempotency-Key.
    pub(crate) fn read(mut fields: Fields, producer: &Producer, header: Option<&str>) -> Result<Self, ApiError> {
        let said = EventFields::take(&mut fields)?;
        let id: Option<String> = fields.take_value("id", "a string")?;
        let tenant_id: Option<String> = fields.take_value("tenant_id", "a tenant id")?;
        fields.finish()?;
        let dialect = if let Producer::Tenant(_, dialect, _) = producer { *dialect } else { None };
        let event_type = said.event_type(dialect)?;
        if let Producer::Tenant(_, Some(dialect), _) = producer
            && !dialect.catalogue.has(&event_type)
        {
            return Err(ApiError::unprocessable(Invalid::new("event", dialect.catalogue.types())));
        }
        let (data, tags) = said.data_and_tags()?;
        let key = key_of(id, header)?;
        Ok(Self { tenant_id: tenant_of(producer, tenant_id)?, event_type, data, tags, key, from: None })
    }

    /// The same, published in this span of its producer's.
    #[must_use]
    pub(crate) fn following(self, from: Option<Traceparent>) -> Self {
        Self { from, ..self }
    }

    /// The span that led to it, where its producer names one.
    pub(crate) fn from(&self) -> Option<Traceparent> {
        self.from
    }

    /// Whether it has a key of its producer's: then it may come as often as it likes.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whose event it is.
    pub(crate) fn tenant_id(&self) -> &TenantId {
        &self.tenant_id
    }

    /// Its type.
    pub(crate) fn event_type(&self) -> &EventType {
        &self.event_type
    }

    /// What it says.
    pub(crate) fn data(&self) -> &str {
        &self.data
    }

    /// The id that follows from its key, if it has one.
    pub(crate) fn id(&self, source: Source) -> Option<EventId> {
        self.key.as_ref().map(|key| EventId::from_key(&self.tenant_id, source.as_str(), key))
    }

    /// Whether it was taken in before as this event.
    pub(crate) fn is_of(&self, event: &Event) -> bool {
        (&event.event_type, &event.data) == (&self.event_type, &self.data)
    }

    /// Gives it a key where its producer gave none.
    pub(crate) fn key_unless_given(&mut self, key: Option<&str>) {
        self.key = self.key.take().or_else(|| key.map(str::to_owned));
    }

    /// The row to put.
    pub(crate) fn into_event(self, source: Source, now: Timestamp, retention: Retention) -> Event {
        let id = self.id(source).unwrap_or_else(|| EventId::fresh(entropy::bits128()));
        Event {
            tenant_id: self.tenant_id,
            id,
            event_type: self.event_type,
            data: self.data,
            timestamp: now,
            expires_at: now.as_second() + retention.seconds,
            ours: false,
            counted: true,
            job_id: None,
            test_of: None,
            announce: None,
            tags: self.tags,
            traceparent: None,
        }
    }
}

/// The producer's key: the body's `id` or the Idempotency-Key, which are the same thing said in two places.
fn key_of(id: Option<String>, header: Option<&str>) -> Result<Option<String>, ApiError> {
    if let (Some(id), Some(header)) = (&id, header)
        && id != header
    {
        return Err(Invalid::new("id", "the same as the Idempotency-Key, or only one of them").into());
    }
    let field = if id.is_some() { "id" } else { "Idempotency-Key" };
    let key = id.or_else(|| header.map(str::to_owned));
    if let Some(key) = &key {
        idempotency_key::check(field, key)?;
    }
    Ok(key)
}

/// A provider key says for whom it publishes; a tenant's key cannot.
fn tenant_of(producer: &Producer, named: Option<String>) -> Result<TenantId, ApiError> {
    let bad = |expected| ApiError::from(Invalid::new("tenant_id", expected));
    match (producer, named) {
        (Producer::Tenant(tenant, ..), None) => Ok(tenant.clone()),
        (Producer::Tenant(..), Some(_)) => {
            Err(bad("no such field with a tenant's key, which publishes for its own tenant"))
        }
        (Producer::Provider, None) => Err(bad("the tenant to publish for")),
        (Producer::Provider, Some(id)) => id.parse().map_err(|_| bad("a tenant id (`ten_` and 16 letters or digits)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_header_are_one_key() {
        let key =
            |id: Option<&str>, header| key_of(id.map(str::to_owned), header).ok().map(|key| key.unwrap_or_default());
        assert_eq!(key(None, None).as_deref(), Some(""));
        assert_eq!(key(Some("a"), None).as_deref(), Some("a"));
        assert_eq!(key(None, Some("a")).as_deref(), Some("a"));
        assert_eq!(key(Some("a"), Some("a")).as_deref(), Some("a"));
        for (id, header) in [(Some("a"), Some("b")), (Some(""), None), (None, Some("")), (Some("a\n"), None)] {
            assert_eq!(key(id, header), None, "{id:?} {header:?}");
        }
    }
}
