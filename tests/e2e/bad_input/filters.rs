//! Filters of webhooks, and trying them.

use super::By::{Nur, Provider, Standard};
use super::Row;

const TRY: &str = "POST /v1/webhooks/filter/test";
const CHANGE: &str = "PATCH {webhook}";

pub(super) const ROWS: &[Row] = &[
    (Nur, TRY, "", 400, "invalid_request", "body"),
    (Nur, TRY, "{}", 400, "invalid_request", "filter"),
    (Nur, TRY, r#"{"filter":null,"event":"a","data":{}}"#, 400, "invalid_request", "filter"),
    (Nur, TRY, r#"{"filter":{},"event":"a","data":{}}"#, 400, "invalid_request", "filter"),
    (Nur, TRY, r#"{"filter":[],"event":"a","data":{}}"#, 400, "invalid_request", "filter"),
    (Nur, TRY, r#"{"filter":{"event":["a"],"event":["b"]},"event":"a","data":{}}"#, 400, "invalid_request", "filter"),
    (Nur, TRY, r#"{"filter":{"event":["a"]},"data":{}}"#, 400, "invalid_request", "event"),
    (Nur, TRY, r#"{"filter":{"event":["a"]},"event":"a..b","data":{}}"#, 400, "invalid_request", "event"),
    (Nur, TRY, r#"{"filter":{"event":["a"]},"event":"a"}"#, 400, "invalid_request", "data"),
    (Nur, TRY, r#"{"filter":{"event":["a"]},"event":"a","data":[]}"#, 400, "invalid_request", "data"),
    (Nur, TRY, r#"{"filter":{"event":["a"]},"event":"a","data":{},"tags":{"a":1}}"#, 400, "invalid_request", "tags"),
    (Nur, TRY, r#"{"filter":{"event":["a"]},"event":"a","data":{},"more":1}"#, 400, "invalid_request", "more"),
    (Nur, "POST /v1/webhooks/filter/test?dry=1", "{}", 400, "invalid_request", "dry"),
    (Nur, "GET /v1/webhooks/filter/test", "", 405, "method_not_allowed", ""),
    (Provider, TRY, r#"{"filter":{"event":["a"]},"event":"a","data":{}}"#, 403, "forbidden", ""),
    (
        Standard,
        TRY,
        r#"{"filter":{"data":{"amount":[{"numeric":[">","5"]}]}},"event":"a","data":{}}"#,
        400,
        "invalid_request",
        "filter.data.amount[0].numeric[1]",
    ),
    (
        Nur,
        "POST /v1/webhooks/create",
        r#"{"url":"https://your-app.invalid/","events":["*"],"filter":{"data":{"ip":[{"cidr":"10.0.0.0/8"}]}}}"#,
        400,
        "invalid_request",
        "filter.data.ip[0].cidr",
    ),
    (
        Nur,
        "POST /v1/webhooks/create",
        r#"{"url":"https://your-app.invalid/","events":["*"],"filter":"data"}"#,
        400,
        "invalid_request",
        "filter",
    ),
    (Nur, CHANGE, r#"{"filter":{"data":{"a":1}}}"#, 400, "invalid_request", "filter.data.a"),
    (Nur, CHANGE, r#"{"filter":{"detail":{"a":[1]}}}"#, 400, "invalid_request", "filter.detail"),
    (
        Nur,
        CHANGE,
        r#"{"filter":{"data":{"a":[{"wildcard":"a**b"}]}}}"#,
        400,
        "invalid_request",
        "filter.data.a[0].wildcard",
    ),
    (Nur, CHANGE, r#"{"filter":{"$or":[{"data":{"a":[1]}}]}}"#, 400, "invalid_request", "filter.$or"),
    (Nur, CHANGE, r#"{"filter":{"data":{"a":[]}}}"#, 400, "invalid_request", "filter.data.a"),
    (Nur, CHANGE, r#"{"filter":true}"#, 400, "invalid_request", "filter"),
];
