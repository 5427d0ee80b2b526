//! Signing: HMAC-SHA256 along the axes that dialects differ in. It matches on axes, never on a provider's name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::secret::{KeyDerivation, Secret};

/// How a dialect signs, and in which headers it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The header that holds the signature.
    pub header: &'static str,
    /// What is signed.
    pub content: Content,
    /// How the 32 bytes of the signature are written.
    pub encoding: Encoding,
    /// What stands before each signature.
    pub prefix: &'static str,
    /// How a secret becomes a key.
    pub key: KeyDerivation,
}

impl Signing {
    /// The headers that it sets.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let others = match self.content {
            Content::Body => [None, None],
            Content::IdTimestampBody { id_header, timestamp_header } => [Some(id_header), Some(timestamp_header)],
        };
        others.into_iter().flatten().chain([self.header])
    }

    /// Whether one of both signs in a header that is the other's. The same header for an event's id, or a time, does no harm.
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        let is_of = |header: &str, signing: &Self| signing.names().any(|name| name.eq_ignore_ascii_case(header));
        is_of(self.header, other) || is_of(other.header, self)
    }
}

/// What the signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The body's bytes. The header takes one signature: during a rotation the old secret's, until its grace ends.
    Body,
    /// `id.timestamp.body`, with id and timestamp in headers of these names. The header takes several signatures,
    /// parted by spaces, so that a receiver can change its secret at any moment of a rotation.
    IdTimestampBody {
        /// The header of the event's id.
        id_header: &'static str,
        /// The header of the attempt's time, in seconds since 1970.
        timestamp_header: &'static str,
    },
}

/// How the signature's bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Lower-case hexadecimal.
    Hex,
    /// Base64 with padding.
    Base64,
}

impl Encoding {
    /// A signature's bytes, written so.
    pub(crate) fn of(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => BASE64.encode(bytes),
        }
    }

    /// The bytes that are written so, and in no other way.
    pub(crate) fn read(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => BASE64.decode(text).ok(),
        }
    }
}

/// The headers that sign this attempt, none when there is no secret.
///
/// `secrets` are those valid now, the newest first.
pub fn headers(
    signing: &Signing,
    secrets: &[Secret],
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    match signing.content {
        Content::Body => {
            secrets.last().map(|secret| vec![(signing.header, sign(signing, secret, &[body]))]).unwrap_or_default()
        }
        Content::IdTimestampBody { id_header, timestamp_header } => {
            let seconds = at.as_second().to_string();
            let parts: [&[u8]; 5] = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
            let signatures: Vec<_> = secrets.iter().map(|secret| sign(signing, secret, &parts)).collect();
            let mut headers = vec![(id_header, id.to_owned()), (timestamp_header, seconds.clone())];
            if !signatures.is_empty() {
                headers.push((signing.header, signatures.join(" ")));
            }
            headers
        }
    }
}

fn sign(signing: &Signing, secret: &Secret, parts: &[&[u8]]) -> String {
    let Some(mac) = mac(&secret.key(signing.key), parts) else { return String::new() };
    format!("{}{}", signing.prefix, signing.encoding.of(&mac.finalize().into_bytes()))
}

/// The signature over these parts, as it is compared: always there, since HMAC takes a key of any length.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{NUR, STANDARD};

    const BODY: &[u8] = br#"{"id":"evt_1","event":"dubbing.completed"}"#;

    /// `printf '%s' BODY | openssl dgst -sha256 -hmac whsec_golden`
    #[test]
    fn hex_over_the_body_with_the_whole_secret_as_openssl_signs_it() {
        let secret = Secret::stored("whsec_golden".into());
        let headers = headers(&NUR.signing, &[secret], "evt_1", Timestamp::UNIX_EPOCH, BODY);
        assert_eq!(headers, [("X-Nur-Signature", format!("sha256={}", NUR_GOLDEN))]);
    }
    const NUR_GOLDEN: &str = "28fc9e09e9de3216f722044e8a315964766d3f88701f01839111488a4ffd3bf0";

    /// `printf '%s' "evt_1.1700000000.BODY" | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707… -binary | base64`
    #[test]
    fn base64_over_id_timestamp_body_as_openssl_signs_it() {
        let secret = Secret::generate(&[7; 32], STANDARD.signing.key);
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let signed = headers(&STANDARD.signing, &[secret.clone(), secret], "evt_1", at, BODY);
        assert_eq!(signed[0], ("webhook-id", "evt_1".to_owned()));
        assert_eq!(signed[1], ("webhook-timestamp", "1700000000".to_owned()));
        let golden = format!("v1,{STANDARD_GOLDEN}");
        assert_eq!(signed[2], ("webhook-signature", format!("{golden} {golden}")));
    }
    const STANDARD_GOLDEN: &str = "tx4TvnuZrMcfDdR188ZKNFsb5LAmYa8gIIN7FIuoCEw=";

    #[test]
    fn without_a_secret_nothing_is_signed() {
        assert!(headers(&NUR.signing, &[], "evt_1", Timestamp::UNIX_EPOCH, BODY).is_empty());
    }
}
