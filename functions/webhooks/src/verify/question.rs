//! What is asked: a request as it was received, and whose secrets it is held to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use postrider_api::document::{DialectName, GivenTime, Id, JsonSchema, Left};
use postrider_api::{ApiError, Fields};
use postrider_domain::dialect::{self, DialectRef};
use postrider_domain::doctor::{MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_HEADERS, MAX_SECRET_CHARS};
use postrider_domain::id::EndpointId;
use postrider_domain::invalid::Invalid;
use postrider_domain::secret::Secret;
use postrider_domain::time;
use serde_json::{Value, json};

/// Whose secrets a request is held to.
pub(crate) enum Whose {
    /// Somebody's who verifies with this one.
    Receiver(Secret),
    /// A webhook's of this id, beside the one that its receiver has.
    Webhook(String, Option<Secret>),
}

/// What is asked, each field checked by itself.
pub(crate) struct Question {
    pub(crate) dialect: Option<DialectRef>,
    pub(crate) whose: Whose,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) now: Option<Timestamp>,
}

impl Question {
    pub(crate) fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let dialects: Vec<_> = dialect::all().map(|dialect| dialect.name).collect();
        let dialect = fields.take_value("dialect", &format!("one of {}", dialects.join(", ")))?;
        let secret: Option<String> = fields.take_value("secret", "a string")?;
        let webhook_id: Option<String> = fields.take_value("webhook_id", "a webhook's id")?;
        let headers = headers(fields.require("headers", "an object of strings: the headers by name")?)?;
        let body: String = fields.require("body", "a string: the body as it was received")?;
        let now: Option<String> = fields.take_value("now", "an RFC 3339 time")?;
        fields.finish()?;
        if body.len() > MAX_BODY_BYTES {
            return Err(ApiError::too_large("body", MAX_BODY_BYTES));
        }
        let whose = match (webhook_id, secret.map(check_secret).transpose()?) {
            (Some(id), secret) => Whose::Webhook(id, secret),
            (None, Some(secret)) => Whose::Receiver(secret),
            (None, None) => {
                return Err(Invalid::new("secret", "the secret that you verify with, or `webhook_id`, or both").into());
            }
        };
        let now = now.map(|text| time::parse("now", &text)).transpose()?;
        Ok(Self { dialect, whose, headers, body, now })
    }
}

/// Whatever somebody takes for a secret may be one; it is not repeated.
fn check_secret(text: String) -> Result<Secret, Invalid> {
    if (1..=MAX_SECRET_CHARS).contains(&text.chars().count()) {
        return Ok(Secret::stored(text));
    }
    Err(Invalid::new("secret", format!("1 to {MAX_SECRET_CHARS} characters")))
}

fn headers(given: BTreeMap<String, Value>) -> Result<Vec<(String, String)>, ApiError> {
    let text = |(name, value): (String, Value)| match value {
        Value::String(value) => Ok((name, value)),
        _ => Err(Invalid::new(format!("headers.{name}"), "a string")),
    };
    let given: BTreeMap<String, String> = given.into_iter().map(text).collect::<Result<_, _>>()?;
    let bytes: usize = given.iter().map(|(name, value)| name.len() + value.len()).sum();
    if given.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        let expected = format!("at most {MAX_HEADERS} headers, and {MAX_HEADER_BYTES} bytes in all");
        return Err(Invalid::new("headers", expected).into());
    }
    let names: BTreeSet<_> = given.keys().map(|name| name.trim().to_ascii_lowercase()).collect();
    if names.len() < given.len() {
        return Err(Invalid::new("headers", "each name once, whatever its case").into());
    }
    Ok(given.into_iter().collect())
}

/// A request that was received, to be verified.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "nothing is made of it but its schema")]
#[schemars(deny_unknown_fields, example = received())]
pub(crate) struct VerifyRequest {
    /// In which dialect it is signed: the webhook's where nothing is said, or else the one whose header is there.
    #[schemars(with = "Left<DialectName>")]
    dialect: (),
    /// The secret that you verify with, as you have it. This or `webhook_id` must be there, and both may be.
    #[schemars(with = "Left<String>", length(min = 1, max = MAX_SECRET_CHARS), example = &"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: (),
    /// The webhook that it was for: its own secrets are tried, and what was sent is compared where the event is still there.
    #[schemars(with = "Left<Id<EndpointId>>")]
    webhook_id: (),
    /// Its headers by name, in whatever case; 32768 bytes in all at the most. Only those that take part in the signature matter.
    #[schemars(
        with = "BTreeMap<String, String>",
        extend("maxProperties" = MAX_HEADERS),
        example = BTreeMap::from([("x-nur-signature", "sha256=344480a81adf3d785159105ea93de0c8a3081dd3b9a84d59037c068b1c7df0df")]),
    )]
    headers: (),
    /// Its body as it was received, character for character: at most 263168 bytes.
    #[schemars(with = "String", length(max = MAX_BODY_BYTES), example = &"{\"id\":\"evt_4Qz7Lm2Np8Rs5Tv1Wx3Y\"}")]
    body: (),
    /// When it was verified; now where nothing is said. A time that is signed may be five minutes off.
    #[schemars(with = "Left<GivenTime>")]
    now: (),
}

/// The request that the guide shows, with the secret that everybody knows.
fn received() -> Value {
    json!({
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "headers": {
            "webhook-id": "evt_4Qz7Lm2Np8Rs5Tv1Wx3Y",
            "webhook-timestamp": "1768487401",
            "webhook-signature": "v1,0o2ksCpXU+zwVw02VxKWz5heN0uK+Vcuk7YoxXZ4urw=",
        },
        "body": "{\"type\":\"invoice.paid\",\"timestamp\":\"2026-01-15T14:30:00.000Z\",\"data\":{\"invoice\":4711,\"amount\":\"19.90\"}}",
        "now": "2026-01-15T14:30:01Z",
    })
}

#[cfg(test)]
mod tests {
    use postrider_api::document::fields_of;

    use super::*;

    fn read(value: &Value) -> Result<Question, ApiError> {
        Question::read(Fields::read(&serde_json::to_vec(value).unwrap()).unwrap())
    }

    #[test]
    fn the_document_has_the_fields_of_a_question() {
        let told = Fields::told(&read(&json!({"headers": {}, "body": "", "?": 1})).map(drop).unwrap_err());
        assert_eq!(told, fields_of::<VerifyRequest>());
        assert!(read(&received()).is_ok());
    }

    #[test]
    fn what_is_too_much_is_refused_by_its_name() {
        let with = |name: &str, value: Value| {
            let mut asked = received();
            asked[name] = value;
            read(&asked)
                .map(drop)
                .map_err(|error| (error.status(), error.body().error.details.and_then(|told| told.field)))
        };
        let refused = |status: u16, field: &str| Err((status, Some(field.to_owned())));
        let headers = |many: usize| (0..many).map(|n| (format!("h{n}"), json!("v"))).collect::<Value>();
        assert_eq!(with("headers", headers(MAX_HEADERS)), Ok(()));
        assert_eq!(with("headers", headers(MAX_HEADERS + 1)), refused(400, "headers"));
        assert_eq!(with("headers", json!({"h": "v".repeat(MAX_HEADER_BYTES - 1)})), Ok(()));
        assert_eq!(with("headers", json!({"h": "v".repeat(MAX_HEADER_BYTES)})), refused(400, "headers"));
        assert_eq!(with("headers", json!({"A": "1", "a": "2"})), refused(400, "headers"));
        assert_eq!(with("headers", json!({"a": ["1"]})), refused(400, "headers.a"));
        assert_eq!(with("body", json!("b".repeat(MAX_BODY_BYTES))), Ok(()));
        assert_eq!(with("body", json!("b".repeat(MAX_BODY_BYTES + 1))), refused(413, "body"));
        assert_eq!(with("secret", json!("s".repeat(MAX_SECRET_CHARS))), Ok(()));
        assert_eq!(with("secret", json!("s".repeat(MAX_SECRET_CHARS + 1))), refused(400, "secret"));
        assert_eq!(with("secret", json!("")), refused(400, "secret"));
        assert_eq!(with("now", json!("yesterday")), refused(400, "now"));
        assert_eq!(with("dialect", json!("klingon")), refused(400, "dialect"));
    }
}
