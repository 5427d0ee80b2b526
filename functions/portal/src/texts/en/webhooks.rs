//! The list of webhooks.

use crate::texts::webhooks::Webhooks;

pub(super) const TEXTS: Webhooks = Webhooks {
    title: "Webhooks",
    new: "New webhook",
    none: "There is no webhook yet",
    none_means: "A webhook is an address of yours to which events are sent as they happen. Create one to begin.",
    none_to_see: "This session sees no webhook.",
    none_on_page: "There is none on this page.",
    deleted: "The webhook is deleted.",
    asks_for: "Subscribed to",
    and_more: |count| format!("and {count} more"),
    filtered: "with a filter",
    disabled_since: "Nothing is sent since",
    down_since: "Nobody answers there since",
    draining_since: "It answers again; what has waited is being sent, since",
    limited_since: "More waits for it than its limit of requests lets through, since",
    failing_since: "All deliveries have failed since",
    picture: |name| format!("The last 24 hours of {name}: above the line what was delivered, below it what failed"),
    rate: |part| format!("{part} delivered in the last 24 hours"),
    nothing_sent: "Nothing was sent in the last 24 hours.",
    nothing_ended: "No delivery succeeded or failed in the last 24 hours.",
    waiting: |count| format!("{count} waiting"),
    last_failure: "Last failure:",
    no_failure: "No delivery is failed now.",
    not_counted: "This could not be counted just now.",
    show_all: "Show success rates and last failures",
};
