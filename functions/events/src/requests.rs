//! What the routes are sent, for the API's document. It is read field by field (`publish.rs`), so that each field that is amiss is told
//! by its name; a test below holds both to the same fields.
#![expect(dead_code, reason = "nothing is made of these types but their schemas")]

use postrider_api::document::{Id, JsonSchema, Left, Tags, TypeOfEvent};
use postrider_domain::id::TenantId;
use postrider_domain::idempotency_key;
use serde_json::{Map, Value, json};

use crate::bounds::MAX_BATCH;

/// An event to publish.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct PublishEvent {
    /// Its type. Types that begin with `webhook.` are Postrider's own; a key of a dialect with event types of its own publishes those.
    #[schemars(with = "TypeOfEvent")]
    event: (),
    /// What it says: an object of at most 262144 bytes as they come. Receivers get it letter for letter.
    #[schemars(with = "Map<String, Value>", example = json!({"invoice_id": "in_4711", "amount": 1200}))]
    data: (),
    /// Words about it that webhooks' filters see; receivers do not get them.
    #[schemars(with = "Left<Tags>")]
    tags: (),
    /// What its producer calls it, so that it can come again and count once; the same as an Idempotency-Key. No control characters.
    #[schemars(with = "Left<String>", length(min = 1, max = idempotency_key::MAX_CHARS), example = &"invoice-4711-paid")]
    id: (),
    /// The tenant to publish for: with a provider key it must be there, with a tenant's key it must not.
    #[schemars(with = "Left<Id<TenantId>>")]
    tenant_id: (),
}

/// Events to publish together. Each is taken or refused by itself.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct PublishBatch {
    /// The events. One that is amiss is refused in its place of the answer.
    #[schemars(with = "Vec<BatchItem>", length(min = 1, max = MAX_BATCH))]
    events: (),
}

/// An event of a batch, as `PublishEvent` has it. Whatever it is, the batch is answered: what is no such event is refused in its place.
#[derive(JsonSchema)]
#[schemars(extend("examples" = [json!({"event": "invoice.paid", "data": {"invoice_id": "in_4711"}, "id": "invoice-4711-paid"})]))]
struct BatchItem(Value);

#[cfg(test)]
mod tests {
    use postrider_api::Fields;
    use postrider_api::document::fields_of;

    use super::*;
    use crate::publish::{Producer, Publication};

    #[test]
    fn the_document_has_the_fields_that_are_read() {
        let unknown = Fields::read(br#"{"event": "a", "data": {}, "?": 1}"#).unwrap();
        let told = Fields::told(&Publication::read(unknown, &Producer::Provider, None).map(drop).unwrap_err());
        assert_eq!(told, fields_of::<PublishEvent>());
    }
}
