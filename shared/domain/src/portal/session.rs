//! Sessions, and the links that they come of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Capabilities, Look, Reach};
use crate::dialect::{DialectRef, SESSION_PREFIX, TOKEN_PREFIX};
use crate::id::{SessionId, TenantId};
use crate::invalid::Invalid;

/// Of what follows the prefix of either: 256 random bits in hex.
const HEX_CHARS: usize = 64;
/// For how long a link works, in seconds.
pub const LINK_SECONDS: i64 = 300;
/// A session's shortest life, in seconds from when its link is made.
pub const MIN_SECONDS: i64 = 60;
/// Its longest.
pub const MAX_SECONDS: i64 = 604_800;
/// Where nobody says how long.
pub const USUAL_SECONDS: i64 = 3600;

/// A visitor's right, as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name, which is not what the visitor sends.
    pub id: SessionId,
    /// Whose webhooks it is about.
    pub tenant_id: TenantId,
    /// What it may do.
    pub capabilities: Capabilities,
    /// With which of them.
    pub reach: Reach,
    /// The dialect of the webhooks that it makes.
    pub dialect: DialectRef,
    /// The tenant's epoch when its link was made: a later one has ended it.
    pub epoch: u64,
    /// When it ends, in seconds since 1970; the row may be removed then.
    pub expires_at: i64,
    /// How its pages look.
    #[serde(flatten)]
    pub look: Look,
}

impl Session {
    /// Whether its time is over.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at <= now.as_second()
    }

    /// When it ends.
    pub fn ends_at(&self) -> Timestamp {
        Timestamp::from_second(self.expires_at).unwrap_or(Timestamp::MAX)
    }
}

/// A session that nobody has begun yet, as its link's row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it will be.
    #[serde(flatten)]
    pub session: Session,
    /// Until when it can be begun, in seconds since 1970.
    pub usable_until: i64,
}

impl Link {
    /// A link to a session, made at `now`.
    pub fn to(session: Session, now: Timestamp) -> Self {
        let usable_until = session.expires_at.min(now.as_second() + LINK_SECONDS);
        Self { session, usable_until }
    }

    /// Whether it is too old.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.usable_until <= now.as_second()
    }
}

/// Takes a request's `expires_in`.
///
/// # Errors
/// [`Invalid`] where it is too short or too long.
pub fn check_seconds(seconds: i64) -> Result<i64, Invalid> {
    if (MIN_SECONDS..=MAX_SECONDS).contains(&seconds) {
        return Ok(seconds);
    }
    Err(Invalid::new("expires_in", format!("a whole number of seconds, {MIN_SECONDS} to {MAX_SECONDS}")))
}

/// Whether a text can be a session's: what cannot is looked up nowhere.
pub fn is_session(text: &str) -> bool {
    has_shape(text, SESSION_PREFIX)
}

/// The same for a link's token.
pub fn is_token(text: &str) -> bool {
    has_shape(text, TOKEN_PREFIX)
}

fn has_shape(text: &str, prefix: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.strip_prefix(prefix).is_some_and(|rest| rest.len() == HEX_CHARS && rest.bytes().all(is_hex))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::STANDARD;
    use crate::key::secret_text;

    fn session(expires_at: i64) -> Session {
        let at = Timestamp::UNIX_EPOCH;
        Session {
            id: SessionId::ending(Timestamp::from_second(expires_at).unwrap(), 1),
            tenant_id: TenantId::new(at, 1),
            capabilities: Capabilities::all(),
            reach: Reach::All,
            dialect: DialectRef(&STANDARD),
            epoch: 0,
            expires_at,
            look: Look::default(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_link_works_for_five_minutes_and_never_longer_than_its_session() {
        for (expires_in, usable_until) in [(60, 60), (300, 300), (301, 300), (3600, 300)] {
            let link = Link::to(session(1000 + expires_in), at(1000));
            assert_eq!(link.usable_until, 1000 + usable_until);
            assert!(!link.is_late(at(1000 + usable_until - 1)) && link.is_late(at(1000 + usable_until)));
        }
        assert!(!session(7).has_ended(at(6)) && session(7).has_ended(at(7)));
    }

    #[test]
    fn a_life_is_a_minute_to_a_week() {
        assert!([60, 3600, 604_800].into_iter().all(|seconds| check_seconds(seconds) == Ok(seconds)));
        assert!([i64::MIN, 0, 59, 604_801].into_iter().all(|seconds| check_seconds(seconds).is_err()));
    }

    #[test]
    fn a_text_is_known_by_its_shape() {
        let (text, token) = (secret_text(SESSION_PREFIX, &[7; 32]), secret_text(TOKEN_PREFIX, &[7; 32]));
        assert!(is_session(&text) && !is_token(&text) && is_token(&token) && !is_session(&token));
        for bad in ["prs_", &text[..67], &format!("{text}0"), &text.to_uppercase(), &format!(" {text}")] {
            assert!(!is_session(bad), "{bad}");
        }
    }

    #[test]
    fn its_row_is_read_as_it_was_written() {
        let link = Link::to(session(9000), at(1000));
        let row = serde_json::to_value(&link).unwrap();
        assert_eq!(serde_json::from_value::<Link>(row.clone()).unwrap(), link);
        assert_eq!(serde_json::from_value::<Session>(row).unwrap(), link.session);
    }
}
