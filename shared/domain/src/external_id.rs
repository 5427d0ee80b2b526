//! The provider's own ids of its tenants, by which its systems name them without remembering ours.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// Of an external id.
pub const MAX_CHARS: usize = 128;
/// What every external id looks like, as a regular expression.
pub const PATTERN: &str = "^[0-9A-Za-z_.-]{1,128}$";

/// A tenant's id in its provider's own systems: 1 to 128 letters, digits, `_`, `-` and `.`. One tenant has it at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExternalId(String);

impl ExternalId {
    /// What stands before it in a path, where one of our ids could stand.
    pub const IN_A_PATH: &'static str = "ext:";

    /// What is expected of one.
    pub fn expected() -> String {
        format!("1 to {MAX_CHARS} letters, digits, `_`, `-` and `.`")
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ExternalId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_one = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if (1..=MAX_CHARS).contains(&text.len()) && text.bytes().all(is_one) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new("external_id", Self::expected()))
    }
}

impl TryFrom<String> for ExternalId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<ExternalId> for String {
    fn from(id: ExternalId) -> Self {
        id.0
    }
}

impl std::fmt::Display for ExternalId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_in_a_path_as_it_is_can_be_one() {
        for text in ["a", "Acme_Inc.-7", "...", &"x".repeat(MAX_CHARS)] {
            assert_eq!(text.parse::<ExternalId>().unwrap().as_str(), text);
        }
        for text in ["", "a b", "a/b", "a%20", "ext:a", "ä", "a\n", "#", &"x".repeat(MAX_CHARS + 1)] {
            assert_eq!(text.parse::<ExternalId>().unwrap_err().field, "external_id", "{text}");
        }
    }

    #[test]
    fn its_pattern_says_how_long_it_may_be() {
        assert!(PATTERN.contains(&format!("{{1,{MAX_CHARS}}}")));
    }
}
