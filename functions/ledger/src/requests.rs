//! What the routes are sent, for the API's document. It is read field by field, so that each field that is amiss is told by its name.
#![expect(dead_code, reason = "nothing is made of these types but their schemas")]

use std::borrow::Cow;

use postrider_api::document::{GivenTime, Id, JsonSchema, Left, Schema, SchemaGenerator, json_schema};
use postrider_domain::delivery::Status;
use postrider_domain::id::EndpointId;

/// What is to be recovered.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Recover {
    /// From events of this time on.
    #[schemars(with = "GivenTime")]
    since: (),
    /// Up to events before this time; all that there is where nothing is said.
    #[schemars(with = "Left<GivenTime>")]
    until: (),
}

/// To whom an event is to be sent.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Send {
    /// The webhook.
    #[schemars(with = "Id<EndpointId>")]
    webhook_id: (),
}

/// What a tenant's deliveries can be asked for.
pub(crate) struct Undelivered;

impl Undelivered {
    /// All that are listed so.
    pub(crate) const ALL: &str = "undelivered";

    /// Those of them that stand so.
    pub(crate) const SOME: [Status; 3] = [Status::Retrying, Status::Failed, Status::Cancelled];
}

impl JsonSchema for Undelivered {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Undelivered".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let some = Self::SOME.iter().map(|status| status.as_str());
        let all: Vec<_> = [Self::ALL].into_iter().chain(some).collect();
        json_schema!({"type": "string", "enum": all, "examples": [Self::ALL]})
    }
}
