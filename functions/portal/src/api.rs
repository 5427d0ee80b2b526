//! Calls of the public API with a visitor's session. What comes back is read as somebody else's word: into types, within bounds, and
//! whatever is amiss with it is a [`Trouble`], never a panic.

use std::time::Duration;

use postrider_domain::api_url;
use postrider_host::deadline;
use postrider_host::env::{self, BadSetting};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::de::DeserializeOwned;
use url::Url;

use crate::client::Clients;
use crate::trouble::Trouble;

/// How long a call may take: a little longer than the API's functions take to say that they were too slow.
const CALL_TIMEOUT: Duration = Duration::from_secs(16);
/// What is kept back of the time for a page, to write it.
const KEPT_BACK: Duration = Duration::from_millis(500);
/// What is read of an answer: as much as a function may say.
const MOST_BYTES: usize = 6 * 1024 * 1024;

/// The API.
pub(crate) struct Api {
    clients: Clients,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// The path's segments: each is one, whatever is in it.
    pub(crate) path: &'a [&'a str],
    pub(crate) query: &'a [(&'a str, &'a str)],
    /// JSON.
    pub(crate) body: Option<String>,
    /// So that a form that is sent twice makes one thing.
    pub(crate) idempotency_key: Option<&'a str>,
}

impl<'a> Call<'a> {
    pub(crate) fn get(path: &'a [&'a str], query: &'a [(&'a str, &'a str)]) -> Self {
        Self { method: Method::GET, path, query, body: None, idempotency_key: None }
    }

    pub(crate) fn with(method: Method, path: &'a [&'a str], body: Option<String>) -> Self {
        Self { method, path, query: &[], body, idempotency_key: None }
    }
}

impl Api {
    /// As the template says where it is, `API_URL`.
    ///
    /// # Errors
    /// [`BadSetting`] for what is no address of a server whose wire nobody else reads: sessions go over it.
    pub(crate) fn from_env() -> Result<Self, BadSetting> {
        let base = api_url::parse(&env::var("API_URL")?);
        base.map(Self::at).ok_or_else(|| BadSetting::new("API_URL", api_url::EXPECTED))
    }

    pub(crate) fn at(base: Url) -> Self {
        Self { clients: Clients::new(base) }
    }

    /// The path below which it is.
    pub(crate) fn path(&self) -> &str {
        self.clients.base().path().trim_end_matches('/')
    }

    /// Calls it, with a session or without one, and reads what it answers.
    ///
    /// # Errors
    /// What the API refuses, or why nothing came of it.
    pub(crate) async fn call<T: DeserializeOwned>(&self, session: Option<&str>, call: Call<'_>) -> Result<T, Trouble> {
        let limit = deadline::left().saturating_sub(KEPT_BACK).min(CALL_TIMEOUT);
        let told = format!("{} /{}", call.method, call.path.first().unwrap_or(&""));
        let answered = tokio::time::timeout(limit, self.answered(session, call)).await;
        let (status, body) = answered.unwrap_or_else(|_| Err(Trouble::failed(format!("{told}: no answer in time"))))?;
        if !(200..300).contains(&status) {
            return Err(Trouble::of(status, &body));
        }
        let body: &[u8] = if body.is_empty() { b"null" } else { &body };
        // What serde says of an error may quote what stands there, and that is a customer's.
        serde_json::from_slice(body).map_err(|error| {
            let (what, line, column) = (error.classify(), error.line(), error.column());
            Trouble::failed(format!("{told}: an answer that is not as documented: {what:?} at {line}:{column}"))
        })
    }

    async fn answered(&self, session: Option<&str>, call: Call<'_>) -> Result<(u16, Vec<u8>), Trouble> {
        let client = self.clients.client().map_err(|error| Trouble::failed(format!("no client: {error}")))?;
        let url = self.url(&call).ok_or(Trouble::NotFound)?;
        let mut request = client.request(call.method, url).header(ACCEPT, "application/json");
        if let Some(session) = session {
            let mut value = HeaderValue::try_from(format!("Bearer {session}")).map_err(|_| Trouble::Ended)?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(key) = call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        // The URL is left out of what is logged: what a visitor filtered by may be in it.
        let failed =
            |error: reqwest::Error| Trouble::failed(format!("the API cannot be called: {}", error.without_url()));
        let mut response = request.send().await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(Trouble::failed("an answer that is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((response.status().as_u16(), body))
    }

    /// Nothing where a segment would lead elsewhere.
    fn url(&self, call: &Call<'_>) -> Option<Url> {
        if call.path.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return None;
        }
        let mut url = self.clients.base().clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str, path: &[&str], query: &[(&str, &str)]) -> Option<String> {
        let api = Api::at(Url::parse(base).unwrap());
        api.url(&Call::get(path, query)).map(String::from)
    }

    #[test]
    fn the_api_is_below_its_own_path() {
        for (base, expected) in [
            ("https://api.example.com", "https://api.example.com/v1/webhooks?limit=20"),
            ("https://api.example.com/hooks/", "https://api.example.com/hooks/v1/webhooks?limit=20"),
            ("http://127.0.0.1:1/_aws/x/$default", "http://127.0.0.1:1/_aws/x/$default/v1/webhooks?limit=20"),
        ] {
            assert_eq!(url(base, &["v1", "webhooks"], &[("limit", "20")]).unwrap(), expected);
        }
    }

    #[test]
    fn what_stands_in_a_path_or_a_query_leads_nowhere_else() {
        let base = "https://api.example.com";
        let hostile = ["../tenants", "a/b", "a?b=c", "a#b", "%2e%2e", "a%2fb"];
        for id in hostile {
            let url = Url::parse(&url(base, &["v1", "webhooks", id], &[("cursor", "a&b=c#d")]).unwrap()).unwrap();
            assert_eq!(url.path_segments().unwrap().count(), 3, "{url}");
            assert_eq!(url.query_pairs().collect::<Vec<_>>(), [("cursor".into(), "a&b=c#d".into())], "{url}");
        }
        for id in ["", ".", ".."] {
            assert_eq!(url(base, &["v1", "webhooks", id], &[]), None);
        }
    }

    #[tokio::test]
    async fn what_an_answer_says_is_in_no_log() {
        use crate::stand_in::StandIn;
        let api = StandIn::saying(vec![("GET /v1/x", 200, serde_json::json!({"limit": "a customer's secret"}))]).await;
        let visitor = api.visitor();
        let call = Call::get(&["v1", "x"], &[]);
        let answered = visitor.portal.api.call::<std::collections::BTreeMap<String, u64>>(None, call).await;
        let cause = "GET /v1: an answer that is not as documented: Data at 1:".to_owned();
        let Err(Trouble::Failed(told)) = answered else { panic!("{answered:?}") };
        assert!(told.starts_with(&cause) && !told.contains("secret"), "{told}");
    }
}
