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
    ///
    /// A field's name may be the sender's own text, so no more than an [`excerpt`] of it is kept, its beginning and its end.
    pub fn new(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { field: place(&field.into()), expected: expected.into() }
    }
}

/// The most characters of a sender's text that an answer, a note or a log line repeats: enough to find the place, too few
/// to have us carry megabytes back. With quotation marks around them they are 64, and those may have been his as well.
const MAX_ECHO: usize = 62;
/// Of them, of a place that is longer.
const FROM_THE_START: usize = 20;

/// As much of a place as may be repeated: where it begins, and above all where it ends.
fn place(text: &str) -> String {
    let count = text.chars().count();
    if count <= MAX_ECHO {
        return excerpt(text);
    }
    let from_the_end = MAX_ECHO - 1 - FROM_THE_START;
    let start = text.chars().take(FROM_THE_START);
    excerpt(&start.chain(['…']).chain(text.chars().skip(count - from_the_end)).collect::<String>())
}

/// As much of a sender's text as may be repeated: characters as JSON writes them, where some take two. What would take six, or
/// move a terminal's cursor, is told by a sign.
pub fn excerpt(text: &str) -> String {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut left = MAX_ECHO;
    let fits = |c: &char| {
        let rest = left.checked_sub(if matches!(c, '"' | '\\') { 2 } else { 1 });
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    let mut kept: String = text.chars().map(shown).take_while(fits).collect();
    if kept.chars().count() < text.chars().take(MAX_ECHO + 1).count() {
        kept.pop();
        kept.push('…');
    }
    kept
}

/// As much of a sender's text as may be repeated within a sentence. As it stands, since Rust's own quoting makes ten characters
/// of one.
pub fn quoted(text: &str) -> String {
    format!("`{}`", excerpt(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_64_characters_of_a_field_are_repeated() {
        for (given, kept) in [(0, 0), (62, 62), (63, 62), (3_000_000, 62)] {
            assert_eq!(Invalid::new("é".repeat(given), "no fields").field.chars().count(), kept, "{given}");
            assert_eq!(quoted(&"\u{1}".repeat(given)).chars().count(), kept + 2, "{given}");
            let written = serde_json::to_string(&excerpt(&"\"".repeat(given))).unwrap();
            assert!(written.chars().count() <= 64, "{written}");
        }
        assert_eq!(Invalid::new("data", "").field, "data");
        assert_eq!(excerpt("a\nb\u{1b}[2J\"c\""), "a\u{fffd}b\u{fffd}[2J\"c\"");
    }
}
