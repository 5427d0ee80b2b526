//! Headers of a webhook's owner's own, which are sent along. Their values can be tokens, so they are write-only: sealed at rest, and
//! shown as [`MASK`].

use std::collections::BTreeMap;

use crate::dialect;
use crate::hidden::MASK;
use crate::invalid::Invalid;
use crate::reserved_header::is_reserved;
use crate::secret::Secret;

/// Of one webhook.
pub const MAX_HEADERS: usize = 16;
/// Of a header's name.
pub const MAX_NAME_CHARS: usize = 1024;
/// Of a header's value: tokens are long.
pub const MAX_VALUE_CHARS: usize = 4096;
/// Of all names and values of one webhook: two tokens of the longest and what is around them. Its row is read for each attempt.
pub const MAX_BYTES: usize = 12 * 1024;

/// A header's value as a request gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenValue {
    /// The one that is there.
    Kept,
    /// Another one.
    New(Secret),
}

/// Whether a header is ours, the connection's or a signature's; `lower` is its name in lower case.
pub(crate) fn is_of_ours(lower: &str) -> bool {
    is_reserved(lower) || lower.starts_with("webhook-") || dialect::signs_in(lower)
}

/// Takes a request's `headers`: names in lower case, none of ours, values that cannot break out of their line.
///
/// # Errors
/// [`Invalid`] naming the header.
pub fn parse_headers(headers: BTreeMap<String, String>) -> Result<BTreeMap<String, GivenValue>, Invalid> {
    if headers.len() > MAX_HEADERS {
        return Err(Invalid::new("headers", format!("at most {MAX_HEADERS} headers")));
    }
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let mut taken = BTreeMap::new();
    for (name, value) in headers {
        let field = format!("headers.{name}");
        let lower = name.to_ascii_lowercase();
        if is_of_ours(&lower) {
            return Err(Invalid::new(field, "a header that Postrider does not set itself"));
        }
        if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.bytes().all(is_token) {
            return Err(Invalid::new(field, "a header name of letters, digits and hyphens"));
        }
        // HTTP/1 drops white space around a value, and HTTP/2 forbids it.
        let is_padded = value.trim() != value;
        if value.len() > MAX_VALUE_CHARS
            || is_padded
            || !value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
        {
            let expected = "visible ASCII characters, with no white space at either end";
            return Err(Invalid::new(field, format!("a value of at most {MAX_VALUE_CHARS} {expected}")));
        }
        let value = if value == MASK { GivenValue::Kept } else { GivenValue::New(Secret::stored(value)) };
        if taken.insert(lower, value).is_some() {
            return Err(Invalid::new(field, "each header once"));
        }
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(name: &str, value: &str) -> Result<BTreeMap<String, GivenValue>, Invalid> {
        let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        parse_headers(headers)
    }

    #[test]
    fn a_header_of_the_owners_own_is_taken_in_lower_case() {
        for name in ["Authorization", "x-team", "Cookie", "traceparent", "X_odd.name~"] {
            let value = GivenValue::New(Secret::stored("a\tb c".to_owned()));
            assert_eq!(taken(name, "a\tb c").unwrap(), BTreeMap::from([(name.to_lowercase(), value)]));
        }
        assert!(taken("x-empty", "").is_ok());
        assert!(taken(&"x".repeat(1024), "v").is_ok());
        assert!(taken("x-long", &"v".repeat(4096)).is_ok());
    }

    #[test]
    fn three_stars_keep_a_value_and_nothing_else_does() {
        assert_eq!(taken("X-Team", "***").unwrap()["x-team"], GivenValue::Kept);
        for value in ["", "*", "**", "****", "*** ***"] {
            assert_ne!(taken("X-Team", value).unwrap()["x-team"], GivenValue::Kept, "{value:?}");
        }
    }

    #[test]
    fn what_is_ours_or_the_connections_is_not_taken() {
        let of_ours = ["webhook-id", "Webhook-Anything", "User-Agent", "Content-Type"];
        let of_dialects = ["X-Nur-Signature", "x-nouvel-signature", "X-NETRAFLOW-SIGNATURE"];
        let hop_by_hop =
            ["Connection", "Proxy-Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"];
        let of_http = ["Host", "Content-Length", "Content-Encoding", "Accept-Encoding", "Expect", "HTTP2-Settings"];
        let of_proxies = ["Proxy-Authorization", "Proxy-Authenticate"];
        for name in of_ours.iter().chain(&of_dialects).chain(&hop_by_hop).chain(&of_http).chain(&of_proxies) {
            assert_eq!(taken(name, "x").unwrap_err().field, format!("headers.{name}"));
        }
    }

    #[test]
    fn no_header_breaks_out_of_its_line() {
        for name in ["", " ", "x team", "x:team", "x-team\r\nx-evil", "x-t\u{e9}am", "x\0", ":path", "x\u{7f}"] {
            assert!(taken(name, "x").is_err(), "{name:?}");
        }
        for value in
            [" a", "a ", "\ta", "a\t", " ", "a\r\nX-Evil: b", "a\nb", "a\rb", "a\0b", "\u{7f}", "\u{e9}", "\u{1b}[2J"]
        {
            assert!(taken("x-team", value).is_err(), "{value:?}");
        }
        assert!(taken(&"x".repeat(1025), "x").is_err());
        assert!(taken("x-team", &"x".repeat(4097)).is_err());
    }

    #[test]
    fn no_refusal_repeats_a_value() {
        for value in ["canary\u{e9}", " canary", &format!("canary{}", "x".repeat(4096))] {
            let refused = taken("x-team", value).unwrap_err();
            assert!(!format!("{refused:?} {refused}").contains("canary"), "{refused}");
        }
        assert!(!format!("{:?}", taken("x-team", "canary")).contains("canary"));
    }

    #[test]
    fn headers_are_sixteen_at_the_most_and_each_comes_once() {
        let many = |count: usize| (0..count).map(|i| (format!("x-{i}"), String::new())).collect();
        assert_eq!(parse_headers(many(16)).unwrap().len(), 16);
        assert!(parse_headers(many(17)).is_err());
        let twice = ["X-Team", "x-team"].map(|name| (name.to_owned(), "a".to_owned()));
        assert!(parse_headers(twice.into()).is_err());
    }
}
