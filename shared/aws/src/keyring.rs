//! Signing secrets and the values of webhooks' own headers are sealed before they reach DynamoDB: ChaCha20-Poly1305, bound to their
//! owner's ids, a header's to its name as well, under a key that only functions which sign or take secrets may read.
//!
//! The key's secret is `{"current": "k1", "k1": "…"}`: to rotate, add `k2` and point `current` at it. What was sealed
//! under `k1` opens as long as `k1` is there.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_types::SdkConfig;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use postrider_domain::secret::Secret;
use postrider_host::env::{self, BadSetting};
use postrider_host::remembered::Remembered;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use crate::error::{Failure, failed};

/// How long keys that were read for a stranger's text serve all others that nobody knows a key for.
const FOR_STRANGERS: Duration = Duration::from_secs(60);

/// How many bytes a text has that was sealed: its key's id, and in base64 a nonce, the text and a tag.
pub fn sealed_bytes(sealed: &str) -> usize {
    let text = sealed.split_once('.').map_or(sealed, |(_, text)| text);
    (text.len() * 3 / 4).saturating_sub(NONCE_LEN + CHACHA20_POLY1305.tag_len())
}

/// Opens and seals; the keys are read at first use and kept for the life of the process.
pub struct Keyring {
    client: Client,
    secret_id: String,
    keys: Remembered<Keys, Failure>,
    for_strangers: Remembered<Keys, Failure>,
}

impl Keyring {
    /// From `ENCRYPTION_KEY_SECRET`, the secret's ARN.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::of(sdk, &env::var("ENCRYPTION_KEY_SECRET")?))
    }

    /// Of the keys in this secret.
    pub fn of(sdk: &SdkConfig, secret_id: &str) -> Self {
        Self {
            client: Client::new(sdk),
            secret_id: secret_id.to_owned(),
            keys: Remembered::new(Duration::MAX),
            for_strangers: Remembered::new(FOR_STRANGERS),
        }
    }

    /// Seals a secret for its owner, such as `ten_…/wh_…`; it opens for no other.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub async fn seal(&self, owner: &str, secret: &Secret) -> Result<String, Failure> {
        self.keys.get(self.load()).await?.seal(owner, secret)
    }

    /// Opens what was sealed for this owner. A key id that is not known yet makes it read the keys anew, at most once a second.
    ///
    /// # Errors
    /// When the keys cannot be read, or the text was not sealed for this owner by us.
    pub async fn open(&self, owner: &str, sealed: &str) -> Result<Secret, Failure> {
        self.keys.get_if(|keys| keys.know(sealed), self.load()).await?.open(owner, sealed)
    }

    /// Opens what a stranger brought; nothing where it was not sealed for this owner by us. Whatever key ids strangers make up, the
    /// keys are read anew once a minute at the most.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub async fn open_a_strangers(&self, owner: &str, sealed: &str) -> Result<Option<Secret>, Failure> {
        let known = self.keys.get(self.load()).await?;
        let keys = if known.know(sealed) { known } else { self.for_strangers.get(self.load()).await? };
        Ok(keys.open(owner, sealed).ok())
    }

    async fn load(&self) -> Result<Keys, Failure> {
        let call = "GetSecretValue";
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await.map_err(failed(call))?;
        Keys::parse(answer.secret_string().unwrap_or_default())
    }
}

/// The keys by id.
#[derive(Clone)]
struct Keys {
    current: String,
    by_id: HashMap<String, LessSafeKey>,
}

impl Keys {
    fn parse(text: &str) -> Result<Self, Failure> {
        let bad = || Failure::Secret("the encryption key should be {\"current\": \"k1\", \"k1\": \"…\"}");
        let mut texts: HashMap<String, String> = serde_json::from_str(text).map_err(|_| bad())?;
        let current = texts.remove("current").ok_or_else(bad)?;
        let by_id: HashMap<_, _> = texts.into_iter().filter_map(|(id, text)| Some((id, derive(&text)?))).collect();
        if by_id.contains_key(&current) { Ok(Self { current, by_id }) } else { Err(bad()) }
    }

    fn know(&self, sealed: &str) -> bool {
        sealed.split_once('.').is_some_and(|(id, _)| self.by_id.contains_key(id))
    }

    fn seal(&self, owner: &str, secret: &Secret) -> Result<String, Failure> {
        let bad = || Failure::Secret("the current encryption key is missing");
        let key = self.by_id.get(&self.current).ok_or_else(bad)?;
        let nonce: [u8; NONCE_LEN] = rand::random();
        // With room for the tag: a buffer that had to grow would leave the secret behind in the one before.
        let mut bytes = Vec::with_capacity(secret.expose().len() + CHACHA20_POLY1305.tag_len());
        bytes.extend_from_slice(secret.expose().as_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut bytes)
            .map_err(|_| bad())?;
        let sealed = [&nonce[..], &bytes].concat();
        Ok(format!("{}.{}", self.current, BASE64.encode(sealed)))
    }

    fn open(&self, owner: &str, sealed: &str) -> Result<Secret, Failure> {
        let open = || {
            let (id, text) = sealed.split_once('.')?;
            let bytes = BASE64.decode(text).ok()?;
            let (nonce, body) = bytes.split_first_chunk::<NONCE_LEN>()?;
            let mut body = Zeroizing::new(body.to_vec());
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let plain = self.by_id.get(id)?.open_in_place(nonce, Aad::from(owner), &mut body).ok()?;
            Some(Secret::stored(std::str::from_utf8(plain).ok()?.to_owned()))
        };
        open().ok_or_else(|| Failure::Secret("a secret was not sealed for this owner by a key of ours"))
    }
}

/// A key from the generated text, whatever its length.
fn derive(text: &str) -> Option<LessSafeKey> {
    let pseudorandom = Salt::new(HKDF_SHA256, b"postrider").extract(text.as_bytes());
    let okm = pseudorandom.expand(&[b"signing secrets, v1"], &CHACHA20_POLY1305).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(okm)))
}

#[cfg(test)]
mod tests {
    use replay::{Said, Script};

    use super::*;
    use crate::sdk;

    fn keys(json: &str) -> Keys {
        Keys::parse(json).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_for_its_owner_alone() {
        let keys = keys(r#"{"current":"k1","k1":"some generated text"}"#);
        let sealed = keys.seal("ten_a/wh_a", &Secret::stored("whsec_canary".into())).unwrap();
        assert!(sealed.starts_with("k1.") && !sealed.contains("canary"));
        assert_eq!(keys.open("ten_a/wh_a", &sealed).unwrap().expose(), "whsec_canary");
        assert!(keys.open("ten_b/wh_a", &sealed).is_err());
        let flipped = format!("{}{}", &sealed[..sealed.len() - 2], if sealed.ends_with("AA") { "BB" } else { "AA" });
        assert!(keys.open("ten_a/wh_a", &flipped).is_err());
    }

    #[test]
    fn how_long_a_text_is_shows_without_a_key() {
        let keys = keys(r#"{"current":"k1","k1":"some generated text"}"#);
        for length in (0..70).chain([1024, 4095, 4096]) {
            let sealed = keys.seal("o", &Secret::stored("x".repeat(length))).unwrap();
            assert_eq!(sealed_bytes(&sealed), length);
        }
        assert_eq!(sealed_bytes("no sealed text"), 0);
    }

    #[test]
    fn after_a_rotation_old_and_new_open() {
        let secret = Secret::stored("whsec_x".into());
        let old = keys(r#"{"current":"k1","k1":"one"}"#).seal("o", &secret).unwrap();
        let rotated = keys(r#"{"current":"k2","k1":"one","k2":"two"}"#);
        assert!(rotated.seal("o", &secret).unwrap().starts_with("k2."));
        assert_eq!(rotated.open("o", &old).unwrap(), secret);
        assert!(!rotated.know("k3.AAAA"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_strangers_text_opens_or_is_nothing_and_has_the_keys_read_once_a_minute() {
        let (one, both) = (r#"{"current":"k1","k1":"one"}"#, r#"{"current":"k2","k1":"one","k2":"two"}"#);
        let script = Script::default().saying("GetSecretValue", [one, both].map(Said::secret));
        let keyring = Keyring::of(&script.sdk(sdk::over), "encryption key");
        let secret = Secret::stored("whsec_x".into());
        let [by_old, by_new] = [one, both].map(|json| keys(json).seal("o", &secret).unwrap());
        assert_eq!(keyring.open_a_strangers("o", &by_old).await.unwrap().as_ref(), Some(&secret));
        for nonsense in ["k1.AAAA", "k1.", &by_old[..40]] {
            assert_eq!(keyring.open_a_strangers("o", nonsense).await.unwrap(), None, "{nonsense}");
        }
        assert_eq!(keyring.open_a_strangers("another", &by_old).await.unwrap(), None);
        assert_eq!(script.asked("GetSecretValue").len(), 1);
        // One that was sealed by a process which has read a newer key.
        assert_eq!(keyring.open_a_strangers("o", &by_new).await.unwrap().as_ref(), Some(&secret));
        for number in 0..100 {
            assert_eq!(keyring.open_a_strangers("o", &format!("x{number}.AAAA")).await.unwrap(), None);
        }
        assert_eq!(script.asked("GetSecretValue").len(), 2, "a third would not have been answered");
    }

    #[test]
    fn the_same_secret_is_never_sealed_alike() {
        let keys = keys(r#"{"current":"k1","k1":"one"}"#);
        let secret = Secret::stored("whsec_x".into());
        assert_ne!(keys.seal("o", &secret).unwrap(), keys.seal("o", &secret).unwrap());
    }

    #[test]
    fn a_broken_key_secret_is_an_error_without_its_text() {
        for bad in ["", "canary", r#"{"current":"k2","k1":"canary"}"#] {
            let error = Keys::parse(bad).err().unwrap();
            assert!(!error.to_string().contains("canary"));
        }
    }
}
