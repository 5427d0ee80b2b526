//! What the routes are sent, for the API's document. It is read field by field (`input.rs`), so that each field that is amiss is told
//! by its name; a test below holds both to the same fields.
#![expect(dead_code, reason = "nothing is made of these types but their schemas")]

use std::collections::BTreeMap;

use postrider_api::document::{JsonSchema, Left, Names, SubscriptionPattern, Tags, TypeOfEvent, UrlOfWebhook};
use postrider_domain::attempt::SLOWEST_TIMEOUT;
use postrider_domain::content_type;
use postrider_domain::endpoint::{EndpointStatus, MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS, MAX_PATTERNS};
use postrider_domain::metadata::MAX_ENTRIES;
use postrider_domain::own_header::MAX_HEADERS;
use postrider_domain::rate_limit;
use postrider_domain::retry::{MAX_DELAY_SECONDS, MAX_RETRIES};
use postrider_domain::secret;
use serde_json::{Map, Value, json};

use crate::filter_test;

/// A new webhook.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CreateWebhook {
    /// Where it is sent to.
    #[schemars(with = "UrlOfWebhook")]
    url: (),
    /// What it asks for. Keys of a dialect with event types of its own ask for those, and for what begins as they do.
    #[schemars(
        with = "Vec<SubscriptionPattern>", length(min = 1, max = MAX_PATTERNS), example = ["invoice.paid", "subscription.*"],
    )]
    events: (),
    /// The signing secret. Of the standard dialect `whsec_` and 24 to 64 bytes in base64, and one is made where none is given; of the
    /// others any text with 16 visible characters, and nothing is signed without one.
    #[schemars(with = "Left<String>", length(max = secret::MAX_CHARS), example = &"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: (),
    #[serde(flatten)]
    settings: Settings,
}

/// A change of a webhook: what is left out stays.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ChangeWebhook {
    /// Where it is sent to from now on; what waits for it goes there, too.
    #[schemars(with = "Left<UrlOfWebhook>")]
    url: (),
    /// What it asks for from now on.
    #[schemars(
        with = "Left<Vec<SubscriptionPattern>>", length(min = 1, max = MAX_PATTERNS), example = ["invoice.paid"],
    )]
    events: (),
    #[serde(flatten)]
    settings: Settings,
}

/// What both may set.
#[derive(JsonSchema)]
struct Settings {
    /// Whether it is sent to.
    #[schemars(with = "Left<Names<EndpointStatus>>")]
    status: (),
    /// Its owner's name for it; null takes it away. Not blanks alone, and no control characters.
    #[schemars(with = "Left<Option<String>>", length(min = 1, max = MAX_NAME_CHARS), example = &"ERP")]
    name: (),
    /// Its owner's note; null takes it away.
    #[schemars(
        with = "Left<Option<String>>", length(max = MAX_DESCRIPTION_CHARS), example = &"Invoices to the ERP",
    )]
    description: (),
    /// What its owner notes for programs of his own, as a whole; null takes it away. A name has at most 64 letters, digits, `_`, `-` and
    /// `.`, a text at most 512 characters, none of them a control character, and all of them together at most 4096 bytes.
    #[schemars(
        with = "Left<Option<BTreeMap<String, String>>>",
        extend("maxProperties" = MAX_ENTRIES),
        example = BTreeMap::from([("cost_center", "4711")]),
    )]
    metadata: (),
    /// What its deliveries say that their bodies are; null goes back to `application/json`. Webhooks of dialects that keep a provider's
    /// promise have no other.
    #[schemars(
        with = "Left<Option<String>>", length(max = content_type::MAX_CHARS), pattern(content_type::PATTERN),
        example = &"application/cloudevents+json",
    )]
    content_type: (),
    /// Headers of its owner's to send along, their values at most 4096 visible ASCII characters, and all names and values together 12288;
    /// null takes them away. None that Postrider or the connection sets itself. A value is never shown again. In a change, names that are
    /// left out go, and `***` keeps a name's value.
    #[schemars(
        with = "Left<Option<BTreeMap<String, String>>>",
        extend("maxProperties" = MAX_HEADERS),
        example = BTreeMap::from([("x-team", "billing")]),
    )]
    headers: (),
    /// How long it may take to answer, in seconds; null goes back to its dialect's.
    #[schemars(with = "Left<Option<u16>>", range(min = 1, max = SLOWEST_TIMEOUT.as_secs()), example = 10)]
    timeout_seconds: (),
    /// The wait before each retry, in seconds, each 1 to 604800; null goes back to its dialect's, and an empty list is no retry. All
    /// of it has to end within the days for which events are kept.
    #[schemars(
        with = "Left<Option<Vec<u32>>>",
        length(max = MAX_RETRIES),
        inner(range(min = 1, max = MAX_DELAY_SECONDS)),
        example = [60, 600, 3600],
    )]
    retry_schedule: (),
    /// How many requests a second it takes; null takes the limit away.
    #[schemars(with = "Left<Option<u32>>", range(min = 1, max = rate_limit::MOST), example = 50)]
    rate_limit: (),
    /// Which of the events that it asks for it is sent: an Amazon EventBridge event pattern over `event`, `data` and `tags`, of at most
    /// 4096 bytes of JSON and 100 comparisons. Null takes it away.
    #[schemars(with = "Left<Option<Map<String, Value>>>", example = filter_test::example())]
    filter: (),
    /// Whether its deliveries carry a `traceparent` header of W3C Trace Context, where the deployment has events traced. Null is no.
    #[schemars(with = "Left<Option<bool>>", example = true)]
    trace: (),
}

/// What a test may be asked for with.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct TestWebhook {
    /// The type of the event, which the webhook need not have asked for; its dialect must send it. Left out, it is the first type that the
    /// webhook asks for by its whole name, or one that its widest pattern takes, such as `invoice.test` for `invoice.*`.
    #[schemars(with = "Left<TypeOfEvent>")]
    event: (),
    /// What it says: an object of at most 262144 bytes as they come. Left out, it is the type's example in the catalogue, and
    /// `{"test":true}` where it has none.
    #[schemars(with = "Left<Map<String, Value>>", example = json!({"invoice_id": "in_4711", "amount": 1200}))]
    data: (),
}

/// The event to preview.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct PreviewEvent {
    /// Its type. Types that begin with `webhook.` are Postrider's own.
    #[schemars(with = "TypeOfEvent")]
    event: (),
    /// What it says: an object of at most 262144 bytes as they come. Receivers get it letter for letter.
    #[schemars(with = "Map<String, Value>", example = json!({"invoice_id": "in_4711", "amount": 1200}))]
    data: (),
    /// Its tags, which the webhook's filter sees.
    #[schemars(with = "Left<Tags>")]
    tags: (),
}

#[cfg(test)]
mod tests {
    use postrider_api::Fields;
    use postrider_api::document::fields_of;
    use postrider_domain::dialect::{DialectRef, STANDARD};

    use super::*;
    use crate::input::Changes;
    use crate::{preview, trial};

    #[test]
    fn the_document_has_the_fields_that_are_read() {
        let unknown = Fields::read(br#"{"?": 1}"#).unwrap();
        let told = Fields::told(&Changes::read(unknown, DialectRef(&STANDARD)).map(drop).unwrap_err());
        assert_eq!(told, fields_of::<ChangeWebhook>());
        // A creation reads one more before it reads these.
        let created: Vec<_> = fields_of::<CreateWebhook>().into_iter().filter(|name| name != "secret").collect();
        assert_eq!(told, created);
        let unknown = Fields::read(br#"{"?": 1}"#).unwrap();
        let told = Fields::told(&trial::Asked::read(unknown).map(drop).unwrap_err());
        assert_eq!(told, fields_of::<TestWebhook>());
        let unknown = Fields::read(br#"{"event": "a", "data": {}, "?": 1}"#).unwrap();
        let told = Fields::told(&preview::Supposed::read(unknown).map(drop).unwrap_err());
        assert_eq!(told, fields_of::<PreviewEvent>());
    }
}
