//! The routes.

use futures::future::join_all;
use postrider_api::KeyAccess::Bearer;
use postrider_api::Sessions::{Never, With};
use postrider_api::{ApiError, Caller, Credentials, Fields, KeyAccess, Request, Response, Route, Routed};
use postrider_aws::catalogue::{Catalogue, NotTaken};
use postrider_aws::config_table::ConfigTable;
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::event_row;
use postrider_aws::events_table::EventsTable;
use postrider_aws::put_once::Put;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::set_aside::SetAsideQueue;
use postrider_domain::event::Event;
use postrider_domain::invalid::Invalid;
use postrider_domain::key::Scope;
use postrider_domain::portal::Capability;
use postrider_domain::traceparent::{self, Traceparent};
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::metrics::{self, Metric};
use postrider_host::traces::{Told, Traces};
use postrider_host::{clock, deadline};
use serde_json::value::RawValue;

use crate::bounds::{MAX_BATCH, MAX_BATCH_BYTES};
use crate::publish::{INSTEAD_OF_REPEATING, Producer, Publication, Source};
use crate::quota::Quota;
use crate::{operations, view};

#[cfg(test)]
pub(crate) mod tests;

/// What the routes need.
pub struct Events {
    pub(crate) credentials: Credentials,
    pub(crate) config: ConfigTable,
    pub(crate) events: EventsTable,
    pub(crate) deliveries: DeliveriesTable,
    pub(crate) triggers: SetAsideQueue,
    retention: Retention,
    quota: Quota,
    catalogue: Catalogue,
    traces: Traces,
}

impl Routed for Events {
    type Access = KeyAccess;
    type Caller = Caller;

    const ROUTES: &'static [Route<Self>] = &[
        Route::post(
            "/v1/events",
            Bearer(Scope::EventsWrite, Never),
            operations::publish,
            |it, request, caller, _| Box::pin(it.publish(request, caller)),
            INSTEAD_OF_REPEATING,
        ),
        Route::post(
            "/v1/events/batch",
            Bearer(Scope::EventsWrite, Never),
            operations::publish_batch,
            |it, request, caller, _| Box::pin(it.publish_batch(request, caller)),
            INSTEAD_OF_REPEATING,
        ),
        Route::get(
            "/v1/events",
            Bearer(Scope::DeliveriesRead, With(Capability::View)),
            operations::list,
            |it, request, caller, _| Box::pin(it.list(request, caller)),
        ),
        Route::get(
            "/v1/events/{id}",
            Bearer(Scope::DeliveriesRead, With(Capability::View)),
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
            traces: Traces::from_env()?,
        })
    }

    async fn publish(&self, request: &Request, caller: &Caller) -> Result<Response, ApiError> {
        let producer = Producer::from(caller);
        let publication = Publication::read(request.fields()?, &producer, request.header("idempotency-key"))?;
        let publication = publication.following(span_of(request));
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
        let from = span_of(request);
        let read = |(i, raw): (usize, Box<RawValue>)| {
            let publication = Publication::read(Fields::item(&format!("events[{i}]"), &raw)?, &producer, None);
            publication.map(|publication| publication.following(from))
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
                let there = there.map(event_row::Row::from);
                let was_taken = there.is_some_and(|row| match event_row::expunged(&row) {
                    // Whoever puts it finds what became of it.
                    Some(_) => true,
                    None => event_row::read(row).is_ok_and(|event| publication.is_of(&event)),
                });
                if was_taken { Ok(()) } else { Err(refusal.into()) }
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
        let span = self.traces.first(publication.from());
        let event = publication.into_event(source, clock::now(), self.retention);
        let event = Event { traceparent: span.map(|span| span.at), ..event };
        match self.events.put(&event).await? {
            Put::New => {
                if let Some(span) = &span {
                    let about = [("tenant_id", event.tenant_id.as_str()), ("event_id", event.id.as_str())];
                    self.traces.end(span, Told { about: &about, ..Told::default() });
                }
                metrics::count(Metric::AcceptedEvents, 1);
                if let Some(quotas) = quotas {
                    self.quota.count(&event.tenant_id, &quotas).await;
                }
                Ok(event)
            }
            Put::Existing(existing) if existing.is_expunged() => Err(ApiError::event_expunged()),
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
}

/// The span in which somebody calls us, where he says so. One that makes no sense is none, as the specification has it.
fn span_of(request: &Request) -> Option<Traceparent> {
    request.header(traceparent::NAME)?.parse().ok()
}
