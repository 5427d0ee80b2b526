//! A span as X-Ray takes it: a segment document. It says which step it was, of which event, how long it took and how it ended: no
//! data, no header, and of a receiver its host alone.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::traceparent::Traceparent;

/// X-Ray's bound on a name.
const MAX_NAME_CHARS: usize = 200;

/// A span that has ended.
#[derive(Debug)]
pub struct Segment<'a> {
    /// Which step it was.
    pub name: &'a str,
    /// Its place.
    pub at: Traceparent,
    /// The span that led to it.
    pub parent: Option<u64>,
    /// When it began.
    pub begun: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What finds it: X-Ray indexes these.
    pub about: &'a [(&'static str, &'a str)],
    /// Whether we failed.
    pub failed: bool,
    /// The POST that was made in it.
    pub post: Option<PostSpan<'a>>,
}

/// A POST within a span.
#[derive(Debug)]
pub struct PostSpan<'a> {
    /// Its span's id, which its receiver may have been told.
    pub span: u64,
    /// Whom it went to: a host and nothing else of its URL.
    pub host: &'a str,
    /// What was answered, if anything was.
    pub status: Option<u16>,
    /// When it began.
    pub begun: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

impl Segment<'_> {
    /// The document.
    pub fn document(&self) -> Value {
        let mut document = timed(self.name, self.at.span, self.begun, self.ended);
        document.insert("trace_id".to_owned(), json!(self.at.xray_id()));
        if let Some(parent) = self.parent {
            document.insert("parent_id".to_owned(), json!(span_id(parent)));
        }
        if self.failed {
            document.insert("fault".to_owned(), json!(true));
        }
        let about: Map<String, Value> =
            self.about.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        document.insert("annotations".to_owned(), Value::Object(about));
        if let Some(post) = &self.post {
            document.insert("subsegments".to_owned(), json!([post.document()]));
        }
        Value::Object(document)
    }
}

impl PostSpan<'_> {
    fn document(&self) -> Value {
        let mut document = timed(self.host, self.span, self.begun, self.ended);
        document.insert("namespace".to_owned(), json!("remote"));
        let request = json!({"method": "POST", "url": format!("https://{}/", self.host)});
        let response = self.status.map(|status| json!({"status": status}));
        let http = match response {
            Some(response) => json!({"request": request, "response": response}),
            None => json!({"request": request}),
        };
        document.insert("http".to_owned(), http);
        let mut flag = |name: &str| document.insert(name.to_owned(), json!(true));
        match self.status {
            Some(200..=299) => {}
            Some(status @ 400..=499) => {
                flag("error");
                if status == 429 {
                    flag("throttle");
                }
            }
            _ => {
                flag("fault");
            }
        }
        Value::Object(document)
    }
}

fn timed(name: &str, span: u64, begun: Timestamp, ended: Timestamp) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("name".to_owned(), json!(told(name)));
    document.insert("id".to_owned(), json!(span_id(span)));
    document.insert("start_time".to_owned(), json!(seconds(begun)));
    document.insert("end_time".to_owned(), json!(seconds(ended.max(begun))));
    document
}

fn span_id(span: u64) -> String {
    format!("{span:016x}")
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

/// As much of a name as X-Ray takes: an address of IPv6 has brackets, which it does not.
fn told(name: &str) -> String {
    let is_taken = |c: &char| c.is_alphanumeric() || " _.:/%&#=+\\-@".contains(*c);
    let told: String = name.chars().filter(is_taken).take(MAX_NAME_CHARS).collect();
    if told.is_empty() { "unnamed".to_owned() } else { told }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_768_000_000_000 + millis).unwrap()
    }

    fn segment(post: Option<PostSpan<'static>>) -> Value {
        let place = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
        let about = &[("event_id", "evt_1"), ("attempt", "2")];
        let (begun, ended) = (at(0), at(250));
        Segment { name: "pr-deliver", at: place, parent: Some(7), begun, ended, about, failed: false, post }.document()
    }

    fn post(status: Option<u16>) -> PostSpan<'static> {
        PostSpan { span: 9, host: "hooks.example", status, begun: at(10), ended: at(5) }
    }

    #[test]
    fn a_document_has_what_x_ray_requires_and_its_parent() {
        let expected = json!({
            "name": "pr-deliver",
            "id": "00f067aa0ba902b7",
            "start_time": 1_768_000_000.0,
            "end_time": 1_768_000_000.25,
            "trace_id": "1-4bf92f35-77b34da6a3ce929d0e0e4736",
            "parent_id": "0000000000000007",
            "annotations": {"event_id": "evt_1", "attempt": "2"},
        });
        assert_eq!(segment(None), expected);
    }

    #[test]
    fn a_post_is_a_part_of_its_span_and_names_its_host_alone() {
        let document = segment(Some(post(Some(200))));
        let expected = json!({
            "name": "hooks.example",
            "id": "0000000000000009",
            "start_time": 1_768_000_000.01,
            "end_time": 1_768_000_000.01,
            "namespace": "remote",
            "http": {"request": {"method": "POST", "url": "https://hooks.example/"}, "response": {"status": 200}},
        });
        assert_eq!(document["subsegments"], json!([expected]));
    }

    #[test]
    fn an_answer_is_marked_as_x_ray_counts_it() {
        let marks = |status| {
            let document = post(status).document();
            ["error", "throttle", "fault"].map(|mark| document.get(mark) == Some(&json!(true)))
        };
        assert_eq!(marks(Some(204)), [false, false, false]);
        assert_eq!(marks(Some(410)), [true, false, false]);
        assert_eq!(marks(Some(429)), [true, true, false]);
        assert_eq!([marks(Some(503)), marks(Some(302)), marks(None)], [[false, false, true]; 3]);
        assert_eq!(post(None).document()["http"].get("response"), None);
    }

    #[test]
    fn a_name_is_what_x_ray_takes() {
        assert_eq!(told("[2001:db8::1]"), "2001:db8::1");
        assert_eq!(told("xn--bcher-kva.example"), "xn--bcher-kva.example");
        assert_eq!((told("[]").as_str(), told(&"a".repeat(253)).len()), ("unnamed", 200));
    }
}
