//! The keys that somebody may have made of a secret: the right one, and those of the usual mistakes.

use zeroize::Zeroizing;

use super::written::any_base64;
use crate::invisible::is_visible;
use crate::secret::{KeyDerivation, Secret};

/// What secrets of our own making begin with, also where the whole text is the key.
const MADE: &str = "whsec_";

/// How a key was made of a secret, the right way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Making {
    /// As its dialect says.
    Right,
    /// The text was not decoded, and should have been.
    NotDecoded,
    /// The text was decoded, and should not have been; or what was given is decoded already.
    Decoded,
    /// A part was cut off, or put before it, where the whole text is the key.
    Cut,
    /// What stands around the secret, such as a line's end or quotes, was taken for a part of it.
    Untidy,
}

/// A key, and how it was made.
pub(super) struct Key {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) making: Making,
}

/// The keys that can be made of this secret, the right one first. None is empty: that would be anybody's.
pub(super) fn of(secret: &Secret, derivation: KeyDerivation) -> Vec<Key> {
    let text = secret.expose();
    let tidy = Zeroizing::new(tidied(text));
    let made = match derivation {
        KeyDerivation::WholeText => of_whole_text(text, &tidy),
        KeyDerivation::Base64After(prefix) => of_base64(text, &tidy, prefix),
    };
    let mut keys: Vec<Key> = Vec::new();
    for (making, bytes) in made {
        let Some(bytes) = bytes.map(Zeroizing::new).filter(|bytes| !bytes.is_empty()) else { continue };
        if keys.iter().all(|known| known.bytes != bytes) {
            keys.push(Key { bytes, making });
        }
    }
    keys
}

/// The right key alone.
pub(super) fn right(secret: &Secret, derivation: KeyDerivation) -> Option<Key> {
    of(secret, derivation).into_iter().find(|key| key.making == Making::Right)
}

type Made = Vec<(Making, Option<Vec<u8>>)>;

fn of_whole_text(text: &str, tidy: &str) -> Made {
    let rest = text.strip_prefix(MADE).unwrap_or(text);
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    vec![
        (Making::Right, bytes(text)),
        (Making::Decoded, any_base64(rest)),
        (Making::Decoded, any_base64(text)),
        (Making::Decoded, hex::decode(rest).ok()),
        (Making::Cut, bytes(rest)),
        (Making::Cut, Some([MADE, text].concat().into_bytes())),
        (Making::Untidy, bytes(tidy)),
    ]
}

/// Receivers' libraries take a secret with its prefix and without.
fn of_base64(text: &str, tidy: &str, prefix: &str) -> Made {
    let rest = text.strip_prefix(prefix).unwrap_or(text);
    let tidy = tidy.strip_prefix(prefix).unwrap_or(tidy);
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    vec![
        (Making::Right, KeyDerivation::decoded(rest)),
        (Making::NotDecoded, bytes(text)),
        (Making::NotDecoded, bytes(rest)),
        (Making::NotDecoded, Some([prefix, rest].concat().into_bytes())),
        (Making::Decoded, hex::decode(rest).ok()),
        (Making::Untidy, any_base64(tidy)),
    ]
}

/// A text without what is not seen in it, and without quotes around it.
fn tidied(text: &str) -> String {
    let visible: String = text.chars().filter(|c| is_visible(*c)).collect();
    visible.trim_matches(|c: char| "\"'`".contains(c)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn makings(text: &str, derivation: KeyDerivation, key: &[u8]) -> Vec<Making> {
        let keys = of(&Secret::stored(text.to_owned()), derivation);
        keys.into_iter().filter(|made| made.bytes.as_slice() == key).map(|made| made.making).collect()
    }

    #[test]
    fn each_way_to_a_key_has_its_name() {
        let decoded = any_base64(&TEXT[6..]).unwrap();
        let hex = hex::encode(&decoded);
        let standard = KeyDerivation::Base64After("whsec_");
        for (text, derivation, key, making) in [
            (TEXT, standard, decoded.as_slice(), Making::Right),
            (&TEXT[6..], standard, decoded.as_slice(), Making::Right),
            (TEXT, standard, TEXT.as_bytes(), Making::NotDecoded),
            (TEXT, standard, &TEXT.as_bytes()[6..], Making::NotDecoded),
            (&TEXT[6..], standard, TEXT.as_bytes(), Making::NotDecoded),
            (&hex, standard, decoded.as_slice(), Making::Decoded),
            (&format!("\"{TEXT}\"\n"), standard, decoded.as_slice(), Making::Untidy),
            (TEXT, KeyDerivation::WholeText, TEXT.as_bytes(), Making::Right),
            (TEXT, KeyDerivation::WholeText, decoded.as_slice(), Making::Decoded),
            (&TEXT[6..], KeyDerivation::WholeText, TEXT.as_bytes(), Making::Cut),
            (TEXT, KeyDerivation::WholeText, &TEXT.as_bytes()[6..], Making::Cut),
            (&format!("{TEXT}\r\n"), KeyDerivation::WholeText, TEXT.as_bytes(), Making::Untidy),
        ] {
            assert_eq!(makings(text, derivation, key), [making], "{text:?} {derivation:?}");
        }
    }

    #[test]
    fn no_key_is_empty() {
        for text in ["", "whsec_", " ", "\"\""] {
            for derivation in [KeyDerivation::WholeText, KeyDerivation::Base64After("whsec_")] {
                assert!(of(&Secret::stored(text.to_owned()), derivation).iter().all(|key| !key.bytes.is_empty()));
            }
        }
    }
}
