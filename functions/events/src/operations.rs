//! What the routes do, for the API's document.

use postrider_api::document::{Id, Operation, Seconds};
use postrider_domain::id::EventId;

use crate::requests::{PublishBatch, PublishEvent};
use crate::view::{Accepted, Batch, Shown};

pub(crate) fn publish() -> Operation {
    let about = "It is sent to every webhook of its tenant that asks for its type, signed as each webhook's dialect signs, and tried \
                 again until the webhook takes it or its schedule is used up. A provider key names the tenant.";
    Operation::new("publishEvent", "Publish an event", about)
        .idempotent(
            "What the producer calls this event, as `id` does: the same again with the same body is the same event.",
        )
        .takes::<PublishEvent>()
        .answers::<Accepted<'static>>(202, "The event is kept, and will be sent. The same for a repeat.")
        .refuses(404, "not_found", "A provider key names a tenant that there is not.")
        .refuses(409, "conflict", "The key was used before, for another event.")
        .refuses(413, "payload_too_large", "`data` has more than 262144 bytes.")
        .refuses(422, "unprocessable", "The key's dialect has event types of its own, and this is none of them.")
        .refuses(429, "quota_exceeded", "The tenant publishes more events a second than it may.")
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
        .refuses(413, "payload_too_large", "The body has more than 2621440 bytes.")
}

pub(crate) fn get() -> Operation {
    let about = "An event with its deliveries, by pages of the tenant's webhooks.";
    Operation::new("getEvent", "Show an event and its deliveries", about)
        .of::<Id<EventId>>("id", "The event's id.")
        .paged("50 webhooks where nothing is said.")
        .answers::<Shown<'static>>(200, "The event.")
}
