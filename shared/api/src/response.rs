//! Responses.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

/// A response before it has its request id.
#[derive(Debug)]
pub struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    cookies: Vec<String>,
    body: Option<Body>,
}

impl Response {
    /// A JSON body.
    pub fn json<T: Serialize>(status: u16, body: &T) -> Self {
        // Only maps with keys that are no strings cannot be written, and no answer has one.
        Self::written(status, serde_json::to_string(body).unwrap_or_default())
    }

    /// A JSON body that is written already.
    pub(crate) fn written(status: u16, body: String) -> Self {
        Self::of(status, "application/json", Body::Text(body))
    }

    fn of(status: u16, content_type: &'static str, body: Body) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, cookies: Vec::new(), body: Some(body) }
    }

    fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), cookies: Vec::new(), body: None }
    }

    /// Its body, where that is a text.
    pub(crate) fn text_of_body(&self) -> Option<&str> {
        match &self.body {
            Some(Body::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// 204, without a body.
    pub fn no_content() -> Self {
        Self::empty(204)
    }

    /// 200, with a text that is written already.
    pub fn text(content_type: &'static str, body: &str) -> Self {
        Self::of(200, content_type, Body::Text(body.to_owned()))
    }

    /// 200, with a text that is compressed by gzip already: the gateway compresses nothing itself.
    pub fn gzipped(content_type: &'static str, body: &[u8]) -> Self {
        Self::of(200, content_type, Body::Binary(body.to_owned())).header("content-encoding", "gzip")
    }

    /// 303: what was asked for is done, and is to be seen there.
    pub fn see(location: impl Into<String>) -> Self {
        Self::empty(303).header("location", location)
    }

    /// 304, without a body.
    pub fn not_modified() -> Self {
        Self::empty(304)
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with one more cookie to set, as `Set-Cookie` has it.
    #[must_use]
    pub fn cookie(mut self, cookie: impl Into<String>) -> Self {
        self.cookies.push(cookie.into());
        self
    }

    /// Its status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// As API Gateway wants it.
    pub fn into_gateways(self, request_id: &str) -> ApiGatewayV2httpResponse {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers.into_iter().chain([("x-request-id", request_id.to_owned())]) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = self.status.into();
        response.headers = headers;
        response.cookies = self.cookies;
        response.is_base64_encoded = matches!(self.body, Some(Body::Binary(_)));
        response.body = self.body;
        response
    }
}
