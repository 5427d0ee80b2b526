//! Retry-After: seconds or a date (RFC 9110, section 10.2.3). How much of it is obeyed is the retry schedule's to say.

use std::time::{Duration, SystemTime};

/// The wait that a value asks for at `now`, or nothing where it is neither. A date that has passed asks for none, and a
/// number beyond all bounds for the longest.
pub(crate) fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(value: &str) -> Option<u64> {
        let now = httpdate::parse_http_date("Thu, 15 Jan 2026 12:00:00 GMT").unwrap();
        parse(value, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("Thu, 15 Jan 2026 12:01:30 GMT"), Some(90));
        assert_eq!(seconds("Thu, 15 Jan 2015 12:00:00 GMT"), Some(0));
    }

    #[test]
    fn a_number_beyond_all_bounds_is_the_longest_wait() {
        assert_eq!(seconds("1000000000000"), Some(1_000_000_000_000));
        assert_eq!(seconds(&"9".repeat(400)), Some(u64::MAX));
        assert!(seconds("Fri, 31 Dec 9999 23:59:59 GMT") > Some(200_000_000_000));
    }

    #[test]
    fn anything_else_asks_for_nothing() {
        for value in ["", " ", "-5", "+5", "5.5", "1e12", "soon", "5, 7", "0x10", "Thu, 32 Jan 2026 12:00:00 GMT"] {
            assert_eq!(seconds(value), None, "{value}");
        }
    }
}
