//! A visitor's session: what the API says that it may do.

use std::time::Duration;

use jiff::Timestamp;
use postrider_domain::key::hash_of;
use postrider_domain::time;
use postrider_host::remembered::RememberedByKey;
use serde::Deserialize;

use crate::api::{Api, Call};
use crate::brand::Brand;
use crate::colour::Colour;
use crate::texts::Language;
use crate::trouble::Trouble;

/// How long what a session may do is remembered. Each call of the API is judged by the API, so this decides which buttons are shown.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Sessions that are remembered.
const MOST: usize = 1_000;

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
}
