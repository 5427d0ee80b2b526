//! Of the signature doctor.

use super::By::Nur;
use super::Row;

pub(super) const ROWS: &[Row] = &[
    (Nur, "POST /v1/verify", "", 400, "invalid_request", "body"),
    (Nur, "POST /v1/verify", r#"{"headers":{},"body":"{}"}"#, 400, "invalid_request", "secret"),
    (Nur, "POST /v1/verify", r#"{"secret":null,"headers":{},"body":"{}"}"#, 400, "invalid_request", "secret"),
    (Nur, "POST /v1/verify", r#"{"secret":"","headers":{},"body":"{}"}"#, 400, "invalid_request", "secret"),
    (Nur, "POST /v1/verify", r#"{"secret":7,"headers":{},"body":"{}"}"#, 400, "invalid_request", "secret"),
    (Nur, "POST /v1/verify", r#"{"webhook_id":7,"headers":{},"body":"{}"}"#, 400, "invalid_request", "webhook_id"),
    (Nur, "POST /v1/verify", r#"{"secret":"s","body":"{}"}"#, 400, "invalid_request", "headers"),
    (Nur, "POST /v1/verify", r#"{"secret":"s","headers":[],"body":"{}"}"#, 400, "invalid_request", "headers"),
    (
        Nur,
        "POST /v1/verify",
        r#"{"secret":"s","headers":{"a":["b"]},"body":"{}"}"#,
        400,
        "invalid_request",
        "headers.a",
    ),
    (
        Nur,
        "POST /v1/verify",
        r#"{"secret":"s","headers":{"a":"1","A":"2"},"body":"{}"}"#,
        400,
        "invalid_request",
        "headers",
    ),
    (Nur, "POST /v1/verify", r#"{"secret":"s","headers":{}}"#, 400, "invalid_request", "body"),
    (Nur, "POST /v1/verify", r#"{"secret":"s","headers":{},"body":{}}"#, 400, "invalid_request", "body"),
    (Nur, "POST /v1/verify", r#"{"secret":"s","headers":{},"body":"","now":"now"}"#, 400, "invalid_request", "now"),
    (Nur, "POST /v1/verify", r#"{"secret":"s","headers":{},"body":"","now":7}"#, 400, "invalid_request", "now"),
    (
        Nur,
        "POST /v1/verify",
        r#"{"secret":"s","headers":{},"body":"","dialect":"x"}"#,
        400,
        "invalid_request",
        "dialect",
    ),
    (
        Nur,
        "POST /v1/verify",
        r#"{"secret":"s","headers":{},"body":"","signature":"x"}"#,
        400,
        "invalid_request",
        "signature",
    ),
];
