//! The keys that somebody may have made of a secret: the right one, and those of the usual mistakes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
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
    let tidy_rest = tidy.strip_prefix(MADE).unwrap_or(tidy);
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    vec![
        (Making::Right, bytes(text)),
        (Making::Decoded, any_base64(rest)),
        (Making::Decoded, any_base64(text)),
        (Making::Decoded, hex::decode(rest).ok()),
        (Making::Decoded, of_hex(text)),
        (Making::Cut, bytes(rest)),
        (Making::Cut, Some([MADE, text].concat().into_bytes())),
        (Making::Untidy, bytes(tidy)),
        (Making::Untidy, bytes(tidy_rest)),
        (Making::Untidy, Some([MADE, tidy_rest].concat().into_bytes())),
    ]
}

/// The text of a secret of our own making whose bytes are given in hex.
fn of_hex(text: &str) -> Option<Vec<u8>> {
    let bytes = Zeroizing::new(hex::decode(text).ok()?);
    Some([MADE, &BASE64.encode(&bytes)].concat().into_bytes())
}

/// Receivers' libraries take a secret with its prefix and without.
fn of_base64(text: &str, tidy: &str, prefix: &str) -> Made {
    let rest = text.strip_prefix(prefix).unwrap_or(text);
    let tidy = tidy.strip_prefix(prefix).unwrap_or(tidy);
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    // What is no base64 is what the secret's base64 stands for.
    let as_it_is = if KeyDerivation::decoded(rest).is_some() { Making::NotDecoded } else { Making::Decoded };
    vec![
        (Making::Right, KeyDerivation::decoded(rest)),
        (as_it_is, bytes(text)),
        (as_it_is, bytes(rest)),
        (Making::NotDecoded, Some([prefix, rest].concat().into_bytes())),
        (Making::Decoded, hex::decode(rest).ok()),
        (Making::Untidy, any_base64(tidy)),
    ]
}

/// A text without what is not seen in it, without quotes around it, and with its prefix once and in lower case.
fn tidied(text: &str) -> String {
    let visible: String = text.chars().filter(|c| is_visible(*c)).collect();
    let mut rest = visible.trim_matches(|c: char| "\"'`".contains(c));
    rest = rest.strip_prefix("v1,").unwrap_or(rest);
    let prefixed = |text: &str| text.get(..MADE.len()).is_some_and(|start| start.eq_ignore_ascii_case(MADE));
    let has_prefix = prefixed(rest);
    while prefixed(rest) {
        rest = &rest[MADE.len()..];
    }
    if has_prefix { format!("{MADE}{rest}") } else { rest.to_owned() }
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
            (&hex, KeyDerivation::WholeText, TEXT.as_bytes(), Making::Decoded),
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
