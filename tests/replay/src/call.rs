//! A request of the HTTP API as API Gateway passes it on, and its answer.

use lambda_runtime::{Context, LambdaEvent};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::item::plain_of;
use crate::{Caller, Visitor};

/// A request.
#[derive(Debug, Clone)]
pub struct Call(Value);

impl Call {
    /// Of a method and a path, which may have a query behind it.
    pub fn new(method: &str, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Self(json!({
            "rawPath": path,
            "rawQueryString": query,
            "headers": {},
            "requestContext": {"requestId": "a request", "http": {"method": method}},
        }))
    }

    /// Its method.
    pub fn method(&self) -> &str {
        self.0["requestContext"]["http"]["method"].as_str().unwrap_or_default()
    }

    /// Its path, without a query.
    pub fn path(&self) -> &str {
        self.0["rawPath"].as_str().unwrap_or_default()
    }

    /// With this query.
    #[must_use]
    pub fn query(mut self, query: &str) -> Self {
        self.0["rawQueryString"] = json!(query);
        self
    }

    /// With his key.
    #[must_use]
    pub fn by(self, caller: &Caller) -> Self {
        self.header("authorization", &format!("Bearer {}", caller.text))
    }

    /// In his session.
    #[must_use]
    pub fn in_session(self, visitor: &Visitor) -> Self {
        self.header("authorization", &format!("Bearer {}", visitor.text))
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0["headers"][name] = json!(value);
        self
    }

    /// With a body of JSON.
    #[must_use]
    pub fn saying(self, body: &Value) -> Self {
        self.saying_text(&body.to_string())
    }

    /// With a body of JSON that is written so.
    #[must_use]
    pub fn saying_text(mut self, body: &str) -> Self {
        self.0["body"] = json!(body);
        self.header("content-type", "application/json")
    }

    /// With this body, letter for letter.
    #[must_use]
    pub fn body(mut self, text: &str) -> Self {
        self.0["body"] = json!(text);
        self
    }

    /// As the gateway passes it on by a route of its own, with the values that it found there, where a stage's name or a mapping's key
    /// stands before the path.
    #[must_use]
    pub fn behind(mut self, before: &str, route_key: &str, values: &Value) -> Self {
        let path = format!("{before}{}", self.0["rawPath"].as_str().unwrap_or_default());
        self.0["requestContext"]["http"]["path"] = json!(path);
        self.0["rawPath"] = json!(path);
        self.0["routeKey"] = json!(route_key);
        self.0["pathParameters"] = values.clone();
        self
    }

    /// As its function is invoked with it.
    pub fn event(&self) -> LambdaEvent<Box<RawValue>> {
        invocation(&self.0)
    }
}

/// An invocation with this payload, `an invocation` by its id.
pub fn invocation(payload: &Value) -> LambdaEvent<Box<RawValue>> {
    let mut context = Context::default();
    context.request_id = "an invocation".to_owned();
    LambdaEvent::new(to_raw_value(payload).expect("a payload is JSON"), context)
}

/// What a caller is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u64,
    /// The headers, their names in lower case.
    pub headers: Value,
    /// The body; null where there is none.
    pub body: Value,
}

impl Answer {
    /// The answer in what a function gives to API Gateway.
    pub fn of(response: &impl Serialize) -> Self {
        let response = plain_of(response);
        let body = response["body"].as_str().map(|body| serde_json::from_str(body).expect("a body is JSON"));
        Self {
            status: response["statusCode"].as_u64().expect("an HTTP status"),
            headers: response["headers"].clone(),
            body: body.unwrap_or_default(),
        }
    }
}
