//! A visitor's session: what the API says that it may do, and the cookie that holds it.

use std::time::Duration;

use jiff::Timestamp;
use postrider_api::Request;
use postrider_domain::key::hash_of;
use postrider_domain::portal::is_session;
use postrider_domain::time;
use postrider_host::remembered::RememberedByKey;
use serde::Deserialize;

use crate::api::{Api, Call};
use crate::brand::Brand;
use crate::colour::Colour;
use crate::texts::Language;
use crate::trouble::Trouble;
use crate::visit::Guest;

/// How long what a session may do is remembered. Each call of the API is judged by the API, so this decides which buttons are shown.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Sessions that are remembered.
const MOST: usize = 1_000;

/// The cookie's name. A browser takes `__Secure-` from a secure origin alone; `__Host-` would need the path `/`, where all of the
/// API would be sent it.
pub(crate) const COOKIE: &str = "__Secure-portal";

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Capability {
    /// See all.
    View,
    /// Make, change and delete webhooks.
    Edit,
    /// Send tests, and again what was sent.
    Send,
    /// Rotate secrets.
    Secrets,
    /// What this version knows nothing of.
    #[serde(other)]
    Unknown,
}

/// A session as the API tells it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Session {
    /// How others name it: who makes a change is told by it.
    pub(crate) session_id: String,
    /// What the tenant is called.
    #[serde(default)]
    pub(crate) tenant_name: Option<String>,
    #[serde(default)]
    capabilities: Vec<Capability>,
    /// The webhooks that it sees, where it sees not all.
    #[serde(default)]
    pub(crate) webhook_ids: Option<Vec<String>>,
    /// Which dialect the webhooks that it makes speak.
    #[serde(default)]
    pub(crate) dialect: Option<String>,
    #[serde(with = "time::as_wire")]
    pub(crate) expires_at: Timestamp,
    #[serde(default)]
    return_url: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    accent: Option<String>,
    #[serde(default)]
    language: Option<String>,
}

impl Session {
    pub(crate) fn may(&self, capability: Capability) -> bool {
        capability == Capability::View || self.capabilities.contains(&capability)
    }

    /// Whether it sees all of its tenant's webhooks; one that does not makes none.
    pub(crate) fn sees_all(&self) -> bool {
        self.webhook_ids.is_none()
    }

    /// How the portal looks to it: as the operator has it, but for what its link says.
    pub(crate) fn brand(&self, operators: &Brand) -> Brand {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        Brand {
            name: said(&self.name).or_else(|| operators.name.clone()),
            accent: self.accent.as_deref().and_then(Colour::read).unwrap_or(operators.accent),
            language: self.language.as_deref().and_then(Language::named).unwrap_or(operators.language),
            return_url: said(&self.return_url).or_else(|| operators.return_url.clone()),
            frame_ancestors: operators.frame_ancestors.clone(),
        }
    }
}

/// What is known of sessions.
pub(crate) struct Sessions(RememberedByKey<Session, Trouble>);

impl Sessions {
    pub(crate) fn new() -> Self {
        Self(RememberedByKey::new(REMEMBERED, MOST))
    }

    /// The session of a cookie's text.
    ///
    /// # Errors
    /// [`Trouble::Ended`] where there is none.
    pub(crate) async fn of(&self, api: &Api, text: &str) -> Result<Session, Trouble> {
        let load = async {
            match api.call::<Session>(Some(text), Call::get(&["v1", "portal", "session"], &[])).await {
                Ok(session) => Ok(Some(session)),
                Err(Trouble::Ended) => Ok(None),
                Err(trouble) => Err(trouble),
            }
        };
        self.0
            .get(&hash_of(text), load)
            .await?
            .filter(|session| session.expires_at > Timestamp::now())
            .ok_or(Trouble::Ended)
    }
}

/// The session's text that a request has in its cookie. What cannot be one is none, and nobody is asked about it.
pub(crate) fn sent(request: &Request) -> Option<&str> {
    request.cookie(COOKIE).filter(|text| is_session(text))
}

/// The cookie that holds a session, for as many seconds; nothing where it is none.
///
/// It names no path: a browser takes the one below which it was set, and a link's button posts to `portal/enter`. So it is below the
/// portal's own wherever that is, also behind a proxy that puts it elsewhere.
pub(crate) fn cookie(session: &str, seconds: i64, is_framed: bool) -> Option<String> {
    is_session(session).then(|| written(session, seconds.max(0), None, is_framed))
}

/// What takes the cookie away, whichever page's answer it is: from the path of the page's own folder, as it was set; and as other pages lie
/// in other folders, from where the portal is as far as we know, by what came and by what links say.
pub(crate) fn no_cookie(guest: &Guest<'_>) -> Vec<String> {
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
    format!("{COOKIE}={session}; Max-Age={seconds}; HttpOnly; Secure; {site}{path}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(more: &serde_json::Value) -> Session {
        let mut session = json!({"session_id": "ps_1", "expires_at": "2026-01-15T14:30:00.000Z"});
        session.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(session).unwrap()
    }

    #[test]
    fn a_session_may_what_it_says_and_see() {
        let session = session(&json!({"capabilities": ["send", "something new"], "webhook_ids": ["wh_1"]}));
        let may =
            [Capability::View, Capability::Edit, Capability::Send, Capability::Secrets].map(|one| session.may(one));
        assert_eq!(may, [true, false, true, false]);
        assert!(!session.sees_all());
    }

    #[test]
    fn a_link_says_how_the_portal_looks_and_what_makes_no_sense_is_left_out() {
        let operators = Brand { name: Some("Acme".to_owned()), ..Brand::plain() };
        let told = session(&json!({"name": "Initech", "accent": "#ff0000", "language": "de"})).brand(&operators);
        assert_eq!(
            (told.name.as_deref(), told.accent, told.language),
            (Some("Initech"), Colour([255, 0, 0]), Language::German)
        );
        let told = session(&json!({"name": " ", "accent": "red;}", "language": "tlh"})).brand(&operators);
        assert_eq!(
            (told.name.as_deref(), told.accent, told.language),
            (Some("Acme"), operators.accent, Language::English)
        );
    }

    const TEXT: &str = crate::stand_in::SESSION;

    #[test]
    fn a_cookie_is_out_of_scripts_and_other_sites_reach() {
        let set = cookie(TEXT, 60, false).unwrap();
        assert_eq!(set, format!("__Secure-portal={TEXT}; Max-Age=60; HttpOnly; Secure; SameSite=Lax"));
        assert!(cookie(TEXT, 60, true).unwrap().ends_with("; HttpOnly; Secure; SameSite=None; Partitioned"));
    }

    #[test]
    fn what_is_no_session_is_no_cookie() {
        for hostile in
            ["", "a; Domain=example.com", &format!("{TEXT}\r\nset-cookie: b=c"), &format!("{TEXT} "), "é", &TEXT[1..]]
        {
            assert_eq!(cookie(hostile, 60, false), None, "{hostile}");
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
