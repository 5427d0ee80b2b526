//! Why a POST got no answer, by the types of the errors in its chain, never by their texts.

use std::error::Error;
use std::io::{self, ErrorKind};

use postrider_aws::resolve::Unresolved;
use postrider_domain::attempt::{Outcome, Unreachable};

/// The outcome of a failed send and a sentence about it. The URL is kept out: its query may hold a secret.
pub(crate) fn classify(error: reqwest::Error) -> (Outcome, String) {
    let error = error.without_url();
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(link) = cause {
        if let Some(found) = known(link) {
            return found;
        }
        cause = link.source();
    }
    let why = if error.is_connect() && error.is_timeout() {
        Unreachable::ConnectTimeout
    } else if error.is_connect() {
        Unreachable::ConnectRefused
    } else {
        Unreachable::Reset
    };
    (Outcome::Unreachable(why), sentence(why).to_owned())
}

fn known(link: &(dyn Error + 'static)) -> Option<(Outcome, String)> {
    let unreachable = |why: Unreachable| Some((Outcome::Unreachable(why), sentence(why).to_owned()));
    if let Some(unresolved) = link.downcast_ref::<Unresolved>() {
        let outcome = match unresolved {
            Unresolved::NoAddress => Outcome::Unreachable(Unreachable::DnsFailed),
            Unresolved::Refused { .. } => Outcome::Blocked,
        };
        return Some((outcome, unresolved.to_string()));
    }
    if let Some(tls) = link.downcast_ref::<rustls::Error>() {
        return Some((Outcome::Unreachable(Unreachable::TlsFailed), format!("the TLS handshake failed: {tls}")));
    }
    if let Some(http) = link.downcast_ref::<hyper::Error>() {
        if http.is_parse() {
            return unreachable(Unreachable::InvalidResponse);
        }
        if http.is_incomplete_message() || http.is_closed() || http.is_canceled() {
            return unreachable(Unreachable::Reset);
        }
    }
    let io = link.downcast_ref::<io::Error>()?;
    // An io::Error hides the error that it wraps from `source`.
    if let Some(inner) = io.get_ref()
        && let Some(found) = known(inner)
    {
        return Some(found);
    }
    match io.kind() {
        ErrorKind::ConnectionRefused => unreachable(Unreachable::ConnectRefused),
        ErrorKind::TimedOut => unreachable(Unreachable::ConnectTimeout),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => unreachable(Unreachable::Reset),
        _ => None,
    }
}

fn sentence(why: Unreachable) -> &'static str {
    match why {
        Unreachable::DnsFailed => "the name does not resolve",
        Unreachable::ConnectRefused => "nothing accepts connections there",
        Unreachable::ConnectTimeout => "no connection came about in time",
        Unreachable::TlsFailed => "the TLS handshake failed",
        Unreachable::Reset => "the connection broke before an answer came",
        Unreachable::InvalidResponse => "the answer is no HTTP",
    }
}
