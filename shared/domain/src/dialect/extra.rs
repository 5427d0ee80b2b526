//! Dialects of an operator's own, as JSON: the same axes as the consts, so that a provider that signs in another header
//! or retries on another schedule needs no new code.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;

use super::{Catalogue, Dialect, SecretOf, SecretWhenNone};
use crate::attempt::SLOWEST_TIMEOUT;
use crate::event::TypeNames;
use crate::invalid::Invalid;
use crate::payload::BodyShape;
use crate::reserved_header::is_reserved;
use crate::retry::{Hints, RetryPolicy, check_schedule};
use crate::secret::KeyDerivation;
use crate::signature::{Content, Encoding, Signing};

/// How far a retry may be moved, either way, of its interval.
const MAX_JITTER_PERCENT: u8 = 50;

/// One dialect as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    key_prefix: String,
    signature: WrittenSignature,
    body: WrittenBody,
    timeout_seconds: u8,
    retry_seconds: Vec<u32>,
    #[serde(default)]
    jitter_percent: u8,
    #[serde(default)]
    honours_retry_after: bool,
    #[serde(default)]
    gone_disables: bool,
    #[serde(default)]
    makes_secrets: bool,
    #[serde(default)]
    disables_failing: bool,
    #[serde(default)]
    parks_outages: bool,
    events: Option<Vec<String>>,
    #[serde(default)]
    event_characters: String,
    user_agent: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSignature {
    header: String,
    #[serde(default)]
    prefix: String,
    encoding: WrittenEncoding,
    /// Where id and time are signed too, the headers that hold them.
    id_header: Option<String>,
    timestamp_header: Option<String>,
    /// Where the key is the base64 after a prefix, that prefix.
    base64_after: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenEncoding {
    Hex,
    Base64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenBody {
    IdEventDataTimestampWebhook,
    TypeTimestampData,
    DataAlone,
}

/// Reads a JSON list of dialects. Their texts live as long as the process, as the consts' do.
///
/// # Errors
/// [`Invalid`] naming the dialect and the field.
pub(super) fn read(json: &str) -> Result<Vec<&'static Dialect>, Invalid> {
    let written: Vec<Written> = serde_json::from_str(json)
        .map_err(|error| Invalid::new("dialects", format!("a JSON list of dialects; {error}")))?;
    written.into_iter().map(|one| one.check().map(|dialect| &*Box::leak(Box::new(dialect)))).collect()
}

impl Written {
    fn check(self) -> Result<Dialect, Invalid> {
        let named = |field: &str| format!("dialects.{}.{field}", self.name);
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let timeout = Duration::from_secs(self.timeout_seconds.into());
        if timeout.is_zero() || timeout > SLOWEST_TIMEOUT {
            return Err(Invalid::new(named("timeout_seconds"), "1 to 30"));
        }
        if !self.key_prefix.ends_with('_') || self.key_prefix.len() < 2 {
            return Err(Invalid::new(named("key_prefix"), "a prefix that ends with `_`"));
        }
        let headers =
            [Some(&self.signature.header), self.signature.id_header.as_ref(), self.signature.timestamp_header.as_ref()];
        if !headers.into_iter().flatten().all(|header| is_token(header)) || self.jitter_percent > MAX_JITTER_PERCENT {
            return Err(Invalid::new(
                named("signature"),
                "header names of letters, digits and hyphens; a jitter up to 50",
            ));
        }
        // A name that HTTP or Postrider sets would stand there twice, or not at all.
        let mut lower: Vec<_> = headers.into_iter().flatten().map(|header| header.to_ascii_lowercase()).collect();
        lower.sort();
        if lower.iter().any(|header| is_reserved(header)) || lower.windows(2).any(|two| two[0] == two[1]) {
            return Err(Invalid::new(named("signature"), "headers that differ, and none that HTTP or Postrider sets"));
        }
        if !self.user_agent.as_deref().is_none_or(is_user_agent) {
            return Err(Invalid::new(named("user_agent"), A_USER_AGENT));
        }
        check_schedule(&self.retry_seconds)
            .map_err(|invalid| Invalid::new(named("retry_seconds"), invalid.expected))?;
        let names = TypeNames::with(&named("event_characters"), keep(self.event_characters.clone()))?;
        let read = |name: &String| {
            names.read(name).map_err(|invalid| Invalid::new(named("events"), invalid.expected)).map(String::from)
        };
        let events = self.events.as_ref().map(|all| all.iter().map(read).collect::<Result<Vec<String>, Invalid>>());
        let events = events.transpose()?;
        let content = match (self.signature.id_header, self.signature.timestamp_header) {
            (None, None) => Content::Body,
            (Some(id), Some(timestamp)) => {
                Content::IdTimestampBody { id_header: keep(id), timestamp_header: keep(timestamp) }
            }
            _ => return Err(Invalid::new("dialects.signature", "both id_header and timestamp_header, or neither")),
        };
        Ok(Dialect {
            name: keep(self.name),
            key_prefix: keep(self.key_prefix),
            signing: Signing {
                header: keep(self.signature.header),
                content,
                encoding: match self.signature.encoding {
                    WrittenEncoding::Hex => Encoding::Hex,
                    WrittenEncoding::Base64 => Encoding::Base64,
                },
                prefix: keep(self.signature.prefix),
                key: match self.signature.base64_after {
                    Some(prefix) => KeyDerivation::Base64After(keep(prefix)),
                    None => KeyDerivation::WholeText,
                },
            },
            secret_when_none: if self.makes_secrets { SecretWhenNone::Made } else { SecretWhenNone::Unsigned },
            secret_of: SecretOf::Endpoint,
            registers: true,
            jobs: None,
            body: match self.body {
                WrittenBody::IdEventDataTimestampWebhook => BodyShape::IdEventDataTimestampWebhook,
                WrittenBody::TypeTimestampData => BodyShape::TypeTimestampData,
                WrittenBody::DataAlone => BodyShape::DataAlone,
            },
            own_content_type: true,
            timeout,
            retry: RetryPolicy {
                delays: Cow::Owned(self.retry_seconds),
                jitter_percent: self.jitter_percent,
                hints: Hints { retry_after: self.honours_retry_after, gone: self.gone_disables },
            },
            catalogue: match events {
                None => Catalogue::Open(names),
                Some(events) => {
                    Catalogue::Only(Box::leak(events.into_iter().map(keep).collect::<Vec<_>>().into_boxed_slice()))
                }
            },
            disables_failing: self.disables_failing,
            parks: self.parks_outages,
            user_agent: self.user_agent.map(keep),
        })
    }
}

const MAX_USER_AGENT_CHARS: usize = 128;

/// What a `User-Agent` may be, in words for an error.
pub(super) const A_USER_AGENT: &str = "1 to 128 visible ASCII characters, with no blank at either end";

/// Whether a text can be a `User-Agent`.
pub(super) fn is_user_agent(text: &str) -> bool {
    (1..=MAX_USER_AGENT_CHARS).contains(&text.len())
        && text.trim() == text
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn keep(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: &str = r#"[{"name": "acme", "key_prefix": "acme_", "body": "type_timestamp_data",
        "signature": {"header": "X-Acme-Sig", "prefix": "v9=", "encoding": "base64"},
        "timeout_seconds": 7, "retry_seconds": [61, 122], "events": ["order.paid"]}]"#;

    #[test]
    fn a_dialect_can_be_written_down() {
        let acme = read(ACME).unwrap()[0];
        assert_eq!(
            (acme.signing.header, acme.signing.prefix, acme.signing.encoding),
            ("X-Acme-Sig", "v9=", Encoding::Base64)
        );
        assert_eq!(acme.retry.delays.as_ref(), [61, 122]);
        assert_eq!(acme.catalogue, Catalogue::Only(&["order.paid"]));
        assert_eq!(acme.user_agent, None);
        let named = ACME.replace("\"body\"", "\"user_agent\": \"Acme-Hooks/2 (+https://acme.example)\", \"body\"");
        assert_eq!(read(&named).unwrap()[0].user_agent, Some("Acme-Hooks/2 (+https://acme.example)"));
    }

    #[test]
    fn a_dialect_may_have_names_of_its_own() {
        let slashed = ACME.replace("\"body\"", "\"event_characters\": \"/\", \"body\"");
        let listed = slashed.replace("order.paid", "orders/create");
        assert_eq!(read(&listed).unwrap()[0].catalogue, Catalogue::Only(&["orders/create"]));
        let open = slashed.replace(", \"events\": [\"order.paid\"]", "");
        assert_eq!(read(&open).unwrap()[0].catalogue, Catalogue::Open(TypeNames::with("", "/").unwrap()));
    }

    #[test]
    fn what_is_amiss_is_named() {
        for (from, to, field) in [
            ("\"timeout_seconds\": 7", "\"timeout_seconds\": 31", "dialects.acme.timeout_seconds"),
            ("61, 122", "0", "dialects.acme.retry_seconds"),
            ("acme_", "acme", "dialects.acme.key_prefix"),
            ("X-Acme-Sig", "X Acme", "dialects.acme.signature"),
            ("X-Acme-Sig", "User-Agent", "dialects.acme.signature"),
            ("X-Acme-Sig", "content-TYPE", "dialects.acme.signature"),
            (
                "X-Acme-Sig\"",
                "X-Id\", \"id_header\": \"x-id\", \"timestamp_header\": \"X-At\"",
                "dialects.acme.signature",
            ),
            (
                "X-Acme-Sig\"",
                "X-Sig\", \"id_header\": \"Host\", \"timestamp_header\": \"X-At\"",
                "dialects.acme.signature",
            ),
            ("\"body\"", "\"boddy\"", "dialects"),
            ("\"timeout_seconds\"", "\"user_agent\": \"Acme \", \"timeout_seconds\"", "dialects.acme.user_agent"),
            ("\"timeout_seconds\"", "\"user_agent\": \"\", \"timeout_seconds\"", "dialects.acme.user_agent"),
            ("\"timeout_seconds\"", "\"user_agent\": \"é\", \"timeout_seconds\"", "dialects.acme.user_agent"),
            ("order.paid", "orders/create", "dialects.acme.events"),
            ("order.paid", "an order", "dialects.acme.events"),
            ("\"body\"", "\"event_characters\": \"/*\", \"body\"", "dialects.acme.event_characters"),
            ("\"body\"", "\"event_characters\": \"# \", \"body\"", "dialects.acme.event_characters"),
        ] {
            assert_eq!(read(&ACME.replace(from, to)).unwrap_err().field, field);
        }
    }
}
