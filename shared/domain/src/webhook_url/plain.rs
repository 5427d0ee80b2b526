//! What is asked of a new URL: that nobody reads another place in it than the one that is called.

use std::net::IpAddr;

use url::Url;

use super::{Target, raw};

/// # Errors
/// The rule that the text breaks which was read as this `url`, for `target`.
pub(super) fn check(text: &str, url: &Url, target: &Target) -> Result<(), &'static str> {
    if text.contains('#') {
        return Err("it has a fragment, which is never sent");
    }
    // Parsers read `0127.0.0.1` as 87.0.0.1 or as 127.0.0.1, and `8.8` as 8.0.0.8 or as a name.
    if let Target::Address(IpAddr::V4(address)) = target
        && raw::host(text) != address.to_string()
    {
        return Err("its IPv4 address is not written as four plain decimal numbers");
    }
    if raw::path(text).split('/').any(is_dots) {
        return Err("its path holds a `.` or `..` between slashes, which would not be sent");
    }
    // A receiver that compares what was called with what was registered would find two texts.
    let path = raw::path(text);
    let is_sent_as_written = path == url.path() || path.is_empty() && url.path() == "/";
    if !is_sent_as_written || raw::query(text) != url.query() {
        return Err("its path or query holds characters that are sent escaped; write them as `%` and two digits");
    }
    Ok(())
}

/// Whether parsers take this part of a path out, perhaps with the part before it; an escaped dot is a dot to them.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}
