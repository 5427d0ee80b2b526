//! What is wrong with an input, told so that its sender can mend it.

/// A refused input: which field, and what was expected of it.
///
/// The API answers 400 with both; an event trigger writes both beside the message that it sets aside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: expected {expected}")]
pub struct Invalid {
    /// The field's path as the sender wrote it: `url`, `events[2]`, `data`.
    pub field: String,
    /// What would have been good, to be read after the word "expected".
    pub expected: String,
}

impl Invalid {
    /// Names the field and what was expected of it.
    pub fn new(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { field: field.into(), expected: expected.into() }
    }
}
