//! Texts as small as they get: the gateway compresses nothing itself.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A text by gzip.
pub fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}
