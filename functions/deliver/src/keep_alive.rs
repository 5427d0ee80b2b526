//! Keep-Alive: for how long a receiver says that it keeps an idle connection.

use std::time::Duration;

use reqwest::header::HeaderMap;

/// The header's `timeout`, the shortest if there are several; nothing where none can be read.
pub(crate) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all("keep-alive").iter().filter_map(|value| value.to_str().ok());
    let seconds = lines.flat_map(|line| line.split([',', ';'])).filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"');
        let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        (name.trim().eq_ignore_ascii_case("timeout") && is_number).then(|| value.parse().unwrap_or(u64::MAX))
    });
    seconds.min().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn seconds(lines: &[&'static str]) -> Option<u64> {
        let values = lines.iter().map(|line| HeaderValue::from_static(line));
        timeout(&values.map(|value| (reqwest::header::HeaderName::from_static("keep-alive"), value)).collect())
            .map(|timeout| timeout.as_secs())
    }

    #[test]
    fn the_shortest_timeout_counts() {
        assert_eq!(seconds(&["timeout=5"]), Some(5));
        assert_eq!(seconds(&["max=100, Timeout = \"1\""]), Some(1));
        assert_eq!(seconds(&["timeout=15; max=0", "timeout=3"]), Some(3));
        assert_eq!(seconds(&["timeout=99999999999999999999999"]), Some(u64::MAX));
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        for line in ["", "timeout", "timeout=", "timeout=-1", "timeout=1.5", "max=1", "x-timeout=1"] {
            assert_eq!(seconds(&[line]), None, "{line}");
        }
        assert_eq!(seconds(&[]), None);
    }
}
