//! What went wrong with a request, in the API's error shape: `{"error": {"code", "message", "details"?}}`.

use postrider_domain::invalid::Invalid;
use serde_json::json;

use crate::AwsError;

/// A refused or failed request. Boxed, so that the results it is the rare half of stay small.
#[derive(Debug)]
pub struct Fault(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: u16,
    code: &'static str,
    message: String,
    invalid: Option<Invalid>,
    allow: Option<String>,
    cause: Option<String>,
}

impl Fault {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Parts { status, code, message: message.into(), invalid: None, allow: None, cause: None }))
    }

    fn about(status: u16, code: &'static str, invalid: Invalid) -> Self {
        let mut fault = Self::new(status, code, invalid.to_string());
        fault.0.invalid = Some(invalid);
        fault
    }

    /// 401.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, "unauthorized", message)
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "forbidden", message)
    }

    /// 403 for every key of a suspended tenant.
    pub fn tenant_suspended() -> Self {
        Self::new(403, "tenant_suspended", "this tenant is suspended")
    }

    /// 404, also for what is another tenant's.
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", format!("no such {what}"))
    }

    /// 404 for a row that is there but is not what its place is for; `place` is where its story goes on.
    pub fn is_no(what: &str, place: &str) -> Self {
        let message = format!("no such {what}: a row of this id is there, but it is no {what}; it was {place}");
        Self::new(404, "not_found", message)
    }

    /// 405, with what would be allowed.
    pub fn method_not_allowed(allowed: &[&str]) -> Self {
        let allow = allowed.join(", ");
        let mut fault = Self::new(405, "method_not_allowed", format!("this path takes {allow}"));
        fault.0.allow = Some(allow);
        fault
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "conflict", message)
    }

    /// 403 where the plan is too small.
    pub fn plan_required(message: impl Into<String>) -> Self {
        Self::new(403, "plan_required", message)
    }

    /// 413, naming the field and its limit in bytes.
    pub fn too_large(field: &str, limit: usize) -> Self {
        Self::about(413, "payload_too_large", Invalid::new(field, format!("at most {limit} bytes")))
    }

    /// 415.
    pub fn unsupported_media_type(message: &str) -> Self {
        Self::new(415, "unsupported_media_type", message)
    }

    /// 422: well-formed, but it cannot be.
    pub fn unprocessable(invalid: Invalid) -> Self {
        Self::about(422, "unprocessable", invalid)
    }

    /// The code that stands in the answer.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What it says to the caller.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// For the log alone: why we failed.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The `error` object of the answer.
    pub fn body(&self) -> serde_json::Value {
        let mut error = json!({"code": self.0.code, "message": self.0.message});
        if let Some(invalid) = &self.0.invalid {
            error["details"] = json!({"field": invalid.field, "expected": invalid.expected});
        }
        error
    }

    /// The status that it is answered with.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// For 405: what would be allowed.
    pub(super) fn allow(&self) -> Option<&str> {
        self.0.allow.as_deref()
    }
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Self {
        Self::about(400, "invalid_request", invalid)
    }
}

impl From<AwsError> for Fault {
    fn from(error: AwsError) -> Self {
        let mut fault = Self::new(500, "internal", "something went wrong on our side; repeating the request is safe");
        fault.0.cause = Some(error.to_string());
        fault
    }
}
