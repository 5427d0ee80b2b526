//! The receiver of the smoke test (`make smoke`): a webhook of its own can point at this very API, so that a deployed stack is
//! tested from end to end without anybody else's server.
//!
//! Nothing is kept of it. All that it knows stands, sealed, in its path, which the operator alone has made; so it cannot be made to
//! know more, however often it is called, and it ends by itself.

use std::borrow::Cow;

use postrider_api::document::{JsonSchema, Left, Schema, SchemaGenerator, Time, json_schema};
use postrider_api::{ApiError, Operation, Request, Response};
use postrider_domain::dialect::STANDARD;
use postrider_domain::doctor::MAX_BODY_BYTES;
use postrider_domain::receiver::{self, Refusal};
use postrider_domain::secret::Secret;
use postrider_host::{clock, entropy};
use serde::Serialize;

use crate::operator::Operator;

mod token;

#[cfg(test)]
mod tests;

use self::token::{LIFE_SECONDS, Token};

const SOME_SECONDS: &str = "0 to 600 seconds";
const REFUSES: &str = "this receiver was made to refuse until a later time";

impl Operator {
    pub(crate) async fn make_receiver(&self, request: &Request) -> Result<Response, ApiError> {
        let mut fields = request.optional_fields()?;
        let refuses: u32 = fields.take_value("refuse_seconds", SOME_SECONDS)?.unwrap_or_default();
        fields.finish()?;
        let secret = Secret::generate(&entropy::bits256(), STANDARD.signing.key);
        let token = Token::new(secret, refuses, clock::now())?;
        let sealed = token.sealed(&self.keyring).await?;
        let made = Receiver {
            path: format!("/v1/smoke/receive/{sealed}"),
            secret: token.secret.expose(),
            refuses_until: token.refuses_until.into(),
            expires_at: token.expires_at.into(),
        };
        Ok(Response::json(201, &made))
    }

    /// Verifies as a customer's receiver does. A token is looked at first: without one nobody gets any work done.
    pub(crate) async fn receive(&self, request: &Request, token: &str) -> Result<Response, ApiError> {
        let body = request.json_bytes()?;
        let now = clock::now();
        let token = Token::open(&self.keyring, token).await?.filter(|token| token.expires_at > now);
        let token = token.ok_or_else(|| ApiError::not_found("receiver"))?;
        if token.refuses_until > now {
            return Err(ApiError::refuses_on_purpose(REFUSES));
        }
        if body.len() > MAX_BODY_BYTES {
            return Err(ApiError::too_large("body", MAX_BODY_BYTES));
        }
        let header = |name: &str| request.header(name);
        match receiver::verify(&STANDARD.signing, &token.secret, header, body, now) {
            Ok(()) => Ok(Response::json(200, &Received { verified: true })),
            Err(refusal) => Err(ApiError::unauthorized(refusal.as_str())),
        }
    }
}

/// What a receiver is to do.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "MakeSmokeReceiver")]
#[expect(dead_code, reason = "nothing is made of it but its schema")]
struct MakeReceiver {
    /// For how many seconds from now it answers 503, whatever comes; none where nothing is said.
    #[schemars(with = "Left<u32>", range(max = LIFE_SECONDS), example = 60)]
    refuse_seconds: (),
}

/// A receiver of this API's own, for the smoke test.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SmokeReceiver")]
struct Receiver<'a> {
    /// Where it is, behind this API's address. Whoever knows the path can post there, and read nothing.
    #[schemars(example = &"/v1/smoke/receive/k1.6o1aJpTnCzR0v1c")]
    path: String,
    /// The secret that it verifies with, as Standard Webhooks has it; shown this once.
    #[schemars(example = &"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: &'a str,
    /// Until when it answers 503.
    refuses_until: Time,
    /// From when on it is a 404: ten minutes from when it was made.
    expires_at: Time,
}

/// What a receiver says of a request that is good.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SmokeReceived")]
struct Received {
    /// That its signature verifies.
    #[schemars(example = true)]
    verified: bool,
}

/// What a receiver's path ends with.
struct TokenInPath;

impl JsonSchema for TokenInPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SmokeToken".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9A-Za-z_.-]+$", "examples": ["k1.6o1aJpTnCzR0v1c"]})
    }
}

/// Any JSON, as a webhook brings it.
#[derive(JsonSchema)]
#[schemars(
    rename = "SmokeDelivery",
    extend("type" = "object", "examples" = [{"type": "invoice.paid", "timestamp": "2026-01-15T14:30:00.000Z", "data": {}}])
)]
struct Delivered(());

pub(crate) fn make() -> Operation {
    let about = "Where the smoke test (`make smoke`) has its webhooks point: at this API itself. A receiver knows its secret and how long it \
                 is to refuse by its path alone, so nothing is kept of it, and after ten minutes it is none.";
    Operation::new("makeSmokeReceiver", "Make a receiver for the smoke test", about)
        .may_take::<MakeReceiver>()
        .answers::<Receiver<'static>>(201, "The receiver.")
}

pub(crate) fn receive() -> Operation {
    let about = "Verifies a Standard Webhooks request with the secret that its path holds, sealed. Nothing is kept of what comes.";
    Operation::new("receiveAtSmoke", "Be the smoke test's receiver", about)
        .of::<TokenInPath>("token", "What the receiver's path ends with.")
        .takes::<Delivered>()
        .answers::<Received>(200, "The signature verifies.")
        .refuses(ApiError::unauthorized(Refusal::WrongSignature.as_str()), "The signature does not verify.")
        .refuses(ApiError::not_found("receiver"), "There is no such receiver, or it has ended.")
        .refuses(ApiError::too_large("body", MAX_BODY_BYTES), format!("The body has more than {MAX_BODY_BYTES} bytes."))
        .refuses(ApiError::refuses_on_purpose(REFUSES), "It was made to refuse for a while.")
}
