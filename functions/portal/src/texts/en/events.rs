//! The list of events.

use postrider_domain::delivery::Status;

use crate::texts::events::Events;

pub(super) const TEXTS: Events = Events {
    title: "Events",
    means: "All that happened, the newest first, also what none of your webhooks is subscribed to. Open an event to see who got it, and why others did not.",
    find: "Find an event",
    find_means: "By its id. Your receiver gets it as the header webhook-id, or as id in the body.",
    id: "Event id",
    find_it: "Find",
    not_found: |id| format!("There is no event {id}. It may be misspelt, or too old to be kept."),
    narrow: "Filter this list",
    event_type: "Event type",
    event_type_means: |one| format!("Its whole name, such as {one}"),
    since: "From",
    until: "Before",
    in_utc: "in UTC",
    no_time: "Please give a day and a time, such as 2026-01-15 14:30.",
    show: "Show",
    show_all: "Show all",
    time: "Time",
    event: "Event",
    deliveries: "Deliveries",
    test: "test",
    count: |status, count| match status {
        Status::Pending => format!("{count} waiting"),
        Status::Retrying => format!("{count} trying again"),
        Status::Succeeded => format!("{count} delivered"),
        Status::Failed => format!("{count} failed"),
        Status::Cancelled => format!("{count} cancelled"),
    },
    nobody: "not sent: see why",
    unread: "open it to see",
    nothing_amiss: "nothing undelivered",
    undelivered_alone: "You have so many webhooks that this list shows only what was not delivered. Open an event to see all of its deliveries.",
    none: "There is no event yet",
    none_means: "Events appear here a moment after they happen. To see one arrive, open a webhook and send it a test.",
    none_such: "There is no such event",
    none_such_means: "Give a longer time, another type, or nothing at all.",
    none_here: "There is none among the newest events. Look among the older ones.",
};
