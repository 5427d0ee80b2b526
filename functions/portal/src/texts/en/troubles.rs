//! What a page says that cannot show what was asked for.

use crate::texts::troubles::Troubles;

pub(super) const TEXTS: Troubles = Troubles {
    ended: (
        "Please ask for a new link",
        "There is no session here, or it has ended. A new link leads back in: you get it where you found the last one.",
    ),
    forbidden: (
        "This session may not do that",
        "It was made without this right. Whoever made your link can make one with more.",
    ),
    not_found: ("It is not there", "It does not exist, or it was deleted, or this session does not see it."),
    no_page: ("There is no such page", "The address leads nowhere. Perhaps it was not copied as a whole."),
    no_method: ("This address does not take that", "It was called in a way that it does not know."),
    forged: (
        "This form did not come from here",
        "It was sent from another page, or from an earlier session. Nothing was changed. Please go back, load the page again, and send it from there.",
    ),
    refused: ("That was not taken", "Nothing was changed."),
    too_long: ("That is too long", "Nothing was changed. What you sent is longer than a form may be."),
    busy: ("There is too much to do at the moment", "Please wait for a moment, then try it again."),
    failed: (
        "Something went wrong here",
        "It is not your fault. Please try it again in a moment; if you sent something, look first whether it has arrived.",
    ),
    kept_busy: "There is too much to do at the moment. What you typed is still here: please wait for a moment, then send it again.",
    kept_failed: |id| {
        format!(
            "Something went wrong here, and it is not your fault. What you typed is still here: look first whether it has arrived, then send it again. If you ask for help, name this request: `{id}`"
        )
    },
    typed: "What you typed",
    typed_means: "Copy from here what you still need.",
    reason: "The reason:",
    reference: "If you ask for help, name this request:",
    to_start: "To your webhooks",
};
