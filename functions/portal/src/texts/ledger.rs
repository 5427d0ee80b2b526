//! The ledger's words: what each of them means, and what its reader should do. The English ones stand in `docs/outcomes.md` as well, word
//! for word; what stands between backquotes is shown as code.

use postrider_domain::attempt::Code;
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::endpoint::parking::Cause;

/// What happened, and what to do.
pub type Advice = (&'static str, &'static str);

/// As many kinds of trouble with TLS are told apart.
pub(crate) const KINDS_OF_TLS: usize = 11;

/// By which words of an attempt's error each kind is known.
pub(crate) const TLS_ERRORS: [&[&str]; KINDS_OF_TLS] = [
    &["has expired", "is not valid yet"],
    &["is for another host name"],
    &["self-signed", "unknown authority", "an authority's own", "came without its intermediate"],
    &["has been revoked", "is broken", "not for servers"],
    &["no TLS certificate"],
    &["neither TLS 1.2 nor TLS 1.3"],
    &["no cipher, key exchange or signature in common"],
    &["asks for a client certificate"],
    &["does not speak TLS"],
    &["does not know the URL's host name", "with alert"],
    &["broke the rules of TLS", "TLS handshake failed"],
];

/// See above.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) outcome: fn(Code) -> Advice,
    /// What an outcome is called in few words.
    pub(crate) outcome_name: fn(Code) -> &'static str,
    pub(crate) status: fn(Status) -> &'static str,
    pub(crate) status_name: fn(Status) -> &'static str,
    pub(crate) reason: fn(Reason) -> &'static str,
    pub(crate) cause: fn(Cause) -> &'static str,
    /// What to do about each of [`TLS_ERRORS`].
    pub(crate) tls: [&'static str; KINDS_OF_TLS],
    /// What stands in the place of a word that this version does not know.
    pub(crate) unknown: &'static str,
}

impl Ledger {
    /// What an attempt came to, and what to do. Where its error tells more, so does the advice.
    pub(crate) fn advice(&self, outcome: &str, error: Option<&str>) -> Advice {
        let Some(code) = code(outcome) else { return (self.unknown, "") };
        let (happened, advice) = (self.outcome)(code);
        let of_tls = || error.and_then(kind_of_tls).and_then(|kind| self.tls.get(kind));
        (happened, if code == Code::TlsFailed { of_tls().unwrap_or(&advice) } else { advice })
    }
}

/// The code of an outcome's name: of all statuses it is one.
pub(crate) fn code(outcome: &str) -> Option<Code> {
    let is_status = outcome.strip_prefix("status_").is_some_and(|status| status.parse::<u16>().is_ok());
    let named = || Code::ALL.iter().copied().find(|code| *code != Code::Status && code.as_str() == outcome);
    if is_status { Some(Code::Status) } else { named() }
}

fn kind_of_tls(error: &str) -> Option<usize> {
    TLS_ERRORS.iter().position(|words| words.iter().any(|words| error.contains(words)))
}
