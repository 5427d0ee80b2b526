//! A request for a new signing secret: `{secret?, grace_seconds?}`.

use jiff::Timestamp;
use postrider_domain::invalid::Invalid;
use postrider_domain::secret::{KeyDerivation, MAX_CHARS, Secret};
use postrider_domain::stored_secret::{StoredSecret, previous_secret_until};
use postrider_host::entropy;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::document::{Left, Time};
use crate::{ApiError, Fields, Response};

const DEFAULT_GRACE: u32 = 24 * 3600;
const MAX_GRACE: u32 = 30 * 24 * 3600;

/// What was asked for.
#[derive(Debug)]
pub struct Rotation {
    given: Option<String>,
    /// How long the old secret goes on counting.
    pub grace_seconds: u32,
}

impl Rotation {
    /// Reads the request.
    ///
    /// # Errors
    /// 400 naming the field.
    pub fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let given = fields.take_value("secret", "a string")?;
        let grace_seconds = fields.take_value("grace_seconds", "a whole number of seconds")?.unwrap_or(DEFAULT_GRACE);
        fields.finish()?;
        if grace_seconds > MAX_GRACE {
            return Err(Invalid::new("grace_seconds", format!("0 to {MAX_GRACE}")).into());
        }
        Ok(Self { given, grace_seconds })
    }

    /// 409: too many secrets count already.
    pub fn too_many() -> ApiError {
        ApiError::conflict("four secrets count already; wait for a grace to end, or rotate with `grace_seconds` 0")
    }

    /// The secret that was given, or a new one.
    ///
    /// # Errors
    /// 400 when the one given makes no key.
    pub fn secret(&self, derivation: KeyDerivation) -> Result<Secret, ApiError> {
        match &self.given {
            Some(text) => Ok(Secret::parse(text.clone(), derivation)?),
            None => Ok(Secret::generate(&entropy::bits256(), derivation)),
        }
    }

    /// The response: the new secret, this once, and until when an old one counts beside it.
    pub fn response(secret: &Secret, secrets: &[StoredSecret], now: Timestamp) -> Response {
        let until = previous_secret_until(secrets, now).map(Time::from);
        Response::json(200, &Rotated { secret: secret.expose(), previous_secret_until: until })
    }
}

/// A new signing secret.
#[derive(Serialize, JsonSchema)]
#[schemars(example = rotated())]
pub struct Rotated<'a> {
    /// The new secret, shown this once.
    #[schemars(example = &"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: &'a str,
    /// Until when the old secret counts beside it: left out where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_secret_until: Option<Time>,
}

/// What a rotation asks for.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = asked())]
#[expect(dead_code, reason = "it is read field by field; here stands what there is to read")]
pub struct RotationRequest {
    /// The new secret; one is made where none is given. Of the standard dialect `whsec_` and 24 to 64 bytes in base64; of the others
    /// any text with 16 visible characters.
    #[schemars(with = "Left<String>", length(max = MAX_CHARS), example = &"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: (),
    /// How long the old secret goes on counting, in seconds; 0 ends it at once. A day where nothing is said.
    #[schemars(with = "Left<u32>", range(max = MAX_GRACE), example = DEFAULT_GRACE)]
    grace_seconds: (),
}

/// As it is told while the old secret counts.
fn rotated() -> Value {
    json!({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "previous_secret_until": "2026-01-16T14:30:00.000Z"})
}

/// Without a secret: whoever sends a printed one has one that everybody knows.
fn asked() -> Value {
    json!({"grace_seconds": DEFAULT_GRACE})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::fields_of;

    #[test]
    fn the_document_has_the_fields_that_are_read() {
        let unknown = Fields::read(br#"{"?": 1}"#).unwrap();
        assert_eq!(Fields::told(&Rotation::read(unknown).unwrap_err()), fields_of::<RotationRequest>());
    }
}
