//! One event: who got it, and why others did not.

use postrider_domain::withheld::NotDelivered;

use crate::texts::event::Event;

pub(super) const TEXTS: Event = Event {
    id: "Event id",
    time: "Time",
    tags: "Tags",
    test: "This is a test of one webhook, and goes to that one alone.",
    of_job: "This tells how a job ended. It goes to the address that came with the job, and to none of your webhooks.",
    webhooks: "Who got it, and who did not",
    no_webhook: "You have no webhook to which it could be sent",
    no_webhook_means: "Create a webhook that is subscribed to this type. Then this event can be sent to it from here.",
    new_webhook: "New webhook for this type",
    not_sent: |count| format!("{count} not sent"),
    not_sent_to_it: "not sent",
    under_way: "on its way",
    under_way_means: "It has just begun. Load this page again in a moment.",
    why: |reason| match reason {
        NotDelivered::Deleted => ("This webhook was deleted.", "Nothing is sent to it any more."),
        NotDelivered::Dialect => (
            "This webhook cannot get events of this type.",
            "It speaks a format that has types of its own. Another webhook can be subscribed to this one.",
        ),
        NotDelivered::CreatedLater => (
            "This webhook was created after the event.",
            "A webhook gets what happens from when it was created. You can send it this event now, or all that it missed.",
        ),
        NotDelivered::ChangedSince => (
            "This webhook was not subscribed to the event at that time.",
            "It would get it today: its event types or its filter were changed since. You can send it this event now, or all that it missed.",
        ),
        NotDelivered::NotSubscribed => (
            "This webhook is not subscribed to this type.",
            "Add the type to its events, and it gets those that come. This one you can send it now.",
        ),
        NotDelivered::Filtered => (
            "This webhook's filter does not let this event through.",
            "Change the filter if it should. This event you can send it now.",
        ),
    },
    at_what: "What the filter says:",
    is_disabled: "The webhook is paused. Set it active again first, then it can be sent this event.",
    taken: |attempts| {
        if attempts == 1 {
            "Your receiver accepted it at the first attempt.".to_owned()
        } else {
            format!("Your receiver accepted it; {attempts} attempts were made.")
        }
    },
    not_tried: "Nothing was tried yet.",
    tried: |attempts| {
        if attempts == 1 { "One attempt failed.".to_owned() } else { format!("{attempts} attempts failed.") }
    },
    next_attempt: "The next one is due at",
    attempts: "See what happened",
    to_job: "To the job's own address",
    deleted_webhooks: |count| {
        if count == 1 {
            "One webhook was deleted since".to_owned()
        } else {
            format!("{count} webhooks were deleted since")
        }
    },
    send: "Send it to this webhook now",
    mend_types: "Change its event types",
    mend_filter: "Change its filter",
    send_missed: "Send all that it missed",
    not_taken: "It was not sent.",
    more_webhooks: "More webhooks",
    data: "What it says",
    data_means: "This is data as it was published. Each webhook's format puts it into an envelope of its own.",
    expunged: "What this event said was removed on request, at",
    of_this_type: "All events of this type",
};
