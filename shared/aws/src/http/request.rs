//! Requests as the functions see them.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use percent_encoding::percent_decode_str;
use postrider_domain::invalid::Invalid;
use postrider_domain::json;

use super::{Fault, Fields};

/// An HTTP request, taken apart.
#[derive(Debug)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The route's template, such as `/v1/webhooks/{id}`: what logs may show.
    pub route: String,
    /// The path's segments, decoded: `["v1", "webhooks", "wh_…"]`.
    pub segments: Vec<String>,
    /// API Gateway's id of the request, which every answer repeats.
    pub id: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// Takes API Gateway's event (payload format 2.0) apart; `invocation` stands in where it carries no id.
    pub fn new(event: ApiGatewayV2httpRequest, invocation: &str) -> Self {
        let path = event.raw_path.unwrap_or_default();
        let segment = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let segments = path.split('/').filter(|part| !part.is_empty()).map(segment).collect();
        let query = event.raw_query_string.unwrap_or_default();
        let query = url_pairs(&query);
        let header = |(name, value): (&_, &aws_lambda_events::http::HeaderValue)| {
            let name: &aws_lambda_events::http::HeaderName = name;
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers = event.headers.iter().map(header).collect();
        let body = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded {
            base64::engine::general_purpose::STANDARD.decode(&body).unwrap_or_default()
        } else {
            body.into_bytes()
        };
        let context = event.request_context;
        Self {
            method: context.http.method.to_string(),
            route: event.route_key.unwrap_or_default().split(' ').next_back().unwrap_or_default().to_owned(),
            segments,
            id: context.request_id.unwrap_or_else(|| invocation.to_owned()),
            query,
            headers,
            body,
        }
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
    pub fn query(&self, name: &str) -> Result<Option<&str>, Fault> {
        let mut values = self.query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Invalid::new(name, "one value").into()),
        }
    }

    /// Refuses query parameters that the route does not know: a mistyped filter would silently select everything.
    ///
    /// # Errors
    /// 400 naming the parameter.
    pub fn only_query(&self, known: &[&str]) -> Result<(), Fault> {
        match self.query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => Err(Invalid::new(name, "no query parameters").into()),
            Some((name, _)) => Err(Invalid::new(name, format!("only {}", known.join(", "))).into()),
        }
    }

    /// The body's fields.
    ///
    /// # Errors
    /// 415 when it is not said to be JSON, 400 when it is no JSON object that every parser reads alike.
    pub fn fields(&self) -> Result<Fields, Fault> {
        let media = self.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media != "application/json" && !media.ends_with("+json") {
            return Err(Fault::unsupported_media_type());
        }
        json::check(&self.body).map_err(|why| Invalid::new("body", format!("valid JSON; {why}")))?;
        Fields::parse(&self.body)
    }

    /// The body's fields, or none where there is no body.
    ///
    /// # Errors
    /// As [`Request::fields`].
    pub fn optional_fields(&self) -> Result<Fields, Fault> {
        if self.body.is_empty() { Ok(Fields::default()) } else { self.fields() }
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
mod tests {
    use super::*;

    #[test]
    fn query_strings_are_decoded() {
        assert_eq!(
            url_pairs("a=1&b=x%20y+z&c"),
            [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "x y z".to_owned()), ("c".to_owned(), String::new()),]
        );
    }
}
