//! The ledger's words: what each of them means, and what its reader should do. The English ones stand in `docs/outcomes.md` as well, word
//! for word, but for fields that it names in brackets; what stands between backquotes is shown as code.

use std::ops::RangeInclusive;

use postrider_domain::attempt::Code;
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::endpoint::parking::Cause;
use reqwest::StatusCode;

/// What happened, and what to do.
pub type Advice = (&'static str, &'static str);

/// As many kinds of statuses that are no 2xx are told apart.
pub(crate) const KINDS_OF_STATUSES: usize = 6;

/// What each kind is called, and which statuses are of it: where two fit, the first one counts.
pub(crate) const STATUSES: [(&str, RangeInclusive<u16>); KINDS_OF_STATUSES] = [
    ("300 to 399", 300..=399),
    ("401", 401..=401),
    ("403", 403..=403),
    ("429", 429..=429),
    ("400 to 499", 400..=499),
    ("500 to 599", 500..=599),
];

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
    /// What to do about each of [`STATUSES`].
    pub(crate) statuses: [&'static str; KINDS_OF_STATUSES],
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
        let told = match code {
            Code::TlsFailed => error.and_then(kind_of_tls).and_then(|kind| self.tls.get(kind)),
            Code::Status => status(outcome).and_then(kind_of_status).and_then(|kind| self.statuses.get(kind)),
            _ => None,
        };
        (happened, told.unwrap_or(&advice))
    }
}

/// The code of an outcome's name: of all statuses it is one.
pub(crate) fn code(outcome: &str) -> Option<Code> {
    let named = || Code::ALL.iter().copied().find(|code| *code != Code::Status && code.as_str() == outcome);
    if status(outcome).is_some() { Some(Code::Status) } else { named() }
}

fn status(outcome: &str) -> Option<u16> {
    outcome.strip_prefix("status_")?.parse().ok()
}

/// An answer's status as HTTP calls it: `503 Service Unavailable`.
pub(crate) fn status_in_words(outcome: &str) -> Option<String> {
    let status = status(outcome)?;
    let known = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    Some(known.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}")))
}

fn kind_of_status(status: u16) -> Option<usize> {
    STATUSES.iter().position(|(_, of_kind)| of_kind.contains(&status))
}

fn kind_of_tls(error: &str) -> Option<usize> {
    TLS_ERRORS.iter().position(|words| words.iter().any(|words| error.contains(words)))
}

#[cfg(test)]
mod tests {
    use crate::texts::Language;

    #[test]
    fn a_status_is_called_as_http_does_and_its_kind_says_what_to_do() {
        let words = &Language::English.texts().ledger;
        for (status, called, advice) in [
            (302, "302 Found", "Redirects are not followed"),
            (401, "401 Unauthorized", "It asks for a login"),
            (404, "404 Not Found", "mostly the path of the address is wrong"),
            (429, "429 Too Many Requests", "give the webhook a rate limit"),
            (503, "503 Service Unavailable", "The server failed or was not available"),
            (799, "799", "Look for the reason in its own log"),
        ] {
            let outcome = format!("status_{status}");
            assert_eq!(super::status_in_words(&outcome).as_deref(), Some(called));
            let told = words.advice(&outcome, None).1;
            assert!(told.contains(advice) && told.contains("edirect") == (status == 302), "{status}: {told}");
        }
        assert_eq!(super::status_in_words("timed_out"), None);
    }
}
