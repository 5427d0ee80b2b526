//! The text as it came, before a parser drops or repairs any of it.

use percent_encoding::percent_decode_str;

use crate::invisible::is_invisible;

/// # Errors
/// The rule that the text breaks.
pub(crate) fn check(text: &str) -> Result<(), String> {
    refuse_hidden(text, "")?;
    // Parsers take it for a slash, and others for a letter of the host.
    if text.contains('\\') {
        return Err("it holds a backslash".to_owned());
    }
    // A host is percent-decoded, so what is hidden may be escaped there. In a path it stays as it is written.
    refuse_hidden(&percent_decode_str(authority(text)).decode_utf8_lossy(), " in its host")
}

fn refuse_hidden(text: &str, place: &str) -> Result<(), String> {
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(format!("it holds white space or a control character{place}"));
    }
    if text.chars().any(is_invisible) {
        return Err(format!("it holds a character that cannot be seen{place}"));
    }
    Ok(())
}

/// The host as it is written, an IPv6 address with its brackets.
pub(super) fn host(text: &str) -> &str {
    let authority = authority(text);
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}

/// The path as it is written.
pub(super) fn path(text: &str) -> &str {
    let rest = after_slashes(text).split(['?', '#']).next().unwrap_or_default();
    &rest[rest.find('/').unwrap_or(rest.len())..]
}

/// The query as it is written, if there is one.
pub(super) fn query(text: &str) -> Option<&str> {
    let rest = after_slashes(text).split('#').next().unwrap_or_default();
    rest.split_once('?').map(|(_, query)| query)
}

/// What stands between `//` and the path.
fn authority(text: &str) -> &str {
    after_slashes(text).split(['/', '?', '#']).next().unwrap_or_default()
}

fn after_slashes(text: &str) -> &str {
    text.split_once("//").map_or("", |(_, rest)| rest)
}
