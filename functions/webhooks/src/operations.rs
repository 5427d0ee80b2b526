//! What the routes do, for the API's document.

use postrider_api::document::{Id, Nothing};
use postrider_api::{ApiError, Operation, Rotated, Rotation, RotationRequest};
use postrider_domain::dialect::NUR;
use postrider_domain::event::MAX_DATA_BYTES;
use postrider_domain::id::EndpointId;
use postrider_domain::invalid::Invalid;
use postrider_domain::quota::{Exceeded, LIST_BYTES, Quota, Quotas, RETRIES_AT_ONCE};
use postrider_domain::tenant::Plan;

use crate::previewed::Preview;
use crate::requests::{ChangeWebhook, CreateWebhook, PreviewEvent, TestWebhook};
use crate::view::{AllOrPage, BegunTest, Created, Webhook};

const OVERTAKEN: &str = "Others change this webhook at the same time.";
const LONG: &str = "The retry schedule would outlast the days for which events are kept.";

fn overtaken() -> ApiError {
    ApiError::conflict("this webhook is being changed by others at the same time; try again")
}

fn too_long() -> ApiError {
    let expected = "a retry schedule that ends within the 90 days for which events are kept";
    ApiError::unprocessable(Invalid::new("retry_schedule", expected))
}

pub(crate) fn disabled_webhook() -> ApiError {
    ApiError::conflict("this webhook is disabled; enable it first, or its test would only be cancelled")
}

fn used_up(quota: Quota, limit: u64) -> ApiError {
    Exceeded::until_given_back(quota, limit).into()
}

pub(crate) fn of_a_webhook(id: &'static str, summary: &'static str, about: &'static str) -> Operation {
    Operation::new(id, summary, about).of::<Id<EndpointId>>("id", "The webhook's id.")
}

pub(crate) fn create() -> Operation {
    let about = "Whatever is published from now on and matches `events` is sent to `url`, signed as the key's dialect signs. Keys of \
                 dialects whose endpoints come with jobs, and provider keys, get 403.";
    Operation::new("createWebhook", "Create a webhook", about)
        .repeatable()
        .takes::<CreateWebhook>()
        .answers::<Created<'static>>(201, "The webhook. Its secret is shown this once, where one was made.")
        .refuses(too_long(), LONG)
        .refuses(
            used_up(Quota::Webhooks, Quotas::of(Plan::Pro).webhooks),
            "The tenant has as many webhooks as it may have, or their list is as long as it may be.",
        )
}

pub(crate) fn list() -> Operation {
    let about = "Without parameters: all of them, and no `pagination`. With `limit` or `cursor`: a page.";
    Operation::new("listWebhooks", "List webhooks", about)
        .paged("Without `limit` and `cursor` all are shown.")
        .answers::<AllOrPage<'static>>(200, "All webhooks, or a page of them.")
        .refuses(
            ApiError::unprocessable(Invalid::new(
                "limit",
                "pages (such as 100): the whole list is too long for one answer",
            )),
            "The whole list is too long for one answer: ask for pages.",
        )
}

pub(crate) fn get() -> Operation {
    of_a_webhook("getWebhook", "Show a webhook", "").answers::<Webhook<'static>>(200, "The webhook.")
}

pub(crate) fn change() -> Operation {
    let about = "What is left out stays. A change that may have mended an outage has what waits for the webhook sent.";
    of_a_webhook("changeWebhook", "Change a webhook", about)
        .takes::<ChangeWebhook>()
        .answers::<Webhook<'static>>(200, "The webhook after the change.")
        .refuses(overtaken(), OVERTAKEN)
        .refuses(too_long(), LONG)
        .refuses(
            used_up(Quota::ListBytes, LIST_BYTES),
            "The list of the tenant's webhooks would be longer than it may be.",
        )
}

pub(crate) fn delete() -> Operation {
    let about = "Nothing more is sent to it, and what waits for it is cancelled. Its deliveries are shown for as long as any others.";
    of_a_webhook("deleteWebhook", "Delete a webhook", about)
        .answers_nothing(204, "It is deleted; from now on it is a 404.")
        .refuses(overtaken(), OVERTAKEN)
}

pub(crate) fn enable() -> Operation {
    let about = "The same as a change of its `status` to `active`: what is published from now on is sent to it. What it missed a recovery \
                 sends. Asking again changes nothing.";
    of_a_webhook("enableWebhook", "Enable a webhook", about)
        .may_take::<Nothing>()
        .answers::<Webhook<'static>>(200, "The webhook, which is active.")
        .refuses(overtaken(), OVERTAKEN)
}

pub(crate) fn disable() -> Operation {
    let about = "The same as a change of its `status` to `disabled`: nothing more is sent to it, and what waits for it or is published \
                 from now on is cancelled. Asking again changes nothing.";
    of_a_webhook("disableWebhook", "Disable a webhook", about)
        .may_take::<Nothing>()
        .answers::<Webhook<'static>>(200, "The webhook, which is disabled.")
        .refuses(overtaken(), OVERTAKEN)
}

pub(crate) fn rotate() -> Operation {
    let about = "The old secret goes on counting for the grace: the standard dialect signs with both, the others with the old one \
                 until the grace ends.";
    of_a_webhook("rotateWebhookSecret", "Give a webhook a new signing secret", about)
        .may_take::<RotationRequest>()
        .answers::<Rotated<'static>>(200, "The new secret, shown this once.")
        .refuses(Rotation::too_many(), "Four secrets count already, or others change this webhook at the same time.")
}

pub(crate) fn test() -> Operation {
    let about = "An event that goes to this webhook alone, whatever its `events` say, signed and tried as any other: attempted at once, \
                 also while deliveries wait for a webhook that is down, and then on its retry schedule; cancel the delivery to end that. It is \
                 marked as a test in the ledger, counts in no quota of events, is sent again by no recovery, and its failing is told to \
                 nobody. What its receiver answers counts for the webhook as any answer does.";
    of_a_webhook("testWebhook", "Send a webhook a test", about)
        .may_take::<TestWebhook>()
        .answers::<BegunTest<'static>>(202, "The test is kept, and will be sent.")
        .refuses(disabled_webhook(), "The webhook is disabled.")
        .refuses(ApiError::too_large("data", MAX_DATA_BYTES), format!("`data` has more than {MAX_DATA_BYTES} bytes."))
        .refuses(
            ApiError::unprocessable(Invalid::new("event", NUR.catalogue.types())),
            "The webhook's dialect has event types of its own, and this is none of them.",
        )
        .catalogued()
        .refuses(
            used_up(Quota::Retries, RETRIES_AT_ONCE),
            format!(
                "This webhook was tested, and its deliveries retried, {RETRIES_AT_ONCE} times at once, and once a second after that."
            ),
        )
}

pub(crate) fn preview() -> Operation {
    let about = "What a receiver would get of this event if it were published now, to the byte, with a signature that verifies, and why \
                 the webhook would not get it, if so. Nothing is sent or kept. Whoever may ask this may have anything signed by the \
                 webhook's secret.";
    of_a_webhook("previewDelivery", "Preview what a webhook would be sent", about)
        .takes::<PreviewEvent>()
        .answers::<Preview<'static>>(200, "The request, and whether it would be sent.")
        .refuses(ApiError::too_large("data", MAX_DATA_BYTES), format!("`data` has more than {MAX_DATA_BYTES} bytes."))
        .catalogued()
}
