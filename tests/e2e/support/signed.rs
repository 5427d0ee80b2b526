//! Calls of AWS services whose SDK crates would take minutes to compile: a signed request, JSON in, JSON out.

use std::time::SystemTime;

use aws_sdk_sqs::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::{Client, Method};
use serde_json::Value;

use super::stack::Stack;

/// Signs and sends.
#[derive(Debug)]
pub(crate) struct Signed {
    http: Client,
    endpoint: String,
    region: String,
}

impl Signed {
    pub(crate) fn of(stack: &Stack) -> Self {
        let http = Client::builder().no_proxy().build().expect("a plain client should build");
        Self { http, endpoint: stack.endpoint_url.clone(), region: stack.region.clone() }
    }

    /// Calls `service`; `target` is the operation's name where it does not stand in the path.
    pub(crate) async fn call(&self, service: &str, line: (Method, &str), target: &str, body: &Value) -> Value {
        let (method, path) = line;
        let url = format!("{}{path}", self.endpoint);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut headers = vec![("content-type", "application/x-amz-json-1.1")];
        if !target.is_empty() {
            headers.push(("x-amz-target", target));
        }
        let identity = Credentials::new("test", "test", None, None, "postrider-tests").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .expect("the parameters are complete")
            .into();
        let signable = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new(method.as_str(), &url, headers.iter().copied(), signable);
        let (signature, _) =
            sign(signable.expect("a request of ours can be signed"), &params).expect("it can be signed").into_parts();
        let mut request = self.http.request(method.clone(), &url);
        for (name, value) in headers.iter().copied().chain(signature.headers()) {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        let status = answer.status();
        let text = answer.text().await.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        assert!(status.is_success(), "{service} {method} {path} {target} answered {status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}
