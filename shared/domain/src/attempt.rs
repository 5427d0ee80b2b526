//! Attempts: one numbered try at a delivery, and what came of it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::invisible::is_invisible;

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

impl Outcome {
    /// Its name in the ledger, the API and the metrics.
    pub fn code(&self) -> String {
        let name = match self {
            Self::Responded { status: 200..=299, .. } => "succeeded",
            Self::Responded { status, .. } => return format!("status_{status}"),
            Self::TimedOut => "timed_out",
            Self::Blocked => "blocked",
            Self::Internal => "internal",
            Self::Unreachable(why) => match why {
                Unreachable::DnsFailed => "dns_failed",
                Unreachable::ConnectRefused => "connect_refused",
                Unreachable::ConnectTimeout => "connect_timeout",
                Unreachable::TlsFailed => "tls_failed",
                Unreachable::Reset => "reset",
                Unreachable::InvalidResponse => "invalid_response",
            },
        };
        name.to_owned()
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

    /// The status, where one came back.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Responded { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The receiver's wish to be left alone for a while, where it has a right to it (429 and 503).
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Responded { status: 429 | 503, retry_after } => *retry_after,
            _ => None,
        }
    }
}

/// An attempt as the ledger keeps and shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counted from 1 through every round of the delivery.
    pub number: u32,
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
}

/// Bytes of a failure's answer that are kept.
pub const EXCERPT_BYTES: usize = 256;
/// The same for a delivery's last attempt.
pub const LAST_EXCERPT_BYTES: usize = 1024;

/// An answer's beginning as text that is safe to show: valid UTF-8, no control characters but line breaks and tabs, nothing
/// invisible, cut to `limit` bytes at a character's edge. Markup stays: whoever shows it shows it as text.
pub fn excerpt(answer: &[u8], limit: usize) -> Option<String> {
    let visible = |c: &char| (!c.is_control() || matches!(c, '\n' | '\t')) && !is_deceptive(*c);
    let mut text = String::new();
    for c in String::from_utf8_lossy(answer).chars().filter(visible) {
        if text.len() + c.len_utf8() > limit {
            break;
        }
        text.push(c);
    }
    (!text.is_empty()).then_some(text)
}

/// Line separators break lines where terminals do not; emoji keep the selector that colours them.
fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}') || (is_invisible(c) && c != '\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_clean_text_cut_at_a_characters_edge() {
        assert_eq!(excerpt(b"bad\x00 \x1b[31mrequest\r\n", 256).unwrap(), "bad [31mrequest\n");
        assert_eq!(excerpt("ééé".as_bytes(), 5).unwrap(), "éé");
        assert_eq!(excerpt(b"\xff\xfe", 256).unwrap(), "\u{fffd}\u{fffd}");
        assert_eq!(excerpt(b"", 256), None);
    }

    #[test]
    fn an_excerpt_reads_as_it_is_written() {
        let turned = "pay\u{202e}xe.exe\u{2066}\u{200b}\u{feff} now\u{2028}\u{e0041}\u{9b}31m";
        assert_eq!(excerpt(turned.as_bytes(), 256).unwrap(), "payxe.exe now31m");
        assert_eq!(excerpt("<b>سلام 👍".as_bytes(), 256).unwrap(), "<b>سلام 👍");
    }

    #[test]
    fn only_a_2xx_is_named_succeeded() {
        let code = |status| Outcome::Responded { status, retry_after: None }.code();
        assert_eq!(code(204), "succeeded");
        assert_eq!(code(302), "status_302");
    }
}
