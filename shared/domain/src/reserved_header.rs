//! Headers that are ours or the connection's: no webhook sets them, and no dialect signs in them.

const RESERVED_HEADERS: [&str; 17] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Whether a header is ours or the connection's, so that no signature can stand in it either.
pub(crate) fn is_reserved(lower: &str) -> bool {
    RESERVED_HEADERS.contains(&lower)
}
