//! How much of what is taken.

/// Of a document that types are taken from.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;
