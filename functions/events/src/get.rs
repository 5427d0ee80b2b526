//! One event with its deliveries, and why the tenant's other webhooks did not get it.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use jiff::Timestamp;
use postrider_api::{ApiError, Caller, Cursor, Paging, Request, Response, kept_event};
use postrider_aws::config_table::Subscription;
use postrider_aws::{Failure, Page, event_row, rows};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::Event;
use postrider_domain::filter::{Filter, Seen};
use postrider_domain::id::{DeliveryId, EndpointId, EventId};
use postrider_domain::invalid::Invalid;
use postrider_domain::subscribed::Judgement;
use postrider_domain::withheld::NotDelivered;
use serde_json::value::RawValue;

use crate::handler::Events;
use crate::view::{Missed, Shown};
use crate::waits::Waits;

/// A page of a tenant's webhooks by their ids; without it where its row cannot be read.
type Endpoints = Page<(EndpointId, Option<Endpoint>), EndpointId>;
/// What webhooks have asked for, of the patterns of one event.
type Subscriptions = BTreeMap<EndpointId, Vec<Subscription>>;

impl Events {
    pub(crate) async fn get(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&["limit", "cursor", "tenant_id"])?;
        let (tenant, reach) = &self.credentials.tenant_asked_for(request, caller).await?;
        let not_found = || ApiError::not_found("event");
        let id: EventId = id.parse().map_err(|_| not_found())?;
        let row = self.events.get_item(tenant, &id).await?.ok_or_else(not_found)?.into();
        let (event, expunged_at) = event_in(row)?;
        if !reach.sees(&event) {
            return Err(not_found());
        }
        let paging: Paging<EndpointId> = Paging::of(request)?;
        // A delivery's id follows from its event and endpoint, so the tenant's endpoints, tombstones too, name them all. What is for
        // one endpoint alone, a job's event or a test, has its one delivery there.
        let after = paging.after.as_ref().map(EndpointId::as_str);
        // Before the page: each of them was put together with its endpoint's row, so one without is lost, and what it was sent
        // is shown all the same.
        let mut subscriptions = self.subscriptions(&event).await?;
        subscriptions.retain(|id, _| reach.has(id));
        let only = event.only_for();
        let page = match &only {
            Some(only) => Page { rows: self.only(&event, only).await?.into_iter().collect(), next: None },
            None => match reach.page(paging.limit, paging.after.as_ref()) {
                None => self.config.endpoints_by_id(tenant, paging.limit, after).await?,
                Some((only, next)) => Page { rows: self.config.endpoints_by_ids(tenant, &only).await?, next },
            },
        };
        let lost: Vec<&EndpointId> = subscriptions.keys().filter(|id| lacks(&page, id, after)).collect();
        lost.iter().for_each(|id| rows::missing(id.as_str()));
        let known = page.rows.iter().map(|(id, _)| id);
        let endpoints = known.chain(lost).chain(only.as_ref()).filter(|_| only.is_none() || after.is_none());
        let ids = endpoints.map(|endpoint| DeliveryId::new(event.timestamp, endpoint, &event.id));
        let mut ids: Vec<DeliveryId> = ids.collect();
        ids.sort();
        ids.dedup();
        let mut deliveries = self.deliveries.get_many(ids).await?;
        deliveries.sort_by(|one, other| one.id.cmp(&other.id));
        let readable = || page.rows.iter().filter_map(|(id, endpoint)| Some((id, endpoint.as_ref()?)));
        let waits = Waits::of(readable());
        let without = readable().filter(|(id, _)| {
            only.is_none() && event.announce.is_none() && !deliveries.iter().any(|row| row.endpoint_id == **id)
        });
        let mut why = WhyNot { event: &event, subscriptions: &subscriptions, seen: None };
        let not_delivered: Vec<Missed<'_>> = without.filter_map(|(_, endpoint)| why.of(endpoint)).collect();
        let data = RawValue::from_string(event.data.clone()).ok();
        let pagination = Cursor::pagination(page.next.as_ref().map(EndpointId::as_str));
        let shown =
            Shown::new((&event, data.as_deref(), expunged_at), (&deliveries, &waits), not_delivered, pagination);
        Ok(Response::json(200, &shown))
    }

    /// What endpoints have asked for that concerns an event.
    async fn subscriptions(&self, event: &Event) -> Result<Subscriptions, Failure> {
        let mut by_endpoint = Subscriptions::new();
        if event.only_for().is_some() {
            return Ok(by_endpoint);
        }
        let patterns = event.event_type.patterns();
        let found = patterns.iter().map(|pattern| self.config.subscriptions(&event.tenant_id, pattern));
        for subscription in try_join_all(found).await?.into_iter().flatten() {
            by_endpoint.entry(subscription.endpoint_id.clone()).or_default().push(subscription);
        }
        Ok(by_endpoint)
    }

    /// The webhook that an event is a test of, if it is one and the webhook's row is there.
    async fn only(&self, event: &Event, only: &EndpointId) -> Result<Option<(EndpointId, Option<Endpoint>)>, Failure> {
        if event.test_of.is_none() {
            return Ok(None);
        }
        match self.config.endpoint_or_tombstone(&event.tenant_id, only).await {
            Err(error) if !error.is_unreadable() => Err(error),
            found => Ok(Some((only.clone(), found.ok().flatten()))),
        }
    }
}

/// The event in a row, and when it was expunged, if it was.
///
/// # Errors
/// 404 with the reason where the row is no event.
fn event_in(row: event_row::Row) -> Result<(Event, Option<Timestamp>), ApiError> {
    if let Some(event) = event_row::expunged(&row) {
        return Ok((event, event_row::expunged_at(&row)));
    }
    Ok((kept_event(row)?, None))
}

/// Whether an endpoint's row should be in the page that begins after the one given, and is not.
fn lacks(page: &Endpoints, id: &EndpointId, after: Option<&str>) -> bool {
    let is_within = after.is_none_or(|after| id.as_str() > after) && page.next.as_ref().is_none_or(|last| id <= last);
    is_within && !page.rows.iter().any(|(there, _)| there == id)
}

/// Says why webhooks did not get an event. Its data is read once, and only where a filter has to be asked.
struct WhyNot<'a> {
    event: &'a Event,
    subscriptions: &'a Subscriptions,
    seen: Option<Result<Seen<'a>, Invalid>>,
}

impl<'a> WhyNot<'a> {
    fn of(&mut self, endpoint: &'a Endpoint) -> Option<Missed<'a>> {
        let asked_then = self.asked_then(&endpoint.id);
        let event = self.event;
        let reason = NotDelivered::of(endpoint, event, |filter| self.passes(filter), asked_then);
        match reason {
            Ok(reason) => reason.map(|reason| Missed { webhook_id: &endpoint.id, reason }),
            Err(invalid) => {
                rows::unreadable(endpoint.id.as_str(), &invalid);
                None
            }
        }
    }

    /// Whether it asked for the event when that was published. What was changed within a minute of that nobody knows for sure; then
    /// its delivery tells.
    fn asked_then(&mut self, endpoint: &EndpointId) -> bool {
        let (event, subscriptions) = (self.event, self.subscriptions);
        let of_endpoint = subscriptions.get(endpoint).into_iter().flatten();
        of_endpoint.into_iter().any(|one| {
            let judged = one.judge(event, event.timestamp, |filter| self.passes(filter));
            judged.is_ok_and(|judged| judged == Judgement::Takes)
        })
    }

    fn passes(&mut self, filter: &str) -> Result<bool, Invalid> {
        let event = self.event;
        // Of what is gone nobody can tell whether it would pass; what has a delivery is not asked about.
        if event.is_expunged() {
            return Ok(false);
        }
        let filter = Filter::parse(filter)?;
        let seen = self.seen.get_or_insert_with(|| {
            let seen = Seen::read(event.event_type.as_str(), &event.data, &event.tags);
            seen.map_err(|_| Invalid::new("data", "a JSON object"))
        });
        seen.as_ref().map(|seen| filter.matches(seen)).map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests;
