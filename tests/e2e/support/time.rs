//! Timestamps as the API writes them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads a timestamp that must be UTC with milliseconds and `Z`, as in `2026-01-15T14:30:00.000Z`.
pub(crate) fn instant(text: &str) -> Timestamp {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "not a UTC time with milliseconds: {text}");
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Reads a schedule's `at(2026-01-15T14:30:00)`, which is in UTC.
pub(crate) fn at_expression(text: &str) -> Timestamp {
    text.strip_prefix("at(")
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or_else(|| panic!("not an at() expression: {text}"))
        .parse::<DateTime>()
        .and_then(|time| time.to_zoned(TimeZone::UTC))
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .timestamp()
}
