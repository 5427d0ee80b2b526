//! What the routes do, for the API's document.

use std::borrow::Cow;

use postrider_api::document::{GivenTime, Id, JsonSchema, Nothing, TypeOfEvent};
use postrider_api::{ApiError, Operation};
use postrider_aws::recoverer::MOST_COUNTED;
use postrider_domain::delivery_stats::MOST_BUCKETS;
use postrider_domain::id::{CancellationId, DeliveryId, EndpointId, EventId, JobId, RecoveryId, TenantId};
use postrider_domain::invalid::Invalid;
use postrider_domain::quota::{Exceeded, Quota, Quotas, RETRIES_AT_ONCE};
use postrider_domain::tenant::Plan;

use crate::outcome::OutcomeName;
use crate::recovery_view::{Begun, BegunOfTasks, Counted, CountedOfTasks, HowFar, HowFarOfTasks};
use crate::requests::{Include, Recover, RecoverJobs, Send, StandingName};
use crate::stats::{MOST_ROWS, WebhookStats};
use crate::view::{CalledOff, Page, Sent, Shown};

/// What whoever is for some webhooks alone has to name for a list.
pub(crate) const ONE_OF_THEM: &str = "one of this session's webhooks: it is for some of the tenant's alone";
/// What a list without `webhook_id` can be asked for.
pub(crate) const UNDELIVERED: &str =
    "`undelivered`, `retrying`, `failed` or `cancelled`; list the others by `webhook_id`, by event or by job";
const UNPAGED: &str = "50 where nothing is said.";

fn used_up(quota: Quota, limit: u64) -> ApiError {
    Exceeded::until_given_back(quota, limit).into()
}

fn of_a_webhook(id: &'static str, summary: &'static str, about: impl Into<Cow<'static, str>>) -> Operation {
    Operation::new(id, summary, about).of::<Id<EndpointId>>("id", "The webhook's id.")
}

fn of_a_delivery(id: &'static str, summary: &'static str, about: &'static str) -> Operation {
    Operation::new(id, summary, about).of::<Id<DeliveryId>>("id", "The delivery's id.")
}

/// What else a list of deliveries is asked for.
fn filtered(operation: Operation) -> Operation {
    operation
        .query::<TypeOfEvent>("event", "Only those of events of this type.")
        .query::<OutcomeName>("outcome", "Only those whose last attempt came to this. What was not tried yet is none.")
        .query::<GivenTime>("since", "Only those of events of this time on.")
        .query::<GivenTime>("until", "Only those of events before this time.")
}

pub(crate) fn list() -> Operation {
    let about = "The newest events first. A deleted webhook's are shown for as long as any others.";
    let operation = of_a_webhook("listWebhookDeliveries", "List a webhook's deliveries", about).query::<StandingName>(
        "status",
        "Only those that stand so: `undelivered` are the retrying, failed and cancelled that nobody has taken.",
    );
    filtered(operation).paged(UNPAGED).answers::<Page>(200, "A page of deliveries.").refuses(
        ApiError::unprocessable(Invalid::new("since", "a time not after `until`")),
        "`since` is after `until`.",
    )
}

fn of_a_recovery<Body: JsonSchema, Begun: JsonSchema, Counted: JsonSchema>(operation: Operation) -> Operation {
    operation
        .takes::<Body>()
        .answers::<Begun>(202, "The recovery has begun.")
        .answers::<Counted>(200, "With `count_only`: how much it would send again.")
        .refuses(
            ApiError::unprocessable(Invalid::new("since", "a time before `until`, and not in the future")),
            "`since` is not before `until`, or what is asked for contradicts itself.",
        )
        .refuses(
            used_up(Quota::Recoveries, Quotas::of(Plan::Pro).recoveries),
            "The tenant has as many recoveries running as it may have.",
        )
}

pub(crate) fn recover() -> Operation {
    let about = format!(
        "Everything that the webhook missed, again: what failed, what was cancelled since the webhook was disabled, deleted or its \
         tenant suspended, and what has been pending for over an hour. `events` and `statuses` ask for less, or for more: `cancelled` \
         means all of it, whoever called it off, while its event is kept; `retrying` has what waits for its next attempt tried now. \
         What is parked is then tried with one of them, and if anybody answers, the rest follows by itself. `never_matched` asks for \
         something else: events of which the webhook has no delivery, published before it asked for them or before there was this \
         webhook. `count_only` looks at {MOST_COUNTED} deliveries or events at the most, sends nothing, and says whether that was all."
    );
    of_a_recovery::<Recover, Begun, Counted>(of_a_webhook(
        "recoverWebhook",
        "Send a webhook again what it missed",
        about,
    ))
    .refuses(
        ApiError::conflict("this webhook is disabled; enable it first, or all would be cancelled again"),
        "The webhook is disabled. What it missed can be counted all the same.",
    )
}

pub(crate) fn recovery() -> Operation {
    of_a_webhook("getRecovery", "Show how far a recovery has come", "")
        .of::<Id<RecoveryId>>("recovery_id", "The recovery's id.")
        .answers::<HowFar<'static>>(200, "The recovery.")
}

const OF_JOBS: &str = "As a webhook's recovery: what failed, what was cancelled since the tenant was suspended, and what has been \
                       pending for over an hour, or what `statuses` names. Each goes to its job's own URL.";

pub(crate) fn recover_generations() -> Operation {
    let operation = Operation::new("recoverGenerations", "Send again what jobs of projects told nobody", OF_JOBS);
    of_a_recovery::<RecoverJobs, Begun, Counted>(operation)
}

pub(crate) fn generations_recovery() -> Operation {
    Operation::new("getGenerationsRecovery", "Show how far a recovery of jobs of projects has come", "")
        .of::<Id<RecoveryId>>("recovery_id", "The recovery's id.")
        .answers::<HowFar<'static>>(200, "The recovery.")
}

pub(crate) fn recover_tasks() -> Operation {
    let operation = Operation::new("recoverTasks", "Send again what jobs of one task told nobody", OF_JOBS);
    of_a_recovery::<RecoverJobs, BegunOfTasks, CountedOfTasks>(operation)
}

pub(crate) fn tasks_recovery() -> Operation {
    Operation::new("getTasksRecovery", "Show how far a recovery of jobs of one task has come", "")
        .of::<Id<RecoveryId>>("recovery_id", "The recovery's id.")
        .answers::<HowFarOfTasks<'static>>(200, "The recovery.")
}

pub(crate) fn stats() -> Operation {
    let about = format!(
        "Counted from the ledger: at most {MOST_ROWS} deliveries a call, the newest events' first, and `complete` says whether that \
         was all. What was recorded in the last moment may be missing. Buckets begin at multiples of their width, which is the \
         narrowest of a minute, 5, 15 and 30 minutes, 1, 3, 6 and 12 hours, 1, 2, 7 and 14 days of which there are at most \
         {MOST_BUCKETS}; longer spans have them in whole weeks. A deleted webhook's are counted for as long as they are kept."
    );
    of_a_webhook("getWebhookStats", "Count what became of a webhook's deliveries", about)
        .query::<GivenTime>(
            "since",
            "Only those of events of this time on; 24 hours before `until` where nothing is said.",
        )
        .query::<GivenTime>("until", "Only those of events before this time; the next minute where nothing is said.")
        .answers::<WebhookStats>(200, "What became of them.")
        .refuses(
            ApiError::unprocessable(Invalid::new("since", "a time not after `until`")),
            "`since` is after `until`.",
        )
}

pub(crate) fn cancel_pending() -> Operation {
    let about = "Everything that waits for the webhook when this is called: what is pending, retrying, or parked while it is down. What \
                 was published after the call is sent, and so is what somebody asks for again after it, by hand or by a recovery, also \
                 by one that runs. It begins while the caller waits, for some seconds, and goes on by itself. Of each delivery that \
                 it has called off no further POST starts; one that is under way is still put on record, and if its receiver takes it, \
                 the delivery has succeeded.";
    of_a_webhook("cancelPending", "Call off all that waits for a webhook", about)
        .may_take::<Nothing>()
        .answers::<CalledOff<'static>>(202, "It has begun, and has come so far.")
        .refuses(
            used_up(Quota::Recoveries, Quotas::of(Plan::Pro).recoveries),
            "The tenant has as many recoveries and cancellations running as it may have.",
        )
}

pub(crate) fn cancellation() -> Operation {
    of_a_webhook("getCancellation", "Show how far a cancellation of all that waited has come", "")
        .of::<Id<CancellationId>>("cancellation_id", "The cancellation's id.")
        .answers::<CalledOff<'static>>(200, "The cancellation.")
}

pub(crate) fn find_many() -> Operation {
    let about = "A webhook's with `webhook_id`, as `GET /v1/webhooks/{id}/deliveries` has them; a job's with `job_id` alone; otherwise those \
                 of the tenant that were not delivered, jobs' too: then `status` must be `undelivered`, `retrying`, `failed` or \
                 `cancelled`. The newest events first. What is asked for combines.";
    let operation = Operation::new("listDeliveries", "List deliveries", about)
        .query::<StandingName>(
            "status",
            "Only those that stand so: `undelivered` are the retrying, failed and cancelled that nobody has taken.",
        )
        .query::<Id<EndpointId>>("webhook_id", "Only those to this webhook.");
    filtered(operation)
        .query::<Id<JobId>>("job_id", "The job whose delivery it is: there is one once it has ended, if it has a URL.")
        .paged(UNPAGED)
        .answers::<Page>(200, "A page of deliveries.")
        .refuses(ApiError::not_found("job"), "There is no such job, or no such webhook.")
        .refuses(
            ApiError::unprocessable(Invalid::new("status", UNDELIVERED)),
            "Without `webhook_id` pending and succeeded ones are not listed; or `since` is after `until`.",
        )
}

pub(crate) fn get() -> Operation {
    of_a_delivery("getDelivery", "Show a delivery and its attempts", "")
        .query::<Include>(
            "include",
            "`request` shows its request, made again from the event and the webhook as they are now.",
        )
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
        .refuses(ApiError::event_expunged(), "What its event said was removed on request.")
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

pub(crate) fn send() -> Operation {
    let about = "This event to this webhook, whatever that asks for, also where it was made after the event. It has its delivery then, as if it \
                 had asked for the event; where it has one already, retry that.";
    let only_for = Invalid::new("id", "an event that is not for one place alone");
    Operation::new("sendEvent", "Send an event to a webhook", about)
        .of::<Id<EventId>>("id", "The event's id.")
        .takes::<Send>()
        .answers::<Sent>(202, "Its delivery is due.")
        .refuses(ApiError::not_found("webhook"), "There is no such webhook.")
        .refuses(ApiError::conflict("this webhook has this event already"), "It has a delivery of this event already.")
        .refuses(ApiError::conflict("this webhook is disabled; enable it first"), "The webhook is disabled.")
        .refuses(ApiError::event_expunged(), "What the event said was removed on request.")
        .refuses(ApiError::unprocessable(only_for), "It is a test of a webhook, or tells how a job ended.")
        .refuses(
            ApiError::unprocessable(Invalid::new("webhook_id", "a webhook whose dialect sends invoice.paid")),
            "The webhook's dialect has no such type.",
        )
        .refuses(used_up(Quota::Retries, RETRIES_AT_ONCE), "More was sent by hand to this webhook than it may be.")
}

pub(crate) fn expunge() -> Operation {
    let about = "For good: from the event's row, and with it from all that shows it; what receivers have answered to its deliveries goes, too, \
                 since it may repeat it, and so do its tags. What waits is cancelled (`event_expunged`). All else of event and \
                 ledger stays, and its key stays used up: published again it is refused. After this has answered no POST starts from what is read after it; one \
                 that is under way is put on record. DynamoDB's stream holds what was written for 24 hours, and backups for as long as \
                 they are kept. It takes a second, and may be repeated.";
    Operation::new("expungeEvent", "Remove what an event says", about)
        .of::<Id<EventId>>("id", "The event's id.")
        .query::<Id<TenantId>>(
            "tenant_id",
            "Whose: with a provider key it must be there, with a tenant's key it must not.",
        )
        .answers_nothing(204, "It is removed.")
}
