//! The cookie that holds a visitor's session.

use postrider_api::Request;
use postrider_domain::portal::is_session;

use crate::visit::Guest;

/// The cookie's name. A browser takes `__Secure-` from a secure origin alone; `__Host-` would need the path `/`, where all of the
/// API would be sent it.
pub(crate) const NAME: &str = "__Secure-portal";

/// The session's text that a request has in its cookie. What cannot be one is none, and nobody is asked about it.
pub(crate) fn sent(request: &Request) -> Option<&str> {
    request.cookie(NAME).filter(|text| is_session(text))
}

/// The cookie that holds a session, for as many seconds; nothing where it is none.
///
/// It names no path: a browser takes the one below which it was set, and a link's button posts to `portal/enter`. So it is below the
/// portal's own wherever that is, also behind a proxy that puts it elsewhere.
pub(crate) fn set(session: &str, seconds: i64, is_framed: bool) -> Option<String> {
    is_session(session).then(|| written(session, seconds.max(0), None, is_framed))
}

/// What takes the cookie away, whichever page's answer it is: from the path of the page's own folder, as it was set; and as other pages lie
/// in other folders, from where the portal is as far as we know, by what came and by what links say.
pub(crate) fn clear(guest: &Guest<'_>) -> Vec<String> {
    let is_framed = guest.brand.is_framed();
    let mut paths: Vec<String> =
        [guest.request.before.as_str(), guest.api.path()].map(|before| format!("{before}/portal")).into();
    paths.dedup();
    let named = paths.into_iter().filter(|path| is_path(path)).map(|path| written("", 0, Some(&path), is_framed));
    std::iter::once(written("", 0, None, is_framed)).chain(named).collect()
}

/// Whether a cookie can name it.
fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !b";,\"\\".contains(&byte))
}

fn written(session: &str, seconds: i64, path: Option<&str>, is_framed: bool) -> String {
    // Within another site's frame, a browser sends what is partitioned by that site.
    let site = if is_framed { "SameSite=None; Partitioned" } else { "SameSite=Lax" };
    let path = path.map(|path| format!("; Path={path}")).unwrap_or_default();
    format!("{NAME}={session}; Max-Age={seconds}; HttpOnly; Secure; {site}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = crate::stand_in::SESSION;

    #[test]
    fn a_cookie_is_out_of_scripts_and_other_sites_reach() {
        let told = set(TEXT, 60, false).unwrap();
        assert_eq!(told, format!("__Secure-portal={TEXT}; Max-Age=60; HttpOnly; Secure; SameSite=Lax"));
        assert!(set(TEXT, 60, true).unwrap().ends_with("; HttpOnly; Secure; SameSite=None; Partitioned"));
    }

    #[test]
    fn what_is_no_session_is_no_cookie() {
        for hostile in
            ["", "a; Domain=example.com", &format!("{TEXT}\r\nset-cookie: b=c"), &format!("{TEXT} "), "é", &TEXT[1..]]
        {
            assert_eq!(set(hostile, 60, false), None, "{hostile}");
        }
    }

    #[test]
    fn a_path_that_would_be_more_than_one_is_none() {
        assert!(is_path("/portal") && is_path("/_aws/execute-api/abc/$default/portal"));
        for hostile in ["", "portal", "/a;b/portal", "/a b/portal", "/a\r\nb/portal", "/ä/portal"] {
            assert!(!is_path(hostile), "{hostile}");
        }
    }
}
