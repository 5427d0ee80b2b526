//! Who changed what.

use crate::texts::changes::Changes;

pub(super) const TEXTS: Changes = Changes {
    title: "Changes",
    means: "Who has created, changed, paused, set active or deleted which webhook, the newest first.",
    none: "Nobody has changed anything",
    none_means: "Once somebody creates or changes a webhook, it stands here, with who it was.",
    none_here: "There is none among the newest events. Look among the older ones.",
    unseen: "This session does not see who changed what",
    unseen_means: "It is for some of the webhooks alone, and the list is of all of them. Whoever made your link can make one for all.",
    time: "Time",
    who: "Who",
    what: "What",
    this_session: "you, in this session",
    session: |id| format!("somebody in another session ({id})"),
    key: |id| format!("an API key ({id})"),
    postrider: "the sender itself",
    nobody_known: "unknown",
    created: "created",
    deleted: "deleted",
    enabled: "set active again",
    disabled: "paused",
    updated: |fields| format!("changed: {fields}"),
    updated_somehow: "changed",
    field: |name| {
        Some(match name {
            "url" => "address",
            "events" => "event types",
            "name" => "name",
            "description" => "description",
            "metadata" => "metadata",
            "content_type" => "content type",
            "headers" => "headers",
            "timeout_seconds" => "time-out",
            "retry_schedule" => "retry schedule",
            "rate_limit" => "rate limit",
            "filter" => "filter",
            "secret" => "secret",
            _ => return None,
        })
    },
    as_event: "Details",
    hear: "A webhook can be told of changes as well: subscribe it to webhook.*",
    unread: "It cannot be read just now.",
};
