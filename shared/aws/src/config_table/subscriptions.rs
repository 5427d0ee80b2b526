//! Subscriptions: which endpoints ask for a pattern. Written with the endpoint, in its transaction.
//!
//! One that ends stays for a while with its end noted: a fan-out that died after it had put an event's rows runs again,
//! perhaps after the webhook was deleted, and must still find whom it put them for, or they would be pending for ever.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use postrider_domain::dialect::DialectRef;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::{Event, EventPattern};
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::time;
use serde::{Deserialize, Deserializer, Serialize};

use super::{ConfigTable, keyed};
use crate::error::{Failure, unwritable};
use crate::item::{number, text, to_item};
use crate::rows::readable;
use crate::{Page, page};

/// An endpoint that asks for a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The endpoint.
    #[serde(rename = "sk")]
    pub endpoint_id: EndpointId,
    /// Its dialect, whose catalogue may be narrower than the pattern. None where the deployment knows it no more.
    #[serde(deserialize_with = "if_known")]
    dialect: Option<DialectRef>,
    /// When it began: it takes no event of before. Rows of earlier versions do not tell, and count from their endpoint's birth.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "postrider_domain::time::as_wire_option")]
    since: Option<Timestamp>,
    /// When it ended: it takes events of before.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "postrider_domain::time::as_wire_option")]
    until: Option<Timestamp>,
    /// When it held before, if it has begun again since, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Span>,
    /// When an ended one may be removed, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

/// A name of a dialect that is no more is still the name of one: its webhooks are owed what they asked for.
fn if_known<'de, D: Deserializer<'de>>(name: D) -> Result<Option<DialectRef>, D::Error> {
    Ok(DialectRef::named(&String::deserialize(name)?))
}

/// A time in which a subscription held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Span {
    #[serde(default, skip_serializing_if = "Option::is_none", with = "postrider_domain::time::as_wire_option")]
    since: Option<Timestamp>,
    #[serde(with = "postrider_domain::time::as_wire")]
    until: Timestamp,
}

impl Subscription {
    /// Whether it takes this event: one that its dialect has, and that happened since it asked. Of a dialect that is no more
    /// nobody knows what it had. Its deliveries wait for it to come back, or for their webhook to be deleted.
    pub fn takes(&self, event: &Event) -> bool {
        self.dialect.is_none_or(|dialect| dialect.catalogue.has(&event.event_type)) && self.holds_at(event.timestamp)
    }

    fn holds_at(&self, event_time: Timestamp) -> bool {
        let holds = |since: Option<Timestamp>, until: Option<Timestamp>| {
            since.is_none_or(|since| event_time >= since) && until.is_none_or(|until| event_time <= until)
        };
        let since = self.since.unwrap_or_else(|| self.endpoint_id.made_at());
        holds(Some(since), self.until) || self.earlier.iter().any(|span| holds(span.since, Some(span.until)))
    }

    /// The times in which it held before it begins again at `now`.
    fn spans(self, now: Timestamp) -> Vec<Span> {
        let mut spans = self.earlier;
        spans.extend(self.until.map(|until| Span { since: self.since, until }));
        spans.retain(|span| now.as_second() - span.until.as_second() <= KEPT_SECONDS);
        spans.drain(..spans.len().saturating_sub(MOST_SPANS));
        spans
    }
}

/// How long an ended subscription is kept: twice the day for which a stream can run again.
pub(super) const KEPT_SECONDS: i64 = 2 * 24 * 3600;
/// Earlier spans that are kept: whoever turns one on and off more often in two days loses the oldest.
const MOST_SPANS: usize = 8;
const READS_AT_ONCE: usize = 16;

pub(super) fn partition(tenant: &TenantId, pattern: &EventPattern) -> String {
    format!("SUBSCRIPTION#{tenant}#{}", pattern.as_str())
}

impl ConfigTable {
    /// The endpoints that ask for this pattern, read consistently: a webhook made before the event was published gets it.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn subscriptions(&self, tenant: &TenantId, pattern: &EventPattern) -> Result<Vec<Subscription>, Failure> {
        self.all(partition(tenant, pattern), "wh_").await
    }

    /// A page of them (`limit` rows at the most) in the order of their endpoints' ids, behind the one given: fan-out goes through
    /// any number of them without holding them all.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn subscription_page(
        &self,
        tenant: &TenantId,
        pattern: &EventPattern,
        after: Option<&EndpointId>,
        limit: i32,
    ) -> Result<Page<Subscription, EndpointId>, Failure> {
        let pk = partition(tenant, pattern);
        let mut query = self.query(pk.clone(), EndpointId::PREFIX).limit(limit);
        if let Some(after) = after {
            query = query.exclusive_start_key("pk", text(pk)).exclusive_start_key("sk", text(after.as_str()));
        }
        let page = page::of(query, "Query config", ("sk", "")).await?;
        Ok(Page { rows: readable(page.rows), next: page.next })
    }

    /// The writes that turn the subscriptions to `before` into those to `after` at `now`.
    pub(super) async fn subscription_writes(
        &self,
        endpoint: &Endpoint,
        before: &[EventPattern],
        after: &[EventPattern],
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, Failure> {
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
        let is_new = before.is_empty();
        let opened = after.difference(&before).map(|pattern| self.opening(endpoint, pattern, is_new, now));
        let opened: Vec<_> = opened.collect();
        let mut writes: Vec<_> = stream::iter(opened).buffered(READS_AT_ONCE).try_collect().await?;
        for pattern in before.difference(&after) {
            writes.push(self.closing(endpoint, pattern, now)?);
        }
        Ok(writes)
    }

    /// What is made from what is read here changes only with the endpoint, whose revision guards both.
    async fn opening(
        &self,
        endpoint: &Endpoint,
        pattern: &EventPattern,
        is_new: bool,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Failure> {
        let partition = partition(&endpoint.tenant_id, pattern);
        let ended: Option<Subscription> =
            if is_new { None } else { self.get_readable(partition.clone(), endpoint.id.as_str()).await? };
        let open = Subscription {
            endpoint_id: endpoint.id.clone(),
            dialect: Some(endpoint.dialect),
            since: Some(now),
            until: None,
            earlier: ended.map(|ended| ended.spans(now)).unwrap_or_default(),
            expires_at: None,
        };
        let item = keyed(to_item(&open)?, partition, endpoint.id.to_string());
        let put =
            Put::builder().table_name(&self.name).set_item(Some(item)).build().map_err(unwritable("subscriptions"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn closing(
        &self,
        endpoint: &Endpoint,
        pattern: &EventPattern,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Failure> {
        let update = Update::builder()
            .table_name(&self.name)
            .key("pk", text(partition(&endpoint.tenant_id, pattern)))
            .key("sk", text(endpoint.id.as_str()))
            .update_expression("SET dialect = :dialect, #until = :now, expires_at = :expires")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":dialect", text(endpoint.dialect.name))
            .expression_attribute_values(":now", text(time::wire(now)))
            .expression_attribute_values(":expires", number(now.as_second() + KEPT_SECONDS))
            .build()
            .map_err(unwritable("subscriptions"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use postrider_domain::dialect::STANDARD;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    fn subscription(since: i64, until: Option<i64>) -> Subscription {
        Subscription {
            endpoint_id: EndpointId::new(at(0), 1),
            dialect: Some(DialectRef(&STANDARD)),
            since: Some(at(since)),
            until: until.map(at),
            earlier: Vec::new(),
            expires_at: None,
        }
    }

    #[test]
    fn it_takes_what_happened_while_it_held() {
        let taken =
            |subscription: &Subscription| (0..10).filter(|hour| subscription.holds_at(at(*hour))).collect::<Vec<_>>();
        assert_eq!(taken(&subscription(3, None)), [3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(taken(&subscription(3, Some(5))), [3, 4, 5]);
        assert_eq!(taken(&Subscription { since: None, ..subscription(0, Some(2)) }), [0, 1, 2]);
        let again = Subscription { earlier: subscription(1, Some(3)).spans(at(7)), ..subscription(7, None) };
        assert_eq!(taken(&again), [1, 2, 3, 7, 8, 9]);
    }

    #[test]
    fn one_of_a_dialect_that_is_no_more_takes_what_it_asked_for() {
        let row = |dialect: &str| -> Subscription {
            let row = serde_json::json!({"sk": EndpointId::new(at(0), 1), "dialect": dialect, "until": "2026-01-15T14:00:00Z"});
            serde_json::from_value(row).unwrap()
        };
        let paid = Event { timestamp: at(1), ..sample::event() };
        assert!(row("klingon").takes(&paid) && row("standard").takes(&paid));
        assert!(!row("nur").takes(&paid), "a dialect's catalogue counts");
        let late = Event { timestamp: "2026-01-16T00:00:00Z".parse().unwrap(), ..paid };
        assert!(!row("klingon").takes(&late), "it has ended");
    }

    #[test]
    fn earlier_spans_are_few_and_of_two_days() {
        assert_eq!(subscription(1, Some(3)).spans(at(3 + 49)), []);
        let mut ended = subscription(0, Some(1));
        for hour in 1..12 {
            let earlier = ended.spans(at(hour * 2));
            ended = Subscription { earlier, ..subscription(hour * 2, Some(hour * 2 + 1)) };
        }
        assert_eq!(ended.spans(at(24)).len(), MOST_SPANS);
    }
}
