//! What became of a webhook's deliveries in a span of time, counted from the newest on.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use postrider_api::document::{JsonSchema, Time};
use postrider_api::{ApiError, Request};
use postrider_aws::Failure;
use postrider_aws::deliveries_table::{DeliveriesTable, Filter};
use postrider_domain::delivery::Status;
use postrider_domain::delivery_stats::{self, Span, Tally};
use postrider_domain::id::EndpointId;
use postrider_domain::invalid::Invalid;
use postrider_domain::time;
use serde::Serialize;

/// Rows that a call reads at the most.
pub(crate) const MOST_ROWS: i32 = 2_000;
/// Pages that a call reads at the most, of a megabyte each: rows of an earlier version can be as long as hundreds of others.
const MOST_PAGES: usize = 16;
/// The span where nobody says when it begins.
const USUAL_SPAN: SignedDuration = SignedDuration::from_hours(24);
const MINUTE_MILLIS: i64 = 60_000;

/// A webhook's statistics. A delivery counts once, by where it stands now, at its event's time.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WebhookStats {
    /// From events of this time on.
    since: Time,
    /// Up to events before this time.
    until: Time,
    /// How many deliveries stand how.
    deliveries: ByStatus,
    /// How many deliveries' last attempts came to what, by the outcome. Those that were not tried yet are in none.
    #[schemars(example = serde_json::json!({"succeeded": 961, "status_500": 12, "timed_out": 3}))]
    outcomes: BTreeMap<String, u64>,
    /// The part that has succeeded of those that have succeeded or failed, from 0 to 1; null where none has.
    #[schemars(range(min = 0, max = 1), example = 0.987)]
    success_rate: Option<f64>,
    /// How long last attempts took. Those that were not sent, since Postrider failed or the address is blocked, are left out.
    duration_ms: Durations,
    /// How wide a bucket is, in seconds.
    #[schemars(range(min = 60), example = 3600)]
    bucket_seconds: i64,
    /// What has ended, by its event's time: every bucket of the span, or, where `complete` is false, of what was read.
    #[schemars(length(max = delivery_stats::MOST_BUCKETS))]
    buckets: Vec<Bucket>,
    /// How many deliveries were read, the newest events' first.
    #[schemars(range(max = MOST_ROWS), example = 976)]
    seen: u64,
    /// Whether these are all of the span's. If not, ask for shorter spans.
    #[schemars(example = true)]
    complete: bool,
}

/// Deliveries by where they stand.
#[derive(Debug, Serialize, JsonSchema)]
struct ByStatus {
    /// Not tried yet.
    #[schemars(example = 2)]
    pending: u64,
    /// Tried, failed, and due again.
    #[schemars(example = 11)]
    retrying: u64,
    /// Delivered.
    #[schemars(example = 951)]
    succeeded: u64,
    /// Given up.
    #[schemars(example = 12)]
    failed: u64,
    /// Called off.
    #[schemars(example = 0)]
    cancelled: u64,
}

/// Durations in milliseconds, to the status line or the failure; null where there are none.
#[derive(Debug, Serialize, JsonSchema)]
struct Durations {
    /// Half of the attempts took no longer.
    #[schemars(example = 120)]
    p50: Option<u64>,
    /// Nineteen of twenty attempts took no longer.
    #[schemars(example = 840)]
    p95: Option<u64>,
}

/// What has ended of the events of a bucket's time.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StatsBucket")]
struct Bucket {
    /// When it begins.
    from: Time,
    /// Deliveries that have succeeded.
    #[schemars(example = 40)]
    succeeded: u64,
    /// Deliveries that have failed.
    #[schemars(example = 1)]
    failed: u64,
}

/// The span that a request asks for.
///
/// # Errors
/// 400 for what is no time, 422 where it ends before it begins.
pub(crate) fn span(request: &Request, now: Timestamp) -> Result<Span, ApiError> {
    let time = |name| request.query(name)?.map(|text| time::parse(name, text)).transpose().map_err(ApiError::from);
    let (since, until) = (time("since")?, time("until")?);
    // The clocks by which events are dated are not this one.
    let next_minute = || time::plus_millis(now, MINUTE_MILLIS - now.as_millisecond().rem_euclid(MINUTE_MILLIS));
    let until = until.unwrap_or_else(next_minute);
    let since = since.unwrap_or_else(|| until.saturating_sub(USUAL_SPAN).unwrap_or(until));
    if since > until {
        return Err(ApiError::unprocessable(Invalid::new("since", "a time not after `until`")));
    }
    Ok(Span::of(since, until))
}

/// Counts an endpoint's deliveries of a span, and holds no more than a page of them.
///
/// # Errors
/// When a read failed.
pub(crate) async fn count(
    deliveries: &DeliveriesTable,
    endpoint: &EndpointId,
    span: &Span,
) -> Result<WebhookStats, Failure> {
    let filter = Filter { since: Some(span.since()), until: Some(span.until()), ..Filter::default() };
    let (mut tally, mut after, mut pages) = (Tally::default(), None, 0);
    let complete = loop {
        let left = MOST_ROWS - i32::try_from(tally.seen()).unwrap_or(MOST_ROWS);
        if left <= 0 {
            // A page that is full does not say whether anything follows.
            let next = deliveries.glance(endpoint, &filter, 1, after.as_ref()).await?;
            break next.rows.is_empty() && next.next.is_none();
        }
        if pages == MOST_PAGES {
            break false;
        }
        let page = deliveries.glance(endpoint, &filter, left, after.as_ref()).await?;
        page.rows.iter().for_each(|row| tally.take(span, row));
        pages += 1;
        match page.next {
            Some(next) => after = Some(next),
            None => break true,
        }
    };
    Ok(shown(span, tally, complete))
}

fn shown(span: &Span, mut tally: Tally, complete: bool) -> WebhookStats {
    let buckets = tally.buckets(span, complete).into_iter();
    WebhookStats {
        since: span.since().into(),
        until: span.until().into(),
        deliveries: ByStatus {
            pending: tally.of_status(Status::Pending),
            retrying: tally.of_status(Status::Retrying),
            succeeded: tally.of_status(Status::Succeeded),
            failed: tally.of_status(Status::Failed),
            cancelled: tally.of_status(Status::Cancelled),
        },
        outcomes: tally.outcomes().clone(),
        success_rate: tally.success_rate(),
        duration_ms: Durations { p50: tally.percentile(50), p95: tally.percentile(95) },
        bucket_seconds: span.bucket_seconds(),
        buckets: buckets
            .map(|bucket| Bucket { from: bucket.from.into(), succeeded: bucket.succeeded, failed: bucket.failed })
            .collect(),
        seen: tally.seen(),
        complete,
    }
}
