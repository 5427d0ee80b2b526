//! What the routes are sent, for the API's document. It is read field by field, so that each field that is amiss is told by its name.
#![expect(dead_code, reason = "nothing is made of these types but their schemas")]

use std::borrow::Cow;

use postrider_api::document::{GivenTime, JsonSchema, Left, Schema, SchemaGenerator, json_schema};
use postrider_aws::deliveries_table::Standing;
use postrider_domain::delivery::Status;
use postrider_domain::invalid::Invalid;

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

/// How deliveries stand that are asked for.
pub(crate) struct StandingName;

impl JsonSchema for StandingName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Standing".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = Status::ALL.iter().map(|status| status.as_str());
        let all: Vec<_> = [Standing::UNDELIVERED].into_iter().chain(one).collect();
        json_schema!({"type": "string", "enum": all, "examples": [Standing::UNDELIVERED]})
    }
}

/// What a delivery is shown with, where somebody asks for it.
pub(crate) struct Include;

impl Include {
    const REQUEST: &str = "request";

    /// What is called so.
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub(crate) fn named(name: &str) -> Result<Self, Invalid> {
        if name == Self::REQUEST { Ok(Self) } else { Err(Invalid::new("include", "`request`")) }
    }
}

impl JsonSchema for Include {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Include".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": [Self::REQUEST], "examples": [Self::REQUEST]})
    }
}
