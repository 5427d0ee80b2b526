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
use postrider_domain::subscribed::{Filters, Judgement, KEPT_SECONDS, Span, Spans, kept};
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
    /// Until when there were others that are kept no more.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "postrider_domain::time::as_wire_option")]
    forgotten: Option<Timestamp>,
    /// Its endpoint's filter, and those before.
    #[serde(default, skip_serializing_if = "Filters::are_none")]
    filters: Filters,
    /// When an ended one may be removed, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

/// A name of a dialect that is no more is still the name of one: its webhooks are owed what they asked for.
fn if_known<'de, D: Deserializer<'de>>(name: D) -> Result<Option<DialectRef>, D::Error> {
    Ok(DialectRef::named(&String::deserialize(name)?))
}

impl Subscription {
    /// Whether it takes this event, which happened by `at` at the latest: one that its dialect has, that happened while it asked, and that
    /// its filter of then lets through. Of a dialect that is no more nobody knows what it had. Its deliveries wait for it to come back,
    /// or for their webhook to be deleted. `matches` says whether a filter lets the event through.
    ///
    /// # Errors
    /// What `matches` says.
    pub fn judge<E>(
        &self,
        event: &Event,
        at: Timestamp,
        matches: impl FnOnce(&str) -> Result<bool, E>,
    ) -> Result<Judgement, E> {
        self.filters.judge(self.asked_for(event, at), at, matches)
    }

    /// Whether it may take this event, whatever its filter says.
    pub fn may_take(&self, event: &Event, at: Timestamp) -> bool {
        self.asked_for(event, at) != Judgement::Passes
    }

    fn asked_for(&self, event: &Event, at: Timestamp) -> Judgement {
        match self.dialect {
            Some(dialect) if !dialect.catalogue.has(&event.event_type) => Judgement::Passes,
            _ => self.spans().judge(at),
        }
    }

    fn spans(&self) -> Spans<'_> {
        let since = self.since.unwrap_or_else(|| self.endpoint_id.made_at());
        Spans { since, until: self.until, earlier: &self.earlier, forgotten: self.forgotten }
    }

    /// The same, beginning again at `now`.
    fn begun_again(self, endpoint: &Endpoint, now: Timestamp) -> Self {
        let mut earlier = self.earlier;
        earlier.extend(self.until.map(|until| Span { since: self.since, until }));
        let (earlier, forgotten) = kept(earlier, self.forgotten, now);
        let filters = self.filters.changed(endpoint.filter.clone(), now);
        Self { earlier, forgotten, filters, ..Self::begun(endpoint, now) }
    }

    fn begun(endpoint: &Endpoint, now: Timestamp) -> Self {
        Self {
            endpoint_id: endpoint.id.clone(),
            dialect: Some(endpoint.dialect),
            since: Some(now),
            until: None,
            earlier: Vec::new(),
            forgotten: None,
            filters: Filters::of(endpoint.filter.clone()),
            expires_at: None,
        }
    }

    /// Whether there is a filter that may have to be asked.
    pub fn has_filters(&self) -> bool {
        !self.filters.are_none()
    }

    /// What holding it takes, in bytes, as far as that differs from one to the other.
    pub fn bytes(&self) -> usize {
        self.filters.bytes()
    }
}

const READS_AT_ONCE: usize = 16;

/// What a change does with a subscription.
#[derive(Clone, Copy)]
enum Step {
    /// It begins, as the endpoint itself does or later.
    Opening { is_new: bool },
    /// It goes on with another filter.
    Filtering,
}

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

    /// The writes that turn the subscriptions of an endpoint as it was `before`, if it was, into those to `after` at `now`. All of them
    /// are rewritten where its filter has changed.
    pub(super) async fn subscription_writes(
        &self,
        endpoint: &Endpoint,
        before: Option<&Endpoint>,
        after: &[EventPattern],
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, Failure> {
        let is_new = before.is_none();
        let has_another_filter = before.is_some_and(|before| before.filter != endpoint.filter);
        let before: BTreeSet<_> = before.iter().flat_map(|before| &before.events).collect();
        let after: BTreeSet<_> = after.iter().collect();
        let opened = after.difference(&before).map(|pattern| (pattern, Step::Opening { is_new }));
        let kept = after.intersection(&before).filter(|_| has_another_filter).map(|pattern| (pattern, Step::Filtering));
        let written = opened.chain(kept).map(|(pattern, step)| self.written(endpoint, pattern, step, now));
        let written: Vec<_> = written.collect();
        let mut writes: Vec<_> = stream::iter(written).buffered(READS_AT_ONCE).try_collect().await?;
        for pattern in before.difference(&after) {
            writes.push(self.closing(endpoint, pattern, now)?);
        }
        Ok(writes)
    }

    /// What is made from what is read here changes only with the endpoint, whose revision guards both.
    async fn written(
        &self,
        endpoint: &Endpoint,
        pattern: &EventPattern,
        step: Step,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Failure> {
        let partition = partition(&endpoint.tenant_id, pattern);
        let there: Option<Subscription> = match step {
            Step::Opening { is_new: true } => None,
            _ => self.get_readable(partition.clone(), endpoint.id.as_str()).await?,
        };
        let subscription = match (there, step) {
            (Some(ended), Step::Opening { .. }) => ended.begun_again(endpoint, now),
            (None, Step::Opening { .. }) => Subscription::begun(endpoint, now),
            (Some(open), Step::Filtering) => {
                let filters = open.filters.changed(endpoint.filter.clone(), now);
                Subscription { filters, dialect: Some(endpoint.dialect), ..open }
            }
            // One whose row was lost, or cannot be read, holds from its endpoint's birth on, as rows do that do not tell.
            (None, Step::Filtering) => Subscription { since: None, ..Subscription::begun(endpoint, now) },
        };
        let item = keyed(to_item(&subscription)?, partition, endpoint.id.to_string());
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
        let row = serde_json::json!({
            "sk": EndpointId::new(at(0), 1),
            "dialect": "standard",
            "since": time::wire(at(since)),
            "until": until.map(|until| time::wire(at(until))),
        });
        serde_json::from_value(row).unwrap()
    }

    fn endpoint(filter: Option<&str>) -> Endpoint {
        let (id, event) = (EndpointId::new(at(0), 1), sample::event());
        let bare = Endpoint::bare(id, event.tenant_id, "https://a.example/".to_owned(), DialectRef(&STANDARD), at(0));
        Endpoint { filter: filter.map(str::to_owned), ..bare }
    }

    fn takes(subscription: &Subscription, event: &Event) -> bool {
        let judged = subscription.judge::<()>(event, event.timestamp, |filter| Ok(filter == "yes"));
        judged == Ok(Judgement::Takes)
    }

    #[test]
    fn it_takes_what_happened_while_it_held() {
        let taken = |subscription: &Subscription| {
            let event = |hour: &i64| Event { timestamp: at(*hour), ..sample::event() };
            (0..10).filter(|hour| takes(subscription, &event(hour))).collect::<Vec<_>>()
        };
        assert_eq!(taken(&subscription(3, None)), [3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(taken(&subscription(3, Some(5))), [3, 4, 5]);
        assert_eq!(taken(&Subscription { since: None, ..subscription(0, Some(2)) }), [0, 1, 2]);
        let again = subscription(1, Some(3)).begun_again(&endpoint(None), at(7));
        assert_eq!(taken(&again), [1, 2, 3, 7, 8, 9]);
        let filtered = subscription(1, Some(3)).begun_again(&endpoint(Some("no")), at(5));
        assert_eq!(taken(&filtered), [1, 2, 3], "what it took before, it took without that filter");
        let lets_through = filtered.begun_again(&endpoint(Some("yes")), at(8));
        assert_eq!(taken(&lets_through), [1, 2, 3, 8, 9]);
    }

    #[test]
    fn one_of_a_dialect_that_is_no_more_takes_what_it_asked_for() {
        let row = |dialect: &str| -> Subscription {
            let row = serde_json::json!({"sk": EndpointId::new(at(0), 1), "dialect": dialect, "until": "2026-01-15T14:00:00Z"});
            serde_json::from_value(row).unwrap()
        };
        let paid = Event { timestamp: at(1), ..sample::event() };
        assert!(takes(&row("klingon"), &paid) && takes(&row("standard"), &paid));
        assert!(!row("nur").may_take(&paid, paid.timestamp), "a dialect's catalogue counts");
        let late = Event { timestamp: "2026-01-16T00:00:00Z".parse().unwrap(), ..paid };
        assert!(!row("klingon").may_take(&late, late.timestamp), "it has ended");
    }

    #[test]
    fn a_row_says_nothing_of_filters_where_there_was_none() {
        let row = serde_json::to_value(subscription(1, None)).unwrap();
        assert!(row.get("filters").is_none() && row.get("forgotten").is_none(), "{row}");
        let item = to_item(&subscription(1, Some(3)).begun_again(&endpoint(Some("yes")), at(5))).unwrap();
        let read: Subscription = crate::item::from_item(item).unwrap();
        assert_eq!(read, subscription(1, Some(3)).begun_again(&endpoint(Some("yes")), at(5)), "a row tells all of it");
    }
}
