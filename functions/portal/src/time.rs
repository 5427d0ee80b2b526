//! Times on a page: served in UTC, which the script writes anew in the reader's own zone, with UTC beside.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use postrider_domain::time;

/// A time to the second, as all can read it: `2026-01-15 14:30:05 UTC`.
pub(crate) fn utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time on a page.
pub(crate) fn shown(at: Timestamp) -> Markup {
    html! { time datetime=(time::wire(at)) { (utc(at)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_by_people_and_by_the_script() {
        let at: Timestamp = "2026-01-15T14:30:05.123Z".parse().unwrap();
        let expected = "<time datetime=\"2026-01-15T14:30:05.123Z\">2026-01-15 14:30:05 UTC</time>";
        assert_eq!(shown(at).into_string(), expected);
    }
}
