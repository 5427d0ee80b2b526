//! Signing secrets: what they may look like, what key they give, and that no log ever shows one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use crate::invalid::Invalid;
use crate::invisible::{is_invisible, is_visible};

/// A key that is its text: shorter ones can be guessed, offline and by anybody who received one body with its signature.
pub const MIN_VISIBLE_CHARS: usize = 16;
/// Of a secret.
pub const MAX_CHARS: usize = 256;
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
    /// Takes a customer's new secret, if the derivation can make a key of it that nobody guesses and every receiver can
    /// write down. Secrets that were taken under weaker rules go on: they come from storage.
    ///
    /// # Errors
    /// [`Invalid`] for `secret`; the text itself never stands in the error.
    pub fn parse(text: String, derivation: KeyDerivation) -> Result<Self, Invalid> {
        let secret = Self(Zeroizing::new(text));
        let text = secret.expose();
        // What is lost when a secret is copied, or trimmed on its way into a setting, gives another key.
        let is_copied_whole = text.chars().count() <= MAX_CHARS
            && text.trim() == text
            && !text.chars().any(|c| c.is_control() || is_invisible(c));
        let is_strong = match derivation {
            KeyDerivation::WholeText => text.chars().filter(|c| is_visible(*c)).count() >= MIN_VISIBLE_CHARS,
            KeyDerivation::Base64After(_) => {
                let key = secret.key(derivation);
                STANDARD_KEY_BYTES.contains(&key.len()) && key.iter().any(|byte| *byte != key[0])
            }
        };
        if is_copied_whole && is_strong { Ok(secret) } else { Err(Invalid::new("secret", derivation.expectation())) }
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
                self.0.strip_prefix(prefix).and_then(KeyDerivation::decoded).unwrap_or_default()
            }
        })
    }
}

impl KeyDerivation {
    /// The bytes whose base64 this is.
    pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
        BASE64.decode(text).ok()
    }

    fn expectation(self) -> String {
        match self {
            Self::WholeText => {
                format!("{MIN_VISIBLE_CHARS} to {MAX_CHARS} visible characters, with no white space at either end")
            }
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
    }

    fn is_taken(text: &str, derivation: KeyDerivation) -> bool {
        Secret::parse(text.into(), derivation).is_ok()
    }

    #[test]
    fn a_secret_that_is_its_own_key_is_long_and_visible() {
        let is_taken = |text: &str| is_taken(text, KeyDerivation::WholeText);
        let sixteen = "0123456789abcdef";
        for good in ["whsec_your_signing_secret", "whsec_your_secret", sixteen, "é語🙂 9876543210abc", &"x".repeat(256)]
        {
            assert!(is_taken(good), "{good}");
        }
        for weak in ["", "x", " ", "0", "whsec_", "\u{200b}", &sixteen[1..], "abcdefgh abcdefg", &"x".repeat(257)] {
            assert!(!is_taken(weak), "{weak:?}");
        }
        for odd in [
            " ",
            "\u{a0}",
            "\u{3000}",
            "\n",
            "\0",
            "\u{200b}",
            "\u{feff}",
            "\u{2060}",
            "\u{e0020}",
            "\u{2800}",
            "\u{1d159}",
        ] {
            assert!(!is_taken(&format!("{sixteen}{odd}")), "{odd:?} last");
            assert!(!is_taken(&format!("{odd}{sixteen}")), "{odd:?} first");
        }
        for unseen in ["\u{200b}", "\u{2800}", "\u{1d159}", "\u{3164}", "\u{202e}"] {
            assert!(!is_taken(&format!("{sixteen}{unseen}{sixteen}")), "{unseen:?}: what is not seen is not copied");
            assert!(!is_taken(&unseen.repeat(20)), "{unseen:?} alone");
        }
    }

    #[test]
    fn a_secret_in_base64_is_random_bytes() {
        let of = |bytes: &[u8]| format!("whsec_{}", BASE64.encode(bytes));
        let after = KeyDerivation::Base64After("whsec_");
        let counting: Vec<u8> = (0..65).collect();
        for (good, length) in [(false, 23), (true, 24), (true, 64), (false, 65)] {
            assert_eq!(is_taken(&of(&counting[..length]), after), good, "{length}");
        }
        for equal in [0, 7, 255] {
            assert!(!is_taken(&of(&[equal; 32]), after), "{equal}");
        }
        assert!(!is_taken(&format!("{} ", of(&counting[..32])), after));
    }
}
