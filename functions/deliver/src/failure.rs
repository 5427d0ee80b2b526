//! Why a POST got no answer, by the types of the errors in its chain, never by their texts.
//!
//! What is said about it is ours to the word: a receiver's certificate or reason phrase is not repeated.

use std::error::Error;
use std::io::{self, ErrorKind};

use postrider_aws::resolve::Unresolved;
use postrider_domain::attempt::{Outcome, Unreachable};

use crate::tls_failure;

/// The outcome of a failed send and a sentence about it. The URL is kept out: its query may hold a secret.
pub(crate) fn classify(error: reqwest::Error) -> (Outcome, String) {
    let error = error.without_url();
    let connecting = error.is_connect();
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(link) = cause {
        if let Some(found) = known(link, connecting) {
            return found;
        }
        cause = link.source();
    }
    if connecting && error.is_timeout() {
        unreachable(Unreachable::ConnectTimeout, "no connection came about in time")
    } else if connecting {
        unreachable(Unreachable::ConnectRefused, REFUSED)
    } else {
        unreachable(Unreachable::Reset, BROKEN)
    }
}

const REFUSED: &str = "nothing accepts connections there";
const BROKEN: &str = "the connection broke before an answer came";

fn unreachable(why: Unreachable, sentence: impl Into<String>) -> (Outcome, String) {
    (Outcome::Unreachable(why), sentence.into())
}

fn known(link: &(dyn Error + 'static), connecting: bool) -> Option<(Outcome, String)> {
    if let Some(unresolved) = link.downcast_ref::<Unresolved>() {
        let outcome = match unresolved {
            Unresolved::NoAddress => Outcome::Unreachable(Unreachable::DnsFailed),
            Unresolved::Refused { .. } => Outcome::Blocked,
        };
        return Some((outcome, unresolved.to_string()));
    }
    if let Some(tls) = link.downcast_ref::<rustls::Error>() {
        return Some(unreachable(Unreachable::TlsFailed, tls_failure::sentence(tls)));
    }
    if let Some(http) = link.downcast_ref::<hyper::Error>() {
        return of_http(http);
    }
    if let Some(http2) = link.downcast_ref::<h2::Error>() {
        return of_http2(http2, connecting);
    }
    of_io(link.downcast_ref::<io::Error>()?, connecting)
}

fn of_http(error: &hyper::Error) -> Option<(Outcome, String)> {
    let sentence = "the answer is no valid HTTP, or has more headers than are read";
    error.is_parse().then(|| unreachable(Unreachable::InvalidResponse, sentence))
}

fn of_http2(error: &h2::Error, connecting: bool) -> Option<(Outcome, String)> {
    if let Some(io) = error.get_io() {
        return of_io(io, connecting);
    }
    // Our side ended it, since the receiver broke the protocol's rules or limits.
    if error.is_library() {
        return Some(unreachable(Unreachable::InvalidResponse, "the answer breaks HTTP/2's rules or limits"));
    }
    let what = if error.is_go_away() { "closed the connection (GOAWAY" } else { "reset the request (RST_STREAM" };
    let reason = error.reason().filter(|_| error.is_remote())?;
    let sentence = format!("the receiver {what}, code {}) before an answer came", u32::from(reason));
    Some(unreachable(Unreachable::Reset, sentence))
}

fn of_io(error: &io::Error, connecting: bool) -> Option<(Outcome, String)> {
    // An io::Error hides the error that it wraps from `source`.
    if let Some(found) = error.get_ref().and_then(|inner| known(inner, connecting)) {
        return Some(found);
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => Some(unreachable(Unreachable::ConnectRefused, REFUSED)),
        ErrorKind::TimedOut if connecting => {
            Some(unreachable(Unreachable::ConnectTimeout, "no connection came about in time"))
        }
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
            if connecting =>
        {
            // It was there, so it is the handshake that broke off.
            let sentence = "the connection broke during the TLS handshake; nothing of the request had been sent";
            Some(unreachable(Unreachable::Reset, sentence))
        }
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
        | ErrorKind::TimedOut => Some(unreachable(Unreachable::Reset, BROKEN)),
        _ => None,
    }
}
