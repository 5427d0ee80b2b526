//! Calls that make something, and make it once for each `Idempotency-Key` of their caller's: whoever comes again with the key is
//! answered what the first one was, a secret or a key included.

use jiff::Timestamp;
use postrider_aws::Failure;
use postrider_aws::config_table::{AnsweredCall, ConfigTable, Made};
use postrider_aws::keyring::Keyring;
use postrider_domain::call::{self, CallKey, CalledBy};
use postrider_domain::secret::Secret;
use postrider_host::clock;
use serde::{Deserialize, Serialize};

use crate::{ApiError, Request, Response};

/// 409: the key stands for another call.
pub fn used_before() -> ApiError {
    ApiError::conflict("this Idempotency-Key was used before, for a call with another body")
}

/// Where calls are remembered.
#[derive(Clone, Copy)]
pub struct Calls<'a> {
    config: &'a ConfigTable,
    keyring: &'a Keyring,
}

/// A call that makes something.
pub struct Call<'a> {
    calls: Calls<'a>,
    /// Its caller's key and what he asks for; nothing where he has given none.
    key: Option<(CallKey, String)>,
}

/// What a call asked for and was answered, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Remembered {
    /// The digest of what was asked for; in here, since what is asked for may be a secret that can be guessed at.
    asked: String,
    status: u16,
    body: String,
}

impl<'a> Calls<'a> {
    /// In this table, sealed by this keyring.
    pub fn new(config: &'a ConfigTable, keyring: &'a Keyring) -> Self {
        Self { config, keyring }
    }

    /// A caller's request to a route, of whose path `path` are the variables. `made_as` is what else than the request decides on what
    /// is made, such as the dialect of the caller's key.
    ///
    /// # Errors
    /// 400 when its key is none, or its body no JSON; 415 as [`Request::fields`].
    pub fn of(
        self,
        request: &Request,
        by: CalledBy<'_>,
        (route, path): (&str, &[&str]),
        made_as: &str,
    ) -> Result<Call<'a>, ApiError> {
        let Some(key) = request.header(call::HEADER) else { return Ok(Call { calls: self, key: None }) };
        let key = CallKey::new(by, route, path, key)?;
        request.fields()?;
        Ok(Call { calls: self, key: Some((key, call::asked(request.body(), made_as)?)) })
    }
}

impl Call<'_> {
    /// Has `make` make what the call asks for, or answers what an earlier one was answered. `make` writes what [`Call::answered`] gives it in the
    /// transaction that makes the thing.
    ///
    /// # Errors
    /// 409 where the key stands for another call; those of `make`, which are remembered nowhere.
    pub async fn once(
        &self,
        make: impl AsyncFnOnce(&Self) -> Result<(Response, Made), ApiError>,
    ) -> Result<Response, ApiError> {
        let Some((key, asked)) = &self.key else { return make(self).await.map(|(response, _)| response) };
        self.once_for(key, asked, make).await.map_err(ApiError::safe_to_repeat)
    }

    async fn once_for(
        &self,
        key: &CallKey,
        asked: &str,
        make: impl AsyncFnOnce(&Self) -> Result<(Response, Made), ApiError>,
    ) -> Result<Response, ApiError> {
        if let Some(answer) = self.earlier(key, asked).await? {
            return answer;
        }
        match make(self).await {
            Ok((response, Made::Now)) => Ok(response),
            Ok((_, Made::Before)) => {
                let earlier = self.earlier(key, asked).await?;
                earlier.unwrap_or_else(|| Err(Failure::CameAndWent("a call").into()))
            }
            // Another of the same key may have been faster, and have used up the room that this one lacked.
            Err(error) => match self.earlier(key, asked).await {
                Ok(Some(answer)) => answer,
                _ => Err(error),
            },
        }
    }

    /// The call with its answer, to be written with what it makes; nothing where it has no key.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub async fn answered(&self, response: &Response, now: Timestamp) -> Result<Option<AnsweredCall>, ApiError> {
        let Some((key, asked)) = &self.key else { return Ok(None) };
        let body = response.text_of_body().unwrap_or_default().to_owned();
        let copy = Remembered { asked: asked.clone(), status: response.status(), body };
        // Only maps with keys that are no strings cannot be written.
        let copy = Secret::stored(serde_json::to_string(&copy).unwrap_or_default());
        let sealed = self.calls.keyring.seal(&key.owner(), &copy).await?;
        Ok(Some(AnsweredCall::new(key.clone(), sealed, now)))
    }

    /// What an earlier call under this key was answered, if there was one; 409 where it asked for something else.
    async fn earlier(&self, key: &CallKey, asked: &str) -> Result<Option<Result<Response, ApiError>>, Failure> {
        let Some(sealed) = self.calls.config.answered_call(key, clock::now()).await? else { return Ok(None) };
        let copy = self.calls.keyring.open(&key.owner(), &sealed).await?;
        // What a parser says may quote a secret.
        let copy: Remembered =
            serde_json::from_str(copy.expose()).map_err(|_| Failure::unreadable("a call", "it is no answer"))?;
        let is_same = copy.asked == asked;
        Ok(Some(if is_same { Ok(Response::written(copy.status, copy.body)) } else { Err(used_before()) }))
    }
}
