//! The ledger's words.

use postrider_domain::attempt::Code;
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::endpoint::parking::Cause;

use crate::texts::ledger::{Advice, Ledger};

pub(super) const TEXTS: Ledger = Ledger {
    outcome,
    outcome_name,
    status,
    status_name: |status| match status {
        Status::Pending => "waiting",
        Status::Retrying => "trying again",
        Status::Succeeded => "delivered",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    },
    reason,
    cause: |cause| match cause {
        Cause::EndpointOutage => "Nobody answers at the webhook's URL; it goes out when somebody does.",
        Cause::RateLimit => {
            "More waits for the webhook than its rate limit lets through in a quarter of an hour; it goes out in its turn."
        }
    },
    statuses: [
        "Redirects are not followed: give the webhook the address to which this one points.",
        "It asks for a login: let our requests through without one, or give the webhook a header that it accepts.",
        "It refuses the request: a login, a firewall or your check of the signature may do so.",
        "It takes fewer requests than come: give the webhook a rate limit.",
        "It refuses the request. Its answer or its log says why; mostly the path of the address is wrong, or a check of the request says no.",
        "The server failed or was not available. Its log says why; once it is up, resend what has failed.",
    ],
    tls: [
        "Renew the certificate; check the server's clock.",
        "Get a certificate for the name in the URL, or send us the name that it is for.",
        "Use a public authority, and send the whole chain, not the leaf alone.",
        "Get another certificate.",
        "Configure one at the server.",
        "Enable TLS 1.2 or, better, 1.3; older ones are broken.",
        "Enable an ECDHE suite with AES-GCM or ChaCha20.",
        "Do without: Postrider has none. Every request is signed, which you can verify.",
        "The port answers in plain text; give the one of HTTPS.",
        "The server refused the handshake; its own log says more.",
        "The server, or something in front of it, cannot do TLS or hung up; its own log says more.",
    ],
    unknown: "This page does not know the word yet: the documentation tells what it means.",
};

fn outcome(code: Code) -> Advice {
    match code {
        Code::Succeeded => ("Your endpoint answered with a 2xx in time.", "Nothing is to be done."),
        Code::Status => (
            "Your endpoint answered with this status; only a 2xx counts as delivered.",
            "Look for the reason in its own log.",
        ),
        Code::TimedOut => (
            "No answer began within the webhook's time-out, counted from looking up the name.",
            "Answer first, work afterwards.",
        ),
        Code::DnsFailed => {
            ("The URL's host name does not resolve to an address.", "Check the name and its DNS records.")
        }
        Code::ConnectRefused => {
            ("Nothing accepts connections at the URL's address and port, or a firewall refuses ours.", "Check both.")
        }
        Code::ConnectTimeout => (
            "No connection, with its TLS, was made within the time-out; mostly a firewall drops ours silently.",
            "Have your firewall let ours through.",
        ),
        Code::TlsFailed => (
            "The TLS handshake failed, so nothing was sent.",
            "Mend what the error says, mostly the certificate or its chain.",
        ),
        Code::Reset => (
            "The connection broke off before an answer came; unless the error says that nothing had been sent, the request may have reached you.",
            "Look for a crash, a proxy or a firewall.",
        ),
        Code::InvalidResponse => (
            "What came back is not valid HTTP, or has more headers than are read.",
            "Look at what answers at that port.",
        ),
        Code::Blocked => (
            "The URL leads to a private or otherwise reserved address, or to a domain that the operator denies, to which nothing is sent.",
            "Use a public one.",
        ),
        Code::Internal => {
            ("We failed to make this attempt; it uses up none of yours and is made again.", "Nothing is to be done.")
        }
    }
}

fn outcome_name(code: Code) -> &'static str {
    match code {
        Code::Succeeded => "delivered",
        Code::Status => "another status",
        Code::TimedOut => "no answer in time",
        Code::DnsFailed => "name not found",
        Code::ConnectRefused => "connection refused",
        Code::ConnectTimeout => "no connection in time",
        Code::TlsFailed => "TLS failed",
        Code::Reset => "connection broke off",
        Code::InvalidResponse => "no valid HTTP",
        Code::Blocked => "address not allowed",
        Code::Internal => "our failure",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "Nothing was tried yet.",
        Status::Retrying => "An attempt failed, and another one follows.",
        Status::Succeeded => "Your endpoint accepted it.",
        Status::Failed => "No further attempt is made, but it can be resent.",
        Status::Cancelled => "It was cancelled: no further attempt is made.",
    }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::AttemptsExhausted => "Every attempt of the retry schedule failed; look at the last one's outcome.",
        Reason::EndpointGone => {
            "Your endpoint answered 410 Gone, so its webhook was disabled and nothing more is sent there."
        }
        Reason::EndpointDown => {
            "Nobody answered at your endpoint for as long as the retry schedule would have taken; recover what the webhook missed once somebody does."
        }
        Reason::InternalFailures => "We failed at it four times; this is our fault, not your endpoint's.",
        Reason::WebhookDisabled => {
            "The webhook was disabled when the attempt was due; set it active again and recover what it missed."
        }
        Reason::WebhookDeleted => "The webhook was deleted before the attempt was due.",
        Reason::TenantSuspended => {
            "The account was suspended when the attempt was due; what it missed can be recovered afterwards."
        }
        Reason::TenantDeleted => "The account was deleted; nobody gets it any more.",
        Reason::EventExpunged => "What the event said was removed on request, so there was nothing left to send.",
        Reason::EventExpired => {
            "The event was past its retention when the attempt was due, so there was nothing left to send."
        }
        Reason::CancelledByRequest => "Somebody cancelled it, alone or with all that waited for its webhook.",
    }
}
