//! What a receiver of the smoke test knows, sealed into its path.

use jiff::{SignedDuration, Timestamp};
use postrider_aws::Failure;
use postrider_aws::keyring::Keyring;
use postrider_domain::invalid::Invalid;
use postrider_domain::secret::Secret;

use super::SOME_SECONDS;

/// For how long there is a receiver.
pub(super) const LIFE_SECONDS: u32 = 600;
/// For whom tokens are sealed: no tenant and no webhook is called so, and what is sealed for those opens as none.
const OWNER: &str = "smoke receivers";

/// Who receives: with which secret, from when on, and how long.
pub(super) struct Token {
    pub(super) secret: Secret,
    pub(super) refuses_until: Timestamp,
    pub(super) expires_at: Timestamp,
}

impl Token {
    /// A receiver's that is made now.
    ///
    /// # Errors
    /// For more seconds than there is one.
    pub(super) fn new(secret: Secret, refuse_seconds: u32, now: Timestamp) -> Result<Self, Invalid> {
        if refuse_seconds > LIFE_SECONDS {
            return Err(Invalid::new("refuse_seconds", SOME_SECONDS));
        }
        let after = |seconds: u32| {
            let rounded = Timestamp::from_second(now.as_second()).unwrap_or(now);
            rounded.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(now)
        };
        Ok(Self { secret, refuses_until: after(refuse_seconds), expires_at: after(LIFE_SECONDS) })
    }

    /// As it stands in a path.
    pub(super) async fn sealed(&self, keyring: &Keyring) -> Result<String, Failure> {
        let [refuses, expires] = [self.refuses_until, self.expires_at].map(Timestamp::as_second);
        keyring.seal(OWNER, &Secret::stored(format!("{refuses} {expires} {}", self.secret.expose()))).await
    }

    /// Of a path that anybody may have made up.
    pub(super) async fn open(keyring: &Keyring, sealed: &str) -> Result<Option<Self>, Failure> {
        let opened = keyring.open_a_strangers(OWNER, sealed).await?;
        Ok(opened.and_then(|opened| Self::read(opened.expose())))
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let mut time = || Timestamp::from_second(parts.next()?.parse().ok()?).ok();
        let (refuses_until, expires_at) = (time()?, time()?);
        Some(Self { secret: Secret::stored(parts.next()?.to_owned()), refuses_until, expires_at })
    }
}
