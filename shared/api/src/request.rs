//! Requests as the functions see them.

use std::collections::BTreeMap;

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use postrider_domain::invalid::Invalid;
use serde::Deserialize;

use crate::{ApiError, Fields};

/// API Gateway's event (payload format 2.0), as far as it is read. Header values are taken as they come: whatever HTTP
/// lets nobody send is no reason to fail.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Envelope {
    route_key: String,
    raw_path: String,
    path_parameters: Option<BTreeMap<String, String>>,
    raw_query_string: String,
    headers: BTreeMap<String, String>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: bool,
    request_context: EnvelopeContext,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EnvelopeContext {
    request_id: Option<String>,
    http: EnvelopeLine,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EnvelopeLine {
    method: String,
}

/// An HTTP request, taken apart.
#[derive(Debug)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path's segments, empty ones too: `["v1", "webhooks", "wh_…"]`.
    pub segments: Vec<String>,
    /// What stood before that path, such as a stage's name: `/live`.
    pub before: String,
    /// API Gateway's id of the request, which every answer repeats.
    pub id: String,
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    cookies: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    /// Takes API Gateway's event apart; `invocation` stands in where it carries no id.
    ///
    /// # Errors
    /// 400 when it is no such event. What it is instead is nobody's to read: not the caller's, not the log's.
    pub fn read(event: &str, invocation: &str) -> Result<Self, ApiError> {
        let no_request = || ApiError::from(Invalid::new("request", "an HTTP request as API Gateway passes it on"));
        // Of a list, too, a struct would be made.
        let event: Option<Envelope> = event.starts_with('{').then(|| serde_json::from_str(event).ok()).flatten();
        let event = event.ok_or_else(no_request)?;
        let body = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded {
            base64::engine::general_purpose::STANDARD.decode(&body).map_err(|_| no_request())?
        } else {
            body.into_bytes()
        };
        let context = event.request_context;
        let path = own_path(&event.raw_path, &event.route_key, &event.path_parameters.unwrap_or_default());
        Ok(Self {
            before: event.raw_path.strip_suffix(&path).unwrap_or_default().to_owned(),
            method: context.http.method,
            // API Gateway has decoded it, and no id of ours has anything left to decode.
            segments: path.strip_prefix('/').unwrap_or_default().split('/').map(str::to_owned).collect(),
            id: context.request_id.unwrap_or_else(|| invocation.to_owned()),
            query: url_pairs(&event.raw_query_string),
            headers: event.headers,
            cookies: event.cookies.unwrap_or_default(),
            body,
        })
    }

    /// The path's segments, to be matched on.
    pub fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// A header's value, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A query parameter.
    ///
    /// # Errors
    /// 400 when it was given twice.
    pub fn query(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Invalid::new(name, "one value").into()),
        }
    }

    /// A cookie's value. API Gateway passes cookies on beside the headers; what stands before a function elsewhere may leave them there.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let in_header = self.header("cookie").into_iter().flat_map(|all| all.split(';'));
        let mut all = self.cookies.iter().map(String::as_str).chain(in_header);
        all.find_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='))
    }

    /// Refuses query parameters that the route does not know: a mistyped filter would silently select everything, and a
    /// `dry_run` would not be dry.
    ///
    /// # Errors
    /// 400 naming the parameter.
    pub fn only_query(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => Err(Invalid::new(name, "no query parameters").into()),
            Some((name, _)) => Err(Invalid::new(name, format!("only {}", known.join(", "))).into()),
        }
    }

    /// How long the body is, in bytes.
    pub fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// The body as it came.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body's fields. What has a body takes no query parameters.
    ///
    /// # Errors
    /// 415 when it is not said to be JSON as it is, 400 when it is no JSON object that every parser reads alike.
    pub fn fields(&self) -> Result<Fields, ApiError> {
        self.check_json()?;
        Fields::read(&self.body)
    }

    /// The body's bytes as they came, which are said to be JSON, for whoever needs no more than those. What has a body takes no
    /// query parameters.
    ///
    /// # Errors
    /// 415 when it is not said to be JSON as it is.
    pub fn json_bytes(&self) -> Result<&[u8], ApiError> {
        self.check_json()?;
        Ok(&self.body)
    }

    /// The body's fields, where the items of one of them are checked one by one.
    ///
    /// # Errors
    /// As [`Request::fields`].
    pub fn fields_around(&self, list: &str) -> Result<Fields, ApiError> {
        self.check_json()?;
        Fields::around(list, &self.body)
    }

    /// The body's fields, or none where there is no body.
    ///
    /// # Errors
    /// As [`Request::fields`].
    pub fn optional_fields(&self) -> Result<Fields, ApiError> {
        if self.body.is_empty() { self.only_query(&[]).map(|()| Fields::default()) } else { self.fields() }
    }

    /// The fields of a form as a browser posts it, in its order.
    ///
    /// # Errors
    /// 415 when the body is not said to be such a form.
    pub fn form(&self) -> Result<Vec<(String, String)>, ApiError> {
        let media = self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        if !media.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(ApiError::unsupported_media_type("expected a form as browsers post it"));
        }
        Ok(url_pairs(&String::from_utf8_lossy(&self.body)))
    }

    /// Whether the caller takes gzip: one that refuses it says so with `q=0`.
    pub fn takes_gzip(&self) -> bool {
        let mut codings = self.header("accept-encoding").unwrap_or_default().split(',');
        codings.any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
        })
    }

    fn check_json(&self) -> Result<(), ApiError> {
        self.only_query(&[])?;
        let media = self.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media != "application/json" && !media.ends_with("+json") {
            return Err(ApiError::unsupported_media_type("expected `Content-Type: application/json`"));
        }
        match self.header("content-encoding").map(str::trim) {
            Some(encoding) if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") => {
                Err(ApiError::unsupported_media_type("expected no `Content-Encoding`: bodies are taken as they are"))
            }
            _ => Ok(()),
        }
    }
}

/// The path without what a stage's name, or the key of a custom domain's mapping, has put before it: as the gateway's own route has it,
/// with the values that it found there. Where that is not how the path ends, the path is all that is known.
fn own_path(raw: &str, route_key: &str, values: &BTreeMap<String, String>) -> String {
    let Some((_, route)) = route_key.split_once(' ') else { return raw.to_owned() };
    let value = |part: &str| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        values.get(name.trim_end_matches('+')).cloned()
    };
    let own: Vec<String> = route.split('/').map(|part| value(part).unwrap_or_else(|| part.to_owned())).collect();
    let own = own.join("/");
    match raw.strip_suffix(&own) {
        // A slash too many before it is no stage's name: `//v1/webhooks` is a path that nobody has.
        Some(before) if !before.ends_with('/') => own,
        _ => raw.to_owned(),
    }
}

/// A query string's pairs, decoded (`+` is a space, as forms send it).
fn url_pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(name), decode(value))
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests;
