//! Signing secrets: what they may look like, what key they give, and that no log ever shows one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use crate::invalid::Invalid;

const MAX_CHARS: usize = 256;
/// Sizes of a Standard Webhooks key in bytes (the specification, "Signature scheme").
const STANDARD_KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A signing secret in the clear. It shows itself to nobody but [`Secret::expose`], and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// How a dialect turns a secret into the key of its HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyDerivation {
    /// The UTF-8 of the whole secret, any prefix included.
    WholeText,
    /// The bytes whose base64 follows this prefix.
    Base64After(&'static str),
}

impl Secret {
    /// Takes a customer's secret, if the derivation can make a key of it.
    ///
    /// # Errors
    /// [`Invalid`] for `secret`; the text itself never stands in the error.
    pub fn parse(text: String, derivation: KeyDerivation) -> Result<Self, Invalid> {
        let secret = Self(Zeroizing::new(text));
        let printable =
            !secret.0.is_empty() && secret.0.chars().count() <= MAX_CHARS && !secret.0.chars().any(|c| c.is_control());
        let usable = match derivation {
            KeyDerivation::WholeText => true,
            KeyDerivation::Base64After(_) => STANDARD_KEY_BYTES.contains(&secret.key(derivation).len()),
        };
        if printable && usable { Ok(secret) } else { Err(Invalid::new("secret", derivation.expectation())) }
    }

    /// A secret of our own making from 32 random bytes.
    pub fn generate(random: &[u8; 32], derivation: KeyDerivation) -> Self {
        let prefix = match derivation {
            KeyDerivation::WholeText => "whsec_",
            KeyDerivation::Base64After(prefix) => prefix,
        };
        Self(Zeroizing::new(format!("{prefix}{}", BASE64.encode(random))))
    }

    /// A secret that was accepted before and comes back from storage.
    pub fn stored(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself: for its owner's one look, and for sealing.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The HMAC key; empty when the text is not what the derivation needs, which [`Secret::parse`] has ruled out.
    pub(crate) fn key(&self, derivation: KeyDerivation) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match derivation {
            KeyDerivation::WholeText => self.0.as_bytes().to_vec(),
            KeyDerivation::Base64After(prefix) => {
                self.0.strip_prefix(prefix).and_then(|rest| BASE64.decode(rest).ok()).unwrap_or_default()
            }
        })
    }
}

impl KeyDerivation {
    fn expectation(self) -> String {
        match self {
            Self::WholeText => format!("1 to {MAX_CHARS} characters, none of them a control character"),
            Self::Base64After(prefix) => format!("`{prefix}` and the base64 of 24 to 64 random bytes"),
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_it() {
        assert_eq!(format!("{:?}", Secret::stored("whsec_canary".into())), "Secret(redacted)");
    }

    #[test]
    fn the_same_text_gives_two_keys_by_derivation() {
        let secret = Secret::generate(&[7; 32], KeyDerivation::Base64After("whsec_"));
        assert_eq!(secret.key(KeyDerivation::Base64After("whsec_")).as_slice(), [7; 32]);
        assert_eq!(secret.key(KeyDerivation::WholeText).as_slice(), secret.expose().as_bytes());
    }

    #[test]
    fn what_gives_no_key_is_refused_without_being_repeated() {
        let after = KeyDerivation::Base64After("whsec_");
        for text in ["", "whsec_", "whsec_canary!!", "canarycanarycanary", "line\nbreak"] {
            let error = Secret::parse(text.into(), after).expect_err(text);
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        assert!(Secret::parse(String::new(), KeyDerivation::WholeText).is_err());
        assert!(Secret::parse("whsec_your_signing_secret".into(), KeyDerivation::WholeText).is_ok());
    }
}
