//! One request of the portal: who asks, for what, and how what he is shown leads on.

use std::cell::Cell;
use std::ops::Deref;

use postrider_api::Request;
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::api::{Api, Call};
use crate::brand::Brand;
use crate::form::Form;
use crate::session::{Capability, Session};
use crate::texts::Texts;
use crate::trouble::Trouble;

/// As many variables as a path has at the most.
pub(crate) const VARIABLES: usize = 2;

/// Calls of the API that a page makes at once: an account may run few functions.
pub(crate) const AT_ONCE: usize = 4;
/// Calls that a page makes in all. Each counts among those that the gateway lets through.
pub(crate) const MOST_CALLS: usize = 32;

/// Whoever asks for a page, with a session or without one.
#[derive(Clone)]
pub(crate) struct Guest<'a> {
    pub(crate) request: &'a Request,
    pub(crate) api: &'a Api,
    pub(crate) brand: Brand,
    pub(crate) texts: &'static Texts,
    /// What stands in the path's `{…}`, in order; empty where it has fewer.
    pub(crate) variables: [&'a str; VARIABLES],
    /// The way from the page's own address up to `portal/`: all links are relative, since nobody here knows what stands before it.
    pub(crate) root: String,
}

/// Whoever has a session. Calls of the API are made with it.
pub(crate) struct Visit<'a> {
    pub(crate) guest: Guest<'a>,
    pub(crate) session: Session,
    /// The session's own text, which nothing shows.
    pub(crate) secret: &'a str,
    /// What was posted.
    pub(crate) form: Form,
    /// The calls that were made for the page, that which told of the session with them.
    pub(crate) calls: Cell<usize>,
    /// Room for those that are made at once.
    pub(crate) room: Semaphore,
}

impl<'a> Deref for Visit<'a> {
    type Target = Guest<'a>;

    fn deref(&self) -> &Guest<'a> {
        &self.guest
    }
}

/// The way up to `portal/` from a path of so many segments: from `portal` itself it leads down.
pub(crate) fn root(segments: usize) -> String {
    match segments {
        0 | 1 => "portal/".to_owned(),
        2 => "./".to_owned(),
        _ => "../".repeat(segments - 2),
    }
}

impl Guest<'_> {
    /// Where a path below the portal's own is, such as `webhooks/wh_1`.
    pub(crate) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// A query parameter; given twice, or as nothing, it is none.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.request.query(name).ok().flatten().filter(|value| !value.is_empty())
    }

    /// Whether the script asks, which puts a part of a page in its place.
    pub(crate) fn is_for_script(&self) -> bool {
        self.request.header("x-part").is_some()
    }
}

/// What is sent, as JSON. What of it is raw stays as it was written.
fn written(body: &impl Serialize) -> Result<String, Trouble> {
    serde_json::to_string(body).map_err(|_| Trouble::failed("a body that cannot be written".to_owned()))
}

impl Visit<'_> {
    async fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Trouble> {
        self.calls.set(self.calls.get() + 1);
        if self.calls.get() > MOST_CALLS {
            return Err(Trouble::failed("a page that asks for too much".to_owned()));
        }
        let _room = self.room.acquire().await.map_err(|_| Trouble::failed("no room for a call".to_owned()))?;
        self.api.call(Some(self.secret), call).await
    }

    pub(crate) fn may(&self, capability: Capability) -> bool {
        self.session.may(capability)
    }

    /// What the API shows there.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Trouble> {
        self.call(Call::get(path, query)).await
    }

    /// The same, where what is not there is nothing.
    pub(crate) async fn get_if_there<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Option<T>, Trouble> {
        match self.get(path, &[]).await {
            Ok(found) => Ok(Some(found)),
            Err(Trouble::NotFound) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Posts there.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Trouble> {
        self.call(Call::with(Method::POST, path, Some(written(body)?))).await
    }

    /// Posts what makes something: with the same key again it makes nothing more, and is answered the same.
    pub(crate) async fn create<T: DeserializeOwned>(
        &self,
        path: &[&str],
        key: &str,
        body: &impl Serialize,
    ) -> Result<T, Trouble> {
        let call = Call { idempotency_key: Some(key), ..Call::with(Method::POST, path, Some(written(body)?)) };
        self.call(call).await
    }

    /// Changes what is there.
    pub(crate) async fn patch<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Trouble> {
        self.call(Call::with(Method::PATCH, path, Some(written(body)?))).await
    }

    /// Takes away what is there.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<(), Trouble> {
        self.call(Call::with(Method::DELETE, path, None)).await
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn from_every_page_its_root_is_the_portals() {
        for before in ["", "/hooks", "/_aws/execute-api/abc/$default"] {
            for path in ["portal", "portal/webhooks", "portal/webhooks/wh_1", "portal/webhooks/wh_1/edit"] {
                let page = Url::parse(&format!("https://api.example.com{before}/{path}")).unwrap();
                let up = root(path.split('/').count());
                assert_eq!(
                    page.join(&format!("{up}events")).unwrap().path(),
                    format!("{before}/portal/events"),
                    "{page}"
                );
            }
        }
    }
}
