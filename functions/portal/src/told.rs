//! What the portal says of the ledger's words, in English: `docs/outcomes.md` says the same, and a check holds both to it.

use postrider_domain::attempt::Code;
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::endpoint::parking::Cause;

use crate::texts::Language;
use crate::texts::ledger::{Ledger, STATUSES, TLS_ERRORS};

pub use crate::texts::ledger::Advice;

fn words() -> &'static Ledger {
    &Language::English.texts().ledger
}

/// What an outcome means, and what to do.
pub fn outcome(code: Code) -> Advice {
    (words().outcome)(code)
}

/// What a delivery's status means.
pub fn status(status: Status) -> &'static str {
    (words().status)(status)
}

/// Why a delivery failed or was cancelled.
pub fn reason(reason: Reason) -> &'static str {
    (words().reason)(reason)
}

/// What a delivery waits for.
pub fn cause(cause: Cause) -> &'static str {
    (words().cause)(cause)
}

/// What each kind of status that is no 2xx is called, and what to do.
pub fn statuses() -> impl Iterator<Item = (&'static str, &'static str)> {
    STATUSES.iter().map(|(called, _)| *called).zip(words().statuses)
}

/// By which words of its error each kind of trouble with TLS is known, and what to do.
pub fn tls() -> impl Iterator<Item = (&'static [&'static str], &'static str)> {
    TLS_ERRORS.into_iter().zip(words().tls)
}
