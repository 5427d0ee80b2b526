//! The shapes in which an error is told; the path decides, since each provider's customers know their own.

use serde_json::{Value, json};

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
        let body: Value = match self {
            Self::Coded => json!({"error": error.body()}),
            Self::Plain => json!({"error": message, "reason": code}),
            Self::WithMeta => {
                json!({"error": {"code": code, "message": message}, "meta": {"request_id": request_id}})
            }
        };
        let headers = [("allow", error.allow()), ("retry-after", error.retry_after())];
        let response = Response::json(error.status(), &body);
        headers
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .fold(response, |response, (name, value)| response.header(name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_decides() {
        assert_eq!(ErrorShape::of(&["api", "v1", "generate"]), ErrorShape::Plain);
        assert_eq!(ErrorShape::of(&["v1", "jobs", "job_x"]), ErrorShape::WithMeta);
        assert_eq!(ErrorShape::of(&["v1", "webhooks"]), ErrorShape::Coded);
        assert_eq!(ErrorShape::of(&["nowhere"]), ErrorShape::Coded);
    }
}
