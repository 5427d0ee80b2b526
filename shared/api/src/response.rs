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
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body: Some(Body::Text(body)) }
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
        Self { status: 204, headers: Vec::new(), body: None }
    }

    /// 200, with a text that is written already.
    pub fn text(content_type: &'static str, body: &str) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", content_type.to_owned())],
            body: Some(Body::Text(body.to_owned())),
        }
    }

    /// 200, with a text that is compressed by gzip already: the gateway compresses nothing itself.
    pub fn gzipped(content_type: &'static str, body: &[u8]) -> Self {
        let headers = vec![("content-type", content_type.to_owned()), ("content-encoding", "gzip".to_owned())];
        Self { status: 200, headers, body: Some(Body::Binary(body.to_owned())) }
    }

    /// 304, without a body.
    pub fn not_modified() -> Self {
        Self { status: 304, headers: Vec::new(), body: None }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
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
        response.is_base64_encoded = matches!(self.body, Some(Body::Binary(_)));
        response.body = self.body;
        response
    }
}
