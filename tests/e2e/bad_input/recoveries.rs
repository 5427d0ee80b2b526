//! What comes again.

use super::By::{NetraFlow, Nouvel, Nur};
use super::Row;

const EVENTS: &str = r#"{"since":"2026-01-01T00:00:00Z","events":["no type"]}"#;
const STATUSES: &str = r#"{"since":"2026-01-01T00:00:00Z","statuses":["failed","succeeded"]}"#;
const COUNT_ONLY: &str = r#"{"since":"2026-01-01T00:00:00Z","count_only":"true"}"#;
const NEVER_MATCHED: &str = r#"{"since":"2026-01-01T00:00:00Z","never_matched":1}"#;
const BOTH: &str = r#"{"since":"2026-01-01T00:00:00Z","never_matched":true,"statuses":["failed"]}"#;
const OF_JOBS: &str = r#"{"since":"2026-01-01T00:00:00Z","never_matched":true}"#;
const WELL: &str = r#"{"since":"2026-01-01T00:00:00Z"}"#;

pub(super) const ROWS: &[Row] = &[
    (Nur, "POST {webhook}/recover", EVENTS, 400, "invalid_request", "events[0]"),
    (
        Nur,
        "POST {webhook}/recover",
        r#"{"since":"2026-01-01T00:00:00Z","events":["invoice.paid"]}"#,
        400,
        "invalid_request",
        "events[0]",
    ),
    (
        Nur,
        "POST {webhook}/recover",
        r#"{"since":"2026-01-01T00:00:00Z","events":"*"}"#,
        400,
        "invalid_request",
        "events",
    ),
    (Nur, "POST {webhook}/recover", STATUSES, 400, "invalid_request", "statuses[1]"),
    (
        Nur,
        "POST {webhook}/recover",
        r#"{"since":"2026-01-01T00:00:00Z","statuses":[]}"#,
        400,
        "invalid_request",
        "statuses",
    ),
    (
        Nur,
        "POST {webhook}/recover",
        r#"{"since":"2026-01-01T00:00:00Z","statuses":null}"#,
        400,
        "invalid_request",
        "statuses",
    ),
    (Nur, "POST {webhook}/recover", COUNT_ONLY, 400, "invalid_request", "count_only"),
    (Nur, "POST {webhook}/recover", NEVER_MATCHED, 400, "invalid_request", "never_matched"),
    (Nur, "POST {webhook}/recover", BOTH, 422, "unprocessable", "statuses"),
    (NetraFlow, "POST /v1/jobs/recover", "[]", 400, "invalid_request", "body"),
    (NetraFlow, "POST /v1/jobs/recover", "{}", 400, "invalid_request", "since"),
    (NetraFlow, "POST /v1/jobs/recover", EVENTS, 400, "invalid_request", "events[0]"),
    (NetraFlow, "POST /v1/jobs/recover", STATUSES, 400, "invalid_request", "statuses[1]"),
    (NetraFlow, "POST /v1/jobs/recover", OF_JOBS, 422, "unprocessable", "never_matched"),
    (NetraFlow, "POST /v1/jobs/recover?x=1", WELL, 400, "invalid_request", "x"),
    (NetraFlow, "GET /v1/jobs/recover/rec_0000000000000000", "", 404, "not_found", ""),
    (NetraFlow, "GET /v1/jobs/recover/rec_0000000000000000?x=1", "", 400, "invalid_request", "x"),
    (NetraFlow, "GET /v1/jobs/recover", "", 405, "method_not_allowed", ""),
    (Nouvel, "POST /v1/jobs/recover", WELL, 403, "forbidden", ""),
    (Nouvel, "POST /api/v1/jobs/recover", "{}", 400, "invalid_request", "since"),
    (Nouvel, "POST /api/v1/jobs/recover", COUNT_ONLY, 400, "invalid_request", "count_only"),
    (Nouvel, "POST /api/v1/jobs/recover", OF_JOBS, 422, "unprocessable", "never_matched"),
    (Nouvel, "GET /api/v1/jobs/recover/rec_none", "", 404, "not_found", ""),
    (Nouvel, "PUT /api/v1/jobs/recover", "{}", 405, "method_not_allowed", ""),
    (NetraFlow, "POST /api/v1/jobs/recover", WELL, 401, "unauthorized", ""),
    (Nur, "POST /api/v1/jobs/recover", WELL, 403, "forbidden", ""),
];
