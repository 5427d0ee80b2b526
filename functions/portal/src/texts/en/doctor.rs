//! The signature doctor.

use postrider_domain::doctor::Cause;

use crate::texts::doctor::Doctor;

pub(super) const TEXTS: Doctor = Doctor {
    title: "Signature doctor",
    means: "Paste a request as your receiver got it. You learn whether it came from here, and if your own check says no, what is wrong with it.",
    nothing_kept: "Nothing of it is stored.",
    whose: "Whose secret",
    webhook: "Webhook",
    webhook_means: "The webhook that the request was for. Its own secret is tried, so you need not have it at hand.",
    no_webhook: "none: only the secret below",
    secret: "Secret that your receiver verifies with",
    secret_means: "Give it as well to learn whether your receiver has the right one.",
    neither: "Please choose a webhook, or paste a secret.",
    request: "The request",
    headers: "Headers",
    headers_means: "One in a line, such as webhook-id: evt_…; or as curl shows them, or as JSON.",
    no_headers: "Please paste the request's headers, one in a line.",
    bad_line: |number| format!("Line {number} is no header. A header is a name, a colon and a value."),
    bad_value: |name| format!("The value of {name} is no text."),
    body: "Body",
    body_means: "As it came, before any program read or changed it.",
    more: "More",
    line_ends: "A browser changes line ends in the field of the body, so those that may have been there are tried one after another.",
    base64: "The body above is in base64",
    base64_means: "So no byte is changed on its way here: base64 < body.json",
    no_base64: "This is no base64 of a text.",
    received: "When it was received",
    received_means: "In UTC. Some signatures hold for five minutes. Without a time, a request that you kept counts as old.",
    no_time: "Please give a day and a time, such as 2026-01-15 14:30.",
    ask: "Examine it",
    good: (
        "Yes: this came from us, unchanged.",
        "If your own check says no, it does not get these bytes, these headers or this secret.",
    ),
    good_by_secret: (
        "It was signed with this secret, and is unchanged.",
        "Whoever has the secret can do that. To learn whether it came from us, choose the webhook instead.",
    ),
    good_then: (
        "Yes: this came from us, unchanged.",
        "It was signed more than five minutes ago, as any request that was kept. To have its age judged as well, say below, under “More”, when it was received.",
    ),
    cause: |cause| match cause {
        Cause::WrongSecret => (
            "Almost: the secret is not this one.",
            "Either it was not copied to the letter, or the request was signed with another one. Use the one that was shown when the webhook was created or its secret rotated. If it is lost, rotate it.",
        ),
        Cause::SecretDecoded => (
            "Yes, but the secret was changed before it was used.",
            "Use it as it was shown, with all that it begins with, and do not decode it.",
        ),
        Cause::SecretNotDecoded => (
            "Yes, but the secret has to be decoded first.",
            "The key is what the base64 behind whsec_ stands for, and not the text.",
        ),
        Cause::BodyReserialised => (
            "Almost: the body was written anew.",
            "It says what we sent, in other bytes. Some program parsed the body and printed it again. Verify the bytes as they came, before any framework reads them.",
        ),
        Cause::BodyChanged => (
            "No: we did not send this body.",
            "It was changed, or somebody else made it up. Verify the bytes as they came, and look what stands between us and your receiver.",
        ),
        Cause::PrefixMissing => (
            "Almost: the beginning of the signature is missing.",
            "Compare the header's whole value, with what stands before the signature.",
        ),
        Cause::HeaderMissing => (
            "Nobody can tell: a header is missing.",
            "Without it nothing can be verified. See whether it was left out here, or whether a proxy drops or renames it.",
        ),
        Cause::TimestampOld => (
            "Yes, but the request is too old.",
            "The signature fits, but was made more than five minutes before it was received. That may be a replay; or your clock is fast.",
        ),
        Cause::TimestampInFuture => (
            "Yes, but the request is from the future.",
            "The signature fits, but its time is more than five minutes ahead. Your clock is slow, or seconds are compared with milliseconds.",
        ),
        Cause::WrongEncoding => (
            "Yes, but the signature is written in another way.",
            "Its bytes are right. Compare it in the encoding in which it was sent.",
        ),
        Cause::WrongDialect => (
            "Yes, but it is signed in another format.",
            "The request is for a webhook of another format. Choose that webhook, or verify it as that format is verified.",
        ),
        Cause::SecretRotated => (
            "Yes, but the secret was rotated.",
            "The request and the receiver have different ones of this webhook's secrets. Take both until the old one ends.",
        ),
        Cause::NoMatch => (
            "No: nothing shows that this came from us.",
            "Either the secret is another one, or the request was changed, or somebody else made it up. Choose the webhook to learn more.",
        ),
    },
    unknown_cause: "No: the signature does not fit.",
    exactly: "In detail",
    with_returns: "It fits with line ends of CR and LF, as a browser sends them and as they may have come.",
    without_last_line_end: "It fits without the line end at its end. Copying often adds one; if your receiver's text has it as well, that is why its check fails.",
    line_ends_tried: "The body has several lines. It was tried with both kinds of line ends, and none fits better. To leave no doubt, give it in base64, below under “More”.",
};
