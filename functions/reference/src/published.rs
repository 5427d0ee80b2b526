//! A text for everybody, made once: plain and by gzip, with a tag by which a caller tells that he has it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use postrider_api::{Request, Response};
use postrider_domain::key::hash_of;

/// It changes with a release, after which nobody should wait for long.
const CACHED: &str = "public, max-age=300";

/// Such a text.
pub(crate) struct Published {
    content_type: &'static str,
    pub(crate) text: String,
    /// The same text, by gzip.
    pub(crate) gzipped: Vec<u8>,
    /// Weak, for both have it.
    tag: String,
}

impl Published {
    /// A text of this type.
    pub(crate) fn new(content_type: &'static str, text: String) -> Self {
        let tag = format!("W/\"{}\"", &hash_of(&text)[..32]);
        Self { content_type, gzipped: gzipped(&text), tag, text }
    }

    /// The answer to whoever asks for it: as small as he takes it, and none of it where he has it.
    pub(crate) fn answer(&self, request: &Request) -> Response {
        let response = if has(request, &self.tag) {
            Response::not_modified()
        } else if takes_gzip(request) {
            Response::gzipped(self.content_type, &self.gzipped)
        } else {
            Response::text(self.content_type, &self.text)
        };
        response.header("etag", self.tag.as_str()).header("cache-control", CACHED).header("vary", "accept-encoding")
    }
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// Whether a caller has what this tag stands for.
fn has(request: &Request, tag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    request.header("if-none-match").is_some_and(|tags| tags.split(',').any(|one| plain(one) == plain(tag)))
}

/// Whether a caller takes gzip: one that refuses it says so with `q=0`.
fn takes_gzip(request: &Request) -> bool {
    let mut codings = request.header("accept-encoding").unwrap_or_default().split(',');
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
    })
}
