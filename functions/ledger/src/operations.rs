//! What the routes do, for the API's document.

use postrider_api::document::{GivenTime, Id, Names, Nothing, TypeOfEvent};
use postrider_api::{ApiError, Operation};
use postrider_domain::delivery::Status;
use postrider_domain::id::{DeliveryId, EndpointId, JobId, RecoveryId};
use postrider_domain::invalid::Invalid;
use postrider_domain::quota::{Exceeded, Quota, Quotas, RETRIES_AT_ONCE};
use postrider_domain::tenant::Plan;

use crate::requests::{Recover, Undelivered};
use crate::view::{Begun, HowFar, Page, Shown};

const UNPAGED: &str = "50 where nothing is said.";

fn used_up(quota: Quota, limit: u64) -> ApiError {
    Exceeded::until_given_back(quota, limit).into()
}

fn of_a_webhook(id: &'static str, summary: &'static str, about: &'static str) -> Operation {
    Operation::new(id, summary, about).of::<Id<EndpointId>>("id", "The webhook's id.")
}

fn of_a_delivery(id: &'static str, summary: &'static str, about: &'static str) -> Operation {
    Operation::new(id, summary, about).of::<Id<DeliveryId>>("id", "The delivery's id.")
}

pub(crate) fn list() -> Operation {
    let about = "The newest events first. A deleted webhook's are shown for as long as any others.";
    of_a_webhook("listWebhookDeliveries", "List a webhook's deliveries", about)
        .query::<Names<Status>>("status", "Only those that stand so.")
        .query::<TypeOfEvent>("event", "Only those of events of this type.")
        .query::<GivenTime>("since", "Only those of events of this time on.")
        .query::<GivenTime>("until", "Only those of events before this time.")
        .paged(UNPAGED)
        .answers::<Page>(200, "A page of deliveries.")
        .refuses(
            ApiError::unprocessable(Invalid::new("since", "a time not after `until`")),
            "`since` is after `until`.",
        )
}

pub(crate) fn recover() -> Operation {
    let about = "Everything that the webhook missed, again: what failed, what was cancelled since the webhook was disabled, deleted or \
                 its tenant suspended, and what has been pending for over an hour.";
    of_a_webhook("recoverWebhook", "Send a webhook again what it missed", about)
        .takes::<Recover>()
        .answers::<Begun>(202, "The recovery has begun.")
        .refuses(
            ApiError::conflict("this webhook is disabled; enable it first, or all would be cancelled again"),
            "The webhook is disabled.",
        )
        .refuses(
            ApiError::unprocessable(Invalid::new("since", "a time before `until`, which is now if left out")),
            "`since` is not before `until`.",
        )
        .refuses(
            used_up(Quota::Recoveries, Quotas::of(Plan::Pro).recoveries),
            "The tenant has as many recoveries running as it may have.",
        )
}

pub(crate) fn recovery() -> Operation {
    of_a_webhook("getRecovery", "Show how far a recovery has come", "")
        .of::<Id<RecoveryId>>("recovery_id", "The recovery's id.")
        .answers::<HowFar<'static>>(200, "The recovery.")
}

pub(crate) fn find_many() -> Operation {
    let about = "Those of the tenant that were not delivered, or that of a job. One of `status` and `job_id` must be there. Pending and \
                 succeeded ones are listed by webhook or event.";
    Operation::new("listDeliveries", "List deliveries", about)
        .query::<Undelivered>("status", "`undelivered` is the three others together.")
        .query::<Id<JobId>>("job_id", "The job whose delivery it is: there is one once it has ended, if it has a URL.")
        .paged(UNPAGED)
        .answers::<Page>(200, "A page of deliveries.")
        .refuses(ApiError::not_found("job"), "There is no such job.")
}

pub(crate) fn get() -> Operation {
    of_a_delivery("getDelivery", "Show a delivery and its attempts", "")
        .paged("Without `limit` the first 100 attempts.")
        .answers::<Shown<'static>>(200, "The delivery.")
}

pub(crate) fn retry() -> Operation {
    let about = "A full new round of attempts under the same event id, whatever came of those before.";
    of_a_delivery("retryDelivery", "Send a delivery again", about)
        .may_take::<Nothing>()
        .answers::<Shown<'static>>(202, "The delivery, whose next attempt is due.")
        .refuses(
            ApiError::conflict("its webhook is disabled; enable it first"),
            "An attempt is due or under way, or nothing can be sent: the webhook is disabled or deleted, or the event is no longer kept.",
        )
        .refuses(
            used_up(Quota::Retries, RETRIES_AT_ONCE),
            format!(
                "This webhook's deliveries were retried {RETRIES_AT_ONCE} times at once, and once a second after that."
            ),
        )
}

pub(crate) fn cancel() -> Operation {
    let about = "Once this has answered, no further POST starts. One that is under way is still put on record, and if its receiver takes \
                 it, the delivery has succeeded.";
    of_a_delivery("cancelDelivery", "Call a delivery off", about)
        .may_take::<Nothing>()
        .answers::<Shown<'static>>(202, "The delivery.")
        .refuses(
            ApiError::conflict("this delivery has come to its end already"),
            "It has come to its end already, or changed meanwhile.",
        )
}
