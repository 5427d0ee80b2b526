//! A client of Postrider's HTTP API that holds every answer to the API's general promises.

use std::sync::Once;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use super::openapi::Exchange;

/// The API with one credential.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    http: Client,
    base: String,
    credential: Option<(HeaderName, String)>,
}

impl Api {
    /// The API without a credential.
    pub(crate) fn anonymous(base: &str) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            rustls::crypto::ring::default_provider().install_default().expect("nothing else installs a provider");
        });
        let http = Client::builder().no_proxy().build().expect("a plain client should build");
        Self { http, base: base.trim_end_matches('/').to_owned(), credential: None }
    }

    /// The API with a key as its bearer token.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        self.with_authorization(&format!("Bearer {key}"))
    }

    /// The API with an Authorization header of the test's choice.
    pub(crate) fn with_authorization(&self, value: &str) -> Self {
        Self { credential: Some((AUTHORIZATION, value.to_owned())), ..self.clone() }
    }

    /// The API with a key in a header of its own, as `/v1/jobs` takes it.
    pub(crate) fn with_api_key(&self, key: &str) -> Self {
        Self { credential: Some((HeaderName::from_static("x-api-key"), key.to_owned())), ..self.clone() }
    }

    /// A request that is not sent yet.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if let Some((name, value)) = &self.credential {
            request = request.header(name, value);
        }
        Call { request, line: format!("{method} {path}"), sent: None }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path).json(body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path).json(body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path).json(body).send().await
    }

    /// Posts a body whose bytes matter.
    pub(crate) async fn post_text(&self, path: &str, body: &str) -> Answer {
        self.call(Method::POST, path).body("application/json", body).send().await
    }
}

/// A request that is being put together.
#[derive(Debug)]
pub(crate) struct Call {
    request: RequestBuilder,
    line: String,
    sent: Option<String>,
}

impl Call {
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    pub(crate) fn body(self, content_type: &str, body: &str) -> Self {
        let request = self.request.header(CONTENT_TYPE, content_type).body(body.to_owned());
        Self { request, sent: Some(body.to_owned()), ..self }
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    /// Sends it where the function may be killed meanwhile, which the emulator answers for; why there is no answer otherwise.
    pub(crate) async fn try_send(self) -> Result<Answer, String> {
        let response = self.request.send().await.map_err(|error| error.to_string())?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.map_err(|error| error.to_string())?;
        if status >= 500 {
            return Err(body);
        }
        let answer = Answer { line: self.line, status, headers, body };
        answer.hold_to_document(self.sent.as_deref());
        Ok(answer)
    }

    /// Sends it. Every answer, good or bad, must carry a request id and be as the API's document says.
    pub(crate) async fn send(self) -> Answer {
        let line = self.line;
        let response = self.request.send().await.unwrap_or_else(|error| panic!("{line}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap_or_else(|error| panic!("{line}: {error:?}"));
        let answer = Answer { line, status, headers, body: String::from_utf8_lossy(&body).into_owned() };
        assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()), "no x-request-id: {answer:?}");
        answer.hold_to_document(self.sent.as_deref());
        answer
    }
}

/// An answer, with the request's first line for the failure messages.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    line: String,
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    fn hold_to_document(&self, sent: Option<&str>) {
        let (method, target) = self.line.split_once(' ').expect("a method and a path");
        let content_type = self.header("content-type");
        Exchange { method, target, sent, status: self.status, content_type, answered: &self.body }.hold();
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body, where the status is the expected one.
    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{} answered {}", self.line, self.body);
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{} answered {}", self.line, self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{} answered {}: {error}", self.line, self.body))
    }

    /// Holds a refusal to the default error shape; returns the object under `error`.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        let body = self.ok(status);
        let error = &body["error"];
        assert_eq!(keys(&body), ["error"], "{} answered {}", self.line, self.body);
        assert_eq!(error["code"], code, "{} answered {}", self.line, self.body);
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "no message: {}", self.body);
        for key in keys(error) {
            assert!(["code", "details", "message"].contains(&key.as_str()), "unknown key {key}: {}", self.body);
        }
        error.clone()
    }

    /// Holds a refusal to the shape of `/api/v1`, a text and a reason; returns the text.
    #[track_caller]
    pub(crate) fn refused_plainly(&self, status: u16, reason: &str) -> String {
        let body = self.ok(status);
        assert_eq!(keys(&body), ["error", "reason"], "{} answered {}", self.line, self.body);
        assert_eq!(body["reason"], reason, "{} answered {}", self.line, self.body);
        let error = text(&body, "error");
        assert!(!error.is_empty(), "{} answered {}", self.line, self.body);
        error.to_owned()
    }

    /// Holds a refusal to the shape of `/v1/jobs`, with the request's id inside too; returns the message.
    #[track_caller]
    pub(crate) fn refused_with_meta(&self, status: u16, code: &str) -> String {
        let body = self.ok(status);
        assert_eq!(keys(&body), ["error", "meta"], "{} answered {}", self.line, self.body);
        self.assert_meta(&body);
        let error = &body["error"];
        assert_eq!(keys(error), ["code", "message"], "{} answered {}", self.line, self.body);
        assert_eq!(error["code"], code, "{} answered {}", self.line, self.body);
        text(error, "message").to_owned()
    }

    /// What `/v1/jobs` wraps, where the status is the expected one.
    #[track_caller]
    pub(crate) fn data(&self, status: u16) -> Value {
        let body = self.ok(status);
        assert_eq!(keys(&body), ["data", "meta"], "{} answered {}", self.line, self.body);
        self.assert_meta(&body);
        body["data"].clone()
    }

    #[track_caller]
    pub(crate) fn assert_meta(&self, body: &Value) {
        let id = self.header("x-request-id").unwrap_or_default();
        assert_eq!(body["meta"], serde_json::json!({"request_id": id}), "{} answered {}", self.line, self.body);
    }

    /// Holds a 400 to naming the field (`field`, or a part of it, `field[2]` or `field.part`) and what was expected of it.
    #[track_caller]
    pub(crate) fn invalid(&self, field: &str) {
        let error = self.refused(400, "invalid_request");
        let details = &error["details"];
        let named = text(details, "field");
        let named = named.split(['[', '.']).next().unwrap_or(named);
        assert_eq!(named, field, "{} answered {}", self.line, self.body);
        assert!(details["expected"].as_str().is_some_and(|text| !text.is_empty()), "nothing expected: {}", self.body);
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains(field), "the message does not name {field}: {}", self.body);
    }
}

/// An object's keys, sorted.
#[track_caller]
pub(crate) fn keys(value: &Value) -> Vec<String> {
    let object = value.as_object().unwrap_or_else(|| panic!("not an object: {value}"));
    let mut keys: Vec<_> = object.keys().cloned().collect();
    keys.sort();
    keys
}

/// A string that must be there.
#[track_caller]
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no string {key:?} in {value}"))
}
