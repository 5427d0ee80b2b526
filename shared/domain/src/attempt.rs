//! Attempts: one numbered try at a delivery, and what came of it.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hidden::Hidden;
use crate::invalid::Invalid;
use crate::invisible::is_invisible;
use crate::named;

/// No dialect waits longer for a receiver, nor can a webhook ask for it: functions' time-outs rest on this.
pub const SLOWEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What came of an attempt. An endpoint that fails is an outcome, never an error: an error means that we failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A status line came back in time.
    Responded {
        /// The status.
        status: u16,
        /// The receiver's Retry-After, already turned into a wait.
        retry_after: Option<Duration>,
    },
    /// No status line within the time-out, counted from name look-up.
    TimedOut,
    /// There was no conversation, or it broke off.
    Unreachable(Unreachable),
    /// The address is not one that we may send to.
    Blocked,
    /// Our own failure; it does not use up one of the endpoint's attempts.
    Internal,
}

/// What an outcome says of an endpoint, whatever becomes of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Somebody is there, and has looked at it.
    Alive,
    /// Nobody answers, or only somebody who cannot take anything.
    Down,
    /// It was not asked.
    Nothing,
}

/// Why there was no conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// The name has no address.
    DnsFailed,
    /// Nothing listens there.
    ConnectRefused,
    /// No connection within the connect limit.
    ConnectTimeout,
    /// The certificate or the handshake was no good.
    TlsFailed,
    /// The connection broke before a status line.
    Reset,
    /// What came back is no HTTP.
    InvalidResponse,
}

named! {
    /// What outcomes are called.
    pub enum Code {
        /// A 2xx.
        Succeeded = "succeeded",
        /// Any other status, which stands in the place of `<code>`.
        Status = "status_<code>",
        /// No status line within the time-out, counted from name look-up.
        TimedOut = "timed_out",
        /// The name has no address.
        DnsFailed = "dns_failed",
        /// Nothing listens there.
        ConnectRefused = "connect_refused",
        /// No connection within the connect limit.
        ConnectTimeout = "connect_timeout",
        /// The certificate or the handshake was no good.
        TlsFailed = "tls_failed",
        /// The connection broke before a status line.
        Reset = "reset",
        /// What came back is no HTTP.
        InvalidResponse = "invalid_response",
        /// The address is not one that may be sent to.
        Blocked = "blocked",
        /// Postrider's own failure; it uses up none of the endpoint's attempts.
        Internal = "internal",
    }
}

impl Outcome {
    /// Its name in the ledger, the API and the metrics.
    pub fn code(&self) -> String {
        let code = match self {
            Self::Responded { status: 200..=299, .. } => Code::Succeeded,
            Self::Responded { status, .. } => return Code::Status.as_str().replace("<code>", &status.to_string()),
            Self::TimedOut => Code::TimedOut,
            Self::Blocked => Code::Blocked,
            Self::Internal => Code::Internal,
            Self::Unreachable(why) => match why {
                Unreachable::DnsFailed => Code::DnsFailed,
                Unreachable::ConnectRefused => Code::ConnectRefused,
                Unreachable::ConnectTimeout => Code::ConnectTimeout,
                Unreachable::TlsFailed => Code::TlsFailed,
                Unreachable::Reset => Code::Reset,
                Unreachable::InvalidResponse => Code::InvalidResponse,
            },
        };
        code.as_str().to_owned()
    }

    /// The outcome as a dimension of metrics: of few values, since each is paid for.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Responded { status: 200..=299, .. } => "succeeded",
            Self::Responded { status: 300..=399, .. } => "status_3xx",
            Self::Responded { status: 400..=499, .. } => "status_4xx",
            Self::Responded { .. } => "status_5xx",
            Self::TimedOut => "timed_out",
            Self::Unreachable(_) => "unreachable",
            Self::Blocked => "blocked",
            Self::Internal => "internal",
        }
    }

    /// What it says of the endpoint itself.
    pub fn sign(&self) -> Sign {
        match self {
            Self::TimedOut | Self::Unreachable(_) | Self::Responded { status: 429 | 500..=599, .. } => Sign::Down,
            Self::Responded { .. } => Sign::Alive,
            Self::Blocked | Self::Internal => Sign::Nothing,
        }
    }

    /// The status, where one came back.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Responded { status, .. } => Some(*status),
            Self::TimedOut | Self::Unreachable(_) | Self::Blocked | Self::Internal => None,
        }
    }

    /// The receiver's wish to be left alone for a while, where it has a right to it (429 and 503).
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Responded { status: 429 | 503, retry_after } => *retry_after,
            Self::Responded { .. } | Self::TimedOut | Self::Unreachable(_) | Self::Blocked | Self::Internal => None,
        }
    }
}

/// What tells an attempt from every other, whatever number it has: eight random letters and digits. Whoever finds his mark
/// in a row knows that his record was made, although nobody told him so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mark(String);

impl Mark {
    /// From 64 random bits, of which about 47 are used.
    pub fn new(random: u64) -> Self {
        Self(crate::id::base62_fixed(u128::from(random), 8))
    }

    /// The mark as text: part of an attribute's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An attempt as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The row's counter, from 1 through every round of the delivery. A late attempt can share it with another.
    pub number: u32,
    /// What tells it from every other; attempts of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// Which of its endpoint's URLs it was made to.
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    pub url_version: u32,
    /// When it began.
    #[serde(with = "crate::time::as_wire")]
    pub at: Timestamp,
    /// How long it took, to the status line or the failure.
    pub duration_ms: u64,
    /// [`Outcome::code`].
    pub outcome: String,
    /// The status, where one came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// What went wrong, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The beginning of a failure's answer, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_excerpt: Option<String>,
    /// Where a redirect pointed: scheme, host and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_to: Option<String>,
    /// Some of a failure's headers, by their names in lower case ([`crate::kept_headers`]).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub response_headers: BTreeMap<String, String>,
}

impl Attempt {
    /// An attempt that we failed to make: nothing was sent.
    pub fn internal(number: u32, mark: Mark, at: Timestamp, why: impl Into<String>) -> Self {
        Self {
            number,
            mark: Some(mark),
            url_version: FIRST_URL_VERSION,
            at,
            duration_ms: 0,
            outcome: Outcome::Internal.code(),
            status_code: None,
            error: Some(why.into()),
            response_excerpt: None,
            redirect_to: None,
            response_headers: BTreeMap::new(),
        }
    }

    /// An attempt for tests, that was answered with this status.
    #[cfg(test)]
    pub(crate) fn answered(number: u32, mark: Mark, at: Timestamp, status: u16) -> Self {
        let outcome = Outcome::Responded { status, retry_after: None }.code();
        Self { outcome, status_code: Some(status), error: None, duration_ms: 7, ..Self::internal(number, mark, at, "") }
    }

    /// Whether the receiver took it.
    pub fn succeeded(&self) -> bool {
        self.outcome == "succeeded"
    }

    /// With no more of the answer than any attempt but a delivery's last keeps: late ones can be many.
    pub fn shortened(mut self) -> Self {
        self.response_excerpt = self.response_excerpt.and_then(|text| excerpt(&text, EXCERPT_BYTES));
        self
    }

    /// Without what its receiver answered, which may repeat what it was sent: what is left is Postrider's own word.
    #[must_use]
    pub fn without_answer(self) -> Self {
        Self { response_excerpt: None, redirect_to: None, response_headers: BTreeMap::new(), ..self }
    }

    /// As it is kept once it has left its delivery's row: what a receiver said of itself is worth a look while it is new, and would
    /// make each move dearer.
    #[must_use]
    pub fn without_headers(self) -> Self {
        Self { response_headers: BTreeMap::new(), ..self }
    }

    /// Whether both are one attempt: by its mark, or as a whole where it has none.
    pub fn is(&self, other: &Self) -> bool {
        if self.mark.is_some() && other.mark.is_some() { self.mark == other.mark } else { self == other }
    }

    /// Where it stands among its delivery's others.
    pub fn place(&self) -> Place {
        Place { at: self.at, number: self.number, mark: self.mark.clone() }
    }

    /// Whether there was a receiver to fail: what we failed at went nowhere.
    pub fn was_sent(&self) -> bool {
        self.outcome != Outcome::Internal.code()
    }

    /// When its answer, or its failure, was there.
    pub fn ended_at(&self) -> Timestamp {
        crate::time::plus_millis(self.at, i64::try_from(self.duration_ms).unwrap_or(i64::MAX))
    }
}

/// An attempt's place among its delivery's: by when it began, and then by what tells it from the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    at: Timestamp,
    number: u32,
    mark: Option<Mark>,
}

/// As a cursor holds it: the time, the number and, where there is one, the mark.
impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", crate::time::wire(self.at), self.number, self.mark.as_ref().map_or("", Mark::as_str))
    }
}

impl FromStr for Place {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let read = || {
            let (at, rest) = text.split_once(' ')?;
            let (number, mark) = rest.split_once(' ')?;
            let mark = (!mark.is_empty()).then(|| Mark(mark.to_owned()));
            Some(Self { at: at.parse().ok()?, number: number.parse().ok()?, mark })
        };
        read().ok_or_else(|| Invalid::new("cursor", "an attempt's place"))
    }
}

fn first_version() -> u32 {
    FIRST_URL_VERSION
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_first_version(version: &u32) -> bool {
    *version == FIRST_URL_VERSION
}

/// What is made of a redirect's Location, seen from the URL that was asked: where it points, without what a query or a user's
/// name may hold that is nobody's business, nor what is hidden. `None` where it is no place on the web. It may have been cut already,
/// and not be whole.
pub fn redirect_target(asked: &url::Url, (location, is_whole): (&str, bool), hidden: &Hidden) -> Option<String> {
    let mut to = asked.join(location).ok().filter(|to| matches!(to.scheme(), "https" | "http"))?;
    to.set_query(None);
    to.set_fragment(None);
    to.set_username("").ok()?;
    to.set_password(None).ok()?;
    let mut text = hidden.out_of(to.as_str(), is_whole);
    // The parser has left ASCII only, so any place is a character's edge, but one may stand in three.
    let cut_in_two = (1..=2).find(|back| text.as_bytes().get(REDIRECT_CHARS - back) == Some(&b'%'));
    if text.len() > REDIRECT_CHARS {
        text.truncate(REDIRECT_CHARS - cut_in_two.unwrap_or(0));
    }
    Some(text)
}

/// The number of the URL that an endpoint was made with.
pub const FIRST_URL_VERSION: u32 = 1;
/// What is kept of where a redirect pointed.
const REDIRECT_CHARS: usize = 256;

/// Bytes of a failure's answer that are kept.
pub const EXCERPT_BYTES: usize = 256;
/// The same for a delivery's last attempt.
pub const LAST_EXCERPT_BYTES: usize = 1024;

/// An answer's beginning as text that is safe to show: valid UTF-8, no control characters but line breaks and tabs, nothing
/// invisible. Markup stays: whoever shows it shows it as text.
pub fn legible(answer: &[u8]) -> String {
    let visible = |c: &char| (!c.is_control() || matches!(c, '\n' | '\t')) && !is_deceptive(*c);
    String::from_utf8_lossy(answer).chars().filter(visible).collect()
}

/// Of such a text what is kept: cut to `limit` bytes at a character's edge.
pub fn excerpt(text: &str, limit: usize) -> Option<String> {
    let edge = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= limit).last()?;
    Some(text[..edge].to_owned())
}

/// Line separators break lines where terminals do not; emoji keep the selector that colours them.
fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}') || (is_invisible(c) && c != '\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn excerpt_of(answer: &[u8], limit: usize) -> Option<String> {
        excerpt(&legible(answer), limit)
    }

    #[test]
    fn an_excerpt_is_clean_text_cut_at_a_characters_edge() {
        assert_eq!(excerpt_of(b"bad\x00 \x1b[31mrequest\r\n", 256).unwrap(), "bad [31mrequest\n");
        assert_eq!(excerpt_of("ééé".as_bytes(), 5).unwrap(), "éé");
        assert_eq!(excerpt_of(b"\xff\xfe", 256).unwrap(), "\u{fffd}\u{fffd}");
        assert_eq!(excerpt_of(b"", 256), None);
    }

    #[test]
    fn an_excerpt_reads_as_it_is_written() {
        let turned = "pay\u{202e}xe.exe\u{2066}\u{200b}\u{feff} now\u{2028}\u{e0041}\u{9b}31m";
        assert_eq!(excerpt_of(turned.as_bytes(), 256).unwrap(), "payxe.exe now31m");
        assert_eq!(excerpt_of("<b>سلام 👍".as_bytes(), 256).unwrap(), "<b>سلام 👍");
    }

    #[test]
    fn a_redirect_tells_nothing_of_what_was_sent() {
        let asked: url::Url = "https://example.com/hooks".parse().unwrap();
        let hidden = Hidden::new(vec![Secret::stored("Bearer s3cr3t/T0ken".to_owned())], Vec::new());
        for (location, told) in [
            ("/login/s3cr3t/T0ken/again", "https://example.com/login/***/again"),
            ("/login/Bearer%20s3cr3t%2Ft0ken", "https://example.com/login/***"),
            ("https://s3cr3t/T0ken", "https://***"),
            ("/login/s3cr3t?token=s3cr3t/T0ken", "https://example.com/login/s3cr3t"),
        ] {
            assert_eq!(redirect_target(&asked, (location, true), &hidden).as_deref(), Some(told), "{location}");
        }
        // Nor at the cut.
        let long = format!("/{}s3cr3t/T0ken", "x".repeat(228));
        assert_eq!(redirect_target(&asked, (&long, true), &hidden).unwrap().split_once("x***").unwrap().1, "");
        let cut = redirect_target(&asked, ("/login/s3cr3t/T0ken/Bear", false), &hidden);
        assert_eq!(cut.as_deref(), Some("https://example.com/login/***/***"));
    }

    #[test]
    fn a_redirect_is_told_without_what_its_url_hides() {
        let asked: url::Url = "https://user:pass@example.com/hooks?token=1".parse().unwrap();
        let redirect_target =
            |asked: &url::Url, location: &str| redirect_target(asked, (location, true), &Hidden::default());
        for (location, told) in [
            ("https://example.com/new?token=2#x", Some("https://example.com/new")),
            ("/elsewhere", Some("https://example.com/elsewhere")),
            ("//other.example:8443/a", Some("https://other.example:8443/a")),
            ("http://a:b@plain.example", Some("http://plain.example/")),
            ("next", Some("https://example.com/next")),
            ("/straße?a=b", Some("https://example.com/stra%C3%9Fe")),
            ("", Some("https://example.com/hooks")),
            ("?a=b", Some("https://example.com/hooks")),
            ("\\\\other.example\\x", Some("https://other.example/x")),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("https://", None),
        ] {
            assert_eq!(redirect_target(&asked, location).as_deref(), told, "{location}");
        }
        assert_eq!(redirect_target(&asked, &format!("/{}", "x".repeat(5000))).unwrap().len(), 256);
        for before in 0..4 {
            let long = redirect_target(&asked, &format!("/{}{}", "x".repeat(before), "ß".repeat(500))).unwrap();
            assert!((250..=256).contains(&long.len()) && !long[long.len() - 2..].contains('%'), "{long}");
        }
    }

    #[test]
    fn each_outcome_has_its_name_its_class_and_its_status() {
        let answered = |status| Outcome::Responded { status, retry_after: None };
        for (outcome, code, class, status) in [
            (answered(200), "succeeded", "succeeded", Some(200)),
            (answered(301), "status_301", "status_3xx", Some(301)),
            (answered(410), "status_410", "status_4xx", Some(410)),
            (answered(503), "status_503", "status_5xx", Some(503)),
            (answered(600), "status_600", "status_5xx", Some(600)),
            (Outcome::TimedOut, "timed_out", "timed_out", None),
            (Outcome::Unreachable(Unreachable::DnsFailed), "dns_failed", "unreachable", None),
            (Outcome::Unreachable(Unreachable::ConnectRefused), "connect_refused", "unreachable", None),
            (Outcome::Unreachable(Unreachable::ConnectTimeout), "connect_timeout", "unreachable", None),
            (Outcome::Unreachable(Unreachable::TlsFailed), "tls_failed", "unreachable", None),
            (Outcome::Unreachable(Unreachable::Reset), "reset", "unreachable", None),
            (Outcome::Unreachable(Unreachable::InvalidResponse), "invalid_response", "unreachable", None),
            (Outcome::Blocked, "blocked", "blocked", None),
            (Outcome::Internal, "internal", "internal", None),
        ] {
            assert_eq!((outcome.code().as_str(), outcome.class(), outcome.status()), (code, class, status));
        }
    }

    #[test]
    fn only_a_2xx_is_named_succeeded() {
        let code = |status| Outcome::Responded { status, retry_after: None }.code();
        assert_eq!(code(204), "succeeded");
        assert_eq!(code(302), "status_302");
    }
}
