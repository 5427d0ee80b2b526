//! A text for everybody, made once: plain and by gzip, with a tag by which a caller tells that he has it.

use postrider_api::{Request, Response, gzipped};
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
        } else if request.takes_gzip() {
            Response::gzipped(self.content_type, &self.gzipped)
        } else {
            Response::text(self.content_type, &self.text)
        };
        response.header("etag", self.tag.as_str()).header("cache-control", CACHED).header("vary", "accept-encoding")
    }
}

/// Whether a caller has what this tag stands for.
fn has(request: &Request, tag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    request.header("if-none-match").is_some_and(|tags| tags.split(',').any(|one| plain(one) == plain(tag)))
}
