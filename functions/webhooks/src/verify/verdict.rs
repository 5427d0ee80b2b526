//! What is found, as the API shows it.

use postrider_api::document::{JsonSchema, Names};
use postrider_domain::doctor::{Cause, Finding};
use serde::Serialize;
use serde_json::{Value, json};

/// What is found of a request's signature.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "VerifyResult", example = verdict())]
pub(crate) struct Verdict {
    /// Whether a receiver should take it.
    #[schemars(example = false)]
    valid: bool,
    /// What is wrong; left out where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Names<Cause>>")]
    cause: Option<Cause>,
    /// What is wrong and what to do, in a sentence or two for people. They may change.
    #[schemars(length(min = 1), example = &"The signature is of another body than this one: its content was changed on the way.")]
    explanation: String,
}

impl From<Finding> for Verdict {
    fn from(finding: Finding) -> Self {
        Self { valid: finding.cause.is_none(), cause: finding.cause, explanation: finding.explanation }
    }
}

/// Of a body that a framework has parsed.
fn verdict() -> Value {
    json!({
        "valid": false,
        "cause": "body_reserialised",
        "explanation": "The body says what was sent, in other bytes: something parsed it and wrote it anew. Verify the bytes of the body \
                        as they came, before any parser or framework reads them.",
    })
}
