//! Filters: how one is taken, and what it would say of an event.

use std::collections::BTreeMap;

use postrider_api::document::{JsonSchema, Left, Tags, TypeOfEvent};
use postrider_api::{ApiError, Caller, EventFields, Fields, Operation, Request, Response};
use postrider_domain::event::{EventType, MAX_DATA_BYTES};
use postrider_domain::filter::{self, Filter, MAX_REASON_CHARS, Seen, Verdict};
use postrider_domain::invalid::Invalid;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

const PATTERN: &str = "a JSON object: an event pattern";

/// A filter's JSON, as it stands in a request.
///
/// # Errors
/// [`Invalid`] naming the place in it that is amiss.
pub(crate) fn given(raw: &RawValue) -> Result<String, Invalid> {
    Filter::parse(raw.get()).map(|_| raw.get().to_owned())
}

/// A filter and an event that never happened.
struct Trial {
    filter: Filter,
    event: EventType,
    data: String,
    tags: BTreeMap<String, String>,
}

impl Trial {
    fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let filter = fields.raw(filter::FIELD).ok_or_else(|| Invalid::new(filter::FIELD, PATTERN))?;
        let said = EventFields::take(&mut fields)?;
        fields.finish()?;
        let filter = Filter::parse(filter.get())?;
        // Operational ones as well: a filter judges them, too.
        let event = said.any_type()?;
        let (data, tags) = said.data_and_tags()?;
        Ok(Self { filter, event, data, tags })
    }
}

/// Says whether the filter lets the event through.
pub(crate) async fn answer(request: &Request, caller: &Caller) -> Result<Response, ApiError> {
    caller.tenant()?;
    Ok(Response::json(200, &said(request.fields()?)?))
}

/// What the filter of a request says of its event.
pub(crate) fn said(fields: Fields) -> Result<Judged, ApiError> {
    let Trial { filter, event, data, tags } = Trial::read(fields)?;
    let seen = Seen::read(event.as_str(), &data, &tags).map_err(|_| Invalid::new("data", "a JSON object"))?;
    Ok(filter.judge(&seen).into())
}

/// A filter, and an event to judge by it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "nothing is made of this type but its schema")]
pub(crate) struct TestFilter {
    /// The filter, as a webhook has it.
    #[schemars(with = "Map<String, Value>", example = example())]
    filter: (),
    /// The event's type.
    #[schemars(with = "TypeOfEvent")]
    event: (),
    /// The event's data: an object of at most 262144 bytes.
    #[schemars(with = "Map<String, Value>", example = json!({"amount": 1200, "customer": {"country": "DE"}}))]
    data: (),
    /// The event's tags; none where they are left out.
    #[schemars(with = "Left<Tags>")]
    tags: (),
}

/// What a filter says of an event.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FilterVerdict")]
pub(crate) struct Judged {
    /// Whether a webhook with this filter would be sent the event.
    #[schemars(example = false)]
    matches: bool,
    /// The first reason why not; left out where it would.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_REASON_CHARS), example = &"data.amount: 5 is not > 10")]
    why: Option<String>,
}

impl From<Verdict> for Judged {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Matches => Self { matches: true, why: None },
            Verdict::Not(why) => Self { matches: false, why: Some(why) },
        }
    }
}

/// A filter, for the document.
pub(crate) fn example() -> Value {
    json!({"data": {"amount": [{"numeric": [">", 10]}], "customer": {"country": ["DE", "AT"]}}})
}

/// What the route does, for the API's document.
pub(crate) fn operation() -> Operation {
    let about = "Nothing is sent or kept, and no webhook is looked at: whether a webhook with this filter would be sent the event, if it \
                 asked for the event's type, and why not.";
    Operation::new("testFilter", "Try a filter", about)
        .takes::<TestFilter>()
        .answers::<Judged>(200, "What the filter says of the event.")
        .refuses(ApiError::too_large("data", MAX_DATA_BYTES), "`data` is longer than an event's may be.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use postrider_api::document::fields_of;

    #[test]
    fn the_document_has_the_fields_that_are_read() {
        let unknown = Fields::read(br#"{"filter": {}, "event": "a", "data": {}, "?": 1}"#).unwrap();
        assert_eq!(Fields::told(&Trial::read(unknown).map(drop).unwrap_err()), fields_of::<TestFilter>());
    }
}
