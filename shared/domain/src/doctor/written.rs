//! Signatures as they stand in a header, right or not quite: what bytes each can stand for, and what is amiss with how it is written.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;

use crate::signature::{Content, Signing};

/// Signatures of a header that are looked at: a rotation has four at the most.
const MAX_SIGNATURES: usize = 16;
/// How far into a text a prefix of another scheme may reach, such as `hmac-sha256=`.
const MAX_PREFIX_CHARS: usize = 16;
/// An HMAC-SHA256's.
const BYTES: usize = 32;

/// Base64 of either alphabet, with padding or without.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// How a signature is written, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Writing {
    /// As it is sent.
    Right,
    /// In another encoding, or with something before it where nothing belongs.
    OtherEncoding,
    /// Without the prefix that belongs before it, or with another.
    OtherPrefix,
}

/// What one signature of a header can stand for.
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    pub(super) writing: Writing,
}

/// All that the signatures of this header's value can stand for.
pub(super) fn read(signing: &Signing, value: &str) -> Vec<Written> {
    let entries: Vec<&str> = match signing.content {
        Content::Body => vec![value.trim()],
        Content::IdTimestampBody { .. } => value.split_whitespace().take(MAX_SIGNATURES).collect(),
    };
    entries.into_iter().flat_map(|entry| read_one(signing, entry)).collect()
}

fn read_one(signing: &Signing, entry: &str) -> Vec<Written> {
    if let Some(rest) = entry.strip_prefix(signing.prefix)
        && let Some(bytes) = decoded(rest)
    {
        let is_right = signing.encoding.of(&bytes) == rest;
        return vec![Written { bytes, writing: if is_right { Writing::Right } else { Writing::OtherEncoding } }];
    }
    let writing = if signing.prefix.is_empty() { Writing::OtherEncoding } else { Writing::OtherPrefix };
    let cut = entry.char_indices().take(MAX_PREFIX_CHARS).filter(|(_, c)| "=,: ".contains(*c));
    let rests = cut.map(|(at, _)| &entry[at + 1..]).chain([entry]);
    rests.filter_map(decoded).map(|bytes| Written { bytes, writing }).collect()
}

/// The 32 bytes that a text stands for: in hex or base64 of any kind, in quotes, escaped for a URL, or as the base64 of the hex.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || "\"'".contains(c));
    let text = percent_decode_str(text).decode_utf8().ok()?;
    let of_length = |bytes: Vec<u8>| Some(bytes).filter(|bytes| bytes.len() == BYTES);
    let from_hex = |text: &[u8]| hex::decode(text).ok().and_then(of_length);
    let bytes = || any_base64(&text);
    from_hex(text.as_bytes()).or_else(|| bytes().and_then(of_length)).or_else(|| bytes().and_then(|hex| from_hex(&hex)))
}

/// What a text of base64 says, in either alphabet, padded or not.
pub(super) fn any_base64(text: &str) -> Option<Vec<u8>> {
    PLAIN.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{NOUVEL, NUR, STANDARD};

    fn writings(signing: &Signing, value: &str) -> Vec<(Vec<u8>, Writing)> {
        read(signing, value).into_iter().map(|written| (written.bytes, written.writing)).collect()
    }

    #[test]
    fn a_signature_is_read_however_it_is_written() {
        use Writing::{OtherEncoding, OtherPrefix, Right};
        let bytes: Vec<u8> = (0..32).map(|n| 0xe0 | n).collect();
        let (hex, base64) = (hex::encode(&bytes), PLAIN.encode(&bytes));
        let url_safe = base64.replace('+', "-").replace('/', "_");
        for (signing, value, writing) in [
            (&NUR.signing, format!("sha256={hex}"), Right),
            (&NUR.signing, format!("  sha256={hex} "), Right),
            (&NUR.signing, format!("sha256={}", hex.to_uppercase()), OtherEncoding),
            (&NUR.signing, format!("sha256={base64}"), OtherEncoding),
            (&NUR.signing, hex.clone(), OtherPrefix),
            (&NUR.signing, format!("SHA256={hex}"), OtherPrefix),
            (&NUR.signing, format!("v1,{hex}"), OtherPrefix),
            (&NOUVEL.signing, hex.clone(), Right),
            (&NOUVEL.signing, format!("sha256={hex}"), OtherEncoding),
            (&NOUVEL.signing, PLAIN.encode(&hex), OtherEncoding),
            (&STANDARD.signing, format!("v1,{base64}"), Right),
            (&STANDARD.signing, format!("v1,{url_safe}"), OtherEncoding),
            (&STANDARD.signing, format!("v1,{}", base64.trim_end_matches('=')), OtherEncoding),
            (&STANDARD.signing, format!("v1,{}", base64.replace('=', "%3D")), OtherEncoding),
            (&STANDARD.signing, format!("v1,{hex}"), OtherEncoding),
            (&STANDARD.signing, base64.clone(), OtherPrefix),
            (&STANDARD.signing, format!("v1={base64}"), OtherPrefix),
        ] {
            assert_eq!(writings(signing, &value), [(bytes.clone(), writing)], "{value}");
        }
        let two = writings(&STANDARD.signing, &format!("v1,{base64} {base64}"));
        assert_eq!(two.iter().map(|(_, writing)| *writing).collect::<Vec<_>>(), [Right, OtherPrefix]);
    }

    #[test]
    fn what_is_no_signature_is_none_and_of_many_the_first_are_read() {
        for nothing in ["", "v1,", "v1,AAAA", "sha256=", "=====", "é%"] {
            assert!(writings(&STANDARD.signing, nothing).is_empty() && writings(&NUR.signing, nothing).is_empty());
        }
        let many = vec![format!("v1,{}", PLAIN.encode([7; 32])); 1000].join(" ");
        assert_eq!(writings(&STANDARD.signing, &many).len(), MAX_SIGNATURES);
    }
}
