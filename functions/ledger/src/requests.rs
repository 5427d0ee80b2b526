//! What the routes are sent, for the API's document. It is read field by field, so that each field that is amiss is told by its name.
#![expect(dead_code, reason = "nothing is made of these types but their schemas")]

use std::borrow::Cow;

use postrider_api::document::{
    GivenTime, Id, JsonSchema, Left, Schema, SchemaGenerator, SubscriptionPattern, json_schema,
};
use postrider_aws::deliveries_table::Standing;
use postrider_domain::delivery::Status;
use postrider_domain::endpoint::MAX_PATTERNS;
use postrider_domain::id::EndpointId;
use postrider_domain::invalid::Invalid;
use postrider_domain::recovery::Chosen;

/// What is to be recovered of a webhook.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Recover {
    /// From events of this time on.
    #[schemars(with = "GivenTime")]
    since: (),
    /// Up to events before this time; all that there is where nothing is said.
    #[schemars(with = "Left<GivenTime>")]
    until: (),
    /// Of these event types alone: 1 to 48, each a type, `prefix.*` or `*`. All that the webhook missed where nothing is said.
    #[schemars(with = "Left<Vec<SubscriptionPattern>>", length(min = 1, max = MAX_PATTERNS), example = ["invoice.paid"])]
    events: (),
    /// Only what stands so. Where nothing is said: what failed, what was cancelled since the webhook was disabled or its tenant
    /// suspended, and what has been pending for over an hour.
    #[schemars(with = "Left<Vec<Recoverable>>", length(min = 1), example = ["retrying"])]
    statuses: (),
    /// To count what would be sent again at this moment, and send nothing.
    #[schemars(with = "Left<bool>", example = true)]
    count_only: (),
    /// Events of which the webhook has no delivery, since it did not ask for them when they were published, and that it would be sent
    /// as it is now: those alone, so `statuses` cannot stand beside it.
    #[schemars(with = "Left<bool>", example = true)]
    never_matched: (),
}

/// What is to be recovered of a tenant's jobs.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct RecoverJobs {
    /// From jobs that ended at this time on.
    #[schemars(with = "GivenTime")]
    since: (),
    /// Up to jobs that ended before this time; all that there are where nothing is said.
    #[schemars(with = "Left<GivenTime>")]
    until: (),
    /// Of these event types alone: 1 to 48, each a type, `prefix.*` or `*`.
    #[schemars(with = "Left<Vec<SubscriptionPattern>>", length(min = 1, max = MAX_PATTERNS), example = ["job.completed"])]
    events: (),
    /// Only what stands so. Where nothing is said: what failed, what was cancelled since the tenant was suspended, and what has been
    /// pending for over an hour.
    #[schemars(with = "Left<Vec<Recoverable>>", length(min = 1), example = ["failed"])]
    statuses: (),
    /// To count what would be sent again at this moment, and send nothing.
    #[schemars(with = "Left<bool>", example = true)]
    count_only: (),
    /// Only false: a job's event is for its own URL, which asks for nothing.
    #[schemars(with = "Left<bool>", extend("enum" = [false]), example = false)]
    never_matched: (),
}

/// How a delivery stands that is sent again.
pub(crate) struct Recoverable;

impl JsonSchema for Recoverable {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Recoverable".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = Chosen::STATUSES.map(Status::as_str);
        json_schema!({"type": "string", "enum": names, "examples": [names[0]]})
    }
}

/// To whom an event is to be sent.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Send {
    /// The webhook.
    #[schemars(with = "Id<EndpointId>")]
    webhook_id: (),
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
