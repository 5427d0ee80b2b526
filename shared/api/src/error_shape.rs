//! The shapes in which an error is told; the path decides, since each provider's customers know their own.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{ApiError, Response};

/// How errors look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorShape {
    /// `{"error": {"code", "message", "details"?}}`
    Coded,
    /// `{"error": "…", "reason"?}`
    Plain,
    /// `{"error": {"code", "message"}, "meta": {"request_id"}}`
    WithMeta,
}

impl ErrorShape {
    /// The shape for a path.
    pub fn of(path: &[&str]) -> Self {
        match path {
            ["api", "v1", ..] => Self::Plain,
            ["v1", "jobs", ..] => Self::WithMeta,
            _ => Self::Coded,
        }
    }

    /// The error as it is told in this shape.
    pub fn response(self, error: &ApiError, request_id: &str) -> Response {
        let (code, message) = (error.code(), error.message());
        let response = match self {
            Self::Coded => Response::json(error.status(), &error.body()),
            Self::Plain => Response::json(error.status(), &PlainFailed { error: message, reason: code }),
            Self::WithMeta => {
                let error_body = MetaTold { code, message };
                let body = MetaFailed { error: error_body, meta: Meta { request_id: request_id.to_owned() } };
                Response::json(error.status(), &body)
            }
        };
        let retry_after = error.retry_after().map(|seconds| seconds.to_string());
        let headers = [("allow", error.allow()), ("retry-after", retry_after.as_deref())];
        headers
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .fold(response, |response, (name, value)| response.header(name, value))
    }
}

/// What went wrong, as `/api/v1` tells it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlainError")]
pub struct PlainFailed<'a> {
    /// What went wrong, for people: what was expected, or what to do.
    #[schemars(length(min = 1), example = &"`urls`: expected a list of 1 to 3 URLs")]
    error: &'a str,
    /// What went wrong, for programs.
    #[schemars(example = &"invalid_request")]
    reason: &'a str,
}

/// What went wrong, as `/v1/jobs` tells it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ErrorWithMeta")]
pub struct MetaFailed<'a> {
    /// What went wrong.
    error: MetaTold<'a>,
    /// About the request.
    meta: Meta,
}

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ErrorObjectWithMeta")]
struct MetaTold<'a> {
    /// What went wrong, for programs.
    #[schemars(example = &"invalid_request")]
    code: &'a str,
    /// What went wrong, for people: what was expected, or what to do.
    #[schemars(length(min = 1), example = &"`capabilities`: expected a list of 1 to 20 names")]
    message: &'a str,
}

/// About a request, as `/v1/jobs` tells it in every answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Meta {
    /// The request's id, the same as in the header `x-request-id`.
    #[schemars(example = &"KZx1wjQxIAMESPw=")]
    pub request_id: String,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_lambda_events::encodings::Body;
    use postrider_domain::quota::{Exceeded, Quota};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_path_decides() {
        assert_eq!(ErrorShape::of(&["api", "v1", "generate"]), ErrorShape::Plain);
        assert_eq!(ErrorShape::of(&["v1", "jobs", "job_x"]), ErrorShape::WithMeta);
        assert_eq!(ErrorShape::of(&["v1", "webhooks"]), ErrorShape::Coded);
        assert_eq!(ErrorShape::of(&["nowhere"]), ErrorShape::Coded);
    }

    /// An answer as its reader sees it: status, Retry-After and body.
    fn told(shape: ErrorShape, error: &ApiError) -> (i64, Option<String>, Value) {
        let answer = shape.response(error, "req").into_gateways("req");
        let retry_after = answer.headers.get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        let Some(Body::Text(body)) = answer.body else { panic!("a body is text") };
        (answer.status_code, retry_after, serde_json::from_str(&body).unwrap())
    }

    #[test]
    fn a_quota_that_is_used_up_says_so_in_every_shape() {
        let retry_after = Duration::from_millis(2100);
        let error = ApiError::from(Exceeded { quota: Quota::Retries, limit: 60, retry_after });
        for shape in [ErrorShape::Coded, ErrorShape::Plain, ErrorShape::WithMeta] {
            let (status, after, body) = told(shape, &error);
            assert_eq!((status, after.as_deref()), (429, Some("3")));
            let (code, details) = match shape {
                ErrorShape::Coded => (&body["error"]["code"], json!({"quota": {"name": "retries", "limit": 60}})),
                ErrorShape::WithMeta => (&body["error"]["code"], Value::Null),
                ErrorShape::Plain => (&body["reason"], Value::Null),
            };
            assert_eq!((code, &body["error"]["details"]), (&json!("quota_exceeded"), &details), "{body}");
        }
    }
}
