//! Recoveries as the API shows them.

use postrider_api::Meta;
use postrider_api::document::{Id, JsonSchema, Names, SubscriptionPattern, Time};
use postrider_aws::recoverer::Count;
use postrider_domain::delivery::Status;
use postrider_domain::event::EventPattern;
use postrider_domain::id::RecoveryId;
use postrider_domain::recovery::{Progress, Recovery};
use serde::Serialize;

use crate::requests::Recoverable;

/// How much a recovery would send again. Nothing is sent for it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecoveryCount")]
pub(crate) struct Counted {
    /// How many deliveries, or events, would be sent again at this moment. Where not all were looked at: so many at the least.
    #[schemars(example = 1_000)]
    found: u64,
    /// Whether all of the span was looked at. If not, ask for shorter spans.
    #[schemars(example = true)]
    complete: bool,
}

/// How much a recovery would send again.
pub(crate) fn counted(count: Count) -> Counted {
    Counted { found: count.found, complete: count.complete }
}

/// A recovery that has begun.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BegunRecovery")]
pub(crate) struct Begun {
    /// Its id: a GET of the same path with it, such as /v1/webhooks/{id}/recover/{recovery_id}, tells how far it has come.
    #[schemars(with = "Id<RecoveryId>")]
    pub(crate) recovery_id: RecoveryId,
}

/// How far a recovery has come.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Recovery")]
pub(crate) struct HowFar<'a> {
    /// Its id.
    #[schemars(with = "Id<RecoveryId>")]
    recovery_id: &'a RecoveryId,
    /// Whether it goes on.
    #[schemars(with = "Names<Progress>")]
    status: Progress,
    /// From events of this time on.
    since: Time,
    /// Up to events before this time.
    until: Time,
    /// How many deliveries, or events, wanted recovering so far.
    #[schemars(example = 250)]
    found: u64,
    /// How many of them were sent again; the others were on their way before it came to them, or wait for their webhook as a whole.
    #[schemars(example = 248)]
    requeued: u64,
    /// Of which events alone; left out where of all.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(with = "Vec<SubscriptionPattern>", length(min = 1), example = ["invoice.*"])]
    events: &'a [EventPattern],
    /// Only what stood so; left out where nothing was said.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(with = "Vec<Recoverable>", length(min = 1), example = ["failed"])]
    statuses: &'a [Status],
    /// That it sends events of which the webhook had no delivery; left out where it does not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(example = true)]
    never_matched: bool,
}

/// How far a recovery has come.
pub(crate) fn how_far(recovery: &Recovery) -> HowFar<'_> {
    HowFar {
        recovery_id: &recovery.id,
        status: recovery.status,
        since: recovery.since.into(),
        until: recovery.until.into(),
        found: recovery.found,
        requeued: recovery.requeued,
        events: &recovery.chosen.events,
        statuses: &recovery.chosen.statuses,
        never_matched: recovery.chosen.never_matched,
    }
}

/// How much a recovery of jobs' deliveries would send again.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskRecoveryCount")]
pub(crate) struct CountedOfTasks {
    /// How much it is.
    pub(crate) data: Counted,
    /// About the request.
    pub(crate) meta: Meta,
}

/// A recovery of jobs' deliveries that has begun.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BegunTaskRecovery")]
pub(crate) struct BegunOfTasks {
    /// The recovery.
    pub(crate) data: Begun,
    /// About the request.
    pub(crate) meta: Meta,
}

/// How far a recovery of jobs' deliveries has come.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskRecovery")]
pub(crate) struct HowFarOfTasks<'a> {
    /// The recovery.
    pub(crate) data: HowFar<'a>,
    /// About the request.
    pub(crate) meta: Meta,
}
