//! What somebody is told whose verification fails: what is wrong, and what to do. It never repeats what came.

use jiff::Timestamp;

use super::keys::Making;
use super::{Cause, OwnSecret};
use crate::dialect::Dialect;
use crate::secret::KeyDerivation;
use crate::signature::{Content, Encoding, Signing};
use crate::time;

/// The bytes as they came, before any parser: what half of all failures come down to.
const RAW: &str = "Verify the bytes of the body as they came, before any parser or framework reads them.";

/// Of what is wrong, as far as the cause alone tells.
pub(super) fn of(cause: Cause, signing: &Signing, making: Making, own: Option<&OwnSecret>) -> String {
    let header = signing.header;
    match cause {
        Cause::WrongSecret => "The secret is not copied to the letter: it has a blank, a line's end or quotes around it, or its base64 is \
                               written in another way. Use it as it was shown, and the signature fits."
            .to_owned(),
        Cause::SecretDecoded => decoded(signing, making),
        Cause::SecretNotDecoded => format!(
            "The signature was made with the secret's text as the key. The key is what the base64 {} stands for: decode it first.",
            after(signing)
        ),
        Cause::BodyReserialised => {
            format!("The body says what was sent, in other bytes: something parsed it and wrote it anew. {RAW}")
        }
        Cause::BodyChanged => format!("The signature is of another body than this one: its content was changed on the way. {RAW}"),
        Cause::PrefixMissing => format!(
            "The signature is the right one, but what stands before it is not `{}` alone: it is missing, doubled, or another. Compare the whole \
             value of `{header}` as it is sent, or cut the prefix off on both sides.",
            signing.prefix
        ),
        Cause::HeaderMissing => missing(&[header]),
        Cause::TimestampOld => "The signature fits, but its time is more than five minutes ago, which may be a replay. Check your clock; of a \
                                request that you kept, give the time at which it came as `now`."
            .to_owned(),
        Cause::TimestampInFuture => "The signature fits, but its time is more than five minutes ahead. Check the clock of the machine that \
                                     verifies, and that seconds are compared with seconds, not with milliseconds."
            .to_owned(),
        Cause::WrongEncoding => format!(
            "The bytes of the signature are right, and written in another way: `{header}` has {}. Compare in that encoding, or compare the \
             decoded bytes.",
            encoding(signing)
        ),
        Cause::WrongDialect => "The request is signed as another dialect signs: verify it in that one's way.".to_owned(),
        Cause::SecretRotated => own.map_or_else(not_signed_with_it_yet, |own| {
            format!(
                "The request was signed with a secret of this webhook that {}. What is sent now is signed with the present one: verify \
                 with that.",
                ended(own.until)
            )
        }),
        Cause::NoMatch => format!(
            "Either the secret is not the one that this request was signed with, or what is signed was changed on the way. Compare the \
             secret with the one that was shown when it was made or rotated; ask again with `webhook_id` to learn which of both it is. {RAW}"
        ),
    }
}

fn decoded(signing: &Signing, making: Making) -> String {
    match (signing.key, making) {
        (KeyDerivation::WholeText, Making::Cut) => {
            "The signature fits a secret that differs from this one by the `whsec_` before it. The whole text is the key, with all that \
             it begins with: use it as it was shown."
                .to_owned()
        }
        (KeyDerivation::WholeText, _) => "The signature was made with the bytes that this text stands for in base64 or hex. In this dialect the secret's \
                                          whole text is the key, as it was shown: do not decode it. If what you gave is that text encoded once \
                                          more, by a store of secrets for instance, decode it once."
            .to_owned(),
        (KeyDerivation::Base64After(_), _) => format!(
            "This is the secret after it was decoded, as text or in hex. Keep it as it was shown, and decode the base64 {} into the key's bytes.",
            after(signing)
        ),
    }
}

/// Where the base64 of a secret stands.
fn after(signing: &Signing) -> String {
    match signing.key {
        KeyDerivation::Base64After(prefix) if !prefix.is_empty() => format!("after `{prefix}`"),
        KeyDerivation::Base64After(_) | KeyDerivation::WholeText => "of it".to_owned(),
    }
}

fn encoding(signing: &Signing) -> String {
    let encoding = match signing.encoding {
        Encoding::Hex => "hexadecimal in lower case",
        Encoding::Base64 => "base64 with `+`, `/` and the padding `=`",
    };
    match signing.prefix {
        "" => format!("{encoding}, with nothing before it"),
        prefix => format!("{encoding} after `{prefix}`"),
    }
}

/// Of headers that are not there.
pub(super) fn missing(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "The request lacks {}, without which nothing can be verified. See whether a proxy or framework drops it, or renames it.",
        names.join(" and ")
    )
}

/// Of a header that holds no signature.
pub(super) fn no_signature(signing: &Signing) -> String {
    format!(
        "`{}` holds nothing that can be a signature, which is 32 bytes in {}. See whether it was cut short, masked or quoted, or came as a \
         list.",
        signing.header,
        encoding(signing)
    )
}

/// Of a time that is none.
pub(super) fn no_timestamp(name: &str) -> String {
    format!(
        "`{name}` does not say the time in whole seconds since 1970, as it is sent. See whether a proxy or framework rewrites it."
    )
}

/// Of a request that is another dialect's.
pub(super) fn of_dialect(found: &Dialect, expected: &Dialect) -> String {
    format!(
        "The request is signed as the dialect `{}` signs, in `{}`, and not as `{}` does. Verify it in that dialect's way, or see whether \
         it was for another webhook.",
        found.name, found.signing.header, expected.name
    )
}

/// Of a good request.
pub(super) fn good(until: Option<Timestamp>) -> String {
    let rotation = until.map(|until| {
        format!(" It was signed with the secret before the last rotation, which counts until {}.", time::wire(until))
    });
    format!(
        "The signature fits. If your own check fails on this request, it is not given these bytes, these headers or this secret. {RAW}{}",
        rotation.unwrap_or_default()
    )
}

/// Of a webhook without a secret.
pub(super) fn unsigned() -> String {
    "This webhook has no secret, so what is sent to it is not signed, and nothing proves who sent it. Rotate its secret to have it \
     signed from then on."
        .to_owned()
}

/// Of a secret that a receiver still has.
pub(super) fn rotated_out(own: &OwnSecret) -> String {
    format!(
        "The secret is one of this webhook that {}. Verify with the one that the rotation showed.",
        ended(own.until)
    )
}

fn ended(until: Option<Timestamp>) -> String {
    until.map_or_else(|| "was replaced".to_owned(), |until| format!("was replaced, and ended at {}", time::wire(until)))
}

/// Of a receiver that has the new secret already.
pub(super) fn not_signed_with_it_yet() -> String {
    "The secret is this webhook's, but the request is signed with the one before it, which a rotation lets count until its grace ends. \
     Accept both until then."
        .to_owned()
}

/// Of a secret that is none of the webhook's, on a request that is not its either.
pub(super) fn of_another_webhook() -> String {
    "The request fits the secret, but neither is this webhook's: both are of another one. Ask with that webhook's id."
        .to_owned()
}

/// Of a secret that is none of the webhook's.
pub(super) fn not_this_webhooks() -> String {
    "The secret is none of this webhook's. Use the one that was shown when the webhook was made or its secret rotated; rotate it if \
     that one is lost."
        .to_owned()
}

/// Of a request whose body is what was sent.
pub(super) fn signed_by_another(signing: &Signing) -> String {
    let or_else = match signing.content {
        Content::Body => String::new(),
        Content::IdTimestampBody { id_header, timestamp_header } => {
            format!(
                " That is, unless `{id_header}` or `{timestamp_header}`, which are signed too, were changed on the way."
            )
        }
    };
    format!(
        "The signature was made with a secret that is none of this webhook's. See whether the request was for another webhook, or was not \
         sent by us.{or_else}"
    )
}

/// Of a request that none of a webhook's secrets explains, where it is not known what was sent.
pub(super) fn changed_or_of_another(signing: &Signing) -> String {
    let signed = match signing.content {
        Content::Body => "the body".to_owned(),
        Content::IdTimestampBody { id_header, timestamp_header } => {
            format!("the body, `{id_header}` or `{timestamp_header}`")
        }
    };
    format!(
        "No secret of this webhook fits, and no event is known that the request would be of. So {signed} is not what was sent, or the request \
         was not for this webhook: its event may be of another stack, or no longer kept. {RAW}"
    )
}
