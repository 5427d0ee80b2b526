//! The routes.

use std::collections::BTreeSet;

use futures::future::{join_all, try_join_all};
use postrider_api::KeyAccess::Bearer;
use postrider_api::{
    ApiError, Caller, Credentials, Cursor, Fields, KeyAccess, Paging, Request, Response, Route, Routed,
};
use postrider_aws::catalogue::{Catalogue, NotTaken};
use postrider_aws::config_table::ConfigTable;
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::events_table::EventsTable;
use postrider_aws::put_once::Put;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::set_aside::SetAsideQueue;
use postrider_aws::{Failure, Page, event_row, rows};
use postrider_domain::event::Event;
use postrider_domain::id::{DeliveryId, EndpointId, EventId};
use postrider_domain::invalid::Invalid;
use postrider_domain::key::Scope;
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::metrics::{self, Metric};
use postrider_host::{clock, deadline};
use serde_json::value::RawValue;

use crate::bounds::{MAX_BATCH, MAX_BATCH_BYTES};
use crate::publish::{INSTEAD_OF_REPEATING, Producer, Publication, Source};
use crate::quota::Quota;
use crate::waits::Waits;
use crate::{operations, view};

#[cfg(test)]
mod tests;

/// What the routes need.
pub struct Events {
    credentials: Credentials,
    config: ConfigTable,
    events: EventsTable,
    deliveries: DeliveriesTable,
    pub(crate) triggers: SetAsideQueue,
    retention: Retention,
    quota: Quota,
    catalogue: Catalogue,
}

impl Routed for Events {
    type Access = KeyAccess;
    type Caller = Caller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::post(
            "/v1/events",
            Bearer(Scope::EventsWrite),
            operations::publish,
            |it, request, caller, _| Box::pin(it.publish(request, caller)),
            INSTEAD_OF_REPEATING,
        ),
        Route::post(
            "/v1/events/batch",
            Bearer(Scope::EventsWrite),
            operations::publish_batch,
            |it, request, caller, _| Box::pin(it.publish_batch(request, caller)),
            INSTEAD_OF_REPEATING,
        ),
        Route::get(
            "/v1/events/{id}",
            Bearer(Scope::DeliveriesRead),
            operations::get,
            |it, request, caller, [id, _]| Box::pin(it.get(request, caller, id)),
        ),
    ];

    async fn admit(&self, request: &Request, access: &KeyAccess) -> Result<Caller, ApiError> {
        self.credentials.caller(request, access).await
    }
}

impl Events {
    /// From the settings that the template gives it.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let config = ConfigTable::from_env(sdk)?;
        Ok(Self {
            credentials: Credentials::new(config.clone()),
            quota: Quota::new(config.clone()),
            catalogue: Catalogue::from_env(config.clone())?,
            config,
            events: EventsTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            triggers: SetAsideQueue::triggers(sdk)?,
            retention: env::retention()?,
        })
    }

    async fn publish(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        let producer = Producer::from(caller);
        let publication = Publication::read(request.fields()?, &producer, request.header("idempotency-key"))?;
        self.judge(&publication, Source::Http).await?;
        self.quota.admit(&producer, 1).await.next()?;
        let event = self.accept(publication, &producer, Source::Http).await?;
        Ok(Response::json(202, &view::accepted(&event)))
    }

    /// Each event by itself: one that is refused says why in its place, and the others are taken. Of those that could be taken the
    /// first ones are, as far as the quota has room.
    async fn publish_batch(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        if request.header("idempotency-key").is_some() {
            return Err(Invalid::new("Idempotency-Key", "none with a batch: give each event an `id`").into());
        }
        if request.body_bytes() > MAX_BATCH_BYTES {
            return Err(ApiError::too_large("body", MAX_BATCH_BYTES));
        }
        let mut fields = request.fields_around("events")?;
        let expected = format!("a list of 1 to {MAX_BATCH} events");
        let events: Vec<Box<RawValue>> = fields.require("events", &expected)?;
        fields.finish()?;
        if events.is_empty() || events.len() > MAX_BATCH {
            return Err(Invalid::new("events", expected).into());
        }
        let producer = Producer::from(caller);
        let read = |(i, raw): (usize, Box<RawValue>)| {
            Publication::read(Fields::item(&format!("events[{i}]"), &raw)?, &producer, None)
        };
        let read = events.into_iter().enumerate().map(read).map(async |publication| {
            let publication = publication?;
            self.judge(&publication, Source::Http).await?;
            Ok(publication)
        });
        let read: Vec<Result<Publication, ApiError>> = join_all(read.collect::<Vec<_>>()).await;
        let mut room = self.quota.admit(&producer, read.iter().flatten().count()).await;
        let retry_after = room.retry_after();
        let one = |publication: Result<Publication, ApiError>| {
            let admitted = publication.and_then(|publication| room.next().map(|()| publication));
            // Apart: what one of them is told does not depend on the others' writes.
            deadline::apart(async { self.accept(admitted?, &producer, Source::Http).await })
        };
        let results = join_all(read.into_iter().map(one).collect::<Vec<_>>()).await;
        let told = |error: ApiError| error.of_one(INSTEAD_OF_REPEATING);
        let results: Vec<_> = results.into_iter().map(|result| result.map_err(told)).collect();
        let response = Response::json(202, &view::Batch { results: results.iter().map(Into::into).collect() });
        Ok(match retry_after {
            Some(seconds) => response.header("retry-after", seconds.to_string()),
            None => response,
        })
    }

    /// Holds an event to the catalogue. One that was taken in before under its key is not judged again: its producer gets the same
    /// answer, whatever has become of its type's schema since.
    pub(crate) async fn judge(&self, publication: &Publication, source: Source) -> Result<(), ApiError> {
        match self.catalogue.judge(publication.event_type(), publication.data()).await {
            Ok(()) => Ok(()),
            Err(NotTaken::Failed(failure)) => Err(ApiError::from(failure).safe_to_repeat()),
            Err(NotTaken::Refused(refusal)) => {
                let Some(id) = publication.id(source) else { return Err(refusal.into()) };
                let there = self.events.get_item(publication.tenant_id(), &id).await;
                let there = there.map_err(|failure| ApiError::from(failure).safe_to_repeat())?;
                match there.and_then(|row| event_row::read(row.into()).ok()) {
                    Some(event) if publication.is_of(&event) => Ok(()),
                    _ => Err(refusal.into()),
                }
            }
        }
    }

    /// One conditional put is the whole of accepting an event; the stream carries it on.
    pub(crate) async fn accept(
        &self,
        publication: Publication,
        producer: &Producer,
        source: Source,
    ) -> Result<Event, ApiError> {
        let has_key = publication.has_key();
        let accepted = self.take_in(publication, producer, source).await;
        accepted.map_err(|error| if has_key { error.safe_to_repeat() } else { error })
    }

    async fn take_in(&self, publication: Publication, producer: &Producer, source: Source) -> Result<Event, ApiError> {
        let quotas = match producer {
            Producer::Tenant(..) => None,
            Producer::Provider => self.credentials.quotas_of(publication.tenant_id()).await?,
        };
        let event = publication.into_event(source, clock::now(), self.retention);
        match self.events.put(&event).await? {
            Put::New => {
                metrics::count(Metric::AcceptedEvents, 1);
                if let Some(quotas) = quotas {
                    self.quota.count(&event.tenant_id, &quotas).await;
                }
                Ok(event)
            }
            Put::Existing(existing) => match existing.difference(&event) {
                None => Ok(*existing),
                Some(what) => Err(ApiError::conflict(format!("this key was used before, for an event {what}"))),
            },
            // Nothing of ours: a producer has put a row of its own under this id.
            Put::Unreadable => {
                Err(ApiError::conflict("a row that is no event stands under this key's id; use another key"))
            }
        }
    }

    /// Endpoints that asked for an event, as their subscriptions tell.
    async fn subscribers(&self, event: &Event) -> Result<BTreeSet<EndpointId>, Failure> {
        if event.only_for().is_some() {
            return Ok(BTreeSet::new());
        }
        let patterns = event.event_type.patterns();
        let found = patterns.iter().map(|pattern| self.config.subscriptions(&event.tenant_id, pattern));
        let found = try_join_all(found).await?;
        Ok(found.into_iter().flatten().map(|subscription| subscription.endpoint_id).collect())
    }

    async fn get(&self, request: &Request, caller: &Caller, id: &str) -> Result<Response, ApiError> {
        request.only_query(&["limit", "cursor"])?;
        let tenant = caller.tenant_id()?;
        let not_found = || ApiError::not_found("event");
        let id: EventId = id.parse().map_err(|_| not_found())?;
        let row = self.events.get_item(tenant, &id).await?.ok_or_else(not_found)?.into();
        let is_no_event = |why: &str| ApiError::is_no("event", why, "set aside in quarantine");
        if let Some(why) = event_row::refusal(&row) {
            return Err(is_no_event(why));
        }
        let event = event_row::read(row).map_err(|invalid| is_no_event(&invalid.to_string()))?;
        let paging: Paging<EndpointId> = Paging::of(request)?;
        // A delivery's id follows from its event and endpoint, so the tenant's endpoints, tombstones too, name them all. What is for
        // one endpoint alone, a job's event or a test, has its one delivery there.
        let after = paging.after.as_ref().map(EndpointId::as_str);
        // Before the page: each of them was put together with its endpoint's row, so one without is lost, and what it was sent
        // is shown all the same.
        let subscribers = self.subscribers(&event).await?;
        let only = event.only_for();
        let page = match only {
            Some(_) => Page { rows: Vec::new(), next: None },
            None => self.config.endpoint_ids(tenant, paging.limit, after).await?,
        };
        let lost: Vec<EndpointId> = subscribers.into_iter().filter(|id| lacks(&page, id, after)).collect();
        lost.iter().for_each(|id| rows::missing(id.as_str()));
        let endpoints = page.rows.iter().chain(&lost).chain(only.as_ref().filter(|_| after.is_none()));
        let ids = endpoints.map(|endpoint| DeliveryId::new(event.timestamp, endpoint, &event.id)).collect();
        let mut deliveries = self.deliveries.get_many(ids).await?;
        deliveries.sort_by(|one, other| one.id.cmp(&other.id));
        let data: Box<RawValue> =
            RawValue::from_string(event.data.clone()).unwrap_or_else(|_| RawValue::NULL.to_owned());
        let pagination = Cursor::pagination(page.next.as_ref().map(EndpointId::as_str));
        let waits = Waits::of(&self.config, tenant, &deliveries).await?;
        Ok(Response::json(200, &view::Shown::new(&event, &data, (&deliveries, &waits), pagination)))
    }
}

/// Whether an endpoint's row should be in the page that begins after the one given, and is not.
fn lacks(page: &Page<EndpointId, EndpointId>, id: &EndpointId, after: Option<&str>) -> bool {
    let is_within = after.is_none_or(|after| id.as_str() > after) && page.next.as_ref().is_none_or(|last| id <= last);
    is_within && !page.rows.contains(id)
}
