//! What a delivery says its body is.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// What every delivery says whose webhook asks for nothing else.
pub const DEFAULT: &str = "application/json";
/// Of a content type.
pub const MAX_CHARS: usize = 128;
/// What one may be, as a pattern.
pub const PATTERN: &str = r"^application/(json|[0-9a-z][0-9a-z!#$&^_.+-]*\+json)$";

/// A webhook's own: `application/json`, or the type of some format that is JSON (RFC 6839), in lower case and without parameters, since
/// a receiver compares texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentType(String);

impl ContentType {
    /// What one may be, in words for an error.
    pub const EXPECTED: &str = "`application/json` or `application/…+json`, in lower case and without parameters";

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The names of RFC 6838, section 4.2.
fn is_of_json(text: &str) -> bool {
    let in_lower_case = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    let in_name = |b: u8| in_lower_case(b) || b"!#$&^_.+-".contains(&b);
    let Some(subtype) = text.strip_prefix("application/").filter(|_| text.len() <= MAX_CHARS) else { return false };
    let format = subtype.strip_suffix("+json").map(str::as_bytes);
    subtype == "json"
        || format
            .is_some_and(|name| name.first().is_some_and(|b| in_lower_case(*b)) && name.iter().all(|b| in_name(*b)))
}

impl TryFrom<String> for ContentType {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        if is_of_json(&text) { Ok(Self(text)) } else { Err(Invalid::new("content_type", Self::EXPECTED)) }
    }
}

impl From<ContentType> for String {
    fn from(content_type: ContentType) -> Self {
        content_type.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_taken(text: &str) -> bool {
        ContentType::try_from(text.to_owned()).is_ok()
    }

    #[test]
    fn json_and_what_is_json_is_taken() {
        for good in [
            DEFAULT,
            "application/cloudevents+json",
            "application/vnd.acme.v1+json",
            "application/0a!#$&^_.+-b+json",
            "application/a+json+json",
            &format!("application/{}+json", "x".repeat(MAX_CHARS - 17)),
        ] {
            assert!(is_taken(good), "{good}");
        }
    }

    #[test]
    fn what_is_anything_else_is_not() {
        for bad in [
            "",
            "application/",
            "application/+json",
            "application/*+json",
            "application/json+xml",
            "application/xml",
            "application/jsonp",
            "application/json;charset=utf-8",
            "application/json; charset=utf-8",
            "application/vnd.acme+json;v=1",
            " application/json",
            "application/json ",
            "application/json\r\nx-evil: 1",
            "application/a b+json",
            "application/a/b+json",
            "application/.a+json",
            "application/\u{e9}+json",
            "Application/json",
            "application/JSON",
            "application/cloudevents+JSON",
            "text/json",
            "application/json,application/json",
            &format!("application/{}+json", "x".repeat(MAX_CHARS - 16)),
        ] {
            assert!(!is_taken(bad), "{bad:?}");
        }
    }
}
