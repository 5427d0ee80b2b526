//! A receiver's side of a webhook: whether what came is signed with the secret that it knows.
//!
//! It says yes or no, and at what it looked. Why a signature does not fit is for the doctor to find out, who takes far longer.

use jiff::Timestamp;

use crate::doctor::TOLERANCE_SECONDS;
use crate::secret::Secret;
use crate::signature::{self, Content, Signing};

/// Signatures of a header that are looked at. Postrider sends as many as secrets count, and four do at the most.
const MAX_SIGNATURES: usize = 8;

/// Why a receiver refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A header of the signature is missing.
    Unsigned,
    /// The time that is signed is more than five minutes away, or none.
    Untimely,
    /// No signature is one of this secret over this body.
    WrongSignature,
}

impl Refusal {
    /// What it is, in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "a header of the signature is missing",
            Self::Untimely => "the time that is signed is more than five minutes away",
            Self::WrongSignature => "the signature was not made with this receiver's secret, or over another body",
        }
    }
}

/// Looks at a request as a receiver does that holds this secret. `header` tells a header's value, whatever the case of its name.
///
/// # Errors
/// [`Refusal`].
pub fn verify<'r>(
    signing: &Signing,
    secret: &Secret,
    header: impl Fn(&str) -> Option<&'r str>,
    body: &[u8],
    at: Timestamp,
) -> Result<(), Refusal> {
    let there = |name: &str| header(name).filter(|value| !value.is_empty()).ok_or(Refusal::Unsigned);
    let signed = there(signing.header)?;
    let mac = match signing.content {
        Content::Body => signature::mac(&secret.key(signing.key), &[body]),
        Content::IdTimestampBody { id_header, timestamp_header } => {
            let (id, time) = (there(id_header)?, there(timestamp_header)?);
            let seconds: i64 = time.parse().map_err(|_| Refusal::Untimely)?;
            if at.as_second().abs_diff(seconds) > TOLERANCE_SECONDS.unsigned_abs() {
                return Err(Refusal::Untimely);
            }
            let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", body];
            signature::mac(&secret.key(signing.key), &parts)
        }
    };
    let Some(mac) = mac else { return Err(Refusal::WrongSignature) };
    let signatures = signed.split(' ').take(MAX_SIGNATURES);
    let bytes = signatures.filter_map(|one| signing.encoding.read(one.strip_prefix(signing.prefix)?));
    // Each in constant time.
    let fits = |bytes: Vec<u8>| hmac::Mac::verify_slice(mac.clone(), &bytes).is_ok();
    if bytes.map(fits).fold(false, |any, fits| any | fits) { Ok(()) } else { Err(Refusal::WrongSignature) }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::dialect::{NETRAFLOW, NUR, STANDARD};

    const BODY: &[u8] = br#"{"type":"invoice.paid"}"#;

    fn secret(byte: u8, signing: &Signing) -> Secret {
        Secret::generate(&[byte; 32], signing.key)
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    /// What a receiver says that knows the second of these secrets, of a request that is signed with the first ones.
    fn verified(
        signing: &Signing,
        by: &[u8],
        known: u8,
        change: impl Fn(&mut Vec<(String, String)>),
    ) -> Result<(), Refusal> {
        let secrets: Vec<_> = by.iter().map(|byte| secret(*byte, signing)).collect();
        let signed = signature::headers(signing, &secrets, "evt_1", now(), BODY);
        let mut headers: Vec<(String, String)> =
            signed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        change(&mut headers);
        let header = |name: &str| {
            headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        verify(signing, &secret(known, signing), header, BODY, now())
    }

    #[test]
    fn what_is_signed_as_deliveries_are_verifies_in_every_layout() {
        for dialect in [STANDARD, NUR, NETRAFLOW] {
            assert_eq!(verified(&dialect.signing, &[7], 7, |_| {}), Ok(()), "{}", dialect.name);
            assert_eq!(verified(&dialect.signing, &[7], 8, |_| {}), Err(Refusal::WrongSignature), "{}", dialect.name);
        }
    }

    #[test]
    fn during_a_rotation_either_secret_is_good() {
        for known in [7, 8] {
            assert_eq!(verified(&STANDARD.signing, &[7, 8], known, |_| {}), Ok(()));
        }
        assert_eq!(verified(&STANDARD.signing, &[7, 8], 9, |_| {}), Err(Refusal::WrongSignature));
    }

    #[test]
    fn no_secret_no_header_and_no_bytes_are_no_signature() {
        let signing = &STANDARD.signing;
        assert_eq!(verified(signing, &[], 7, |_| {}), Err(Refusal::Unsigned));
        for name in signing.names() {
            let gone = verified(signing, &[7], 7, |headers| headers.retain(|(known, _)| known != name));
            let empty = verified(signing, &[7], 7, |headers| {
                headers.iter_mut().filter(|(known, _)| known == name).for_each(|(_, value)| value.clear());
            });
            assert_eq!((gone, empty), (Err(Refusal::Unsigned), Err(Refusal::Unsigned)), "{name}");
        }
        for nonsense in ["v1,", "v1,!!", "v2,AAAA", "v1", &"v1,AAAA ".repeat(2_000)] {
            let told = verified(signing, &[7], 7, |headers| nonsense.clone_into(&mut headers[2].1));
            assert_eq!(told, Err(Refusal::WrongSignature), "{nonsense:.20}");
        }
    }

    #[test]
    fn an_altered_request_is_refused() {
        for place in 0..2 {
            let told = verified(&STANDARD.signing, &[7], 7, |headers| headers[place].1 = "1700000001".to_owned());
            assert_eq!(told, Err(Refusal::WrongSignature), "{place}");
        }
    }

    #[test]
    fn a_request_of_another_time_is_refused() {
        let signing = &STANDARD.signing;
        let signed = signature::headers(signing, &[secret(7, signing)], "evt_1", now(), BODY);
        let header = |name: &str| signed.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        let at =
            |seconds| verify(signing, &secret(7, signing), header, BODY, now() + SignedDuration::from_secs(seconds));
        assert_eq!([at(-300), at(300)], [Ok(()); 2]);
        assert_eq!([at(-301), at(301)], [Err(Refusal::Untimely); 2]);
        let told = verified(signing, &[7], 7, |headers| headers[1].1 = "yesterday".to_owned());
        assert_eq!(told, Err(Refusal::Untimely));
    }
}
