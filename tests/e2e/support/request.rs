//! One HTTP/1.1 request as it came over the wire, byte for byte.

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The most bytes that the head of a request may take; ours take a few hundred.
const HEAD_LIMIT: usize = 16 * 1024;

/// A request: its headers in the order and spelling of the wire, its body untouched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// Reads the next request, or nothing where the sender has closed the connection.
    pub(crate) async fn read(wire: &mut (impl AsyncRead + Unpin), rest: &mut Vec<u8>) -> Option<Self> {
        let (mut request, head) = loop {
            if let Some(parsed) = parse_head(rest) {
                break parsed;
            }
            assert!(rest.len() < HEAD_LIMIT, "the head of a request exceeds {HEAD_LIMIT} bytes");
            if wire.read_buf(rest).await.ok()? == 0 {
                return None;
            }
        };
        let length: usize = request
            .header("content-length")
            .expect("a delivery should state its content-length")
            .parse()
            .expect("a content-length should be a number");
        while rest.len() < head + length {
            if wire.read_buf(rest).await.ok()? == 0 {
                return None;
            }
        }
        request.body = rest[head..head + length].to_vec();
        rest.drain(..head + length);
        Some(request)
    }

    /// The one value of a header, whose name is compared without case; a repeated header fails the test.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} stands twice in {:?}", self.headers);
        value
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a delivery's body should be JSON")
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a delivery's body should be UTF-8")
    }

    /// The event's id in the body.
    pub(crate) fn event_id(&self) -> String {
        self.json()["id"].as_str().expect("a delivery's body should have an id").to_owned()
    }
}

fn parse_head(bytes: &[u8]) -> Option<(Received, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes).expect("a delivery should be well-formed HTTP/1.1") {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return None,
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("headers should be ASCII");
    let received = Received {
        method: request.method.expect("a complete request has a method").to_owned(),
        path: request.path.expect("a complete request has a path").to_owned(),
        headers: request.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect(),
        body: Vec::new(),
    };
    Some((received, length))
}
