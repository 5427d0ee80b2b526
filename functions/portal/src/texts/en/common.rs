//! What stands on every page.

use crate::texts::common::{Common, Enter};

pub(super) const TEXTS: Common = Common {
    portal: "Webhooks",
    skip: "Skip to the content",
    navigation: "Main",
    webhooks: "Webhooks",
    events: "Events",
    event_types: "Event types",
    jobs: "Jobs",
    doctor: "Signature doctor",
    changes: "Changes",
    sign_out: "Sign out",
    signed_out: "You are signed out",
    signed_out_means: "This session has ended. To come back, ask for a new link where you found this one.",
    signed_out_here: "This browser has forgotten the session. But the session itself could not be ended just now: it may go on until its time is over. Whoever made your link can end it.",
    back: "Back to where you came from",
    ends: "This session ends at",
    for_tenant: |name| format!("for {name}"),
    older: "Older",
    newest: "Newest",
    pages: "Pages",
    look_again: "Look again",
    copy: "Copy",
    copied: "Copied",
    save: "Save",
    cancel: "Cancel",
    errors: "Please look at these fields:",
    error: "Error",
    enter: Enter {
        title: "Your webhooks",
        means: "This link opens once. Continue to see your webhooks.",
        button: "Continue",
        used: "This link does not open any more",
        used_means: "A link opens once, and within a few minutes. Ask for a new one where you found this one.",
        already: "Another session goes on in this browser. A link that opens takes its place and ends it.",
        already_for: |name| {
            format!("A session for {name} goes on in this browser. A link that opens takes its place and ends it.")
        },
        go_on: "Stay in the session that goes on",
        go_on_for: |name| format!("Go on as {name}"),
    },
};
