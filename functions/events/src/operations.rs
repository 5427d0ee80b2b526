//! What the routes do, for the API's document.

use postrider_api::document::{GivenTime, Id, Seconds, TypeOfEvent};
use postrider_api::{ApiError, Operation};
use postrider_domain::dialect::NUR;
use postrider_domain::event::MAX_DATA_BYTES;
use postrider_domain::id::{EventId, TenantId};
use postrider_domain::invalid::Invalid;
use postrider_domain::quota::{Exceeded, Quota, Quotas};
use postrider_domain::tenant::Plan;

use crate::bounds::MAX_BATCH_BYTES;
use crate::requests::{PublishBatch, PublishEvent};
use crate::view::{Accepted, Batch, List, Shown};

const WHOSE: &str = "Whose: with a provider key it must be there, with a tenant's key it must not.";

fn too_fast() -> ApiError {
    Exceeded::until_given_back(Quota::EventsPerSecond, Quotas::of(Plan::Pro).events_per_second).into()
}

pub(crate) fn publish() -> Operation {
    let about = "It is sent to every webhook of its tenant that asks for its type, signed as each webhook's dialect signs, and tried \
                 again until the webhook takes it or its schedule is used up. A provider key names the tenant.";
    Operation::new("publishEvent", "Publish an event", about)
        .idempotent(
            "What the producer calls this event, as `id` does: the same again with the same body is the same event.",
        )
        .takes::<PublishEvent>()
        .answers::<Accepted<'static>>(202, "The event is kept, and will be sent. The same for a repeat.")
        .refuses(ApiError::not_found("tenant"), "A provider key names a tenant that there is not.")
        .refuses(
            ApiError::conflict("this key was used before, for an event of another type"),
            "The key was used before, for another event.",
        )
        .refuses(ApiError::event_expunged(), "What the event of this key said was removed on request.")
        .refuses(ApiError::too_large("data", MAX_DATA_BYTES), format!("`data` has more than {MAX_DATA_BYTES} bytes."))
        .refuses(
            ApiError::unprocessable(Invalid::new("event", NUR.catalogue.types())),
            "The key's dialect has event types of its own, and this is none of them.",
        )
        .catalogued()
        .refuses(too_fast(), "The tenant publishes more events a second than it may.")
}

pub(crate) fn publish_batch() -> Operation {
    let about = "Up to 25 events, each of which is taken or refused by itself, in its place of the answer. Of those that could be taken \
                 the first ones are, as far as the tenant's quota has room. Takes no Idempotency-Key: give each event an `id`.";
    Operation::new("publishEvents", "Publish several events", about)
        .takes::<PublishBatch>()
        .answers::<Batch<'static>>(202, "What became of each event.")
        .with_header::<Seconds>(
            "Retry-After",
            "After how many seconds to send the rest, where the quota had no room for all.",
        )
        .refuses(
            ApiError::too_large("body", MAX_BATCH_BYTES),
            format!("The body has more than {MAX_BATCH_BYTES} bytes."),
        )
}

pub(crate) fn get() -> Operation {
    let about = "An event with its deliveries, and with the webhooks that did not get it, each with the reason; both by pages of the \
                 tenant's webhooks. A webhook that is in neither has its delivery under way.";
    Operation::new("getEvent", "Show an event and its deliveries", about)
        .of::<Id<EventId>>("id", "The event's id.")
        .query::<Id<TenantId>>("tenant_id", WHOSE)
        .paged("50 webhooks where nothing is said.")
        .answers::<Shown<'static>>(200, "The event.")
}

pub(crate) fn list() -> Operation {
    let about = "The newest first by their own times, also those that no webhook asked for. An event stands in the list moments after it was \
                 published. A page that is asked for again behind the same cursor begins at the same place, whatever has come since; \
                 with `event` or `changes` a page may be short or empty, since it ends once it has read 64 read units.";
    Operation::new("listEvents", "List events", about)
        .query::<TypeOfEvent>("event", "Only those of this type.")
        .query::<bool>(
            "changes",
            "`true` lists those alone that tell who has changed which webhook: made, changed, enabled, disabled or deleted it.",
        )
        .query::<GivenTime>("since", "Only those of this time on.")
        .query::<GivenTime>("until", "Only those before this time.")
        .query::<Id<TenantId>>("tenant_id", WHOSE)
        .paged("50 where nothing is said.")
        .answers::<List<'static>>(200, "A page of events.")
        .refuses(ApiError::not_found("tenant"), "A provider key names a tenant that there is not.")
        .refuses(
            ApiError::unprocessable(Invalid::new("since", "a time not after `until`")),
            "`since` is after `until`.",
        )
}
