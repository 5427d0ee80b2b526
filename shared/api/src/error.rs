//! What went wrong with a request, in the API's error shape: `{"error": {"code", "message", "details"?}}`.

use postrider_aws::Failure;
use postrider_aws::catalogue::NotTaken;
use postrider_domain::catalogue::Refusal;
use postrider_domain::invalid::Invalid;
use postrider_domain::quota::{Exceeded, Quota};
use postrider_domain::schema::{Fault, MAX_FAULTS, MAX_PATH_BYTES};
use postrider_host::deadline;
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Names;

/// A refused or failed request. Boxed, so that the results it is the rare half of stay small.
#[derive(Debug)]
pub struct ApiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: u16,
    code: &'static str,
    message: String,
    invalid: Option<Invalid>,
    allow: Option<String>,
    exceeded: Option<Exceeded>,
    faults: Vec<Fault>,
    ours: Option<Ours>,
}

/// That we failed, and at what.
#[derive(Debug)]
struct Ours {
    /// For the log alone.
    cause: String,
    /// Whether the call may have been carried out all the same.
    may_be_done: bool,
}

/// How soon a caller may try again who came while AWS was too busy, in seconds.
const RETRY_AFTER: u64 = 2;
const OURS: &str = "something went wrong on our side";
const BUSY: &str = "this cannot be done at the moment";
const SAFE: &str = "repeating the request is safe";

impl ApiError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Parts {
            status,
            code,
            message,
            invalid: None,
            allow: None,
            exceeded: None,
            faults: Vec::new(),
            ours: None,
        }))
    }

    fn about(status: u16, code: &'static str, invalid: Invalid) -> Self {
        let mut error = Self::new(status, code, invalid.to_string());
        error.0.invalid = Some(invalid);
        error
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

    /// 404 for a row that is there but is not what its place is for, with what is amiss; `place` is where its story goes on.
    pub fn is_no(what: &str, why: &str, place: &str) -> Self {
        let message = format!("no such {what}: a row of this id is there, but it is no {what} ({why}); it was {place}");
        Self::new(404, "not_found", message)
    }

    /// 405, with what would be allowed.
    pub fn method_not_allowed(allowed: &[&str]) -> Self {
        let allow = allowed.join(", ");
        let mut error = Self::new(405, "method_not_allowed", format!("this path takes {allow}"));
        error.0.allow = Some(allow);
        error
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "conflict", message)
    }

    /// 409 for an event whose data was removed on request: nothing can be sent of it, and its key stays used up.
    pub fn event_expunged() -> Self {
        Self::new(409, Self::EVENT_EXPUNGED, "what this event said was removed on request; its key stays used up")
    }

    /// The code of that.
    pub const EVENT_EXPUNGED: &str = "event_expunged";

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

    /// 503 on purpose: whoever is asked was made so that it refuses for a while.
    pub fn refuses_on_purpose(message: &str) -> Self {
        Self::new(503, "unavailable", message)
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
        self.0.ours.as_ref().map(|ours| ours.cause.as_str())
    }

    /// 503: the time is over, or too little is left to begin.
    pub(crate) fn out_of_time() -> Self {
        Failure::OutOfTime.into()
    }

    /// What a caller is told whose call has a key of his own, or changes nothing when it comes twice: that he may repeat it.
    #[must_use]
    pub fn safe_to_repeat(self) -> Self {
        self.told(None)
    }

    /// What a caller is told who may find that his call was carried out: what to do instead of repeating it. Where nothing was
    /// written, or nothing is `instead`, repeating is safe.
    #[must_use]
    pub(crate) fn told(mut self, instead: Option<&str>) -> Self {
        if let Some(ours) = &mut self.0.ours {
            let what = if self.0.status == 503 { BUSY } else { OURS };
            self.0.message = match instead.filter(|_| ours.may_be_done) {
                Some(instead) => format!("{what}; it may have been carried out all the same: {instead}"),
                None => format!("{what}; {SAFE}"),
            };
            ours.may_be_done &= instead.is_some();
        }
        self
    }

    /// The same for one of several things that a request asks for.
    #[must_use]
    pub fn of_one(self, instead: &str) -> Self {
        self.told(Some(instead))
    }

    /// For 429 and 503: when to come again, in seconds.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        let when_busy = (self.0.status == 503).then_some(RETRY_AFTER);
        self.0.exceeded.as_ref().map(Exceeded::retry_after_seconds).or(when_busy)
    }

    /// It as an answer tells it.
    pub fn body(&self) -> Failed {
        let of_invalid = |invalid: &Invalid| Details {
            field: Some(invalid.field.clone()),
            expected: Some(invalid.expected.clone()),
            errors: Some(self.0.faults.iter().map(ToldFault::from).collect()).filter(|all: &Vec<_>| !all.is_empty()),
            ..Details::default()
        };
        let of_quota = |exceeded: &Exceeded| Details {
            quota: Some(UsedUp { name: exceeded.quota.as_str(), limit: exceeded.limit }),
            ..Details::default()
        };
        let details = self.0.exceeded.as_ref().map(of_quota).or_else(|| self.0.invalid.as_ref().map(of_invalid));
        Failed { error: Told { code: self.0.code, message: self.0.message.clone(), details } }
    }

    /// What is amiss within a field, where a schema says so.
    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// What was expected of a field, where one is amiss.
    pub(crate) fn expected(&self) -> Option<&str> {
        self.0.invalid.as_ref().map(|invalid| invalid.expected.as_str())
    }

    /// The status that it is answered with.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// For 405: what would be allowed.
    pub(crate) fn allow(&self) -> Option<&str> {
        self.0.allow.as_deref()
    }
}

/// What went wrong, in the API's own shape.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct Failed {
    /// What went wrong.
    pub error: Told,
}

/// What went wrong.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ErrorObject")]
pub struct Told {
    /// What went wrong, for programs.
    #[schemars(example = &"invalid_request")]
    pub code: &'static str,
    /// What went wrong, for people: what was expected, or what to do.
    #[schemars(length(min = 1), example = &"`url`: expected a public HTTPS URL")]
    pub message: String,
    /// What exactly; left out where there is no more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// What exactly went wrong: a field and what was expected of it and within it, or a quota.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(rename = "ErrorDetails")]
pub struct Details {
    /// The field, query parameter or header that is amiss, by its place in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), example = &"events[2]")]
    pub field: Option<String>,
    /// What was expected of it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"a public HTTPS URL")]
    pub expected: Option<String>,
    /// The quota that is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<UsedUp>,
    /// What is amiss within the field, where a schema says so: the first ten things.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_FAULTS))]
    pub errors: Option<Vec<ToldFault>>,
}

/// One thing that is amiss within a field.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "FieldError")]
pub struct ToldFault {
    /// Where: a JSON Pointer (RFC 6901) into the field; empty for all of it. Where it would be very long it leads to what is around.
    #[schemars(length(max = MAX_PATH_BYTES), example = &"/amount")]
    pub path: String,
    /// What was expected there.
    #[schemars(example = &"expected integer")]
    pub message: String,
}

impl From<&Fault> for ToldFault {
    fn from(fault: &Fault) -> Self {
        Self { path: fault.path.clone(), message: fault.message.clone() }
    }
}

/// A quota that is used up.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ExceededQuota")]
pub struct UsedUp {
    /// Which one.
    #[schemars(with = "Names<Quota>")]
    pub name: &'static str,
    /// How much it allows.
    #[schemars(example = 20)]
    pub limit: u64,
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        Self::about(400, "invalid_request", invalid)
    }
}

/// 422 for what is well-formed and cannot be, 400 for what is not; with what is amiss within the field.
impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let invalid = refusal.invalid();
        let mut error = if refusal.is_well_formed() { Self::unprocessable(invalid) } else { invalid.into() };
        error.0.faults = refusal.faults().to_vec();
        error
    }
}

impl From<NotTaken> for ApiError {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Refused(refusal) => refusal.into(),
            NotTaken::Failed(failure) => failure.into(),
        }
    }
}

/// 429. Nothing was written of what was asked for.
impl From<Exceeded> for ApiError {
    fn from(exceeded: Exceeded) -> Self {
        let mut error = Self::new(429, "quota_exceeded", exceeded.message());
        error.0.exceeded = Some(exceeded);
        error
    }
}

impl From<Failure> for ApiError {
    fn from(error: Failure) -> Self {
        let mut told =
            if error.is_busy() { Self::new(503, "unavailable", BUSY) } else { Self::new(500, "internal", OURS) };
        told.0.ours = Some(Ours { cause: error.to_string(), may_be_done: deadline::has_written() });
        told
    }
}
