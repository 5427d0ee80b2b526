//! Why a POST got no answer, by the types of the errors in its chain, never by their texts.
//!
//! What is said about it is ours to the word: a receiver's certificate or reason phrase is not repeated.

use std::error::Error;
use std::io::{self, ErrorKind};

use postrider_domain::attempt::{Outcome, Unreachable};
use postrider_host::resolver::Unresolved;

use crate::tls_failure;

/// The outcome of a failed send and a sentence about it. The URL is kept out: its query may hold a secret.
///
/// # Errors
/// When it was for want of descriptors, memory or local ports: no receiver's fault, so no attempt of his.
pub(crate) fn classify(error: reqwest::Error) -> Result<(Outcome, String), lambda_runtime::Error> {
    let error = error.without_url();
    if chain(&error).any(is_ours) {
        return Err(error.into());
    }
    Ok(of_receiver(&error))
}

/// Whether the receiver has provably not begun on the request, by what it said or because nothing of it was sent.
pub(crate) fn was_not_begun(error: &reqwest::Error) -> bool {
    chain(error).any(is_turned_away) || is_left_by_the_pool(error)
}

/// HTTP/2 says so of streams beyond the last one of a GOAWAY, which alone get its error, and by REFUSED_STREAM (RFC 9113,
/// sections 6.8 and 8.7). The client says so of a request that still lay before it when its connection ended: it calls that
/// cancelled, or where a stream waited for its turn, no longer dispatched. The latter counts among its user's errors. None of
/// the others can come after the request's head: they are about requests that are not begun, or about bodies that fail or end
/// early, and ours are whole before they are sent.
fn is_turned_away(link: &(dyn Error + 'static)) -> bool {
    if let Some(http2) = link.downcast_ref::<h2::Error>() {
        let refused = http2.is_reset() && http2.reason() == Some(h2::Reason::REFUSED_STREAM);
        return http2.is_remote() && (http2.is_go_away() || refused);
    }
    let is_unsent = |http: &hyper::Error| http.is_canceled() || http.is_user() && !http.is_body_write_aborted();
    link.downcast_ref::<hyper::Error>().is_some_and(is_unsent)
}

/// A request waits for a connection that another one opens, if that is HTTP/2. When it ends at once, the pool's own error is
/// all there is, and it is of no type that can be named.
fn is_left_by_the_pool(error: &reqwest::Error) -> bool {
    let is_known = |link: &(dyn Error + 'static)| {
        link.is::<Unresolved>() || link.is::<rustls::Error>() || link.is::<h2::Error>() || link.is::<io::Error>()
    };
    error.is_connect() && !error.is_timeout() && !chain(error).any(is_known)
}

fn of_receiver(error: &reqwest::Error) -> (Outcome, String) {
    let connecting = error.is_connect();
    if let Some(found) = chain(error).find_map(|link| known(link, connecting)) {
        return found;
    }
    if connecting && error.is_timeout() {
        unreachable(Unreachable::ConnectTimeout, "no connection came about in time")
    } else if connecting {
        unreachable(Unreachable::ConnectRefused, REFUSED)
    } else {
        unreachable(Unreachable::Reset, BROKEN)
    }
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |&link| link.source())
}

fn is_ours(link: &(dyn Error + 'static)) -> bool {
    const WANT: [i32; 5] = [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS, libc::EADDRNOTAVAIL];
    link.downcast_ref::<io::Error>().is_some_and(|io| match io.raw_os_error() {
        Some(code) => WANT.contains(&code),
        None => io.get_ref().is_some_and(|inner| is_ours(inner)),
    })
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
        // Once the request is on its way, TLS that breaks is a connection that does; but for want of a client certificate,
        // of which a receiver with TLS 1.3 complains only then.
        let failed = connecting || tls_failure::is_about_our_certificate(tls);
        return Some(match failed {
            true => unreachable(Unreachable::TlsFailed, tls_failure::sentence(tls)),
            false => unreachable(Unreachable::Reset, BROKEN),
        });
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
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
            let sentence = "no route to its address; an IPv6 address needs functions that have IPv6";
            Some(unreachable(Unreachable::ConnectRefused, sentence))
        }
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
