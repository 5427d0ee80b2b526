//! Whether a form that is posted was filled in here: a page of another site can post to any address, with the visitor's cookie.

use hmac::{Hmac, KeyInit as _, Mac as _};
use postrider_api::Request;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// What the session's text is a key for.
const LABEL: &[u8] = b"a form of the portal's";

/// The name of the hidden field.
pub(crate) const FIELD: &str = "form";

/// What the forms of a session carry. It follows from the session's text, which no other site and no script knows, and says nothing
/// about it.
pub(crate) fn token(session: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(session.as_bytes()).expect("any key will do");
    mac.update(LABEL);
    hex::encode(&mac.finalize().into_bytes()[..16])
}

/// Whether what came with a form is its session's.
pub(crate) fn is_own(session: &str, sent: Option<&str>) -> bool {
    sent.is_some_and(|sent| token(session).as_bytes().ct_eq(sent.as_bytes()).into())
}

/// Whether a browser says that a form came from elsewhere. Those that say nothing are left to the token; `null` is what a browser
/// says of our own forms as well, since they name no referrer.
pub(crate) fn is_from_elsewhere(request: &Request) -> bool {
    match (request.header("sec-fetch-site"), request.header("origin")) {
        (Some(site), _) => site != "same-origin",
        (None, None | Some("null")) => false,
        (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) != request.header("host"),
    }
}

#[cfg(test)]
mod tests {
    use replay::Call;

    use super::*;

    fn from(headers: &[(&str, &str)]) -> bool {
        let call = Call::new("POST", "/portal/leave").header("host", "api.example.com");
        let call = headers.iter().fold(call, |call, (name, value)| call.header(name, value));
        is_from_elsewhere(&Request::read(call.event().payload.get(), "1").unwrap())
    }

    #[test]
    fn a_token_is_its_sessions_alone() {
        assert!(is_own("one", Some(&token("one"))));
        for sent in [None, Some(""), Some(token("another").as_str()), Some("one")] {
            assert!(!is_own("one", sent));
        }
        assert!(!token("one").contains("one") && token("one").len() == 32);
    }

    #[test]
    fn a_form_of_another_site_is_told_by_its_browser() {
        assert!(!from(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(from(&[("sec-fetch-site", site), ("origin", "https://api.example.com")]), "{site}");
        }
        assert!(!from(&[]) && !from(&[("origin", "null")]) && !from(&[("origin", "https://api.example.com")]));
        assert!(
            from(&[("origin", "https://evil.example")]) && from(&[("origin", "https://api.example.com.evil.example")])
        );
    }
}
